//! The whole timeline of each kind under each setting, printed.

use std::collections::BTreeMap;

use expect_test::ExpectFile;
use expect_test::expect;
use expect_test::expect_file;
use plugin_huawei::notices::Notice;
use plugin_huawei::profile::manifest;
use plugin_sdk::*;

use crate::world::*;

const LONG_BEFORE: &str = "2026-02-01 00:00:00";
const ON_EXPIRY: [OnExpiry; 4] = [OnExpiry::Lapse, OnExpiry::Renew, OnExpiry::Convert, OnExpiry::Release];

fn check(cases: impl IntoIterator<Item = (String, String)>, expected: ExpectFile) {
    let mut table = String::new();
    for (title, lines) in cases {
        let indented = lines.lines().map(|line| format!("  {line}\n")).collect::<String>();
        table += &format!("{title}\n{indented}\n");
    }
    expected.assert_eq(&table);
}

fn alone(said: Said, resource: Resource) -> String {
    print_timeline(&timeline(said, time(LONG_BEFORE), &[resource]))
}

#[test]
fn every_kind_has_a_timeline_for_each_setting_of_on_expiry() {
    let mut cases = Vec::new();
    for on_expiry in ON_EXPIRY {
        // Kinds with the same course share a table.
        let mut kinds_by_course = BTreeMap::<String, Vec<String>>::new();
        for kind in manifest().kinds {
            let course = alone(&[], Resource { on_expiry, ..resource(&kind.name) });
            kinds_by_course.entry(course).or_default().push(kind.name);
        }
        for (course, kinds) in kinds_by_course {
            cases.push((format!("{} | on expiry {}", kinds.join(" "), name(&on_expiry)), course));
        }
    }
    check(cases, expect_file!["tables/timeline_of_each_kind.txt"]);
}

#[test]
fn every_setting_that_moves_a_timeline_moves_it_so() {
    let mut settings = vec![vec![]];
    for tier in ["V0", "V1", "V2", "V3", "V4", "V5"] {
        settings.push(vec![("site", "cn"), ("tier", tier)]);
    }
    settings.push(vec![("site", "intl"), ("tier", "V5")]);
    settings.push(vec![("site", "eu"), ("tier", "V5")]);
    for days in ["2", "3", "4", "5", "6", "7"] {
        settings.push(vec![("deduction_days", days)]);
    }
    settings.push(vec![("grace_days", "0")]);
    settings.push(vec![("retention_days", "0")]);
    settings.push(vec![("grace_days", "0"), ("retention_days", "0")]);
    settings.push(vec![("site", "cn"), ("tier", "V5"), ("grace_days", "2")]);
    settings.push(vec![("notice_hour", "23")]);
    let course = |said: Said| alone(said, Resource { on_expiry: OnExpiry::Renew, ..resource("ecs") });
    check(
        settings.iter().map(|said| (format!("ecs | on expiry renew | {said:?}"), course(said))),
        expect_file!["tables/timeline_under_each_setting.txt"],
    );
}

#[test]
fn codearts_under_each_site_and_with_no_time_left() {
    let settings: [Said; 4] = [
        &[("site", "cn"), ("tier", "V0")],
        &[("site", "cn"), ("tier", "V4")],
        &[("grace_days", "0")],
        &[("grace_days", "0"), ("retention_days", "0")],
    ];
    let bundle = [resource("codearts-package"), attached("codearts-extension", 0)];
    let course = |said: Said| print_timeline(&timeline(said, time(LONG_BEFORE), &bundle));
    check(
        settings.iter().map(|said| (format!("codearts package with an extension | {said:?}"), course(said))),
        expect_file!["tables/timeline_of_codearts.txt"],
    );
}

#[test]
fn settings_that_move_no_timeline_move_none() {
    let bundle = [Resource { on_expiry: OnExpiry::Renew, ..resource("ecs") }];
    let usual = timeline(&[], time(LONG_BEFORE), &bundle);
    for said in [
        ("unified_expiry_day", "15"),
        ("auto_renew_period", "smallest"),
        ("full_refund_days", "5"),
        ("handling_fee_percent", "10"),
        ("total_years_max", "3"),
        ("package_low_percent", "1"),
        ("package_order", "expiry-first"),
        ("tier", "V5"),
    ] {
        assert_eq!(timeline(&[said], time(LONG_BEFORE), &bundle), usual, "{said:?}");
    }
}

#[test]
fn what_expires_with_its_primary_is_tried_and_told_about_with_it() {
    let renewed = |resource: Resource| Resource { on_expiry: OnExpiry::Renew, ..resource };
    let bundle = [renewed(resource("ecs")), renewed(attached("eip", 0)), renewed(attached("bandwidth", 1))];
    let short = timeline(&[("deduction_days", "2")], time(LONG_BEFORE), &bundle);
    expect![[r#"
          2026-02-26 03:00:00 #0 try
          2026-02-26 09:00:00 #0 notice auto-renewal-failed
          2026-02-27 03:00:00 #0 try
          2026-02-28 03:00:00 #0 try
          2026-02-28 09:00:00 #0 notice auto-renewal-failed
          2026-02-28 23:59:59 #0 enter grace
          2026-02-28 23:59:59 #1 enter grace
          2026-02-28 23:59:59 #2 enter grace
          2026-03-15 23:59:59 #0 enter retention
          2026-03-15 23:59:59 #1 enter retention
          2026-03-15 23:59:59 #2 enter retention
          2026-03-24 09:00:00 #0 notice released-soon
          2026-03-28 09:00:00 #0 notice released-soon
          2026-03-30 09:00:00 #0 notice released-soon
          2026-03-30 23:59:59 #0 enter released
          2026-03-30 23:59:59 #1 enter released
          2026-03-30 23:59:59 #2 enter released
    "#]]
    .assert_eq(&print_timeline(&short));
}

#[test]
fn what_expires_at_another_time_has_tries_of_its_own() {
    let renewed = |resource: Resource| Resource { on_expiry: OnExpiry::Renew, ..resource };
    let later = Resource { expires_at: Some(time("2026-03-10 12:00:00")), ..renewed(attached("evs", 0)) };
    let quiet = Resource { on_expiry: OnExpiry::Lapse, ..later.clone() };
    let bundle = [renewed(resource("ecs")), later, quiet];
    let told = timeline(&[("deduction_days", "2")], time(LONG_BEFORE), &bundle);
    expect![[r#"
          2026-02-26 03:00:00 #0 try
          2026-02-26 09:00:00 #0 notice auto-renewal-failed
          2026-02-27 03:00:00 #0 try
          2026-02-28 03:00:00 #0 try
          2026-02-28 09:00:00 #0 notice auto-renewal-failed
          2026-02-28 23:59:59 #0 enter grace
          2026-03-03 09:00:00 #2 notice expires-soon
          2026-03-07 09:00:00 #2 notice expires-soon
          2026-03-08 03:00:00 #1 try
          2026-03-08 09:00:00 #1 notice auto-renewal-failed
          2026-03-09 03:00:00 #1 try
          2026-03-09 09:00:00 #2 notice expires-soon
          2026-03-10 03:00:00 #1 try
          2026-03-10 09:00:00 #1 notice auto-renewal-failed
          2026-03-10 12:00:00 #1 enter grace
          2026-03-10 12:00:00 #2 enter grace
          2026-03-15 23:59:59 #0 enter retention
          2026-03-24 09:00:00 #0 notice released-soon
          2026-03-25 12:00:00 #1 enter retention
          2026-03-25 12:00:00 #2 enter retention
          2026-03-28 09:00:00 #0 notice released-soon
          2026-03-30 09:00:00 #0 notice released-soon
          2026-03-30 23:59:59 #0 enter released
          2026-04-03 09:00:00 #1 notice released-soon
          2026-04-07 09:00:00 #1 notice released-soon
          2026-04-09 09:00:00 #1 notice released-soon
          2026-04-09 12:00:00 #1 enter released
          2026-04-09 12:00:00 #2 enter released
    "#]]
    .assert_eq(&print_timeline(&told));
}

#[test]
fn nobody_is_left_to_a_primary_that_is_not_tried() {
    let renewed = |resource: Resource| Resource { on_expiry: OnExpiry::Renew, ..resource };
    let has_tries = |primary: Resource| {
        let occurrences = timeline(&[], time(LONG_BEFORE), &[primary, renewed(attached("evs", 0))]);
        occurrences.iter().any(|one| one.action == Action::TryRenewal && one.member == 1)
    };
    assert!(has_tries(resource("ecs")), "it lapses");
    assert!(has_tries(pay_per_use(resource("ecs"))), "it is pay-per-use");
    assert!(has_tries(Resource { stage: Stage::Unsubscribed, ..renewed(resource("ecs")) }), "it is gone");
    assert!(!has_tries(renewed(resource("ecs"))), "it is tried itself");
}

#[test]
fn a_primary_further_up_speaks_for_what_is_attached_to_one_that_ends() {
    let renewed = |resource: Resource| Resource { on_expiry: OnExpiry::Renew, ..resource };
    let ending = Resource { on_expiry: OnExpiry::Convert, ..attached("eip", 0) };
    let bundle = [renewed(resource("ecs")), ending, renewed(attached("bandwidth", 1))];
    let occurrences = timeline(&[], time(LONG_BEFORE), &bundle);
    let tried = occurrences.iter().filter(|one| one.action == Action::TryRenewal).map(|one| one.member);
    assert!(tried.clone().count() > 0 && tried.clone().all(|member| member == 0));
    let told_of_release = |one: &&Occurrence| one.action == Action::Notice(Notice::Releases as u32);
    assert!(occurrences.iter().filter(told_of_release).all(|one| one.member == 0));
}

#[test]
fn what_is_overdue_happens_at_once() {
    let stale = |stage: Stage, after: &str| {
        print_timeline(&timeline(&[], time(after), &[Resource { stage, ..resource("ecs") }]))
    };
    expect![[r#"
          2026-03-01 12:00:01 #0 enter grace
          2026-03-15 23:59:59 #0 enter retention
          2026-03-30 23:59:59 #0 enter released

          2026-03-20 12:00:01 #0 enter retention
          2026-03-30 23:59:59 #0 enter released

          2026-03-20 12:00:01 #0 enter retention
          2026-03-30 23:59:59 #0 enter released

          2026-06-01 12:00:01 #0 enter released

          2026-06-01 12:00:01 #0 enter released
    "#]]
    .assert_eq(
        &[
            stale(Stage::Active, "2026-03-01 12:00:00"),
            stale(Stage::Active, "2026-03-20 12:00:00"),
            stale(Stage::Grace, "2026-03-20 12:00:00"),
            stale(Stage::Grace, "2026-06-01 12:00:00"),
            stale(Stage::Retention, "2026-06-01 12:00:00"),
        ]
        .join("\n"),
    );
}

#[test]
fn the_final_stages_and_pay_per_use_have_no_future() {
    for stage in [Stage::Released, Stage::Unsubscribed, Stage::Converted] {
        assert_eq!(timeline(&[], time(LONG_BEFORE), &[Resource { stage, ..resource("ecs") }]), []);
    }
    assert_eq!(timeline(&[], time(LONG_BEFORE), &[pay_per_use(resource("ecs"))]), []);
}

#[test]
fn each_of_hundreds_of_members_is_told_of_to_its_end() {
    let mut bundle = vec![resource("shared-bandwidth")];
    bundle.extend((0..600).map(|_| attached("eip", 0)));
    let occurrences = timeline(&[], time(LONG_BEFORE), &bundle);
    for member in 0..bundle.len() {
        let last = occurrences.iter().rfind(|one| one.member as usize == member).expect("it has a future");
        assert_eq!(last.action, Action::Enter(Stage::Released), "member {member}");
    }
}
