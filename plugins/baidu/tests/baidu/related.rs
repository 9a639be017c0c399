//! Every value of `relatedRenewFlag`: the members that join the renewal of an instance, and why the others do not.

use std::fmt::Write;

use expect_test::Expect;
use expect_test::expect;
use expect_test::expect_file;
use plugin_sdk::OnExpiry;
use plugin_sdk::Resource;
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
use crate::harness::show_timeline;
use crate::harness::timeline;
use crate::harness::years;

const FLAGS: [&str; 8] = ["", "CDS", "EIP", "MKT", "CDS_EIP", "CDS_MKT", "EIP_MKT", "CDS_EIP_MKT"];

fn bundle() -> Vec<Resource> {
    vec![
        prepaid("bcc", "i", "2026-08-10 10:00"),
        prepaid("cds", "v-1", "2026-08-10 10:00").attached(),
        prepaid("eip", "ip-1", "2026-08-10 10:00").attached(),
        prepaid("mkt", "m-1", "2026-08-10 10:00").attached(),
    ]
}

fn check(settings: &[(&str, &str)], bundle: &[Resource], options: &[(&str, &str)], expected: Expect) {
    let answer = ask(settings, at("2026-07-25 12:00"), bundle, 0, renew(Some(months(1)), options), &[]);
    expected.assert_eq(&show_answer(bundle, &answer));
}

#[test]
fn each_flag() {
    let mut table = String::new();
    for flag in FLAGS {
        let command = renew(Some(months(1)), &[("relatedRenewFlag", flag)]);
        let answer = ask(&[], at("2026-07-25 12:00"), &bundle(), 0, command, &[]);
        writeln!(table, "relatedRenewFlag `{flag}`\n{}", show_answer(&bundle(), &answer)).unwrap();
    }
    expect_file!["../tables/related-renew-flags.txt"].assert_eq(&table);
}

#[test]
fn an_empty_or_absent_flag_means_what_the_setting_says() {
    for flag in FLAGS.into_iter().skip(1) {
        let settings = [("related_renew_default", flag)];
        let ask = |settings: &[(&str, &str)], options: &[(&str, &str)]| {
            ask(settings, at("2026-07-25 12:00"), &bundle(), 0, renew(Some(months(1)), options), &[])
        };
        let named = ask(&[], &[("relatedRenewFlag", flag)]);
        assert_eq!(ask(&settings, &[]), named);
        assert_eq!(ask(&settings, &[("relatedRenewFlag", "")]), named);
        assert_eq!(ask(&settings, &[("relatedRenewFlag", "EIP")]), ask(&[], &[("relatedRenewFlag", "EIP")]));
        assert_ne!(ask(&[], &[]), named);
    }
}

#[test]
fn another_flag_is_refused() {
    for flag in ["cds", "EIP_CDS", "CDS_EIP_MKT_", "ALL", "none"] {
        let options = [("relatedRenewFlag", flag)];
        let answer = ask(&[], at("2026-07-25 12:00"), &bundle(), 0, renew(Some(months(1)), &options), &[]);
        assert_eq!(answer.unwrap_err().code, "BadRequest", "{flag}");
    }
    check(
        &[],
        &bundle(),
        &[("relatedRenewFlag", "ALL")],
        expect![[r#"
          refused BadRequest: `relatedRenewFlag` is `ALL`; it is one of ``, `CDS`, `EIP`, `MKT`, `CDS_EIP`, `CDS_MKT`, `EIP_MKT`, `CDS_EIP_MKT`
    "#]],
    );
}

#[test]
fn only_prepaid_products_that_still_exist_join() {
    let bundle = [
        prepaid("bcc", "i", "2026-08-10 10:00"),
        postpaid("cds", "v-1").attached(),
        postpaid("eip", "ip-1").attached(),
        postpaid("mkt", "m-1").attached(),
        prepaid("cds", "v-2", "2026-08-10 10:00").attached().stage(Stage::Released),
        prepaid("eip", "ip-2", "2026-08-10 10:00").attached().stage(Stage::Unsubscribed),
        prepaid("mkt", "m-2", "2026-08-10 10:00").attached().stage(Stage::Converted),
        prepaid("eip", "ip-3", "2026-08-10 10:00").attached().with("status", "scaling"),
        prepaid("eip", "ip-4", "2026-07-24 10:00").attached().stage(Stage::Retention),
    ];
    check(
        &[],
        &bundle,
        &[("relatedRenewFlag", "CDS_EIP_MKT")],
        expect![[r#"
          i      until 2026-09-10 10:00 for 1 month
          ip-4   until 2026-08-24 10:00 for 1 month
          v-1    left out, OperationDenied: `v-1` is pay-as-you-go; only prepaid resources have periods
          ip-1   left out, OperationDenied: `ip-1` is pay-as-you-go; only prepaid resources have periods
          m-1    left out, OperationDenied: `m-1` is pay-as-you-go; only prepaid resources have periods
          v-2    left out, NoSuchObject: `v-2` was released
          ip-2   left out, NoSuchObject: `ip-2` was unsubscribed
          m-2    left out, OperationDenied: `m-2` is pay-as-you-go; only prepaid resources have periods
          ip-3   left out, OperationDenied: it is being scaled
    "#]],
    );
}

#[test]
fn related_products_are_extended_by_the_same_term_from_their_own_expiry() {
    let bundle = [
        prepaid("bcc", "i", "2026-08-31 10:00"),
        prepaid("eip", "ip-1", "2026-08-05 23:59:59").attached(),
        prepaid("mkt", "m-1", "2026-12-31 00:00").attached(),
    ];
    let command = renew(Some(years(1)), &[("relatedRenewFlag", "EIP_MKT")]);
    let answer = ask(&[], at("2026-07-25 12:00"), &bundle, 0, command, &[]);
    expect![[r#"
          i      until 2027-08-31 10:00 for 1 year
          ip-1   until 2027-08-05 23:59:59 for 1 year
          m-1    until 2027-12-31 00:00 for 1 year
    "#]]
    .assert_eq(&show_answer(&bundle, &answer));
}

#[test]
fn an_automatic_renewal_takes_along_what_the_rule_covers() {
    let bundle = [
        prepaid("bcc", "i", "2026-08-10 10:00").on_expiry(OnExpiry::Renew),
        prepaid("cds", "v-1", "2026-08-10 10:00").attached(),
        prepaid("cds", "v-2", "2026-08-10 10:00").attached().on_expiry(OnExpiry::Renew),
        prepaid("cds", "v-3", "2026-08-15 10:00").attached().on_expiry(OnExpiry::Renew),
        prepaid("cds", "v-4", "2026-08-15 10:00").attached(),
        prepaid("cds", "v-5", "2026-08-10 10:00").attached().with("renewCds", "false"),
        prepaid("cds", "v-6", "2026-08-10 10:00").attached().on_expiry(OnExpiry::Convert),
        prepaid("cds", "v-7", "2026-08-02 10:00").attached().stage(Stage::Retention),
        prepaid("cds", "v-8", "2026-12-10 10:00").attached(),
        prepaid("eip", "ip-1", "2026-08-10 10:00").attached(),
        prepaid("eip", "ip-2", "2026-08-10 10:00").attached().with("status", "scaling"),
        prepaid("mkt", "m-1", "2026-08-10 10:00").attached(),
        postpaid("eip", "ip-3").attached(),
        prepaid("eip", "ip-4", "2026-08-10 10:00").attached().stage(Stage::Released),
    ];
    let answer = ask(&[], at("2026-08-03 09:00"), &bundle, 0, due(), &[]);
    expect![[r#"
        i      until 2026-09-10 10:00 for 1 month
        v-1    until 2026-09-10 10:00 for 1 month
        v-2    until 2026-09-10 10:00 for 1 month
        v-4    until 2026-09-10 10:00 for 26 day, anchor 10
        ip-1   until 2026-09-10 10:00 for 1 month
        ip-2   leftOut = 2026-09-10 1 month
        v-3    left out, OperationDenied: it has an auto-renew rule of its own
        v-5    left out, OperationDenied: the instance's auto-renew rule leaves it out
        v-6    left out, OperationDenied: it is set to be converted or released when it expires
        v-7    left out, OperationDenied: nothing is renewed automatically after it expired; renew it by hand
        v-8    left out, OperationDenied: it already lasts as long as its instance will
        ip-2   left out, OperationDenied: it is being scaled
        m-1    left out, OperationDenied: an auto-renew rule covers disks and addresses only
        ip-3   left out, OperationDenied: it is pay-as-you-go
        ip-4   left out, NoSuchObject: it is gone
    "#]]
    .assert_eq(&show_answer(&bundle, &answer));
}

#[test]
fn a_rule_can_leave_disks_or_addresses_out() {
    let bundle = [
        prepaid("bcc", "i", "2026-08-10 10:00")
            .on_expiry(OnExpiry::Renew)
            .with("renewCds", "false")
            .with("renewEip", "true"),
        prepaid("cds", "v-1", "2026-08-10 10:00").attached(),
        prepaid("eip", "ip-1", "2026-08-10 10:00").attached(),
    ];
    let answer = ask(&[], at("2026-08-03 09:00"), &bundle, 0, due(), &[]);
    expect![[r#"
          i      until 2026-09-10 10:00 for 1 month
          ip-1   until 2026-09-10 10:00 for 1 month
          v-1    left out, OperationDenied: the instance's auto-renew rule leaves it out
    "#]]
    .assert_eq(&show_answer(&bundle, &answer));
}

#[test]
fn a_rule_leaves_alone_what_lasts_as_long_as_its_instance_will() {
    let bundle = [
        prepaid("bcc", "i", "2026-08-10 10:00").on_expiry(OnExpiry::Renew),
        prepaid("eip", "ip-1", "2026-09-09 10:00").attached(),
        prepaid("eip", "ip-2", "2026-09-10 10:00").attached(),
        prepaid("cds", "v-1", "2027-09-10 10:00").attached(),
        prepaid("eip", "ip-3", "2026-08-20 10:00").attached().on_expiry(OnExpiry::Renew),
    ];
    let ask = |settings: &[(&str, &str)]| {
        show_answer(&bundle, &ask(settings, at("2026-08-03 09:00"), &bundle, 0, due(), &[]))
    };
    expect![[r#"
        i      until 2026-09-10 10:00 for 1 month
        ip-1   until 2026-10-09 10:00 for 1 month
        ip-2   left out, OperationDenied: it already lasts as long as its instance will
        v-1    left out, OperationDenied: it already lasts as long as its instance will
        ip-3   left out, OperationDenied: it has an auto-renew rule of its own
    "#]]
    .assert_eq(&ask(&[]));
    expect![[r#"
        i      until 2026-09-10 10:00 for 1 month
        ip-1   until 2026-10-09 10:00 for 1 month
        ip-2   until 2026-10-10 10:00 for 1 month
        v-1    left out, OperationDenied: it already lasts as long as its instance will
        ip-3   left out, OperationDenied: it has an auto-renew rule of its own
    "#]]
    .assert_eq(&ask(&[("auto_renewal_takes", "bundle")]));
}

/// The tries of each, and what a try of the last one does.
fn tries(bundle: &[Resource]) -> String {
    let occurrences = timeline(&[], at("2026-07-01 00:00"), bundle);
    let mut tries = occurrences;
    tries.retain(|one| one.action == plugin_sdk::Action::TryRenewal);
    let member = u32::try_from(bundle.len() - 1).unwrap();
    let answer = ask(&[], at("2026-08-03 09:00"), bundle, member, due(), &[]);
    show_timeline(bundle, &tries) + &show_answer(bundle, &answer)
}

#[test]
fn a_disk_with_a_rule_is_tried_where_its_instance_is_never_renewed() {
    let renewing = |kind: &str, id: &str| prepaid(kind, id, "2026-08-10 10:00").on_expiry(OnExpiry::Renew);
    let mut shown = String::new();
    for (attribute, value) in [("dedicated", "true"), ("status", "scaling"), ("status", "running")] {
        let bundle = [renewing("bcc", "i").with(attribute, value), renewing("cds", "v-1").attached()];
        shown += &format!("{attribute} {value}\n{}", tries(&bundle));
    }
    expect![[r#"
        dedicated true
        2026-08-03 09:00  i      try to renew
        2026-08-03 09:00  v-1    try to renew
        2026-08-07 09:00  i      try to renew
        2026-08-07 09:00  v-1    try to renew
        2026-08-09 09:00  i      try to renew
        2026-08-09 09:00  v-1    try to renew
        2026-08-10 09:00  i      try to renew
        2026-08-10 09:00  v-1    try to renew
        v-1    until 2026-09-10 10:00 for 1 month
        status scaling
        2026-08-03 09:00  i      try to renew
        2026-08-07 09:00  i      try to renew
        2026-08-09 09:00  i      try to renew
        2026-08-09 09:00  v-1    try to renew
        2026-08-10 09:00  i      try to renew
        2026-08-10 09:00  v-1    try to renew
        v-1    until 2026-09-10 10:00 for 1 month
        status running
        2026-08-03 09:00  i      try to renew
        2026-08-07 09:00  i      try to renew
        2026-08-09 09:00  i      try to renew
        2026-08-10 09:00  i      try to renew
        v-1    until 2026-09-10 10:00 for 1 month
    "#]]
    .assert_eq(&shown);
}
