//! Describes every event in one line for people, in English; in Chinese, `chinese`. Does not know where the line is shown.

mod chinese;
mod chinese_names;
mod doubt;
mod names;

use std::collections::BTreeMap;

use perennial_domain::approval::ExpiryReason;
use perennial_domain::approval::State;
use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::order::OrderKind;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Scope;
use perennial_domain::policy::chain::RulingKind;
use perennial_domain::timestamp::Timestamp;

use crate::dates;
use crate::language::Language;
use crate::time_zone::TimeZone;

pub use names::stage_words;
pub use names::term_words;
pub use names::type_name;

/// What happened, in one line without the instant and the resource; amounts without their currency, instants in UTC.
pub fn words(event: &Event) -> String {
    Wording { currency: "", notices: &BTreeMap::new(), zone: TimeZone::UTC }.of(event)
}

/// What the words of an account's events need to know of the account.
#[derive(Clone, Copy, Debug)]
pub struct Wording<'a> {
    /// What amounts are in, such as `CNY`; empty says nothing.
    pub currency: &'a str,
    /// The notices of the account's provider: what each name means to people.
    pub notices: &'a BTreeMap<String, String>,
    /// The zone in which instants are written.
    pub zone: TimeZone,
}

impl Wording<'_> {
    /// What happened, in one line of a language, without the instant and the resource.
    pub fn in_language(self, language: Language, event: &Event) -> String {
        match language {
            Language::English => self.of(event),
            Language::Chinese => chinese::ChineseWording(self).of(event),
        }
    }

    /// What happened, in one line without the instant and the resource.
    pub fn of(self, event: &Event) -> String {
        match &event.what {
            EventKind::PolicyRuled { policy, ruling, command, reason, until, shadow, .. } => {
                let until = until.map(|until| format!(" until {}", self.instant(until)));
                let asked = if *shadow { "shadow policy" } else { "policy" };
                let command = spaced(command);
                if *ruling == RulingKind::Failed {
                    return format!("{asked} {policy} failed over {command}: {reason}");
                }
                let (ruling, until) = (spaced(ruling.name()), until.unwrap_or_default());
                format!("{asked} {policy}: {command} {ruling}{until}: {reason}")
            }
            EventKind::PolicyNote { policy, text, .. } => format!("policy {policy} notes: {text}"),
            EventKind::PolicyInstalled { policy, digest, digest_before, mode, changed_by } => {
                installed(policy, digest, digest_before.as_deref(), mode, changed_by)
            }
            EventKind::PolicyRemoved { policy, changed_by, .. } => {
                format!("policy {policy} removed by {changed_by}")
            }
            EventKind::PolicyCalendarChanged { calendar, removed, changed_by } => {
                let what = if *removed { "removed" } else { "changed" };
                format!("calendar {calendar} of policies {what} by {changed_by}")
            }
            EventKind::RevisionInstalled { provider, digest, origin, changed_by, granted, .. } => {
                let granted =
                    granted.as_deref().map_or(String::new(), |granted| format!(", granted {granted}"));
                format!(
                    "revision {} of {provider} installed from {origin} by {changed_by}{granted}",
                    short(digest)
                )
            }
            EventKind::RevisionBound { provider, accounts, mode, digest, digest_before, changed_by } => {
                let before = digest_before
                    .as_deref()
                    .map_or(String::new(), |before| format!(" instead of {}", short(before)));
                format!(
                    "revision {} of {provider} {mode} for {accounts}{before} by {changed_by}",
                    short(digest)
                )
            }
            EventKind::RevisionUnbound { provider, accounts, mode, digest_before, changed_by } => {
                format!(
                    "revision {} of {provider} no longer {mode} for {accounts} by {changed_by}",
                    short(digest_before)
                )
            }
            EventKind::ApprovalGiven { approval, policy, given_by, reason } => {
                let why = reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
                format!("{approval} approved for policy {policy} by {given_by}{why}; it waits for others")
            }
            EventKind::StageChanged { from, to } => stage_changed(*from, *to),
            EventKind::RenewalSettled { .. } => self.renewed(&event.what),
            EventKind::RenewalDeclined { code, message, class, next_try_at } => {
                let next = next_try_at
                    .map_or("not tried again".to_owned(), |at| format!("next try {}", self.instant(at)));
                format!("renewal declined ({}): {code} {message}; {next}", class.name())
            }
            EventKind::RenewalInDoubt { attempt, code } => {
                format!(
                    "renewal in doubt ({code}): {}; attempt {attempt}",
                    doubt::meaning(code, Language::English)
                )
            }
            EventKind::CommandInDoubt { command, code } => {
                let (command, meaning) = (spaced(command), doubt::meaning(code, Language::English));
                format!("{command} in doubt ({code}): {meaning}")
            }
            EventKind::ConnectionFailed { problem } => format!(
                "the provider cannot be read: {problem}; look at the key (`perennial account rotate`) and the network"
            ),
            EventKind::ConnectionRestored => "the provider can be read again".to_owned(),
            EventKind::SendingLate { deadline, renewals, safe_start } => format!(
                "{renewals} renewals cannot all be sent before {}: their calls should have begun by {}; raise the quota \
                 or the ceiling on spending, or renew some by hand",
                self.instant(*deadline),
                self.instant(*safe_start)
            ),
            EventKind::ApprovalRequested { approval, command, cause, cost, expires_at, .. } => {
                let what = match cause {
                    Cause::Auto => "automatic renewal".to_owned(),
                    Cause::Command => format!("command {}", spaced(command)),
                };
                self.awaits_approval(what, approval, *cost, *expires_at)
            }
            EventKind::ApprovalDecided { approval, decision, decided_by, reason, will_retry } => {
                let why = reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
                format!(
                    "{approval} {} by {decided_by}{why}{}",
                    decision.name(),
                    again(*will_retry || *decision == State::Approved)
                )
            }
            EventKind::ApprovalExpired { approval, reason, will_retry } => {
                format!("approval {approval} expired: {}{}", expiry_words(*reason), again(*will_retry))
            }
            EventKind::CommandRefused { command, code, message } => {
                format!("command {} refused: {code} {message}", spaced(command))
            }
            EventKind::SettingChanged { setting, value: Some(value) } => {
                format!("{} is now {value}", spaced(setting))
            }
            EventKind::SettingChanged { setting, value: None } => format!("{} is now unset", spaced(setting)),
            EventKind::Unsubscribed { scope, refund, original_order, refunds, .. } => {
                self.unsubscribed(*scope, *refund, original_order.as_deref(), refunds.len())
            }
            EventKind::Converted => "converted to pay-per-use".to_owned(),
            EventKind::OrderCreated { order, kind, cost, pay_until: Some(until) } => {
                format!(
                    "{} waits to be paid until {}: {order}",
                    self.order(*kind, *cost),
                    self.instant(*until)
                )
            }
            EventKind::OrderCreated { order, kind, cost, pay_until: None } => {
                format!("{}: {order}", self.order(*kind, *cost))
            }
            EventKind::OrderPaid { order, kind, cost, .. } if *cost < Micros::ZERO => {
                format!("{} given back: {order}", self.order(*kind, *cost))
            }
            EventKind::OrderPaid { order, kind, cost, .. } => {
                format!("{} paid: {order}", self.order(*kind, *cost))
            }
            EventKind::OrderCancelled { order, kind, cost } => {
                format!("{} cancelled: {order}", self.order(*kind, *cost))
            }
            EventKind::OrderExpired { order, kind, cost } => {
                format!("{} not paid in time: {order}", self.order(*kind, *cost))
            }
            EventKind::BalanceChanged { amount, balance, reason } => {
                format!(
                    "{}: balance {} to {}",
                    english_reason(*reason),
                    signed(*amount),
                    self.money(*balance)
                )
            }
            EventKind::PackageOrdered { pay_at, effective_at } => {
                format!(
                    "package ordered, to be paid {} and in effect from {}",
                    self.instant(*pay_at),
                    self.instant(*effective_at)
                )
            }
            EventKind::PackageBought { effective_at, expires_at, quota, cost, like } => format!(
                "package of {} bought like {like} for {}, in effect from {} until {}",
                dates::amount(*quota),
                self.money(*cost),
                self.instant(*effective_at),
                self.instant(*expires_at)
            ),
            EventKind::PackageUsed { amount, left } => {
                format!("{} used, {} left", dates::amount(*amount), dates::amount(*left))
            }
            EventKind::PackageRefilled { left } => format!("package refilled, {} left", dates::amount(*left)),
            EventKind::PackageLow { left } => format!("package low, {} left", dates::amount(*left)),
            EventKind::PackageDepleted { left } => format!("package depleted, {} left", dates::amount(*left)),
            EventKind::UsageUncovered { amount, resource_type } => {
                format!("{} of {resource_type} used that no package covers", dates::amount(*amount))
            }
            EventKind::Notice { notice } => {
                format!("notice: {}", self.notices.get(notice).cloned().unwrap_or_else(|| spaced(notice)))
            }
            EventKind::PluginFailed { message, next_try_at: Some(next_try_at) } => {
                format!("plugin failed: {message}; asked again {}", self.instant(*next_try_at))
            }
            EventKind::PluginFailed { message, next_try_at: None } => format!("plugin failed: {message}"),
            EventKind::BundleParked { revision, message } => {
                format!("parked, because revision {} fails over it: {message}", short(revision))
            }
            EventKind::BundleUnparked { changed_by } => {
                format!("no longer parked{}", reason_asked(changed_by))
            }
            EventKind::BreakerOpened { provider, revision, message, next_try_at } => format!(
                "revision {} of {provider} fails over everything and is not asked until {}: {message}",
                short(revision),
                self.instant(*next_try_at)
            ),
            EventKind::BreakerClosed { revision, changed_by } => {
                format!("revision {} is asked again{}", short(revision), reason_asked(changed_by))
            }
            EventKind::HostResumed { down_since } => {
                format!("host running again, down since {}", self.instant(*down_since))
            }
        }
    }

    /// An order, such as `order of a renewal for 99.00`.
    fn order(self, kind: OrderKind, cost: Micros) -> String {
        let what = match kind {
            OrderKind::Purchase => "a purchase",
            OrderKind::Renewal => "a renewal",
            OrderKind::Upgrade => "an upgrade",
            OrderKind::Downgrade => "a downgrade",
        };
        format!("order of {what} for {}", self.money(cost.max(-cost)))
    }

    fn awaits_approval(self, what: String, approval: &str, cost: Micros, expires_at: Timestamp) -> String {
        let cost = self.money(cost);
        format!("{what} waits for an approval: {cost}, {approval}, until {}", self.instant(expires_at))
    }

    fn renewed(self, what: &EventKind) -> String {
        let EventKind::RenewalSettled {
            cost,
            expires_before,
            expires_at,
            term,
            extra_days,
            cause,
            primary,
            ..
        } = what
        else {
            unreachable!("only asked about settled renewals")
        };
        let extra = match extra_days {
            0 => String::new(),
            days => format!(" and {}", dates::counted(usize::try_from(*days).unwrap_or(usize::MAX), "day")),
        };
        let by = match cause {
            Cause::Auto => "automatically",
            Cause::Command => "by command",
        };
        let along = primary.as_ref().map_or(String::new(), |primary| format!(" along with {primary}"));
        format!(
            "renewed {by}{along} for {term}{extra} at {}, from {} to {}",
            self.money(*cost),
            self.instant(*expires_before),
            self.instant(*expires_at)
        )
    }

    fn unsubscribed(
        self,
        scope: Scope,
        refund: Micros,
        original_order: Option<&str>,
        orders: usize,
    ) -> String {
        let what = match scope {
            Scope::All => "unsubscribed",
            Scope::Future => "periods not yet begun unsubscribed",
        };
        let traced = match (original_order, orders) {
            (None, _) => String::new(),
            (Some(order), ..=1) => format!(" of order {order}"),
            (Some(order), orders) => format!(" of {orders} orders, the oldest {order}"),
        };
        format!("{what}, {} refunded{traced}", self.money(refund))
    }

    fn instant(self, at: Timestamp) -> String {
        self.zone.minute(at)
    }

    fn money(self, amount: Micros) -> String {
        format!("{} {}", dates::amount(amount), self.currency).trim_end().to_owned()
    }
}

/// Why money moved, in words of a language.
pub const fn reason_words(reason: Reason, language: Language) -> &'static str {
    match language {
        Language::English => english_reason(reason),
        Language::Chinese => chinese::balance_reason(reason),
    }
}

const fn english_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Opening => "opening",
        Reason::TopUp => "top-up",
        Reason::Renewal => "renewal",
        Reason::Purchase => "purchase",
        Reason::Refund => "refund",
        Reason::Upgrade => "upgrade",
        Reason::Adjustment => "adjustment",
    }
}

/// An amount with its sign, also when that is plus.
pub fn signed(amount: Micros) -> String {
    let sign = if amount < Micros::ZERO { "" } else { "+" };
    format!("{sign}{}", dates::amount(amount))
}

fn installed(policy: &str, digest: &str, before: Option<&str>, mode: &str, by: &str) -> String {
    let version = match before {
        Some(before) if before == digest => format!("bound otherwise, version {}", short(digest)),
        Some(before) => format!("now in version {}, before {}", short(digest), short(before)),
        None => format!("installed in version {}", short(digest)),
    };
    format!("policy {policy} {version}, {mode}, by {by}")
}

/// The beginning of a digest.
/// Who has something asked again, or what.
fn reason_asked(released_by: &Option<String>) -> String {
    released_by.as_ref().map_or_else(|| ": the plugin answers".to_owned(), |by| format!(", released by {by}"))
}

fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}

fn stage_changed(from: Stage, to: Stage) -> String {
    let what = match to {
        Stage::Active => "active again",
        Stage::Grace => "expired, still serving: grace begins",
        Stage::Retention => "stopped, its data kept: retention begins",
        Stage::Released => "released, with whatever it held",
        Stage::Unsubscribed => "unsubscribed",
        Stage::Converted => "converted to pay-per-use",
    };
    format!("{what} (was {})", from.name())
}

/// Why an approval expired, in words.
pub fn expiry_words(reason: ExpiryReason) -> &'static str {
    match reason {
        ExpiryReason::Undecided => "nobody decided in time",
        ExpiryReason::Ended => "the resource has ended",
        ExpiryReason::ExpiryMoved => "the resource has another expiry",
        ExpiryReason::AutoRenewOff => "auto-renew is off",
        ExpiryReason::OrderClosed => "the order does not wait to be paid any more",
    }
}

fn again(will_retry: bool) -> &'static str {
    if will_retry { "" } else { "; not requested again for this period" }
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}
