//! Instants in the forms that Huawei Cloud uses beside RFC 3339: always UTC.

use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::rfc3339;

/// The instant of an `X-Sdk-Date`, such as `20191115T033655Z`; `None` for any other form.
pub(crate) fn from_compact(text: &str) -> Option<Timestamp> {
    if text.len() != "20191115T033655Z".len() || !text.is_ascii() {
        return None;
    }
    let (date, time) = text.split_at(8);
    let (year, month, day) = (&date[..4], &date[4..6], &date[6..]);
    let (hour, minute, second) = (&time[..3], &time[3..5], &time[5..]);
    rfc3339::read_utc(&format!("{year}-{month}-{day}{hour}:{minute}:{second}"))
}

/// The form of `X-Sdk-Date`: `20191115T033655Z`.
pub fn compact(at: Timestamp) -> String {
    rfc3339::write(at).replace(['-', ':'], "")
}

/// The form of tokens, with microseconds: `2019-11-15T03:36:55.000000Z`.
pub(crate) fn precise(at: Timestamp) -> String {
    rfc3339::write(at).replace('Z', ".000000Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compact_instant_is_read_back() {
        for at in [0, 1_573_789_015, 4_102_444_800, -1] {
            assert_eq!(from_compact(&compact(at)), Some(at));
        }
        assert_eq!(compact(1_573_789_015), "20191115T033655Z");
        assert_eq!(precise(1_573_789_015), "2019-11-15T03:36:55.000000Z");
    }

    #[test]
    fn any_other_form_is_no_compact_instant() {
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
            "2019111\u{e9}T03365Z",
            "20191115Z033655T",
        ] {
            assert_eq!(from_compact(text), None, "{text}");
        }
    }
}
