//! On which path each resource is renewed automatically: by tries of its own, or with something that it is attached to.

use plugin_sdk::OnExpiry;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Term;
use plugin_sdk::Timestamp;
use plugin_sdk::left_out::LeftOut;

use crate::extension::is_refused;
use crate::family::CALENDAR;
use crate::family::expiry;
use crate::family::is_live;
use crate::family::lead;
use crate::family::leads;
use crate::settings::Settings;
use crate::settings::TriesUntil;

/// The hour at which fees are deducted, UTC+8: Managing Yearly/Monthly Resources, "Development Suggestions".
pub(crate) const DEDUCTION_HOUR: u8 = 3;

/// Whether automatic renewal is on for this resource and is still tried in its stage.
pub(crate) fn is_tried(settings: &Settings, resource: &Resource) -> bool {
    let in_time = match settings.tries_until {
        TriesUntil::Expiry => resource.stage == Stage::Active,
        TriesUntil::Retention => true,
    };
    is_live(resource) && resource.on_expiry == OnExpiry::Renew && in_time
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

/// The attribute that says that a renewal left a resource out for a reason that passes: its day of expiry, and the term.
pub(crate) const LEFT_OUT: &str = "left_out";

/// The term for which `member` has tries of its own although it is renewed with another: a renewal left it out, for example
/// because an order of it was being carried out, and nothing that it goes along with is tried before it expires. `None` of
/// every other member.
pub(crate) fn left_out(settings: &Settings, bundle: &[Resource], member: usize) -> Option<Term> {
    let resource = &bundle[member];
    let left_out = LeftOut::of(resource, LEFT_OUT, CALENDAR)?;
    let own = expiry(resource)?;
    // The one above may have used up its last renewal with the try that left this one out. What was decided about it since is
    // for both.
    let above = &bundle[lead(bundle, member)?];
    let stays = match above.on_expiry {
        OnExpiry::Renew | OnExpiry::Lapse => true,
        OnExpiry::Convert | OnExpiry::Release => false,
    };
    let lapses = resource.stage == Stage::Active && resource.on_expiry == OnExpiry::Lapse;
    let taken_at = tried_with(settings, bundle, member)
        .filter(|&above| above != member)
        .and_then(|above| Some(first_try(settings, expiry(&bundle[above])?)));
    let is_taken = taken_at.is_some_and(|first| first < own);
    (stays && lapses && !is_taken).then_some(left_out.term)
}

/// The first try of an automatic renewal.
pub(crate) fn first_try(settings: &Settings, expires_at: Timestamp) -> Timestamp {
    CALENDAR.at_hour(expires_at, settings.deduction_days, DEDUCTION_HOUR)
}
