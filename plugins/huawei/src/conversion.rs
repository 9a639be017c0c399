//! Sets and cancels the change to pay-per-use on expiry, for a primary together with everything attached to it.
//!
//! Source: Enabling/Canceling the Change from Yearly/Monthly to Pay-per-Use upon Expiration (api_order_00024).
//! `lifecycle.rs` makes the change at the expiry.

use plugin_sdk::OnExpiry;
use plugin_sdk::Operation;
use plugin_sdk::Plan;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::SkippedMember;
use plugin_sdk::Stage;
use plugin_sdk::Step;

use crate::condition::refuses;
use crate::family::Family;
use crate::family::is_live;
use crate::family::lead;
use crate::family::member_index;
use crate::family::within;
use crate::refusals::BAD_PARAMETER;
use crate::refusals::Code;
use crate::refusals::EXPIRED_FOR_CONVERSION;
use crate::refusals::NO_PAY_PER_USE;
use crate::refusals::NOT_PRIMARY;
use crate::refusals::PACKAGE_CONVERSION;
use crate::refusals::UNKNOWN;

/// Sets the change for `named` and everything attached to it.
pub fn set(bundle: &[Resource], named: usize) -> Result<Plan, Refusal> {
    cascade(bundle, named, OnExpiry::Convert, |resource| {
        why_not(resource).or_else(|| refuses(resource, |known| known.convert))
    })
}

/// Cancels the change: the resources expire like any other.
pub fn cancel(bundle: &[Resource], named: usize) -> Result<Plan, Refusal> {
    cascade(bundle, named, OnExpiry::Lapse, |resource| {
        // No code is documented for cancelling what was not set.
        why_not(resource).or_else(|| (resource.on_expiry != OnExpiry::Convert).then_some(BAD_PARAMETER))
    })
}

fn cascade(
    bundle: &[Resource],
    named: usize,
    on_expiry: OnExpiry,
    why_not: impl Fn(&Resource) -> Option<Code>,
) -> Result<Plan, Refusal> {
    if let Some(code) = why_not(&bundle[named]) {
        return Err(code.refusal());
    }
    if lead(bundle, named).is_some() {
        return Err(NOT_PRIMARY.refusal());
    }
    let mut plan = Plan {
        steps: Vec::with_capacity(bundle.len()),
        skipped: Vec::new(),
        retry_now: None,
        pay_until: None,
    };
    for index in within(bundle, named) {
        let member = member_index(index);
        match why_not(&bundle[index]) {
            None => plan.steps.push(Step { member, operation: Operation::SetOnExpiry(on_expiry) }),
            Some(code) => plan.skipped.push(SkippedMember { member, reason: code.refusal() }),
        }
    }
    Ok(plan)
}

/// Why the action on this resource's expiry cannot be changed.
fn why_not(resource: &Resource) -> Option<Code> {
    if !is_live(resource) {
        return Some(UNKNOWN);
    }
    let never = match Family::of(resource) {
        Family::Common => None,
        Family::BandwidthAddOn | Family::CodeartsPackage | Family::CodeartsExtension => Some(NO_PAY_PER_USE),
        Family::Package => Some(PACKAGE_CONVERSION),
    };
    never.or((resource.stage != Stage::Active).then_some(EXPIRED_FOR_CONVERSION))
}
