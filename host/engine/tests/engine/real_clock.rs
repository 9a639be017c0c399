//! Ticks of the clock: when it is late and when it is not.

use expect_test::expect;

use perennial_domain::timestamp::Timestamp;
use perennial_engine::clock::ClockWatch;
use perennial_engine::clock::LastActive;
use perennial_engine::clock::OUTAGE_AFTER;
use perennial_engine::clock::start_tick;
use perennial_engine::clock::tick;
use perennial_engine::persist::RecordedEvent;
use perennial_store::integrity;
use perennial_test_support::world::DAY;
use perennial_test_support::world::World;
use perennial_test_support::world::at;
use perennial_test_support::world::event_line;
use perennial_test_support::world::money;
use perennial_test_support::world::renew;
use perennial_test_support::world::renewing;

fn ticks(instants: &[Timestamp]) -> String {
    let mut world = World::account("2026-03-07", "30", vec![vec![renewing("vm", "2026-03-10")]]);
    let mut lines = String::new();
    for now in instants {
        let observe = &mut |recorded: &RecordedEvent| lines.push_str(&event_line(recorded));
        tick(&mut world.engine, *now, LastActive::default(), observe).unwrap();
    }
    lines
}

/// What the second of two ticks tells, an hour after the first, of a host that was busy until `awake`.
fn tick_after_an_hour(awake: LastActive) -> String {
    let mut world = World::account("2026-03-07", "30", vec![vec![renewing("vm", "2026-03-10")]]);
    let begun = at("2026-03-08") - 60;
    let mut lines = String::new();
    for (now, awake) in [(begun, LastActive::default()), (begun + 3600, awake)] {
        let observe = &mut |recorded: &RecordedEvent| lines.push_str(&event_line(recorded));
        tick(&mut world.engine, now, awake, observe).unwrap();
    }
    lines
}

#[test]
fn a_tick_that_takes_long_is_no_outage() {
    let ended = at("2026-03-08") - 60 + 3600;
    expect![[r#"
        2026-03-08T00:00:00Z a/vm balance_changed amount=-30.00
        2026-03-08T00:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
    "#]]
    .assert_eq(&tick_after_an_hour(LastActive::at(ended)));
    assert_eq!(
        tick_after_an_hour(LastActive::at(ended - OUTAGE_AFTER)),
        tick_after_an_hour(LastActive::at(ended))
    );
}

#[test]
fn a_host_that_is_frozen_after_a_tick_that_took_long_was_down() {
    let ended = at("2026-03-08") - 60 + 3600;
    expect![[r#"
        2026-03-08T00:59:00Z a/- host_resumed down_since=2026-03-07T23:59:00Z
        2026-03-08T00:59:00Z a/vm balance_changed amount=-30.00
        2026-03-08T00:59:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
    "#]]
    .assert_eq(&tick_after_an_hour(LastActive::at(ended - OUTAGE_AFTER - 1)));
}

#[test]
fn a_short_gap_is_no_outage_and_things_happen_at_their_own_instants() {
    let due = at("2026-03-08");
    expect![[r#"
        2026-03-08T00:00:00Z a/vm balance_changed amount=-30.00
        2026-03-08T00:00:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
    "#]]
    .assert_eq(&ticks(&[due - 1, due - 1 + OUTAGE_AFTER]));
}

#[test]
fn a_long_gap_is_an_outage_and_money_moves_now() {
    let due = at("2026-03-08");
    expect![[r#"
        2026-03-08T00:01:00Z a/- host_resumed down_since=2026-03-07T23:59:59Z
        2026-03-08T00:01:00Z a/vm balance_changed amount=-30.00
        2026-03-08T00:01:00Z a/vm renewal_settled expires_at=2026-04-09T00:00:00Z
    "#]]
    .assert_eq(&ticks(&[due - 1, due + OUTAGE_AFTER]));
}

#[test]
fn a_clock_that_is_set_back_waits_until_it_is_where_it_was() {
    let due = at("2026-03-08");
    assert_eq!(ticks(&[due - 1, due - 3600, due - 1]), "");
    assert_eq!(ticks(&[due - 1, due - 3600, due]), ticks(&[due - 1, due]));
}

#[test]
fn a_clock_that_falls_behind_and_is_put_right_is_noticed() {
    let mut world = World::account("2026-03-07", "30", vec![vec![renewing("vm", "2026-03-10")]]);
    let now = at("2026-03-07");
    tick(&mut world.engine, now, LastActive::default(), &mut |_| {}).unwrap();
    let mut watch = ClockWatch::start(world.engine.db(), now).unwrap();
    let mut behind = |now| watch.observe(world.engine.db(), now).unwrap();
    let seen = [now, now - OUTAGE_AFTER, now - OUTAGE_AFTER - 1, now - 3600, now + 1].map(&mut behind);
    assert_eq!(seen, [false, false, true, true, false]);
}

#[test]
fn what_a_host_did_after_it_was_frozen_does_not_hide_that_it_was_down() {
    let awake = LastActive::at(at("2026-03-08"));
    let woken = at("2026-03-08") + OUTAGE_AFTER;
    assert_eq!(awake.after_work(woken, woken + 3600), LastActive::at(woken + 3600));
    assert_eq!(awake.after_work(woken + 1, woken + 3600), awake);
}

#[test]
fn an_outage_is_told_once_however_often_catching_up_on_it_is_begun() {
    let mut world = World::account("2026-03-07", "30", vec![vec![renewing("vm", "2026-03-10")]]);
    let since = at("2026-03-07T12:00:00");
    let mut lines = String::new();
    let mut observe = |recorded: &RecordedEvent| lines.push_str(&event_line(recorded));
    tick(&mut world.engine, since, LastActive::default(), &mut observe).unwrap();
    let begun = at("2026-03-08");
    // The host ends after it said that it resumed: at once, a moment later, and an hour after that.
    for now in [begun, begun + OUTAGE_AFTER, begun + 3600] {
        let sink = &mut |events: Vec<RecordedEvent>, _| events.iter().for_each(&mut observe);
        let due = start_tick(&mut world.engine, now, LastActive::default(), sink).unwrap();
        assert!(due.unwrap().is_late());
    }
    expect![[r#"
        2026-03-08T00:00:00Z a/- host_resumed down_since=2026-03-07T12:00:00Z
        2026-03-08T01:00:00Z a/- host_resumed down_since=2026-03-08T00:00:00Z
    "#]]
    .assert_eq(&lines);
}

#[test]
fn sums_hold_when_the_clock_is_set_back_a_year_while_commands_come() {
    let bundles = vec![vec![renewing("vm", "2026-03-10")], vec![renewing("other", "2026-03-12")]];
    let mut world = World::account("2026-03-07", "300", bundles);
    let renew_at = |world: &mut World, now: Timestamp, resource: &str| {
        tick(&mut world.engine, now, LastActive::default(), &mut |_| {}).unwrap();
        let answer = world.engine.command(now, None, resource, &renew()).unwrap();
        assert_eq!(answer.refusal, None);
        assert_eq!(integrity::check(world.engine.db()).unwrap(), []);
    };
    renew_at(&mut world, at("2026-03-07T12:00:00"), "vm");
    for (second, resource) in ["vm", "other", "vm"].into_iter().enumerate() {
        renew_at(&mut world, at("2025-03-07T12:00:00") + i64::try_from(second).unwrap(), resource);
    }
    renew_at(&mut world, at("2026-03-20"), "other");
    // Five renewals of 30.00, each of a period of its own; the clock made none beside them.
    assert_eq!(world.balance("a"), money("150"));
    assert_eq!(world.resource("vm").expires_at, Some(at("2026-03-10") + 90 * DAY));
    assert_eq!(world.resource("other").expires_at, Some(at("2026-03-12") + 60 * DAY));
}
