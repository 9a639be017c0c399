//! Amounts that this host wrote. Reads decimals of any size; amounts of outside programs have a limit.

use perennial_domain::micros::Micros;

/// The amount that [`Micros`] writes as `text`, whatever its size; `None` when it writes none so.
pub fn parse_stored(text: &str) -> Option<Micros> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (units, rest) = digits.split_once('.')?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(units) || !is_number(rest) || rest.len() > 6 {
        return None;
    }
    let micros = format!("{units}{rest:0<6}").parse::<i128>().ok()?;
    i64::try_from(sign * micros).ok().map(Micros::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_amount_reads_back_as_it_was_written() {
        for micros in [0, 1, -1, 10, 1_000_000, -12_500_000, i64::MAX, i64::MIN] {
            let amount = Micros::new(micros);
            assert_eq!(parse_stored(&amount.to_string()), Some(amount));
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "-", ".", "1", "1.", ".5", "1.0000000", "1.2.3", "+1.00", "9223372036854775808.00"] {
            assert_eq!(parse_stored(text), None, "{text}");
        }
    }
}
