//! The timelines of the tables that there are, printed.

use expect_test::expect;
use plugin_sdk::OnExpiry;
use plugin_sdk::Resource;
use plugin_sdk::Stage;

use crate::world::NIMBUS;
use crate::world::VOLCENGINE;
use crate::world::attached;
use crate::world::day;
use crate::world::renewing;
use crate::world::resource;
use crate::world::table;
use crate::world::timeline;

#[test]
fn nimbus_tries_five_times_and_then_gives_three_days() {
    let server = renewing(resource("server", "web", day(30) + 43_200));
    expect![[r#"
        2026-01-26 02:00:00 web try
        2026-01-27 02:00:00 web try
        2026-01-28 02:00:00 web try
        2026-01-29 02:00:00 web try
        2026-01-30 02:00:00 web try
        2026-01-31 12:00:00 web enter Stage::Grace
        2026-02-03 12:00:00 web enter Stage::Released
    "#]]
    .assert_eq(&timeline(&table(NIMBUS), &[], day(0), &[server]));
}

#[test]
fn volcengine_has_tries_stages_and_notices() {
    let bundle = [
        renewing(resource("ecs", "ecs-1", day(30) + 57_599)),
        attached(resource("ebs", "disk-1", day(30) + 57_599)),
        attached(renewing(resource("eip", "eip-1", day(20)))),
    ];
    expect![[r#"
        2026-01-14 10:00:00 eip-1 try
        2026-01-14 10:00:00 eip-1 notice expires-soon
        2026-01-15 10:00:00 eip-1 try
        2026-01-16 10:00:00 eip-1 try
        2026-01-17 10:00:00 eip-1 try
        2026-01-18 10:00:00 eip-1 try
        2026-01-18 10:00:00 eip-1 notice expires-soon
        2026-01-19 10:00:00 eip-1 try
        2026-01-20 10:00:00 eip-1 try
        2026-01-20 10:00:00 eip-1 notice expires-soon
        2026-01-21 07:00:00 eip-1 try
        2026-01-21 07:00:00 eip-1 notice expires-soon
        2026-01-21 08:00:00 eip-1 enter Stage::Grace
        2026-01-21 20:00:00 eip-1 notice stopped
        2026-01-21 20:00:00 eip-1 enter Stage::Retention
        2026-01-24 10:00:00 ecs-1 try
        2026-01-24 10:00:00 ecs-1 notice expires-soon
        2026-01-24 10:00:00 disk-1 notice expires-soon
        2026-01-25 10:00:00 ecs-1 try
        2026-01-26 10:00:00 ecs-1 try
        2026-01-27 10:00:00 ecs-1 try
        2026-01-28 10:00:00 ecs-1 try
        2026-01-28 10:00:00 ecs-1 notice expires-soon
        2026-01-28 10:00:00 disk-1 notice expires-soon
        2026-01-29 10:00:00 ecs-1 try
        2026-01-30 10:00:00 ecs-1 try
        2026-01-30 10:00:00 ecs-1 notice expires-soon
        2026-01-30 10:00:00 disk-1 notice expires-soon
        2026-01-31 10:00:00 ecs-1 try
        2026-01-31 10:00:00 ecs-1 notice expires-soon
        2026-01-31 10:00:00 disk-1 notice expires-soon
        2026-01-31 23:59:59 ecs-1 enter Stage::Grace
        2026-01-31 23:59:59 disk-1 enter Stage::Grace
        2026-02-01 11:59:59 ecs-1 notice stopped
        2026-02-01 11:59:59 ecs-1 enter Stage::Retention
        2026-02-01 11:59:59 disk-1 notice stopped
        2026-02-01 11:59:59 disk-1 enter Stage::Retention
        2026-02-04 08:00:00 eip-1 notice released-soon
        2026-02-05 08:00:00 eip-1 notice released
        2026-02-05 08:00:00 eip-1 enter Stage::Released
        2026-02-14 23:59:59 ecs-1 notice released-soon
        2026-02-14 23:59:59 disk-1 notice released-soon
        2026-02-15 23:59:59 ecs-1 notice released
        2026-02-15 23:59:59 ecs-1 enter Stage::Released
        2026-02-15 23:59:59 disk-1 notice released
        2026-02-15 23:59:59 disk-1 enter Stage::Released
    "#]]
    .assert_eq(&timeline(&table(VOLCENGINE), &[], day(0), &bundle));
}

#[test]
fn a_disk_that_expires_before_its_instance_has_tries_of_its_own() {
    let tries_with = |stage, disk_expires_at| {
        let bundle = [
            Resource { stage, ..renewing(resource("ecs", "ecs-1", day(30))) },
            attached(renewing(resource("ebs", "disk-1", disk_expires_at))),
        ];
        let all = timeline(&table(VOLCENGINE), &[], day(0), &bundle);
        all.lines().filter(|line| line.ends_with("disk-1 try")).count()
    };
    let tries = |disk_expires_at| tries_with(Stage::Active, disk_expires_at);
    assert_eq!((tries(day(29)), tries(day(30)), tries(day(31))), (8, 0, 0));
    assert_eq!(tries_with(Stage::Grace, day(31)), 8, "what has expired takes nothing along any more");
}

#[test]
fn what_is_set_to_end_ends_at_its_expiry() {
    let ending = |on_expiry| {
        let server = Resource { on_expiry, ..resource("server", "web", day(30)) };
        timeline(&table(NIMBUS), &[], day(0), &[server])
    };
    expect![[r#"
        2026-01-31 00:00:00 web enter Stage::Released
        2026-01-31 00:00:00 web convert
    "#]]
    .assert_eq(&[OnExpiry::Release, OnExpiry::Convert].map(ending).concat());
}

#[test]
fn what_is_overdue_happens_at_once_and_in_order() {
    let bundle = [
        renewing(resource("ecs", "ecs-1", day(1))),
        Resource { stage: Stage::Grace, ..attached(resource("ebs", "disk-1", day(1))) },
        Resource { stage: Stage::Retention, ..attached(resource("eip", "eip-1", day(1))) },
        Resource { stage: Stage::Released, ..attached(resource("eip", "eip-2", day(1))) },
    ];
    expect![[r#"
        2026-03-02 08:00:01 ecs-1 enter Stage::Grace
        2026-03-02 08:00:01 ecs-1 notice stopped
        2026-03-02 08:00:01 ecs-1 enter Stage::Retention
        2026-03-02 08:00:01 ecs-1 notice released
        2026-03-02 08:00:01 ecs-1 enter Stage::Released
        2026-03-02 08:00:01 disk-1 notice stopped
        2026-03-02 08:00:01 disk-1 enter Stage::Retention
        2026-03-02 08:00:01 disk-1 notice released
        2026-03-02 08:00:01 disk-1 enter Stage::Released
        2026-03-02 08:00:01 eip-1 notice released
        2026-03-02 08:00:01 eip-1 enter Stage::Released
    "#]]
    .assert_eq(&timeline(&table(VOLCENGINE), &[], day(60), &bundle));
}

#[test]
fn an_account_sets_what_its_table_leaves_open() {
    let server = renewing(resource("clb", "clb-1", day(30)));
    let settings =
        [("try_days", "1,-1"), ("try_hour", "expiry"), ("grace", "2 days"), ("retention", "0 days")];
    expect![[r#"
        2026-01-24 10:00:00 clb-1 notice expires-soon
        2026-01-28 10:00:00 clb-1 notice expires-soon
        2026-01-30 08:00:00 clb-1 try
        2026-01-30 10:00:00 clb-1 notice expires-soon
        2026-01-31 07:00:00 clb-1 notice expires-soon
        2026-01-31 08:00:00 clb-1 enter Stage::Grace
        2026-02-01 08:00:00 clb-1 try
        2026-02-01 08:00:00 clb-1 notice released-soon
        2026-02-02 08:00:00 clb-1 notice released
        2026-02-02 08:00:00 clb-1 enter Stage::Released
    "#]]
    .assert_eq(&timeline(&table(VOLCENGINE), &settings, day(0), &[server]));
}

#[test]
fn every_problem_of_settings_is_told() {
    let problems = |text: &str, settings: &[(&str, &str)]| {
        table(text).check_settings(&crate::world::owned(settings)).join("\n")
    };
    let told = [
        problems(VOLCENGINE, &[("try_days", "7,7"), ("try_hour", "24"), ("grace", "soon"), ("pace", "1")]),
        problems(
            VOLCENGINE,
            &[("retention_renewal", "never"), ("fee_percent", "101"), ("refund_within", "always")],
        ),
        problems(NIMBUS, &[("grace", "1 day")]),
    ];
    expect![[r#"
        `try_days`: day 7 is there twice
        `try_hour`: `24` is no hour; write a whole number from 0 to 23, or `expiry` for the hour of the expiry
        `grace`: `soon` is no length of time; write `3 days`, `12 hours` or `14 days 12 hours`
        `pace` is not a setting; there are `fee_percent`, `grace`, `grace_renewal`, `refund_within`, `retention`, `retention_renewal`, `try_days`, `try_hour`
        `retention_renewal`: `never` is none of `expiry`, `renewal`, `refused`
        `fee_percent`: `101` is no whole number from 0 to 100
        `grace` is not a setting; `nimbus` has none"#]].assert_eq(&told.join("\n"));
}
