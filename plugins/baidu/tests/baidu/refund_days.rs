//! What goes back only within some days of the purchase, and what only from the end of the paid time.

use expect_test::expect;
use plugin_sdk::Command;
use plugin_sdk::Order;
use plugin_sdk::Scope;

use crate::harness::With;
use crate::harness::ask;
use crate::harness::at;
use crate::harness::prepaid;
use crate::harness::show_answer;
use crate::unsubscriptions::order;

#[test]
fn the_days_of_refunds_count_from_the_purchase() {
    // Pay-as-you-go since 10 January, prepaid since 1 March.
    let bundle = [prepaid("bcc", "i", "2026-04-01 10:00")];
    let orders = [order(0, "2026-03-01 10:00", "2026-04-01 10:00", 31_000_000, false)];
    let settings = [("refund_within_days", "7")];
    let refund = |now: &str| {
        let answer = ask(&settings, at(now), &bundle, 0, Command::Unsubscribe(Scope::Everything), &orders);
        show_answer(&bundle, &answer)
    };
    expect![[r#"
        i      unsubscribed, refund 29000000 of order 0
        refused OperationDenied: `i` was bought more than 7 days ago
    "#]]
    .assert_eq(&(refund("2026-03-03 10:00") + &refund("2026-03-08 10:00:01")));
}

/// Bought on 10 January and renewed to 10 March for 28.00, with `refund_within_days` 7.
#[test]
fn a_change_at_once_loses_no_money_unasked() {
    let bundle =
        [prepaid("bcc", "i", "2026-03-10 10:00"), prepaid("cds", "v", "2026-02-10 10:00").attached()];
    let orders = [
        order(0, "2026-01-10 10:00", "2026-02-10 10:00", 31_000_000, false),
        order(0, "2026-02-10 10:00", "2026-03-10 10:00", 28_000_000, true),
        Order {
            paid_at: at("2026-01-01 10:00"),
            ..order(1, "2026-01-10 10:00", "2026-02-10 10:00", 31_000_000, false)
        },
    ];
    let changed = |now: &str, late: &str| {
        let settings = [("refund_within_days", "7"), ("convert_cds", "all"), ("late_conversion", late)];
        show_answer(&bundle, &ask(&settings, at(now), &bundle, 0, Command::ConvertNow, &orders))
    };
    expect![[r#"
        i      convert, refund 30000000 of order 0, refund 28000000 of order 1
        v      left out, OperationDenied: it was bought more than 7 days ago, and what is left of its period would not come back; let it become pay-as-you-go at its expiry

        refused OperationDenied: `i` was bought more than 7 days ago, and what is left of its period would not come back; let it become pay-as-you-go at its expiry

        i      convert, refund 0 of order 0, refund 28000000 of order 1
        v      convert, refund 0 of order 2
    "#]].assert_eq(
        &[
            changed("2026-01-11 10:00", "refused"),
            changed("2026-01-27 10:00", "refused"),
            changed("2026-01-27 10:00", "forfeits"),
        ]
        .join("\n"),
    );
}

#[test]
fn renewed_periods_with_time_between_that_was_not_paid_here_stay() {
    // Renewed here to 10 March, elsewhere to 10 April, and here to 10 May.
    let bundle = [prepaid("bcc", "i", "2026-05-10 10:00")];
    let bought = order(0, "2026-01-10 10:00", "2026-02-10 10:00", 31_000_000, false);
    let first = order(0, "2026-02-10 10:00", "2026-03-10 10:00", 31_000_000, true);
    let last = order(0, "2026-04-10 10:00", "2026-05-10 10:00", 31_000_000, true);
    let future = |now: &str, orders: &[Order]| {
        let answer = ask(&[], at(now), &bundle, 0, Command::Unsubscribe(Scope::FuturePeriods), orders);
        show_answer(&bundle, &answer)
    };
    let shown = [
        future("2026-01-20 10:00", &[bought, first, last]),
        future("2026-03-20 10:00", &[bought, first, last]),
        future("2026-01-20 10:00", &[bought, first]),
    ];
    expect![[r#"
        refused OperationDenied: `i` has time behind a renewed period that was not paid for here; the periods go back only with the whole of it

        i      back to 2026-04-10 10:00, refund 31000000 of order 2

        refused OperationDenied: `i` has time behind a renewed period that was not paid for here; the periods go back only with the whole of it
    "#]].assert_eq(&shown.join("\n"));
}
