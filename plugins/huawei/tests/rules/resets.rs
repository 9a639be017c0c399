//! Packages whose quota is reset within their term.

use expect_test::expect;
use plugin_sdk::*;

use crate::world::*;

/// A package of a year from 15 January 2026 at 10:00.
fn package(cycle: &str, cycle_type: &str) -> Resource {
    let attributes = [("quota_reuse_cycle", cycle), ("quota_reuse_cycle_type", cycle_type)];
    Resource {
        started_at: time("2026-01-15 10:00:00"),
        expires_at: Some(time("2027-01-15 23:59:59")),
        anchor_day: Some(15),
        term: Some(YEARLY),
        attributes: attributes.map(|(name, value)| (name.into(), value.to_owned().into())).to_vec(),
        ..resource("package")
    }
}

fn refills(package: Resource, after: &str) -> Vec<String> {
    let occurrences = timeline(&[], time(after), &[package]);
    assert!(occurrences.len() <= 128, "{}", occurrences.len());
    let refills = occurrences.iter().filter(|one| one.action == Action::Refill);
    refills.map(|one| show(one.at)).collect()
}

#[test]
fn a_quota_is_restored_at_the_beginning_of_each_reset_period() {
    let mut table = String::new();
    for cycle_type in ["subscription", "calendar"] {
        for cycle in ["hour", "day", "week", "month", "year"] {
            let refills = refills(package(cycle, cycle_type), "2026-01-15 10:00:00");
            let first = refills.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(", ");
            let last = refills.last().map_or("none", String::as_str);
            table += &format!("{cycle} {cycle_type}: {} of them, {first} to {last}\n", refills.len());
        }
    }
    expect![[r#"
        hour subscription: 100 of them, 2026-01-15 11:00:00, 2026-01-15 12:00:00 to 2026-01-19 14:00:00
        day subscription: 100 of them, 2026-01-16 10:00:00, 2026-01-17 10:00:00 to 2026-04-25 10:00:00
        week subscription: 52 of them, 2026-01-22 10:00:00, 2026-01-29 10:00:00 to 2027-01-14 10:00:00
        month subscription: 11 of them, 2026-02-15 23:59:59, 2026-03-15 23:59:59 to 2026-12-15 23:59:59
        year subscription: 0 of them,  to none
        hour calendar: 100 of them, 2026-01-15 11:00:00, 2026-01-15 12:00:00 to 2026-01-19 14:00:00
        day calendar: 100 of them, 2026-01-16 00:00:00, 2026-01-17 00:00:00 to 2026-04-25 00:00:00
        week calendar: 52 of them, 2026-01-19 00:00:00, 2026-01-26 00:00:00 to 2027-01-11 00:00:00
        month calendar: 12 of them, 2026-02-01 00:00:00, 2026-03-01 00:00:00 to 2027-01-01 00:00:00
        year calendar: 1 of them, 2027-01-01 00:00:00 to 2027-01-01 00:00:00
    "#]]
    .assert_eq(&table);
}

#[test]
fn the_numbers_of_the_provider_mean_the_same_as_the_words() {
    for (number, word) in [("1", "hour"), ("2", "day"), ("3", "week"), ("4", "month"), ("5", "year")] {
        for (type_number, type_word) in [("1", "calendar"), ("2", "subscription")] {
            let by_number = refills(package(number, type_number), "2026-03-01 00:00:00");
            assert_eq!(
                by_number,
                refills(package(word, type_word), "2026-03-01 00:00:00"),
                "{word} {type_word}"
            );
        }
    }
}

#[test]
fn a_package_that_says_nothing_of_resets_has_none_within_its_term() {
    assert_eq!(refills(package("fortnight", ""), "2026-01-15 10:00:00"), Vec::<String>::new());
    let silent = Resource { attributes: Vec::new(), ..package("", "") };
    assert_eq!(refills(silent, "2026-01-15 10:00:00"), Vec::<String>::new());
}

#[test]
fn resets_that_do_not_fit_into_one_timeline_are_in_the_next() {
    let seen = refills(package("hour", "subscription"), "2026-01-15 10:00:00");
    let rest = refills(package("hour", "subscription"), seen.last().unwrap());
    assert_eq!(rest[0], "2026-01-19 15:00:00", "an hour after {}", seen.last().unwrap());
}

#[test]
fn a_renewed_package_is_reset_once_at_each_month_and_period_end() {
    let renewed =
        Resource { expires_at: Some(time("2028-01-15 23:59:59")), ..package("month", "subscription") };
    let refills = refills(renewed, "2026-11-30 00:00:00");
    expect![[r#"
        2026-12-15 23:59:59
        2027-01-15 23:59:59
        2027-02-15 23:59:59"#]]
    .assert_eq(&refills[..3].join("\n"));
}
