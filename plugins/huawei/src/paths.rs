//! On which path each resource is renewed automatically: by tries of its own, or with something that it is attached to.

use plugin_sdk::OnExpiry;
use plugin_sdk::Operation;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Step;
use plugin_sdk::Term;
use plugin_sdk::Timestamp;
use plugin_sdk::left_out::ExpiryMove;
use plugin_sdk::left_out::LeftOut;
use plugin_sdk::settings::get;

use crate::condition::refused_for_now;
use crate::extension::is_refused;
use crate::extension::usual_term;
use crate::family::CALENDAR;
use crate::family::expiry;
use crate::family::is_live;
use crate::family::lead;
use crate::family::leads;
use crate::family::member_index;
use crate::settings::Settings;
use crate::settings::TriesUntil;

/// The hour at which fees are deducted, UTC+8: Managing Yearly/Monthly Resources, "Development Suggestions".
pub(crate) const DEDUCTION_HOUR: u8 = 3;

/// Whether automatic renewal is on for this resource and is still tried in its stage.
pub(crate) fn is_tried(settings: &Settings, resource: &Resource) -> bool {
    is_live(resource) && resource.on_expiry == OnExpiry::Renew && is_in_time(settings, resource)
}

pub(crate) fn is_in_time(settings: &Settings, resource: &Resource) -> bool {
    match settings.tries_until {
        TriesUntil::Expiry => resource.stage == Stage::Active,
        TriesUntil::Retention => true,
    }
}

/// The member whose tries renew `member` automatically: itself, or one that it is attached to. `None` if nothing does.
///
/// What expires together with something above it is renewed with that; what renews itself at another instant, by
/// itself; everything else with the nearest above it. So each resource is renewed on one path. Nothing is left to a resource
/// above whose own renewal the rules refuse.
pub(crate) fn tried_with(settings: &Settings, bundle: &[Resource], member: usize) -> Option<usize> {
    let renews = |above: &Resource| is_tried(settings, above) && !is_refused(settings, above);
    let tried_above = || leads(bundle, member).filter(|&above| renews(&bundle[above]));
    if let Some(above) = tried_above().find(|&above| expiry(&bundle[above]) == expiry(&bundle[member])) {
        return tried_with(settings, bundle, above);
    }
    if is_tried(settings, &bundle[member]) {
        return Some(member);
    }
    tried_above().next().and_then(|above| tried_with(settings, bundle, above))
}

/// The attribute that says which renewals left a resource behind: see [`LeftOut`].
pub(crate) const LEFT_OUT: &str = "left_out";

/// The term for which `member` has tries of its own although it is renewed with another: a renewal left it behind, for example
/// because an order of it was being carried out, and nothing that it goes along with is tried before it expires. `None` of
/// every other member.
pub(crate) fn left_out(settings: &Settings, bundle: &[Resource], member: usize) -> Option<Term> {
    let resource = &bundle[member];
    let left_out = term_left_by(bundle, member)?;
    let own = expiry(resource)?;
    // The one above may have used up its last renewal with the try that left this one out. What was decided about it since is
    // for both, unless something further above renews this one.
    let above = &bundle[lead(bundle, member)?];
    let goes_along = goes_along(settings, bundle, member);
    let stays = match above.on_expiry {
        OnExpiry::Renew | OnExpiry::Lapse => true,
        OnExpiry::Convert | OnExpiry::Release => goes_along.is_some(),
    };
    let lapses = is_in_time(settings, resource) && resource.on_expiry == OnExpiry::Lapse;
    let is_behind = expiry(above).is_some_and(|above| own < above);
    let is_taken = goes_along.is_some_and(|above| {
        let above = &bundle[above];
        refused_for_now(above, true).is_none() && is_tried_before(settings, expiry(above), own)
    });
    (stays && lapses && is_behind && !is_taken).then_some(left_out)
}

/// The term of the renewal that left `member` behind what it is attached to; `None` when none did, or when it was given back.
pub(crate) fn term_left_by(bundle: &[Resource], member: usize) -> Option<Term> {
    LeftOut::of(&bundle[member], LEFT_OUT).term(CALENDAR.date(expiry_above(bundle, &[], member)?))
}

/// The last expiry of what `member` is attached to, directly or through others; `moved` is what expires elsewhere by now.
fn expiry_above(bundle: &[Resource], moved: &[(usize, Timestamp)], member: usize) -> Option<Timestamp> {
    leads(bundle, member).filter_map(|above| expiry_once(bundle, moved, above)).max()
}

fn expiry_once(bundle: &[Resource], moved: &[(usize, Timestamp)], member: usize) -> Option<Timestamp> {
    let moved = moved.iter().find(|(moved, _)| *moved == member);
    moved.map(|(_, expires_at)| *expires_at).or_else(|| expiry(&bundle[member]))
}

/// The step that says of `member` that it is left behind for this term from now on, or that it is not; `None` when that is
/// said already. `moved` is what expires elsewhere from now on.
pub(crate) fn said(
    bundle: &[Resource],
    moved: &[(usize, Timestamp)],
    at: Timestamp,
    member: usize,
    term: Option<Term>,
) -> Option<Step> {
    let day = |moved| expiry_above(bundle, moved, member).map(|above| CALENDAR.date(above));
    let other = ExpiryMove { today: CALENDAR.date(at), from: day(&[])?, until: day(moved)? };
    let value = LeftOut::of(&bundle[member], LEFT_OUT).after(other, term).to_string();
    let is_news = get(&bundle[member].attributes, LEFT_OUT).unwrap_or_default() != value;
    is_news.then(|| says(member, value))
}

/// The step by which a plan gives [`LEFT_OUT`] of a member this value.
pub(crate) fn says(member: usize, value: String) -> Step {
    Step { member: member_index(member), operation: Operation::SetAttribute((LEFT_OUT.to_owned(), value)) }
}

/// The term of the two tries that `member` has of its own while what it goes along with cannot be renewed, for a reason that
/// passes, and the tries for both have begun: the last before it expires. `None` of every other member.
pub(crate) fn stands_in(settings: &Settings, bundle: &[Resource], member: usize) -> Option<Term> {
    let resource = &bundle[member];
    let above = &bundle[goes_along(settings, bundle, member)?];
    let have_begun = is_tried_before(settings, expiry(above), expiry(resource)?);
    refused_for_now(above, true).filter(|_| resource.stage == Stage::Active && have_begun)?;
    usual_term(settings, resource)
}

/// The term for which an automatic renewal may name `member` although it does not renew itself.
pub(crate) fn own_term(settings: &Settings, bundle: &[Resource], member: usize) -> Option<Term> {
    left_out(settings, bundle, member).or_else(|| stands_in(settings, bundle, member))
}

/// The other member whose tries renew `member`.
pub(crate) fn goes_along(settings: &Settings, bundle: &[Resource], member: usize) -> Option<usize> {
    tried_with(settings, bundle, member).filter(|&above| above != member)
}

/// The members whose expiry these steps move, and where each expires then.
pub(crate) fn moved_expiries(steps: &[Step]) -> Vec<(usize, Timestamp)> {
    let moved = steps.iter().filter_map(|step| {
        let expires_at = if let Operation::Extend(extension) = &step.operation {
            extension.expires_at
        } else if let Operation::EndSubscription(ending) = &step.operation {
            ending.expires_at?
        } else {
            return None;
        };
        Some((step.member as usize, expires_at))
    });
    moved.collect()
}

/// Whether `member`, once it expires at `own`, is left behind by what it goes along with, which is not tried before. One that
/// was left behind before is as long as it expires before what it is attached to. `moved` is what expires elsewhere then.
pub(crate) fn is_left_behind(
    settings: &Settings,
    bundle: &[Resource],
    moved: &[(usize, Timestamp)],
    (member, own): (usize, Timestamp),
) -> bool {
    let expires_at = |member: usize| expiry_once(bundle, moved, member);
    let resource = &bundle[member];
    let above = goes_along(settings, bundle, member);
    let is_covered = above.is_some() || term_left_by(bundle, member).is_some();
    let is_behind = lead(bundle, member).and_then(expires_at).is_some_and(|above| own < above);
    let is_taken = above.is_some_and(|above| is_tried_before(settings, expires_at(above), own));
    resource.on_expiry == OnExpiry::Lapse && is_covered && is_behind && !is_taken
}

fn is_tried_before(settings: &Settings, expires_at: Option<Timestamp>, until: Timestamp) -> bool {
    expires_at.is_some_and(|expires_at| first_try(settings, expires_at) < until)
}

/// The first try of an automatic renewal.
pub(crate) fn first_try(settings: &Settings, expires_at: Timestamp) -> Timestamp {
    CALENDAR.at_hour(expires_at, settings.deduction_days, DEDUCTION_HOUR)
}
