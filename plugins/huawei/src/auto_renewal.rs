//! Switching automatic renewal on and off, for a primary and everything attached to it together.
//!
//! Sources: Enabling Automatic Subscription Renewal for Yearly/Monthly Resources (api_order_00022) and Disabling it
//! (api_order_00023). When a renewal is then tried is said in `lifecycle.rs`.

use plugin_sdk::{
    AutoRenewal, OnExpiry, Operation, Plan, Refusal, Resource, SkippedMember, Stage, Step, Timestamp,
};

use crate::condition::Condition;
use crate::condition::refuses;
use crate::family::expiry;
use crate::family::is_live;
use crate::family::leads;
use crate::family::place;
use crate::family::primary;
use crate::family::within;
use crate::lifecycle::next_try;
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
    let set_one = |resource: &Resource| match why_not(resource, |known| known.set_auto_renew) {
        Some(code) => Err(code),
        None => Ok(Operation::SetAutoRenew(AutoRenewal {
            term: wanted.term,
            renewals: renewals(resource, wanted),
        })),
    };
    let mut plan = cascade(bundle, named, set_one)?;
    plan.retry_now = tried_at_once(settings, at, bundle, &plan.steps);
    Ok(plan)
}

/// Switches automatic renewal off for the primary of `named` and everything attached to it.
pub fn cancel(bundle: &[Resource], named: usize) -> Result<Plan, Refusal> {
    cascade(bundle, named, |resource| match why_not(resource, |known| known.cancel_auto_renew) {
        Some(code) => Err(code),
        None if resource.on_expiry != OnExpiry::Renew => Err(ALREADY_OFF),
        None => Ok(Operation::SetOnExpiry(OnExpiry::Lapse)),
    })
}

/// The operation on each of the family of `named`; what it is refused for, `named` itself decides.
fn cascade(
    bundle: &[Resource],
    named: usize,
    operation: impl Fn(&Resource) -> Result<Operation, Code>,
) -> Result<Plan, Refusal> {
    if let Err(code) = operation(&bundle[named]) {
        return Err(code.refusal());
    }
    let mut plan = Plan { steps: Vec::with_capacity(bundle.len()), skipped: Vec::new(), retry_now: None };
    for index in within(bundle, primary(bundle, named)) {
        let member = place(index);
        match operation(&bundle[index]) {
            Ok(operation) => plan.steps.push(Step { member, operation }),
            Err(code) => plan.skipped.push(SkippedMember { member, reason: code.refusal() }),
        }
    }
    Ok(plan)
}

/// Why the setting of this resource cannot be changed by the command that `picks` its column of the conditions.
fn why_not(resource: &Resource, picks: impl Fn(&Condition) -> Option<Code>) -> Option<Code> {
    if !is_live(resource) {
        return Some(UNKNOWN);
    }
    if resource.stage != Stage::Active {
        return Some(EXPIRED_OR_FROZEN);
    }
    refuses(resource, picks)
}

/// How many renewals are allowed: 0 is without limit, and a limit that is there stays when none is sent.
fn renewals(resource: &Resource, wanted: &AutoRenewal) -> Option<u32> {
    let kept = resource.renewals_left.filter(|_| resource.on_expiry == OnExpiry::Renew);
    match wanted.renewals {
        Some(0) => None,
        Some(renewals) => Some(renewals),
        None => kept,
    }
}

/// The first resource that this switches on when no 03:00 is left before its expiry: the fee is deducted at once.
///
/// "Auto-Renewal Rules" of the billing centre's manual. What expires along with its primary is tried with it.
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
            && ahead.is_some_and(|expires_at| next_try(settings, at, expires_at).is_none())
            && !follows(member)
    };
    members().find(is_last_chance).map(place)
}
