//! The refund of an order, at every point of its life.

use expect_test::expect;
use plugin_sdk::*;

use crate::commands::two_orders;
use crate::world::*;

/// Bought on 10 January for 31.00, renewed on 1 February for two more months, one order each.
fn orders() -> Vec<Order> {
    let order = |starts: &str, ends: &str, paid: &str, is_renewal: bool| Order {
        member: 0,
        starts_at: time(starts),
        ends_at: time(ends),
        paid: 31_000_000,
        paid_at: time(paid),
        kind: if is_renewal { OrderKind::Renewal } else { OrderKind::Purchase },
        reduces: None,
    };
    vec![
        order("2026-01-10 15:50:04", "2026-02-10 23:59:59", "2026-01-10 15:50:00", false),
        order("2026-02-10 23:59:59", "2026-03-10 23:59:59", "2026-02-01 09:00:00", true),
        order("2026-03-10 23:59:59", "2026-04-10 23:59:59", "2026-02-01 09:00:00", true),
    ]
}

fn print(said: Said, at: &str, scope: Scope) -> String {
    let expires_at = Some(time("2026-04-10 23:59:59"));
    let started_at = time("2026-01-10 15:50:04");
    let bundle = [Resource { started_at, expires_at, anchor_day: Some(10), ..resource("ecs") }];
    print_plan(&command(said, time(at), &bundle, 0, Command::Unsubscribe(scope), &orders()))
}

#[test]
fn every_order_gives_back_what_it_is_due_at_each_point_of_its_life() {
    let mut table = String::new();
    let settings: [Said; 4] = [
        &[],
        &[("site", "cn")],
        &[("site", "cn"), ("full_refund_days", "0")],
        &[("handling_fee_percent", "10")],
    ];
    for said in settings {
        table += &format!("{said:?}\n");
        for at in [
            "2026-01-10 15:50:04",
            "2026-01-15 15:49:59",
            "2026-01-15 15:50:00",
            "2026-02-01 12:00:00",
            "2026-02-10 23:59:58",
            "2026-02-10 23:59:59",
            "2026-02-11 12:00:00",
            "2026-04-10 12:00:00",
        ] {
            table += &format!("  {at} → {}\n", print(said, at, Scope::Everything));
        }
    }
    expect![[r#"
        []
          2026-01-10 15:50:04 → #0 ends everything, order 0: 31000000, order 1: 31000000, order 2: 31000000
          2026-01-15 15:49:59 → #0 ends everything, order 0: 26050000, order 1: 31000000, order 2: 31000000
          2026-01-15 15:50:00 → #0 ends everything, order 0: 26050000, order 1: 31000000, order 2: 31000000
          2026-02-01 12:00:00 → #0 ends everything, order 0: 9380000, order 1: 31000000, order 2: 31000000
          2026-02-10 23:59:58 → #0 ends everything, order 0: 40000, order 1: 31000000, order 2: 31000000
          2026-02-10 23:59:59 → #0 ends everything, order 0: 0, order 1: 31000000, order 2: 31000000
          2026-02-11 12:00:00 → #0 ends everything, order 0: 0, order 1: 30440000, order 2: 31000000
          2026-04-10 12:00:00 → #0 ends everything, order 0: 0, order 1: 0, order 2: 500000
        [("site", "cn")]
          2026-01-10 15:50:04 → #0 ends everything, order 0: 31000000, order 1: 31000000, order 2: 31000000
          2026-01-15 15:49:59 → #0 ends everything, order 0: 31000000, order 1: 31000000, order 2: 31000000
          2026-01-15 15:50:00 → #0 ends everything, order 0: 31000000, order 1: 31000000, order 2: 31000000
          2026-02-01 12:00:00 → #0 ends everything, order 0: 8710000, order 1: 31000000, order 2: 31000000
          2026-02-10 23:59:58 → #0 ends everything, order 0: 0, order 1: 31000000, order 2: 31000000
          2026-02-10 23:59:59 → #0 ends everything, order 0: 0, order 1: 31000000, order 2: 31000000
          2026-02-11 12:00:00 → #0 ends everything, order 0: 0, order 1: 29890000, order 2: 31000000
          2026-04-10 12:00:00 → #0 ends everything, order 0: 0, order 1: 0, order 2: 0
        [("site", "cn"), ("full_refund_days", "0")]
          2026-01-10 15:50:04 → #0 ends everything, order 0: 30030000, order 1: 31000000, order 2: 31000000
          2026-01-15 15:49:59 → #0 ends everything, order 0: 25180000, order 1: 31000000, order 2: 31000000
          2026-01-15 15:50:00 → #0 ends everything, order 0: 25180000, order 1: 31000000, order 2: 31000000
          2026-02-01 12:00:00 → #0 ends everything, order 0: 8710000, order 1: 31000000, order 2: 31000000
          2026-02-10 23:59:58 → #0 ends everything, order 0: 0, order 1: 31000000, order 2: 31000000
          2026-02-10 23:59:59 → #0 ends everything, order 0: 0, order 1: 31000000, order 2: 31000000
          2026-02-11 12:00:00 → #0 ends everything, order 0: 0, order 1: 29890000, order 2: 31000000
          2026-04-10 12:00:00 → #0 ends everything, order 0: 0, order 1: 0, order 2: 0
        [("handling_fee_percent", "10")]
          2026-01-10 15:50:04 → #0 ends everything, order 0: 27900000, order 1: 31000000, order 2: 31000000
          2026-01-15 15:49:59 → #0 ends everything, order 0: 22950000, order 1: 31000000, order 2: 31000000
          2026-01-15 15:50:00 → #0 ends everything, order 0: 22950000, order 1: 31000000, order 2: 31000000
          2026-02-01 12:00:00 → #0 ends everything, order 0: 6280000, order 1: 31000000, order 2: 31000000
          2026-02-10 23:59:58 → #0 ends everything, order 0: 0, order 1: 31000000, order 2: 31000000
          2026-02-10 23:59:59 → #0 ends everything, order 0: 0, order 1: 27900000, order 2: 31000000
          2026-02-11 12:00:00 → #0 ends everything, order 0: 0, order 1: 27340000, order 2: 31000000
          2026-04-10 12:00:00 → #0 ends everything, order 0: 0, order 1: 0, order 2: 0
    "#]]
    .assert_eq(&table);
}

#[test]
fn the_periods_that_have_not_begun_go_back_whole() {
    let ends = ["2026-01-20 00:00:00", "2026-02-10 23:59:59", "2026-03-10 23:59:59"]
        .map(|at| print(&[("handling_fee_percent", "10")], at, Scope::FuturePeriods));
    expect![[r#"
        #0 ends futureperiods, left to 2026-02-10 23:59:59, order 1: 31000000, order 2: 31000000
        #0 ends futureperiods, left to 2026-03-10 23:59:59, order 2: 31000000
        CBC.99003128"#]]
    .assert_eq(&ends.join("\n"));
}

#[test]
fn periods_before_time_that_was_not_paid_for_here_stay() {
    let bundle = [Resource { expires_at: Some(time("2026-05-10 23:59:59")), ..resource("ecs") }];
    let ask =
        |scope| command(&[], time("2026-01-20 00:00:00"), &bundle, 0, Command::Unsubscribe(scope), &orders());
    assert_eq!(print_plan(&ask(Scope::FuturePeriods)), "CBC.99003128");
    assert!(print_plan(&ask(Scope::Everything)).starts_with("#0 ends everything, order 0:"));
}

#[test]
fn renewed_periods_with_time_between_that_was_not_paid_here_stay() {
    // Renewed here to 10 March, elsewhere to 10 April, and here to 10 May, with or without an upgrade between.
    let resource = Resource { expires_at: Some(time("2026-05-10 23:59:59")), ..resource("ecs") };
    let [bought, first, _] = orders()[..] else { panic!("three orders") };
    let (starts_at, ends_at) = (time("2026-04-10 23:59:59"), time("2026-05-10 23:59:59"));
    let last = Order { starts_at, ends_at, ..first };
    let upgrade = Order { starts_at: first.ends_at, ends_at: starts_at, kind: OrderKind::Upgrade, ..first };
    let whole = Order { ends_at: starts_at, ..first };
    for (orders, answer) in [
        (vec![bought, first, last], "CBC.99003128"),
        (vec![bought, first, upgrade, last], "CBC.99003128"),
        (vec![bought, first, upgrade], "CBC.99003128"),
        (
            vec![bought, whole, last],
            "#0 ends futureperiods, left to 2026-02-10 23:59:59, order 1: 31000000, order 2: 31000000",
        ),
    ] {
        let future = Command::Unsubscribe(Scope::FuturePeriods);
        let given =
            command(&[], time("2026-01-20 00:00:00"), std::slice::from_ref(&resource), 0, future, &orders);
        assert_eq!(print_plan(&given), answer);
    }
}

#[test]
fn nothing_ends_while_an_order_of_what_is_attached_waits() {
    let disk = Resource { has_unpaid_order: true, ..attached("evs", 0) };
    let everything = Command::Unsubscribe(Scope::Everything);
    let answer = command(&[], time("2026-01-20 00:00:00"), &[resource("ecs"), disk], 0, everything, &[]);
    assert_eq!(print_plan(&answer), "CBC.99003100");
}

#[test]
fn a_package_goes_back_only_before_it_takes_effect() {
    let ahead = [Resource { started_at: time("2026-01-28 00:00:00"), ..resource("package") }];
    let everything = Command::Unsubscribe(Scope::Everything);
    let [first, renewal] = two_orders();
    let first =
        Order { starts_at: time("2026-01-28 00:00:00"), ends_at: time("2026-01-31 23:59:59"), ..first };
    let orders = [first, renewal];
    let before = command(&[], time("2026-01-27 23:59:59"), &ahead, 0, everything.clone(), &orders);
    assert_eq!(print_plan(&before), "#0 ends everything, order 0: 31000000, order 1: 31000000");
    let in_force = command(&[("site", "cn")], time("2026-01-28 00:00:00"), &ahead, 0, everything, &orders);
    assert_eq!(print_plan(&in_force), "CBC.99003647");
    let future = Command::Unsubscribe(Scope::FuturePeriods);
    let renewed = command(&[], time("2026-01-28 00:00:00"), &ahead, 0, future, &orders);
    assert_eq!(print_plan(&renewed), "#0 ends futureperiods, left to 2026-01-31 23:59:59, order 1: 31000000");
}
