//! The clock: on time, late, short of money, and with rules that are down.

use expect_test::expect;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::timestamp::Timestamp;

use perennial_store::testing;
use perennial_test_support::world::World;
use perennial_test_support::world::at;
use perennial_test_support::world::lapsing;
use perennial_test_support::world::money;
use perennial_test_support::world::renewing;
use perennial_test_support::world::with;

fn attached(resource: Resource) -> Resource {
    Resource { attached_to: Some(MemberIndex::new(0)), ..resource }
}

#[test]
fn a_renewal_is_tried_paid_and_due_again_a_term_later() {
    let mut world = World::account("2026-03-01", "60", vec![vec![renewing("vm", "2026-03-10")]]);
    world.run_to("2026-06-01");
    expect![[r#"
        2026-03-08T00:00:00Z a/vm balance_changed amount=-30.00
        2026-03-08T00:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
        2026-04-07T00:00:00Z a/vm balance_changed amount=-30.00
        2026-04-07T00:00:00Z a/vm renewal_settled expires_at=2026-05-09T00:00:00Z
        2026-05-07T00:00:00Z a/vm renewal_declined code=money class=money next_try_at=2026-05-08T00:00:00Z
        2026-05-08T00:00:00Z a/vm renewal_declined code=money class=money next_try_at=none
        2026-05-09T00:00:00Z a/vm stage_changed to=grace
        2026-05-12T00:00:00Z a/vm stage_changed to=released
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!(world.balance("a"), money("0"));
    assert_eq!(world.engine.next_wake().unwrap(), None);
}

#[test]
fn money_is_met_in_the_order_of_time_within_a_batch() {
    let mut world = World::account(
        "2026-03-01",
        "30",
        vec![vec![renewing("later", "2026-03-10T06:00:00")], vec![renewing("sooner", "2026-03-10")]],
    );
    world.run_to("2026-03-08T06:00:00");
    expect![[r#"
        2026-03-08T00:00:00Z a/sooner balance_changed amount=-30.00
        2026-03-08T00:00:00Z a/sooner renewal_settled expires_at=2026-04-09T00:00:00Z
        2026-03-08T06:00:00Z a/later renewal_declined code=money class=money next_try_at=2026-03-09T06:00:00Z
    "#]]
    .assert_eq(&world.event_lines());
}

#[test]
fn what_is_due_again_comes_before_what_is_due_then_and_was_stored_later() {
    // `one` is due at midnight and, for its disk, at noon; so is `other`. There is money for two.
    let one = || vec![renewing("one", "2026-03-10"), attached(renewing("disk", "2026-03-10T12:00:00"))];
    let bundles = || vec![one(), vec![renewing("other", "2026-03-10T12:00:00")]];
    let mut at_once = World::account("2026-03-01", "60", bundles());
    at_once.run_to("2026-03-08T12:00:00");
    let mut hourly = World::account("2026-03-01", "60", bundles());
    for hour in 0..=12 {
        hourly.run_to(&format!("2026-03-08T{hour:02}:00:00"));
    }
    assert_eq!(at_once.event_lines(), hourly.event_lines());
    assert_eq!(at_once.resource("disk").expires_at, Some(at("2026-04-09T12:00:00")));
    assert_eq!(at_once.resource("other").expires_at, Some(at("2026-03-10T12:00:00")));
}

#[test]
fn the_second_try_at_one_wake_meets_the_money_before_a_later_wake() {
    // Both members of `one` are due at midnight: the disk is asked about only once `one` was renewed.
    let one = vec![
        renewing("one", "2026-03-10"),
        attached(with(renewing("disk", "2026-03-11"), "try_at", "-86400")),
    ];
    let mut world =
        World::account("2026-03-01", "60", vec![one, vec![renewing("other", "2026-03-10T00:30:00")]]);
    world.run_to("2026-03-08T00:30:00");
    expect![[r#"
        2026-03-08T00:00:00Z a/one balance_changed amount=-30.00
        2026-03-08T00:00:00Z a/one renewal_settled expires_at=2026-04-09T00:00:00Z
        2026-03-08T00:00:00Z a/disk balance_changed amount=-30.00
        2026-03-08T00:00:00Z a/disk renewal_settled expires_at=2026-04-10T00:00:00Z
        2026-03-08T00:30:00Z a/other renewal_declined code=money class=money next_try_at=2026-03-09T00:30:00Z
    "#]]
    .assert_eq(&world.event_lines());
}

#[test]
fn a_bundle_is_renewed_whole_or_not_at_all() {
    let bundle = || vec![renewing("vm", "2026-03-10"), attached(renewing("disk", "2026-03-10"))];
    let mut short = World::account("2026-03-01", "59.99", vec![bundle()]);
    short.run_to("2026-03-08");
    expect![[r#"
        2026-03-08T00:00:00Z a/vm renewal_declined code=money class=money next_try_at=2026-03-09T00:00:00Z
    "#]]
    .assert_eq(&short.event_lines());
    assert_eq!(short.balance("a"), money("59.99"));
    let mut exact = World::account("2026-03-01", "60", vec![bundle()]);
    exact.run_to("2026-03-08");
    assert_eq!(exact.balance("a"), money("0"));
    assert_eq!(exact.resource("disk").expires_at, Some(at("2026-04-09")));
}

#[test]
fn attached_ones_go_on_when_their_primary_is_over() {
    let gone = Resource { stage: Stage::Unsubscribed, ..lapsing("vm", "2026-03-10") };
    let mut world =
        World::account("2026-03-01", "30", vec![vec![gone, attached(renewing("disk", "2026-03-10"))]]);
    world.run_to("2026-04-30");
    expect![[r#"
        2026-03-08T00:00:00Z a/disk balance_changed amount=-30.00
        2026-03-08T00:00:00Z a/disk renewal_settled expires_at=2026-04-09T00:00:00Z
        2026-04-07T00:00:00Z a/disk renewal_declined code=money class=money next_try_at=2026-04-08T00:00:00Z
        2026-04-08T00:00:00Z a/disk renewal_declined code=money class=money next_try_at=none
        2026-04-09T00:00:00Z a/disk stage_changed to=grace
        2026-04-12T00:00:00Z a/disk stage_changed to=released
    "#]]
    .assert_eq(&world.event_lines());
}

#[test]
fn an_outage_costs_nobody_a_resource_that_money_could_have_kept() {
    let mut world = World::of(
        "2026-03-01",
        &[
            ("a", "1000", vec![vec![renewing("kept", "2026-03-10")]]),
            ("b", "0", vec![vec![renewing("lost", "2026-03-10")], vec![lapsing("over", "2026-03-12")]]),
        ],
    );
    world.run_to("2026-03-05");
    world.catch_up("2026-03-05", "2026-05-20");
    expect![[r#"
        2026-03-10T00:00:00Z b/lost stage_changed to=grace
        2026-03-12T00:00:00Z b/over stage_changed to=grace
        2026-03-13T00:00:00Z b/lost stage_changed to=released
        2026-03-15T00:00:00Z b/over stage_changed to=released
        2026-05-20T00:00:00Z a/- host_resumed down_since=2026-03-05T00:00:00Z
        2026-05-20T00:00:00Z b/- host_resumed down_since=2026-03-05T00:00:00Z
        2026-05-20T00:00:00Z a/kept balance_changed amount=-30.00
        2026-05-20T00:00:00Z a/kept renewal_settled expires_at=2026-04-09T00:00:00Z
        2026-05-20T00:00:00Z a/kept balance_changed amount=-30.00
        2026-05-20T00:00:00Z a/kept renewal_settled expires_at=2026-05-09T00:00:00Z
        2026-05-20T00:00:00Z a/kept balance_changed amount=-30.00
        2026-05-20T00:00:00Z a/kept renewal_settled expires_at=2026-06-08T00:00:00Z
        2026-05-20T00:00:00Z b/lost renewal_declined code=money class=money next_try_at=none
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!(world.resource("kept").stage, Stage::Active);
}

#[test]
fn what_expired_long_before_it_was_imported_is_caught_up_on() {
    let mut world = World::account(
        "2026-03-11T12:00:00",
        "100",
        vec![vec![renewing("grace", "2026-03-10")], vec![lapsing("gone", "2026-02-01")]],
    );
    world.run_to("2026-03-11T12:00:00");
    expect![[r#"
        2026-02-01T00:00:00Z a/gone stage_changed to=grace
        2026-02-04T00:00:00Z a/gone stage_changed to=released
        2026-03-11T11:59:59Z a/grace balance_changed amount=-30.00
        2026-03-11T11:59:59Z a/grace renewal_settled expires_at=2026-04-09T00:00:00Z
    "#]]
    .assert_eq(&world.event_lines());
}

#[test]
fn a_failing_plugin_is_called_with_back_off_and_nothing_is_lost() {
    let mut world = World::of(
        "2026-03-01",
        &[(
            "a",
            "30",
            vec![
                vec![with(renewing("bad", "2026-03-10"), "broken", "yes")],
                vec![renewing("good", "2026-03-10")],
            ],
        )],
    );
    world.run_to("2026-03-08");
    let lines = world.event_lines();
    assert!(lines.contains("a/good renewal_settled"), "{lines}");
    let waits = || {
        let failed = lines.lines().filter(|line| line.contains("plugin_failed"));
        failed.map(|line| (line[..20].to_owned(), line.rsplit('=').next().unwrap().to_owned()))
    };
    let seconds = waits().map(|(failed, next)| {
        let (failed, next): (Timestamp, Timestamp) = (failed.parse().unwrap(), next.parse().unwrap());
        next - failed
    });
    let seconds = seconds.take(12).collect::<Vec<_>>();
    assert_eq!(seconds, [60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 21600, 21600, 21600]);
    assert_eq!(
        testing::plugin_failures(world.engine.db())[0].1,
        "plugin `toy` crashed in `f`: out of order; report the input of the call to its author"
    );
}

#[test]
fn a_bundle_whose_rules_recover_does_what_it_missed() {
    let mut world = World::account("2026-03-01", "30", vec![vec![renewing("vm", "2026-03-10")]]);
    world.run_to("2026-03-07");
    world.down(true);
    world.run_to("2026-03-08T12:00:00");
    world.down(false);
    world.event_lines();
    world.run_to("2026-03-10");
    expect![[r#"
        2026-03-08T14:31:00Z a/vm balance_changed amount=-30.00
        2026-03-08T14:31:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
        2026-03-08T14:31:00Z a/vm bundle_unparked
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!(testing::failing(world.engine.db()), [""; 0]);
    assert_eq!(testing::plugin_failures(world.engine.db()), []);
}

#[test]
fn every_account_is_told_that_the_host_was_down() {
    let mut world = World::of("2026-03-01", &[("b", "0", vec![]), ("a", "0", vec![])]);
    world.catch_up("2026-03-02", "2026-03-03");
    expect![[r#"
        2026-03-03T00:00:00Z a/- host_resumed down_since=2026-03-02T00:00:00Z
        2026-03-03T00:00:00Z b/- host_resumed down_since=2026-03-02T00:00:00Z
    "#]]
    .assert_eq(&world.event_lines());
}

#[test]
fn batches_of_any_size_come_to_the_same() {
    let bundles = || {
        (0..9).map(|n| vec![renewing(&format!("vm-{n}"), &format!("2026-03-1{}", n % 3))]).collect::<Vec<_>>()
    };
    let event_lines = |size| {
        let mut world = World::account("2026-03-01", "500", bundles());
        world.engine = world.engine.with_batch_size(size);
        world.run_to("2026-07-01");
        world.event_lines()
    };
    assert_eq!(event_lines(1), event_lines(1000));
    assert_eq!(event_lines(2), event_lines(1000));
}

#[test]
fn another_revision_of_the_rules_is_asked_about_what_sleeps() {
    let far = || vec![vec![lapsing("vm", "2026-06-01")], vec![lapsing("other", "2026-07-01")]];
    let wake = |world: &World| world.engine.next_wake().unwrap().unwrap().to_string();
    let mut world = World::durable("2026-03-01", &[("a", "0", far())]);
    world.run_to("2026-03-02");
    assert_eq!(wake(&world), "2026-06-01T00:00:00Z");
    // The same revision again: nothing is asked.
    world.replace_rules(None);
    world.run_to("2026-03-03");
    assert_eq!(wake(&world), "2026-06-01T00:00:00Z");
    // Another one expires everything a month earlier.
    world.replace_rules(Some(31));
    world.run_to("2026-05-02");
    expect![[r#"
        2026-05-01T00:00:00Z a/vm stage_changed to=grace
    "#]]
    .assert_eq(&world.event_lines());
    assert_eq!(wake(&world), "2026-05-04T00:00:00Z");
    assert!(world.resource("other").expires_at.is_some_and(|expires_at| expires_at == at("2026-07-01")));
}

#[test]
fn another_revision_is_asked_at_once_about_what_the_last_one_failed_at() {
    let mut world = World::durable("2026-03-01", &[("a", "0", vec![vec![lapsing("vm", "2026-03-10")]])]);
    world.run_to("2026-03-09");
    world.down(true);
    // Each failure doubles the wait, up to six hours.
    world.run_to("2026-03-11");
    assert_eq!(world.resource("vm").stage, Stage::Active);
    world.replace_rules(Some(0));
    world.run_to("2026-03-11T00:00:01");
    assert_eq!(world.resource("vm").stage, Stage::Grace);
}

#[test]
fn rules_that_were_missing_are_asked_as_soon_as_they_are_back() {
    let mut world = World::durable("2026-03-01", &[("a", "0", vec![vec![lapsing("vm", "2026-03-10")]])]);
    world.run_to("2026-03-09");
    world.restart(Default::default());
    world.run_to("2026-03-12");
    assert_eq!(world.resource("vm").stage, Stage::Active);
    // The same revision as before.
    world.replace_rules(None);
    world.run_to("2026-03-12T00:00:01");
    assert_eq!(world.resource("vm").stage, Stage::Grace);
}

#[test]
fn a_plugin_that_wakes_a_bundle_each_second_is_put_to_rest_by_name() {
    let restless = with(lapsing("vm", "2026-03-10"), "restless", "yes");
    let bundles = vec![vec![restless], vec![renewing("other", "2026-03-03T00:20:00")]];
    let mut world = World::account("2026-03-01", "60", bundles);
    world.run_to("2026-03-01T02:00:00");
    let failures = testing::plugin_failures(world.engine.db());
    let events = std::mem::take(&mut world.recorded);
    let seconds =
        events.iter().filter(|recorded| matches!(recorded.event.what, EventKind::SettingChanged { .. }));
    assert_eq!(
        seconds.count(),
        61 + 50,
        "an hour's wakes, and what its last answer had ahead when it was asked again"
    );
    let said = events.iter().find_map(|recorded| {
        let EventKind::PluginFailed { message, next_try_at } = &recorded.event.what else { return None };
        Some(format!("{} {} {message}", recorded.event.at, next_try_at.unwrap()))
    });
    expect!["2026-03-01T00:01:00Z 2026-03-01T00:02:00Z plugin `toy` has `vm` wake more than 60 times within an hour; at most 60 are accepted; tell its author"].assert_eq(&said.unwrap());
    assert_eq!(failures, [], "it lets the bundle be");
    assert_eq!(world.resource("other").expires_at, Some(at("2026-04-02T00:20:00")), "the others go on");
}

#[test]
fn how_often_a_plugin_may_have_a_bundle_wake_is_a_setting() {
    let bundles = vec![vec![with(lapsing("vm", "2026-03-10"), "restless", "yes")]];
    let mut world = World::account("2026-03-01", "60", bundles);
    world.engine = world.engine.with_wakes_per_hour_max(10);
    world.run_to("2026-03-01T00:05:00");
    let said = world.recorded.iter().find_map(|recorded| {
        let EventKind::PluginFailed { message, .. } = &recorded.event.what else { return None };
        Some(format!("{} {message}", recorded.event.at))
    });
    expect!["2026-03-01T00:00:10Z plugin `toy` has `vm` wake more than 10 times within an hour; at most 10 are accepted; tell its author"].assert_eq(&said.unwrap());
}
