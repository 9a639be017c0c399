//! Ends of months, of text and of time.

use chrono::Datelike;
use chrono::NaiveDate;
use expect_test::expect;
use proptest::prelude::*;

use crate::sample::at;
use crate::sample::days;
use crate::sample::months;
use crate::sample::years;
use crate::timestamp::Timestamp;

#[test]
fn a_term_before_the_end_of_a_month_is_the_end_of_another() {
    let cases = [
        ("2026-03-31", months(1), 31, 0),
        ("2026-03-28", months(1), 31, 0),
        ("2024-03-31", months(1), 31, 0),
        ("2026-04-30", months(1), 31, 0),
        ("2026-04-30", months(1), 30, 0),
        ("2026-02-28", months(12), 29, 0),
        ("2025-02-28", years(1), 29, 0),
        ("2026-01-15", months(1), 15, 0),
        ("2026-03-01", days(1), 1, 0),
        // In UTC+8 this is 31 March, 00:30.
        ("2026-03-30T16:30:00", months(1), 31, 480),
        // In UTC-12 this is 30 April, 20:00.
        ("2026-05-01T08:00:00", months(2), 31, -720),
        ("0001-01-15", months(1), 15, 0),
        ("0001-06-15", years(u32::MAX), 15, 0),
        ("2026-03-10", months(1), 0, 0),
        ("2026-03-10", months(1), 99, 0),
    ];
    let shown = cases.map(|(text, term, anchor, offset)| {
        format!(
            "{term} before {text}, from day {anchor}, {offset} min: {}\n",
            at(text).minus(term, anchor, offset)
        )
    });
    expect![[r#"
        1 month before 2026-03-31, from day 31, 0 min: 2026-02-28T00:00:00Z
        1 month before 2026-03-28, from day 31, 0 min: 2026-02-28T00:00:00Z
        1 month before 2024-03-31, from day 31, 0 min: 2024-02-29T00:00:00Z
        1 month before 2026-04-30, from day 31, 0 min: 2026-03-31T00:00:00Z
        1 month before 2026-04-30, from day 30, 0 min: 2026-03-30T00:00:00Z
        12 months before 2026-02-28, from day 29, 0 min: 2025-02-28T00:00:00Z
        1 year before 2025-02-28, from day 29, 0 min: 2024-02-29T00:00:00Z
        1 month before 2026-01-15, from day 15, 0 min: 2025-12-15T00:00:00Z
        1 day before 2026-03-01, from day 1, 0 min: 2026-02-28T00:00:00Z
        1 month before 2026-03-30T16:30:00, from day 31, 480 min: 2026-02-27T16:30:00Z
        2 months before 2026-05-01T08:00:00, from day 31, -720 min: 2026-03-01T08:00:00Z
        1 month before 0001-01-15, from day 15, 0 min: 0001-01-01T00:00:00Z
        4294967295 years before 0001-06-15, from day 15, 0 min: 0001-01-01T00:00:00Z
        1 month before 2026-03-10, from day 0, 0 min: 2026-02-01T00:00:00Z
        1 month before 2026-03-10, from day 99, 0 min: 2026-02-28T00:00:00Z
    "#]]
    .assert_eq(&shown.concat());
}

#[test]
fn instants_are_read_with_any_offset_and_written_in_utc() {
    let read =
        |text: &str| text.parse::<Timestamp>().map_or_else(|error| error.to_string(), |at| at.to_string());
    let texts = [
        "2026-02-28T15:59:59Z",
        "2026-02-28T23:59:59+08:00",
        "2026-02-28T15:59:59.999Z",
        "2026-02-28t15:59:59z",
        "1969-12-31T23:59:59.5Z",
        "0001-01-01T00:00:00Z",
        "0000-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-00:01",
        "2026-02-29T00:00:00Z",
        "2026-02-28",
        "2026-02-28T15:59:59",
        "",
    ];
    expect![[r#"
        2026-02-28T15:59:59Z: 2026-02-28T15:59:59Z
        2026-02-28T23:59:59+08:00: 2026-02-28T15:59:59Z
        2026-02-28T15:59:59.999Z: 2026-02-28T15:59:59Z
        2026-02-28t15:59:59z: 2026-02-28T15:59:59Z
        1969-12-31T23:59:59.5Z: 1969-12-31T23:59:59Z
        0001-01-01T00:00:00Z: 0001-01-01T00:00:00Z
        0000-12-31T23:59:59Z: `0000-12-31T23:59:59Z` is not an instant; write one in RFC 3339, such as `2026-02-28T15:59:59Z`
        9999-12-31T23:59:59Z: 9999-12-31T23:59:59Z
        9999-12-31T23:59:59-00:01: `9999-12-31T23:59:59-00:01` is not an instant; write one in RFC 3339, such as `2026-02-28T15:59:59Z`
        2026-02-29T00:00:00Z: `2026-02-29T00:00:00Z` is not an instant; write one in RFC 3339, such as `2026-02-28T15:59:59Z`
        2026-02-28: `2026-02-28` is not an instant; write one in RFC 3339, such as `2026-02-28T15:59:59Z`
        2026-02-28T15:59:59: `2026-02-28T15:59:59` is not an instant; write one in RFC 3339, such as `2026-02-28T15:59:59Z`
        : `` is not an instant; write one in RFC 3339, such as `2026-02-28T15:59:59Z`
    "#]].assert_eq(&texts.map(|text| format!("{text}: {}\n", read(text))).concat());
}

#[test]
fn time_ends_where_years_have_four_digits() {
    assert_eq!(Timestamp::MAX + 1, Timestamp::MAX);
    assert_eq!(Timestamp::MIN - 1, Timestamp::MIN);
    assert_eq!(Timestamp::MAX + i64::MAX, Timestamp::MAX);
    assert_eq!(Timestamp::from_second(i64::MIN), Timestamp::MIN);
    assert_eq!(Timestamp::MAX.day_of_month(840), 31);
    assert_eq!(Timestamp::MIN.day_of_month(-720), 1);
    assert_eq!(at("2026-03-02") - at("2026-03-01"), 86_400);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_the_same(second in Timestamp::MIN.as_second()..=Timestamp::MAX.as_second()) {
        let instant = Timestamp::from_second(second);
        prop_assert_eq!(instant.to_string().parse::<Timestamp>().unwrap(), instant);
    }

    #[test]
    fn months_before_keep_the_time_of_day_and_the_anchor_but_in_short_months(
        second in 0..4_000_000_000_i64, count in 1..40_u32, anchor in 1..=31_u8, offset in -720..=840_i16
    ) {
        let (instant, local) = (Timestamp::from_second(second), i64::from(offset) * 60);
        let before = instant.minus(months(count), anchor, offset);
        prop_assert_eq!((before + local).as_second().rem_euclid(86_400), (second + local).rem_euclid(86_400));
        let day = before.day_of_month(offset);
        let is_last = (before + 86_400).day_of_month(offset) == 1;
        prop_assert!(day == anchor || (is_last && day < anchor), "day {} for anchor {}", day, anchor);
    }
}

#[test]
fn an_anchor_day_agrees_with_the_ends_that_counting_from_it_gives() {
    for offset_minutes in [-720_i16, 0, 480, 840] {
        let midday = chrono::TimeDelta::minutes(12 * 60 - i64::from(offset_minutes));
        for anchor_day in 1..=31 {
            let january = NaiveDate::from_ymd_opt(2027, 1, u32::from(anchor_day)).unwrap();
            // 2027 and 2028, a leap year: each day is an end of this anchor's periods or it is not.
            let ends = (0..24).map(|months| january + chrono::Months::new(months)).collect::<Vec<_>>();
            for date in january.with_day(1).unwrap().iter_days().take(730) {
                let end = Timestamp::from_second(
                    (date.and_hms_opt(0, 0, 0).unwrap().and_utc() + midday).timestamp(),
                );
                assert_eq!(
                    end.is_anchored_to(anchor_day, offset_minutes),
                    ends.contains(&date),
                    "{date} and {anchor_day}"
                );
            }
        }
    }
}

#[test]
fn a_leap_second_is_the_one_before_it_and_there_is_no_other() {
    let read = |text: &str| text.parse::<Timestamp>().map(|instant| instant.to_string());
    assert_eq!(read("2016-12-31T23:59:60Z").unwrap(), "2016-12-31T23:59:59Z");
    assert_eq!(read("2017-01-01T07:59:60.5+08:00").unwrap(), "2016-12-31T23:59:59Z");
    for text in ["2016-12-31T23:59:61Z", "2016-12-31T23:60:00Z", "2016-12-31T24:00:00Z"] {
        assert!(read(text).is_err(), "{text}");
    }
}
