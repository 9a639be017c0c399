//! Switches automatic renewal on and off, for a primary together with everything attached to it.
//!
//! Sources: Enabling Automatic Subscription Renewal for Yearly/Monthly Resources (api_order_00022) and Disabling it
//! (api_order_00023). `lifecycle.rs` knows when a renewal is then tried.

use plugin_sdk::AutoRenewal;
use plugin_sdk::OnExpiry;
use plugin_sdk::Operation;
use plugin_sdk::Plan;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::SkippedMember;
use plugin_sdk::Stage;
use plugin_sdk::Step;
use plugin_sdk::Timestamp;
use plugin_sdk::left_out::is_said;

use crate::condition::Condition;
use crate::condition::refuses;
use crate::family::expiry;
use crate::family::is_live;
use crate::family::leads;
use crate::family::member_index;
use crate::family::primary;
use crate::family::within;
use crate::lifecycle::next_try;
use crate::paths::LEFT_OUT;
use crate::paths::says;
use crate::paths::term_left_by;
use crate::refusals::ALREADY_OFF;
use crate::refusals::BAD_PARAMETER;
use crate::refusals::Code;
use crate::refusals::EXPIRED_OR_FROZEN;
use crate::refusals::UNKNOWN;
use crate::renewal::is_sold;
use crate::settings::Settings;

/// The most automatic renewals that can be set.
const RENEWALS_MAX: u32 = 99;

/// Switches automatic renewal on for the primary of `named` and everything attached to it.
pub fn set(
    settings: &Settings,
    at: Timestamp,
    bundle: &[Resource],
    named: usize,
    wanted: &AutoRenewal,
) -> Result<Plan, Refusal> {
    let term_is_sold = wanted.term.is_none_or(|term| is_sold(&bundle[named], term));
    if !term_is_sold || wanted.renewals.is_some_and(|renewals| renewals > RENEWALS_MAX) {
        return Err(BAD_PARAMETER.refusal());
    }
    let set_one = |member: usize| match why_not(&bundle[member], |known| known.set_auto_renew) {
        Some(code) => Err(code),
        None => Ok(Operation::SetAutoRenew(AutoRenewal {
            term: wanted.term,
            renewals: renewals(&bundle[member], wanted),
        })),
    };
    let mut plan = cascade(bundle, named, set_one)?;
    plan.retry_now = tried_at_once(settings, at, bundle, &plan.steps);
    Ok(plan)
}

/// Switches automatic renewal off for the primary of `named` and everything attached to it.
pub fn cancel(bundle: &[Resource], named: usize) -> Result<Plan, Refusal> {
    cascade(bundle, named, |member| match why_not(&bundle[member], |known| known.cancel_auto_renew) {
        Some(code) => Err(code),
        // What was left out has tries of its own although it renews with another.
        None if bundle[member].on_expiry != OnExpiry::Renew && term_left_by(bundle, member).is_none() => {
            Err(ALREADY_OFF)
        }
        None => Ok(Operation::SetOnExpiry(OnExpiry::Lapse)),
    })
}

/// The operation on `named`'s primary and on everything attached to it; what a try left out before holds no more then. It is
/// refused when `named` itself cannot be
/// changed.
fn cascade(
    bundle: &[Resource],
    named: usize,
    operation: impl Fn(usize) -> Result<Operation, Code>,
) -> Result<Plan, Refusal> {
    if let Err(code) = operation(named) {
        return Err(code.refusal());
    }
    let mut plan = Plan {
        steps: Vec::with_capacity(bundle.len()),
        skipped: Vec::new(),
        retry_now: None,
        pay_until: None,
    };
    for index in within(bundle, primary(bundle, named)) {
        let member = member_index(index);
        match operation(index) {
            Ok(operation) => plan.steps.push(Step { member, operation }),
            Err(code) => plan.skipped.push(SkippedMember { member, reason: code.refusal() }),
        }
        if is_said(&bundle[index], LEFT_OUT) {
            plan.steps.push(says(index, String::new()));
        }
    }
    Ok(plan)
}

/// Why the setting of this resource cannot be changed; `picks` selects the command's column of the conditions.
fn why_not(resource: &Resource, picks: impl Fn(&Condition) -> Option<Code>) -> Option<Code> {
    if !is_live(resource) {
        return Some(UNKNOWN);
    }
    if resource.stage != Stage::Active {
        return Some(EXPIRED_OR_FROZEN);
    }
    refuses(resource, picks)
}

/// The number of renewals allowed: 0 is without limit. Without a new limit, the present one stays.
fn renewals(resource: &Resource, wanted: &AutoRenewal) -> Option<u32> {
    let kept = resource.renewals_left.filter(|_| resource.on_expiry == OnExpiry::Renew);
    match wanted.renewals {
        Some(0) => None,
        Some(renewals) => Some(renewals),
        None => kept,
    }
}

/// The first resource that this switches on without a 03:00 left before its expiry: its fee is deducted at once.
///
/// "Auto-Renewal Rules" of the billing centre's manual. A resource that expires together with its primary is tried with
/// it.
fn tried_at_once(settings: &Settings, at: Timestamp, bundle: &[Resource], steps: &[Step]) -> Option<u32> {
    let members = || steps.iter().map(|step| step.member as usize);
    let follows = |member: usize| {
        let set = |above: &usize| members().any(|member| member == *above);
        leads(bundle, member).filter(set).any(|above| expiry(&bundle[above]) == expiry(&bundle[member]))
    };
    let is_last_chance = |&member: &usize| {
        let ahead = expiry(&bundle[member]).filter(|&expires_at| expires_at > at);
        let newly = bundle[member].on_expiry != OnExpiry::Renew;
        newly
            && ahead.is_some_and(|expires_at| next_try(settings, at, expires_at, expires_at).is_none())
            && !follows(member)
    };
    members().find(is_last_chance).map(member_index)
}
