//! Renewals, by hand or when a try is due: the resources that are extended, and those that are skipped.
//!
//! Sources: Renewing Subscriptions to Yearly/Monthly Resources (api_order_00018), Managing Yearly/Monthly Resources,
//! and "Renewal Rules" of the billing centre's manual (renewals_topic_10000002). Knows no prices.

use plugin_sdk::Extension;
use plugin_sdk::OnExpiry;
use plugin_sdk::Operation;
use plugin_sdk::Plan;
use plugin_sdk::Refusal;
use plugin_sdk::Renewal;
use plugin_sdk::Resource;
use plugin_sdk::SkippedMember;
use plugin_sdk::Stage;
use plugin_sdk::Step;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;

use crate::condition::refused_for_now;
use crate::extension::extended;
use crate::extension::is_too_long;
use crate::extension::never_renewed;
use crate::extension::usual_term;
use crate::family::Family;
use crate::family::expiry;
use crate::family::is_within;
use crate::family::lead;
use crate::family::member_index;
use crate::package::renews_by;
use crate::paths::goes_along;
use crate::paths::is_in_time;
use crate::paths::is_left_behind;
use crate::paths::is_tried;
use crate::paths::left_out;
use crate::paths::moved_expiries;
use crate::paths::own_term;
use crate::paths::said;
use crate::paths::tried_with;
use crate::payment;
use crate::refusals::ALREADY_OFF;
use crate::refusals::Code;
use crate::refusals::EXPIRED_OR_FROZEN;
use crate::refusals::LASTS_AS_LONG;
use crate::refusals::NOT_PRIMARY;
use crate::refusals::NOT_RENEWABLE;
use crate::refusals::PERIOD_OVER;
use crate::refusals::RENEWED_WITH_ANOTHER;
use crate::refusals::RENEWS_ITSELF;
use crate::refusals::TERM_NOT_SOLD;
use crate::refusals::TOO_LONG;
use crate::settings::AutoRenewalTakes;
use crate::settings::Settings;

/// Plans the renewal of `named` and of everything attached to it, each from its own original expiry.
pub fn renew(
    settings: &Settings,
    at: Timestamp,
    bundle: &[Resource],
    named: usize,
    renewal: &Renewal,
) -> Result<Plan, Refusal> {
    let resource = &bundle[named];
    payment::check(&renewal.options)?;
    may_be_named(settings, bundle, named, renewal).map_err(Code::refusal)?;
    let Some(term) =
        renewal.term.or_else(|| own_term(settings, bundle, named)).or_else(|| usual_term(settings, resource))
    else {
        return Err(NOT_RENEWABLE.refusal());
    };
    if renewal.term.is_some() && !is_sold(resource, term) {
        return Err(not_sold(resource));
    }
    let extend = |member: &Resource| extension(settings, at, member, term, renewal.automatic);
    let own = extend(resource).map_err(Code::refusal)?;
    let mut steps = Vec::with_capacity(bundle.len());
    steps.push(step(named, own));
    let mut skipped = Vec::new();
    let takes_all = !renewal.automatic || settings.auto_renewal_takes == AutoRenewalTakes::Bundle;
    let stays_out = |member: usize| {
        if takes_all { None } else { stays_out(settings, bundle, named, own.expires_at, member) }
    };
    for (member, attached) in bundle.iter().enumerate() {
        if member == named || !is_within(bundle, named, member) {
            continue;
        }
        match stays_out(member).map_or_else(|| extend(attached), Err) {
            Ok(extension) => steps.push(step(member, extension)),
            Err(code) => skipped.push(SkippedMember { member: member_index(member), reason: code.refusal() }),
        }
    }
    note_left_out(settings, at, bundle, (term, renewal.automatic), &skipped, &mut steps);
    let pay_until = payment::pay_until(settings, at, &renewal.options)?;
    if renewal.automatic && pay_until.is_some() {
        return Err(payment::automatic_is_paid());
    }
    Ok(Plan { steps, skipped, retry_now: None, pay_until })
}

/// Adds to the steps of a renewal by this term what it says of those that it leaves behind: because a reason that passes keeps
/// them out, or because they are renewed along and still expire before anything tries them again. What was said before of
/// those that are not behind any more is taken back.
fn note_left_out(
    settings: &Settings,
    at: Timestamp,
    bundle: &[Resource],
    (term, automatic): (Term, bool),
    skipped: &[SkippedMember],
    steps: &mut Vec<Step>,
) {
    let extended = moved_expiries(steps);
    let renewed = extended.iter().filter_map(|&(member, own)| {
        let is_behind = is_left_behind(settings, bundle, &extended, (member, own));
        said(bundle, &extended, at, member, is_behind.then_some(term))
    });
    let left_out = skipped.iter().filter_map(|one| {
        let (member, resource) = (one.member as usize, &bundle[one.member as usize]);
        let lapses = is_in_time(settings, resource) && resource.on_expiry == OnExpiry::Lapse;
        let goes_along = goes_along(settings, bundle, member).is_some();
        refused_for_now(resource, automatic).filter(|_| lapses && goes_along)?;
        said(bundle, &extended, at, member, Some(term))
    });
    let notes = renewed.chain(left_out).collect::<Vec<_>>();
    steps.extend(notes);
}

/// Why an attached member stays out of the automatic renewal of `named` until `expires_at`, if it does: each resource
/// is renewed on one path, and for no longer than its primary needs it.
fn stays_out(
    settings: &Settings,
    bundle: &[Resource],
    named: usize,
    expires_at: Timestamp,
    member: usize,
) -> Option<Code> {
    // What is over has a better reason.
    let own_expiry = expiry(&bundle[member])?;
    if left_out(settings, bundle, member).is_some() {
        return Some(RENEWS_ITSELF);
    }
    // One that is named although it goes along with another is renewed with what goes along there, too; one that has tries of
    // its own meanwhile, with what does not live longer than it.
    let has_own_tries = own_term(settings, bundle, named).is_some();
    let is_as_short = expiry(&bundle[named]).is_some_and(|named| own_expiry <= named);
    let goes_along = tried_with(settings, bundle, named).filter(|_| !has_own_tries || is_as_short);
    match tried_with(settings, bundle, member) {
        Some(itself) if itself == member => Some(RENEWS_ITSELF),
        other if other != Some(named) && other.is_some() && other != goes_along => Some(RENEWED_WITH_ANOTHER),
        Some(_) | None => {
            let is_due = bundle[member].stage != Stage::Active || own_expiry < expires_at;
            (!is_due).then_some(LASTS_AS_LONG)
        }
    }
}

/// Whether a renewal may name this member.
fn may_be_named(
    settings: &Settings,
    bundle: &[Resource],
    named: usize,
    renewal: &Renewal,
) -> Result<(), Code> {
    let resource = &bundle[named];
    if let Some(code) = never_renewed(resource) {
        return Err(code);
    }
    if !renewal.automatic {
        return if lead(bundle, named).is_some() { Err(NOT_PRIMARY) } else { Ok(()) };
    }
    if own_term(settings, bundle, named).is_some() {
        return Ok(());
    }
    if resource.on_expiry != OnExpiry::Renew {
        return Err(if resource.stage == Stage::Active { ALREADY_OFF } else { EXPIRED_OR_FROZEN });
    }
    if is_tried(settings, resource) { Ok(()) } else { Err(EXPIRED_OR_FROZEN) }
}

/// The extension of one resource, or why it is refused.
fn extension(
    settings: &Settings,
    at: Timestamp,
    resource: &Resource,
    term: Term,
    automatic: bool,
) -> Result<Extension, Code> {
    let extension = allowed(settings, resource, term, automatic)?;
    // One that is still active is never too late: the host that tries it after its expiry was down when it was due. Nor is one
    // whose tries go on after its expiry: the next try renews it further.
    let may_be_late = resource.stage == Stage::Active || automatic && is_tried(settings, resource);
    if !may_be_late && extension.expires_at <= at {
        return Err(PERIOD_OVER);
    }
    Ok(extension)
}

/// The extension of one resource, or why it is refused at any time.
fn allowed(settings: &Settings, resource: &Resource, term: Term, automatic: bool) -> Result<Extension, Code> {
    if let Some(code) = never_renewed(resource) {
        return Err(code);
    }
    if let Some(code) = refused_for_now(resource, automatic) {
        return Err(code);
    }
    let extension = extended(settings, resource, term).ok_or(NOT_RENEWABLE)?;
    if is_too_long(settings, resource, extension.expires_at) { Err(TOO_LONG) } else { Ok(extension) }
}

/// Whether the term is sold for the resource: 1 to 11 months or 1 to 3 years; `package.rs` decides for packages.
pub(crate) fn is_sold(resource: &Resource, term: Term) -> bool {
    let sold = match term.unit {
        TermUnit::Day => false,
        TermUnit::Month => (1..=11).contains(&term.count),
        TermUnit::Year => (1..=3).contains(&term.count),
    };
    sold && (Family::of(resource) != Family::Package || renews_by(resource, term))
}

/// The refusal of a term that is not sold for the resource, with those that are.
pub(crate) fn not_sold(resource: &Resource) -> Refusal {
    let unit = resource.term.filter(|_| Family::of(resource) == Family::Package).map(|term| term.unit);
    let sold = match unit {
        Some(TermUnit::Month) => "1 to 9 months, in whole periods of its own",
        Some(TermUnit::Day | TermUnit::Year) => "1 to 3 years, in whole periods of its own",
        None => "1 to 11 months, or 1 to 3 years",
    };
    TERM_NOT_SOLD.because(format!("the resource is not sold for this term; choose {sold}"))
}

fn step(member: usize, extension: Extension) -> Step {
    Step { member: member_index(member), operation: Operation::Extend(extension) }
}
