//! Walks along timelines: on time, late, with tries that succeed, fail and are never answered.

use expect_test::Expect;
use expect_test::expect;
use proptest::prelude::*;

use crate::bundle::Bundle;
use crate::bundle::Charging;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::course::Course;
use crate::course::Pause;
use crate::sample::at;
use crate::sample::attached;
use crate::sample::bundle;
use crate::sample::package;
use crate::sample::resource;
use crate::sample::show;
use crate::timeline::Happening;
use crate::timeline::Occurrence;
use crate::timestamp::Timestamp;

fn on(text: &str, member: usize, what: Happening) -> Occurrence {
    Occurrence { at: at(text), member, what }
}

fn tries(text: &str, member: usize) -> Occurrence {
    on(text, member, Happening::TryRenewal)
}

fn enters(text: &str, member: usize, stage: Stage) -> Occurrence {
    on(text, member, Happening::Enter(stage))
}

fn course(members: impl IntoIterator<Item = Resource>) -> Course {
    Course::new(bundle(members), at("2026-03-01"))
}

fn notices() -> Vec<String> {
    vec!["expires-soon".to_owned()]
}

fn walk(course: &mut Course, timeline: &[Occurrence], until: &str) -> Pause {
    course.walk(timeline, at(until), &notices())
}

fn asleep(wake: &str) -> Pause {
    Pause::Asleep { wake: Some(at(wake)) }
}

fn trying(member: usize, next_try_at: Option<&str>) -> Pause {
    Pause::Try { member, next_try_at: next_try_at.map(at) }
}

fn check(course: &Course, expect: &Expect) {
    expect.assert_eq(&show(&course.events));
}

/// A week of a resource that nobody renews.
fn lapse() -> Vec<Occurrence> {
    vec![
        on("2026-03-07", 0, Happening::Notice(0)),
        enters("2026-03-10", 0, Stage::Grace),
        enters("2026-03-12", 0, Stage::Retention),
        on("2026-03-12", 0, Happening::SetAttribute("status".to_owned(), "stopped".to_owned())),
        enters("2026-03-14", 0, Stage::Released),
    ]
}

#[test]
fn a_walk_on_time_does_one_thing_after_another() {
    let mut course = course([resource("ecs")]);
    assert_eq!(walk(&mut course, &lapse(), "2026-03-06"), asleep("2026-03-07"));
    assert_eq!(course.events, []);
    assert_eq!(walk(&mut course, &lapse(), "2026-03-07"), asleep("2026-03-10"));
    assert_eq!(walk(&mut course, &lapse(), "2026-03-13"), asleep("2026-03-14"));
    assert_eq!(walk(&mut course, &lapse(), "2026-03-14"), Pause::Asleep { wake: None });
    check(
        &course,
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
    let mut late = course([resource("ecs")]);
    assert_eq!(walk(&mut late, &lapse(), "2027-01-01"), Pause::Asleep { wake: None });
    let mut on_time = course([resource("ecs")]);
    for day in 1..=31 {
        walk(&mut on_time, &lapse(), &format!("2026-03-{day:02}"));
    }
    assert_eq!((late.events, late.bundle), (on_time.events, on_time.bundle));
}

#[test]
fn walking_the_same_way_again_does_nothing_again() {
    let mut course = course([resource("ecs")]);
    walk(&mut course, &lapse(), "2026-03-12");
    let (events, bundle) = (course.events.clone(), course.bundle.clone());
    assert_eq!(walk(&mut course, &lapse(), "2026-03-12"), asleep("2026-03-14"));
    assert_eq!((course.events, course.bundle), (events, bundle));
}

#[test]
fn what_happens_at_one_instant_happens_in_the_order_of_the_list() {
    let mut course = course([resource("ecs"), attached("evs")]);
    let timeline = [
        enters("2026-03-10", 1, Stage::Grace),
        enters("2026-03-10", 0, Stage::Grace),
        on("2026-03-10", 1, Happening::Notice(0)),
        on("2026-03-10", 1, Happening::Notice(7)),
        enters("2026-03-10", 0, Stage::Grace),
        on("2026-03-10", 1, Happening::Convert),
    ];
    walk(&mut course, &timeline, "2026-03-10");
    check(
        &course,
        &expect![[r#"
        2026-03-10T00:00:00Z evs      active -> grace
        2026-03-10T00:00:00Z ecs      active -> grace
        2026-03-10T00:00:00Z evs      notice expires-soon
        2026-03-10T00:00:00Z evs      notice notice 7
        2026-03-10T00:00:00Z evs      grace -> converted
        2026-03-10T00:00:00Z evs      converted
    "#]],
    );
    let evs = &course.bundle.members[1];
    assert_eq!(
        (evs.charging, evs.expires_at, evs.price, evs.is_live()),
        (Charging::Postpaid, None, None, false)
    );
}

#[test]
fn a_refill_gives_back_what_was_used_and_says_so_once() {
    let mut course = course([package("pkg")]);
    let timeline = [on("2026-03-05", 0, Happening::Refill), on("2026-03-06", 0, Happening::Refill)];
    walk(&mut course, &timeline, "2026-03-06");
    check(
        &course,
        &expect![[r#"
        2026-03-05T00:00:00Z pkg      refilled to 100.00
    "#]],
    );
}

#[test]
fn a_try_is_made_before_the_demotion_that_it_may_prevent() {
    let mut course = course([resource("ecs")]);
    let timeline = [tries("2026-03-09", 0), tries("2026-03-10", 0), enters("2026-03-10", 0, Stage::Grace)];
    assert_eq!(walk(&mut course, &timeline, "2026-05-01"), trying(0, None));
    assert_eq!(course.bundle.members[0].stage, Stage::Active);
    assert_eq!(course.safe_cursor(), at("2026-03-09") - 1, "put aside now, it is tried again");
    assert_eq!(walk(&mut course, &timeline, "2026-05-01"), trying(0, None), "nobody said how it went");
    course.settle();
    assert_eq!(course.safe_cursor(), at("2026-03-09"));
    // The timeline of the renewed resource, asked for from a second before.
    assert_eq!(course.ask_after(), at("2026-03-09") - 1);
    let renewed = [tries("2026-03-09", 0), tries("2026-04-09", 0), enters("2026-04-10", 0, Stage::Grace)];
    assert_eq!(walk(&mut course, &renewed, "2026-04-08"), asleep("2026-04-09"));
    check(&course, &expect![""]);
}

#[test]
fn tries_that_were_missed_collapse_into_one() {
    let mut course = course([resource("ecs")]);
    let timeline = [
        tries("2026-03-07", 0),
        tries("2026-03-08", 0),
        tries("2026-03-09", 0),
        enters("2026-03-10", 0, Stage::Grace),
    ];
    assert_eq!(walk(&mut course, &timeline, "2026-03-08T12:00:00"), trying(0, Some("2026-03-09")));
    course.decline();
    assert_eq!(walk(&mut course, &timeline, "2026-03-08T12:00:00"), asleep("2026-03-09"));
    // Another walk, on another day, tries again.
    let mut next = Course::new(course.bundle, at("2026-03-08T12:00:00"));
    assert_eq!(walk(&mut next, &timeline, "2026-03-11"), trying(0, None));
    next.decline();
    assert_eq!(walk(&mut next, &timeline, "2026-03-11"), Pause::Asleep { wake: None });
    assert_eq!(next.bundle.members[0].stage, Stage::Grace);
}

#[test]
fn each_member_has_tries_of_its_own() {
    let mut course = course([resource("ecs"), attached("evs")]);
    let timeline = [
        tries("2026-03-07", 0),
        tries("2026-03-07", 1),
        tries("2026-03-08", 0),
        tries("2026-03-08", 1),
        enters("2026-03-10", 0, Stage::Grace),
    ];
    assert_eq!(walk(&mut course, &timeline, "2026-03-09"), trying(0, None));
    course.decline();
    assert_eq!(walk(&mut course, &timeline, "2026-03-09"), trying(1, None));
    course.settle();
    assert_eq!(course.ask_after(), at("2026-03-07") - 1);
    let renewed = [&timeline[..3], &timeline[4..]].concat();
    assert_eq!(
        walk(&mut course, &renewed, "2026-03-09"),
        asleep("2026-03-10"),
        "its decline is not forgotten"
    );
}

#[test]
fn what_is_skipped_is_done_whatever_timelines_say() {
    let mut course = course([resource("ecs")]);
    course.skip_to(at("2026-03-10"));
    assert_eq!(course.ask_after(), at("2026-03-10"));
    let behind = course.ask_after();
    course.skip_to(at("2026-03-05"));
    assert_eq!(course.ask_after(), behind, "nothing leads back");
    walk(&mut course, &lapse(), "2026-03-12");
    check(
        &course,
        &expect![[r#"
        2026-03-10T00:00:00Z ecs      active -> grace
        2026-03-12T00:00:00Z ecs      grace -> retention
        2026-03-12T00:00:00Z ecs      status = stopped
    "#]],
    );
}

/// Timelines of two members, with tries.
fn timelines() -> impl Strategy<Value = Vec<Occurrence>> {
    let what = prop_oneof![
        Just(Happening::TryRenewal),
        Just(Happening::Enter(Stage::Grace)),
        Just(Happening::Enter(Stage::Retention)),
        Just(Happening::Notice(0)),
        Just(Happening::SetAttribute("status".to_owned(), "stopped".to_owned())),
    ];
    let occurrence = (1..30_i64, 0..2_usize, what).prop_map(|(day, member, what)| Occurrence {
        at: at("2026-03-01") + day * 86_400,
        member,
        what,
    });
    prop::collection::vec(occurrence, 0..24).prop_map(|mut timeline| {
        timeline.sort_by_key(|occurrence| occurrence.at);
        timeline.dedup();
        timeline
    })
}

/// Walks to `until`, every try declined; returns how many were made.
fn walk_declining(course: &mut Course, timeline: &[Occurrence], until: Timestamp) -> usize {
    // Nobody is told of what is not after the instant asked about.
    let after = course.ask_after();
    let timeline = timeline.iter().filter(|occurrence| occurrence.at > after).cloned().collect::<Vec<_>>();
    let mut made = 0;
    while let Pause::Try { .. } = course.walk(&timeline, until, &notices()) {
        made += 1;
        course.decline();
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
        let mut whole = Course::new(two(), start);
        let made = walk_declining(&mut whole, &timeline, start + 40 * 86_400);
        prop_assert!(made <= 2, "missed tries collapse into one for each member");
        stops.sort_unstable();
        stops.push(40);
        let mut parts = Course::new(two(), start);
        let mut events = Vec::new();
        for stop in stops {
            let until = start + stop * 86_400;
            walk_declining(&mut parts, &timeline, until);
            events.append(&mut parts.events);
            // Put aside and taken up again, as the store does.
            parts = Course::new(parts.bundle, until);
        }
        prop_assert_eq!((whole.bundle, whole.events), (parts.bundle, events));
    }
}
