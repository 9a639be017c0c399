//! Carrying out a plan: how it meets the money, what changes, and what there is to write down.
//!
//! Knows prices, holds and what each operation does to a resource. A plan is carried out whole or not at all. Nothing
//! here is written anywhere: the caller stores what [`carry`] returns in one transaction.

use crate::attempt::Attempt;
use crate::attempt::Key;
use crate::attempt::State;
use crate::bundle::Bundle;
use crate::bundle::OnExpiry;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::event::Event;
use crate::event::Happened;
use crate::ledger::Balance;
use crate::ledger::Book;
use crate::ledger::Entry;
use crate::ledger::Reason;
use crate::ledger::Shortfall;
use crate::micros::Micros;
use crate::order;
use crate::order::Order;
use crate::plan::AutoRenewal;
use crate::plan::Buying;
use crate::plan::Cause;
use crate::plan::Ending;
use crate::plan::Extension;
use crate::plan::Operation;
use crate::plan::Plan;
use crate::plan::Scope;
use crate::timestamp::Timestamp;

/// What a plan is carried out for.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// When.
    pub at: Timestamp,
    /// The member that was named, by place.
    pub named: usize,
    /// Who asked.
    pub cause: Cause,
    /// The orders that the question came with.
    pub orders: &'a [Order],
    /// The id of a package that is bought now.
    pub new_id: &'a str,
}

/// What carrying a plan out left to write down. The bundle and the balance have changed already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// How the money moved.
    pub entries: Vec<Entry>,
    /// The attempt, if anything was extended.
    pub attempt: Option<Attempt>,
    /// Periods that are paid for now.
    pub orders: Vec<Order>,
    /// The ids and members of orders that are refunded now.
    pub refunded: Vec<(String, usize)>,
    /// Packages that were bought.
    pub bought: Vec<Resource>,
    /// Packages to buy later, like the member at this place.
    pub deferred: Vec<(usize, Buying)>,
}

/// What a step costs at `at`: an extension, or a purchase whose time has come.
pub fn step_cost(operation: &Operation, member: &Resource, at: Timestamp) -> Micros {
    match operation {
        Operation::Extend(extension) => extension_cost(extension, member),
        Operation::Buy(buying) if buying.pay_at <= at => member.price.unwrap_or_default(),
        Operation::Buy(_)
        | Operation::SetOnExpiry(_)
        | Operation::SetAutoRenew(_)
        | Operation::EndSubscription(_)
        | Operation::SetAttribute(..) => Micros::ZERO,
    }
}

/// What a plan costs at `at`.
pub fn cost(plan: &Plan, bundle: &Bundle, at: Timestamp) -> Micros {
    plan.steps.iter().map(|step| step_cost(&step.operation, &bundle.members[step.member], at)).sum()
}

/// What extending one member costs: its price, pro rata by months.
pub fn extension_cost(extension: &Extension, member: &Resource) -> Micros {
    match (member.price, member.term) {
        (Some(price), Some(term)) => extension.term.price(price, term, extension.extra_days),
        (None, _) | (_, None) => Micros::ZERO,
    }
}

/// The key of the attempt that a plan's extensions are: that of the member named or, if the plan leaves that one
/// alone, of the first one extended. `None` when nothing is extended.
pub fn attempt_key(plan: &Plan, bundle: &Bundle, named: usize) -> Option<Key> {
    let extensions = plan.steps.iter().filter_map(|step| match &step.operation {
        Operation::Extend(extension) => Some((step.member, extension)),
        Operation::SetOnExpiry(_)
        | Operation::SetAutoRenew(_)
        | Operation::EndSubscription(_)
        | Operation::Buy(_)
        | Operation::SetAttribute(..) => None,
    });
    let (member, extension) = extensions.min_by_key(|(member, _)| *member != named)?;
    let resource = &bundle.members[member];
    let expires_before = resource.expires_at?;
    Some(Key { resource: resource.id.clone(), expires_before, term: extension.term })
}

/// Carries `plan` out, which [`crate::plan::check`] has found to make sense.
///
/// # Errors
///
/// [`Shortfall`] when the balance does not cover what it costs; nothing has changed then.
pub fn carry(
    plan: &Plan,
    bundle: &mut Bundle,
    balance: &mut Balance,
    occasion: &Occasion<'_>,
) -> Result<Carried, Shortfall> {
    let cost = cost(plan, bundle, occasion.at);
    let hold = balance.hold(cost)?;
    let mut carried = Carried::default();
    if let Some(key) = attempt_key(plan, bundle, occasion.named) {
        carried.attempt = Some(Attempt { key, state: State::settled_here(), at: occasion.at });
    }
    balance.post(hold);
    let named = bundle.members[occasion.named].id.clone();
    if cost > Micros::ZERO {
        let (reason, reference) = match &carried.attempt {
            Some(attempt) => (Reason::Renewal, attempt.key.to_string()),
            None => (Reason::Purchase, order::purchase_id(occasion.new_id)),
        };
        carried.entries.push(Entry {
            at: occasion.at,
            from: Book::Cash,
            to: Book::Spent,
            amount: cost,
            reason,
            resource: Some(named.clone()),
            reference: Some(reference),
        });
        carried.events.push(balance_changed(occasion.at, &named, -cost, balance, reason));
    }
    let mut refunded = Micros::ZERO;
    for step in &plan.steps {
        let member = &mut bundle.members[step.member];
        match &step.operation {
            Operation::Extend(extension) => {
                extend(extension, member, step.member, &named, occasion, &mut carried)
            }
            Operation::SetOnExpiry(on_expiry) => {
                set_on_expiry(*on_expiry, member, occasion.at, &mut carried.events)
            }
            Operation::SetAutoRenew(auto) => set_auto_renew(auto, member, occasion.at, &mut carried.events),
            Operation::EndSubscription(ending) => {
                refunded += end(ending, member, step.member, occasion, &mut carried);
            }
            Operation::Buy(buying) => buy(buying, member, step.member, occasion, &mut carried),
            Operation::SetAttribute(name, value) => {
                let before = member.attributes.insert(name.clone(), value.clone());
                if before.as_ref() != Some(value) {
                    carried.events.push(setting_changed(occasion.at, &member.id, name, Some(value.clone())));
                }
            }
        }
    }
    if refunded > Micros::ZERO {
        balance.credit(refunded);
        carried.events.push(balance_changed(occasion.at, &named, refunded, balance, Reason::Refund));
    }
    Ok(carried)
}

fn extend(
    extension: &Extension,
    member: &mut Resource,
    place: usize,
    named: &str,
    occasion: &Occasion<'_>,
    carried: &mut Carried,
) {
    let cost = extension_cost(extension, member);
    let attempt = carried.attempt.as_ref().map(|attempt| attempt.key.to_string()).unwrap_or_default();
    let expires_before = member.expires_at.expect("a plan that was checked extends what expires");
    carried.orders.push(Order {
        id: attempt.clone(),
        member: place,
        starts_at: expires_before,
        ends_at: extension.expires_at,
        paid: cost,
        paid_at: occasion.at,
        is_renewal: true,
    });
    member.expires_at = Some(extension.expires_at);
    member.anchor_day = extension.anchor_day.or(member.anchor_day);
    let what = Happened::RenewalSettled {
        cost,
        expires_before,
        expires_at: extension.expires_at,
        term: extension.term,
        extra_days: extension.extra_days,
        cause: occasion.cause,
        primary: (place != occasion.named).then(|| named.to_owned()),
        attempt,
    };
    carried.events.push(Event { at: occasion.at, resource: Some(member.id.clone()), what });
    // Renewed late, after an outage of the host: the period paid for has begun, and with it the quota that no timeline
    // can tell of any more.
    if expires_before <= occasion.at
        && let Some(package) = member.package.as_mut().filter(|package| package.used > Micros::ZERO)
    {
        package.used = Micros::ZERO;
        let what = Happened::PackageRefilled { left: package.quota };
        carried.events.push(Event { at: occasion.at, resource: Some(member.id.clone()), what });
    }
    let is_back = extension.expires_at > occasion.at && member.stage != Stage::Active;
    if is_back {
        let from = std::mem::replace(&mut member.stage, Stage::Active);
        let what = Happened::StageChanged { from, to: Stage::Active };
        carried.events.push(Event { at: occasion.at, resource: Some(member.id.clone()), what });
    }
    if occasion.cause == Cause::Auto {
        count_renewal(member, occasion.at, &mut carried.events);
    }
}

/// One automatic renewal less is allowed; after the last one auto-renew is off.
fn count_renewal(member: &mut Resource, at: Timestamp, events: &mut Vec<Event>) {
    let Some(left) = member.renewals_left.filter(|_| member.on_expiry == OnExpiry::Renew) else { return };
    let left = left.saturating_sub(1);
    member.renewals_left = Some(left);
    events.push(setting_changed(at, &member.id, "renewals_left", Some(left.to_string())));
    if left == 0 {
        set_on_expiry(OnExpiry::Lapse, member, at, events);
    }
}

fn set_on_expiry(on_expiry: OnExpiry, member: &mut Resource, at: Timestamp, events: &mut Vec<Event>) {
    if std::mem::replace(&mut member.on_expiry, on_expiry) != on_expiry {
        events.push(setting_changed(at, &member.id, "on_expiry", Some(on_expiry.name().to_owned())));
    }
}

fn set_auto_renew(auto: &AutoRenewal, member: &mut Resource, at: Timestamp, events: &mut Vec<Event>) {
    let on_expiry = if auto.renewals == Some(0) { OnExpiry::Lapse } else { OnExpiry::Renew };
    set_on_expiry(on_expiry, member, at, events);
    if std::mem::replace(&mut member.renewal_term, auto.term) != auto.term {
        let value = auto.term.map(|term| term.to_string());
        events.push(setting_changed(at, &member.id, "renewal_term", value));
    }
    if std::mem::replace(&mut member.renewals_left, auto.renewals) != auto.renewals {
        let value = auto.renewals.map(|renewals| renewals.to_string());
        events.push(setting_changed(at, &member.id, "renewals_left", value));
    }
}

/// Ends a member's subscription and returns what comes back for it.
fn end(
    ending: &Ending,
    member: &mut Resource,
    place: usize,
    occasion: &Occasion<'_>,
    carried: &mut Carried,
) -> Micros {
    let mut refunds = Vec::new();
    for refund in &ending.refunds {
        let order = &occasion.orders[refund.order];
        carried.refunded.push((order.id.clone(), place));
        // Money is traced to the orders it comes from: one whose period is over gives nothing.
        if refund.amount > Micros::ZERO {
            refunds.push((order.id.clone(), refund.amount));
            carried.entries.push(Entry {
                at: occasion.at,
                from: Book::Spent,
                to: Book::Cash,
                amount: refund.amount,
                reason: Reason::Refund,
                resource: Some(member.id.clone()),
                reference: Some(order.id.clone()),
            });
        }
    }
    let refund = refunds.iter().map(|(_, amount)| *amount).sum();
    // Where nothing comes back, the newest order is the one that ends.
    let ended = || ending.refunds.last().map(|refund| occasion.orders[refund.order].id.clone());
    let original_order = refunds.first().map(|(order, _)| order.clone()).or_else(ended);
    let what = Happened::Unsubscribed {
        scope: ending.scope,
        expires_at: ending.expires_at,
        refund,
        original_order,
        refunds,
    };
    carried.events.push(Event { at: occasion.at, resource: Some(member.id.clone()), what });
    match ending.scope {
        Scope::Future => member.expires_at = ending.expires_at,
        Scope::All => {
            let from = std::mem::replace(&mut member.stage, Stage::Unsubscribed);
            member.on_expiry = OnExpiry::Lapse;
            let what = Happened::StageChanged { from, to: Stage::Unsubscribed };
            carried.events.push(Event { at: occasion.at, resource: Some(member.id.clone()), what });
        }
    }
    refund
}

fn buy(buying: &Buying, like: &Resource, place: usize, occasion: &Occasion<'_>, carried: &mut Carried) {
    if buying.pay_at > occasion.at {
        carried.deferred.push((place, *buying));
        let what = Happened::PackageOrdered { pay_at: buying.pay_at, effective_at: buying.effective_at };
        carried.events.push(Event { at: occasion.at, resource: Some(like.id.clone()), what });
        return;
    }
    let mut bought = like.clone();
    bought.id = occasion.new_id.to_owned();
    bought.attached_to = None;
    bought.stage = Stage::Active;
    bought.on_expiry = OnExpiry::Lapse;
    (bought.renewals_left, bought.renewal_term) = (None, None);
    bought.started_at = buying.effective_at;
    bought.expires_at = Some(buying.expires_at);
    bought.anchor_day = Some(buying.anchor_day);
    let quota = bought.package.as_mut().map(|package| {
        (package.used, package.bought_at) = (Micros::ZERO, occasion.at);
        package.quota
    });
    let what = Happened::PackageBought {
        effective_at: buying.effective_at,
        expires_at: buying.expires_at,
        quota: quota.unwrap_or_default(),
        cost: like.price.unwrap_or_default(),
        like: like.id.clone(),
    };
    carried.events.push(Event { at: occasion.at, resource: Some(bought.id.clone()), what });
    carried.bought.push(bought);
}

fn setting_changed(at: Timestamp, resource: &str, setting: &str, value: Option<String>) -> Event {
    let what = Happened::SettingChanged { setting: setting.to_owned(), value };
    Event { at, resource: Some(resource.to_owned()), what }
}

/// The account's balance changed by `amount` because of `resource`.
pub fn balance_changed(
    at: Timestamp,
    resource: &str,
    amount: Micros,
    balance: &Balance,
    reason: Reason,
) -> Event {
    let what = Happened::BalanceChanged { amount, balance: balance.available(), reason };
    Event { at, resource: Some(resource.to_owned()), what }
}

#[cfg(test)]
mod tests;
