//! Gives back a resource, or its periods that have not begun: what comes back is counted by the day.
//!
//! Knows orders and days; does not know how often somebody may give something back.

use plugin_sdk::Cancellation;
use plugin_sdk::MemberIndex;
use plugin_sdk::Micros;
use plugin_sdk::Operation;
use plugin_sdk::Order;
use plugin_sdk::OrderKind;
use plugin_sdk::Plan;
use plugin_sdk::Refund;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Scope;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;
use plugin_sdk::calendar::DAY;
use plugin_sdk::periods;

use crate::refusals::Situation;
use crate::rules::attached;
use crate::table::Refunds;
use crate::target::Draft;
use crate::target::Subscription;
use crate::target::Target;
use crate::values::LateStart;

/// The longest renewal that a period is compared with, in months.
const MONTHS_MAX: u32 = 60;
/// Refunds are whole cents.
const CENT: i128 = 10_000;

/// Plans an unsubscription.
pub(crate) fn plan(target: &Target<'_>, scope: Scope) -> Result<Plan, Refusal> {
    let Some(refunds) = target.rules.table.refunds else {
        return Err(target.refusal(Situation::NotSupported, "cannot be unsubscribed at this provider"));
    };
    if target.has_expired() && (!refunds.when_expired || scope == Scope::FuturePeriods) {
        return Err(target.refusal(Situation::Expired, "has expired; there is nothing left to give back"));
    }
    target.check_orders()?;
    let mut draft = Draft::default();
    match scope {
        Scope::Everything => {
            if is_too_late(target) {
                return Err(
                    target.refusal(Situation::TooLateToRefund, "was bought too long ago to be given back")
                );
            }
            end(target, refunds, &mut draft, target.request.member);
        }
        Scope::FuturePeriods => {
            draft.step(target.request.member, Operation::EndSubscription(future_periods(target)?));
            for (member, _) in attached(&target.request.bundle, target.request.member) {
                let reason = "it has periods of its own; unsubscribe it by itself";
                draft.leave(member, target.rules.refusal(Situation::LeftOut, reason));
            }
        }
    }
    Ok(draft.plan())
}

/// Ends a member and what ends with it.
fn end(target: &Target<'_>, refunds: Refunds, draft: &mut Draft, member: MemberIndex) {
    let refunds_of = |member| {
        orders(target, member)
            .map(|(number, order)| refund(target, refunds, number, order))
            .collect::<Vec<_>>()
    };
    let ending = Cancellation { scope: Scope::Everything, expires_at: None, refunds: refunds_of(member) };
    draft.step(member, Operation::EndSubscription(ending));
    for (attached, resource) in attached(&target.request.bundle, member) {
        match ends_along(target, resource) {
            Ok(()) => end(target, refunds, draft, attached),
            Err(reason) => draft.leave(attached, reason),
        }
    }
}

fn ends_along(target: &Target<'_>, resource: &Resource) -> Result<(), Refusal> {
    Subscription::of(target.rules, resource)?;
    match target.rules.kind(resource).cascade.unsubscription {
        true => Ok(()),
        false => Err(target.rules.refusal(Situation::LeftOut, "it stays; unsubscribe it by itself")),
    }
}

/// When a member was bought, or became paid ahead.
fn bought_at(target: &Target<'_>, member: MemberIndex) -> Timestamp {
    let purchases = orders(target, member).filter(|(_, order)| order.kind == OrderKind::Purchase);
    let bought_at = purchases.map(|(_, order)| order.paid_at).max();
    bought_at.unwrap_or(target.request.bundle[member as usize].started_at)
}

fn is_too_late(target: &Target<'_>) -> bool {
    let limit = target.rules.values.refund_within;
    limit.is_some_and(|limit| target.request.at > bought_at(target, target.request.member) + limit)
}

fn future_periods(target: &Target<'_>) -> Result<Cancellation, Refusal> {
    let member = target.request.member;
    let ahead = |order: &Order| order.kind == OrderKind::Renewal && order.starts_at >= target.request.at;
    let (mut refunds, mut expires_at) = (Vec::new(), None::<Timestamp>);
    for (number, order) in orders(target, member).filter(|(_, order)| ahead(order)) {
        refunds.push(Refund { order: number, amount: paid(target, number, order), fee: 0 });
        expires_at = Some(expires_at.map_or(order.starts_at, |earliest| earliest.min(order.starts_at)));
    }
    let Some(expires_at) = expires_at else {
        let message = "has no renewed period that has not begun";
        return Err(target.refusal(Situation::NothingToRefund, message));
    };
    // Periods are given back from the end: what an inventory added between or behind them is not this host's to give back.
    let own = orders(target, member).map(|(_, order)| order);
    if !periods::pay_for(own, expires_at, target.subscription.expires_at) {
        let message = "has time behind a renewed period that was not paid for here; give it back as a whole";
        return Err(target.refusal(Situation::NothingToRefund, message));
    }
    Ok(Cancellation { scope: Scope::FuturePeriods, expires_at: Some(expires_at), refunds })
}

/// The orders of a member that money can come back from, with their indexes in the request.
fn orders<'a>(target: &Target<'a>, member: MemberIndex) -> impl Iterator<Item = (u32, &'a Order)> {
    let own = (0..).zip(&target.request.orders);
    own.filter(move |(_, order)| order.member == member && order.kind != OrderKind::Downgrade)
}

/// What was paid for an order, without what downgrades gave back of it.
fn paid(target: &Target<'_>, number: u32, order: &Order) -> Micros {
    let downgrades = target.request.orders.iter().filter(|other| other.reduces == Some(number));
    downgrades.fold(order.paid, |left, downgrade| left.saturating_add(downgrade.paid)).max(0)
}

/// What comes back for an order: everything for a period that has not begun, or soon after the purchase; otherwise the
/// share of its whole days that remain, to the nearest cent, less the fee.
fn refund(target: &Target<'_>, refunds: Refunds, number: u32, order: &Order) -> Refund {
    let (at, paid) = (target.request.at, paid(target, number, order));
    let is_new = |limit| at <= bought_at(target, order.member) + limit;
    let starts_at = began(target, order);
    if refunds.full_within.is_some_and(is_new) || at <= starts_at {
        return Refund { order: number, amount: paid, fee: 0 };
    }
    let days = i128::from((order.ends_at - starts_at + DAY - 1) / DAY).max(1);
    let left = i128::from(((order.ends_at - at) / DAY).max(0)).min(days);
    let rest = share(paid, left, days);
    let fee = share(rest, i128::from(target.rules.values.fee_percent), 100);
    Refund { order: number, amount: rest - fee, fee }
}

/// So many parts of an amount, to the nearest cent, and no more than the amount.
fn share(amount: Micros, parts: i128, of: i128) -> Micros {
    let cents = (i128::from(amount) * parts * 2 + of * CENT) / (of * CENT * 2);
    Micros::try_from(cents * CENT).unwrap_or(amount).min(amount)
}

/// When the period of an order began. That of a late renewal began at the expiry before it or at its payment: where a
/// renewal can count from its payment, it did if whole months lead from there to its end.
fn began(target: &Target<'_>, order: &Order) -> Timestamp {
    let values = &target.rules.values;
    let can_move = [values.grace_renewal, values.retention_renewal].contains(&LateStart::Renewal);
    if !can_move || order.kind != OrderKind::Renewal || order.paid_at <= order.starts_at {
        return order.starts_at;
    }
    let (calendar, from) = (target.rules.calendar(), order.paid_at.min(order.ends_at - 1));
    let day = calendar.day_of_month(from);
    let after = |count| calendar.plus(from, day, Term { count, unit: TermUnit::Month });
    let leads =
        (1..=MONTHS_MAX).map(after).take_while(|end| *end <= order.ends_at).any(|end| end == order.ends_at);
    let is_days = (order.ends_at - from) % DAY == 0 && (order.ends_at - order.starts_at) % DAY != 0;
    if leads || is_days { from } else { order.starts_at }
}
