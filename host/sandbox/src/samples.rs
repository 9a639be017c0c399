//! Bundles to ask any plugin about: every kind, in every stage, with everything that can be set to happen on its expiry,
//! alone and attached; and every command.
//!
//! Knows a plugin's manifest, and nothing of its rules.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Charging;
use perennial_domain::bundle::OnExpiry;
use perennial_domain::bundle::Package;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Balance;
use perennial_domain::manifest::Kind;
use perennial_domain::manifest::Manifest;
use perennial_domain::micros::Micros;
use perennial_domain::plan::AutoRenewal;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Change;
use perennial_domain::plan::Command;
use perennial_domain::plan::Purchase;
use perennial_domain::plan::Renewal;
use perennial_domain::plan::Scope;
use perennial_domain::plan::Subscribe;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use perennial_domain::usage::Consumption;
use perennial_domain::usage::Offer;

/// When every sample expires: 2026-03-31T15:59:59Z, the last second of a month in UTC+8, in a month of 31 days.
const EXPIRY: Timestamp = Timestamp::from_second(1_774_972_799);
/// Seconds of a day.
const DAY: i64 = 86_400;
/// What a month costs.
const PRICE: Micros = Micros::new(100_000_000);
/// A term of one month.
const MONTH: Term = Term { count: NonZeroU32::MIN, unit: TermUnit::Month };

/// What may happen to an active resource on its expiry.
const ENDINGS: [OnExpiry; 4] = [OnExpiry::Renew, OnExpiry::Lapse, OnExpiry::Convert, OnExpiry::Release];

/// An account that sets nothing.
pub fn account(manifest: &Manifest) -> Account {
    Account {
        id: "account".to_owned(),
        provider: manifest.id.clone(),
        mode: Mode::Managed,
        currency: "CNY".to_owned(),
        balance: Balance::new(PRICE, Micros::ZERO),
        settings: BTreeMap::new(),
        approval_above: None,
        budget: None,
    }
}

/// When a timeline is asked for: long before the expiry, around it, and long after everything should be over.
pub fn instants() -> [Timestamp; 6] {
    [-400 * DAY, -10 * DAY, -1, 0, DAY / 2, 400 * DAY].map(|seconds| EXPIRY + seconds)
}

/// When a command is sent: before the expiries, between those of a bundle with two, and after both.
pub fn command_instants() -> impl Iterator<Item = Timestamp> {
    [EXPIRY + -20 * DAY, EXPIRY + -10 * DAY, EXPIRY + 60].into_iter()
}

/// Whether each member is in the stage that it has then: a host does what is due before it asks about a command.
pub fn is_up_to_date(bundle: &Bundle, at: Timestamp) -> bool {
    bundle.members.iter().all(|member| match (member.stage, member.expires_at) {
        (Stage::Active, Some(expires_at)) => at < expires_at,
        (Stage::Grace | Stage::Retention, Some(expires_at)) => at >= expires_at,
        (Stage::Released | Stage::Unsubscribed | Stage::Converted, _) | (_, None) => true,
    })
}

/// Every bundle that a plugin is asked about.
pub fn bundles(manifest: &Manifest) -> Vec<Bundle> {
    let mut bundles = Vec::new();
    for (name, kind) in &manifest.kinds {
        let leader = kind.attaches_to.iter().find_map(|to| Some((to.as_str(), manifest.kinds.get(to)?)));
        for (stage, on_expiry) in states(kind) {
            let resource = resource(manifest, (name, kind), "sample", stage, on_expiry);
            bundles.push(Bundle { members: vec![resource.clone()] });
            let Some(leader) = leader else { continue };
            let primary = self::resource(manifest, leader, "primary", Stage::Active, OnExpiry::Renew);
            let attached = Resource { attached_to: Some(MemberIndex::PRIMARY), ..resource };
            let early = attached.expires_at.map(|at| at + -12 * DAY);
            let early = Resource { expires_at: early, ..attached.clone() };
            bundles.push(Bundle { members: vec![primary.clone(), attached] });
            bundles.push(Bundle { members: vec![primary, anchored(early, manifest)] });
        }
    }
    bundles
}

/// Every stage, with everything that can be set in it.
fn states(kind: &Kind) -> Vec<(Stage, OnExpiry)> {
    let active = ENDINGS.into_iter().filter(|ending| !kind.is_package || *ending != OnExpiry::Convert);
    let late = [Stage::Grace, Stage::Retention].into_iter();
    let late = late.flat_map(|stage| [OnExpiry::Renew, OnExpiry::Lapse].map(|ending| (stage, ending)));
    let over = [Stage::Released, Stage::Unsubscribed, Stage::Converted].map(|stage| (stage, OnExpiry::Lapse));
    active.map(|ending| (Stage::Active, ending)).chain(late).chain(over).collect()
}

fn resource(
    manifest: &Manifest,
    (name, kind): (&str, &Kind),
    id: &str,
    stage: Stage,
    on_expiry: OnExpiry,
) -> Resource {
    let term =
        kind.terms.iter().find(|term| **term == MONTH).or(kind.terms.first()).copied().unwrap_or(MONTH);
    let started_at = EXPIRY + -400 * DAY;
    let package = kind.is_package.then(|| Package {
        quota: PRICE,
        used: Micros::ZERO,
        unit: "GB".to_owned(),
        resource_type: "traffic".to_owned(),
        bought_at: started_at,
    });
    let resource = Resource {
        id: id.to_owned(),
        kind: name.to_owned(),
        region: "region".to_owned(),
        charging: Charging::Prepaid,
        stage,
        started_at,
        expires_at: Some(EXPIRY),
        anchor_day: None,
        term: Some(term),
        price: Some(PRICE),
        on_expiry,
        renewals_left: None,
        renewal_term: None,
        attached_to: None,
        has_unpaid_order: false,
        package,
        attributes: BTreeMap::new(),
        tags: BTreeMap::new(),
    };
    match stage == Stage::Converted {
        true => pay_per_use(resource),
        false => anchored(resource, manifest),
    }
}

/// The same as a host has it that became pay-per-use.
fn pay_per_use(resource: Resource) -> Resource {
    Resource { charging: Charging::Postpaid, expires_at: None, term: None, price: None, ..resource }
}

/// The same with the day of the month of its expiry, in the provider's days.
fn anchored(resource: Resource, manifest: &Manifest) -> Resource {
    let anchor_day = resource.expires_at.map(|at| at.day_of_month(manifest.utc_offset_minutes));
    Resource { anchor_day, ..resource }
}

/// Uses of packages, of a little, of much and of more than there is; none of a provider without packages.
pub fn consumptions(manifest: &Manifest) -> Vec<Consumption> {
    let members = bundles(manifest).into_iter().flat_map(|bundle| bundle.members);
    let Some(package) = members.filter_map(|member| member.package).next() else { return Vec::new() };
    let offer = |number: i64| Offer {
        id: format!("sample-{number}"),
        package: package.clone(),
        starts_at: EXPIRY + -(60 + number) * DAY,
        expires_at: EXPIRY + (5 - number) * DAY,
    };
    let amounts = [1, package.quota.as_micros() / 2 + 1, package.quota.as_micros().saturating_mul(9)];
    let consumption = |amount| Consumption {
        at: EXPIRY + -10 * DAY,
        resource_type: package.resource_type.clone(),
        amount: Micros::new(amount),
        packages: (0..3).map(offer).collect(),
    };
    amounts.map(consumption).to_vec()
}

/// Every command that a plugin plans; orders that wait to be paid are the host's own.
pub fn commands() -> Vec<Command> {
    let renewal = |term, cause| Command::Renew(Renewal { term, cause, options: BTreeMap::new() });
    let year = Term { unit: TermUnit::Year, ..MONTH };
    let attributes = BTreeMap::from([("size".to_owned(), "large".to_owned())]);
    vec![
        renewal(None, Cause::Auto),
        renewal(None, Cause::Command),
        renewal(Some(MONTH), Cause::Command),
        renewal(Some(year), Cause::Command),
        Command::SetAutoRenew(AutoRenewal { term: None, renewals: Some(2) }),
        Command::CancelAutoRenew,
        Command::Unsubscribe(Scope::All),
        Command::Unsubscribe(Scope::Future),
        Command::ConvertOnExpiry,
        Command::CancelConversion,
        Command::ConvertNow,
        Command::BuyAgain(Purchase { pay_at: None, effective_at: None }),
        Command::Change(Change { attributes, price: PRICE, options: BTreeMap::new() }),
        Command::Subscribe(Subscribe { term: Some(MONTH), price: Some(PRICE), options: BTreeMap::new() }),
    ]
}
