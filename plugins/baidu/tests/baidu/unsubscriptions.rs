//! Refunds: the remaining whole days of a period, and the full amount of periods that have not begun. And conversions of
//! bundles.

use expect_test::expect;
use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::Order;
use plugin_sdk::OrderKind;
use plugin_sdk::Resource;
use plugin_sdk::Scope;
use plugin_sdk::Stage;

use crate::harness::With;
use crate::harness::ask;
use crate::harness::at;
use crate::harness::due;
use crate::harness::months;
use crate::harness::postpaid;
use crate::harness::prepaid;
use crate::harness::renew;
use crate::harness::show_answer;

pub fn order(member: u32, starts: &str, ends: &str, paid: i64, is_renewal: bool) -> Order {
    let starts_at = at(starts);
    let kind = if is_renewal { OrderKind::Renewal } else { OrderKind::Purchase };
    Order { member, starts_at, ends_at: at(ends), paid, paid_at: starts_at, kind, reduces: None }
}

#[test]
fn the_example_of_the_refund_summary_comes_out_to_the_cent() {
    let bundle = [prepaid("bcc", "i", "2016-02-10 11:00")];
    let orders = [order(0, "2016-01-10 11:00", "2016-02-10 11:00", 45_000_000, false)];
    let command = Command::Unsubscribe(Scope::Everything);
    let answer = ask(&[], at("2016-01-16 15:00"), &bundle, 0, command, &orders);
    expect![[r#"
          i      unsubscribed, refund 34840000 of order 0
    "#]]
    .assert_eq(&show_answer(&bundle, &answer));
}

#[test]
fn each_order_of_the_resource_gives_back_what_is_left_of_it() {
    let bundle =
        [prepaid("bcc", "i", "2026-10-10 10:00"), prepaid("cds", "v-1", "2026-10-10 10:00").attached()];
    let orders = [
        order(0, "2026-06-10 10:00", "2026-07-10 10:00", 60_000_000, false),
        order(1, "2026-07-10 10:00", "2026-10-10 10:00", 10_000_000, false),
        order(0, "2026-07-10 10:00", "2026-08-10 10:00", 62_000_000, true),
        order(0, "2026-08-10 10:00", "2026-09-10 10:00", 63_000_001, true),
        order(0, "2026-09-10 10:00", "2026-10-10 10:00", 64_000_000, true),
    ];
    for (scope, expected) in [
        (
            Scope::Everything,
            expect![[r#"
                i      unsubscribed, refund 0 of order 0, refund 30000000 of order 2, refund 63000001 of order 3, refund 64000000 of order 4
                v-1    unsubscribed, refund 8260000 of order 1
            "#]],
        ),
        (
            Scope::FuturePeriods,
            expect![[r#"
          i      back to 2026-08-10 10:00, refund 63000001 of order 3, refund 64000000 of order 4
          v-1    left out, OperationDenied: it has orders of its own; unsubscribe it by itself
    "#]],
        ),
    ] {
        let answer = ask(&[], at("2026-07-25 12:00"), &bundle, 0, Command::Unsubscribe(scope), &orders);
        expected.assert_eq(&show_answer(&bundle, &answer));
    }
}

#[test]
fn a_late_renewal_is_divided_by_its_own_days_whatever_the_setting_is_now() {
    // Expired on 10 July and renewed on the 15th for a month, counted from then or from the expiry.
    let refund = |settings: &[(&str, &str)], ends_at: &str, now: &str| {
        let bundle = [prepaid("bcc", "i", ends_at)];
        let late = Order {
            paid_at: at("2026-07-15 10:00"),
            ..order(0, "2026-07-10 10:00", ends_at, 31_000_000, true)
        };
        let plan =
            ask(settings, at(now), &bundle, 0, Command::Unsubscribe(Scope::Everything), &[late]).unwrap();
        let plugin_sdk::Operation::EndSubscription(ending) = &plan.steps[0].operation else {
            panic!("{plan:?}")
        };
        ending.refunds[0].amount
    };
    let from_renewal: &[_] = &[("late_renewal_from", "renewal")];
    for settings in [from_renewal, &[]] {
        assert_eq!(refund(settings, "2026-08-15 10:00", "2026-07-15 10:00"), 31_000_000);
        assert_eq!(refund(settings, "2026-08-15 10:00", "2026-07-25 10:00"), 21_000_000, "21 of 31 days");
        assert_eq!(refund(settings, "2026-08-10 10:00", "2026-07-25 10:00"), 16_000_000, "16 of 31 days");
    }
    // Its length says neither: a disk that was renewed to the expiry of its instance.
    assert_eq!(refund(from_renewal, "2026-08-20 10:00", "2026-07-25 10:00"), 22_390_000, "26 of 36 days");
    assert_eq!(refund(&[], "2026-08-20 10:00", "2026-07-25 10:00"), 19_660_000, "26 of 41 days");
}

#[test]
fn what_is_released_along_with_an_instance() {
    let bundle = |flag: &str| {
        [
            prepaid("bcc", "i", "2026-08-10 10:00").with("relatedReleaseFlag", flag),
            prepaid("cds", "v-1", "2026-08-20 10:00").attached(),
            prepaid("cds", "v-2", "2026-08-20 10:00").attached().on_expiry(OnExpiry::Renew),
            postpaid("cds", "v-3").attached(),
            prepaid("cds", "v-4", "2026-07-20 10:00").attached().stage(Stage::Retention),
            prepaid("cds", "v-5", "2026-07-25 12:00").attached(),
            prepaid("cds", "v-6", "2026-06-20 10:00").attached().stage(Stage::Released),
            prepaid("cds", "v-7", "2026-06-20 10:00").attached().stage(Stage::Converted),
            prepaid("eip", "ip-1", "2026-08-10 10:00").attached(),
            postpaid("eip", "ip-2").attached(),
            prepaid("mkt", "m-1", "2026-08-10 10:00").attached(),
        ]
    };
    let orders = [
        order(0, "2026-07-10 10:00", "2026-08-10 10:00", 31_000_000, false),
        order(1, "2026-07-20 10:00", "2026-08-20 10:00", 31_000_000, false),
        order(8, "2026-07-10 10:00", "2026-08-10 10:00", 62_000_000, true),
    ];
    for (flag, expected) in [
        (
            "false",
            expect![[r#"
        i      unsubscribed, refund 15000000 of order 0
        v-1    unsubscribed, refund 25000000 of order 1
        v-2    unsubscribed
        v-3    left out, OperationDenied: `relatedReleaseFlag` is not set, so it stays
        v-4    left out, OperationDenied: it has expired; there is nothing left to refund, and it will be released
        v-5    left out, OperationDenied: it has expired; there is nothing left to refund, and it will be released
        v-6    left out, NoSuchObject: it is gone
        v-7    left out, OperationDenied: it has become pay-as-you-go, and is not kept here any more
        ip-1   left out, OperationDenied: `relatedReleaseFlag` is not set, so it stays
        ip-2   left out, OperationDenied: `relatedReleaseFlag` is not set, so it stays
        m-1    left out, OperationDenied: it has orders of its own; unsubscribe it by itself
    "#]],
        ),
        (
            "true",
            expect![[r#"
        i      unsubscribed, refund 15000000 of order 0
        v-1    unsubscribed, refund 25000000 of order 1
        v-2    unsubscribed
        v-3    unsubscribed
        ip-1   unsubscribed, refund 30000000 of order 2
        ip-2   unsubscribed
        v-4    left out, OperationDenied: it has expired; there is nothing left to refund, and it will be released
        v-5    left out, OperationDenied: it has expired; there is nothing left to refund, and it will be released
        v-6    left out, NoSuchObject: it is gone
        v-7    left out, OperationDenied: it has become pay-as-you-go, and is not kept here any more
        m-1    left out, OperationDenied: it has orders of its own; unsubscribe it by itself
    "#]],
        ),
    ] {
        let bundle = bundle(flag);
        let command = Command::Unsubscribe(Scope::Everything);
        let answer = ask(&[], at("2026-07-25 12:00"), &bundle, 0, command, &orders);
        expected.assert_eq(&show_answer(&bundle, &answer));
    }
}

#[test]
fn a_protected_instance_is_not_released() {
    for (value, is_protected) in [("1", true), ("true", true), ("0", false), ("false", false), ("", false)] {
        let instance = prepaid("bcc", "i", "2026-08-10 10:00").with("deletionProtection", value);
        let command = |scope| {
            ask(
                &[],
                at("2026-07-25 12:00"),
                std::slice::from_ref(&instance),
                0,
                Command::Unsubscribe(scope),
                &[],
            )
        };
        let refused = command(Scope::Everything).err().map(|refusal| refusal.code);
        assert_eq!(refused.as_deref(), is_protected.then_some("Instance.DeletionProtection"), "{value}");
        // Giving periods back releases nothing.
        assert_eq!(command(Scope::FuturePeriods).unwrap_err().code, "OperationDenied");
    }
}

/// A disk that goes along by force gives nothing back after the days within which it could be unsubscribed by itself.
#[test]
fn a_disk_that_is_released_too_late_gives_nothing_back() {
    let disk = prepaid("cds", "v", "2026-08-10 10:00").attached();
    let bundle = [
        Resource { started_at: at("2026-07-20 10:00"), ..prepaid("bcc", "i", "2026-08-10 10:00") },
        Resource { started_at: at("2026-07-01 10:00"), ..disk },
    ];
    let orders = [order(1, "2026-07-10 10:00", "2026-08-10 10:00", 31_000_000, false)];
    for (days, refund) in [("0", 15_000_000), ("366", 15_000_000), ("7", 0)] {
        let command = Command::Unsubscribe(Scope::Everything);
        let settings = [("refund_within_days", days)];
        let plan = ask(&settings, at("2026-07-25 12:00"), &bundle, 0, command, &orders).unwrap();
        let plugin_sdk::Operation::EndSubscription(ending) = &plan.steps[1].operation else {
            panic!("{plan:?}")
        };
        assert_eq!(ending.refunds[0].amount, refund, "{days} days");
    }
}

/// Every kind, with the setting and without: a renewal, an unsubscription, and a renewal by its instance.
#[test]
fn no_order_is_taken_while_a_conversion_waits() {
    let waiting = |kind: &str| prepaid(kind, "x", "2026-08-10 10:00").on_expiry(OnExpiry::Convert);
    for kind in ["bcc", "bbc", "cds", "eip", "scs", "rds"] {
        for (setting, is_taken) in [("allowed", kind != "scs"), ("refused", false)] {
            let settings = [("orders_while_converting", setting)];
            let commands = [
                renew(Some(months(1)), &[]),
                renew(None, &[("clientToken", "t")]),
                due(),
                Command::Unsubscribe(Scope::Everything),
            ];
            for command in commands {
                let told = format!("{kind}, {setting}: {command:?}");
                let answer = ask(&settings, at("2026-07-25 12:00"), &[waiting(kind)], 0, command, &[]);
                match answer {
                    Ok(_) => assert!(is_taken, "{told}"),
                    Err(refusal) => {
                        assert!(!is_taken && refusal.message.contains("takes no other order"), "{told}");
                    }
                }
            }
            let answer =
                ask(&settings, at("2026-07-25 12:00"), &[waiting(kind)], 0, Command::CancelConversion, &[]);
            assert!(answer.is_ok(), "{kind}, {setting}: {answer:?}");
        }
    }
    let bundle =
        [prepaid("bcc", "i", "2026-08-10 10:00"), Resource { attached_to: Some(0), ..waiting("cds") }];
    let command = renew(Some(months(1)), &[("relatedRenewFlag", "CDS")]);
    for (setting, expected) in [
        (
            "allowed",
            expect![[r#"
        i      until 2026-09-10 10:00 for 1 month
        x      until 2026-09-10 10:00 for 1 month
    "#]],
        ),
        (
            "refused",
            expect![[r#"
        i      until 2026-09-10 10:00 for 1 month
        x      left out, OperationDenied: `x` is set to become pay-as-you-go and takes no other order until then; cancel that first
    "#]],
        ),
    ] {
        let settings = [("orders_while_converting", setting)];
        let answer = ask(&settings, at("2026-07-25 12:00"), &bundle, 0, command.clone(), &[]);
        expected.assert_eq(&show_answer(&bundle, &answer));
    }
}

#[test]
fn no_refund_is_more_than_was_paid_or_less_than_nothing() {
    let bundle = [prepaid("bcc", "i", "2026-08-10 10:00")];
    for paid in [0, 1, 4_999, 5_000, 9_999, 10_000, i64::MAX] {
        for now in ["2026-07-10 10:00", "2026-07-10 10:00:01", "2026-07-25 12:00", "2026-08-10 09:59:59"] {
            let orders = [order(0, "2026-07-10 10:00", "2026-08-10 10:00", paid, false)];
            let plan =
                ask(&[], at(now), &bundle, 0, Command::Unsubscribe(Scope::Everything), &orders).unwrap();
            let plugin_sdk::Operation::EndSubscription(ending) = &plan.steps[0].operation else {
                panic!("{plan:?}")
            };
            assert!((0..=paid).contains(&ending.refunds[0].amount), "{paid} at {now}: {ending:?}");
        }
    }
}

#[test]
fn refunds_can_be_limited_to_the_first_days() {
    let bundle = [prepaid("bcc", "i", "2026-02-10 10:00")];
    for (now, expected) in [
        (
            "2026-01-17 10:00",
            expect![[r#"
          i      unsubscribed
    "#]],
        ),
        (
            "2026-01-17 10:00:01",
            expect![[r#"
          refused OperationDenied: `i` was bought more than 7 days ago
    "#]],
        ),
    ] {
        let settings = [("refund_within_days", "7")];
        let answer = ask(&settings, at(now), &bundle, 0, Command::Unsubscribe(Scope::Everything), &[]);
        expected.assert_eq(&show_answer(&bundle, &answer));
    }
}

#[test]
fn disks_are_converted_along_where_the_setting_says_so() {
    let bundle = [
        prepaid("bcc", "i", "2026-08-10 10:00"),
        prepaid("cds", "v-1", "2026-08-10 10:00").attached(),
        prepaid("cds", "v-2", "2026-08-10 10:00").attached().on_expiry(OnExpiry::Renew),
        prepaid("cds", "v-3", "2026-07-20 10:00").attached().stage(Stage::Retention),
        postpaid("cds", "v-4").attached(),
        prepaid("eip", "ip-1", "2026-08-10 10:00").attached(),
    ];
    for (setting, expected) in [
        (
            "none",
            expect![[r#"
          i      on expiry convert
          v-1    left out, OperationDenied: only the instance is converted; convert it by itself
          v-2    left out, OperationDenied: only the instance is converted; convert it by itself
          v-3    left out, OperationDenied: only the instance is converted; convert it by itself
          v-4    left out, OperationDenied: `v-4` is pay-as-you-go; only prepaid resources have periods
          ip-1   left out, OperationDenied: only the instance is converted; convert it by itself
    "#]],
        ),
        (
            "all",
            expect![[r#"
          i      on expiry convert
          v-1    on expiry convert
          v-2    left out, Volume.AutoRenewNotSupportToPostpay: it has an auto-renew rule
          v-3    left out, Volume.ExpiredResourceNotSupportToPostpay: it has expired
          v-4    left out, OperationDenied: `v-4` is pay-as-you-go; only prepaid resources have periods
          ip-1   left out, OperationDenied: only the instance is converted; convert it by itself
    "#]],
        ),
    ] {
        let settings = [("convert_cds", setting)];
        let answer = ask(&settings, at("2026-07-25 12:00"), &bundle, 0, Command::ConvertOnExpiry, &[]);
        expected.assert_eq(&show_answer(&bundle, &answer));
    }
}
