//! Unsubscribes a resource, or its periods that have not begun, with a refund for each order.
//!
//! Sources: Unsubscribing from Yearly/Monthly Resources (api_order_00019) and "Unsubscription Rules" of the billing
//! centre's manual. `refund.rs` knows the amounts.

use plugin_sdk::Cancellation;
use plugin_sdk::Operation;
use plugin_sdk::Order;
use plugin_sdk::OrderKind;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refund;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Scope;
use plugin_sdk::SkippedMember;
use plugin_sdk::Stage;
use plugin_sdk::Step;
use plugin_sdk::Timestamp;
use plugin_sdk::periods;

use crate::condition::refuses;
use crate::extension::usual_term;
use crate::family::Family;
use crate::family::is_bandwidth;
use crate::family::is_live;
use crate::family::lead;
use crate::family::member_index;
use crate::family::within;
use crate::paths::goes_along;
use crate::paths::is_left_behind;
use crate::paths::moved_expiries;
use crate::paths::said;
use crate::paths::term_left_by;
use crate::refund::Division;
use crate::refund::Payment;
use crate::refusals::ADD_ON_KEPT;
use crate::refusals::ALREADY_DELETED;
use crate::refusals::AS_A_WHOLE;
use crate::refusals::CODEARTS_KEPT;
use crate::refusals::Code;
use crate::refusals::FROZEN;
use crate::refusals::KEPT_FOR_ADD_ON;
use crate::refusals::NO_FUTURE_PERIOD;
use crate::refusals::NOT_PAID_HERE;
use crate::refusals::PACKAGE_KEPT;
use crate::refusals::UNKNOWN;
use crate::refusals::UNPAID_ORDER;
use crate::settings::Settings;

/// Plans the end of `named` and of everything attached to it, or of their periods that have not begun.
pub fn unsubscribe(
    settings: &Settings,
    request: &PlanRequest,
    named: usize,
    scope: Scope,
) -> Result<Plan, Refusal> {
    let bundle = &request.bundle;
    if let Some(code) = why_not(bundle, named, request.at, scope) {
        return Err(code.refusal());
    }
    if lead(bundle, named).is_some() {
        return Err(AS_A_WHOLE.refusal());
    }
    let first = ending(settings, request, named, scope).map_err(Code::refusal)?;
    let mut plan =
        Plan { steps: vec![step(named, first)], skipped: Vec::new(), retry_now: None, pay_until: None };
    for member in within(bundle, named).filter(|&member| member != named) {
        match end_attached(settings, request, member, scope) {
            Ok(ending) => plan.steps.push(step(member, ending)),
            // What is attached ends with its primary, and an order that waits holds it.
            Err(UNPAID_ORDER) if scope == Scope::Everything => return Err(UNPAID_ORDER.refusal()),
            Err(code) => {
                plan.skipped.push(SkippedMember { member: member_index(member), reason: code.refusal() })
            }
        }
    }
    note_left_behind(settings, request, &mut plan.steps);
    Ok(plan)
}

/// Says of what gives periods back that it is left behind, where nothing that it goes along with is tried before it expires: it
/// is renewed again, as what renews itself is. What gives back only what the others do, is where it was before: nothing new is
/// said of it, and what renewals before those said holds again.
fn note_left_behind(settings: &Settings, request: &PlanRequest, steps: &mut Vec<Step>) {
    let shortened = moved_expiries(steps);
    // What the rules say of the bundle as it is then.
    let mut bundle = request.bundle.clone();
    for &(member, own) in &shortened {
        bundle[member].expires_at = Some(own);
    }
    let notes = shortened.iter().filter_map(|&(member, own)| {
        let above = goes_along(settings, &bundle, member)?;
        // What an earlier renewal said holds again.
        let term = term_left_by(&bundle, member).or_else(|| usual_term(settings, &bundle[above]))?;
        let earliest = |member: usize| first_payment_back(request, steps, member);
        let returns_alone = earliest(above).is_none_or(|above| earliest(member) < Some(above));
        let is_behind = returns_alone && is_left_behind(settings, &bundle, &[], (member, own));
        is_behind.then(|| said(&request.bundle, &shortened, request.at, member, Some(term)))?
    });
    let notes = notes.collect::<Vec<_>>();
    steps.extend(notes);
}

/// The earliest payment of the periods that a member gives back; `None` when it gives none back.
fn first_payment_back(request: &PlanRequest, steps: &[Step], member: usize) -> Option<Timestamp> {
    let own = steps.iter().filter(|step| step.member as usize == member);
    let refunds = own.filter_map(|step| {
        let Operation::EndSubscription(ending) = &step.operation else { return None };
        Some(&ending.refunds)
    });
    refunds.flatten().map(|refund| request.orders[refund.order as usize].paid_at).min()
}

/// The cancellation of an attached member together with its primary, or why it is skipped.
fn end_attached(
    settings: &Settings,
    request: &PlanRequest,
    member: usize,
    scope: Scope,
) -> Result<Cancellation, Code> {
    match why_not(&request.bundle, member, request.at, scope) {
        // An add-on is of no use without its bandwidth: it ends too, and gives nothing back.
        Some(ADD_ON_KEPT) if scope == Scope::Everything => {
            let mut ending = ending(settings, request, member, scope)?;
            ending.refunds.iter_mut().for_each(|refund| refund.amount = 0);
            Ok(ending)
        }
        Some(code) => Err(code),
        None => ending(settings, request, member, scope),
    }
}

/// Why this resource cannot be unsubscribed from.
fn why_not(bundle: &[Resource], member: usize, at: Timestamp, scope: Scope) -> Option<Code> {
    let resource = &bundle[member];
    match resource.stage {
        Stage::Released | Stage::Unsubscribed => return Some(ALREADY_DELETED),
        Stage::Retention => return Some(FROZEN),
        Stage::Active | Stage::Grace | Stage::Converted => {}
    }
    if !is_live(resource) {
        return Some(UNKNOWN);
    }
    let kept = match Family::of(resource) {
        Family::Common => {
            (scope == Scope::FuturePeriods && has_add_on(bundle, member)).then_some(KEPT_FOR_ADD_ON)
        }
        Family::CodeartsExtension => None,
        Family::BandwidthAddOn => Some(ADD_ON_KEPT),
        Family::CodeartsPackage => Some(CODEARTS_KEPT),
        Family::Package => (scope == Scope::Everything && resource.started_at <= at).then_some(PACKAGE_KEPT),
    };
    kept.or_else(|| refuses(resource, |known| known.unsubscribe))
}

/// Whether an add-on package is attached to this bandwidth, which then keeps its renewed periods.
fn has_add_on(bundle: &[Resource], member: usize) -> bool {
    let is_add_on = |other: &Resource| {
        Family::of(other) == Family::BandwidthAddOn
            && is_live(other)
            && other.attached_to == Some(member_index(member))
    };
    is_bandwidth(&bundle[member]) && bundle.iter().any(is_add_on)
}

/// The cancellation of one member, with a refund for each of its orders that it cancels.
fn ending(
    settings: &Settings,
    request: &PlanRequest,
    member: usize,
    scope: Scope,
) -> Result<Cancellation, Code> {
    let is_own = |order: &Order| order.member == member_index(member) && order.kind != OrderKind::Downgrade;
    let own = || request.orders.iter().zip(0..).filter(|(order, _)| is_own(order));
    let refund = |(_, index)| refund(settings, request, member, index);
    match scope {
        Scope::Everything => {
            Ok(Cancellation { scope, expires_at: None, refunds: own().map(refund).collect() })
        }
        Scope::FuturePeriods => {
            let renewals = own().filter(|(order, _)| order.kind == OrderKind::Renewal);
            let starts = renewals.map(|(order, _)| order.starts_at).filter(|&at| at > request.at);
            let expires_at = starts.min().ok_or(NO_FUTURE_PERIOD)?;
            // Periods are given back from the end: what an inventory added between or behind them is not this host's to give
            // back.
            let until = request.bundle[member].expires_at.ok_or(UNKNOWN)?;
            if !periods::pay_for(own().map(|(order, _)| order), expires_at, until) {
                return Err(NOT_PAID_HERE);
            }
            // With the periods end their upgrades.
            let future = own().filter(|(order, _)| order.starts_at >= expires_at);
            Ok(Cancellation { scope, expires_at: Some(expires_at), refunds: future.map(refund).collect() })
        }
    }
}

/// The refund of one order.
fn refund(settings: &Settings, request: &PlanRequest, member: usize, index: u32) -> Refund {
    let payment = Payment::of(&request.bundle[member], &request.orders, index as usize);
    let Division { refund, fee, .. } = payment.divide(settings, request.at);
    Refund { order: index, amount: refund, fee }
}

fn step(member: usize, ending: Cancellation) -> Step {
    Step { member: member_index(member), operation: Operation::EndSubscription(ending) }
}
