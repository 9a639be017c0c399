//! Orders that wait to be paid, and what else than a renewal makes an order of its own: another specification, and the
//! first period of a resource that was pay-per-use.

use crate::apply::ExecutionContext;
use crate::apply::PlanEffects;
use crate::apply::attempt_id;
use crate::apply::ending::refund_entry;
use crate::apply::extension_cost;
use crate::apply::set_attribute;
use crate::apply::setting_changed;
use crate::bundle::Bundle;
use crate::bundle::Charging;
use crate::bundle::OnExpiry;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::event::Event;
use crate::event::EventKind;
use crate::index::MemberIndex;
use crate::ledger::Reason;
use crate::micros::Micros;
use crate::order::Order;
use crate::order::OrderKind;
use crate::order::OrderState;
use crate::order::Undo;
use crate::plan::Operation;
use crate::plan::Plan;
use crate::plan::Specification;
use crate::plan::Subscription;
use crate::timestamp::Timestamp;
use crate::unpaid_order::OrderLine;
use crate::unpaid_order::UnpaidOrder;

/// What the order of `plan` for `bundle`, as it is before, is for; `None` when it makes none of its own: a package that is
/// bought has an order that is named after it.
pub(super) fn order_kind(plan: &Plan, bundle: &Bundle) -> Option<OrderKind> {
    plan.steps.iter().find_map(|step| match &step.operation {
        Operation::Extend(_) => Some(OrderKind::Renewal),
        Operation::Subscribe(_) => Some(OrderKind::Purchase),
        Operation::ChangeSpecification(specification) => {
            // Where no time is left to pay for, the prices say which it is.
            let cost = specification.cost();
            let is_cheaper = bundle[step.member].price.is_some_and(|before| specification.price < before);
            let gives_back = cost < Micros::ZERO || cost == Micros::ZERO && is_cheaper;
            Some(if gives_back { OrderKind::Downgrade } else { OrderKind::Upgrade })
        }
        Operation::SetOnExpiry(_)
        | Operation::SetAutoRenew(_)
        | Operation::EndSubscription(_)
        | Operation::Convert(_)
        | Operation::Buy(_)
        | Operation::SetAttribute(..) => None,
    })
}

/// The id of the order of its own that carrying out `plan` at `at` would make, unless it is taken: that of the attempt for
/// a renewal that waits to be paid. `None` when it makes no such order.
pub fn own_order_id(plan: &Plan, bundle: &Bundle, named: MemberIndex, at: Timestamp) -> Option<String> {
    let own = |word: &str| Some(format!("{}/{at}/{word}", bundle[named].id));
    match order_kind(plan, bundle)? {
        OrderKind::Renewal if plan.pay_until.is_some() => Some(attempt_id(plan, bundle, named)?.to_string()),
        OrderKind::Renewal => None,
        kind @ (OrderKind::Purchase | OrderKind::Upgrade | OrderKind::Downgrade) => own(kind.name()),
    }
}

/// The id of the order that is made or paid now.
pub(super) fn id_of<'a>(context: &ExecutionContext<'a>) -> &'a str {
    context.paying.map_or(context.order_id, |order| &order.id)
}

/// Makes the order for `plan`, which waits to be paid until `pay_until`. Nothing else changes.
pub(super) fn place(
    plan: &Plan,
    pay_until: Timestamp,
    bundle: &mut Bundle,
    context: &ExecutionContext<'_>,
) -> PlanEffects {
    let lines = plan.steps.iter().flat_map(|step| {
        let line = |starts_at, ends_at, cost| OrderLine { member: step.member, starts_at, ends_at, cost };
        let member = &bundle[step.member];
        match &step.operation {
            Operation::Extend(extension) => {
                let starts_at = member.expires_at.expect("a plan that was checked extends what expires");
                vec![line(starts_at, extension.expires_at, extension_cost(extension, member))]
            }
            Operation::Subscribe(subscription) => {
                vec![line(context.at, subscription.expires_at, subscription.cost())]
            }
            Operation::ChangeSpecification(specification) => {
                let adjusted = specification.adjustments.iter();
                adjusted.map(|one| line(one.starts_at, one.ends_at, one.amount)).collect()
            }
            Operation::SetOnExpiry(_)
            | Operation::SetAutoRenew(_)
            | Operation::EndSubscription(_)
            | Operation::Convert(_)
            | Operation::Buy(_)
            | Operation::SetAttribute(..) => Vec::new(),
        }
    });
    let order = UnpaidOrder {
        id: context.order_id.to_owned(),
        kind: order_kind(plan, bundle).unwrap_or(OrderKind::Purchase),
        member: context.named,
        command: context.command.clone(),
        created_at: context.at,
        pay_until,
        lines: lines.collect(),
    };
    order.lines.iter().for_each(|line| bundle[line.member].has_unpaid_order = true);
    let what = EventKind::OrderCreated {
        order: order.id.clone(),
        kind: order.kind,
        cost: order.cost(),
        pay_until: Some(pay_until),
    };
    let resource = Some(bundle[context.named].id.clone());
    let events = vec![Event { at: context.at, resource, what }];
    PlanEffects { events, placed: Some(order), ..PlanEffects::default() }
}

/// Says that the order of `plan` is paid: one that waited, or one of its own that is made now.
pub(super) fn record_order(
    plan: &Plan,
    cost: Micros,
    bundle: &mut Bundle,
    context: &ExecutionContext<'_>,
    effects: &mut PlanEffects,
) {
    let Some(kind) = order_kind(plan, bundle) else { return };
    let resource = Some(bundle[context.named].id.clone());
    let mut record = |what| effects.events.push(Event { at: context.at, resource: resource.clone(), what });
    let order = id_of(context).to_owned();
    let refunds = refunds(plan, context);
    let cost = cost - refunds.iter().map(|(_, amount)| *amount).sum::<Micros>();
    match context.paying {
        Some(paid) => {
            record(EventKind::OrderPaid { order, kind, cost, refunds });
            paid.lines.iter().for_each(|line| bundle[line.member].has_unpaid_order = false);
            effects.paid = Some(paid.clone());
        }
        None if kind == OrderKind::Renewal => {}
        None => {
            record(EventKind::OrderCreated { order: order.clone(), kind, cost, pay_until: None });
            record(EventKind::OrderPaid { order, kind, cost, refunds });
        }
    }
}

/// What a downgrade gives back, of each order.
fn refunds(plan: &Plan, context: &ExecutionContext<'_>) -> Vec<(String, Micros)> {
    let adjustments = plan.steps.iter().filter_map(|step| match &step.operation {
        Operation::ChangeSpecification(specification) => Some(&specification.adjustments),
        Operation::Extend(_)
        | Operation::SetOnExpiry(_)
        | Operation::SetAutoRenew(_)
        | Operation::EndSubscription(_)
        | Operation::Convert(_)
        | Operation::Buy(_)
        | Operation::Subscribe(_)
        | Operation::SetAttribute(..) => None,
    });
    let given_back = adjustments.flatten().filter(|one| one.amount < Micros::ZERO);
    given_back.filter_map(|one| Some((context.orders[one.order?.get()].id.clone(), -one.amount))).collect()
}

/// Gives a member another specification.
pub(super) fn change(
    specification: &Specification,
    member: &mut Resource,
    index: MemberIndex,
    context: &ExecutionContext<'_>,
    effects: &mut PlanEffects,
) {
    for adjustment in specification.adjustments.iter().filter(|one| one.amount != Micros::ZERO) {
        let base = adjustment.order.map(|order| &context.orders[order.get()]);
        let reduces = base.filter(|_| adjustment.amount < Micros::ZERO);
        if let Some(base) = reduces {
            let amount = -adjustment.amount;
            effects.entries.push(refund_entry(context.at, member, &base.id, amount, Reason::Adjustment));
        }
        effects.orders.push(Order {
            id: id_of(context).to_owned(),
            member: index,
            kind: if reduces.is_some() { OrderKind::Downgrade } else { OrderKind::Upgrade },
            starts_at: adjustment.starts_at,
            ends_at: adjustment.ends_at,
            paid: adjustment.amount,
            paid_at: context.at,
            reduces: reduces.map(Order::period),
            undo: Undo::default(),
        });
    }
    for (name, value) in &specification.attributes {
        set_attribute(name, value, member, context.at, &mut effects.events);
    }
    if member.price.replace(specification.price) != Some(specification.price) {
        let price = Some(specification.price.to_string());
        effects.events.push(setting_changed(context.at, &member.id, "price", price));
    }
}

/// Makes a member prepaid, for a first period that is paid for now.
pub(super) fn subscribe(
    subscription: &Subscription,
    member: &mut Resource,
    index: MemberIndex,
    context: &ExecutionContext<'_>,
    effects: &mut PlanEffects,
) {
    effects.orders.push(Order {
        id: id_of(context).to_owned(),
        member: index,
        kind: OrderKind::Purchase,
        starts_at: context.at,
        ends_at: subscription.expires_at,
        paid: subscription.cost(),
        paid_at: context.at,
        reduces: None,
        undo: Undo::default(),
    });
    member.charging = Charging::Prepaid;
    (member.expires_at, member.anchor_day) = (Some(subscription.expires_at), Some(subscription.anchor_day));
    (member.term, member.price) = (Some(subscription.term), Some(subscription.price));
    (member.on_expiry, member.renewals_left, member.renewal_term) = (OnExpiry::Lapse, None, None);
    let settings = [
        ("charging", member.charging.name().to_owned()),
        ("expires_at", subscription.expires_at.to_string()),
    ];
    for (setting, value) in settings {
        effects.events.push(setting_changed(context.at, &member.id, setting, Some(value)));
    }
    let from = std::mem::replace(&mut member.stage, Stage::Active);
    if from != Stage::Active {
        let what = EventKind::StageChanged { from, to: Stage::Active };
        effects.events.push(Event { at: context.at, resource: Some(member.id.clone()), what });
    }
}

/// Closes an order that waits, as [`OrderState::Cancelled`] or [`OrderState::Expired`]: its members have none any more.
pub fn close_order(order: UnpaidOrder, state: OrderState, bundle: &mut Bundle, at: Timestamp) -> PlanEffects {
    order.lines.iter().for_each(|line| bundle[line.member].has_unpaid_order = false);
    let (id, kind, cost) = (order.id.clone(), order.kind, order.cost());
    let what = match state {
        OrderState::Expired => EventKind::OrderExpired { order: id, kind, cost },
        OrderState::Cancelled | OrderState::AwaitingPayment | OrderState::Paid => {
            EventKind::OrderCancelled { order: id, kind, cost }
        }
    };
    let events = vec![Event { at, resource: Some(bundle[order.member].id.clone()), what }];
    PlanEffects { events, closed: Some((order, state)), ..PlanEffects::default() }
}
