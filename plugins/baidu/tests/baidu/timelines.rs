//! The whole timeline of each kind, under each setting.

use std::fmt::Write;

use expect_test::Expect;
use expect_test::expect;
use expect_test::expect_file;
use plugin_sdk::Action;
use plugin_sdk::OnExpiry;
use plugin_sdk::Resource;
use plugin_sdk::Stage;

use crate::harness::With;
use crate::harness::at;
use crate::harness::postpaid;
use crate::harness::prepaid;
use crate::harness::show_on_expiry;
use crate::harness::show_stage;
use crate::harness::show_timeline;
use crate::harness::timeline;

fn check(settings: &[(&str, &str)], after: &str, bundle: &[Resource], expected: Expect) {
    expected.assert_eq(&show_timeline(bundle, &timeline(settings, at(after), bundle)));
}

#[test]
fn each_kind_with_each_fate() {
    let mut table = String::new();
    for kind in ["bcc", "bbc", "cds", "eip", "mkt", "scs", "rds", "et"] {
        for fate in [OnExpiry::Lapse, OnExpiry::Renew, OnExpiry::Convert, OnExpiry::Release] {
            let bundle = [prepaid(kind, kind, "2026-08-10 10:00").on_expiry(fate)];
            writeln!(table, "{kind}, on expiry {}", show_on_expiry(fate)).unwrap();
            writeln!(table, "{}", show_timeline(&bundle, &timeline(&[], at("2026-07-10 10:00"), &bundle)))
                .unwrap();
        }
    }
    expect_file!["../tables/timelines.txt"].assert_eq(&table);
}

#[test]
fn each_setting() {
    let mut table = String::new();
    for (kind, settings) in [
        ("bcc", vec![("try_hour", "0")]),
        ("bcc", vec![("try_hour", "23")]),
        ("bcc", vec![("try_days", "30,5,0")]),
        ("bcc", vec![("try_days", "")]),
        ("bcc", vec![("bbc_try_days", "7,3,1")]),
        ("bbc", vec![("bbc_try_days", "7,3,1")]),
        ("bcc", vec![("notice_hour", "8")]),
        ("bcc", vec![("notice_days", "7")]),
        ("et", vec![("notice_days", "7")]),
        ("et", vec![("et_notice_days", "14")]),
        ("bcc", vec![("retention_days", "15")]),
        ("et", vec![("retention_days", "15")]),
        ("et", vec![("et_grace_days", "0")]),
        ("et", vec![("et_grace_days", "3"), ("et_retention_days", "1")]),
    ] {
        let bundle = [prepaid(kind, kind, "2026-08-10 10:00").on_expiry(OnExpiry::Renew)];
        let spelled = settings.iter().map(|(name, value)| format!("{name} `{value}`")).collect::<Vec<_>>();
        writeln!(table, "{kind}, {}", spelled.join(", ")).unwrap();
        writeln!(table, "{}", show_timeline(&bundle, &timeline(&settings, at("2026-07-10 10:00"), &bundle)))
            .unwrap();
    }
    expect_file!["../tables/timelines-by-setting.txt"].assert_eq(&table);
}

#[test]
fn each_kind_once_it_has_expired() {
    let mut table = String::new();
    for kind in ["bcc", "cds", "et"] {
        for stage in [Stage::Grace, Stage::Retention] {
            let bundle = [prepaid(kind, kind, "2026-08-10 10:00").on_expiry(OnExpiry::Renew).stage(stage)];
            writeln!(table, "{kind}, {}", show_stage(stage)).unwrap();
            writeln!(table, "{}", show_timeline(&bundle, &timeline(&[], at("2026-08-10 10:00"), &bundle)))
                .unwrap();
        }
    }
    expect_file!["../tables/timelines-once-expired.txt"].assert_eq(&table);
}

#[test]
fn the_last_try_is_an_hour_before_an_expiry_ahead_of_the_try_hour() {
    for (expires, expected) in [
        (
            "2026-08-10 02:00",
            expect![[r#"
                2026-08-10 01:00  i      try to renew
            "#]],
        ),
        (
            "2026-08-10 00:00",
            expect![[r#"
                2026-08-09 23:00  i      try to renew
            "#]],
        ),
        (
            "2026-08-10 09:00",
            expect![[r#"
                2026-08-10 08:00  i      try to renew
            "#]],
        ),
        (
            "2026-08-10 09:00:01",
            expect![[r#"
                2026-08-10 09:00  i      try to renew
            "#]],
        ),
    ] {
        let bundle = [prepaid("bcc", "i", expires).on_expiry(OnExpiry::Renew)];
        let occurrences = timeline(&[("notice_days", "")], at("2026-08-09 10:00"), &bundle);
        expected.assert_eq(&show_timeline(&bundle, &occurrences[..1]));
    }
}

#[test]
fn two_tries_that_fall_on_one_instant_are_one() {
    let bundle = [prepaid("bcc", "i", "2026-08-10 00:00").on_expiry(OnExpiry::Renew)];
    let settings = [("try_hour", "23"), ("try_days", "1,0"), ("notice_days", "")];
    check(
        &settings,
        "2026-07-10 10:00",
        &bundle,
        expect![[r#"
        2026-08-09 23:00  i      try to renew
        2026-08-10 00:00  i      enter retention
        2026-08-10 00:00  i      status = stopped
        2026-08-16 00:00  i      notice released-soon
        2026-08-17 00:00  i      notice released
        2026-08-17 00:00  i      enter released
    "#]],
    );
}

#[test]
fn disks_and_addresses_renewed_with_their_instance_have_no_own_tries() {
    let bundle = [
        prepaid("bcc", "i", "2026-08-10 10:00").on_expiry(OnExpiry::Renew),
        prepaid("cds", "v-1", "2026-08-10 10:00").attached(),
        prepaid("cds", "v-2", "2026-08-10 10:00").attached().on_expiry(OnExpiry::Renew),
        prepaid("cds", "v-3", "2026-08-15 10:00").attached().on_expiry(OnExpiry::Renew),
        prepaid("cds", "v-4", "2026-08-10 10:00")
            .attached()
            .on_expiry(OnExpiry::Renew)
            .with("renewCds", "false"),
        prepaid("eip", "ip-1", "2026-08-10 10:00").attached().on_expiry(OnExpiry::Renew),
        prepaid("mkt", "m-1", "2026-08-10 10:00").attached().on_expiry(OnExpiry::Renew),
        postpaid("cds", "v-5").attached(),
    ];
    check(
        &[("try_days", "7"), ("notice_days", "")],
        "2026-07-10 10:00",
        &bundle,
        expect![[r#"
        2026-08-03 09:00  i      try to renew
        2026-08-03 09:00  v-4    try to renew
        2026-08-03 09:00  m-1    try to renew
        2026-08-08 09:00  v-3    try to renew
        2026-08-10 10:00  i      enter retention
        2026-08-10 10:00  i      status = stopped
        2026-08-10 10:00  v-1    enter retention
        2026-08-10 10:00  v-2    enter retention
        2026-08-10 10:00  v-4    enter retention
        2026-08-10 10:00  ip-1   enter retention
        2026-08-10 10:00  m-1    enter retention
        2026-08-15 10:00  v-3    enter retention
        2026-08-16 10:00  i      notice released-soon
        2026-08-16 10:00  v-1    notice released-soon
        2026-08-16 10:00  v-2    notice released-soon
        2026-08-16 10:00  v-4    notice released-soon
        2026-08-16 10:00  ip-1   notice released-soon
        2026-08-16 10:00  m-1    notice released-soon
        2026-08-17 10:00  i      notice released
        2026-08-17 10:00  i      enter released
        2026-08-17 10:00  v-1    notice released
        2026-08-17 10:00  v-1    enter released
        2026-08-17 10:00  v-2    notice released
        2026-08-17 10:00  v-2    enter released
        2026-08-17 10:00  v-4    notice released
        2026-08-17 10:00  v-4    enter released
        2026-08-17 10:00  ip-1   notice released
        2026-08-17 10:00  ip-1   enter released
        2026-08-17 10:00  m-1    notice released
        2026-08-17 10:00  m-1    enter released
        2026-08-21 10:00  v-3    notice released-soon
        2026-08-22 10:00  v-3    notice released
        2026-08-22 10:00  v-3    enter released
    "#]],
    );
}

#[test]
fn a_rule_without_disks_and_addresses_leaves_them_their_own_tries() {
    let bundle = [
        prepaid("bcc", "i", "2026-08-10 10:00")
            .on_expiry(OnExpiry::Renew)
            .with("renewCds", "false")
            .with("renewEip", "false"),
        prepaid("cds", "v-1", "2026-08-10 10:00").attached().on_expiry(OnExpiry::Renew),
        prepaid("eip", "ip-1", "2026-08-10 10:00").attached().on_expiry(OnExpiry::Renew),
    ];
    let occurrences = timeline(&[("try_days", "7"), ("notice_days", "")], at("2026-07-10 10:00"), &bundle);
    expect![[r#"
        2026-08-03 09:00  i      try to renew
        2026-08-03 09:00  v-1    try to renew
        2026-08-03 09:00  ip-1   try to renew
    "#]]
    .assert_eq(&show_timeline(&bundle, &occurrences[..3]));
}

#[test]
fn a_disk_of_a_stopped_instance_has_its_own_tries() {
    let bundle = [
        prepaid("bcc", "i", "2026-08-10 10:00")
            .on_expiry(OnExpiry::Renew)
            .stage(Stage::Retention)
            .with("status", "stopped"),
        prepaid("cds", "v-1", "2026-08-20 10:00").attached().on_expiry(OnExpiry::Renew),
    ];
    check(
        &[("notice_days", "")],
        "2026-08-11 10:00",
        &bundle,
        expect![[r#"
        2026-08-13 09:00  v-1    try to renew
        2026-08-16 10:00  i      notice released-soon
        2026-08-17 09:00  v-1    try to renew
        2026-08-17 10:00  i      notice released
        2026-08-17 10:00  i      enter released
        2026-08-19 09:00  v-1    try to renew
        2026-08-20 09:00  v-1    try to renew
        2026-08-20 10:00  v-1    enter retention
        2026-08-26 10:00  v-1    notice released-soon
        2026-08-27 10:00  v-1    notice released
        2026-08-27 10:00  v-1    enter released
    "#]],
    );
}

#[test]
fn what_came_in_long_after_its_expiry_goes_through_every_stage_at_once() {
    let bundle = [
        prepaid("bcc", "i", "2026-03-10 10:00"),
        prepaid("cds", "v-1", "2026-03-10 10:00").attached().stage(Stage::Retention),
        prepaid("eip", "ip-1", "2026-03-10 10:00").attached().on_expiry(OnExpiry::Convert),
    ];
    check(
        &[],
        "2026-07-10 10:00",
        &bundle,
        expect![[r#"
        2026-07-10 10:00:01  i      enter retention
        2026-07-10 10:00:01  i      status = stopped
        2026-07-10 10:00:01  i      notice released
        2026-07-10 10:00:01  i      enter released
        2026-07-10 10:00:01  v-1    notice released
        2026-07-10 10:00:01  v-1    enter released
        2026-07-10 10:00:01  ip-1   convert
    "#]],
    );
}

#[test]
fn nothing_happens_to_what_is_postpaid_or_gone() {
    let bundle = [
        postpaid("bcc", "i"),
        prepaid("cds", "v-1", "2026-08-10 10:00").attached().stage(Stage::Released),
        prepaid("cds", "v-2", "2026-08-10 10:00").attached().stage(Stage::Unsubscribed),
        prepaid("eip", "ip-1", "2026-08-10 10:00").attached().stage(Stage::Converted),
    ];
    check(&[], "2026-07-10 10:00", &bundle, expect![""]);
}

#[test]
fn each_of_very_many_members_is_told_of_to_its_end() {
    let mut bundle = vec![prepaid("bcc", "i", "2026-08-10 10:00").on_expiry(OnExpiry::Renew)];
    for place in 0..200 {
        bundle.push(prepaid("cds", &format!("v-{place}"), "2026-08-10 10:00").attached());
    }
    let occurrences = timeline(&[], at("2026-07-10 10:00"), &bundle);
    for member in 0..bundle.len() {
        let last = occurrences.iter().rfind(|one| one.member as usize == member).expect("it has a future");
        assert_eq!(last.action, Action::Enter(Stage::Released), "member {member}");
    }
}

#[test]
fn the_longest_lists_of_days_fit_into_the_contract() {
    let every_day = (0..=30).map(|day: u32| day.to_string()).collect::<Vec<_>>().join(",");
    let settings = [("try_days", every_day.as_str()), ("notice_days", every_day.as_str())];
    let bundle = [prepaid("bcc", "i", "2026-08-10 10:00").on_expiry(OnExpiry::Renew)];
    let occurrences = timeline(&settings, at("2026-01-10 10:00"), &bundle);
    assert!(occurrences.len() > 62, "31 tries, 31 notices and what follows");
    assert!(occurrences.len() <= 128, "{} do not fit into an answer", occurrences.len());
}
