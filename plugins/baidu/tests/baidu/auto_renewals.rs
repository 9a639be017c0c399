//! Auto-renew rules: made along with an instance's, deleted along with it, never changed.

use expect_test::Expect;
use expect_test::expect;
use plugin_sdk::AutoRenewal;
use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::Term;

use crate::harness::With;
use crate::harness::ask;
use crate::harness::at;
use crate::harness::days;
use crate::harness::months;
use crate::harness::postpaid;
use crate::harness::prepaid;
use crate::harness::show_answer;
use crate::harness::years;

fn check(bundle: &[Resource], member: u32, command: Command, expected: Expect) {
    let answer = ask(&[], at("2026-07-25 12:00"), bundle, member, command, &[]);
    expected.assert_eq(&show_answer(bundle, &answer));
}

fn set(term: Option<Term>) -> Command {
    Command::SetAutoRenew(AutoRenewal { term, renewals: None })
}

fn bundle(on_expiry: OnExpiry) -> Vec<Resource> {
    vec![
        prepaid("bcc", "i", "2026-08-10 10:00").on_expiry(on_expiry),
        prepaid("cds", "v-1", "2026-08-10 10:00").attached(),
        prepaid("cds", "v-2", "2026-08-15 10:00").attached().on_expiry(OnExpiry::Renew),
        prepaid("cds", "v-3", "2026-08-10 10:00").attached().on_expiry(OnExpiry::Convert),
        prepaid("cds", "v-4", "2026-07-20 10:00").attached().stage(Stage::Retention),
        prepaid("cds", "v-5", "2026-08-10 10:00").attached().stage(Stage::Released),
        prepaid("cds", "v-6", "2026-08-10 10:00").attached().with("renewCds", "false"),
        postpaid("cds", "v-7").attached(),
        prepaid("eip", "ip-1", "2026-08-10 10:00").attached(),
        prepaid("mkt", "m-1", "2026-08-10 10:00").attached(),
    ]
}

#[test]
fn making_a_rule_makes_those_of_prepaid_disks_and_addresses() {
    check(
        &bundle(OnExpiry::Lapse),
        0,
        set(Some(years(1))),
        expect![[r#"
          i      auto-renew by 1 year
          v-1    auto-renew by 1 year
          v-6    auto-renew by 1 year
          v-6    renewCds = true
          ip-1   auto-renew by 1 year
          v-2    left out, OperationDenied: it has an auto-renew rule of its own
          v-3    left out, OperationDenied: it is set to be converted or released when it expires
          v-4    left out, OperationDenied: nothing is renewed automatically after it expired; renew it by hand
          v-5    left out, NoSuchObject: it is gone
          v-7    left out, OperationDenied: it is pay-as-you-go
          m-1    left out, OperationDenied: an auto-renew rule covers disks and addresses only
    "#]],
    );
}

#[test]
fn deleting_a_rule_deletes_those_of_disks_and_addresses() {
    check(
        &bundle(OnExpiry::Renew),
        0,
        Command::CancelAutoRenew,
        expect![[r#"
          i      on expiry lapse
          v-2    on expiry lapse
          v-1    left out, OperationDenied: it has no auto-renew rule of its own
          v-3    left out, OperationDenied: it is set to be converted or released when it expires
          v-4    left out, OperationDenied: nothing is renewed automatically after it expired; renew it by hand
          v-5    left out, NoSuchObject: it is gone
          v-6    left out, OperationDenied: it has no auto-renew rule of its own
          v-7    left out, OperationDenied: it is pay-as-you-go
          ip-1   left out, OperationDenied: it has no auto-renew rule of its own
          m-1    left out, OperationDenied: an auto-renew rule covers disks and addresses only
    "#]],
    );
}

#[test]
fn a_rule_that_leaves_them_out_touches_none() {
    for (command, on_expiry, expected) in [
        (
            set(None),
            OnExpiry::Lapse,
            expect![[r#"
              i      auto-renew by its own term
              v-1    left out, OperationDenied: the instance's auto-renew rule leaves it out
              ip-1   left out, OperationDenied: the instance's auto-renew rule leaves it out
        "#]],
        ),
        (
            Command::CancelAutoRenew,
            OnExpiry::Renew,
            expect![[r#"
              i      on expiry lapse
              v-1    left out, OperationDenied: the instance's auto-renew rule leaves it out
              ip-1   left out, OperationDenied: the instance's auto-renew rule leaves it out
        "#]],
        ),
    ] {
        let bundle = [
            prepaid("bcc", "i", "2026-08-10 10:00")
                .on_expiry(on_expiry)
                .with("renewCds", "false")
                .with("renewEip", "false"),
            prepaid("cds", "v-1", "2026-08-10 10:00").attached().on_expiry(on_expiry),
            prepaid("eip", "ip-1", "2026-08-10 10:00").attached().on_expiry(on_expiry),
        ];
        check(&bundle, 0, command, expected);
    }
}

#[test]
fn a_disk_can_leave_its_instances_rule_and_come_back() {
    let instance = || prepaid("bcc", "i", "2026-08-10 10:00").on_expiry(OnExpiry::Renew);
    let disk = || prepaid("cds", "v-1", "2026-08-10 10:00").attached();
    for (disk, command, expected) in [
        (
            disk(),
            Command::CancelAutoRenew,
            expect![[r#"
              v-1    renewCds = false
        "#]],
        ),
        (
            disk().on_expiry(OnExpiry::Renew),
            Command::CancelAutoRenew,
            expect![[r#"
              v-1    on expiry lapse
              v-1    renewCds = false
        "#]],
        ),
        (
            disk().with("renewCds", "false"),
            Command::CancelAutoRenew,
            expect![[r#"
              refused OperationDenied: `v-1` has no auto-renew rule
        "#]],
        ),
        (
            disk().with("renewCds", "false"),
            set(None),
            expect![[r#"
              v-1    auto-renew by its own term
              v-1    renewCds = true
        "#]],
        ),
    ] {
        check(&[instance(), disk], 1, command, expected);
    }
}

#[test]
fn a_stopped_instances_rule_covers_nothing() {
    let instance = prepaid("bcc", "i", "2026-07-20 10:00").on_expiry(OnExpiry::Renew).stage(Stage::Retention);
    let disk = prepaid("cds", "v-1", "2026-08-10 10:00").attached();
    check(
        &[instance, disk],
        1,
        Command::CancelAutoRenew,
        expect![[r#"
        refused OperationDenied: `v-1` has no auto-renew rule
    "#]],
    );
}

#[test]
fn rules_are_for_1_to_9_months_or_1_to_3_years_without_a_renewal_count() {
    let bundle = [prepaid("bcc", "i", "2026-08-10 10:00")];
    let allowed = |term| ask(&[], at("2026-07-25 12:00"), &bundle, 0, set(Some(term)), &[]).is_ok();
    assert_eq!(
        (0..=40).filter(|count| allowed(months(*count))).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 24, 36]
    );
    assert_eq!((0..=40).filter(|count| allowed(years(*count))).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(!allowed(days(30)));
    check(
        &bundle,
        0,
        set(Some(days(30))),
        expect![[r#"
          refused BadRequest: an auto-renew rule renews by 1 to 9, 12, 24 or 36 months or 1 to 3 years
    "#]],
    );
    let counted = Command::SetAutoRenew(AutoRenewal { term: None, renewals: Some(3) });
    check(
        &bundle,
        0,
        counted,
        expect![[r#"
          refused BadRequest: an auto-renew rule has no number of renewals; it ends when deleted
    "#]],
    );
}

#[test]
fn nothing_is_tried_at_once_however_little_time_is_left() {
    let bundle = [prepaid("bcc", "i", "2026-07-25 12:30")];
    check(
        &bundle,
        0,
        set(None),
        expect![[r#"
          i      auto-renew by its own term
    "#]],
    );
}
