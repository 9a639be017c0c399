//! Instants as Huawei Cloud's API writes them: always UTC, to the second.
//!
//! Reading is strict: what has another form is no instant.

use chrono::DateTime;
use chrono::Datelike;
use chrono::NaiveDate;
use chrono::Timelike;
use plugin_sdk::Timestamp;

/// The instant that `X-Sdk-Date` gives, such as `20191115T033655Z`.
pub fn from_compact(text: &str) -> Option<Timestamp> {
    read(text, "dddddddd'T'dddddd'Z'")
}

/// The instant that a body gives, such as `2019-05-06T08:05:01Z`.
pub fn from_full(text: &str) -> Option<Timestamp> {
    read(text, "dddd-dd-dd'T'dd:dd:dd'Z'")
}

/// As `X-Sdk-Date` has it.
pub fn compact(at: Timestamp) -> String {
    full(at).replace(['-', ':'], "")
}

/// As bodies have it.
pub fn full(at: Timestamp) -> String {
    let at = DateTime::from_timestamp(at, 0).unwrap_or_default();
    let (date, time) = (at.date_naive(), at.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year(),
        date.month(),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// As tokens have it, with microseconds.
pub fn precise(at: Timestamp) -> String {
    full(at).replace('Z', ".000000Z")
}

/// The instant in `text` if it has this form: `d` is a digit, everything else but the quotation marks itself.
fn read(text: &str, form: &str) -> Option<Timestamp> {
    let mut digits = String::with_capacity(14);
    let mut rest = text.chars();
    for expected in form.chars().filter(|&character| character != '\'') {
        match (rest.next()?, expected) {
            (digit @ '0'..='9', 'd') => digits.push(digit),
            (character, expected) if character == expected && expected != 'd' => {}
            (_, _) => return None,
        }
    }
    let number = |place: std::ops::Range<usize>| digits.get(place).and_then(|part| part.parse::<u32>().ok());
    let year = i32::try_from(number(0..4)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(4..6)?, number(6..8)?)?;
    let time = date.and_hms_opt(number(8..10)?, number(10..12)?, number(12..14)?)?;
    rest.next().is_none().then(|| time.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for at in [0, 1_573_789_015, 4_102_444_800, -1] {
            assert_eq!(from_full(&full(at)), Some(at));
            assert_eq!(from_compact(&compact(at)), Some(at));
        }
        assert_eq!(compact(1_573_789_015), "20191115T033655Z");
        assert_eq!(full(1_573_789_015), "2019-11-15T03:36:55Z");
        assert_eq!(precise(1_573_789_015), "2019-11-15T03:36:55.000000Z");
    }

    #[test]
    fn another_form_is_no_instant() {
        for text in [
            "",
            "2019-11-15",
            "20191115T033655",
            "20191115T033655Z ",
            "20191115t033655Z",
            "20191315T033655Z",
            "20190230T033655Z",
            "20191115T240000Z",
            "20191115T033660Z",
            "+0191115T033655Z",
            "2019-11-15T03:36:55Z",
            "d0191115T033655Z",
        ] {
            assert_eq!(from_compact(text), None, "{text}");
        }
        assert_eq!(from_full("20191115T033655Z"), None);
        assert_eq!(from_full("2019-11-15 03:36:55"), None);
    }
}
