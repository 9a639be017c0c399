//! What the renewals of another one left behind for a reason that passes, kept as an attribute of the resource that was left.
//!
//! Knows how that is written, and what of it holds when a renewal is given back; knows no provider's reasons. A resource that
//! is renewed together with another one would be lost when it cannot be renewed at that one's try: nothing else in a bundle
//! tells later that it was meant to be, because the other one expires at another instant by then.

use std::fmt;

use chrono::NaiveDate;

use crate::Resource;
use crate::Term;
use crate::TermUnit;
use crate::settings::get;

/// The longest term that is read, in any unit: a person can set attributes.
const COUNT_MAX: u32 = 36_500;

/// Whether renewals of another one left a resource behind, written as `2026-05-31 3 month`: the renewal until that day did, and
/// its term was this. Where such a renewal can still be given back, what held before it stands in front of it, so that it
/// holds again then: `2026-05-31 3 month, 2026-06-30 none`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeftOut {
    /// The oldest first; no two after another with the same term.
    renewals: Vec<LeftBy>,
}

/// What one renewal left.
#[derive(Clone, Copy, Debug, PartialEq)]
struct LeftBy {
    /// The day on which the other one expires by this renewal.
    until: NaiveDate,
    /// The term of the renewal, when it left the resource behind.
    term: Option<Term>,
}

/// When something is said of a resource that goes along with another one, and how that one's expiry moves; all are the
/// provider's days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// The present day.
    pub today: NaiveDate,
    /// The day on which the other one expired before.
    pub from: NaiveDate,
    /// The day on which it expires now: the same where only the resource itself moved.
    pub until: NaiveDate,
}

impl LeftOut {
    /// What the attribute `name` of a resource says; what is no word of these rules says nothing.
    pub fn of(resource: &Resource, name: &str) -> LeftOut {
        get(&resource.attributes, name).and_then(read).unwrap_or_default()
    }

    /// The term of the renewal that left the resource behind; `None` when it was not, or when the renewal was given back,
    /// so that the other one expires on the day `expires_on` again.
    pub fn term(&self, expires_on: NaiveDate) -> Option<Term> {
        self.renewals.iter().rfind(|left| left.until <= expires_on)?.term
    }

    /// What is said from now on: the resource is left behind by a renewal of this term, or it is not.
    pub fn after(&self, renewed: Renewed, term: Option<Term>) -> LeftOut {
        let Renewed { today, from, until } = renewed;
        let holds = |left: &&LeftBy| left.until <= from && left.until < until;
        let mut renewals = self.renewals.iter().filter(holds).copied().collect::<Vec<_>>();
        if renewals.last().and_then(|left| left.term) != term {
            renewals.push(LeftBy { until, term });
        }
        // A period that has begun is not given back, so nothing before it holds again.
        let begun = renewals.iter().rposition(|left| left.until <= today).unwrap_or(0);
        let said = renewals.iter().skip(begun).position(|left| left.term.is_some());
        renewals.drain(..said.map_or(renewals.len(), |said| begun + said));
        LeftOut { renewals }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, left) in self.renewals.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(formatter, "{comma}{} ", left.until)?;
            let Some(term) = left.term else {
                formatter.write_str("none")?;
                continue;
            };
            let unit = match term.unit {
                TermUnit::Day => "day",
                TermUnit::Month => "month",
                TermUnit::Year => "year",
            };
            write!(formatter, "{} {unit}", term.count)?;
        }
        Ok(())
    }
}

/// Whether the attribute `name` of a resource says anything of what was left behind.
pub fn is_said(resource: &Resource, name: &str) -> bool {
    get(&resource.attributes, name).is_some_and(|value| !value.is_empty())
}

fn read(value: &str) -> Option<LeftOut> {
    let renewals = value.split(", ").map(read_one).collect::<Option<Vec<_>>>()?;
    let ascend = renewals.is_sorted_by(|one, next| one.until < next.until);
    ascend.then_some(LeftOut { renewals })
}

fn read_one(value: &str) -> Option<LeftBy> {
    let (until, left) = value.split_once(' ')?;
    let until = until.parse().ok()?;
    if left == "none" {
        return Some(LeftBy { until, term: None });
    }
    let (count, unit) = left.split_once(' ')?;
    let count = count.parse().ok().filter(|count| (1..=COUNT_MAX).contains(count))?;
    let unit = match unit {
        "day" => TermUnit::Day,
        "month" => TermUnit::Month,
        "year" => TermUnit::Year,
        _ => return None,
    };
    Some(LeftBy { until, term: Some(Term { count, unit }) })
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use crate::Term;
    use crate::TermUnit;
    use crate::left_out::LeftOut;
    use crate::left_out::Renewed;
    use crate::left_out::read;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn months(count: u32) -> Option<Term> {
        Some(Term { count, unit: TermUnit::Month })
    }

    fn renewed(today: &str, from: &str, until: &str) -> Renewed {
        Renewed { today: day(today), from: day(from), until: day(until) }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for unit in ["day", "month", "year"] {
            let text = format!("2026-02-28 3 {unit}, 2026-03-31 none, 2026-04-30 1 {unit}");
            assert_eq!(read(&text).unwrap().to_string(), text);
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
            "2026-02-28 1 month,2026-03-28 none",
            "2026-02-28 1 month, 2026-02-28 none",
            "2026-02-28 1 month, ",
        ] {
            assert_eq!(read(value), None, "{value}");
        }
    }

    #[test]
    fn a_renewal_that_is_given_back_said_nothing() {
        let first = LeftOut::default().after(renewed("2026-01-10", "2026-01-31", "2026-04-30"), months(3));
        assert_eq!(first.to_string(), "2026-04-30 3 month");
        let second = first.after(renewed("2026-01-11", "2026-04-30", "2026-05-31"), None);
        assert_eq!(second.to_string(), "2026-04-30 3 month, 2026-05-31 none");
        let expires_on = ["2026-05-31", "2026-06-15", "2026-04-30", "2026-05-30", "2026-01-31"];
        let held = expires_on.map(|expires_on| second.term(day(expires_on)));
        assert_eq!(held, [None, None, months(3), months(3), None]);
        // Both were given back, and another renewal was made.
        let again = second.after(renewed("2026-01-12", "2026-01-31", "2026-02-28"), months(1));
        assert_eq!(again.to_string(), "2026-02-28 1 month");
    }

    #[test]
    fn only_what_can_hold_again_is_kept() {
        let first = LeftOut::default().after(renewed("2026-01-10", "2026-01-31", "2026-04-30"), months(3));
        let cases = [
            // The same once more says nothing new, and the first period has begun in the second row.
            ("2026-01-11", "2026-04-30", "2026-07-31", months(3), "2026-04-30 3 month"),
            ("2026-04-30", "2026-04-30", "2026-05-31", months(1), "2026-04-30 3 month, 2026-05-31 1 month"),
            ("2026-05-31", "2026-04-30", "2026-05-31", months(1), "2026-05-31 1 month"),
            ("2026-05-31", "2026-04-30", "2026-05-31", None, ""),
            // The resource itself was renewed, or gave something back: the other one stays.
            ("2026-02-01", "2026-04-30", "2026-04-30", None, ""),
            ("2026-02-01", "2026-04-30", "2026-04-30", months(1), "2026-04-30 1 month"),
        ];
        for (today, from, until, term, text) in cases {
            assert_eq!(first.after(renewed(today, from, until), term).to_string(), text, "{until} {term:?}");
        }
        let nothing = LeftOut::default().after(renewed("2026-01-10", "2026-01-31", "2026-04-30"), None);
        assert_eq!(nothing.to_string(), "");
    }
}
