//! Short ways to write the bundles, instants and events of this crate's tests.

use crate::bundle::Bundle;
use crate::bundle::Charging;
use crate::bundle::Package;
use crate::bundle::Resource;
use crate::event::Event;
use crate::event::EventKind;
use crate::index::MemberIndex;
use crate::micros::Micros;
use crate::term::Term;
use crate::term::TermUnit;
use crate::timestamp::Timestamp;

/// The instant written as `2026-02-28` (midnight UTC) or `2026-02-28T15:59:59`.
pub fn at(text: &str) -> Timestamp {
    let time = if text.contains('T') { "" } else { "T00:00:00" };
    format!("{text}{time}Z").parse().unwrap()
}

/// An amount, such as `12.5`.
pub fn money(text: &str) -> Micros {
    text.parse().unwrap()
}

pub fn days(count: u32) -> Term {
    Term::new(count, TermUnit::Day).unwrap()
}

pub fn months(count: u32) -> Term {
    Term::new(count, TermUnit::Month).unwrap()
}

pub fn years(count: u32) -> Term {
    Term::new(count, TermUnit::Year).unwrap()
}

/// A prepaid resource of 30.00 a month that expires on 10 March 2026.
pub fn resource(id: &str) -> Resource {
    Resource {
        id: id.to_owned(),
        kind: "ecs".to_owned(),
        region: "cn".to_owned(),
        started_at: at("2026-01-10"),
        expires_at: Some(at("2026-03-10")),
        anchor_day: Some(10),
        term: Some(months(1)),
        price: Some(money("30")),
        ..Resource::default()
    }
}

/// The same, attached to the primary.
pub fn attached(id: &str) -> Resource {
    Resource { attached_to: Some(MemberIndex::new(0)), ..resource(id) }
}

/// A package of 100 hours, of which 40 are used.
pub fn package(id: &str) -> Resource {
    let package = Package {
        quota: money("100"),
        used: money("40"),
        unit: "hour".to_owned(),
        resource_type: "cci".to_owned(),
        bought_at: at("2026-01-10"),
    };
    Resource { package: Some(package), ..resource(id) }
}

pub fn postpaid(id: &str) -> Resource {
    Resource {
        charging: Charging::Postpaid,
        expires_at: None,
        anchor_day: None,
        term: None,
        price: None,
        ..resource(id)
    }
}

pub fn bundle(members: impl IntoIterator<Item = Resource>) -> Bundle {
    Bundle { members: members.into_iter().collect() }
}

/// Events, one a line.
pub fn show(events: &[Event]) -> String {
    let line = |event: &Event| {
        format!("{} {:8} {}\n", event.at, event.resource.as_deref().unwrap_or("-"), describe(&event.what))
    };
    events.iter().map(line).collect()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what no rule here leads to is printed as it is")]
fn describe(what: &EventKind) -> String {
    match what {
        EventKind::StageChanged { from, to } => format!("{} -> {}", from.name(), to.name()),
        EventKind::RenewalSettled {
            cost, expires_before, expires_at, term, cause, primary, attempt, ..
        } => {
            let along = primary.as_ref().map(|primary| format!(" along with {primary}")).unwrap_or_default();
            format!(
                "renewed for {term} ({cost}, {}){along}: {expires_before} -> {expires_at} as {attempt}",
                cause.name()
            )
        }
        EventKind::SettingChanged { setting, value } => {
            format!("{setting} = {}", value.as_deref().unwrap_or("nothing"))
        }
        EventKind::BalanceChanged { amount, balance, reason } => {
            format!("balance {amount} to {balance} ({})", reason.name())
        }
        EventKind::Unsubscribed { scope, refund, refunds, .. } => {
            let refunds = refunds.iter().map(|(order, amount)| format!(" {order}={amount}"));
            format!("unsubscribed {} for {refund}:{}", scope.name(), refunds.collect::<String>())
        }
        EventKind::PackageOrdered { pay_at, effective_at } => {
            format!("ordered, to be paid {pay_at}, from {effective_at}")
        }
        EventKind::PackageBought { effective_at, expires_at, quota, cost, like } => {
            format!("bought like {like}: {quota} for {cost}, {effective_at} to {expires_at}")
        }
        EventKind::Notice { notice } => format!("notice {notice}"),
        EventKind::PackageRefilled { left } => format!("refilled to {left}"),
        EventKind::Converted => "converted".to_owned(),
        EventKind::OrderCreated { order, kind, cost, pay_until } => {
            let waits = pay_until.map(|until| format!(", to be paid by {until}")).unwrap_or_default();
            format!("order {order} made ({}, {cost}){waits}", kind.name())
        }
        EventKind::OrderPaid { order, kind, cost, refunds } => {
            let refunds = refunds.iter().map(|(order, amount)| format!(" {order}={amount}"));
            format!("order {order} paid ({}, {cost}){}", kind.name(), refunds.collect::<String>())
        }
        EventKind::OrderCancelled { order, kind, cost } => {
            format!("order {order} cancelled ({}, {cost})", kind.name())
        }
        EventKind::OrderExpired { order, kind, cost } => {
            format!("order {order} expired ({}, {cost})", kind.name())
        }
        other => format!("{other:?}"),
    }
}
