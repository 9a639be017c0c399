//! What a renewal leaves out although its instance's rule covers it: what it says of that, and the tries that follow from it.

use expect_test::expect;
use plugin_sdk::Action;
use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::Order;
use plugin_sdk::Resource;
use plugin_sdk::Scope;
use plugin_sdk::Stage;

use crate::harness::With;
use crate::harness::ask;
use crate::harness::at;
use crate::harness::due;
use crate::harness::months;
use crate::harness::prepaid;
use crate::harness::renew;
use crate::harness::show_answer;
use crate::harness::show_timeline;
use crate::harness::timeline;
use crate::unsubscriptions::order;

fn instance(expires: &str) -> Resource {
    prepaid("bcc", "i", expires).on_expiry(OnExpiry::Renew)
}

fn disk(expires: &str) -> Resource {
    prepaid("cds", "v", expires).attached()
}

fn answer(bundle: &[Resource], member: u32, command: Command) -> String {
    show_answer(bundle, &ask(&[], at("2026-08-03 09:00"), bundle, member, command, &[]))
}

/// The tries that lie ahead, and what a try of the member does.
fn tries(after: &str, bundle: &[Resource]) -> String {
    let mut tries = timeline(&[], at(after), bundle);
    tries.retain(|one| one.action == Action::TryRenewal);
    show_timeline(bundle, &tries) + &answer(bundle, 1, due())
}

#[test]
fn only_what_nothing_else_takes_in_time_is_said_to_be_left_out() {
    let scaling = |expires: &str| disk(expires).with("status", "scaling");
    let last = |one: Resource| Resource { renewals_left: Some(1), ..one };
    let bundles = [
        [instance("2026-08-10 10:00"), scaling("2026-08-10 10:00")],
        [instance("2026-08-10 10:00"), scaling("2026-08-20 10:00")],
        // Its instance is tried again on 3 September, and takes it then; unless this was its last automatic renewal.
        [instance("2026-08-10 10:00"), scaling("2026-09-04 10:00")],
        [last(instance("2026-08-10 10:00")), scaling("2026-09-04 10:00")],
        [instance("2026-08-10 10:00"), scaling("2026-09-20 10:00")],
        [instance("2026-08-10 10:00").with("renewCds", "false"), scaling("2026-08-10 10:00")],
        [instance("2026-08-10 10:00"), scaling("2026-08-01 10:00").stage(Stage::Retention)],
        [instance("2026-08-10 10:00"), scaling("2026-08-10 10:00").on_expiry(OnExpiry::Release)],
    ];
    expect![[r#"
        i      until 2026-09-10 10:00 for 1 month
        v      leftOut = 2026-09-10 1 month
        v      left out, OperationDenied: it is being scaled

        i      until 2026-09-10 10:00 for 1 month
        v      leftOut = 2026-09-10 1 month
        v      left out, OperationDenied: it is being scaled

        i      until 2026-09-10 10:00 for 1 month
        v      left out, OperationDenied: it is being scaled

        i      until 2026-09-10 10:00 for 1 month
        v      leftOut = 2026-09-10 1 month
        v      left out, OperationDenied: it is being scaled

        i      until 2026-09-10 10:00 for 1 month
        v      left out, OperationDenied: it is being scaled

        i      until 2026-09-10 10:00 for 1 month
        v      left out, OperationDenied: the instance's auto-renew rule leaves it out

        i      until 2026-09-10 10:00 for 1 month
        v      left out, OperationDenied: nothing is renewed automatically after it expired; renew it by hand

        i      until 2026-09-10 10:00 for 1 month
        v      left out, OperationDenied: it is set to be converted or released when it expires
    "#]]
    .assert_eq(&bundles.map(|bundle| answer(&bundle, 0, due())).join("\n"));
    let by_hand = [
        [instance("2026-08-10 10:00"), disk("2026-08-10 10:00")],
        [prepaid("bcc", "i", "2026-08-10 10:00"), disk("2026-08-10 10:00")],
    ];
    let by_hand = by_hand.map(|bundle| answer(&bundle, 0, renew(Some(months(3)), &[])));
    expect![[r#"
        i      until 2026-11-10 10:00 for 3 month
        v      leftOut = 2026-11-10 3 month
        v      left out, OperationDenied: relatedRenewFlag does not name its kind

        i      until 2026-11-10 10:00 for 3 month
        v      left out, OperationDenied: relatedRenewFlag does not name its kind
    "#]]
    .assert_eq(&by_hand.join("\n"));
}

#[test]
fn what_was_left_out_catches_up_with_its_instance_until_it_expires() {
    let disk = || disk("2026-08-10 10:00").with("leftOut", "2026-08-10 3 month");
    let address = prepaid("eip", "ip", "2026-08-10 10:00").attached().with("leftOut", "2026-08-10 3 month");
    let ended = Resource { on_expiry: OnExpiry::Lapse, ..instance("2026-11-10 10:00") };
    let shown = [
        tries("2026-08-01 00:00", &[instance("2026-11-10 10:00"), disk()]),
        tries("2026-08-01 00:00", &[instance("2026-11-10 10:00"), disk().with("status", "scaling")]),
        tries("2026-08-01 00:00", &[instance("2026-11-10 10:00"), address]),
        tries("2026-08-01 00:00", &[ended, disk()]),
    ];
    expect![[r#"
        2026-08-03 09:00  v      try to renew
        2026-08-07 09:00  v      try to renew
        2026-08-09 09:00  v      try to renew
        2026-08-10 09:00  v      try to renew
        2026-11-03 09:00  i      try to renew
        2026-11-07 09:00  i      try to renew
        2026-11-09 09:00  i      try to renew
        2026-11-10 09:00  i      try to renew
        v      until 2026-11-10 10:00 for 3 month
        v      leftOut = 2026-08-10 3 month, 2026-11-10 none

        2026-08-03 09:00  v      try to renew
        2026-08-07 09:00  v      try to renew
        2026-08-09 09:00  v      try to renew
        2026-08-10 09:00  v      try to renew
        2026-11-03 09:00  i      try to renew
        2026-11-07 09:00  i      try to renew
        2026-11-09 09:00  i      try to renew
        2026-11-10 09:00  i      try to renew
        refused OperationDenied: `v` is being scaled; renew it when that is done

        2026-08-03 09:00  ip     try to renew
        2026-08-07 09:00  ip     try to renew
        2026-08-09 09:00  ip     try to renew
        2026-08-10 09:00  ip     try to renew
        2026-11-03 09:00  i      try to renew
        2026-11-07 09:00  i      try to renew
        2026-11-09 09:00  i      try to renew
        2026-11-10 09:00  i      try to renew
        ip     until 2026-11-10 10:00 for 3 month
        ip     leftOut = 2026-08-10 3 month, 2026-11-10 none

        2026-08-03 09:00  v      try to renew
        2026-08-07 09:00  v      try to renew
        2026-08-09 09:00  v      try to renew
        2026-08-10 09:00  v      try to renew
        v      until 2026-11-10 10:00 for 3 month
        v      leftOut = 2026-08-10 3 month, 2026-11-10 none
    "#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn what_is_left_out_of_nothing_has_no_tries_of_its_own() {
    let renewed = || instance("2026-11-10 10:00");
    let said = || disk("2026-08-10 10:00").with("leftOut", "2026-08-10 1 month");
    for (why, bundle) in [
        ("nobody said so", [renewed(), disk("2026-08-10 10:00")]),
        ("it is no word of the rules", [renewed(), disk("2026-08-10 10:00").with("leftOut", "yes")]),
        ("it is set to be released", [renewed(), said().on_expiry(OnExpiry::Release)]),
        ("it was taken out of the rule", [renewed(), said().with("renewCds", "false")]),
        ("its instance becomes pay-as-you-go", [renewed().on_expiry(OnExpiry::Convert), said()]),
        ("its instance is gone", [renewed().stage(Stage::Released), said()]),
        ("its instance is dedicated", [renewed().with("dedicated", "true"), said()]),
        ("its instance takes it", [instance("2026-08-10 10:00"), said()]),
    ] {
        let tries = tries("2026-08-01 00:00", &bundle);
        assert!(!tries.contains("v      try"), "{why}: {tries}");
    }
}

#[test]
fn a_renewal_or_a_change_of_the_rule_takes_it_back() {
    let disk = || disk("2026-08-10 10:00").with("leftOut", "2026-08-10 3 month");
    let bundle = [instance("2026-11-10 10:00"), disk()];
    let ended = [Resource { on_expiry: OnExpiry::Lapse, ..instance("2026-11-10 10:00") }, disk()];
    let shown = [
        answer(&bundle, 1, renew(None, &[])),
        answer(&bundle, 0, Command::CancelAutoRenew),
        answer(&bundle, 1, Command::CancelAutoRenew),
        answer(&ended, 1, Command::CancelAutoRenew),
    ];
    expect![[r#"
        v      until 2026-11-10 10:00 for 3 month
        v      leftOut = 2026-08-10 3 month, 2026-11-10 none

        i      on expiry lapse
        v      leftOut = 
        v      left out, OperationDenied: it has no auto-renew rule of its own

        v      renewCds = false
        v      leftOut = 

        v      leftOut = 
    "#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn what_goes_along_is_tried_twice_when_its_instance_is_kept_from_it() {
    let scaling = || instance("2026-08-12 10:00").with("status", "scaling");
    let address = || prepaid("eip", "ip", "2026-08-10 10:00").attached();
    let shown = [
        tries("2026-08-01 00:00", &[scaling(), address()]),
        // Its instance is tried on the 6th, and not again before the address expires.
        tries("2026-08-01 00:00", &[instance("2026-08-13 10:00"), address()]),
        tries("2026-08-01 00:00", &[instance("2026-08-20 10:00").with("status", "scaling"), address()]),
        tries("2026-08-01 00:00", &[scaling(), disk("2026-08-10 10:00")]),
        tries("2026-08-01 00:00", &[scaling(), address().with("leftOut", "2026-08-10 3 month")]),
    ];
    expect![[r#"
        2026-08-05 09:00  i      try to renew
        2026-08-09 09:00  i      try to renew
        2026-08-09 09:00  ip     try to renew
        2026-08-10 09:00  ip     try to renew
        2026-08-11 09:00  i      try to renew
        2026-08-12 09:00  i      try to renew
        ip     until 2026-09-10 10:00 for 1 month

        2026-08-06 09:00  i      try to renew
        2026-08-10 09:00  i      try to renew
        2026-08-12 09:00  i      try to renew
        2026-08-13 09:00  i      try to renew
        ip     until 2026-09-10 10:00 for 1 month

        2026-08-13 09:00  i      try to renew
        2026-08-17 09:00  i      try to renew
        2026-08-19 09:00  i      try to renew
        2026-08-20 09:00  i      try to renew
        ip     until 2026-09-10 10:00 for 1 month

        2026-08-05 09:00  i      try to renew
        2026-08-09 09:00  i      try to renew
        2026-08-09 09:00  v      try to renew
        2026-08-10 09:00  v      try to renew
        2026-08-11 09:00  i      try to renew
        2026-08-12 09:00  i      try to renew
        v      until 2026-08-12 10:00 for 2 day, anchor 12

        2026-08-03 09:00  ip     try to renew
        2026-08-05 09:00  i      try to renew
        2026-08-07 09:00  ip     try to renew
        2026-08-09 09:00  i      try to renew
        2026-08-09 09:00  ip     try to renew
        2026-08-10 09:00  ip     try to renew
        2026-08-11 09:00  i      try to renew
        2026-08-12 09:00  i      try to renew
        ip     until 2026-11-10 10:00 for 3 month
        ip     leftOut = 2026-08-10 3 month, 2026-08-12 none
    "#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn what_gives_periods_back_is_left_behind_where_nothing_tries_it() {
    let address = prepaid("eip", "ip", "2026-11-20 10:00").attached();
    let own = || order(1, "2026-08-20 10:00", "2026-11-20 10:00", 30, true);
    let of_instance = |starts: &str, ends: &str| order(0, starts, ends, 60, true);
    let kept = [of_instance("2026-08-10 10:00", "2026-11-10 10:00"), own()];
    let back = |instance: Resource, orders: &[Order]| {
        let bundle = [instance, address.clone()];
        let command = Command::Unsubscribe(Scope::FuturePeriods);
        show_answer(&bundle, &ask(&[], at("2026-08-03 09:00"), &bundle, 1, command, orders))
    };
    let twice = [
        of_instance("2026-08-01 10:00", "2026-09-01 10:00"),
        of_instance("2026-09-01 10:00", "2026-11-10 10:00"),
        own(),
    ];
    let shown = [
        back(instance("2026-11-10 10:00"), &kept),
        back(prepaid("bcc", "i", "2026-11-10 10:00"), &kept),
        // Its instance was not renewed, or has given that back: the address is where it was.
        back(instance("2026-11-10 10:00"), &[own()]),
        // The instance can still come back to 1 September.
        back(instance("2026-11-10 10:00"), &twice),
    ];
    expect![[r#"
        ip     back to 2026-08-20 10:00, refund 30 of order 1
        ip     leftOut = 2026-11-10 1 month

        ip     back to 2026-08-20 10:00, refund 30 of order 1

        ip     back to 2026-08-20 10:00, refund 30 of order 0

        ip     back to 2026-08-20 10:00, refund 30 of order 2
        ip     leftOut = 2026-09-01 1 month
    "#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn what_is_still_behind_after_it_was_extended_goes_on_to_catch_up() {
    let address =
        || prepaid("eip", "ip", "2026-08-10 10:00").attached().with("leftOut", "2026-08-10 1 month");
    let shown = [
        answer(&[instance("2026-09-10 10:00"), address()], 0, due()),
        answer(&[instance("2026-11-10 10:00"), address()], 1, due()),
        answer(&[instance("2026-09-10 10:00"), address()], 1, due()),
    ];
    expect![[r#"
        i      until 2026-10-10 10:00 for 1 month
        ip     until 2026-09-10 10:00 for 1 month

        ip     until 2026-09-10 10:00 for 1 month

        ip     until 2026-09-10 10:00 for 1 month
        ip     leftOut = 2026-08-10 1 month, 2026-09-10 none
    "#]]
    .assert_eq(&shown.join("\n"));
}
