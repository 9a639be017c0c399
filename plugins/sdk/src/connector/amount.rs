//! Amounts in a provider's JSON: numbers or texts, read digit by digit.
//!
//! Knows decimals; a number is never read as a binary fraction, because money is counted exactly.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Micros;

/// The digits behind the decimal point that are counted.
const DECIMALS: usize = 6;

/// An amount of JSON, as it was written.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Amount<'a>(#[serde(borrow)] &'a RawValue);

impl Amount<'_> {
    /// The text that was written, if it is a decimal number or a text with one.
    pub fn text(self) -> Option<String> {
        self.micros().map(|_| self.0.get().trim_matches('"').to_owned())
    }

    /// The amount in millionths, rounded half up; `None` for anything but a decimal number or a text with one.
    pub fn micros(self) -> Option<Micros> {
        let text = self.0.get();
        from_decimal(text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text))
    }
}

/// The millionths of a decimal number such as `-12.5`, rounded half up; `None` for any other text.
pub(crate) fn from_decimal(text: &str) -> Option<Micros> {
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let exponent = exponent.parse::<i32>().ok().filter(|exponent| (-30..=30).contains(exponent))?;
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || whole.len() + decimals.len() > 40 || !is_number(whole) || !is_number(decimals) {
        return None;
    }
    // Where the point is among all digits, once the exponent has moved it.
    let all = format!("{whole}{decimals}");
    let point = i32::try_from(whole.len()).ok()? + exponent + i32::try_from(DECIMALS).ok()?;
    let (counted, rest) = match usize::try_from(point) {
        Ok(point) if point >= all.len() => (format!("{all:0<point$}"), ""),
        Ok(point) => (all[..point].to_owned(), &all[point..]),
        Err(_) => (String::new(), ""),
    };
    let counted = if counted.is_empty() { Some(0) } else { counted.parse::<Micros>().ok() }?;
    let rounded = counted.checked_add(Micros::from(rest.starts_with(['5', '6', '7', '8', '9'])))?;
    Some(if is_negative { -rounded } else { rounded })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_counted_exactly_however_it_is_written() {
        for (json, micros) in [
            ("12.5", 12_500_000),
            ("\"12.5\"", 12_500_000),
            ("0.1", 100_000),
            ("-0.000001", -1),
            ("0.0000005", 1),
            ("0.00000049", 0),
            ("1e2", 100_000_000),
            ("1.25E-1", 125_000),
            ("9007199254740.993", 9_007_199_254_740_993_000),
        ] {
            let read = serde_json::from_str::<Amount>(json).unwrap().micros();
            assert_eq!(read, Some(micros), "{json}");
        }
    }

    #[test]
    fn what_is_no_decimal_number_is_no_amount() {
        for text in
            ["", "-", ".5", "9007199254740993", "1.2.3", "1,5", "NaN", "1e", "1e99", "0x10", " 1", "1 000"]
        {
            assert_eq!(from_decimal(text), None, "{text}");
        }
        assert_eq!(serde_json::from_str::<Amount>("[1]").unwrap().micros(), None);
        assert_eq!(serde_json::from_str::<Amount>("null").unwrap().micros(), None);
    }
}
