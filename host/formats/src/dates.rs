//! Instants as text for people, in UTC, and the ticks of a time axis in any zone. Knows no events.

use chrono::DateTime;
use chrono::Datelike;
use chrono::Days;
use chrono::Months;
use chrono::NaiveDate;
use chrono::Utc;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;

use crate::language::Language;
use crate::time_zone::TimeZone;

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
/// 26 of them. They begin in a time zone, and their labels are in a language.
pub fn ticks(from: Timestamp, until: Timestamp, zone: TimeZone, language: Language) -> Vec<Tick> {
    let axis = Axis { from, until, zone, language };
    let days = (until - from) / 86_400;
    match days {
        ..=26 => axis.by_days(1),
        27..=100 => axis.by_days(7),
        101..=800 => axis.by_months(1),
        801..=2_400 => axis.by_months(3),
        _ => axis.by_years(days / 366 / YEARS_MAX + 1),
    }
}

/// What a time axis is of.
#[derive(Clone, Copy)]
struct Axis {
    from: Timestamp,
    until: Timestamp,
    zone: TimeZone,
    language: Language,
}

/// The most years of an axis on which each has a tick.
const YEARS_MAX: i64 = 26;

/// The first of January 1970, in days counted from the first of January of the year 1 as 1.
const EPOCH_FROM_CE: i32 = 719_163;

impl Axis {
    /// Ticks at round years: the smallest of 1, 2 and 5 times a power of ten of them, which is not below `least`.
    fn by_years(self, least: i64) -> Vec<Tick> {
        let steps = (0..4).flat_map(|power| [1, 2, 5].map(|factor| factor * 10_i32.pow(power)));
        let step = steps.into_iter().find(|step| i64::from(*step) >= least).unwrap_or(i32::MAX);
        let start = self.start().year();
        let first = start / step * step;
        let years = std::iter::successors(Some(first), |year| year.checked_add(step));
        let years = years.skip_while(|year| *year < start);
        let dates = years.map_while(|year| NaiveDate::from_ymd_opt(year, 1, 1));
        let tick = |(at, date): (Timestamp, NaiveDate)| Tick {
            at,
            label: date.year().to_string(),
            year: None,
            is_major: true,
        };
        self.within(dates).map(tick).collect()
    }

    fn by_days(self, step: u64) -> Vec<Tick> {
        let dates = std::iter::successors(Some(self.start()), |date| date.checked_add_days(Days::new(step)));
        let is_major = |date: NaiveDate| u64::from(date.day()) <= step;
        self.within(dates)
            .enumerate()
            .map(|(place, (at, date))| {
                let is_major = is_major(date);
                let year = (place == 0 || (is_major && date.month() == 1)).then(|| date.year());
                Tick { at, label: self.day_label(date), year, is_major }
            })
            .collect()
    }

    fn by_months(self, step: u32) -> Vec<Tick> {
        let start = self.start();
        let first = NaiveDate::from_ymd_opt(start.year(), (start.month() - 1) / step * step + 1, 1)
            .expect("every month has a first day");
        let dates = std::iter::successors(Some(first), |date| date.checked_add_months(Months::new(step)));
        self.within(dates)
            .enumerate()
            .map(|(place, (at, date))| {
                let is_major = date.month() == 1;
                let year = (is_major || place == 0).then(|| date.year());
                Tick { at, label: self.month_label(date), year, is_major }
            })
            .collect()
    }

    fn day_label(self, date: NaiveDate) -> String {
        match self.language {
            Language::English => format!("{} {}", date.day(), self.month_label(date)),
            Language::Chinese => format!("{}{}日", self.month_label(date), date.day()),
        }
    }

    fn month_label(self, date: NaiveDate) -> String {
        match self.language {
            Language::English => name(date.month())[..3].to_owned(),
            Language::Chinese => format!("{}月", date.month()),
        }
    }

    /// The day of the zone on which the axis begins.
    fn start(self) -> NaiveDate {
        let day = self.zone.day_and_minute(self.from).0;
        let day = i32::try_from(day).ok().and_then(|day| day.checked_add(EPOCH_FROM_CE));
        day.and_then(NaiveDate::from_num_days_from_ce_opt).unwrap_or_else(|| utc(self.from).date_naive())
    }

    fn within(self, dates: impl Iterator<Item = NaiveDate>) -> impl Iterator<Item = (Timestamp, NaiveDate)> {
        let midnight = move |date: NaiveDate| match self.zone == TimeZone::UTC {
            true => Timestamp::from_second(date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp()),
            false => self.zone.instant(i64::from(date.num_days_from_ce() - EPOCH_FROM_CE), 0),
        };
        dates
            .map(move |date| (midnight(date), date))
            .skip_while(move |(at, _)| *at < self.from)
            .take_while(move |(at, _)| *at < self.until)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::Expect;
    use expect_test::expect;
    use perennial_domain::micros::Micros;

    use super::amount;
    use super::ticks;
    use crate::language::Language;
    use crate::time_zone::TimeZone;

    fn check(from: &str, until: &str, expected: Expect) {
        check_in(TimeZone::UTC, Language::English, (from, until), expected);
    }

    fn check_in(zone: TimeZone, language: Language, (from, until): (&str, &str), expected: Expect) {
        let ticks = ticks(from.parse().unwrap(), until.parse().unwrap(), zone, language);
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
            let ticks = ticks(from, until, TimeZone::UTC, Language::English);
            assert!(ticks.len() <= 28, "{days} days: {}", ticks.len());
        }
    }

    #[test]
    fn ticks_are_in_the_days_of_the_zone_and_in_the_language() {
        let shanghai = "Asia/Shanghai".parse().unwrap();
        let ten_days = ("2026-12-29T15:59:59Z", "2027-01-02T00:00:00Z");
        check_in(
            shanghai,
            Language::Chinese,
            ten_days,
            expect!["12月30日 (2026), 12月31日, 1月1日 (2027), 1月2日"],
        );
        let half_a_year = ("2026-10-31T16:00:00Z", "2027-03-31T16:00:00Z");
        check_in(
            shanghai,
            Language::Chinese,
            half_a_year,
            expect!["11月 (2026), 12月, 1月 (2027), 2月, 3月"],
        );
        let first = ticks(
            "2026-10-31T16:00:00Z".parse().unwrap(),
            "2026-11-09T00:00:00Z".parse().unwrap(),
            shanghai,
            Language::English,
        );
        assert_eq!(
            (first[0].label.as_str(), first[0].at.to_string().as_str()),
            ("1 Nov", "2026-10-31T16:00:00Z")
        );
    }

    #[test]
    fn thousands_stand_apart() {
        let told = [0, 999_990_000, 1_000_000_000, -1_234_567_890_000, 100]
            .map(|micros| amount(Micros::new(micros)));
        assert_eq!(told, ["0.00", "999.99", "1,000.00", "-1,234,567.89", "0.0001"]);
    }
}
