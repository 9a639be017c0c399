//! Terms: the length of one renewal, and the price of a period of another length.
//!
//! Knows how terms compare in price. Does not know the calendar: when a period ends is a provider's rule.

use std::fmt;
use std::num::NonZeroU32;

use crate::micros::Micros;

/// The unit that a [`Term`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TermUnit {
    /// Days of 24 hours.
    Day,
    /// Calendar months, from the anchor day.
    Month,
    /// Twelve calendar months.
    Year,
}

impl TermUnit {
    /// Every unit, shortest first.
    pub const ALL: [TermUnit; 3] = [TermUnit::Day, TermUnit::Month, TermUnit::Year];

    /// `day`, `month` or `year`.
    pub const fn name(self) -> &'static str {
        match self {
            TermUnit::Day => "day",
            TermUnit::Month => "month",
            TermUnit::Year => "year",
        }
    }

    /// The number that stands for it in databases. A number is never given to anything else.
    pub const fn code(self) -> i64 {
        match self {
            TermUnit::Day => 0,
            TermUnit::Month => 1,
            TermUnit::Year => 2,
        }
    }

    /// What `code` stands for; `None` for a number that stands for nothing.
    pub const fn from_code(code: i64) -> Option<TermUnit> {
        match code {
            0 => Some(TermUnit::Day),
            1 => Some(TermUnit::Month),
            2 => Some(TermUnit::Year),
            _ => None,
        }
    }
}

/// How long one renewal lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term {
    /// How many units, at least 1.
    pub count: NonZeroU32,
    /// The unit that is counted.
    pub unit: TermUnit,
}

impl Term {
    /// A term of `count` units; `None` when that is no time at all.
    pub fn new(count: u32, unit: TermUnit) -> Option<Term> {
        Some(Term { count: NonZeroU32::new(count)?, unit })
    }

    /// What this term, and so many days beyond it, cost where `price` buys `of`.
    ///
    /// Pro rata by months: a year is twelve of them and a day is a thirtieth of one.
    ///
    /// ```
    /// use perennial_domain::term::{Term, TermUnit};
    ///
    /// let month = Term::new(1, TermUnit::Month).unwrap();
    /// let year = Term::new(1, TermUnit::Year).unwrap();
    /// assert_eq!(year.price("99.00".parse()?, month, 0).to_string(), "1188.00");
    /// assert_eq!(month.price("99.00".parse()?, month, 10).to_string(), "132.00");
    /// # Ok::<(), perennial_domain::micros::MicrosError>(())
    /// ```
    pub fn price(self, price: Micros, of: Term, extra_days: u32) -> Micros {
        price.pro_rata(self.days_of_thirty() + u64::from(extra_days), of.days_of_thirty())
    }

    fn days_of_thirty(self) -> u64 {
        let days = match self.unit {
            TermUnit::Day => 1,
            TermUnit::Month => 30,
            TermUnit::Year => 360,
        };
        u64::from(self.count.get()) * days
    }
}

impl fmt::Display for Term {
    /// Such as `1 month` or `12 months`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.count.get() == 1 { "" } else { "s" };
        write!(f, "{} {}{plural}", self.count, self.unit.name())
    }
}

#[cfg(test)]
mod tests;
