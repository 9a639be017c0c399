//! The provider's days, and the hours at which what expires is tried.

use plugin_sdk::Timestamp;
use plugin_sdk::calendar::Calendar;

use crate::kinds::Kind;
use crate::settings::Settings;
use crate::settings::UTC_OFFSET_MINUTES;

/// The provider's days.
pub const CALENDAR: Calendar = Calendar::ahead_of_utc(UTC_OFFSET_MINUTES);

/// When the hour of tries is after the expiry, the try on the day of expiry is this long before the expiry.
const LAST_MOMENT: Timestamp = 3600;

/// `hour` o'clock, this many days before the day of the expiry; always before the expiry itself.
pub(crate) fn ahead(expires_at: Timestamp, days: i64, hour: u8) -> Timestamp {
    let at = CALENDAR.at_hour(expires_at, days, hour);
    if at < expires_at { at } else { expires_at - LAST_MOMENT }
}

/// The tries of what expires then, in the order of the setting.
pub(crate) fn tries(
    settings: &Settings,
    kind: Kind,
    expires_at: Timestamp,
) -> impl Iterator<Item = Timestamp> {
    settings.try_days(kind).iter().map(move |days| ahead(expires_at, *days, settings.try_hour))
}
