//! Unsubscribes a resource, or its periods that have not begun, for a refund.
//!
//! Documents: "Unsubscribe Rule Description" and "Refund Summary" (Finance), "Early Release of Prepaid Instances" (BCC)
//! for what is released along with an instance. Knows orders and days; does not know vouchers, fees and the number of
//! refunds per month.

use plugin_sdk::Cancellation;
use plugin_sdk::Charging;
use plugin_sdk::MemberIndex;
use plugin_sdk::Micros;
use plugin_sdk::Operation;
use plugin_sdk::Order;
use plugin_sdk::OrderKind;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refund;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Scope;
use plugin_sdk::Stage;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;
use plugin_sdk::calendar::DAY;
use plugin_sdk::left_out::ExpiryMove;
use plugin_sdk::left_out::LeftOut;
use plugin_sdk::periods;

use crate::command_target::CommandTarget;
use crate::command_target::Draft;
use crate::following::LEFT_OUT;
use crate::following::is_left_behind;
use crate::following::renewal_term;
use crate::following::tried_with;
use crate::kinds::Kind;
use crate::members::attached;
use crate::members::has_lapsed;
use crate::members::is_protected;
use crate::members::releases_related;
use crate::pending_conversion;
use crate::refusals::Code;
use crate::settings::Settings;
use crate::tries::CALENDAR;

/// The longest renewal, in months.
const MONTHS_MAX: u32 = 60;
/// Refunds are whole cents.
const CENT: i128 = 10_000;

/// Plans an unsubscription. That of an instance releases its prepaid disks, too, and with `relatedReleaseFlag` its
/// addresses and its pay-as-you-go disks; what else is attached needs a command of its own.
pub fn plan(settings: &Settings, named: &CommandTarget, scope: Scope) -> Result<Plan, Refusal> {
    if named.has_expired() {
        return Err(named.denied("has expired; there is nothing left to refund, and it will be released"));
    }
    pending_conversion::check_takes_orders(settings, named.resource)?;
    let mut draft = Draft::default();
    match scope {
        Scope::Everything => {
            check_release(settings, named)?;
            let ending = everything(settings, named.request, named.member);
            draft.step(named.member, Operation::EndSubscription(ending));
        }
        Scope::FuturePeriods => {
            let ending = future_periods(named)?;
            let left_out = ending.expires_at.and_then(|own| left_behind(settings, named, own));
            draft.step(named.member, Operation::EndSubscription(ending));
            if let Some(left_out) = left_out {
                draft.say_left_out(named.member, named.resource, &left_out);
            }
        }
    }
    for (member, resource) in attached(&named.request.bundle, named.member) {
        match is_released_along(named, scope, resource) {
            Ok(()) => {
                let ending = everything(settings, named.request, member);
                draft.step(member, Operation::EndSubscription(ending));
            }
            Err(reason) => draft.leave(member, reason),
        }
    }
    Ok(draft.plan())
}

/// What is said of a member that gives periods back and expires at `own` then: its instance leaves it behind by the renewals that
/// it keeps, where it is not tried before; the member is renewed again, as what renews itself is. `None` where no renewal of the
/// instance is the reason: the member is where it was.
///
/// The instance may give periods back, too, so it is said for each expiry that it can come back to.
fn left_behind(settings: &Settings, named: &CommandTarget, own: Timestamp) -> Option<LeftOut> {
    let member = tried_with(&named.request.bundle, named.resource)?;
    let instance = &named.request.bundle[member as usize];
    let (last, usual) = (instance.expires_at?, renewal_term(instance)?);
    let renewals = orders(named.request, member).map(|(_, order)| order);
    let renewals = renewals.filter(|order| order.kind == OrderKind::Renewal).collect::<Vec<_>>();
    let first = renewals.iter().map(|order| order.starts_at).min()?;
    let ahead = renewals.iter().map(|order| order.starts_at).filter(|at| *at > named.request.at);
    let mut expiries = ahead.chain([last]).collect::<Vec<_>>();
    expiries.sort_unstable();
    let said = LeftOut::of(named.resource, LEFT_OUT);
    let mut left_out = said.clone();
    for expires_at in expiries {
        let day = CALENDAR.date(expires_at);
        let moved = ExpiryMove { today: CALENDAR.date(named.request.at), from: day, until: day };
        let is_behind = first < expires_at
            && is_left_behind(settings, instance, (named.resource, own), false, expires_at);
        let term = said.term(day).unwrap_or(usual);
        left_out = left_out.after(moved, is_behind.then_some(term));
    }
    Some(left_out)
}

fn check_release(settings: &Settings, named: &CommandTarget) -> Result<(), Refusal> {
    if Kind::of(&named.resource.kind) == Kind::Bcc && is_protected(named.resource) {
        let id = &named.resource.id;
        return Err(Code::DeletionProtection
            .because(format!("`{id}` is protected from being released; switch that off first")));
    }
    if is_too_late(settings, named.request, named.member) {
        let limit = settings.refund_within_days;
        return Err(named.denied(&format!("was bought more than {limit} days ago")));
    }
    Ok(())
}

/// Whether the days within which a member can be unsubscribed are over. They count from its purchase: a resource that was
/// pay-as-you-go before was bought when it became prepaid.
pub(crate) fn is_too_late(settings: &Settings, request: &PlanRequest, member: MemberIndex) -> bool {
    let limit = settings.refund_within_days;
    let purchases = orders(request, member).filter(|(_, order)| order.kind == OrderKind::Purchase);
    let bought_at = purchases.map(|(_, order)| order.paid_at).max();
    let bought_at = bought_at.unwrap_or(request.bundle[member as usize].started_at);
    limit > 0 && request.at > bought_at + limit * DAY
}

/// Checks that a member is released together with the instance that it is attached to; the error is the reason why it
/// is not.
fn is_released_along(named: &CommandTarget, scope: Scope, resource: &Resource) -> Result<(), Refusal> {
    let denied = |reason: &str| Err(Code::OperationDenied.because(reason));
    match resource.stage {
        Stage::Released | Stage::Unsubscribed => return Err(Code::NoSuchObject.because("it is gone")),
        Stage::Converted => return denied("it has become pay-as-you-go, and is not kept here any more"),
        Stage::Active | Stage::Grace | Stage::Retention => {}
    }
    let (kind, with_related) = (Kind::of(&resource.kind), releases_related(named.resource));
    let is_released = match (scope, kind, resource.charging) {
        (Scope::FuturePeriods, _, _) => return denied("it has orders of its own; unsubscribe it by itself"),
        (Scope::Everything, Kind::Cds, Charging::Prepaid) => true,
        (Scope::Everything, Kind::Cds | Kind::Eip, _) => with_related,
        (Scope::Everything, _, _) => return denied("it has orders of its own; unsubscribe it by itself"),
    };
    if !is_released {
        return denied("`relatedReleaseFlag` is not set, so it stays");
    }
    if has_lapsed(resource) || resource.expires_at.is_some_and(|at| at <= named.request.at) {
        return denied("it has expired; there is nothing left to refund, and it will be released");
    }
    Ok(())
}

/// The end of a member, with what comes back for its orders: nothing, when it is released along with its instance after
/// the days within which it could be unsubscribed by itself.
fn everything(settings: &Settings, request: &PlanRequest, member: MemberIndex) -> Cancellation {
    Cancellation { scope: Scope::Everything, expires_at: None, refunds: refunds(settings, request, member) }
}

/// What is left of each order of a member. Once the days within which it could be unsubscribed are over, only periods that
/// have not begun give something back, as they do by themselves.
pub(crate) fn refunds(settings: &Settings, request: &PlanRequest, member: MemberIndex) -> Vec<Refund> {
    let is_too_late = is_too_late(settings, request, member);
    let amount = |paid: &Order| match is_too_late && !is_ahead(request.at, paid) {
        true => 0,
        false => refund(settings, paid, request.at),
    };
    orders(request, member).map(|(order, paid)| Refund { order, amount: amount(paid), fee: 0 }).collect()
}

fn future_periods(named: &CommandTarget) -> Result<Cancellation, Refusal> {
    let ahead = |order: &Order| is_ahead(named.request.at, order);
    let (mut refunds, mut expires_at) = (Vec::new(), None::<Timestamp>);
    for (order, paid) in orders(named.request, named.member).filter(|(_, order)| ahead(order)) {
        refunds.push(Refund { order, amount: paid.paid, fee: 0 });
        expires_at = Some(expires_at.map_or(paid.starts_at, |earliest| earliest.min(paid.starts_at)));
    }
    let Some(expires_at) = expires_at else {
        return Err(named.denied("has no renewed period that has not begun"));
    };
    // Periods are given back from the end: what an inventory added between or behind them is not this host's to give back.
    let own = orders(named.request, named.member).map(|(_, order)| order);
    if !periods::pay_for(own, expires_at, named.subscription.expires_at) {
        return Err(named.denied(
            "has time behind a renewed period that was not paid for here; the periods go back only with the whole of it",
        ));
    }
    Ok(Cancellation { scope: Scope::FuturePeriods, expires_at: Some(expires_at), refunds })
}

/// Whether an order paid for a renewed period that has not begun.
fn is_ahead(at: Timestamp, order: &Order) -> bool {
    order.kind == OrderKind::Renewal && order.starts_at >= at
}

/// The orders of a member, with their indexes in the request.
fn orders(request: &PlanRequest, member: MemberIndex) -> impl Iterator<Item = (u32, &Order)> {
    (0..).zip(&request.orders).filter(move |(_, order)| order.member == member)
}

/// When the period of an order began. That of a late renewal began at the expiry before it or at its payment, as the
/// account's setting was then: the instant from which whole months lead to its end. Where neither or both does, the setting
/// of today says.
fn began(settings: &Settings, order: &Order) -> Timestamp {
    if order.kind != OrderKind::Renewal || order.paid_at <= order.starts_at {
        return order.starts_at;
    }
    let from_payment = order.paid_at.min(order.ends_at - 1);
    match (ends_months_after(order, order.starts_at), ends_months_after(order, from_payment)) {
        (true, false) => order.starts_at,
        (false, true) => from_payment,
        (true, true) | (false, false) if settings.late_from_renewal => from_payment,
        (true, true) | (false, false) => order.starts_at,
    }
}

/// Whether the period of an order ends a number of whole months after `at`.
fn ends_months_after(order: &Order, at: Timestamp) -> bool {
    // The last day of a month may be that of an anchor which the month is too short for.
    let is_last = CALENDAR.day_of_month(at + DAY) == 1;
    let day = CALENDAR.day_of_month(at);
    let anchor_day = if is_last { day.max(CALENDAR.day_of_month(order.ends_at)) } else { day };
    let after = |count| CALENDAR.plus(at, anchor_day, Term { count, unit: TermUnit::Month });
    (1..=MONTHS_MAX).map(after).take_while(|end| *end <= order.ends_at).any(|end| end == order.ends_at)
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
