//! Orders that wait to be paid: paying and cancelling one, and closing those that nobody paid in time or whose resource has
//! ended.
//!
//! Knows one bundle at a time. Which plans wait is a rule's answer; what paying one does is in [`perennial_domain::apply`].

use perennial_domain::apply;
use perennial_domain::apply::PlanEffects;
use perennial_domain::bundle::Bundle;
use perennial_domain::bundle::Stage;
use perennial_domain::index::MemberIndex;
use perennial_domain::micros::Micros;
use perennial_domain::order::OrderKind;
use perennial_domain::order::OrderState;
use perennial_domain::plan::Adjustment;
use perennial_domain::plan::Command;
use perennial_domain::plan::Operation;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use perennial_domain::unpaid_order::UnpaidOrder;

use crate::batch_entry::BatchEntry;
use perennial_formats as formats;
use perennial_store::change::Change;
use perennial_store::change::OrderChange;
use perennial_store::engine_store::EngineReads;
use perennial_store::error::StoreError;
use perennial_store::keys::MemberKeys;
use perennial_store::orders::StoredUnpaidOrder;

/// The refusal of a command on an order that does not wait to be paid.
const NOT_AWAITING_PAYMENT: &str = "not_awaiting_payment";
/// The refusal to pay an order for what costs something else by now.
const ORDER_CHANGED: &str = "order_changed";

/// What a command on an order is about.
pub(super) enum NamedOrder {
    /// The order waits to be paid.
    Unpaid(UnpaidOrder),
    /// It does not: why.
    Refused(Refusal),
}

/// The order called `id` of the bundle whose members' rows are `rows`.
///
/// # Errors
///
/// [`StoreError`] when it cannot be read.
pub(super) fn find(db: &dyn EngineReads, rows: &MemberKeys, id: &str) -> Result<NamedOrder, StoreError> {
    if let Some(order) = load(db, rows)?.into_iter().find(|order| order.id == id) {
        return Ok(NamedOrder::Unpaid(order));
    }
    let mut state = None;
    for (_, row) in rows.iter() {
        state = state.or(db.order_state(row, id)?);
    }
    let message = match state {
        Some(state) => format!("the order `{id}` does not wait to be paid: it is {}", state.name()),
        None => {
            format!("the resource has no order `{id}`; list its orders to see those that wait to be paid")
        }
    };
    Ok(NamedOrder::Refused(Refusal { code: NOT_AWAITING_PAYMENT.to_owned(), message }))
}

/// The orders of a bundle that wait to be paid.
pub(super) fn load(db: &dyn EngineReads, rows: &MemberKeys) -> Result<Vec<UnpaidOrder>, StoreError> {
    let read = |stored: StoredUnpaidOrder| {
        let damaged = |found: String| StoreError::Damaged { what: "an order that waits to be paid", found };
        let command = formats::decision::read_command(&stored.command);
        Ok(UnpaidOrder {
            member: rows.position(stored.resource).ok_or_else(|| damaged(stored.id.clone()))?,
            command: command.map_err(|problems| damaged(problems.to_string()))?,
            id: stored.id,
            kind: stored.kind,
            created_at: stored.created_at,
            pay_until: stored.pay_until,
            lines: stored.lines,
        })
    };
    db.unpaid_orders(rows)?.into_iter().map(read).collect()
}

/// The first id like `id` that no order of these resources has: `id`, `id~2`, `id~3` and so on.
///
/// # Errors
///
/// [`StoreError`] when orders cannot be read.
pub(super) fn free_id(db: &dyn EngineReads, rows: &MemberKeys, id: &str) -> Result<String, StoreError> {
    let mut free = id.to_owned();
    for number in 2_u32.. {
        let mut is_taken = false;
        for (_, row) in rows.iter() {
            is_taken |= db.order_state(row, &free)?.is_some();
        }
        if !is_taken {
            break;
        }
        free = format!("{id}~{number}");
    }
    Ok(free)
}

/// Gives the order of a renewal that is paid at once another id when one that was cancelled, expired or given back has it:
/// each is named after its attempt, whose key is free again then.
///
/// # Errors
///
/// [`StoreError`] when orders cannot be read or the bundle is damaged.
pub(super) fn rename_taken(
    db: &dyn EngineReads,
    item: &BatchEntry,
    effects: &mut PlanEffects,
) -> Result<(), StoreError> {
    let Some(attempt) = effects.attempt.as_ref().filter(|_| effects.paid.is_none()) else { return Ok(()) };
    let resource = item.resource_row(&attempt.id.key.resource)?;
    if !db.has_closed_orders(resource)? {
        return Ok(());
    }
    let taken = attempt.id.to_string();
    let free = free_id(db, &item.original.rows, &taken)?;
    for order in effects.orders.iter_mut().filter(|order| order.id == taken) {
        order.id.clone_from(&free);
    }
    Ok(())
}

/// The change that makes `order` one that waits to be paid.
pub(super) fn placement(item: &BatchEntry, order: UnpaidOrder) -> Change {
    let members = item.original.rows.clone();
    let order = StoredUnpaidOrder {
        id: order.id,
        kind: order.kind,
        resource: members[order.member],
        command: formats::decision::command(&order.command).to_text(),
        created_at: order.created_at,
        pay_until: order.pay_until,
        lines: order.lines,
    };
    Change::Order(OrderChange::Place { members, order })
}

/// The changes after which `order` does not wait any more.
pub(super) fn closures(item: &BatchEntry, order: &UnpaidOrder, state: OrderState) -> Vec<Change> {
    let close = |line: &perennial_domain::unpaid_order::OrderLine| {
        let resource = item.original.rows[line.member];
        Change::Order(OrderChange::Close { resource, order: order.id.clone(), state })
    };
    order.lines.iter().map(close).collect()
}

/// Lets the rules see the bundle as it is without `order`, or with it again.
pub(super) fn set_unpaid(bundle: &mut Bundle, order: &UnpaidOrder, waits: bool) {
    order.lines.iter().for_each(|line| bundle[line.member].has_unpaid_order = waits);
}

/// The plan that is carried out when `order` is paid, `plan` being what the rules answer now: at the price that was ordered,
/// or not at all.
pub(super) fn plan_at_price(
    mut plan: Plan,
    order: &UnpaidOrder,
    bundle: &Bundle,
    at: Timestamp,
) -> Result<Plan, Refusal> {
    plan.pay_until = None;
    let is_overtaken = order.lines.iter().any(|line| {
        let expires_at = bundle[line.member].expires_at;
        match order.kind {
            OrderKind::Renewal => expires_at != Some(line.starts_at),
            OrderKind::Upgrade => expires_at != paid_until(order, line.member),
            OrderKind::Purchase | OrderKind::Downgrade => false,
        }
    });
    let is_done = order.kind == OrderKind::Upgrade && apply::cost(&plan, bundle, at) == Micros::ZERO;
    if is_overtaken || is_done {
        let message = format!(
            "what the order `{}` is for has changed since: the resource expires at another instant or has what was \
             ordered; cancel it and order again",
            order.id
        );
        return Err(Refusal { code: ORDER_CHANGED.to_owned(), message });
    }
    if order.kind == OrderKind::Upgrade {
        // The fee of the order stays, although less time is left.
        for step in &mut plan.steps {
            if let Operation::ChangeSpecification(specification) = &mut step.operation {
                let own = order.lines.iter().filter(|line| line.member == step.member);
                let adjustment = |line: &perennial_domain::unpaid_order::OrderLine| Adjustment {
                    starts_at: line.starts_at,
                    ends_at: line.ends_at,
                    amount: line.cost,
                    order: None,
                };
                specification.adjustments = own.map(adjustment).collect();
            }
        }
    }
    let cost = apply::cost(&plan, bundle, at);
    if cost == order.cost() {
        return Ok(plan);
    }
    let message = format!(
        "the order `{}` is for {}, and what it is for costs {cost} by now; cancel it and order again",
        order.id,
        order.cost()
    );
    Err(Refusal { code: ORDER_CHANGED.to_owned(), message })
}

/// Until when `order` pays for `member`.
fn paid_until(order: &UnpaidOrder, member: MemberIndex) -> Option<Timestamp> {
    order.lines.iter().filter(|line| line.member == member).map(|line| line.ends_at).max()
}

/// Cancels the orders of members that have come to their end in this batch.
pub(super) fn close_ended(db: &dyn EngineReads, item: &mut BatchEntry) -> Result<(), StoreError> {
    let has_ended = |order: &UnpaidOrder, bundle: &Bundle| {
        order.lines.iter().any(|line| {
            let member = &bundle[line.member];
            match order.kind {
                OrderKind::Purchase => matches!(member.stage, Stage::Released | Stage::Unsubscribed),
                OrderKind::Renewal | OrderKind::Upgrade | OrderKind::Downgrade => !member.is_live(),
            }
        })
    };
    let bundle = &item.walk.bundle;
    if !bundle.members.iter().any(|member| member.has_unpaid_order && !member.is_live()) {
        return Ok(());
    }
    for order in load(db, &item.original.rows)? {
        if has_ended(&order, &item.walk.bundle) {
            close(item, order, OrderState::Cancelled, item.instant);
        }
    }
    Ok(())
}

/// Closes an order of a bundle in play.
pub(super) fn close(item: &mut BatchEntry, order: UnpaidOrder, state: OrderState, at: Timestamp) {
    let id = order.id.clone();
    let mut effects = apply::close_order(order, state, &mut item.walk.bundle, at);
    item.walk.events.append(&mut effects.events);
    item.effects.push(effects);
    item.expire_approvals_of_order(&id, at);
}

/// The command that the rules are asked about: of an order, what it is for.
pub(super) fn asked<'a>(command: &'a Command, order: Option<&'a NamedOrder>) -> &'a Command {
    match order {
        Some(NamedOrder::Unpaid(order)) => &order.command,
        Some(NamedOrder::Refused(_)) | None => command,
    }
}
