//! Instants, and the functions of days: `instant`, `days_between`, `add_days`, `month_end`, and working days.
//!
//! Days are the provider's, at a fixed distance from UTC. Knows calendars by name; does not know the present.

use std::fmt;
use std::rc::Rc;

use chrono::DateTime;
use chrono::Datelike;
use chrono::Days;
use chrono::Months;
use chrono::SecondsFormat;
use rhai::Engine;
use rhai::ImmutableString;

use crate::context::Context;
use crate::failure::Outcome;
use crate::failure::error;
use crate::limits::WORKING_DAY_SEARCH_MAX;

/// Seconds of a day.
const DAY: i64 = 86_400;
/// The first instant: 0001-01-01T00:00:00Z.
const FIRST: i64 = -62_135_596_800;
/// The last instant: 9999-12-31T23:59:59Z.
const LAST: i64 = 253_402_300_799;
/// 1970-01-01 was a Thursday: days since then plus three, by sevens, count from Monday.
const MONDAY_OFFSET: i32 = 3;

/// An instant of the years 1 to 9999, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub i64);

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp(self.0, 0) {
            Some(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            None => write!(f, "second {}", self.0),
        }
    }
}

impl Instant {
    /// The instant that a script names: RFC 3339.
    pub fn parse(text: &str) -> Outcome<Instant> {
        let at = DateTime::parse_from_rfc3339(text).map(|at| at.timestamp());
        match at {
            Ok(at @ FIRST..=LAST) => Ok(Instant(at)),
            Ok(_) | Err(_) => Err(error(format!(
                "`{text}` is not an instant; write RFC 3339, such as \"2026-02-28T15:59:59Z\""
            ))),
        }
    }

    /// The day it is in, `offset` minutes ahead of UTC.
    fn day(self, offset: i16) -> i32 {
        let day = (self.0 + i64::from(offset) * 60).div_euclid(DAY);
        i32::try_from(day).expect("the days of 9,999 years fit")
    }

    /// Year and month, counted in months since the year 0, in days `offset` minutes ahead of UTC.
    pub fn month(self, offset: i16) -> i32 {
        let local = DateTime::from_timestamp(self.0 + i64::from(offset) * 60, 0).unwrap_or_default();
        local.year() * 12 + i32::try_from(local.month0()).unwrap_or_default()
    }

    fn plus_days(self, days: i64) -> Outcome<Instant> {
        let moved = days.checked_mul(DAY).and_then(|seconds| self.0.checked_add(seconds));
        match moved {
            Some(moved @ FIRST..=LAST) => Ok(Instant(moved)),
            Some(_) | None => Err(error(format!("{days} days from {self} is not in the years 1 to 9999"))),
        }
    }

    fn month_end(self, offset: i16) -> Outcome<Instant> {
        let local = DateTime::from_timestamp(self.0 + i64::from(offset) * 60, 0);
        let first = local.and_then(|local| local.date_naive().with_day(1));
        let last =
            first.and_then(|first| first.checked_add_months(Months::new(1))?.checked_sub_days(Days::new(1)));
        let end = last.and_then(|last| last.and_hms_opt(23, 59, 59));
        match end.map(|end| end.and_utc().timestamp() - i64::from(offset) * 60) {
            Some(end @ FIRST..=LAST) => Ok(Instant(end)),
            Some(_) | None => Err(error(format!("the month of {self} ends after the year 9999"))),
        }
    }
}

/// Whether people work on the day: Monday to Friday, less `holidays`, plus `working_days`.
fn is_working_day(context: &Context, day: i32) -> bool {
    let is_weekday = (day + MONDAY_OFFSET).rem_euclid(7) < 5;
    let is_in = |calendar| context.has_day(calendar, day).unwrap_or(false);
    is_in("working_days") || (is_weekday && !is_in("holidays"))
}

/// Gives `engine` the functions of instants.
pub(crate) fn register(engine: &mut Engine, context: &Rc<Context>) {
    let offset = {
        let context = Rc::clone(context);
        move || context.utc_offset_minutes.get()
    };
    engine.register_type_with_name::<Instant>("instant");
    engine.register_fn("to_string", |at: Instant| at.to_string());
    engine.register_fn("to_debug", |at: Instant| at.to_string());
    engine.register_fn("+", |text: ImmutableString, at: Instant| format!("{text}{at}"));
    engine.register_fn("+", |at: Instant, text: ImmutableString| format!("{at}{text}"));
    engine.register_fn("==", |a: Instant, b: Instant| a == b);
    engine.register_fn("!=", |a: Instant, b: Instant| a != b);
    for operator in ["==", "!="] {
        engine.register_fn(operator, |at: Instant, text: ImmutableString| with_text(at, &text));
        engine.register_fn(operator, |text: ImmutableString, at: Instant| with_text(at, &text));
    }
    engine.register_fn("instant", |text: ImmutableString| Instant::parse(&text));
    let of = offset.clone();
    engine.register_fn("days_between", move |a: Instant, b: Instant| i64::from(b.day(of()) - a.day(of())));
    engine.register_fn("add_days", |at: Instant, days: i64| at.plus_days(days));
    let of = offset.clone();
    engine.register_fn("month_end", move |at: Instant| at.month_end(of()));
    let (of, days) = (offset.clone(), Rc::clone(context));
    engine.register_fn("is_working_day", move |at: Instant| is_working_day(&days, at.day(of())));
    let (of, days) = (offset.clone(), Rc::clone(context));
    engine.register_fn("next_working_day", move |at: Instant| {
        let day = at.day(of());
        let found = (1..=WORKING_DAY_SEARCH_MAX).find(|ahead| is_working_day(&days, day + ahead));
        match found {
            Some(ahead) => at.plus_days(ahead.into()),
            None => Err(error(format!("there is no working day in the ten years after {at}"))),
        }
    });
    let days = Rc::clone(context);
    engine.register_fn("in_calendar", move |name: ImmutableString, at: Instant| {
        days.has_day(&name, at.day(offset())).ok_or_else(|| {
            let names = days.calendar_names().map(|name| format!("`{name}`")).collect::<Vec<_>>();
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            error(format!("there is no calendar `{name}`; there are: {there}"))
        })
    });
}

fn with_text(at: Instant, text: &str) -> Outcome<bool> {
    Err(error(format!("cannot compare the instant {at} with the text `{text}`; write instant(\"{text}\")")))
}
