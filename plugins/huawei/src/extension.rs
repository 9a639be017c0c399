//! What renewing one resource by one term comes to, and what forbids it for good. Knows no bundles, and nothing of tries.

use chrono::Months;
use plugin_sdk::Charging;
use plugin_sdk::Extension;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;

use crate::family::CALENDAR;
use crate::family::Family;
use crate::family::end;
use crate::family::prepaid_since;
use crate::family::will_convert;
use crate::refusals::Code;
use crate::refusals::DELETED;
use crate::refusals::NOT_RENEWABLE;
use crate::refusals::UNSUBSCRIBED;
use crate::settings::AutoRenewPeriod;
use crate::settings::Settings;

/// Whether the rules refuse every try of this resource, for a reason that does not pass: a condition does.
pub(crate) fn is_refused(settings: &Settings, resource: &Resource) -> bool {
    let extension = usual_term(settings, resource).and_then(|term| extended(settings, resource, term));
    let is_never = never_renewed(resource).is_some();
    is_never || extension.is_none_or(|extension| is_too_long(settings, resource, extension.expires_at))
}

/// The extension by one term from the original expiry, and from there to the unified expiry day.
pub(crate) fn extended(settings: &Settings, resource: &Resource, term: Term) -> Option<Extension> {
    let family = Family::of(resource);
    let expires_at = end(family, resource.expires_at?);
    let anchor_day = resource.anchor_day.unwrap_or_else(|| CALENDAR.day_of_month(expires_at));
    let plain = end(family, CALENDAR.plus(expires_at, anchor_day, term));
    let Some(day) = settings.unified_expiry_day.filter(|_| family != Family::Package) else {
        return Some(Extension { expires_at: plain, term, extra_days: 0, anchor_day: None });
    };
    let unified = CALENDAR.on_or_after(plain, day);
    let extra_days =
        u32::try_from(CALENDAR.days_between(plain, unified)).expect("`on_or_after` goes no way back");
    Some(Extension { expires_at: unified, term, extra_days, anchor_day: (day != anchor_day).then_some(day) })
}

/// Why a resource in this state cannot be renewed at all; `None` if it can.
pub(crate) fn never_renewed(resource: &Resource) -> Option<Code> {
    match resource.stage {
        Stage::Released => return Some(DELETED),
        Stage::Unsubscribed => return Some(UNSUBSCRIBED),
        Stage::Converted => return Some(NOT_RENEWABLE),
        Stage::Active | Stage::Grace | Stage::Retention => {}
    }
    (resource.charging == Charging::Postpaid || will_convert(resource)).then_some(NOT_RENEWABLE)
}

/// The term of an automatic renewal: the one that was set, otherwise the one of the documents.
pub(crate) fn usual_term(settings: &Settings, resource: &Resource) -> Option<Term> {
    let own = resource.term?;
    Some(resource.renewal_term.unwrap_or(match settings.auto_renew_period {
        // A package is renewed by whole periods of its own, so that every quota has one. What was bought for days is not
        // renewed day by day: the smallest that is sold is a month.
        AutoRenewPeriod::Smallest if Family::of(resource) != Family::Package && own.unit != TermUnit::Day => {
            Term { count: 1, unit: own.unit }
        }
        AutoRenewPeriod::Smallest | AutoRenewPeriod::Original => own,
    }))
}

/// Whether the new expiry is later than the account's most years allow, from the day on which it was bought.
pub(crate) fn is_too_long(settings: &Settings, resource: &Resource, expires_at: Timestamp) -> bool {
    let months = Months::new(settings.total_years_max * 12);
    let last_day = prepaid_since(resource).checked_add_months(months);
    settings.total_years_max > 0 && last_day.is_some_and(|last_day| CALENDAR.date(expires_at) > last_day)
}
