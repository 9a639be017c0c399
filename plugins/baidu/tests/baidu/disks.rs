//! Disks: aligned with their instance's new expiry, or by a period of their own.

use expect_test::Expect;
use expect_test::expect;
use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Subscribe;

use crate::harness::With;
use crate::harness::ask;
use crate::harness::at;
use crate::harness::days;
use crate::harness::due;
use crate::harness::months;
use crate::harness::postpaid;
use crate::harness::prepaid;
use crate::harness::renew;
use crate::harness::show_answer;
use crate::harness::years;

fn check(bundle: &[Resource], member: u32, command: Command, expected: Expect) {
    let answer = ask(&[], at("2026-07-25 12:00"), bundle, member, command, &[]);
    expected.assert_eq(&show_answer(bundle, &answer));
}

fn with_flag(options: &[(&str, &str)]) -> Command {
    renew(Some(months(1)), &[&[("relatedRenewFlag", "CDS")], options].concat())
}

#[test]
fn a_disk_is_aligned_with_the_new_expiry_of_its_instance() {
    let bundle = [
        prepaid("bcc", "i", "2026-08-31 10:00"),
        prepaid("cds", "same", "2026-08-31 10:00").attached(),
        prepaid("cds", "month", "2026-07-30 10:00").attached(),
        prepaid("cds", "hours", "2026-07-30 22:00").attached(),
        prepaid("cds", "close", "2026-09-28 11:00").attached(),
        prepaid("cds", "reach", "2026-09-30 10:00").attached(),
        prepaid("cds", "past", "2026-12-01 10:00").attached(),
        prepaid("cds", "late", "2026-07-20 10:00").attached().stage(Stage::Retention),
    ];
    check(
        &bundle,
        0,
        with_flag(&[]),
        expect![[r#"
          i      until 2026-09-30 10:00 for 1 month
          same   until 2026-09-30 10:00 for 1 month
          month  until 2026-09-30 10:00 for 2 month, anchor 31
          hours  until 2026-09-30 10:00 for 1 month and 31 day, anchor 31
          close  until 2026-09-30 10:00 for 2 day, anchor 31
          late   until 2026-09-30 10:00 for 2 month and 10 day, anchor 31
          reach  left out, OperationDenied: it already lasts as long as its instance will
          past   left out, OperationDenied: it already lasts as long as its instance will
    "#]],
    );
}

#[test]
fn a_period_of_its_own_reaches_at_least_as_far_as_the_instance() {
    let bundle = [
        prepaid("bcc", "i", "2026-08-10 10:00"),
        prepaid("cds", "v-1", "2026-08-10 10:00").attached(),
        prepaid("cds", "v-2", "2026-08-01 10:00").attached(),
        postpaid("cds", "v-3").attached(),
        prepaid("cds", "v-4", "2026-08-10 10:00").attached().stage(Stage::Released),
        prepaid("eip", "ip-1", "2026-08-10 10:00").attached(),
    ];
    for (periods, expected) in [
        (
            r#"[]"#,
            expect![[r#"
              i      until 2026-09-10 10:00 for 1 month
              v-1    until 2026-09-10 10:00 for 1 month
              v-2    until 2026-09-10 10:00 for 1 month and 9 day, anchor 10
              v-3    left out, OperationDenied: `v-3` is pay-as-you-go; only prepaid resources have periods
              v-4    left out, NoSuchObject: `v-4` was released
              ip-1   left out, OperationDenied: relatedRenewFlag does not name its kind
        "#]],
        ),
        (
            r#"[{"volumeId": "v-1", "period": 1}]"#,
            expect![[r#"
              i      until 2026-09-10 10:00 for 1 month
              v-1    until 2026-09-10 10:00 for 1 month
              v-2    until 2026-09-10 10:00 for 1 month and 9 day, anchor 10
              v-3    left out, OperationDenied: `v-3` is pay-as-you-go; only prepaid resources have periods
              v-4    left out, NoSuchObject: `v-4` was released
              ip-1   left out, OperationDenied: relatedRenewFlag does not name its kind
        "#]],
        ),
        (
            r#"[{"volumeId": "v-1", "period": 60}, {"period": 2, "volumeId": "v-2"}]"#,
            expect![[r#"
              i      until 2026-09-10 10:00 for 1 month
              v-1    until 2031-08-10 10:00 for 60 month
              v-2    until 2026-10-01 10:00 for 2 month
              v-3    left out, OperationDenied: `v-3` is pay-as-you-go; only prepaid resources have periods
              v-4    left out, NoSuchObject: `v-4` was released
              ip-1   left out, OperationDenied: relatedRenewFlag does not name its kind
        "#]],
        ),
        (
            r#"[{"volumeId": "v-2", "period": 1}]"#,
            expect![[r#"
              refused BadRequest: `cdsCustomPeriod` gives `v-2` 1 month(s), which ends before its instance does
        "#]],
        ),
        (
            r#"[{"volumeId": "v-1", "period": 0}]"#,
            expect![[r#"
              refused BadRequest: `cdsCustomPeriod` gives `v-1` 0 months; a disk is renewed by 1 to 60
        "#]],
        ),
        (
            r#"[{"volumeId": "v-1", "period": 61}]"#,
            expect![[r#"
              refused BadRequest: `cdsCustomPeriod` gives `v-1` 61 months; a disk is renewed by 1 to 60
        "#]],
        ),
        (
            r#"[{"volumeId": "v-1", "period": 2}, {"volumeId": "v-1", "period": 3}]"#,
            expect![[r#"
              refused BadRequest: `cdsCustomPeriod` names `v-1` twice
        "#]],
        ),
        (
            r#"[{"volumeId": "v-9", "period": 2}]"#,
            expect![[r#"
              refused NoSuchObject: no disk `v-9` is attached to the instance
        "#]],
        ),
        (
            r#"[{"volumeId": "ip-1", "period": 2}]"#,
            expect![[r#"
              refused NoSuchObject: no disk `ip-1` is attached to the instance
        "#]],
        ),
        (
            r#"[{"volumeId": "v-3", "period": 2}]"#,
            expect![[r#"
              refused OperationDenied: `cdsCustomPeriod` names `v-3`, which does not join: `v-3` is pay-as-you-go; only prepaid resources have periods
        "#]],
        ),
        (
            r#"[{"volumeId": "v-4", "period": 2}]"#,
            expect![[r#"
              refused NoSuchObject: `cdsCustomPeriod` names `v-4`, which does not join: `v-4` was released
        "#]],
        ),
        (
            r#"[{"volumeId": "v-1"}]"#,
            expect![[r#"
              refused BadRequest: `cdsCustomPeriod` is not a list such as `[{"volumeId": "v-1", "period": 3}]`: missing field `period` at line 1 column 20
        "#]],
        ),
        (
            r#"[{"volumeId": "v-1", "period": 1.5}]"#,
            expect![[r#"
              refused BadRequest: `cdsCustomPeriod` is not a list such as `[{"volumeId": "v-1", "period": 3}]`: invalid type: floating point `1.5`, expected u32 at line 1 column 34
        "#]],
        ),
        (
            r#"[{"volumeId": "v-1", "period": 1, "unit": "Month"}]"#,
            expect![[r#"
              refused BadRequest: `cdsCustomPeriod` is not a list such as `[{"volumeId": "v-1", "period": 3}]`: unknown field `unit`, expected `volumeId` or `period` at line 1 column 40
        "#]],
        ),
        (
            r#"{"volumeId": "v-1", "period": 1}"#,
            expect![[r#"
              refused BadRequest: `cdsCustomPeriod` is not a list such as `[{"volumeId": "v-1", "period": 3}]`: invalid type: map, expected a sequence at line 1 column 0
        "#]],
        ),
        (
            r#""#,
            expect![[r#"
              refused BadRequest: `cdsCustomPeriod` is not a list such as `[{"volumeId": "v-1", "period": 3}]`: EOF while parsing a value at line 1 column 0
        "#]],
        ),
    ] {
        check(&bundle, 0, with_flag(&[("cdsCustomPeriod", periods)]), expected);
    }
}

#[test]
fn a_period_for_a_disk_that_the_flag_leaves_out_is_refused() {
    let bundle =
        [prepaid("bcc", "i", "2026-08-10 10:00"), prepaid("cds", "v-1", "2026-08-10 10:00").attached()];
    let periods = ("cdsCustomPeriod", r#"[{"volumeId": "v-1", "period": 2}]"#);
    check(
        &bundle,
        0,
        renew(Some(months(1)), &[periods]),
        expect![[r#"
          refused OperationDenied: `cdsCustomPeriod` names `v-1`, which does not join: relatedRenewFlag does not name its kind
    "#]],
    );
}

#[test]
fn a_disk_renewed_by_name_takes_its_own_lengths_or_is_aligned() {
    let instance = || prepaid("bcc", "i", "2026-10-10 10:00");
    let disk = || prepaid("cds", "v-1", "2026-08-01 10:00").attached();
    for (bundle, term, expected) in [
        (
            [instance(), disk()],
            None,
            expect![[r#"
              v-1    until 2026-10-10 10:00 for 2 month and 9 day, anchor 10
        "#]],
        ),
        (
            [instance(), disk()],
            Some(months(10)),
            expect![[r#"
              v-1    until 2027-06-01 10:00 for 10 month
        "#]],
        ),
        (
            [instance(), disk()],
            Some(years(5)),
            expect![[r#"
              v-1    until 2031-08-01 10:00 for 5 year
        "#]],
        ),
        (
            [instance(), disk()],
            Some(months(61)),
            expect![[r#"
              refused BadRequest: a cds is renewed by 1 to 60 months or 1 to 5 years, not by 61 month(s)
        "#]],
        ),
        (
            [instance(), disk()],
            Some(days(30)),
            expect![[r#"
              refused BadRequest: a cds is renewed by 1 to 60 months or 1 to 5 years, not by 30 day(s)
        "#]],
        ),
        (
            [postpaid("bcc", "i"), disk()],
            None,
            expect![[r#"
              refused OperationDenied: `i` is pay-as-you-go; only prepaid resources have periods
        "#]],
        ),
        (
            [instance().stage(Stage::Released), disk()],
            None,
            expect![[r#"
              refused NoSuchObject: `i` was released
        "#]],
        ),
        (
            [instance(), prepaid("cds", "v-1", "2026-10-10 10:00").attached()],
            None,
            expect![[r#"
              refused OperationDenied: `v-1` already lasts as long as its instance; name a term to renew it for
        "#]],
        ),
    ] {
        check(&bundle, 1, renew(term, &[]), expected);
    }
}

/// For every length that is sold: one that would end before the instance does is refused, and every other one is not.
#[test]
fn a_length_of_its_own_reaches_the_expiry_of_the_instance() {
    for (disk, instance, least) in [
        ("2026-08-10 10:00", "2026-08-10 10:00", 1),
        ("2026-09-01 10:00", "2026-08-10 10:00", 1),
        ("2026-08-10 10:00", "2026-09-10 10:00", 1),
        ("2026-08-10 10:00", "2026-09-10 10:00:01", 2),
        ("2026-08-31 10:00", "2026-09-30 10:00", 1),
        ("2026-08-01 10:00", "2027-08-10 10:00", 13),
        ("2026-07-20 10:00", "2031-07-20 10:00", 60),
        ("2026-07-20 10:00", "2031-07-21 10:00", 61),
    ] {
        let bundle = [prepaid("bcc", "i", instance), prepaid("cds", "v", disk).attached()];
        for count in 1..=60 {
            let answer = ask(&[], at("2026-07-25 12:00"), &bundle, 1, renew(Some(months(count)), &[]), &[]);
            assert_eq!(answer.is_ok(), count >= least, "{disk} to {instance} by {count}: {answer:?}");
            assert!(answer.is_ok() || answer.is_err_and(|refusal| refusal.code == "BadRequest"));
        }
    }
}

#[test]
fn a_disk_may_end_before_an_instance_that_does_not_expire() {
    for instance in [
        postpaid("bcc", "i"),
        prepaid("bcc", "i", "2027-08-10 10:00").stage(Stage::Converted),
        prepaid("bcc", "i", "2027-08-10 10:00").stage(Stage::Unsubscribed),
    ] {
        let bundle = [instance, prepaid("cds", "v", "2026-08-10 10:00").attached()];
        assert!(
            ask(&[], at("2026-07-25 12:00"), &bundle, 1, renew(Some(months(1)), &[]), &[]).is_ok(),
            "{bundle:?}"
        );
    }
}

/// No document bounds an automatic renewal, and a disk whose rule could not act would be lost.
#[test]
fn the_rule_of_a_disk_may_end_before_its_instance_does() {
    let disk = prepaid("cds", "v", "2026-08-01 10:00").attached().on_expiry(OnExpiry::Renew);
    let bundle = [prepaid("bcc", "i", "2027-08-10 10:00"), disk];
    let answer = ask(&[], at("2026-07-25 12:00"), &bundle, 1, due(), &[]);
    expect![[r#"
        v      until 2026-09-01 10:00 for 1 month
    "#]]
    .assert_eq(&show_answer(&bundle, &answer));
}

/// "Change the Disk Billing Mode": without a length.
#[test]
fn a_disk_that_becomes_prepaid_without_a_length_is_aligned() {
    let subscribe = |price| Command::Subscribe(Subscribe { term: None, price, options: Vec::new() });
    let priced = |id: &str| postpaid("cds", id).with("monthlyPrice", "30.00").attached();
    for (instance, member, price, expected) in [
        (
            prepaid("bcc", "i", "2026-09-30 10:00"),
            1,
            None,
            expect![[r#"
                v-1    subscribe for 2 month and 5 day at 60000000 to 2026-09-30 10:00, anchor 30
            "#]],
        ),
        (
            prepaid("bcc", "i", "2026-07-30 10:00"),
            1,
            Some(60_000_000),
            expect![[r#"
                v-1    subscribe for 5 day at 10000000 to 2026-07-30 10:00, anchor 30
            "#]],
        ),
        (
            prepaid("bcc", "i", "2026-08-01 10:00"),
            1,
            Some(100_000_000),
            expect![[r#"
                v-1    subscribe for 7 day at 23330000 to 2026-08-01 10:00, anchor 1
            "#]],
        ),
        (
            prepaid("bcc", "i", "2026-07-20 10:00").stage(Stage::Retention),
            1,
            None,
            expect![[r#"
                refused OperationDenied: `v-1` has expired with its instance; renew that one first
            "#]],
        ),
        (
            postpaid("bcc", "i"),
            1,
            None,
            expect![[r#"
                refused OperationDenied: `v-1` is attached to no prepaid instance, so it cannot become prepaid
            "#]],
        ),
        (
            postpaid("bcc", "i").with("monthlyPrice", "99.00"),
            0,
            None,
            expect![[r#"
                refused BadRequest: name a length: only a disk is aligned, with the instance that it is attached to
            "#]],
        ),
    ] {
        check(&[instance, priced("v-1")], member, subscribe(price), expected);
    }
}
