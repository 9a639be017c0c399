//! When a channel sends what: at once, in the morning, or after the quiet hours of its readers.
//!
//! Pure: the instant is an argument.

use perennial_domain::timestamp::Timestamp;
use perennial_store::channels::ChannelSettings;
use perennial_store::channels::QuietHours;

/// Which events a channel may put into a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Every event, however bad.
    All,
    /// Only what is critical.
    Critical,
    /// No event at all.
    Nothing,
}

/// Which events may be sent at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) due: Due,
    /// The next instant at which more may be sent; `None` when everything may be.
    pub(crate) next: Option<Timestamp>,
}

/// Which events a channel may send at `now`, when it last put what can wait into a message at `composed_at`.
pub(crate) fn opening(settings: &ChannelSettings, composed_at: Timestamp, now: Timestamp) -> Opening {
    let waiting = if settings.critical_at_once { Due::Critical } else { Due::Nothing };
    if let Some(minute) = settings.digest_at {
        let (last, next) = around(settings, minute, now);
        let due = if composed_at < last { Due::All } else { waiting };
        return Opening { due, next: Some(next) };
    }
    match settings.quiet_hours.and_then(|hours| quiet_until(settings, hours, now)) {
        Some(until) => Opening { due: waiting, next: Some(until) },
        None => Opening { due: Due::All, next: None },
    }
}

/// The first instant from `now` on at which a message that is no digest may be sent: that of an alarm or a test.
pub(crate) fn next_open(settings: &ChannelSettings, now: Timestamp) -> Timestamp {
    let quiet = settings.quiet_hours.filter(|_| !settings.critical_at_once);
    quiet.and_then(|hours| quiet_until(settings, hours, now)).unwrap_or(now)
}

/// The end of the quiet hours, when `now` is among them.
fn quiet_until(settings: &ChannelSettings, hours: QuietHours, now: Timestamp) -> Option<Timestamp> {
    let (_, minute) = settings.time_zone.day_and_minute(now);
    let is_quiet = if hours.from <= hours.until {
        (hours.from..hours.until).contains(&minute)
    } else {
        minute >= hours.from || minute < hours.until
    };
    is_quiet.then(|| around(settings, hours.until, now).1)
}

/// The last instant up to `now` at which the zone's clocks showed a minute of the day, and the first one behind it.
fn around(settings: &ChannelSettings, minute: u16, now: Timestamp) -> (Timestamp, Timestamp) {
    let zone = settings.time_zone;
    let (today, _) = zone.day_and_minute(now);
    let days = [today - 1, today, today + 1, today + 2].map(|day| zone.instant(day, minute));
    let last = days.into_iter().filter(|at| *at <= now).max().unwrap_or(days[0]);
    let next = days.into_iter().filter(|at| *at > now).min().unwrap_or(days[3]);
    (last, next)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use perennial_domain::severity::Severity;
    use perennial_formats::language::Language;

    use super::*;

    fn settings(zone: &str, digest_at: Option<u16>, quiet: Option<(u16, u16)>) -> ChannelSettings {
        ChannelSettings {
            description: String::new(),
            language: Language::English,
            time_zone: zone.parse().unwrap(),
            types: None,
            severity: Severity::Info,
            digest_at,
            quiet_hours: quiet.map(|(from, until)| QuietHours { from, until }),
            critical_at_once: true,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn quiet_hours_hold_back_what_can_wait_until_they_end() {
        let night = settings("Asia/Shanghai", None, Some((22 * 60, 7 * 60)));
        let noon = settings("Asia/Shanghai", None, Some((12 * 60, 13 * 60)));
        let mut text = String::new();
        for (name, settings) in [("night", &night), ("noon", &noon)] {
            for now in [
                "2026-02-01T13:59:59Z",
                "2026-02-01T14:00:00Z",
                "2026-02-01T22:59:59Z",
                "2026-02-01T23:00:00Z",
                "2026-02-02T04:30:00Z",
            ] {
                let Opening { due, next } = opening(settings, at("2026-01-01T00:00:00Z"), at(now));
                let next = next.map_or_else(String::new, |next| format!(", more at {next}"));
                text += &format!("{name} {now}: {due:?}{next}\n");
            }
        }
        expect![[r#"
            night 2026-02-01T13:59:59Z: All
            night 2026-02-01T14:00:00Z: Critical, more at 2026-02-01T23:00:00Z
            night 2026-02-01T22:59:59Z: Critical, more at 2026-02-01T23:00:00Z
            night 2026-02-01T23:00:00Z: All
            night 2026-02-02T04:30:00Z: All
            noon 2026-02-01T13:59:59Z: All
            noon 2026-02-01T14:00:00Z: All
            noon 2026-02-01T22:59:59Z: All
            noon 2026-02-01T23:00:00Z: All
            noon 2026-02-02T04:30:00Z: Critical, more at 2026-02-02T05:00:00Z
        "#]]
        .assert_eq(&text);
        let quiet = ChannelSettings { critical_at_once: false, ..night };
        assert_eq!(opening(&quiet, at("2026-01-01T00:00:00Z"), at("2026-02-01T14:00:00Z")).due, Due::Nothing);
        assert_eq!(next_open(&quiet, at("2026-02-01T14:00:00Z")), at("2026-02-01T23:00:00Z"));
        assert_eq!(next_open(&quiet, at("2026-02-02T04:30:00Z")), at("2026-02-02T04:30:00Z"));
    }

    #[test]
    fn a_digest_is_due_once_each_morning_of_the_zone() {
        let digest = settings("Europe/Berlin", Some(8 * 60), None);
        let of = |composed: &str, now: &str| opening(&digest, at(composed), at(now));
        let waits = Opening { due: Due::Critical, next: Some(at("2026-03-29T06:00:00Z")) };
        assert_eq!(of("2026-03-28T07:00:00Z", "2026-03-29T05:59:59Z"), waits, "summer time begins");
        assert_eq!(of("2026-03-28T07:00:00Z", "2026-03-29T06:00:00Z").due, Due::All);
        assert_eq!(of("2026-03-29T06:00:01Z", "2026-03-29T06:00:02Z").due, Due::Critical);
        assert_eq!(of("2026-03-01T07:00:00Z", "2026-03-29T23:00:00Z").due, Due::All, "a late one is made");
    }
}
