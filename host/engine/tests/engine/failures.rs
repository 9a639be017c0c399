//! What follows from failures of plugins: parked bundles, breakers of revisions, and people who release either.

use expect_test::expect;
use perennial_domain::bundle::Resource;
use perennial_domain::event::EventKind;
use perennial_domain::plugin_failure::BackOff;
use perennial_domain::plugin_failure::FailureLimits;
use perennial_engine::plugin_releases::ParkedSelection;
use perennial_store::keys::ResourceKey;
use perennial_store::keys::RowKey;
use perennial_store::plugin_breakers;
use perennial_store::plugin_failures;
use perennial_store::plugin_failures::ParkedBundle;
use perennial_test_support::world::World;
use perennial_test_support::world::at;
use perennial_test_support::world::lapsing;
use perennial_test_support::world::renew;
use perennial_test_support::world::renewing;
use perennial_test_support::world::with;

/// So many bundles that lapse on the same day, the first of which the rules fail over.
fn bundles(count: usize, broken: usize) -> Vec<Vec<Resource>> {
    let of = |number: usize| {
        let resource = lapsing(&format!("vm-{number:02}"), "2026-03-10");
        vec![if number < broken { with(resource, "broken", "yes") } else { resource }]
    };
    (0..count).map(of).collect()
}

fn parked(world: &World) -> Vec<ParkedBundle> {
    let all = (None, None, None);
    plugin_failures::parked(world.engine.db(), all, ResourceKey::before_all(), 100).unwrap()
}

/// The events about bundles that are parked and about breakers, in lines.
fn told(world: &mut World) -> String {
    let lines = world.event_lines();
    let told = lines.lines().filter(|line| line.contains("parked") || line.contains("breaker"));
    told.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_bundle_that_the_plugin_fails_over_alone_is_parked_and_asked_rarely() {
    let mut world = World::account("2026-03-01", "0", bundles(1, 0));
    world.run_to("2026-03-02");
    world.down(true);
    world.run_to("2026-03-12");
    let parked = parked(&world);
    assert_eq!(parked.len(), 1);
    let ParkedBundle { resource_id, revision, reason, failing_since, parked_at, next_try_at, .. } =
        &parked[0];
    expect!["vm-00 of 0123 since 2026-03-10T00:00:00Z, parked 2026-03-10T00:15:00Z, next 2026-03-12T02:31:00Z: plugin `toy` crashed in `f`: out of order; report the input of the call to its author"].assert_eq(&format!(
        "{resource_id} of {revision} since {failing_since}, parked {parked_at}, next {}: {reason}",
        next_try_at.unwrap()
    ));
    world.down(false);
    world.run_to("2026-03-14");
    expect![[r#"
        2026-03-10T00:15:00Z a/vm-00 bundle_parked
        2026-03-12T02:31:00Z a/vm-00 bundle_unparked
    "#]]
    .assert_eq(&told(&mut world));
    assert_eq!(parked_count(&world), 0);
}

fn parked_count(world: &World) -> i64 {
    plugin_failures::count_parked(world.engine.db()).unwrap()
}

#[test]
fn a_poisonous_bundle_is_parked_and_keeps_no_other_from_being_asked() {
    let mut world = World::account("2026-03-01", "0", bundles(30, 4));
    world.run_to("2026-03-11");
    let open = plugin_breakers::list(world.engine.db()).unwrap();
    assert_eq!(open, [], "four in a row are not eight");
    assert_eq!(parked_count(&world), 4);
    let graces = world.recorded.iter().filter(|one| matches!(one.event.what, EventKind::StageChanged { .. }));
    assert_eq!(graces.count(), 26, "each of the others expired in time");
}

#[test]
fn what_opens_a_breaker_keeps_nothing_else_from_being_asked_for_long() {
    for batch in [1, 7, 1_000] {
        // More than open the breaker, and all of them before those that the plugin answers about.
        let mut world = World::account("2026-03-01", "0", bundles(14, 11));
        world.engine = world.engine.with_batch_size(batch);
        world.run_to("2026-03-12");
        let graces =
            world.recorded.iter().filter(|one| matches!(one.event.what, EventKind::StageChanged { .. }));
        assert_eq!(graces.count(), 3, "in batches of {batch}");
        assert_eq!(parked_count(&world), 11, "each can be found and released, in batches of {batch}");
        assert_eq!(plugin_breakers::list(world.engine.db()).unwrap(), []);
    }
}

#[test]
fn a_revision_that_fails_over_one_bundle_after_another_is_not_asked() {
    let mut world = World::account("2026-03-01", "0", bundles(40, 0));
    world.run_to("2026-03-02");
    world.down(true);
    world.run_to("2026-03-10T01:00:00");
    let failed = world.recorded.iter().filter(|one| matches!(one.event.what, EventKind::PluginFailed { .. }));
    assert_eq!(failed.count(), 8 + 5, "eight bundles open it, and one is asked about each time it ends");
    assert_eq!(parked_count(&world), 0, "no bundle is the reason");
    let (digest, breaker) = plugin_breakers::list(world.engine.db()).unwrap().remove(0);
    assert_eq!((digest.as_str(), breaker.failures, breaker.openings), ("0123", 8, 6));
    world.down(false);
    world.run_to("2026-03-10T03:00:00");
    expect![[r#"
        2026-03-10T00:00:00Z -/- breaker_opened next_try_at=2026-03-10T00:01:00Z
        2026-03-10T00:01:00Z -/- breaker_opened next_try_at=2026-03-10T00:03:00Z
        2026-03-10T00:03:00Z -/- breaker_opened next_try_at=2026-03-10T00:07:00Z
        2026-03-10T00:07:00Z -/- breaker_opened next_try_at=2026-03-10T00:15:00Z
        2026-03-10T00:15:00Z -/- breaker_opened next_try_at=2026-03-10T00:31:00Z
        2026-03-10T00:31:00Z -/- breaker_opened next_try_at=2026-03-10T01:03:00Z
        2026-03-10T01:03:00Z -/- breaker_closed
    "#]]
    .assert_eq(&told(&mut world));
    assert_eq!(plugin_breakers::list(world.engine.db()).unwrap(), []);
    assert!((0..40).all(|number| world.resource(&format!("vm-{number:02}")).stage.name() == "grace"));
}

#[test]
fn commands_open_no_breaker_and_are_asked_while_it_is_open() {
    let mut world = World::account("2026-03-01", "1000", bundles(20, 0));
    world.run_to("2026-03-02");
    world.down(true);
    let command = |world: &mut World, number: usize, now: &str| {
        world.engine.command(at(now), None, &format!("vm-{number:02}"), &renew())
    };
    let failed = (0..20).filter(|number| command(&mut world, *number, "2026-03-03").is_err()).count();
    assert_eq!((failed, plugin_breakers::list(world.engine.db()).unwrap()), (20, Vec::new()));
    world.run_to("2026-03-10T00:00:30");
    assert_eq!(plugin_breakers::list(world.engine.db()).unwrap().len(), 1, "the clock opens it");
    world.down(false);
    assert!(command(&mut world, 3, "2026-03-10T00:00:40").unwrap().refusal.is_none(), "a person may try");
}

#[test]
fn batches_of_any_size_come_to_the_same_while_a_plugin_fails() {
    let lines = |size| {
        let mut world = World::account("2026-03-01", "0", bundles(30, 3));
        world.engine = world.engine.with_batch_size(size);
        world.run_to("2026-03-09T23:59:59");
        world.down(true);
        world.run_to("2026-03-10T00:30:00");
        world.down(false);
        world.run_to("2026-03-20");
        // Which bundle is asked about when a breaker ends may depend on those that it is chosen among.
        let anonymous = |line: &str| match line.split_once(" plugin_failed ") {
            Some((at, rest)) => format!("{} plugin_failed {rest}", &at[..20]),
            None => line.to_owned(),
        };
        let mut lines = world.event_lines().lines().map(anonymous).collect::<Vec<_>>();
        lines.sort();
        lines
    };
    let one = lines(1);
    assert!(one.iter().any(|line| line.contains("breaker_opened")), "{one:#?}");
    assert_eq!(one, lines(1000));
    assert_eq!(one, lines(7));
}

#[test]
fn a_parked_bundle_is_asked_again_when_somebody_releases_it() {
    let mut world = World::account("2026-03-01", "0", bundles(1, 0));
    world.run_to("2026-03-02");
    world.down(true);
    world.run_to("2026-03-11");
    assert_eq!(parked_count(&world), 1);
    world.down(false);
    let now = at("2026-03-11T00:00:01");
    let release = |engine: &mut perennial_engine::EngineTx<'_>| {
        engine.release_parked(now, ParkedSelection::default(), "ops")
    };
    let (released, _) = world.engine.in_transaction(release).unwrap();
    assert_eq!(released[0].resource_id, "vm-00");
    assert_eq!(parked_count(&world), 0);
    world.event_lines();
    world.run_to("2026-03-11T00:00:01");
    expect![[r#"
        2026-03-10T00:00:00Z a/vm-00 stage_changed to=grace
    "#]]
    .assert_eq(&world.event_lines());
}

#[test]
fn a_released_revision_is_asked_about_all_that_waits_for_it() {
    let mut world = World::account("2026-03-01", "0", bundles(20, 0));
    world.run_to("2026-03-02");
    world.down(true);
    world.run_to("2026-03-10T01:00:00");
    world.down(false);
    let now = at("2026-03-10T01:00:01");
    let release = |engine: &mut perennial_engine::EngineTx<'_>| engine.release_breaker(now, "0123", "ops");
    let events = world.engine.in_transaction(release).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(world.engine.in_transaction(release).unwrap(), [], "it is closed already");
    world.run_to("2026-03-10T01:00:01");
    assert!((0..20).all(|number| world.resource(&format!("vm-{number:02}")).stage.name() == "grace"));
}

#[test]
fn another_revision_is_asked_at_once_about_what_is_parked() {
    let mut world = World::durable("2026-03-01", &[("a", "0", bundles(1, 0))]);
    world.run_to("2026-03-09");
    world.down(true);
    world.run_to("2026-03-12");
    assert_eq!(parked_count(&world), 1);
    world.replace_rules(Some(0));
    world.event_lines();
    world.run_to("2026-03-12T00:00:01");
    assert_eq!(parked_count(&world), 0);
    assert!(told(&mut world).contains("bundle_unparked"));
}

#[test]
fn the_thresholds_of_failures_are_settings() {
    let limits = FailureLimits {
        retry: BackOff { first_seconds: 5, most_seconds: 20 },
        park_failures: 2,
        breaker_bundles: 3,
        breaker: BackOff { first_seconds: 7, most_seconds: 14 },
    };
    let play = |count| {
        let mut world = World::account("2026-03-01", "0", bundles(count, 0));
        world.engine = world.engine.with_failure_limits(limits);
        world.run_to("2026-03-02");
        world.down(true);
        world.run_to("2026-03-10T00:01:00");
        let lines = world.event_lines();
        let failures =
            lines.lines().filter(|line| line.contains("plugin_failed") || line.contains("breaker"));
        failures.map(|line| line[11..].to_owned() + "\n").collect::<String>()
    };
    expect![[r#"
        00:00:00Z a/vm-00 plugin_failed next_try_at=2026-03-10T00:00:05Z
        00:00:05Z a/vm-00 plugin_failed next_try_at=2026-03-10T00:00:15Z
        00:00:15Z a/vm-00 plugin_failed next_try_at=2026-03-10T00:00:35Z
        00:00:35Z a/vm-00 plugin_failed next_try_at=2026-03-10T00:00:55Z
        00:00:55Z a/vm-00 plugin_failed next_try_at=2026-03-10T00:01:15Z
    "#]]
    .assert_eq(&play(1));
    expect![[r#"
        00:00:00Z -/- breaker_opened next_try_at=2026-03-10T00:00:07Z
        00:00:00Z a/vm-00 plugin_failed next_try_at=2026-03-10T00:00:05Z
        00:00:00Z a/vm-01 plugin_failed next_try_at=2026-03-10T00:00:05Z
        00:00:00Z a/vm-02 plugin_failed next_try_at=2026-03-10T00:00:05Z
        00:00:07Z -/- breaker_opened next_try_at=2026-03-10T00:00:21Z
        00:00:07Z a/vm-03 plugin_failed next_try_at=2026-03-10T00:00:21Z
        00:00:22Z -/- breaker_opened next_try_at=2026-03-10T00:00:36Z
        00:00:22Z a/vm-00 plugin_failed next_try_at=2026-03-10T00:00:36Z
        00:00:37Z -/- breaker_opened next_try_at=2026-03-10T00:00:51Z
        00:00:37Z a/vm-01 plugin_failed next_try_at=2026-03-10T00:00:51Z
        00:00:52Z -/- breaker_opened next_try_at=2026-03-10T00:01:06Z
        00:00:52Z a/vm-02 plugin_failed next_try_at=2026-03-10T00:01:06Z
    "#]]
    .assert_eq(&play(4));
}

#[test]
fn a_renewal_of_the_others_is_paid_once_while_a_breaker_is_open() {
    let vms = (0..12).map(|number| vec![renewing(&format!("vm-{number:02}"), "2026-03-10")]).collect();
    let mut world = World::account("2026-03-01", "1000", vms);
    world.run_to("2026-03-07");
    world.down(true);
    world.run_to("2026-03-08T05:00:00");
    world.down(false);
    world.run_to("2026-03-09T12:00:00");
    let settled =
        world.recorded.iter().filter(|one| matches!(one.event.what, EventKind::RenewalSettled { .. }));
    assert_eq!(settled.count(), 12);
    assert_eq!(world.balance("a").to_string(), "640.00");
}

#[test]
fn a_released_revision_that_still_fails_over_everything_is_let_be() {
    let mut world = World::account("2026-03-01", "0", bundles(12, 0));
    world.run_to("2026-03-02");
    world.down(true);
    // Long enough for each bundle to be asked about for the revision.
    world.run_to("2026-03-12");
    assert_eq!(parked_count(&world), 0);
    let now = at("2026-03-12T00:00:01");
    world.engine.in_transaction(|engine| engine.release_breaker(now, "0123", "ops")).unwrap();
    assert_eq!(plugin_breakers::list(world.engine.db()).unwrap(), []);
    world.run_to("2026-03-12T00:00:02");
    let breakers = plugin_breakers::list(world.engine.db()).unwrap();
    assert_eq!((breakers.len(), breakers[0].1.openings), (1, 1), "{breakers:?}");
    assert_eq!(parked_count(&world), 0, "no bundle is the reason");
}
