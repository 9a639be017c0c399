//! Resource packages: the order of use, low packages, refills, and buying again.

use expect_test::expect;
use plugin_sdk::*;

use crate::world::*;

fn package(bought: &str, starts: &str, expires: &str, used: Micros) -> Package {
    Package {
        quota: 100_000_000,
        used,
        bought_at: time(bought),
        starts_at: time(starts),
        expires_at: time(expires),
    }
}

fn print(said: Said, at: &str, amount: Micros, packages: Vec<Package>) -> String {
    let consumption = Consumption { at: time(at), resource_type: "cci".into(), amount, packages };
    let allocations = allocate(said, consumption);
    let print = |allocation: &Allocation| {
        format!("#{} {} {}", allocation.package, allocation.amount, name(&allocation.alert))
    };
    allocations.iter().map(print).collect::<Vec<_>>().join("; ")
}

/// The first is the oldest and ends last, the third ends first.
fn three() -> Vec<Package> {
    vec![
        package("2026-01-01 00:00:00", "2026-01-01 00:00:00", "2027-01-01 23:59:59", 90_000_000),
        package("2026-02-01 00:00:00", "2026-02-01 00:00:00", "2026-12-01 23:59:59", 0),
        package("2026-03-01 00:00:00", "2026-03-01 00:00:00", "2026-04-01 23:59:59", 0),
    ]
}

#[test]
fn the_oldest_package_is_used_first_then_the_earliest_to_expire() {
    let at = "2026-03-05 12:00:00";
    let rows = [
        print(&[], at, 5_000_000, three()),
        print(&[], at, 115_000_000, three()),
        print(&[], at, 999_000_000, three()),
        print(&[("package_order", "expiry-first")], at, 115_000_000, three()),
    ];
    expect![[r#"
        #0 5000000 none
        #0 10000000 depleted; #2 100000000 depleted; #1 5000000 none
        #0 10000000 depleted; #2 100000000 depleted; #1 100000000 depleted
        #2 100000000 depleted; #1 15000000 none"#]]
    .assert_eq(&rows.join("\n"));
}

#[test]
fn only_a_package_in_force_covers_usage_after_its_purchase() {
    let one = || vec![package("2026-02-10 12:00:00", "2026-02-11 00:00:00", "2026-03-11 23:59:59", 0)];
    let covered = |at: &str| !print(&[], at, 1, one()).is_empty();
    assert!(!covered("2026-02-10 11:59:59"), "before it was bought");
    assert!(!covered("2026-02-10 23:59:59"), "bought ahead");
    assert!(covered("2026-02-11 00:00:00"));
    assert!(covered("2026-03-11 23:59:59"), "its last second");
    assert!(!covered("2026-03-12 00:00:00"), "over");
    let backdated = vec![package("2026-02-10 12:00:00", "2026-02-01 00:00:00", "2026-03-11 23:59:59", 0)];
    assert_eq!(
        print(&[], "2026-02-10 11:59:59", 1, backdated),
        "",
        "in force, but used before it was bought"
    );
}

#[test]
fn it_is_low_once_and_depleted_once() {
    let alert = |said: Said, used: Micros, amount: Micros| {
        let packages =
            vec![package("2026-01-01 00:00:00", "2026-01-01 00:00:00", "2027-01-01 23:59:59", used)];
        print(said, "2026-03-05 12:00:00", amount, packages)
    };
    assert_eq!(alert(&[], 0, 79_999_999), "#0 79999999 none");
    assert_eq!(alert(&[], 0, 80_000_000), "#0 80000000 low");
    assert_eq!(alert(&[], 79_999_999, 1), "#0 1 low");
    assert_eq!(alert(&[], 80_000_000, 1), "#0 1 none", "told before");
    assert_eq!(alert(&[], 0, 100_000_000), "#0 100000000 depleted");
    assert_eq!(alert(&[], 99_999_999, 5), "#0 1 depleted");
    assert_eq!(alert(&[], 100_000_000, 5), "", "there is nothing left");
    assert_eq!(alert(&[("package_low_percent", "0")], 0, 99_999_999), "#0 99999999 none");
    assert_eq!(alert(&[("package_low_percent", "50")], 0, 50_000_000), "#0 50000000 low");
}

#[test]
fn a_renewed_package_starts_its_quota_anew_with_each_period() {
    let renewed = Resource {
        expires_at: Some(time("2026-05-31 23:59:59")),
        started_at: time("2025-12-31 10:00:00"),
        ..resource("package")
    };
    let refills = |after: &str, resource: &Resource| {
        print_timeline(&timeline(&[], time(after), std::slice::from_ref(resource)))
    };
    expect![[r#"
          2026-01-31 23:59:59 #0 refill
          2026-02-28 23:59:59 #0 refill
          2026-03-31 23:59:59 #0 refill
          2026-04-30 23:59:59 #0 refill
          2026-05-24 09:00:00 #0 notice expires-soon
          2026-05-28 09:00:00 #0 notice expires-soon
          2026-05-30 09:00:00 #0 notice expires-soon
          2026-05-31 23:59:59 #0 enter released

          2026-04-30 23:59:59 #0 refill
          2026-05-24 09:00:00 #0 notice expires-soon
          2026-05-28 09:00:00 #0 notice expires-soon
          2026-05-30 09:00:00 #0 notice expires-soon
          2026-05-31 23:59:59 #0 enter released
    "#]]
    .assert_eq(
        &[refills("2026-01-05 00:00:00", &renewed), refills("2026-03-31 23:59:59", &renewed)].join("\n"),
    );
    let yearly = Resource {
        term: Some(YEARLY),
        started_at: time("2024-02-29 10:00:00"),
        expires_at: Some(time("2027-02-28 23:59:59")),
        anchor_day: Some(29),
        ..resource("package")
    };
    expect![[r#"
          2025-02-28 23:59:59 #0 refill
          2026-02-28 23:59:59 #0 refill
          2027-02-21 09:00:00 #0 notice expires-soon
          2027-02-25 09:00:00 #0 notice expires-soon
          2027-02-27 09:00:00 #0 notice expires-soon
          2027-02-28 23:59:59 #0 enter released
    "#]]
    .assert_eq(&refills("2024-03-01 00:00:00", &yearly));
}

#[test]
fn a_package_is_renewed_by_whole_periods_and_keeps_its_day() {
    let three_months = Term { count: 3, ..MONTHLY };
    let bundle = [Resource { term: Some(three_months), ..resource("package") }];
    let renewed = |term: Option<Term>| {
        print_plan(&command(
            &[("unified_expiry_day", "5")],
            time("2026-02-10 12:00:00"),
            &bundle,
            0,
            renew(term),
            &[],
        ))
    };
    assert_eq!(renewed(None), "#0 to 2026-05-31 23:59:59 for 3 month");
    assert_eq!(renewed(Some(Term { count: 6, ..MONTHLY })), "#0 to 2026-08-31 23:59:59 for 6 month");
    assert_eq!(renewed(Some(MONTHLY)), "CBC.30010069");
    assert_eq!(renewed(Some(YEARLY)), "CBC.30010069");
    let smallest: Said = &[("auto_renew_period", "smallest")];
    let answer = command(smallest, time("2026-02-10 12:00:00"), &bundle, 0, renew(None), &[]);
    assert_eq!(print_plan(&answer), "#0 to 2026-05-31 23:59:59 for 3 month");
}

#[test]
fn a_package_bought_again_takes_effect_when_paid_or_at_the_chosen_time() {
    let buy = |pay_at: Option<&str>, effective_at: Option<&str>| {
        let purchase = Purchase { pay_at: pay_at.map(time), effective_at: effective_at.map(time) };
        let asked = Command::BuyAgain(purchase);
        print_plan(&command(&[], time("2026-01-30 15:50:04"), &[resource("package")], 0, asked, &[]))
    };
    let rows = [
        buy(None, None),
        buy(None, Some("2026-02-10 00:00:00")),
        buy(Some("2026-02-12 08:00:00"), Some("2026-02-10 00:00:00")),
        buy(Some("2026-02-12 08:00:00"), Some("2026-02-20 00:00:00")),
        buy(None, Some("2026-01-01 00:00:00")),
        buy(Some("2026-01-29 00:00:00"), None),
    ];
    expect![[r#"
        #0 another, paid 2026-01-30 15:50:04, from 2026-01-30 15:50:04, to 2026-02-28 23:59:59
        #0 another, paid 2026-01-30 15:50:04, from 2026-02-10 00:00:00, to 2026-03-10 23:59:59
        #0 another, paid 2026-02-12 08:00:00, from 2026-02-12 08:00:00, to 2026-03-12 23:59:59
        #0 another, paid 2026-02-12 08:00:00, from 2026-02-20 00:00:00, to 2026-03-20 23:59:59
        #0 another, paid 2026-01-30 15:50:04, from 2026-01-30 15:50:04, to 2026-02-28 23:59:59
        CBC.0100"#]]
    .assert_eq(&rows.join("\n"));
}

#[test]
fn a_package_that_ended_can_be_bought_again() {
    let asked = Command::BuyAgain(Purchase { pay_at: None, effective_at: None });
    let bundle = [Resource { stage: Stage::Released, ..resource("package") }];
    let answer = print_plan(&command(&[], time("2026-04-05 08:00:00"), &bundle, 0, asked.clone(), &[]));
    expect!["#0 another, paid 2026-04-05 08:00:00, from 2026-04-05 08:00:00, to 2026-05-05 23:59:59"]
        .assert_eq(&answer);
    let gone = [Resource { stage: Stage::Unsubscribed, ..resource("package") }];
    assert_eq!(print_plan(&command(&[], time("2026-04-05 08:00:00"), &gone, 0, asked, &[])), "CBC.99003012");
}
