//! Unsubscribes a resource, or its periods that have not begun, for a refund.
//!
//! Documents: "Unsubscribe Rule Description" and "Refund Summary" (Finance). Knows orders and days; does not
//! know vouchers, fees and the number of refunds per month.

use plugin_sdk::Cancellation;
use plugin_sdk::Micros;
use plugin_sdk::Operation;
use plugin_sdk::Order;
use plugin_sdk::OrderKind;
use plugin_sdk::Plan;
use plugin_sdk::Refund;
use plugin_sdk::Refusal;
use plugin_sdk::Scope;
use plugin_sdk::Timestamp;
use plugin_sdk::calendar::DAY;

use crate::commands::CommandTarget;
use crate::commands::Draft;
use crate::members::attached;
use crate::refusals::Code;
use crate::settings::Settings;

/// Refunds are whole cents.
const CENT: i128 = 10_000;

/// Plans an unsubscription of this resource alone; attached resources need a command of their own.
pub fn plan(settings: &Settings, named: &CommandTarget, scope: Scope) -> Result<Plan, Refusal> {
    if named.has_expired() {
        return Err(named.denied("has expired; there is nothing left to refund, and it will be released"));
    }
    let ending = match scope {
        Scope::Everything => everything(settings, named)?,
        Scope::FuturePeriods => future_periods(named)?,
    };
    let mut draft = Draft::default();
    draft.step(named.member, Operation::EndSubscription(ending));
    for (member, _) in attached(&named.request.bundle, named.member) {
        draft.leave(
            member,
            Code::OperationDenied.because("it has orders of its own; unsubscribe it by itself"),
        );
    }
    Ok(draft.plan())
}

fn everything(settings: &Settings, named: &CommandTarget) -> Result<Cancellation, Refusal> {
    let (at, limit) = (named.request.at, settings.refund_within_days);
    if limit > 0 && at > named.resource.started_at + limit * DAY {
        return Err(named.denied(&format!("was bought more than {limit} days ago")));
    }
    let refunds =
        orders(named).map(|(order, paid)| Refund { order, amount: refund(settings, paid, at) }).collect();
    Ok(Cancellation { scope: Scope::Everything, expires_at: None, refunds })
}

fn future_periods(named: &CommandTarget) -> Result<Cancellation, Refusal> {
    let ahead = |order: &Order| order.kind == OrderKind::Renewal && order.starts_at >= named.request.at;
    let (mut refunds, mut expires_at) = (Vec::new(), None::<Timestamp>);
    for (order, paid) in orders(named).filter(|(_, order)| ahead(order)) {
        refunds.push(Refund { order, amount: paid.paid });
        expires_at = Some(expires_at.map_or(paid.starts_at, |earliest| earliest.min(paid.starts_at)));
    }
    match expires_at {
        Some(_) => Ok(Cancellation { scope: Scope::FuturePeriods, expires_at, refunds }),
        None => Err(named.denied("has no renewed period that has not begun")),
    }
}

/// The orders of the named resource, with their indexes in the request.
fn orders<'a>(named: &'a CommandTarget) -> impl Iterator<Item = (u32, &'a Order)> {
    (0..).zip(&named.request.orders).filter(|(_, order)| order.member == named.member)
}

/// When the period of an order began: a late renewal's at its payment, where the account's setting counts it from then.
fn began(settings: &Settings, order: &Order) -> Timestamp {
    if settings.late_from_renewal && order.kind == OrderKind::Renewal {
        order.starts_at.max(order.paid_at).min(order.ends_at - 1)
    } else {
        order.starts_at
    }
}

/// The refund of an order: the whole amount for a period that has not begun, otherwise the share of its remaining whole
/// days, to the nearest cent.
fn refund(settings: &Settings, order: &Order, at: Timestamp) -> Micros {
    let starts_at = began(settings, order);
    if at <= starts_at {
        return order.paid;
    }
    let days = i128::from((order.ends_at - starts_at + DAY - 1) / DAY).max(1);
    let left = i128::from(((order.ends_at - at) / DAY).max(0)).min(days);
    let cents = (i128::from(order.paid) * left * 2 + days * CENT) / (days * CENT * 2);
    Micros::try_from(cents * CENT).unwrap_or(order.paid).min(order.paid)
}
