//! What a refund counts, and the fee: the worked examples of the manual, and what holds for every order.

use expect_test::expect;
use plugin_huawei::refund::Division;
use plugin_huawei::refund::Payment;
use plugin_huawei::settings::Settings;
use plugin_sdk::*;
use proptest::prelude::*;

use crate::world::*;

fn order(starts: &str, ends: &str, paid: Micros) -> Order {
    let starts_at = time(starts);
    Order {
        member: 0,
        starts_at,
        ends_at: time(ends),
        paid,
        paid_at: starts_at,
        kind: OrderKind::Renewal,
        reduces: None,
    }
}

fn settings(said: Said) -> Settings {
    Settings::of(&said.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>())
}

/// What becomes of an order of a resource that was provisioned at `started_at`.
fn divide(settings: &Settings, at: Timestamp, order: &Order, started_at: Timestamp) -> Division {
    let resource = Resource { started_at, ..resource("ecs") };
    Payment::of(&resource, std::slice::from_ref(order), 0).divide(settings, at)
}

fn refund(said: Said, at: &str, order: &Order) -> Micros {
    divide(&settings(said), time(at), order, order.starts_at).refund
}

#[test]
fn the_worked_example_of_2025_counts_the_clocks_hours() {
    let order = order("2024-01-01 10:30:00", "2024-02-01 23:59:59", 758_000_000);
    let at = |at| refund(&[], at, &order) / 1_000_000;
    assert_eq!(at("2024-01-15 18:40:00"), 414);
    assert_eq!(at("2024-01-15 18:00:00"), 414, "from the beginning of that hour");
    assert_eq!(at("2024-01-15 18:59:59"), 414, "to its end");
    assert_eq!(at("2024-01-15 19:00:00"), 413);
    assert_eq!(at("2024-01-01 10:30:00"), 758, "the first hour is not used before it ends");
}

#[test]
fn the_worked_example_of_2024_does_not_count_the_day_of_unsubscription() {
    let order = order("2024-06-14 10:00:00", "2024-07-14 23:59:59", 31_000_000);
    let at = |at| refund(&[("refund_counts", "days")], at, &order) / 1_000_000;
    assert_eq!(at("2024-06-21 15:00:00"), 24);
    assert_eq!(at("2024-06-21 00:00:00"), 24, "from the beginning of that day");
    assert_eq!(at("2024-06-21 23:59:59"), 24, "to its end");
    assert_eq!(at("2024-06-14 10:00:00"), 31);
    assert_eq!(at("2024-07-14 12:00:00"), 1);
}

#[test]
fn a_renewed_period_begins_after_the_last_second_of_the_one_before() {
    let order = order("2026-02-28 23:59:59", "2026-03-31 23:59:59", 31_000_000);
    for (counts, refunds) in [("hours", 30_500_000), ("days", 31_000_000), ("whole_unused_days", 30_000_000)]
    {
        assert_eq!(refund(&[("refund_counts", counts)], "2026-03-01 12:00:00", &order), refunds, "{counts}");
    }
}

#[test]
fn a_first_period_begins_with_the_second_of_its_purchase() {
    let renewal = order("2026-02-28 23:59:59", "2026-03-31 23:59:59", 32_000_000);
    let purchase = Order { kind: OrderKind::Purchase, ..renewal };
    let at = time("2026-03-02 12:00:00");
    let left = |counts, started_at| {
        let division = divide(&settings(&[("refund_counts", counts)]), at, &purchase, started_at);
        (division.refund, division.consumed)
    };
    // Of an import whose purchase is long past, the last period is a running one like any other.
    let shown = ["hours", "days", "whole_unused_days"].map(|counts| {
        let (first, later) = (left(counts, purchase.starts_at), left(counts, time("2025-01-01 12:00:00")));
        format!("{counts} {first:?}, imported later {later:?}\n")
    });
    expect![[r#"
        hours (30410000, 1590000), imported later (30450000, 1550000)
        days (30000000, 2000000), imported later (30960000, 1040000)
        whole_unused_days (29930000, 2070000), imported later (29930000, 2070000)
    "#]]
    .assert_eq(&shown.concat());
}

#[test]
fn each_site_counts_as_its_manual_does_unless_the_account_says_otherwise() {
    let order = order("2026-04-01 08:00:00", "2026-05-01 08:00:00", 72_000_000);
    let sites = ["intl", "cn", "eu"].map(|site| refund(&[("site", site)], "2026-04-16 20:30:00", &order));
    expect!["[34800000, 33600000, 33600000]"].assert_eq(&format!("{sites:?}"));
}

#[test]
fn the_fee_of_the_manual_depends_on_the_term_and_the_years_used() {
    let mut table = String::new();
    for (title, ends) in [
        ("1 month", "2026-02-10 23:59:59"),
        ("11 months", "2026-12-10 23:59:59"),
        ("1 year", "2027-01-10 23:59:59"),
        ("1 year and 30 days", "2027-02-09 23:59:59"),
        ("2 years", "2028-01-10 23:59:59"),
        ("3 years", "2029-01-10 23:59:59"),
    ] {
        let order = order("2026-01-10 23:59:59", ends, 1_000_000_000);
        let fees =
            ["2026-01-20 12:00:00", "2027-01-10 23:59:59", "2027-01-11 00:00:00", "2028-01-11 00:00:00"].map(
                |at| {
                    divide(
                        &settings(&[("handling_fee_percent", "manual")]),
                        time(at),
                        &order,
                        order.starts_at,
                    )
                    .fee
                },
            );
        table += &format!("{title}: {:?}\n", fees.map(|fee| fee / 10_000_000));
    }
    expect![[r#"
        1 month: [10, 0, 0, 0]
        11 months: [10, 0, 0, 0]
        1 year: [10, 0, 0, 0]
        1 year and 30 days: [10, 7, 7, 0]
        2 years: [15, 15, 10, 0]
        3 years: [15, 15, 10, 5]
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_fee_leaves_nothing_where_less_is_left() {
    let order = order("2026-04-01 08:00:00", "2026-05-01 08:00:00", 100_000_000);
    let late = divide(&settings(&[("handling_fee_percent", "10")]), time("2026-04-30 08:00:00"), &order, 0);
    assert_eq!(late, Division { refund: 0, fee: 3_330_000, consumed: 96_670_000 });
}

#[test]
fn only_a_new_purchase_is_refunded_whole_within_its_first_five_days() {
    let said: Said = &[("site", "cn")];
    let bought = Order {
        kind: OrderKind::Purchase,
        ..order("2026-03-01 08:00:00", "2026-04-01 08:00:00", 31_000_000)
    };
    let at = |at, order: &Order, started_at: &str| {
        divide(&settings(said), time(at), order, time(started_at)).refund
    };
    assert_eq!(at("2026-03-06 07:59:59", &bought, "2026-03-01 08:00:00"), 31_000_000);
    assert_eq!(at("2026-03-06 08:00:00", &bought, "2026-03-01 08:00:00"), 26_000_000);
    // An import has one order for what was bought long before: it is no new purchase.
    assert_eq!(at("2026-03-03 08:00:00", &bought, "2025-03-01 08:00:00"), 29_000_000);
    let renewed = Order { kind: OrderKind::Renewal, paid_at: time("2026-03-02 08:00:00"), ..bought };
    assert_eq!(at("2026-03-03 08:00:00", &renewed, "2026-03-01 08:00:00"), 29_000_000);
}

proptest! {
    #[test]
    fn refund_consumption_and_fee_are_the_payment(
        begins in 1_700_000_000..1_900_000_000_i64, hours in 1..30_000_i64, used in -100..40_000_i64, paid in 0..10_000_000_000_000_i64,
        counts in prop_oneof![Just("hours"), Just("days"), Just("whole_unused_days")],
        fee in prop_oneof![Just("manual".to_owned()), (0..=100_u8).prop_map(|percent| percent.to_string())],
        site in prop_oneof![Just("cn"), Just("intl"), Just("eu")], is_renewal in any::<bool>(),
    ) {
        let ends_at = begins + hours * 3600;
        let kind = if is_renewal { OrderKind::Renewal } else { OrderKind::Purchase };
        let order = Order { member: 0, starts_at: begins, ends_at, paid, paid_at: begins, kind, reduces: None };
        let said: Said = &[("refund_counts", counts), ("handling_fee_percent", &fee), ("site", site)];
        let settings = settings(said);
        let mut before = paid;
        for at in [begins - 1, begins, begins + used * 1800, begins + (used * 3600).max(used * 1800), ends_at - 1, ends_at] {
            let Division { refund, fee, consumed } = divide(&settings, at, &order, begins);
            prop_assert_eq!(refund + fee + consumed, paid);
            prop_assert!(refund >= 0 && fee >= 0 && consumed >= 0, "{} {} {}", refund, fee, consumed);
            if at > begins && at < ends_at {
                prop_assert!(refund <= before, "{} after {}", refund, before);
                before = refund;
            }
        }
        prop_assert_eq!(divide(&settings, ends_at, &order, begins).refund, 0);
        prop_assert_eq!(divide(&settings, begins - 1, &order, begins).refund, paid);
    }
}
