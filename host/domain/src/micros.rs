//! Amounts: integers in millionths of a unit. Knows decimals, and neither currencies nor prices.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;
use std::ops::AddAssign;
use std::ops::Neg;
use std::ops::Sub;
use std::ops::SubAssign;
use std::str::FromStr;

/// An amount in millionths: of a unit of an account's currency, or of a package's unit. Signed.
///
/// Amounts read from outside are at most [`Micros::MAX`], so that the sum of a million of them still fits.
///
/// ```
/// use perennial_domain::micros::Micros;
///
/// assert_eq!("12.5".parse::<Micros>()?.as_micros(), 12_500_000);
/// assert_eq!("12.5".parse::<Micros>()?.to_string(), "12.50");
/// assert_eq!("-0.000001".parse::<Micros>()?.to_string(), "-0.000001");
/// # Ok::<(), perennial_domain::micros::MicrosError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(i64);

/// Why a text is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MicrosError {
    /// It is not written as digits with at most one point.
    #[error("`{0}` is not an amount; write a decimal such as \"1200.00\"")]
    NotDecimal(String),
    /// It has a seventh digit after the point.
    #[error("`{0}` is finer than a millionth")]
    TooFine(String),
    /// The amount is above [`Micros::MAX`].
    #[error("`{0}` is more than {max}", max = Micros::MAX)]
    TooLarge(String),
}

impl Micros {
    /// No amount at all.
    pub const ZERO: Micros = Micros(0);
    /// The largest amount that is read from outside: a thousand million units.
    pub const MAX: Micros = Micros(1_000_000_000_000_000);

    /// An amount of so many millionths.
    pub const fn new(micros: i64) -> Micros {
        Micros(micros)
    }

    /// The amount in millionths.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This amount times `numerator` over `denominator`, rounded half up to a hundredth; exact when the two are equal.
    ///
    /// `denominator` is above 0. An amount that would not fit becomes the largest that does.
    pub(crate) fn pro_rata(self, numerator: u64, denominator: u64) -> Micros {
        if numerator == denominator {
            return self;
        }
        let hundredth = 10_000;
        let exact = i128::from(self.0) * i128::from(numerator);
        let step = i128::from(denominator) * hundredth;
        let rounded = (exact + step / 2).div_euclid(step) * hundredth;
        Micros(i64::try_from(rounded).unwrap_or(i64::MAX))
    }
}

impl Add for Micros {
    type Output = Micros;

    fn add(self, other: Micros) -> Micros {
        Micros(self.0.saturating_add(other.0))
    }
}

impl Sub for Micros {
    type Output = Micros;

    fn sub(self, other: Micros) -> Micros {
        Micros(self.0.saturating_sub(other.0))
    }
}

impl Neg for Micros {
    type Output = Micros;

    fn neg(self) -> Micros {
        Micros(self.0.saturating_neg())
    }
}

impl AddAssign for Micros {
    fn add_assign(&mut self, other: Micros) {
        *self = *self + other;
    }
}

impl SubAssign for Micros {
    fn sub_assign(&mut self, other: Micros) {
        *self = *self - other;
    }
}

impl Sum for Micros {
    fn sum<I: Iterator<Item = Micros>>(amounts: I) -> Micros {
        amounts.fold(Micros::ZERO, Add::add)
    }
}

impl fmt::Display for Micros {
    /// At least two digits after the point, and as many as it takes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (units, rest) = (self.0.unsigned_abs() / 1_000_000, self.0.unsigned_abs() % 1_000_000);
        let (mut rest, mut digits) = (rest, 6);
        while digits > 2 && rest % 10 == 0 {
            (rest, digits) = (rest / 10, digits - 1);
        }
        match f.width() {
            None => write!(f, "{sign}{units}.{rest:0digits$}"),
            Some(_) => f.pad(&format!("{sign}{units}.{rest:0digits$}")),
        }
    }
}

impl FromStr for Micros {
    type Err = MicrosError;

    fn from_str(text: &str) -> Result<Micros, MicrosError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (units, rest) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(units) || !is_number(rest) {
            return Err(MicrosError::NotDecimal(text.to_owned()));
        }
        if rest.trim_end_matches('0').len() > 6 {
            return Err(MicrosError::TooFine(text.to_owned()));
        }
        let rest = format!("{:0<6.6}", rest).parse::<i64>().expect("six digits are a number");
        let micros =
            units.parse::<i64>().ok().and_then(|units| units.checked_mul(1_000_000)?.checked_add(rest));
        match micros.filter(|micros| *micros <= Micros::MAX.0) {
            Some(micros) => Ok(Micros(if negative { -micros } else { micros })),
            None => Err(MicrosError::TooLarge(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests;
