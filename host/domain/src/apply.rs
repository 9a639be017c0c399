//! Applies a plan: pays for it, changes the bundle, and returns the events and ledger entries to store.
//!
//! Knows prices, holds and what each operation does to a resource. A plan is effects out whole or not at all. Nothing
//! here is written anywhere: the caller stores what [`apply`] returns in one transaction.

use crate::attempt::Attempt;
use crate::attempt::Key;
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
use crate::plan::AutoRenewal;
use crate::plan::Cancellation;
use crate::plan::Cause;
use crate::plan::Extension;
use crate::plan::Operation;
use crate::plan::Plan;
use crate::plan::PurchaseDetails;
use crate::plan::Scope;
use crate::timestamp::Timestamp;

/// The context in which a plan is applied.
#[derive(Clone, Copy, Debug)]
pub struct ExecutionContext<'a> {
    /// The instant at which it is applied.
    pub at: Timestamp,
    /// The member that was named.
    pub named: MemberIndex,
    /// The cause: the clock or a command.
    pub cause: Cause,
    /// The orders that the plugin saw when it made the plan.
    pub orders: &'a [Order],
    /// The id of a package that is bought now.
    pub new_id: &'a str,
}

/// What carrying a plan out left to write down. The bundle and the balance have changed already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanEffects {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// How the money moved.
    pub entries: Vec<Entry>,
    /// The attempt, if anything was extended.
    pub attempt: Option<Attempt>,
    /// Periods that are paid for now.
    pub orders: Vec<Order>,
    /// The ids and members of orders that are refunded now.
    pub refunded: Vec<(String, MemberIndex)>,
    /// Packages that were bought.
    pub bought: Vec<Resource>,
    /// Packages to buy later, each like this member.
    pub deferred: Vec<(MemberIndex, PurchaseDetails)>,
}

/// What a step costs at `at`: an extension, or a purchase whose time has come.
pub fn step_cost(operation: &Operation, member: &Resource, at: Timestamp) -> Micros {
    match operation {
        Operation::Extend(extension) => extension_cost(extension, member),
        Operation::Buy(details) if details.pay_at <= at => member.price.unwrap_or_default(),
        Operation::Buy(_)
        | Operation::SetOnExpiry(_)
        | Operation::SetAutoRenew(_)
        | Operation::EndSubscription(_)
        | Operation::SetAttribute(..) => Micros::ZERO,
    }
}

/// What a plan costs at `at`.
pub fn cost(plan: &Plan, bundle: &Bundle, at: Timestamp) -> Micros {
    plan.steps.iter().map(|step| step_cost(&step.operation, &bundle[step.member], at)).sum()
}

/// What extending one member costs: its price, pro rata by months.
pub(crate) fn extension_cost(extension: &Extension, member: &Resource) -> Micros {
    match (member.price, member.term) {
        (Some(price), Some(term)) => extension.term.price(price, term, extension.extra_days),
        (None, _) | (_, None) => Micros::ZERO,
    }
}

/// The key of the attempt that a plan's extensions are: that of the member named or, if the plan leaves that one
/// alone, of the first one extended. `None` when nothing is extended.
pub fn attempt_key(plan: &Plan, bundle: &Bundle, named: MemberIndex) -> Option<Key> {
    let extensions = plan.steps.iter().filter_map(|step| Some((step.member, step.operation.as_extend()?)));
    let (member, extension) = extensions.min_by_key(|(member, _)| *member != named)?;
    let resource = &bundle[member];
    let expires_before = resource.expires_at?;
    Some(Key { resource: resource.id.clone(), expires_before, term: extension.term })
}

/// Carries `plan` out, which [`crate::plan::check`] has found to make sense.
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
    let hold = balance.hold(cost)?;
    let mut effects = PlanEffects::default();
    if let Some(key) = attempt_key(plan, bundle, context.named) {
        effects.attempt = Some(Attempt { key, state: State::settled_here(), at: context.at });
    }
    balance.post(hold);
    let named = bundle[context.named].id.clone();
    if cost > Micros::ZERO {
        let (reason, reference) = match &effects.attempt {
            Some(attempt) => (Reason::Renewal, attempt.key.to_string()),
            None => (Reason::Purchase, order::purchase_id(context.new_id)),
        };
        effects.entries.push(Entry {
            at: context.at,
            from: Book::Cash,
            to: Book::Spent,
            amount: cost,
            reason,
            resource: Some(named.clone()),
            reference: Some(reference),
        });
        effects.events.push(balance_changed(context.at, &named, -cost, balance, reason));
    }
    let mut refunded = Micros::ZERO;
    for step in &plan.steps {
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
                refunded += end(cancellation, member, step.member, context, &mut effects);
            }
            Operation::Buy(details) => buy(details, member, step.member, context, &mut effects),
            Operation::SetAttribute(name, value) => {
                let before = member.attributes.insert(name.clone(), value.clone());
                if before.as_ref() != Some(value) {
                    effects.events.push(setting_changed(context.at, &member.id, name, Some(value.clone())));
                }
            }
        }
    }
    if refunded > Micros::ZERO {
        balance.credit(refunded);
        effects.events.push(balance_changed(context.at, &named, refunded, balance, Reason::Refund));
    }
    Ok(effects)
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
    let attempt = effects.attempt.as_ref().map(|attempt| attempt.key.to_string()).unwrap_or_default();
    let expires_before = member.expires_at.expect("a plan that was checked extends what expires");
    effects.orders.push(Order {
        id: attempt.clone(),
        member: index,
        starts_at: expires_before,
        ends_at: extension.expires_at,
        paid: cost,
        paid_at: context.at,
        is_renewal: true,
    });
    member.expires_at = Some(extension.expires_at);
    member.anchor_day = extension.anchor_day.or(member.anchor_day);
    let what = EventKind::RenewalSettled {
        cost,
        expires_before,
        expires_at: extension.expires_at,
        term: extension.term,
        extra_days: extension.extra_days,
        cause: context.cause,
        primary: (index != context.named).then(|| named.to_owned()),
        attempt,
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
    if context.cause == Cause::Auto {
        count_renewal(member, context.at, &mut effects.events);
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
    cancellation: &Cancellation,
    member: &mut Resource,
    index: MemberIndex,
    context: &ExecutionContext<'_>,
    effects: &mut PlanEffects,
) -> Micros {
    let mut refunds = Vec::new();
    for refund in &cancellation.refunds {
        let order = &context.orders[refund.order.get()];
        effects.refunded.push((order.id.clone(), index));
        // Money is traced to the orders it comes from: one whose period is over gives nothing.
        if refund.amount > Micros::ZERO {
            refunds.push((order.id.clone(), refund.amount));
            effects.entries.push(Entry {
                at: context.at,
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
    let ended = || cancellation.refunds.last().map(|refund| context.orders[refund.order.get()].id.clone());
    let original_order = refunds.first().map(|(order, _)| order.clone()).or_else(ended);
    let what = EventKind::Unsubscribed {
        scope: cancellation.scope,
        expires_at: cancellation.expires_at,
        refund,
        original_order,
        refunds,
    };
    effects.events.push(Event { at: context.at, resource: Some(member.id.clone()), what });
    match cancellation.scope {
        Scope::Future => member.expires_at = cancellation.expires_at,
        Scope::All => {
            let from = std::mem::replace(&mut member.stage, Stage::Unsubscribed);
            member.on_expiry = OnExpiry::Lapse;
            let what = EventKind::StageChanged { from, to: Stage::Unsubscribed };
            effects.events.push(Event { at: context.at, resource: Some(member.id.clone()), what });
        }
    }
    refund
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
