//! What a renewal left out for a reason that passes, kept as an attribute of the member that was left out.
//!
//! Knows how that is written; knows no provider's reasons. A resource that is renewed together with
//! another one would be lost when it cannot be renewed at that one's try: nothing else in a bundle tells later that it was
//! meant to be, because the other one expires at another instant by then.

use std::fmt;

use chrono::NaiveDate;

use crate::Resource;
use crate::Term;
use crate::TermUnit;
use crate::Timestamp;
use crate::calendar::Calendar;
use crate::settings::get;

/// The longest term that is read, in any unit: a person can set attributes.
const COUNT_MAX: u32 = 36_500;

/// That a renewal left a member out, written as `2026-02-28 3 month`. It holds until it is taken back, also when the member's
/// expiry moves: a renewal that is given back brings the member back to where nothing else tries it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeftOut {
    /// The day on which the member expired when this was written.
    pub expires_on: NaiveDate,
    /// The term for which the others were renewed.
    pub term: Term,
}

impl LeftOut {
    /// What the attribute `name` of a resource says; `None` when it says nothing.
    pub fn of(resource: &Resource, name: &str) -> Option<LeftOut> {
        read(get(&resource.attributes, name)?)
    }

    /// That a renewal by this term left out what expires then.
    pub fn until(expires_at: Timestamp, term: Term, calendar: Calendar) -> LeftOut {
        LeftOut { expires_on: calendar.date(expires_at), term }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.term.unit {
            TermUnit::Day => "day",
            TermUnit::Month => "month",
            TermUnit::Year => "year",
        };
        write!(formatter, "{} {} {unit}", self.expires_on, self.term.count)
    }
}

/// Whether the attribute `name` of a resource says that it was left out, of whichever period.
pub fn is_said(resource: &Resource, name: &str) -> bool {
    get(&resource.attributes, name).is_some_and(|value| !value.is_empty())
}

fn read(value: &str) -> Option<LeftOut> {
    let mut words = value.split(' ');
    let expires_on = words.next()?.parse().ok()?;
    let count = words.next()?.parse().ok().filter(|count| (1..=COUNT_MAX).contains(count))?;
    let unit = match words.next()? {
        "day" => TermUnit::Day,
        "month" => TermUnit::Month,
        "year" => TermUnit::Year,
        _ => return None,
    };
    words.next().is_none().then_some(LeftOut { expires_on, term: Term { count, unit } })
}

#[cfg(test)]
mod tests {
    use crate::Term;
    use crate::TermUnit;
    use crate::calendar::Calendar;
    use crate::left_out::LeftOut;
    use crate::left_out::read;

    #[test]
    fn what_is_written_is_read_again() {
        for unit in [TermUnit::Day, TermUnit::Month, TermUnit::Year] {
            // 2026-02-28 23:59:59 UTC+8.
            let left_out =
                LeftOut::until(1_772_294_399, Term { count: 3, unit }, Calendar::ahead_of_utc(480));
            assert_eq!(left_out.expires_on.to_string(), "2026-02-28");
            assert_eq!(read(&left_out.to_string()), Some(left_out));
        }
    }

    #[test]
    fn what_a_person_made_up_says_nothing() {
        for value in [
            "",
            "2026-02-28",
            "2026-02-30 3 month",
            "2026-02-28 0 month",
            "2026-02-28 36501 day",
            "2026-02-28 -1 month",
            "2026-02-28 1 week",
            "2026-02-28 1 month again",
            "2026-02-28  1 month",
        ] {
            assert_eq!(read(value), None, "{value}");
        }
    }
}
