//! What giving a resource back does, wholly or in part, and what becoming pay-per-use at once does.
//!
//! Money is traced to the orders that it comes from. Whatever an order changed of its resource is restored when the order
//! is given back before its period began.

use crate::apply::ExecutionContext;
use crate::apply::PlanEffects;
use crate::apply::RefundedPeriod;
use crate::apply::set_on_expiry;
use crate::apply::setting_changed;
use crate::bundle::OnExpiry;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::event::Event;
use crate::event::EventKind;
use crate::index::MemberIndex;
use crate::ledger::Book;
use crate::ledger::Entry;
use crate::ledger::Reason;
use crate::micros::Micros;
use crate::order::Order;
use crate::order::OrderKind;
use crate::plan::Cancellation;
use crate::plan::Refund;
use crate::plan::Scope;
use crate::timestamp::Timestamp;

/// Ends a member's subscription, or its periods that have not begun.
pub(super) fn end(
    cancellation: &Cancellation,
    member: &mut Resource,
    index: MemberIndex,
    context: &ExecutionContext<'_>,
    effects: &mut PlanEffects,
) {
    let refunds = refund(&cancellation.refunds, member, index, context, effects);
    // Where nothing comes back, the newest order is the one that ends.
    let ended = || cancellation.refunds.last().map(|refund| context.orders[refund.order.get()].id.clone());
    let original_order = refunds.first().map(|(order, _)| order.clone()).or_else(ended);
    let what = EventKind::Unsubscribed {
        scope: cancellation.scope,
        expires_at: cancellation.expires_at,
        refund: refunds.iter().map(|(_, amount)| *amount).sum(),
        original_order,
        refunds,
    };
    effects.events.push(Event { at: context.at, resource: Some(member.id.clone()), what });
    match cancellation.scope {
        Scope::Future => {
            member.expires_at = cancellation.expires_at;
            let mut orders = cancellation
                .refunds
                .iter()
                .map(|refund| &context.orders[refund.order.get()])
                .collect::<Vec<_>>();
            orders.sort_by_key(|order| std::cmp::Reverse((order.starts_at, order.paid_at)));
            orders.into_iter().for_each(|order| undo(order, member, context.at, &mut effects.events));
        }
        Scope::All => {
            let from = std::mem::replace(&mut member.stage, Stage::Unsubscribed);
            member.on_expiry = OnExpiry::Lapse;
            let what = EventKind::StageChanged { from, to: Stage::Unsubscribed };
            effects.events.push(Event { at: context.at, resource: Some(member.id.clone()), what });
        }
    }
}

/// Makes a member pay-per-use at once.
pub(super) fn convert(
    refunds: &[Refund],
    member: &mut Resource,
    index: MemberIndex,
    context: &ExecutionContext<'_>,
    effects: &mut PlanEffects,
) {
    refund(refunds, member, index, context, effects);
    let from = member.convert();
    for what in [EventKind::StageChanged { from, to: Stage::Converted }, EventKind::Converted] {
        effects.events.push(Event { at: context.at, resource: Some(member.id.clone()), what });
    }
}

/// Gives money back for orders and ends their periods; returns each order that gives some, with its part.
fn refund(
    refunds: &[Refund],
    member: &Resource,
    index: MemberIndex,
    context: &ExecutionContext<'_>,
    effects: &mut PlanEffects,
) -> Vec<(String, Micros)> {
    let mut parts = Vec::new();
    for refund in refunds {
        let order = &context.orders[refund.order.get()];
        let period = order.period();
        // What a downgrade gave back of it before ends with it.
        let reduces = |other: &&Order| other.member == index && other.reduces.as_ref() == Some(&period);
        let reductions = context.orders.iter().filter(reduces).map(Order::period).collect::<Vec<_>>();
        effects.refunded.push(RefundedPeriod {
            member: index,
            period,
            amount: refund.amount,
            fee: refund.fee,
        });
        effects.refunded.extend(reductions.into_iter().map(|period| RefundedPeriod {
            member: index,
            period,
            amount: Micros::ZERO,
            fee: Micros::ZERO,
        }));
        // Money is traced to the orders it comes from: one whose period is over gives nothing.
        if refund.amount > Micros::ZERO {
            parts.push((order.id.clone(), refund.amount));
            let reason = if order.kind == OrderKind::Upgrade { Reason::Adjustment } else { Reason::Refund };
            effects.entries.push(refund_entry(context.at, member, &order.id, refund.amount, reason));
        }
    }
    parts
}

/// Money that comes back for an order.
pub(super) fn refund_entry(
    at: Timestamp,
    member: &Resource,
    order: &str,
    amount: Micros,
    reason: Reason,
) -> Entry {
    Entry {
        at,
        from: Book::Spent,
        to: Book::Cash,
        amount,
        reason,
        resource: Some(member.id.clone()),
        reference: Some(order.to_owned()),
    }
}

/// Restores what an order changed, unless somebody has changed it again since.
fn undo(order: &Order, member: &mut Resource, at: Timestamp, events: &mut Vec<Event>) {
    let undo = &order.undo;
    if let Some(anchor_day) = undo.anchor_day {
        member.anchor_day = Some(anchor_day);
    }
    let Some(before) =
        undo.renewals_left.filter(|before| member.renewals_left == Some(before.saturating_sub(1)))
    else {
        return;
    };
    member.renewals_left = Some(before);
    events.push(setting_changed(at, &member.id, "renewals_left", Some(before.to_string())));
    if undo.ended_auto_renew && member.on_expiry == OnExpiry::Lapse {
        set_on_expiry(OnExpiry::Renew, member, at, events);
    }
}
