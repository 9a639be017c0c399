//! On which path each resource is renewed automatically: by tries of its own, or with something that it is attached to.

use plugin_sdk::OnExpiry;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Timestamp;

use crate::extension::is_refused;
use crate::extension::usual_term;
use crate::family::CALENDAR;
use crate::family::expiry;
use crate::family::is_live;
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

/// The member that `member` is renewed with automatically, when that one was renewed from the day on which `member` expires, and
/// is not tried before: a try left `member` out, for example because an order of it was being carried out. It then has
/// tries of its own.
pub(crate) fn left_behind(settings: &Settings, bundle: &[Resource], member: usize) -> Option<usize> {
    let resource = &bundle[member];
    let above = tried_with(settings, bundle, member).filter(|&above| above != member)?;
    let primary = &bundle[above];
    let (own, others) = (expiry(resource)?, expiry(primary)?);
    let lapses = resource.stage == Stage::Active && resource.on_expiry == OnExpiry::Lapse;
    let renewed_from = CALENDAR.minus(others, primary.anchor_day?, usual_term(settings, primary)?);
    let expired_with_it = CALENDAR.date(own) == CALENDAR.date(renewed_from);
    (lapses && expired_with_it && own <= first_try(settings, others)).then_some(above)
}

/// The first try of an automatic renewal.
pub(crate) fn first_try(settings: &Settings, expires_at: Timestamp) -> Timestamp {
    CALENDAR.at_hour(expires_at, settings.deduction_days, DEDUCTION_HOUR)
}
