//! RFC 3339 instants of whole seconds, such as `2015-04-27T08:23:49Z`.
//!
//! Reading is strict: upper case `T` and `Z`, four digits for a year, no fractions, no leap seconds.

use chrono::DateTime;
use chrono::Datelike;
use chrono::NaiveDate;
use chrono::Timelike;

use crate::Timestamp;

/// The length of the form, up to the `Z` or the offset.
const LENGTH: usize = "2015-04-27T08:23:49".len();

/// The instant in UTC. An instant outside every calendar is written as 1970-01-01T00:00:00Z.
pub fn write(at: Timestamp) -> String {
    let at = DateTime::from_timestamp(at, 0).unwrap_or_default();
    let (year, month, day) = (at.year(), at.month(), at.day());
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", at.hour(), at.minute(), at.second())
}

/// The instant of a text with `Z` or with an offset, such as `+08:00`; `None` for any other form, and for a date or a
/// time that does not exist.
pub fn read(text: &str) -> Option<Timestamp> {
    let (local, offset) = text.as_bytes().split_at_checked(LENGTH)?;
    Some(local_seconds(local)? - offset_seconds(offset)?)
}

/// As [`read`], but only with `Z`.
pub fn read_utc(text: &str) -> Option<Timestamp> {
    read(text.strip_suffix('Z').map(|_| text)?)
}

fn local_seconds(text: &[u8]) -> Option<Timestamp> {
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|(index, byte)| text[*index] != *byte) {
        return None;
    }
    let year = i32::try_from(number(&text[..4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&text[5..7])?, number(&text[8..10])?)?;
    let at = date.and_hms_opt(number(&text[11..13])?, number(&text[14..16])?, number(&text[17..])?)?;
    Some(at.and_utc().timestamp())
}

/// The seconds ahead of UTC of `Z`, `+08:00` or `-08:00`.
fn offset_seconds(text: &[u8]) -> Option<Timestamp> {
    let (sign, hours, minutes) = match *text {
        [b'Z'] => return Some(0),
        [b'+', h1, h2, b':', m1, m2] => (1, number(&[h1, h2])?, number(&[m1, m2])?),
        [b'-', h1, h2, b':', m1, m2] => (-1, number(&[h1, h2])?, number(&[m1, m2])?),
        _ => return None,
    };
    let is_offset = hours < 24 && minutes < 60;
    is_offset.then(|| sign * (Timestamp::from(hours) * 3600 + Timestamp::from(minutes) * 60))
}

fn number(digits: &[u8]) -> Option<u32> {
    let is_number = digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::provider_api::rfc3339::read;
    use crate::provider_api::rfc3339::read_utc;
    use crate::provider_api::rfc3339::write;

    #[test]
    fn whole_seconds_are_read_in_utc_and_with_an_offset() {
        assert_eq!(read_utc("2015-04-27T08:23:49Z"), Some(1_430_123_029));
        assert_eq!(read("2015-04-27T08:23:49Z"), Some(1_430_123_029));
        assert_eq!(read("2015-04-27T16:23:49+08:00"), Some(1_430_123_029));
        assert_eq!(read("2015-04-27T04:53:49-03:30"), Some(1_430_123_029));
        assert_eq!(read_utc("2015-04-27T16:23:49+08:00"), None);
        assert_eq!(read("0000-01-01T00:00:00+23:59"), Some(-62_167_219_200 - 86_340));
    }

    #[test]
    fn any_other_form_is_no_instant() {
        for text in [
            "",
            "Z",
            "2015-04-27",
            "2015-04-27T08:23:49",
            "2015-04-27T08:23:49.000Z",
            "2015-04-27T08:23:49ZZ",
            "2015-04-27T08:23:49z",
            "2015-04-27t08:23:49Z",
            "2015-4-27T08:23:49Z",
            "2015-04-27 08:23:49Z",
            "2015-02-29T08:23:49Z",
            "2015-04-27T24:00:00Z",
            "2015-04-27T08:23:60Z",
            "+015-04-27T08:23:49Z",
            "\u{661}15-04-27T08:23:49Z",
            "2015-04-27T08:23:49+0800",
            "2015-04-27T08:23:49+08",
            "2015-04-27T08:23:49+8:00",
            "2015-04-27T08:23:49+24:00",
            "2015-04-27T08:23:49+08:60",
            "2015-04-27T08:23:49+:00",
            "2015-04-27T08:23:49+008:00",
            "2015-04-27T08:23:49+0:000",
            "2015-04-27T08:23:49 08:00",
            "2015-04-27T08:23:4\u{e9}Z",
        ] {
            assert_eq!(read(text), None, "{text}");
            assert_eq!(read_utc(text), None, "{text}");
        }
    }

    #[test]
    fn an_instant_outside_every_calendar_is_written_as_the_first_one() {
        assert_eq!(write(i64::MAX), "1970-01-01T00:00:00Z");
    }

    proptest! {
        #[test]
        fn a_written_instant_is_read_back(at in -62_167_219_200i64..253_402_300_800) {
            prop_assert_eq!(read_utc(&write(at)), Some(at));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[0-9TZ:+é-]{0,26}|\\PC{0,26}") {
            let _ = read(&text);
        }
    }
}
