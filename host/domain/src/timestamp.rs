//! Instants, in whole seconds. Knows RFC 3339 and the length of months, and neither time zones nor the present time.

use std::fmt;
use std::ops::Add;
use std::ops::Sub;
use std::str::FromStr;

use chrono::DateTime;
use chrono::Datelike;
use chrono::Months;
use chrono::Timelike;

use crate::term::Term;
use crate::term::TermUnit;

/// An instant: whole seconds since 1970-01-01T00:00:00Z, within the years 1 to 9999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Why a text is no [`Timestamp`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an instant; write one in RFC 3339, such as `2026-02-28T15:59:59Z`")]
pub struct TimestampError {
    text: String,
}

impl Timestamp {
    /// The first instant there is, 0001-01-01T00:00:00Z.
    pub const MIN: Timestamp = Timestamp(-62_135_596_800);
    /// The last instant there is, 9999-12-31T23:59:59Z.
    pub const MAX: Timestamp = Timestamp(253_402_300_799);

    /// The instant `seconds` after 1970-01-01T00:00:00Z, or the nearest one there is.
    pub const fn from_second(seconds: i64) -> Timestamp {
        if seconds < Timestamp::MIN.0 {
            Timestamp::MIN
        } else if seconds > Timestamp::MAX.0 {
            Timestamp::MAX
        } else {
            Timestamp(seconds)
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn as_second(self) -> i64 {
        self.0
    }

    /// The day of the month in days that are `offset_minutes` ahead of UTC, 1 to 31.
    ///
    /// ```
    /// let evening = "2026-02-28T16:00:00Z".parse::<perennial_domain::timestamp::Timestamp>()?;
    /// assert_eq!(evening.day_of_month(0), 28);
    /// assert_eq!(evening.day_of_month(480), 1); // already March in UTC+8
    /// # Ok::<(), perennial_domain::timestamp::TimestampError>(())
    /// ```
    pub fn day_of_month(self, offset_minutes: i16) -> u8 {
        let shifted = Timestamp::from_second(self.0 + i64::from(offset_minutes) * 60);
        u8::try_from(shifted.to_utc().day()).expect("a month has at most 31 days")
    }

    /// The month of it in days that are `offset_minutes` ahead of UTC, counted from the beginning of the year 0.
    pub(crate) fn month(self, offset_minutes: i16) -> i32 {
        let local = Timestamp::from_second(self.0 + i64::from(offset_minutes) * 60).to_utc();
        local.year() * 12 + i32::try_from(local.month0()).expect("a year has twelve months")
    }

    /// The first instant of its month, in days that are `offset_minutes` ahead of UTC.
    ///
    /// ```
    /// let evening = "2026-02-28T16:00:00Z".parse::<perennial_domain::timestamp::Timestamp>()?;
    /// assert_eq!(evening.month_start(0).to_string(), "2026-02-01T00:00:00Z");
    /// assert_eq!(evening.month_start(480).to_string(), "2026-02-28T16:00:00Z"); // already March in UTC+8
    /// # Ok::<(), perennial_domain::timestamp::TimestampError>(())
    /// ```
    pub fn month_start(self, offset_minutes: i16) -> Timestamp {
        let offset = i64::from(offset_minutes) * 60;
        let local = self + offset;
        let day = i64::from(local.to_utc().day0());
        Timestamp::from_second((local.0.div_euclid(86_400) - day) * 86_400) - offset
    }

    /// Whether both instants are on one day, in days that are `offset_minutes` ahead of UTC.
    pub(crate) fn is_on_day_of(self, other: Timestamp, offset_minutes: i16) -> bool {
        let day = |at: Timestamp| (at + i64::from(offset_minutes) * 60).0.div_euclid(86_400);
        day(self) == day(other)
    }

    /// Whether periods that are counted from `anchor_day` can end on the day of this instant, in days that are
    /// `offset_minutes` ahead of UTC: it is that day or, where it is the last day of its month, an earlier one.
    ///
    /// ```
    /// let end = "2026-02-28T15:59:59Z".parse::<perennial_domain::timestamp::Timestamp>()?;
    /// assert!(end.is_anchored_to(28, 480));
    /// assert!(end.is_anchored_to(31, 480)); // February has no 31st
    /// assert!(!end.is_anchored_to(27, 480));
    /// # Ok::<(), perennial_domain::timestamp::TimestampError>(())
    /// ```
    pub fn is_anchored_to(self, anchor_day: u8, offset_minutes: i16) -> bool {
        let day = self.day_of_month(offset_minutes);
        let is_last = (self + 86_400).day_of_month(offset_minutes) == 1;
        day == anchor_day || is_last && anchor_day > day
    }

    /// The instant one `term` before, counted from the anchor day in days that are `offset_minutes` ahead of UTC: the
    /// time of the day stays, and a month that is too short gives its last day.
    pub fn minus(self, term: Term, anchor_day: u8, offset_minutes: i16) -> Timestamp {
        let count = term.count.get();
        let months = match term.unit {
            TermUnit::Day => return self - i64::from(count) * 86_400,
            TermUnit::Month => count,
            TermUnit::Year => count.saturating_mul(12),
        };
        let local = (self + i64::from(offset_minutes) * 60).to_utc();
        let first =
            local.date_naive().with_day(1).and_then(|first| first.checked_sub_months(Months::new(months)));
        let Some(first) = first else { return Timestamp::MIN };
        let day = (28..=31).rev().find_map(|longest| first.with_day(u32::from(anchor_day).clamp(1, longest)));
        let date = day.expect("every month has a 28th");
        Timestamp::from_second(date.and_time(local.time()).and_utc().timestamp())
            - i64::from(offset_minutes) * 60
    }

    fn to_utc(self) -> DateTime<chrono::Utc> {
        DateTime::from_timestamp(self.0, 0).expect("the years 1 to 9999 are within chrono's")
    }
}

impl Add<i64> for Timestamp {
    type Output = Timestamp;

    /// So many seconds later.
    fn add(self, seconds: i64) -> Timestamp {
        Timestamp::from_second(self.0.saturating_add(seconds))
    }
}

impl Sub<i64> for Timestamp {
    type Output = Timestamp;

    /// So many seconds earlier.
    fn sub(self, seconds: i64) -> Timestamp {
        Timestamp::from_second(self.0.saturating_sub(seconds))
    }
}

impl Sub for Timestamp {
    type Output = i64;

    /// Seconds from `earlier` to this instant.
    fn sub(self, earlier: Timestamp) -> i64 {
        self.0 - earlier.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By hand, because thousands a second are written: several in every event and decision.
        let utc = self.to_utc();
        let mut text = *b"0000-00-00T00:00:00Z";
        let mut number = |last: usize, digits: usize, value: u32| {
            let mut rest = value;
            for digit in text[..=last].iter_mut().rev().take(digits) {
                *digit = b'0' + u8::try_from(rest % 10).expect("a digit is below ten");
                rest /= 10;
            }
        };
        number(3, 4, utc.year().unsigned_abs());
        number(6, 2, utc.month());
        number(9, 2, utc.day());
        number(12, 2, utc.hour());
        number(15, 2, utc.minute());
        number(18, 2, utc.second());
        f.write_str(std::str::from_utf8(&text).expect("digits are text"))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads RFC 3339 with any offset; parts of a second are dropped.
    fn from_str(text: &str) -> Result<Timestamp, TimestampError> {
        let error = || TimestampError { text: text.to_owned() };
        let instant = DateTime::parse_from_rfc3339(text).map_err(|_| error())?.timestamp();
        let timestamp = Timestamp::from_second(instant);
        if timestamp.0 == instant { Ok(timestamp) } else { Err(error()) }
    }
}

#[cfg(test)]
mod tests;
