//! Applies a plan: pays for it, changes the bundle, and returns the events and ledger entries to store.
//!
//! Knows prices, holds and what each operation does to a resource. A plan is applied whole or not at all. Nothing
//! here is written anywhere: the caller stores what [`apply`] returns in one transaction.

mod ending;
mod ordering;
mod pricing;

use crate::attempt::Attempt;
use crate::attempt::State;
use crate::bundle::Bundle;
use crate::bundle::OnExpiry;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::event::Event;
use crate::event::EventKind;
use crate::index::MemberIndex;
use crate::ledger::Balance;
use crate::ledger::Book;
use crate::ledger::Entry;
use crate::ledger::Reason;
use crate::ledger::Shortfall;
use crate::micros::Micros;
use crate::order;
use crate::order::Order;
use crate::order::OrderKind;
use crate::order::OrderState;
use crate::order::PaidPeriod;
use crate::order::Undo;
use crate::plan::AutoRenewal;
use crate::plan::Cause;
use crate::plan::Command;
use crate::plan::Extension;
use crate::plan::Operation;
use crate::plan::Plan;
use crate::plan::PurchaseDetails;
use crate::timestamp::Timestamp;
use crate::unpaid_order::UnpaidOrder;

pub use ordering::close_order;
use ordering::order_kind;
pub use ordering::own_order_id;
pub use pricing::attempt_id;
pub use pricing::cost;
pub(crate) use pricing::extension_cost;
pub use pricing::is_unquoted;
pub use pricing::net_cost;
pub use pricing::step_cost;
pub use pricing::step_refund;

/// The context in which a plan is applied.
#[derive(Clone, Copy, Debug)]
pub struct ExecutionContext<'a> {
    /// The instant at which it is applied.
    pub at: Timestamp,
    /// The member that was named.
    pub named: MemberIndex,
    /// The command that the plan answers.
    pub command: &'a Command,
    /// The orders that the plugin saw when it made the plan.
    pub orders: &'a [Order],
    /// The id of a package that is bought now.
    pub new_id: &'a str,
    /// The id of an order of its own that the plan makes: see [`own_order_id`].
    pub order_id: &'a str,
    /// The order that is paid now; `None` when the plan does not come from one.
    pub paying: Option<&'a UnpaidOrder>,
}

/// What carrying a plan out left to write down. The bundle and the balance have changed already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanEffects {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// How the money moved, in order.
    pub entries: Vec<Entry>,
    /// The attempt, if anything was extended.
    pub attempt: Option<Attempt>,
    /// Periods that are paid for now.
    pub orders: Vec<Order>,
    /// The periods that are given back now.
    pub refunded: Vec<RefundedPeriod>,
    /// An order that waits to be paid from now on.
    pub placed: Option<UnpaidOrder>,
    /// An order that waited and is paid now: `orders` are its periods.
    pub paid: Option<UnpaidOrder>,
    /// An order that waited and is not paid any more, with where it is now.
    pub closed: Option<(UnpaidOrder, OrderState)>,
    /// Packages that were bought.
    pub bought: Vec<Resource>,
    /// Packages to buy later, each like this member.
    pub deferred: Vec<(MemberIndex, PurchaseDetails)>,
}

/// A period that is given back, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundedPeriod {
    /// The member whose period is given back.
    pub member: MemberIndex,
    /// The paid period and its order.
    pub period: PaidPeriod,
    /// The money that comes back for it.
    pub amount: Micros,
    /// What is kept of it as a handling fee.
    pub fee: Micros,
}

/// Carries `plan` out, which [`crate::plan::check`] has found to make sense; or makes the order for it, which waits to be
/// paid. An order that costs nothing does not wait.
///
/// # Errors
///
/// [`Shortfall`] when the balance does not cover what it costs; nothing has changed then.
pub fn apply(
    plan: &Plan,
    bundle: &mut Bundle,
    balance: &mut Balance,
    context: &ExecutionContext<'_>,
) -> Result<PlanEffects, Shortfall> {
    let cost = cost(plan, bundle, context.at);
    if let Some(pay_until) = plan.pay_until.filter(|_| context.paying.is_none() && cost > Micros::ZERO) {
        return Ok(ordering::place(plan, pay_until, bundle, context));
    }
    let hold = balance.hold(cost)?;
    let mut effects = PlanEffects::default();
    if let Some(id) = attempt_id(plan, bundle, context.named) {
        effects.attempt = Some(Attempt { id, state: State::settled_here(), at: context.at });
    }
    balance.post(hold);
    let named = bundle[context.named].id.clone();
    ordering::record_order(plan, cost, bundle, context, &mut effects);
    if cost > Micros::ZERO {
        let kind = order_kind(plan, bundle);
        pay(cost, kind, &named, balance, context, &mut effects);
    }
    let mut refunded = Micros::ZERO;
    for step in &plan.steps {
        refunded += step_refund(&step.operation);
        let member = &mut bundle[step.member];
        match &step.operation {
            Operation::Extend(extension) => {
                extend(extension, member, step.member, &named, context, &mut effects)
            }
            Operation::SetOnExpiry(on_expiry) => {
                set_on_expiry(*on_expiry, member, context.at, &mut effects.events)
            }
            Operation::SetAutoRenew(auto) => set_auto_renew(auto, member, context.at, &mut effects.events),
            Operation::EndSubscription(cancellation) => {
                ending::end(cancellation, member, step.member, context, &mut effects);
            }
            Operation::Convert(refunds) => {
                ending::convert(refunds, member, step.member, context, &mut effects);
            }
            Operation::Buy(details) => buy(details, member, step.member, context, &mut effects),
            Operation::ChangeSpecification(specification) => {
                ordering::change(specification, member, step.member, context, &mut effects);
            }
            Operation::Subscribe(subscription) => {
                ordering::subscribe(subscription, member, step.member, context, &mut effects);
            }
            Operation::SetAttribute(name, value) => {
                set_attribute(name, value, member, context.at, &mut effects.events);
            }
        }
    }
    if refunded > Micros::ZERO {
        balance.credit(refunded);
        effects.events.push(balance_changed(context.at, &named, refunded, balance, Reason::Refund));
    }
    Ok(effects)
}

/// Writes down that `cost` is spent on a plan whose order is of this kind.
fn pay(
    cost: Micros,
    kind: Option<OrderKind>,
    named: &str,
    balance: &Balance,
    context: &ExecutionContext<'_>,
    effects: &mut PlanEffects,
) {
    let (reason, reference) = match (&effects.attempt, kind) {
        (Some(attempt), _) => (Reason::Renewal, attempt.id.to_string()),
        (None, Some(OrderKind::Upgrade | OrderKind::Downgrade)) => {
            (Reason::Upgrade, ordering::id_of(context).to_owned())
        }
        (None, Some(OrderKind::Purchase | OrderKind::Renewal)) => {
            (Reason::Purchase, ordering::id_of(context).to_owned())
        }
        (None, None) => (Reason::Purchase, order::purchase_id(context.new_id)),
    };
    effects.entries.push(Entry {
        at: context.at,
        from: Book::Cash,
        to: Book::Spent,
        amount: cost,
        reason,
        resource: Some(named.to_owned()),
        reference: Some(reference),
    });
    effects.events.push(balance_changed(context.at, named, -cost, balance, reason));
}

fn set_attribute(name: &str, value: &str, member: &mut Resource, at: Timestamp, events: &mut Vec<Event>) {
    let before = member.attributes.insert(name.to_owned(), value.to_owned());
    if before.as_deref() != Some(value) {
        events.push(setting_changed(at, &member.id, name, Some(value.to_owned())));
    }
}

fn extend(
    extension: &Extension,
    member: &mut Resource,
    index: MemberIndex,
    named: &str,
    context: &ExecutionContext<'_>,
    effects: &mut PlanEffects,
) {
    let cost = extension_cost(extension, member);
    let attempt = effects.attempt.as_ref().map(|attempt| attempt.id.to_string()).unwrap_or_default();
    let expires_before = member.expires_at.expect("a plan that was checked extends what expires");
    let anchor_day = extension.anchor_day.or(member.anchor_day);
    let mut undo = Undo { anchor_day: member.anchor_day, ..Undo::default() };
    member.expires_at = Some(extension.expires_at);
    member.anchor_day = anchor_day;
    let what = EventKind::RenewalSettled {
        cost,
        expires_before,
        expires_at: extension.expires_at,
        term: extension.term,
        extra_days: extension.extra_days,
        cause: context.command.cause(),
        primary: (index != context.named).then(|| named.to_owned()),
        attempt: attempt.clone(),
    };
    effects.events.push(Event { at: context.at, resource: Some(member.id.clone()), what });
    // Renewed late, after an outage of the host: the period paid for has begun, and with it the quota that no timeline
    // can tell of any more.
    if expires_before <= context.at
        && let Some(package) = member.package.as_mut().filter(|package| package.used > Micros::ZERO)
    {
        package.used = Micros::ZERO;
        let what = EventKind::PackageRefilled { left: package.quota };
        effects.events.push(Event { at: context.at, resource: Some(member.id.clone()), what });
    }
    let is_back = extension.expires_at > context.at && member.stage != Stage::Active;
    if is_back {
        let from = std::mem::replace(&mut member.stage, Stage::Active);
        let what = EventKind::StageChanged { from, to: Stage::Active };
        effects.events.push(Event { at: context.at, resource: Some(member.id.clone()), what });
    }
    if context.command.cause() == Cause::Auto {
        count_renewal(member, context.at, &mut undo, &mut effects.events);
    }
    effects.orders.push(Order {
        id: context.paying.map_or(attempt, |order| order.id.clone()),
        member: index,
        kind: OrderKind::Renewal,
        starts_at: expires_before,
        ends_at: extension.expires_at,
        paid: cost,
        paid_at: context.at,
        reduces: None,
        undo,
    });
}

/// One automatic renewal less is allowed; after the last one auto-renew is off. `undo` learns how it was before.
pub fn count_renewal(member: &mut Resource, at: Timestamp, undo: &mut Undo, events: &mut Vec<Event>) {
    let Some(before) = member.renewals_left.filter(|_| member.on_expiry == OnExpiry::Renew) else { return };
    let left = before.saturating_sub(1);
    member.renewals_left = Some(left);
    (undo.renewals_left, undo.ended_auto_renew) = (Some(before), left == 0);
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

fn buy(
    details: &PurchaseDetails,
    like: &Resource,
    index: MemberIndex,
    context: &ExecutionContext<'_>,
    effects: &mut PlanEffects,
) {
    if details.pay_at > context.at {
        effects.deferred.push((index, *details));
        let what = EventKind::PackageOrdered { pay_at: details.pay_at, effective_at: details.effective_at };
        effects.events.push(Event { at: context.at, resource: Some(like.id.clone()), what });
        return;
    }
    let mut bought = like.clone();
    bought.id = context.new_id.to_owned();
    bought.attached_to = None;
    bought.stage = Stage::Active;
    bought.on_expiry = OnExpiry::Lapse;
    (bought.renewals_left, bought.renewal_term) = (None, None);
    bought.started_at = details.effective_at;
    bought.expires_at = Some(details.expires_at);
    bought.anchor_day = Some(details.anchor_day);
    let quota = bought.package.as_mut().map(|package| {
        (package.used, package.bought_at) = (Micros::ZERO, context.at);
        package.quota
    });
    let what = EventKind::PackageBought {
        effective_at: details.effective_at,
        expires_at: details.expires_at,
        quota: quota.unwrap_or_default(),
        cost: like.price.unwrap_or_default(),
        like: like.id.clone(),
    };
    effects.events.push(Event { at: context.at, resource: Some(bought.id.clone()), what });
    effects.bought.push(bought);
}

fn setting_changed(at: Timestamp, resource: &str, setting: &str, value: Option<String>) -> Event {
    let what = EventKind::SettingChanged { setting: setting.to_owned(), value };
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
    let what = EventKind::BalanceChanged { amount, balance: balance.available(), reason };
    Event { at, resource: Some(resource.to_owned()), what }
}

#[cfg(test)]
mod tests;
