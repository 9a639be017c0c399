//! A year of about fifty resources in two accounts for this module's tests, with every sort of event in it.
//!
//! Made by rules of thumb, not by providers' rules: what matters here is how it looks.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::approval::ExpiryReason;
use perennial_domain::approval::State;
use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Package;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Balance;
use perennial_domain::ledger::Reason;
use perennial_domain::manifest::Kind;
use perennial_domain::manifest::Manifest;
use perennial_domain::manifest::Notice;
use perennial_domain::manifest::PolicyRefusal;
use perennial_domain::micros::Micros;
use perennial_domain::order::OrderKind;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Refusal;
use perennial_domain::plan::Scope;
use perennial_domain::policy::chain::RulingKind;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;

use perennial_picture::Detail;
use perennial_picture::History;
use perennial_picture::history::Frame;

const DAY: i64 = 86_400;

/// What a history is made of.
pub(super) struct Sample {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) accounts: Vec<Account>,
    pub(super) bundles: Vec<(String, Bundle)>,
    pub(super) manifest: Manifest,
    pub(super) events: Vec<(String, Event)>,
}

/// An instant in RFC 3339.
pub(super) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Parses an exact amount.
pub(super) fn amount(text: &str) -> Micros {
    text.parse().unwrap()
}

/// A term of one month.
pub(super) fn month() -> Term {
    Term::new(1, TermUnit::Month).unwrap()
}

/// A prepaid resource that was bought before the history.
pub(super) fn resource(id: &str, kind: &str, expires_at: Timestamp, price: &str) -> Resource {
    Resource {
        id: id.to_owned(),
        kind: kind.to_owned(),
        region: "cn-north-4".to_owned(),
        started_at: instant("2025-11-01T02:00:00Z"),
        expires_at: Some(expires_at),
        anchor_day: Some(1),
        term: Some(month()),
        price: Some(amount(price)),
        on_expiry: OnExpiry::Renew,
        ..Resource::default()
    }
}

/// An account without settings.
pub(super) fn account(id: &str, provider: &str, balance: &str) -> Account {
    Account {
        id: id.to_owned(),
        provider: provider.to_owned(),
        mode: Mode::Managed,
        currency: "CNY".to_owned(),
        balance: Balance::new(amount(balance), Micros::ZERO),
        settings: BTreeMap::new(),
        approval_above: None,
        budget: None,
    }
}

/// A plugin's names for things.
pub(super) fn manifest() -> Manifest {
    let refusal = || Refusal { code: "CBC.0100".to_owned(), message: "no".to_owned() };
    let kind = |label: &str| Kind {
        label: label.to_owned(),
        attaches_to: Vec::new(),
        terms: Vec::new(),
        is_package: label == "Resource package",
    };
    Manifest {
        id: "huawei".to_owned(),
        name: "Huawei Cloud".to_owned(),
        kinds: [("ecs", "Elastic Cloud Server"), ("evs", "Elastic Volume"), ("package", "Resource package")]
            .map(|(name, label)| (name.to_owned(), kind(label)))
            .into(),
        settings: Vec::new(),
        notices: vec![Notice {
            name: "expires_soon".to_owned(),
            label: "it expires within seven days".to_owned(),
        }],
        reads: Vec::new(),
        utc_offset_minutes: 480,
        insufficient_balance: refusal(),
        unknown_resource: refusal(),
        unknown_resource_of: BTreeMap::new(),
        policy_denied: PolicyRefusal { refusal: refusal(), code_setting: None },
        policy_deferred: PolicyRefusal { refusal: refusal(), code_setting: None },
        idempotency: None,
    }
}

impl Sample {
    /// The history of all events, whose picture shows the first `tracks_max` resources.
    pub(super) fn history(&self, detail: Detail, tracks_max: usize) -> History {
        self.history_of(detail, tracks_max, None)
    }

    /// The same, whose picture shows these bundles.
    pub(super) fn history_of(
        &self,
        detail: Detail,
        tracks_max: usize,
        drawn: Option<&BTreeSet<usize>>,
    ) -> History {
        let bundles = self.bundles.iter().map(|(account, bundle)| (account.as_str(), bundle));
        let frame = Frame { from: self.from, until: self.until, detail, tracks_max, drawn };
        let mut history = History::new(frame, &self.accounts, bundles, [&self.manifest]);
        for (account, event) in &self.events {
            history.record(account, event);
        }
        history
    }

    fn tell(&mut self, account: &str, resource: Option<&str>, at: Timestamp, what: EventKind) {
        let event = Event { at, resource: resource.map(str::to_owned), what };
        self.events.push((account.to_owned(), event));
    }

    fn renew(
        &mut self,
        account: &str,
        one: &Resource,
        at: Timestamp,
        expires: Timestamp,
        primary: Option<&str>,
    ) {
        let cause = if at > expires { Cause::Command } else { Cause::Auto };
        let what = EventKind::RenewalSettled {
            cost: one.price.unwrap(),
            expires_before: expires,
            expires_at: expires + 30 * DAY,
            term: month(),
            extra_days: 0,
            cause,
            primary: primary.map(str::to_owned),
            attempt: format!("{}/{expires}/1month", one.id),
        };
        self.tell(account, Some(&one.id), at, what);
    }

    fn decline(&mut self, account: &str, id: &str, at: Timestamp, next_try_at: Option<Timestamp>) {
        let what = EventKind::RenewalDeclined {
            code: "CBC.99003162".to_owned(),
            message: "insufficient balance".to_owned(),
            class: DeclineClass::Money,
            next_try_at,
        };
        self.tell(account, Some(id), at, what);
    }

    fn stage(&mut self, account: &str, id: &str, at: Timestamp, from: Stage, to: Stage) {
        self.tell(account, Some(id), at, EventKind::StageChanged { from, to });
    }

    /// A bundle lives through the year: renewed each month but from `fails_in` on, when it fares as `fate` says.
    fn live(&mut self, account: &str, members: Vec<Resource>, fails_in: usize, fate: &str) {
        let ids = members.iter().map(|member| member.id.clone()).collect::<Vec<_>>();
        let mut expires = members[0].expires_at.unwrap();
        for turn in 0..16 {
            if expires - 7 * DAY > self.until {
                break;
            }
            self.tell(
                account,
                Some(&ids[0]),
                expires - 9 * DAY,
                EventKind::Notice { notice: "expires_soon".into() },
            );
            if turn >= fails_in {
                match self.fate(account, &members, expires, fate) {
                    None => break,
                    Some(at) => {
                        for member in &members {
                            self.renew(
                                account,
                                member,
                                at,
                                expires,
                                (member.id != ids[0]).then_some(&ids[0]),
                            );
                        }
                    }
                }
            } else {
                for member in &members {
                    let at = expires - 7 * DAY + 19 * 3_600;
                    self.renew(account, member, at, expires, (member.id != ids[0]).then_some(&ids[0]));
                }
            }
            expires = expires + 30 * DAY;
        }
        self.bundles.push((account.to_owned(), Bundle { members }));
    }

    /// What becomes of a bundle that is not simply renewed; when it is renewed after all, if it is.
    fn fate(
        &mut self,
        account: &str,
        members: &[Resource],
        expires: Timestamp,
        fate: &str,
    ) -> Option<Timestamp> {
        let id = members[0].id.clone();
        let first_try = expires - 7 * DAY + 19 * 3_600;
        match fate {
            "poor" => {
                for day in 0..4 {
                    let at = first_try + day * DAY;
                    self.decline(account, &id, at, Some(at + DAY));
                }
                Some(first_try + 4 * DAY)
            }
            "lost" | "rescued" => {
                for day in 0..7 {
                    let at = first_try + day * DAY;
                    self.decline(account, &id, at, (day < 6).then_some(at + DAY));
                }
                for member in members {
                    self.stage(account, &member.id, expires, Stage::Active, Stage::Grace);
                }
                if fate == "rescued" {
                    let at = expires + 6 * DAY;
                    for member in members {
                        self.stage(account, &member.id, at, Stage::Grace, Stage::Active);
                    }
                    return Some(at);
                }
                for member in members {
                    self.stage(account, &member.id, expires + 15 * DAY, Stage::Grace, Stage::Retention);
                    self.stage(account, &member.id, expires + 30 * DAY, Stage::Retention, Stage::Released);
                }
                None
            }
            "converted" => {
                let setting = |value: &str| EventKind::SettingChanged {
                    setting: "on_expiry".to_owned(),
                    value: Some(value.to_owned()),
                };
                self.tell(account, Some(&id), expires - 12 * DAY, setting("convert"));
                for member in members {
                    self.tell(account, Some(&member.id), expires, EventKind::Converted);
                    self.stage(account, &member.id, expires, Stage::Active, Stage::Converted);
                }
                None
            }
            "unsubscribed" => {
                for member in members {
                    let order = format!("CS-{}", member.id);
                    let refund = amount("41.30");
                    let what = EventKind::Unsubscribed {
                        scope: Scope::All,
                        expires_at: None,
                        refund,
                        original_order: Some(order.clone()),
                        refunds: vec![(order, refund)],
                    };
                    self.tell(account, Some(&member.id), expires - 11 * DAY, what);
                    self.stage(account, &member.id, expires - 11 * DAY, Stage::Active, Stage::Unsubscribed);
                }
                None
            }
            "doubtful" => {
                let attempt = format!("{id}/{expires}/1month");
                self.tell(
                    account,
                    Some(&id),
                    first_try,
                    EventKind::RenewalInDoubt { attempt, code: "CBC.0999".into() },
                );
                Some(first_try + DAY)
            }
            "broken" => {
                let what = EventKind::PluginFailed {
                    message: "plugin `baidu` used all of its fuel".to_owned(),
                    next_try_at: Some(first_try + 600),
                };
                self.tell(account, Some(&id), first_try, what);
                Some(first_try + 600)
            }
            "refused" => {
                let what = EventKind::CommandRefused {
                    command: "convert_on_expiry".to_owned(),
                    code: "CBC.99003611".to_owned(),
                    message: "not for this kind & <term>".to_owned(),
                };
                self.tell(account, Some(&id), expires - 15 * DAY, what);
                let (policy, text) = ("monthly-budget".to_owned(), "most of it is spent".to_owned());
                let note = EventKind::PolicyNote { policy: policy.clone(), text, shadow: false };
                self.tell(account, Some(&id), expires - 14 * DAY, note);
                let ruled = EventKind::PolicyRuled {
                    policy,
                    ruling: RulingKind::Denied,
                    command: "renew".to_owned(),
                    cause: Cause::Auto,
                    reason: "over budget".to_owned(),
                    until: None,
                    shadow: false,
                };
                self.tell(account, Some(&id), expires - 14 * DAY, ruled);
                Some(first_try)
            }
            _ => None,
        }
    }

    /// A package is used up, and another one is bought like it.
    fn packages(&mut self, account: &str) {
        let quota = amount("300");
        let package = Package {
            quota,
            used: Micros::ZERO,
            unit: "vCPU-hour".to_owned(),
            resource_type: "cci".to_owned(),
            bought_at: self.from,
        };
        let mut one = resource("pkg-cci", "package", self.until - 20 * DAY, "260.00");
        one.package = Some(package);
        one.started_at = self.from + 2 * DAY;
        self.bundles.push((account.to_owned(), Bundle { members: vec![one] }));
        let mut id = "pkg-cci";
        let mut left = quota;
        for day in (5..355).step_by(5) {
            let at = self.from + day * DAY + 9 * 3_600;
            let used = amount("10.5").min(left);
            if used > Micros::ZERO {
                left -= used;
                self.tell(account, Some(id), at, EventKind::PackageUsed { amount: used, left });
            }
            match left.as_micros() {
                0 if id == "pkg-cci" => {
                    self.tell(account, Some(id), at, EventKind::PackageDepleted { left });
                    let uncovered =
                        EventKind::UsageUncovered { amount: amount("4.5"), resource_type: "cci".to_owned() };
                    self.tell(account, None, at, uncovered);
                    let ordered = EventKind::PackageOrdered { pay_at: at + DAY, effective_at: at + 3 * DAY };
                    self.tell(account, Some(id), at + 60, ordered);
                    id = "pkg-cci-2";
                    let bought = EventKind::PackageBought {
                        effective_at: at + 3 * DAY,
                        expires_at: at + 180 * DAY,
                        quota,
                        cost: amount("260.00"),
                        like: "pkg-cci".to_owned(),
                    };
                    self.tell(account, Some(id), at + DAY, bought);
                    left = quota;
                }
                1..=52_000_000 if id == "pkg-cci" && left + used > amount("52") => {
                    self.tell(account, Some(id), at, EventKind::PackageLow { left });
                }
                1..=120_000_000 if id == "pkg-cci-2" => {
                    left = quota;
                    self.tell(account, Some(id), at, EventKind::PackageRefilled { left });
                }
                _ => {}
            }
        }
    }

    /// Puts the events in order, and adds what they did to the balances.
    fn settle(&mut self) {
        self.events.retain(|(_, event)| event.at >= self.from && event.at < self.until);
        let key = |(account, event): &(String, Event)| (event.at, account.clone(), event.resource.clone());
        self.events.sort_by_key(key);
        let mut balances = BTreeMap::new();
        for account in &self.accounts {
            balances.insert(account.id.clone(), account.balance.available());
        }
        let mut settled = Vec::new();
        for (account, mut event) in std::mem::take(&mut self.events) {
            let balance = balances.get_mut(&account).unwrap();
            if let EventKind::BalanceChanged { amount, balance: after, .. } = &mut event.what {
                *balance += *amount;
                *after = *balance;
            }
            let moved = moved(&event.what);
            let (at, resource) = (event.at, event.resource.clone());
            settled.push((account.clone(), event));
            if let Some((amount, reason)) = moved {
                *balance += amount;
                let what = EventKind::BalanceChanged { amount, balance: *balance, reason };
                settled.push((account, Event { at, resource, what }));
            }
        }
        self.events = settled;
    }
}

impl Sample {
    /// A command of the year's middle and one of its end that wait for somebody: the second one in vain.
    fn awaits_approval(&mut self, resource: &str) {
        for (at, approval) in [("2026-06-10T08:00:00Z", "~1"), ("2026-12-10T08:00:00Z", "~2")] {
            let (at, approval) = (instant(at), format!("{resource}{approval}"));
            let page_request = EventKind::ApprovalRequested {
                approval: approval.clone(),
                command: "renew".to_owned(),
                cause: Cause::Command,
                requested_by: Some("0a1b2c3d4e5f".to_owned()),
                cost: amount("744.00"),
                expires_at: at + 7 * DAY,
                attempt: None,
            };
            self.tell("acme-hw", Some(resource), at, page_request);
            if approval.ends_with('1') {
                let (decided_by, reason) = ("5f4e3d2c1b0a".to_owned(), Some("too long".to_owned()));
                let decision = State::Rejected;
                let decided =
                    EventKind::ApprovalDecided { approval, decision, decided_by, reason, will_retry: true };
                self.tell("acme-hw", Some(resource), at + DAY, decided);
            } else {
                let expired = EventKind::ApprovalExpired {
                    approval,
                    reason: ExpiryReason::Undecided,
                    will_retry: true,
                };
                self.tell("acme-hw", Some(resource), at + 7 * DAY, expired);
            }
        }
    }
}

/// What an event does to the balance.
fn moved(what: &EventKind) -> Option<(Micros, Reason)> {
    if let EventKind::RenewalSettled { cost, .. } = what {
        Some((-*cost, Reason::Renewal))
    } else if let EventKind::PackageBought { cost, .. } = what {
        Some((-*cost, Reason::Purchase))
    } else if let EventKind::Unsubscribed { refund, .. } = what {
        Some((*refund, Reason::Refund))
    } else {
        None
    }
}

/// The year that reports show.
pub(super) fn year() -> Sample {
    let mut sample = Sample {
        from: instant("2026-01-01T00:00:00Z"),
        until: instant("2027-01-01T00:00:00Z"),
        accounts: vec![account("acme-hw", "huawei", "9200.00"), account("acme-bd", "baidu", "9100.00")],
        bundles: Vec::new(),
        manifest: manifest(),
        events: Vec::new(),
    };
    let fates =
        ["", "poor", "", "lost", "rescued", "converted", "unsubscribed", "doubtful", "broken", "refused"];
    for (nth, fate) in fates.iter().chain(&fates[..6]).enumerate() {
        let (account, prefix, kind) =
            if nth < 10 { ("acme-hw", "ecs-", "ecs") } else { ("acme-bd", "i-", "bcc") };
        let day = i64::try_from(nth).unwrap() * 3 % 28;
        let expires = sample.from + (12 + day) * DAY + 15 * 3_600 + 59 * 60 + 59;
        let id = if nth == 9 {
            "<script>alert('1')</script>".to_owned()
        } else {
            format!("{prefix}{}", 101 + nth)
        };
        let mut members = vec![resource(&id, kind, expires, "99.00")];
        for (index, suffix) in ["data", "ip", "bandwidth"].iter().take(nth % 4).enumerate() {
            let kind = ["evs", "eip", "bandwidth"][index];
            let mut attached = resource(&format!("{prefix}{}-{suffix}", 101 + nth), kind, expires, "24.50");
            attached.attached_to = Some(if index == 2 { MemberIndex::new(2) } else { MemberIndex::new(0) });
            members.push(attached);
        }
        let fails_in = if fate.is_empty() { 99 } else { 2 + nth % 5 };
        sample.live(account, members, fails_in, fate);
    }
    for nth in 0..12 {
        let account = if nth % 2 == 0 { "acme-hw" } else { "acme-bd" };
        let expires = sample.from + (20 + nth * 2) * DAY;
        sample.live(account, vec![resource(&format!("rds-{nth}"), "rds", expires, "62.00")], 99, "");
    }
    let mut postpaid = resource("ecs-hourly", "ecs", sample.until, "1.00");
    (postpaid.charging, postpaid.expires_at, postpaid.term) = (Charging::Postpaid, None, None);
    sample.bundles.push(("acme-hw".to_owned(), Bundle { members: vec![postpaid] }));
    sample.packages("acme-hw");
    for (account, day, text) in
        [("acme-hw", 110, "5000.00"), ("acme-hw", 236, "6000.00"), ("acme-bd", 190, "3500.00")]
    {
        let (at, balance) = (sample.from + day * DAY, Micros::ZERO);
        let what = EventKind::BalanceChanged { amount: amount(text), balance, reason: Reason::TopUp };
        sample.tell(account, None, at, what);
    }
    for account in ["acme-hw", "acme-bd"] {
        let down_since = instant("2026-05-20T06:00:00Z");
        sample.tell(account, None, down_since + 6 * DAY, EventKind::HostResumed { down_since });
    }
    sample.awaits_approval("rds-2");
    let future = EventKind::Unsubscribed {
        scope: Scope::Future,
        expires_at: Some(instant("2026-12-31T15:59:59Z")),
        refund: amount("62.00"),
        original_order: Some("CS-9".to_owned()),
        refunds: Vec::new(),
    };
    sample.tell("acme-hw", Some("rds-4"), instant("2026-12-27T12:00:00Z"), future);
    let order = EventKind::OrderCreated {
        order: "rds-4/2026-12-31T15:59:59Z/1month".to_owned(),
        kind: OrderKind::Renewal,
        cost: amount("62.00"),
        pay_until: Some(instant("2027-01-04T12:00:00Z")),
    };
    sample.tell("acme-hw", Some("rds-4"), instant("2026-12-28T12:00:00Z"), order);
    sample.settle();
    sample
}
