//! Walks along timelines: on time, late, with tries that succeed, fail and are never answered.

use expect_test::Expect;
use expect_test::expect;
use proptest::prelude::*;

use crate::bundle::Bundle;
use crate::bundle::Charging;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::index::MemberIndex;
use crate::index::NoticeIndex;
use crate::sample::at;
use crate::sample::attached;
use crate::sample::bundle;
use crate::sample::package;
use crate::sample::resource;
use crate::sample::show;
use crate::timeline::Action;
use crate::timeline::Occurrence;
use crate::timeline_walk::LOOK_BACK;
use crate::timeline_walk::TimelineWalk;
use crate::timeline_walk::Yield;
use crate::timestamp::Timestamp;

fn on(text: &str, member: usize, action: Action) -> Occurrence {
    Occurrence { at: at(text), member: MemberIndex::new(member), action }
}

fn tries(text: &str, member: usize) -> Occurrence {
    on(text, member, Action::TryRenewal)
}

fn enters(text: &str, member: usize, stage: Stage) -> Occurrence {
    on(text, member, Action::Enter(stage))
}

fn start(members: impl IntoIterator<Item = Resource>) -> TimelineWalk {
    TimelineWalk::new(bundle(members), at("2026-03-01"))
}

fn notices() -> Vec<String> {
    vec!["expires-soon".to_owned()]
}

fn walk(timeline_walk: &mut TimelineWalk, timeline: &[Occurrence], until: &str) -> Yield {
    timeline_walk.walk(timeline, at(until), &notices())
}

fn idle(wake: &str) -> Yield {
    Yield::Idle { wake: Some(at(wake)) }
}

fn trying(member: usize, next_try_at: Option<&str>) -> Yield {
    Yield::Renewal { member: MemberIndex::new(member), next_try_at: next_try_at.map(at) }
}

fn check(timeline_walk: &TimelineWalk, expect: &Expect) {
    expect.assert_eq(&show(&timeline_walk.events));
}

/// A week of a resource that nobody renews.
fn lapse() -> Vec<Occurrence> {
    vec![
        on("2026-03-07", 0, Action::Notice(NoticeIndex::new(0))),
        enters("2026-03-10", 0, Stage::Grace),
        enters("2026-03-12", 0, Stage::Retention),
        on("2026-03-12", 0, Action::SetAttribute("status".to_owned(), "stopped".to_owned())),
        enters("2026-03-14", 0, Stage::Released),
    ]
}

#[test]
fn a_walk_on_time_does_one_thing_after_another() {
    let mut timeline_walk = start([resource("ecs")]);
    assert_eq!(walk(&mut timeline_walk, &lapse(), "2026-03-06"), idle("2026-03-07"));
    assert_eq!(timeline_walk.events, []);
    assert_eq!(walk(&mut timeline_walk, &lapse(), "2026-03-07"), idle("2026-03-10"));
    assert_eq!(walk(&mut timeline_walk, &lapse(), "2026-03-13"), idle("2026-03-14"));
    assert_eq!(walk(&mut timeline_walk, &lapse(), "2026-03-14"), Yield::Idle { wake: None });
    check(
        &timeline_walk,
        &expect![[r#"
        2026-03-07T00:00:00Z ecs      notice expires-soon
        2026-03-10T00:00:00Z ecs      active -> grace
        2026-03-12T00:00:00Z ecs      grace -> retention
        2026-03-12T00:00:00Z ecs      status = stopped
        2026-03-14T00:00:00Z ecs      retention -> released
    "#]],
    );
}

#[test]
fn a_late_walk_ends_as_one_on_time() {
    let mut late = start([resource("ecs")]);
    assert_eq!(walk(&mut late, &lapse(), "2027-01-01"), Yield::Idle { wake: None });
    let mut on_time = start([resource("ecs")]);
    for day in 1..=31 {
        walk(&mut on_time, &lapse(), &format!("2026-03-{day:02}"));
    }
    assert_eq!((late.events, late.bundle), (on_time.events, on_time.bundle));
}

#[test]
fn walking_the_same_way_again_does_nothing_again() {
    let mut timeline_walk = start([resource("ecs")]);
    walk(&mut timeline_walk, &lapse(), "2026-03-12");
    let (events, bundle) = (timeline_walk.events.clone(), timeline_walk.bundle.clone());
    assert_eq!(walk(&mut timeline_walk, &lapse(), "2026-03-12"), idle("2026-03-14"));
    assert_eq!((timeline_walk.events, timeline_walk.bundle), (events, bundle));
}

#[test]
fn what_happens_at_one_instant_happens_in_the_order_of_the_list() {
    let mut timeline_walk = start([resource("ecs"), attached("evs")]);
    let timeline = [
        enters("2026-03-10", 1, Stage::Grace),
        enters("2026-03-10", 0, Stage::Grace),
        on("2026-03-10", 1, Action::Notice(NoticeIndex::new(0))),
        on("2026-03-10", 1, Action::Notice(NoticeIndex::new(7))),
        enters("2026-03-10", 0, Stage::Grace),
        on("2026-03-10", 1, Action::Convert),
        // It is there already.
        enters("2026-03-11", 0, Stage::Grace),
    ];
    walk(&mut timeline_walk, &timeline, "2026-03-11");
    check(
        &timeline_walk,
        &expect![[r#"
        2026-03-10T00:00:00Z evs      active -> grace
        2026-03-10T00:00:00Z ecs      active -> grace
        2026-03-10T00:00:00Z evs      notice expires-soon
        2026-03-10T00:00:00Z evs      notice notice 7
        2026-03-10T00:00:00Z evs      grace -> converted
        2026-03-10T00:00:00Z evs      converted
    "#]],
    );
    let evs = &timeline_walk.bundle.members[1];
    assert_eq!(
        (evs.charging, evs.expires_at, evs.price, evs.is_live()),
        (Charging::Postpaid, None, None, false)
    );
}

#[test]
fn a_refill_gives_back_what_was_used_and_says_so_once() {
    let mut timeline_walk = start([package("pkg")]);
    let timeline = [on("2026-03-05", 0, Action::Refill), on("2026-03-06", 0, Action::Refill)];
    walk(&mut timeline_walk, &timeline, "2026-03-06");
    check(
        &timeline_walk,
        &expect![[r#"
        2026-03-05T00:00:00Z pkg      refilled to 100.00
    "#]],
    );
}

#[test]
fn a_try_is_made_before_the_demotion_that_it_may_prevent() {
    let mut timeline_walk = start([resource("ecs")]);
    let timeline = [tries("2026-03-09", 0), tries("2026-03-10", 0), enters("2026-03-10", 0, Stage::Grace)];
    assert_eq!(walk(&mut timeline_walk, &timeline, "2026-05-01"), trying(0, None));
    assert_eq!(timeline_walk.bundle.members[0].stage, Stage::Active);
    assert_eq!(timeline_walk.safe_cursor(), at("2026-03-09") - 1, "put aside now, it is tried again");
    assert_eq!(walk(&mut timeline_walk, &timeline, "2026-05-01"), trying(0, None), "nobody said how it went");
    timeline_walk.settle();
    assert_eq!(timeline_walk.safe_cursor(), at("2026-03-09"));
    // The timeline of the renewed resource, asked for from a second before.
    assert_eq!(timeline_walk.ask_after(), at("2026-03-09") - 1);
    let renewed = [tries("2026-03-09", 0), tries("2026-04-09", 0), enters("2026-04-10", 0, Stage::Grace)];
    assert_eq!(walk(&mut timeline_walk, &renewed, "2026-04-08"), idle("2026-04-09"));
    check(&timeline_walk, &expect![""]);
}

#[test]
fn tries_that_were_missed_collapse_into_one() {
    let mut timeline_walk = start([resource("ecs")]);
    let timeline = [
        tries("2026-03-07", 0),
        tries("2026-03-08", 0),
        tries("2026-03-09", 0),
        enters("2026-03-10", 0, Stage::Grace),
    ];
    assert_eq!(walk(&mut timeline_walk, &timeline, "2026-03-08T12:00:00"), trying(0, Some("2026-03-09")));
    timeline_walk.decline();
    assert_eq!(walk(&mut timeline_walk, &timeline, "2026-03-08T12:00:00"), idle("2026-03-09"));
    // Another walk, on another day, tries again.
    let mut next = TimelineWalk::new(timeline_walk.bundle, at("2026-03-08T12:00:00"));
    assert_eq!(walk(&mut next, &timeline, "2026-03-11"), trying(0, None));
    next.decline();
    assert_eq!(walk(&mut next, &timeline, "2026-03-11"), Yield::Idle { wake: None });
    assert_eq!(next.bundle.members[0].stage, Stage::Grace);
}

#[test]
fn each_member_has_tries_of_its_own() {
    let mut timeline_walk = start([resource("ecs"), attached("evs")]);
    let timeline = [
        tries("2026-03-07", 0),
        tries("2026-03-07", 1),
        tries("2026-03-08", 0),
        tries("2026-03-08", 1),
        enters("2026-03-10", 0, Stage::Grace),
    ];
    assert_eq!(walk(&mut timeline_walk, &timeline, "2026-03-09"), trying(0, None));
    timeline_walk.decline();
    assert_eq!(walk(&mut timeline_walk, &timeline, "2026-03-09"), trying(1, None));
    timeline_walk.settle();
    assert_eq!(timeline_walk.ask_after(), at("2026-03-07") - 1);
    let renewed = [&timeline[..3], &timeline[4..]].concat();
    assert_eq!(
        walk(&mut timeline_walk, &renewed, "2026-03-09"),
        idle("2026-03-10"),
        "its decline is not forgotten"
    );
}

#[test]
fn what_is_skipped_is_done_whatever_timelines_say() {
    let mut timeline_walk = start([resource("ecs")]);
    timeline_walk.skip_to(at("2026-03-10"));
    assert_eq!(timeline_walk.ask_after(), at("2026-03-10"));
    let behind = timeline_walk.ask_after();
    timeline_walk.skip_to(at("2026-03-05"));
    assert_eq!(timeline_walk.ask_after(), behind, "nothing leads back");
    walk(&mut timeline_walk, &lapse(), "2026-03-12");
    check(
        &timeline_walk,
        &expect![[r#"
        2026-03-10T00:00:00Z ecs      active -> grace
        2026-03-12T00:00:00Z ecs      grace -> retention
        2026-03-12T00:00:00Z ecs      status = stopped
    "#]],
    );
}

/// Timelines of two members, with tries.
#[test]
fn only_tries_of_the_minute_before_the_first_look_are_still_made() {
    let now = at("2026-03-07");
    for (age, is_made) in [(0, true), (1, true), (LOOK_BACK, true), (LOOK_BACK + 1, false)] {
        let mut timeline_walk = TimelineWalk::starting(bundle([resource("ecs")]), now);
        let before =
            |age: i64, action: Action| Occurrence { at: now - age, member: MemberIndex::PRIMARY, action };
        let timeline = [
            before(LOOK_BACK + 2, Action::Enter(Stage::Grace)),
            before(age, Action::TryRenewal),
            before(age, Action::Notice(NoticeIndex::new(0))),
        ];
        let timeline =
            timeline.into_iter().filter(|one| one.at > timeline_walk.ask_after()).collect::<Vec<_>>();
        let made = matches!(timeline_walk.walk(&timeline, now, &notices()), Yield::Renewal { .. });
        assert_eq!(made, is_made, "{age} seconds ago");
        timeline_walk.decline();
        timeline_walk.walk(&timeline, now, &notices());
        let events = if age == 0 { 1 } else { 0 };
        assert_eq!(timeline_walk.events.len(), events, "{age} seconds ago: {:?}", timeline_walk.events);
        assert_eq!(timeline_walk.bundle.primary().stage, Stage::Active);
    }
}

fn timelines() -> impl Strategy<Value = Vec<Occurrence>> {
    let action = prop_oneof![
        Just(Action::TryRenewal),
        Just(Action::Enter(Stage::Grace)),
        Just(Action::Enter(Stage::Retention)),
        Just(Action::Notice(NoticeIndex::new(0))),
        Just(Action::SetAttribute("status".to_owned(), "stopped".to_owned())),
    ];
    let occurrence = (1..30_i64, 0..2_usize, action).prop_map(|(day, member, action)| Occurrence {
        at: at("2026-03-01") + day * 86_400,
        member: MemberIndex::new(member),
        action,
    });
    prop::collection::vec(occurrence, 0..24).prop_map(|mut timeline| {
        timeline.sort_by_key(|occurrence| occurrence.at);
        timeline.dedup();
        timeline
    })
}

/// Walks to `until`, every try declined; returns how many were made.
fn walk_declining(timeline_walk: &mut TimelineWalk, timeline: &[Occurrence], until: Timestamp) -> usize {
    // Nobody is told of what is not after the instant asked about.
    let after = timeline_walk.ask_after();
    let timeline = timeline.iter().filter(|occurrence| occurrence.at > after).cloned().collect::<Vec<_>>();
    let mut made = 0;
    while let Yield::Renewal { .. } = timeline_walk.walk(&timeline, until, &notices()) {
        made += 1;
        timeline_walk.decline();
    }
    made
}

fn two() -> Bundle {
    bundle([resource("ecs"), attached("evs")])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_walk_or_many_lead_to_the_same_place(timeline in timelines(), mut stops in prop::collection::vec(0..40_i64, 0..6)) {
        let start = at("2026-03-01");
        let mut whole = TimelineWalk::new(two(), start);
        let made = walk_declining(&mut whole, &timeline, start + 40 * 86_400);
        prop_assert!(made <= 2, "missed tries collapse into one for each member");
        stops.sort_unstable();
        stops.push(40);
        let mut parts = TimelineWalk::new(two(), start);
        let mut events = Vec::new();
        for stop in stops {
            let until = start + stop * 86_400;
            walk_declining(&mut parts, &timeline, until);
            events.append(&mut parts.events);
            // Put aside and taken up again, as the store does.
            parts = TimelineWalk::new(parts.bundle, until);
        }
        prop_assert_eq!((whole.bundle, whole.events), (parts.bundle, events));
    }
}
