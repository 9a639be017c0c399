//! Instants as Baidu writes them: UTC, to the second, such as `2015-04-27T08:23:49Z`.
//!
//! Document: "Date and time" in the general description of each API. Knows this one form and no other.

use chrono::DateTime;
use chrono::Datelike;
use chrono::NaiveDate;
use chrono::Timelike;
use plugin_sdk::Timestamp;

/// How long the form is.
const LENGTH: usize = "2015-04-27T08:23:49Z".len();

/// The instant, as it is written. An instant that no calendar has is written as the first one.
pub fn written(at: Timestamp) -> String {
    let at = DateTime::from_timestamp(at, 0).unwrap_or_default();
    let (year, month, day) = (at.year(), at.month(), at.day());
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", at.hour(), at.minute(), at.second())
}

/// The instant that is written so; `None` for any other form, and for a date or time that there is not.
pub fn read(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    if bytes.len() != LENGTH || separators.iter().any(|(place, byte)| bytes[*place] != *byte) {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = &bytes[from..to];
        let is_number = digits.iter().all(u8::is_ascii_digit);
        is_number.then(|| digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
    };
    let year = i32::try_from(number(0, 4)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(5, 7)?, number(8, 10)?)?;
    let at = date.and_hms_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?)?;
    Some(at.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::provider_api::instants::read;
    use crate::provider_api::instants::written;

    #[test]
    fn only_whole_seconds_of_utc_are_read() {
        assert_eq!(read("2015-04-27T08:23:49Z"), Some(1_430_123_029));
        for other in [
            "",
            "2015-04-27",
            "2015-04-27T08:23:49",
            "2015-04-27T08:23:49.000Z",
            "2015-04-27T08:23:49ZZ",
            "2015-04-27T08:23:49+08:00",
            "2015-4-27T08:23:49Z",
            "2015-04-27 08:23:49Z",
            "2015-02-29T08:23:49Z",
            "2015-04-27T24:00:00Z",
            "+015-04-27T08:23:49Z",
            "\u{661}15-04-27T08:23:49Z",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn an_instant_beyond_every_calendar_is_written_all_the_same() {
        assert_eq!(written(i64::MAX), "1970-01-01T00:00:00Z");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(at in 0i64..253_402_300_800) {
            prop_assert_eq!(read(&written(at)), Some(at));
        }
    }
}
