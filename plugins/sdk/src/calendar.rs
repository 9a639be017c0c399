//! Provider days: calendar arithmetic at a fixed distance from UTC.
//!
//! Knows months, anchors and hours of the day. Knows no daylight saving, because no provider's billing day has any,
//! and not what time it is.

use chrono::{DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, NaiveTime, TimeDelta};

use crate::{Term, TermUnit, Timestamp};

/// Seconds of a day.
pub const DAY: Timestamp = 86_400;

/// The days of one provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    offset_minutes: i16,
}

impl Calendar {
    /// The calendar that is `offset_minutes` ahead of UTC: 480 for UTC+8.
    pub const fn ahead_of_utc(offset_minutes: i16) -> Calendar {
        Calendar { offset_minutes }
    }

    /// The instant one term after `at`, counted from the anchor day: the time of the day stays, and a month that is
    /// too short ends the period on its last day.
    ///
    /// ```
    /// use plugin_sdk::calendar::Calendar;
    /// use plugin_sdk::{Term, TermUnit};
    ///
    /// let monthly = Term { count: 1, unit: TermUnit::Month };
    /// let utc = Calendar::ahead_of_utc(0);
    /// let february = utc.plus(1_769_817_600, 31, monthly); // 31 January 2026
    /// assert_eq!(utc.date(february).to_string(), "2026-02-28");
    /// assert_eq!(utc.date(utc.plus(february, 31, monthly)).to_string(), "2026-03-31"); // not the 28th
    /// ```
    pub fn plus(self, at: Timestamp, anchor_day: u8, term: Term) -> Timestamp {
        let local = self.local(at);
        let date = local.date_naive();
        let moved = match term.unit {
            TermUnit::Day => date.checked_add_days(Days::new(u64::from(term.count))),
            TermUnit::Month => on_anchor(date, term.count, anchor_day),
            TermUnit::Year => on_anchor(date, term.count.saturating_mul(12), anchor_day),
        };
        self.instant(moved.unwrap_or(NaiveDate::MAX), local.time())
    }

    /// The first instant after `at` (or `at` itself) that falls on `day` of a month, at the same time of the day.
    ///
    /// `day` is 1 to 28, or 31 for the last day of each month.
    pub fn on_or_after(self, at: Timestamp, day: u8) -> Timestamp {
        let local = self.local(at);
        let date = local.date_naive();
        let this_month = on_anchor(date, 0, day).unwrap_or(date);
        let found = if this_month >= date { Some(this_month) } else { on_anchor(date, 1, day) };
        self.instant(found.unwrap_or(NaiveDate::MAX), local.time())
    }

    /// The instant at `hour` o'clock on the day that is `days` before the day of `at`; a negative count lies after it.
    pub fn at_hour(self, at: Timestamp, days_before: i64, hour: u8) -> Timestamp {
        self.midnight(at) - days_before * DAY + Timestamp::from(hour) * 3600
    }

    /// The first instant strictly after `at` that is `hour` o'clock.
    pub fn next_hour(self, at: Timestamp, hour: u8) -> Timestamp {
        let today = self.at_hour(at, 0, hour);
        if today > at { today } else { today + DAY }
    }

    /// The last second of the day of `at`.
    pub fn end_of_day(self, at: Timestamp) -> Timestamp {
        self.midnight(at) + DAY - 1
    }

    /// The first second of the day of `at`.
    pub fn midnight(self, at: Timestamp) -> Timestamp {
        let shifted = at + Timestamp::from(self.offset_minutes) * 60;
        at - shifted.rem_euclid(DAY)
    }

    /// The day of the month of `at`, 1 to 31.
    pub fn day_of_month(self, at: Timestamp) -> u8 {
        u8::try_from(self.date(at).day()).expect("a month has at most 31 days")
    }

    /// The date of `at`.
    pub fn date(self, at: Timestamp) -> NaiveDate {
        self.local(at).date_naive()
    }

    /// How many whole days lie between the days of two instants; negative when `to` is the earlier one.
    pub fn days_between(self, from: Timestamp, to: Timestamp) -> i64 {
        (self.midnight(to) - self.midnight(from)) / DAY
    }

    fn local(self, at: Timestamp) -> DateTime<FixedOffset> {
        let offset = FixedOffset::east_opt(i32::from(self.offset_minutes) * 60).expect("a manifest's offset is below a day");
        DateTime::from_timestamp(at, 0).unwrap_or(DateTime::<chrono::Utc>::MAX_UTC - TimeDelta::days(2)).with_timezone(&offset)
    }

    fn instant(self, date: NaiveDate, time: NaiveTime) -> Timestamp {
        date.and_time(time).and_utc().timestamp() - Timestamp::from(self.offset_minutes) * 60
    }
}

/// The day `anchor_day` of the month `months` after that of `date`, or the last day of that month if it is shorter.
fn on_anchor(date: NaiveDate, months: u32, anchor_day: u8) -> Option<NaiveDate> {
    let first = date.with_day(1)?.checked_add_months(Months::new(months))?;
    (28..=31).rev().find_map(|longest| first.with_day(u32::from(anchor_day).clamp(1, longest)))
}
