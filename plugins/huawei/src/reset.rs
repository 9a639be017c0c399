//! Packages whose quota is reset: the attributes that say so, and the instants at which periods begin.
//!
//! Sources: Querying the Resource Package List (`quota_reuse_mode`, `quota_reuse_cycle`, `quota_reuse_cycle_type`), and
//! "Resource Packages" of the billing centre's manual (renewals_topic_30000003): what is left at the end of a reset
//! period is lost, and the next one begins with the whole quota. Knows no amounts.

use plugin_sdk::Resource;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;
use plugin_sdk::calendar::DAY;
use plugin_sdk::settings::get;

use crate::family::CALENDAR;
use crate::family::Family;
use crate::family::end;

/// The most refills that a timeline shows: with tries, notices and stages it has to fit into the contract's 128.
pub(crate) const REFILLS_MAX: usize = 100;

/// The most periods that are counted back from an expiry, so that an absurd expiry costs little time.
const PERIODS_MAX: u32 = 4_000;

/// The attribute with the length of the reset period: `hour`, `day`, `week`, `month` or `year`, or the provider's
/// number for it, 1 to 5. Without it the quota is not reset.
pub(crate) const CYCLE: &str = "quota_reuse_cycle";
/// The attribute that says what reset periods follow: `calendar` or `subscription`, or the provider's number, 1 or 2.
/// Without it, the subscription.
pub(crate) const CYCLE_TYPE: &str = "quota_reuse_cycle_type";

/// The length of a reset period.
#[derive(Clone, Copy)]
enum Cycle {
    /// This many seconds; by the calendar, counted from this instant.
    Fixed(Timestamp, Timestamp),
    /// A month or a year.
    Whole(TermUnit),
}

/// The first instants strictly after `after` at which a reset period of a package begins, all of them before its
/// expiry. None for a package whose quota is not reset.
pub(crate) fn resets(resource: &Resource, expires_at: Timestamp, after: Timestamp) -> Vec<Timestamp> {
    let Some(cycle) = get(&resource.attributes, CYCLE).and_then(cycle) else { return Vec::new() };
    let by_calendar = matches!(get(&resource.attributes, CYCLE_TYPE), Some("calendar" | "1"));
    let after = after.max(resource.started_at);
    let until_expiry = |at: &Timestamp| *at < expires_at;
    match cycle {
        Cycle::Fixed(seconds, calendar_start) => {
            let start = if by_calendar { calendar_start } else { resource.started_at };
            let first = start + ((after - start).div_euclid(seconds) + 1) * seconds;
            let all = std::iter::successors(Some(first), |&at| Some(at + seconds));
            all.take_while(until_expiry).take(REFILLS_MAX).collect()
        }
        Cycle::Whole(unit) if by_calendar => {
            let month = Term { count: 1, unit: TermUnit::Month };
            let first = CALENDAR.plus(CALENDAR.midnight(after), 1, month);
            let months = std::iter::successors(Some(first), |&at| Some(CALENDAR.plus(at, 1, month)));
            let begins = |at: &Timestamp| unit == TermUnit::Month || CALENDAR.is_new_year(*at);
            months.take_while(until_expiry).filter(begins).take(REFILLS_MAX).collect()
        }
        // Like the paid periods themselves, reset periods are counted back from the end of the last one.
        Cycle::Whole(unit) => boundaries(resource, expires_at, after, Term { count: 1, unit }),
    }
}

/// The first boundaries of periods of this length, counted back from the expiry.
pub(crate) fn boundaries(
    resource: &Resource,
    expires_at: Timestamp,
    after: Timestamp,
    own: Term,
) -> Vec<Timestamp> {
    let anchor_day = resource.anchor_day.unwrap_or_else(|| CALENDAR.day_of_month(expires_at));
    let began = |periods: u32| {
        let back = Term { count: own.count.saturating_mul(periods), unit: own.unit };
        end(Family::Package, CALENDAR.minus(expires_at, anchor_day, back))
    };
    // The first period ends no sooner than the package's first day does.
    let ahead = after.max(CALENDAR.end_of_day(resource.started_at));
    let mut boundaries = (1..=PERIODS_MAX).map(began).take_while(|&at| at > ahead).collect::<Vec<_>>();
    boundaries.reverse();
    boundaries.truncate(REFILLS_MAX);
    boundaries
}

fn cycle(text: &str) -> Option<Cycle> {
    // A Monday: 5 January 1970.
    let monday = CALENDAR.midnight(4 * DAY);
    match text {
        "hour" | "1" => Some(Cycle::Fixed(3600, monday)),
        "day" | "2" => Some(Cycle::Fixed(DAY, monday)),
        "week" | "3" => Some(Cycle::Fixed(7 * DAY, monday)),
        "month" | "4" => Some(Cycle::Whole(TermUnit::Month)),
        "year" | "5" => Some(Cycle::Whole(TermUnit::Year)),
        _ => None,
    }
}
