//! Time zones in which instants are written: UTC, a fixed offset, or one of the IANA's. Knows no provider.

use std::fmt;
use std::str::FromStr;

use chrono::DateTime;
use chrono::Datelike;
use chrono::FixedOffset;
use chrono::Offset;
use chrono_tz::TZ_VARIANTS;
use chrono_tz::Tz;
use perennial_domain::timestamp::Timestamp;

use crate::wording;

/// How many zones of a similar name an error lists.
const SIMILAR_MAX: usize = 5;
/// The largest offset from UTC, in minutes: RFC 3339 has two digits for its hours, and a day has 24.
const OFFSET_MINUTES_MAX: i32 = 24 * 60 - 1;

/// The seconds of a day without a change of clocks.
const SECONDS_OF_DAY: i64 = 86_400;

/// A time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeZone(Rule);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Rule {
    #[default]
    Utc,
    /// Seconds ahead of UTC.
    Fixed(i32),
    Named(Tz),
}

/// The zone that somebody asks for: one of their own, or that of the provider that each thing is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneChoice {
    /// The zone that was given.
    Zone(TimeZone),
    /// In the days of the provider.
    Provider,
}

impl ZoneChoice {
    /// What holds when nothing is said.
    pub const UTC: ZoneChoice = ZoneChoice::Zone(TimeZone::UTC);

    /// The zone of what is about a provider whose days are so many minutes ahead of UTC; UTC when they are not known.
    pub fn of(self, offset_minutes: Option<i16>) -> TimeZone {
        match self {
            ZoneChoice::Zone(zone) => zone,
            ZoneChoice::Provider => offset_minutes.map(TimeZone::from_offset_minutes).unwrap_or_default(),
        }
    }
}

impl FromStr for ZoneChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<ZoneChoice, String> {
        if text == "provider" {
            return Ok(ZoneChoice::Provider);
        }
        let zone = text.parse().map(ZoneChoice::Zone);
        zone.map_err(|error: TimeZoneError| format!("{error}, or `provider` for each provider's own days"))
    }
}

/// As it is read again.
impl fmt::Display for ZoneChoice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ZoneChoice::Zone(zone) => zone.fmt(out),
            ZoneChoice::Provider => out.write_str("provider"),
        }
    }
}

/// Why a text is no [`TimeZone`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZoneError {
    text: String,
    similar: Vec<&'static str>,
}

impl std::error::Error for TimeZoneError {}

impl fmt::Display for TimeZoneError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "there is no time zone {}", wording::quote(&self.text))?;
        let like = "one of the IANA's, such as `Asia/Shanghai`, or an offset, such as `+08:00`";
        match self.similar.is_empty() {
            true => write!(out, "; write {like}"),
            false => write!(out, "; is it {}? Write {like}", self.similar.join(", ")),
        }
    }
}

impl TimeZone {
    /// Coordinated universal time.
    pub const UTC: TimeZone = TimeZone(Rule::Utc);

    /// A zone that is so many minutes ahead of UTC; beyond a day, the largest offset there is.
    pub fn from_offset_minutes(minutes: i16) -> TimeZone {
        TimeZone(Rule::Fixed(i32::from(minutes).clamp(-OFFSET_MINUTES_MAX, OFFSET_MINUTES_MAX) * 60))
    }

    /// Such as `2026-02-28 15:59 UTC`, and in another zone `2026-02-28 23:59 +08:00`.
    pub fn minute(self, at: Timestamp) -> String {
        match self.local(at) {
            Some(local) => local.format("%Y-%m-%d %H:%M %:z").to_string(),
            None => utc(at).format("%Y-%m-%d %H:%M UTC").to_string(),
        }
    }

    /// The day of the zone, such as `2026-02-28`.
    pub fn day(self, at: Timestamp) -> String {
        match self.local(at) {
            Some(local) => local.format("%Y-%m-%d").to_string(),
            None => utc(at).format("%Y-%m-%d").to_string(),
        }
    }

    /// RFC 3339, in whole seconds: `2026-02-28T15:59:59Z`, and in another zone `2026-02-28T23:59:59+08:00`.
    pub fn rfc_3339(self, at: Timestamp) -> String {
        match self.local(at) {
            Some(local) => local.format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            None => at.to_string(),
        }
    }

    /// The day of the zone at an instant, counted from the first of January 1970, and the minutes after its midnight.
    pub fn day_and_minute(self, at: Timestamp) -> (i64, u16) {
        let local = at.as_second() + i64::from(self.offset_seconds(at));
        let minute = local.rem_euclid(SECONDS_OF_DAY) / 60;
        (local.div_euclid(SECONDS_OF_DAY), u16::try_from(minute).expect("a day has 1440 minutes"))
    }

    /// The first instant at which the clocks of the zone show so many minutes after midnight on a day, or, where they leap
    /// over that minute, are past it.
    pub fn instant(self, day: i64, minute: u16) -> Timestamp {
        let local = day * SECONDS_OF_DAY + i64::from(minute) * 60;
        // The offset changes at most once in two days, so it is one of those around.
        let offset = |near: i64| i64::from(self.offset_seconds(Timestamp::from_second(near)));
        let candidates = [local - offset(local - SECONDS_OF_DAY), local - offset(local + SECONDS_OF_DAY)];
        let is_there = |at: &i64| at + offset(*at) >= local;
        let first = candidates.into_iter().filter(is_there).min();
        Timestamp::from_second(first.unwrap_or(candidates[0]))
    }

    /// How far the zone is ahead of UTC at an instant, in seconds.
    fn offset_seconds(self, at: Timestamp) -> i32 {
        match self.0 {
            Rule::Utc => 0,
            Rule::Fixed(seconds) => seconds,
            Rule::Named(zone) => utc(at).with_timezone(&zone).offset().fix().local_minus_utc(),
        }
    }

    /// `None` in UTC, and where the local year has not four digits: then UTC is exact, too.
    fn local(self, at: Timestamp) -> Option<DateTime<FixedOffset>> {
        let offset = match self.0 {
            Rule::Utc => return None,
            Rule::Fixed(seconds) => FixedOffset::east_opt(seconds)?,
            Rule::Named(zone) => utc(at).with_timezone(&zone).offset().fix(),
        };
        let local = utc(at).with_timezone(&offset);
        (1..=9999).contains(&local.naive_local().year()).then_some(local)
    }
}

fn utc(at: Timestamp) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(at.as_second(), 0).expect("the years 1 to 9999 are within chrono's")
}

/// As it is read again: `UTC`, an offset such as `+08:00`, or the IANA's name.
impl fmt::Display for TimeZone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Rule::Utc => out.write_str("UTC"),
            Rule::Fixed(seconds) => {
                let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
                write!(out, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            Rule::Named(zone) => out.write_str(zone.name()),
        }
    }
}

impl FromStr for TimeZone {
    type Err = TimeZoneError;

    fn from_str(text: &str) -> Result<TimeZone, TimeZoneError> {
        if text.eq_ignore_ascii_case("utc") || text.eq_ignore_ascii_case("z") {
            return Ok(TimeZone::UTC);
        }
        if let Some(minutes) = offset_minutes(text) {
            return Ok(TimeZone(Rule::Fixed(minutes * 60)));
        }
        text.parse().map(|zone| TimeZone(Rule::Named(zone))).map_err(|_| {
            let wanted = text.to_ascii_lowercase().replace(' ', "_");
            let is_similar = |name: &&str| wanted.len() > 2 && name.to_ascii_lowercase().contains(&wanted);
            let similar = TZ_VARIANTS.iter().map(|zone| zone.name()).filter(is_similar).take(SIMILAR_MAX);
            TimeZoneError { text: text.to_owned(), similar: similar.collect() }
        })
    }
}

/// The minutes of an offset as RFC 3339 writes it, such as `+08:00`.
fn offset_minutes(text: &str) -> Option<i32> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |digits: &str| {
        (digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| digits.parse::<i32>().ok())
            .flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(text: &str) -> TimeZone {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn an_instant_is_written_in_every_sort_of_zone() {
        let at = "2026-02-28T15:59:59Z".parse().unwrap();
        for (name, minute, instant) in [
            ("UTC", "2026-02-28 15:59 UTC", "2026-02-28T15:59:59Z"),
            ("z", "2026-02-28 15:59 UTC", "2026-02-28T15:59:59Z"),
            ("Asia/Shanghai", "2026-02-28 23:59 +08:00", "2026-02-28T23:59:59+08:00"),
            ("America/St_Johns", "2026-02-28 12:29 -03:30", "2026-02-28T12:29:59-03:30"),
            ("+14:00", "2026-03-01 05:59 +14:00", "2026-03-01T05:59:59+14:00"),
            ("-05:30", "2026-02-28 10:29 -05:30", "2026-02-28T10:29:59-05:30"),
        ] {
            assert_eq!(
                (zone(name).minute(at), zone(name).rfc_3339(at)),
                (minute.to_owned(), instant.to_owned())
            );
            assert_eq!(zone(name).rfc_3339(at).parse(), Ok(at), "the instant stays the same");
            assert_eq!(zone(name).day(at), minute[..10]);
        }
        assert_eq!(TimeZone::from_offset_minutes(480).minute(at), "2026-02-28 23:59 +08:00");
    }

    #[test]
    fn what_is_written_of_a_zone_is_read_as_the_same_one() {
        for text in ["UTC", "Asia/Shanghai", "+14:00", "-05:30", "-00:30", "provider"] {
            assert_eq!(text.parse::<ZoneChoice>().map(|zone| zone.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(ZoneChoice::Provider.of(Some(480)), zone("+08:00"));
        assert_eq!(ZoneChoice::Provider.of(None), TimeZone::UTC, "the plugin is not loaded");
        assert_eq!(ZoneChoice::UTC.of(Some(480)), TimeZone::UTC);
    }

    #[test]
    fn a_named_zone_has_its_summer() {
        let summer = "2026-07-01T12:00:00Z".parse().unwrap();
        let winter = "2026-12-01T12:00:00Z".parse().unwrap();
        assert_eq!(zone("Europe/Berlin").minute(summer), "2026-07-01 14:00 +02:00");
        assert_eq!(zone("Europe/Berlin").minute(winter), "2026-12-01 13:00 +01:00");
    }

    #[test]
    fn a_minute_of_a_day_is_an_instant_also_when_clocks_are_changed() {
        let berlin = zone("Europe/Berlin");
        let day = |text: &str| {
            let at: Timestamp = format!("{text}T12:00:00Z").parse().unwrap();
            berlin.day_and_minute(at).0
        };
        for (date, minute, at) in [
            ("2026-02-28", 8 * 60, "2026-02-28T07:00:00Z"),
            ("2026-07-01", 8 * 60, "2026-07-01T06:00:00Z"),
            // Clocks go from 02:00 to 03:00, so that 02:30 is not there; and from 03:00 to 02:00, so that it is twice.
            ("2026-03-29", 150, "2026-03-29T01:30:00Z"),
            ("2026-03-29", 8 * 60, "2026-03-29T06:00:00Z"),
            ("2026-10-25", 150, "2026-10-25T00:30:00Z"),
            ("2026-10-25", 8 * 60, "2026-10-25T07:00:00Z"),
        ] {
            assert_eq!(berlin.instant(day(date), minute).to_string(), at, "{date} {minute}");
        }
        let at: Timestamp = "2026-02-28T23:59:59Z".parse().unwrap();
        assert_eq!(TimeZone::UTC.day_and_minute(at), (20_512, 1439));
        assert_eq!(zone("+08:00").day_and_minute(at), (20_513, 479));
    }

    #[test]
    fn the_first_and_the_last_instant_can_be_written_everywhere() {
        for name in ["+23:59", "-23:59", "Pacific/Kiritimati", "America/Los_Angeles"] {
            for at in [Timestamp::MIN, Timestamp::MAX] {
                assert_eq!(zone(name).rfc_3339(at).parse(), Ok(at), "{name}");
            }
        }
    }

    #[test]
    fn what_is_no_zone_is_refused_with_those_of_a_similar_name() {
        for text in ["", "+8", "+08", "+0800", "+24:00", "+08:60", "+-8:00", "8:00", "CEST!", "Asia"] {
            assert!(text.parse::<TimeZone>().is_err(), "{text}");
        }
        let told = |text: &str| text.parse::<TimeZone>().unwrap_err().to_string();
        assert!(told("shanghai").contains("is it Asia/Shanghai?"), "{}", told("shanghai"));
        assert!(told("new york").contains("America/New_York"), "{}", told("new york"));
    }
}
