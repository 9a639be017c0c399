//! Provider days: calendar arithmetic at a fixed distance from UTC.
//!
//! Knows months, anchors and hours of the day. Does not know daylight saving, because no provider's billing day has
//! any, nor the present time.

use chrono::DateTime;
use chrono::Datelike;
use chrono::Days;
use chrono::FixedOffset;
use chrono::Months;
use chrono::NaiveDate;
use chrono::NaiveTime;
use chrono::TimeDelta;

use crate::Term;
use crate::TermUnit;
use crate::Timestamp;

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

    /// The instant one term before `at`, counted from the anchor day like [`Calendar::plus`]: 31 March less a month,
    /// anchored to the 31st, is 28 February, and less two is 31 January.
    ///
    /// ```
    /// use plugin_sdk::calendar::Calendar;
    /// use plugin_sdk::{Term, TermUnit};
    ///
    /// let utc = Calendar::ahead_of_utc(0);
    /// let before_march = |count| utc.minus(1_774_915_200, 31, Term { count, unit: TermUnit::Month }); // 31 March 2026
    /// assert_eq!(utc.date(before_march(1)).to_string(), "2026-02-28");
    /// assert_eq!(utc.date(before_march(2)).to_string(), "2026-01-31");
    /// ```
    pub fn minus(self, at: Timestamp, anchor_day: u8, term: Term) -> Timestamp {
        let local = self.local(at);
        let date = local.date_naive();
        let back = |months| before_on_anchor(date, months, anchor_day);
        let moved = match term.unit {
            TermUnit::Day => date.checked_sub_days(Days::new(u64::from(term.count))),
            TermUnit::Month => back(term.count),
            TermUnit::Year => back(term.count.saturating_mul(12)),
        };
        self.instant(moved.unwrap_or(NaiveDate::MIN), local.time())
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

    /// Whether the day of `at` is the first of a year.
    pub fn is_new_year(self, at: Timestamp) -> bool {
        self.date(at).ordinal() == 1
    }

    /// The date of `at`.
    pub fn date(self, at: Timestamp) -> NaiveDate {
        self.local(at).date_naive()
    }

    /// The number of days from the day of `from` to the day of `to`; negative when `to` is earlier.
    pub fn days_between(self, from: Timestamp, to: Timestamp) -> i64 {
        (self.midnight(to) - self.midnight(from)) / DAY
    }

    /// The number of whole months, counted from the anchor day, between two instants; 0 when `to` is earlier.
    ///
    /// ```
    /// use plugin_sdk::calendar::Calendar;
    ///
    /// let utc = Calendar::ahead_of_utc(0);
    /// let (january, february, march) = (1_769_817_600, 1_772_236_800, 1_774_656_000); // the 31st, the 28th, the 28th
    /// assert_eq!(utc.whole_months(january, 31, february), 1);
    /// assert_eq!(utc.whole_months(february, 31, march), 0); // the next month ends on 31 March
    /// ```
    pub fn whole_months(self, from: Timestamp, anchor_day: u8, to: Timestamp) -> u32 {
        let (first, last) = (self.date(from), self.date(to));
        let apart = (last.year() - first.year()) * 12 + (last.month0() as i32 - first.month0() as i32);
        let Ok(months @ 1..) = u32::try_from(apart) else { return 0 };
        let reached = self.plus(from, anchor_day, Term { count: months, unit: TermUnit::Month });
        if reached > to { months - 1 } else { months }
    }

    /// What lies between two instants: the whole months, counted from the anchor day, and the days beyond them, the last
    /// of which may be short. Less than a month is days alone.
    ///
    /// ```
    /// use plugin_sdk::calendar::Calendar;
    ///
    /// let (january, march) = (1_769_817_600, 1_772_496_000); // 31 January and 3 March 2026
    /// let (term, days) = Calendar::ahead_of_utc(0).term_until(january, 31, march);
    /// assert_eq!((term.count, days), (1, 3)); // to 28 February, and three days
    /// ```
    pub fn term_until(self, from: Timestamp, anchor_day: u8, until: Timestamp) -> (Term, u32) {
        let whole = |count| Term { count, unit: TermUnit::Month };
        let months = self.whole_months(from, anchor_day, until);
        let reached = if months == 0 { from } else { self.plus(from, anchor_day, whole(months)) };
        let rest = (until - reached).max(0);
        let days = u32::try_from(rest / DAY + i64::from(rest % DAY > 0)).unwrap_or(u32::MAX);
        match months {
            0 => (Term { count: days.max(1), unit: TermUnit::Day }, 0),
            1.. => (whole(months), days),
        }
    }

    fn local(self, at: Timestamp) -> DateTime<FixedOffset> {
        let offset = FixedOffset::east_opt(i32::from(self.offset_minutes) * 60)
            .expect("a manifest's offset is below a day");
        DateTime::from_timestamp(at, 0)
            .unwrap_or(DateTime::<chrono::Utc>::MAX_UTC - TimeDelta::days(2))
            .with_timezone(&offset)
    }

    fn instant(self, date: NaiveDate, time: NaiveTime) -> Timestamp {
        date.and_time(time).and_utc().timestamp() - Timestamp::from(self.offset_minutes) * 60
    }
}

/// The day `anchor_day` of the month `months` after that of `date`, or the last day of that month if it is shorter.
fn on_anchor(date: NaiveDate, months: u32, anchor_day: u8) -> Option<NaiveDate> {
    anchored(date.with_day(1)?.checked_add_months(Months::new(months))?, anchor_day)
}

/// The day `anchor_day` of the month `months` before that of `date`, or the last day of that month if it is shorter.
fn before_on_anchor(date: NaiveDate, months: u32, anchor_day: u8) -> Option<NaiveDate> {
    anchored(date.with_day(1)?.checked_sub_months(Months::new(months))?, anchor_day)
}

/// The day `anchor_day` of the month that begins at `first`, or its last day.
fn anchored(first: NaiveDate, anchor_day: u8) -> Option<NaiveDate> {
    (28..=31).rev().find_map(|longest| first.with_day(u32::from(anchor_day).clamp(1, longest)))
}
