//! Instants as text for people, all in UTC, and the ticks of a time axis. Knows no events.

use chrono::DateTime;
use chrono::Datelike;
use chrono::Days;
use chrono::Months;
use chrono::NaiveDate;
use chrono::Utc;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;

/// A month of the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    /// The year of the Gregorian calendar.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
}

const NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Month {
    /// The month that `at` is in.
    pub fn of(at: Timestamp) -> Month {
        let day = utc(at);
        Month { year: day.year(), month: day.month() }
    }

    /// The one after it.
    pub fn next(self) -> Month {
        match self.month {
            12 => Month { year: self.year + 1, month: 1 },
            month => Month { year: self.year, month: month + 1 },
        }
    }

    /// Such as `February 2026`.
    pub fn title(self) -> String {
        format!("{} {}", name(self.month), self.year)
    }
}

fn name(month: u32) -> &'static str {
    NAMES[usize::try_from(month - 1).expect("a month is at most 12")]
}

fn utc(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp(at.as_second(), 0).expect("the years 1 to 9999 are within chrono's")
}

/// The day in UTC, such as `2026-02-28`.
pub fn day(at: Timestamp) -> String {
    utc(at).format("%Y-%m-%d").to_string()
}

/// Such as `28 February 2026`.
pub fn long_day(at: Timestamp) -> String {
    let day = utc(at);
    format!("{} {} {}", day.day(), name(day.month()), day.year())
}

/// Such as ` 3 Feb`, always six characters.
pub fn short_day(at: Timestamp) -> String {
    let day = utc(at);
    format!("{:>2} {}", day.day(), &name(day.month())[..3])
}

/// Such as `2026-02-28 15:59 UTC`.
pub fn minute(at: Timestamp) -> String {
    utc(at).format("%Y-%m-%d %H:%M UTC").to_string()
}

/// An amount with its thousands apart, such as `12,345.60`.
pub fn amount(amount: Micros) -> String {
    let plain = amount.to_string();
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |digits| ("-", digits));
    let (units, rest) = digits.split_once('.').unwrap_or((digits, "00"));
    let mut grouped = String::with_capacity(plain.len() + 4);
    for (place, digit) in units.chars().enumerate() {
        if place > 0 && (units.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{rest}")
}

/// A count with its noun, such as `1 decline` or `3 declines`.
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{}{plural}", [&whole(count), " ", noun].concat())
}

/// A count with its thousands apart.
pub fn whole(count: usize) -> String {
    let grouped = amount(Micros::new(i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(1_000_000)));
    grouped.trim_end_matches(".00").to_owned()
}

/// A tick of a time axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The position of the tick.
    pub at: Timestamp,
    /// The text at the tick.
    pub label: String,
    /// The year, where the reader needs it.
    pub year: Option<i32>,
    /// Whether a year, or for days a month, begins here.
    pub is_major: bool,
}

/// The ticks of an axis from `from` to `until`: days, weeks, months, quarters, or round numbers of years, at most about
/// 26 of them.
pub fn ticks(from: Timestamp, until: Timestamp) -> Vec<Tick> {
    let days = (until - from) / 86_400;
    match days {
        ..=26 => by_days(from, until, 1),
        27..=100 => by_days(from, until, 7),
        101..=800 => by_months(from, until, 1),
        801..=2_400 => by_months(from, until, 3),
        _ => by_years(from, until, days / 366 / YEARS_MAX + 1),
    }
}

/// The most years of an axis on which each has a tick.
const YEARS_MAX: i64 = 26;

/// Ticks at round years: the smallest of 1, 2 and 5 times a power of ten of them, which is not below `least`.
fn by_years(from: Timestamp, until: Timestamp, least: i64) -> Vec<Tick> {
    let steps = (0..4).flat_map(|power| [1, 2, 5].map(|factor| factor * 10_i32.pow(power)));
    let step = steps.into_iter().find(|step| i64::from(*step) >= least).unwrap_or(i32::MAX);
    let first = utc(from).year() / step * step;
    let years = std::iter::successors(Some(first), |year| year.checked_add(step));
    let years = years.skip_while(|year| *year < utc(from).year());
    let dates = years.map_while(|year| NaiveDate::from_ymd_opt(year, 1, 1));
    let tick = |(at, date): (Timestamp, NaiveDate)| Tick {
        at,
        label: date.year().to_string(),
        year: None,
        is_major: true,
    };
    within(dates, from, until).map(tick).collect()
}

fn by_days(from: Timestamp, until: Timestamp, step: u64) -> Vec<Tick> {
    let dates =
        std::iter::successors(Some(utc(from).date_naive()), |date| date.checked_add_days(Days::new(step)));
    let label = |date: NaiveDate| format!("{} {}", date.day(), &name(date.month())[..3]);
    let is_major = |date: NaiveDate| u64::from(date.day()) <= step;
    within(dates, from, until)
        .enumerate()
        .map(|(place, (at, date))| {
            let is_major = is_major(date);
            let year = (place == 0 || (is_major && date.month() == 1)).then(|| date.year());
            Tick { at, label: label(date), year, is_major }
        })
        .collect()
}

fn by_months(from: Timestamp, until: Timestamp, step: u32) -> Vec<Tick> {
    let start = utc(from).date_naive();
    let first = NaiveDate::from_ymd_opt(start.year(), (start.month() - 1) / step * step + 1, 1)
        .expect("every month has a first day");
    let dates = std::iter::successors(Some(first), |date| date.checked_add_months(Months::new(step)));
    within(dates, from, until)
        .enumerate()
        .map(|(place, (at, date))| {
            let is_major = date.month() == 1;
            let year = (is_major || place == 0).then(|| date.year());
            Tick { at, label: name(date.month())[..3].to_owned(), year, is_major }
        })
        .collect()
}

fn within(
    dates: impl Iterator<Item = NaiveDate>,
    from: Timestamp,
    until: Timestamp,
) -> impl Iterator<Item = (Timestamp, NaiveDate)> {
    dates
        .map(|date| {
            (Timestamp::from_second(date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp()), date)
        })
        .skip_while(move |(at, _)| *at < from)
        .take_while(move |(at, _)| *at < until)
}

#[cfg(test)]
mod tests {
    use expect_test::Expect;
    use expect_test::expect;
    use perennial_domain::micros::Micros;

    use super::amount;
    use super::ticks;

    fn check(from: &str, until: &str, expected: Expect) {
        let ticks = ticks(from.parse().unwrap(), until.parse().unwrap());
        let told = ticks.iter().map(|tick| {
            let year = tick.year.map_or(String::new(), |year| format!(" ({year})"));
            format!("{}{year}", tick.label)
        });
        expected.assert_eq(&told.collect::<Vec<_>>().join(", "));
    }

    #[test]
    fn an_axis_has_ticks_that_fit_its_length() {
        check(
            "2026-12-29T12:00:00Z",
            "2027-01-04T00:00:00Z",
            expect!["30 Dec (2026), 31 Dec, 1 Jan (2027), 2 Jan, 3 Jan"],
        );
        check(
            "2026-12-15T00:00:00Z",
            "2027-02-15T00:00:00Z",
            expect!["15 Dec (2026), 22 Dec, 29 Dec, 5 Jan (2027), 12 Jan, 19 Jan, 26 Jan, 2 Feb, 9 Feb"],
        );
        check(
            "2026-01-31T00:00:00Z",
            "2027-01-31T00:00:00Z",
            expect!["Feb (2026), Mar, Apr, May, Jun, Jul, Aug, Sep, Oct, Nov, Dec, Jan (2027)"],
        );
        check(
            "2026-02-01T00:00:00Z",
            "2029-02-01T00:00:00Z",
            expect!["Apr (2026), Jul, Oct, Jan (2027), Apr, Jul, Oct, Jan (2028), Apr, Jul, Oct, Jan (2029)"],
        );
        check(
            "2026-02-01T00:00:00Z",
            "2035-01-01T00:00:00Z",
            expect!["2027, 2028, 2029, 2030, 2031, 2032, 2033, 2034"],
        );
        check(
            "2026-02-01T00:00:00Z",
            "2526-01-01T00:00:00Z",
            expect![
                "2040, 2060, 2080, 2100, 2120, 2140, 2160, 2180, 2200, 2220, 2240, 2260, 2280, 2300, 2320, 2340, 2360, 2380, 2400, 2420, 2440, 2460, 2480, 2500, 2520"
            ],
        );
        check("2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z", expect![[""]]);
        check(
            "9999-12-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            expect!["1 Dec (9999), 8 Dec, 15 Dec, 22 Dec, 29 Dec"],
        );
    }

    #[test]
    fn an_axis_of_any_length_has_few_ticks() {
        let from = "0001-01-01T00:00:00Z".parse().unwrap();
        for days in (1..9_998).map(|year| year * 365).chain(1..3_000) {
            let until = from + days * 86_400;
            assert!(ticks(from, until).len() <= 28, "{days} days: {}", ticks(from, until).len());
        }
    }

    #[test]
    fn thousands_stand_apart() {
        let told = [0, 999_990_000, 1_000_000_000, -1_234_567_890_000, 100]
            .map(|micros| amount(Micros::new(micros)));
        assert_eq!(told, ["0.00", "999.99", "1,000.00", "-1,234,567.89", "0.0001"]);
    }
}
