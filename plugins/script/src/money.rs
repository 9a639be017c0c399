//! Money: decimals as scripts see them, and the price of a plan at another term.
//!
//! Knows how a renewal is priced pro rata, as the host does: by months, a year being twelve and a day a thirtieth of one.

use rhai::Dynamic;
use rhai::Engine;
use rhai::ImmutableString;
use rust_decimal::Decimal;

use crate::failure::Outcome;
use crate::failure::error;
use crate::types::Term;
use crate::types::TermUnit;

/// The digits that an amount of millionths has behind the point.
const DIGITS: u32 = 6;
/// The digits that it shows at least.
const DIGITS_MIN: u32 = 2;

/// The most days, months or years of a term: no instant lies further ahead.
const TERM_COUNT_MAX: u32 = 4_000_000;

/// An amount of millionths as a decimal: at least two digits behind the point, and as many as it takes.
pub fn decimal(micros: i64) -> Decimal {
    with_digits(Decimal::new(micros, DIGITS))
}

fn with_digits(amount: Decimal) -> Decimal {
    let mut amount = amount.normalize();
    if amount.scale() < DIGITS_MIN {
        amount.rescale(DIGITS_MIN);
    }
    amount
}

/// An amount that may not be known.
pub fn optional(micros: Option<i64>) -> Dynamic {
    micros.map_or(Dynamic::UNIT, |micros| decimal(micros).into())
}

/// Gives `engine` the function `money`.
pub(crate) fn register(engine: &mut Engine) {
    engine.register_fn("money", |text: ImmutableString| parse(&text));
}

fn parse(text: &str) -> Outcome<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.ends_with(|last: char| last.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let amount = text.parse::<Decimal>().ok().filter(|_| is_plain).map(with_digits);
    amount.ok_or_else(|| error(format!("`{text}` is not an amount; write a decimal such as \"1200.00\"")))
}

/// What `price`, which buys `per`, comes to for `term` and so many days more, rounded half up to a hundredth; exact where
/// the lengths are equal.
pub fn pro_rata(price: i64, per: &Term, term: &Term, extra_days: u32) -> i64 {
    let (bought, of) = (days(term) + i128::from(extra_days), days(per).max(1));
    if bought == of {
        return price;
    }
    let step = of * 10_000;
    let rounded = (i128::from(price) * bought + step / 2).div_euclid(step) * 10_000;
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

/// The days of a term whose months have thirty.
fn days(term: &Term) -> i128 {
    let days = match term.unit {
        TermUnit::Day => 1,
        TermUnit::Month => 30,
        TermUnit::Year => 360,
    };
    i128::from(term.count) * days
}

/// The unit of that name.
pub fn unit(name: &str) -> Outcome<TermUnit> {
    match name {
        "day" => Ok(TermUnit::Day),
        "month" => Ok(TermUnit::Month),
        "year" => Ok(TermUnit::Year),
        _ => {
            Err(error(format!("`{name}` is not a unit of a term; there are \"day\", \"month\" and \"year\"")))
        }
    }
}

/// The name of a unit.
pub fn unit_name(unit: TermUnit) -> &'static str {
    match unit {
        TermUnit::Day => "day",
        TermUnit::Month => "month",
        TermUnit::Year => "year",
    }
}

/// The term of `count` units.
pub fn term(count: i64, unit: TermUnit) -> Outcome<Term> {
    let name = unit_name(unit);
    match u32::try_from(count) {
        Ok(count @ 1..=TERM_COUNT_MAX) => Ok(Term { count, unit }),
        Ok(0) => Err(error(format!("a term has at least 1 {name}; this one has {count}"))),
        Err(_) if count < 0 => Err(error(format!("a term has at least 1 {name}; this one has {count}"))),
        Ok(_) | Err(_) => {
            Err(error(format!("a term has at most {TERM_COUNT_MAX} {name}s; this one has {count}")))
        }
    }
}
