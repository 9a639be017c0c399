//! How lengths of time, terms, days and hours are written in a table and in settings: read, and written back.
//!
//! Knows the words; knows no rule.

use plugin_sdk::Term;
use plugin_sdk::TermUnit;

/// Seconds of an hour.
pub(crate) const HOUR: i64 = 3_600;
/// Seconds of a day, as the calendar has it.
pub(crate) const DAY: i64 = plugin_sdk::calendar::DAY;

/// The longest length of time, in seconds: ten years.
const LENGTH_MAX: i64 = 3_650 * DAY;
/// The most terms that one kind may list.
const TERMS_MAX: usize = 1_000;
/// The most days of tries or of one notice.
pub(crate) const DAYS_MAX: usize = 40;

/// The seconds of a length such as `3 days`, `12 hours` or `14 days 12 hours`; `0 days` is none.
pub(crate) fn length(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no length of time; write `3 days`, `12 hours` or `14 days 12 hours`");
    let words = text.split_whitespace().collect::<Vec<_>>();
    if words.is_empty() || words.len() % 2 != 0 {
        return Err(wrong());
    }
    let mut seconds = 0_i64;
    for pair in words.chunks(2) {
        let unit = match pair[1] {
            "day" | "days" => DAY,
            "hour" | "hours" => HOUR,
            "minute" | "minutes" => 60,
            _ => return Err(wrong()),
        };
        let count = pair[0].parse::<u32>().map_err(|_| wrong())?;
        seconds = seconds.saturating_add(i64::from(count).saturating_mul(unit));
    }
    match seconds <= LENGTH_MAX {
        true => Ok(seconds),
        false => Err(format!("`{text}` is more than ten years")),
    }
}

/// A length of time as [`length`] reads it.
pub(crate) fn length_text(seconds: i64) -> String {
    let parts = [(seconds / DAY, "day"), (seconds % DAY / HOUR, "hour"), (seconds % HOUR / 60, "minute")];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let text = parts.map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" }));
    let text = text.collect::<Vec<_>>().join(" ");
    if text.is_empty() { "0 days".to_owned() } else { text }
}

/// The terms that `1 month`, `12 months` or `1-9 months` stand for.
pub(crate) fn terms(text: &str) -> Result<Vec<Term>, String> {
    let wrong = || format!("`{text}` is no term; write `1 month`, `1-9 months` or `3 years`");
    let (count, unit) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let unit = match unit.trim() {
        "day" | "days" => TermUnit::Day,
        "month" | "months" => TermUnit::Month,
        "year" | "years" => TermUnit::Year,
        _ => return Err(wrong()),
    };
    let (first, last) = count.split_once('-').unwrap_or((count, count));
    let first = first.parse::<u32>().map_err(|_| wrong())?;
    let last = last.parse::<u32>().map_err(|_| wrong())?;
    match first {
        0 => Err(format!("`{text}` begins with a term of no time")),
        _ if last < first => Err(format!("`{text}` ends before it begins")),
        _ if last - first >= TERMS_MAX as u32 || last > 3_650 => Err(format!("`{text}` is too much")),
        _ => Ok((first..=last).map(|count| Term { count, unit }).collect()),
    }
}

/// A term as people read it, such as `3 months`.
pub(crate) fn term_text(term: Term) -> String {
    let unit = match term.unit {
        TermUnit::Day => "day",
        TermUnit::Month => "month",
        TermUnit::Year => "year",
    };
    format!("{} {unit}{}", term.count, if term.count == 1 { "" } else { "s" })
}

/// Days before an expiry, such as `7,3,1,0`; days after it are negative. Each is there once.
pub(crate) fn days(text: &str) -> Result<Vec<i64>, String> {
    let wrong = || format!("`{text}` is no list of days; write whole numbers such as `7,3,1,0`");
    let mut days = Vec::new();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        days.push(item.parse::<i64>().map_err(|_| wrong())?);
    }
    check_days(&days)?;
    Ok(days)
}

/// Checks days: how many there are, that none is there twice, and that each is within a year.
pub(crate) fn check_days(days: &[i64]) -> Result<(), String> {
    if days.len() > DAYS_MAX {
        return Err(format!("{} days are too many; at most {DAYS_MAX} are possible", days.len()));
    }
    if let Some(day) = days.iter().find(|day| !(-365..=365).contains(*day)) {
        return Err(format!("day {day} is more than a year away"));
    }
    match days.iter().enumerate().find(|(place, day)| days[..*place].contains(day)) {
        Some((_, day)) => Err(format!("day {day} is there twice")),
        None => Ok(()),
    }
}

/// Days as [`days`] reads them.
pub(crate) fn days_text(days: &[i64]) -> String {
    days.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

/// The minutes ahead of UTC that `+08:00` says.
pub(crate) fn offset(text: &str) -> Result<i16, String> {
    let wrong =
        || format!("`{text}` is no distance from UTC; write `+08:00` or `-03:30`, from -12:00 to +14:00");
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        Some(_) | None => return Err(wrong()),
    };
    let two = |text: &str| match text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse::<i16>().map_err(|_| wrong()),
        false => Err(wrong()),
    };
    let (hours, minutes) = rest.split_once(':').ok_or_else(wrong)?;
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let all = sign * (hours * 60 + minutes);
    match minutes < 60 && (-720..=840).contains(&all) {
        true => Ok(all),
        false => Err(wrong()),
    }
}

/// Texts in backquotes, separated by commas.
pub(crate) fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_read_as_it_is_written() {
        for text in ["3 days", "12 hours", "14 days 12 hours", "1 day 1 hour 1 minute", "0 days"] {
            assert_eq!(length_text(length(text).unwrap()), text);
        }
        for text in ["", "3", "days", "-3 days", "3 weeks", "3 days 12", "4000 days", "3.5 days"] {
            assert!(length(text).is_err(), "{text}");
        }
    }

    #[test]
    fn terms_are_single_or_from_one_to_another() {
        let counts = |text: &str| terms(text).unwrap().into_iter().map(|term| term.count).collect::<Vec<_>>();
        assert_eq!(counts("1 month"), [1]);
        assert_eq!(counts("1-3 years"), [1, 2, 3]);
        for text in ["month", "0 months", "3-1 months", "1 week", "1-9999 days", "1-x days", "-1 day"] {
            assert!(terms(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_distance_from_utc_has_a_sign_and_four_digits() {
        let found = ["+08:00", "-03:30", "+00:00", "+14:00", "-12:00"].map(|text| offset(text).unwrap());
        assert_eq!(found, [480, -210, 0, 840, -720]);
        for text in ["", "08:00", "+8:00", "+08:60", "+15:00", "+0800", "UTC", "é", "+ 8:00"] {
            assert!(offset(text).is_err(), "{text}");
        }
    }
}
