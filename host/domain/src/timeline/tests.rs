//! Every way in which a timeline makes no sense.

use expect_test::expect;

use crate::bundle::Bundle;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::index::MemberIndex;
use crate::index::NoticeIndex;
use crate::sample::at;
use crate::sample::attached;
use crate::sample::bundle;
use crate::sample::package;
use crate::sample::postpaid;
use crate::sample::resource;
use crate::timeline::Action;
use crate::timeline::OCCURRENCES_PER_MEMBER_MAX;
use crate::timeline::Occurrence;
use crate::timeline::TimelineError;
use crate::timeline::TimelineLimits;
use crate::timeline::check;

const LIMITS: TimelineLimits = TimelineLimits { notices: 2, wakes_per_hour_max: 60 };

fn answer(bundle: &Bundle, timeline: &[(&str, usize, Action)]) -> String {
    let occurrence = |(text, member, what): &(&str, usize, Action)| Occurrence {
        at: at(text),
        member: MemberIndex::new(*member),
        action: what.clone(),
    };
    let timeline = timeline.iter().map(occurrence).collect::<Vec<_>>();
    match check(bundle, at("2026-03-01"), &timeline, LIMITS) {
        Ok(()) => "fine\n".to_owned(),
        Err(error) => format!("{error}\n"),
    }
}

fn released(text: &str, member: usize) -> (&str, usize, Action) {
    (text, member, Action::Enter(Stage::Released))
}

#[test]
fn a_timeline_leads_each_live_member_to_its_end_in_order() {
    let one = bundle([resource("ecs")]);
    let dead = bundle([postpaid("ecs"), Resource { stage: Stage::Released, ..attached("evs") }]);
    let two = bundle([Resource { stage: Stage::Unsubscribed, ..resource("ecs") }, attached("evs")]);
    let full = bundle([package("pkg")]);
    let end = released("2026-04-01", 0);
    let first = |what| ("2026-03-10", 0, what);
    let answers = [
        answer(&one, std::slice::from_ref(&end)),
        answer(&one, &[("2026-03-10", 0, Action::Convert)]),
        answer(&dead, &[]),
        answer(&two, &[released("2026-04-01", 1)]),
        answer(&full, &[first(Action::Refill), end.clone()]),
        answer(&one, &[]),
        answer(&two, &[]),
        answer(&dead, &[released("2026-04-01", 1)]),
        answer(&one, &[end.clone(), released("2026-04-02", 0)]),
        answer(&one, &[released("2026-04-01", 1)]),
        answer(&one, &[released("2026-03-01", 0)]),
        answer(&one, &[first(Action::TryRenewal), released("2026-03-09", 0)]),
        answer(&one, &[first(Action::Enter(Stage::Active))]),
        answer(&one, &[first(Action::Enter(Stage::Unsubscribed))]),
        answer(&one, &[first(Action::Enter(Stage::Converted))]),
        answer(
            &one,
            &[
                first(Action::Notice(NoticeIndex::new(1))),
                first(Action::Notice(NoticeIndex::new(2))),
                end.clone(),
            ],
        ),
        answer(&one, &[first(Action::Refill), end.clone()]),
    ];
    expect![[r#"
        fine
        fine
        fine
        fine
        fine
        the timeline of `ecs` leaves `ecs` without a final stage, or goes on after it
        the timeline of `ecs` leaves `evs` without a final stage, or goes on after it
        the timeline of `ecs` leaves `evs` without a final stage, or goes on after it
        the timeline of `ecs` leaves `ecs` without a final stage, or goes on after it
        the timeline of `ecs` names member 1 of 1
        the timeline of `ecs` names 2026-03-01T00:00:00Z, which is not after 2026-03-01T00:00:00Z
        the timeline of `ecs` is out of order at 2026-03-09T00:00:00Z
        the timeline of `ecs` lets `ecs` enter `active`
        the timeline of `ecs` lets `ecs` enter `unsubscribed`
        the timeline of `ecs` lets `ecs` enter `converted`
        the timeline of `ecs` has an occurrence that does not fit `ecs`: notice 2 of 2
        the timeline of `ecs` has an occurrence that does not fit `ecs`: it is no package
    "#]]
    .assert_eq(&answers.concat());
}

#[test]
fn a_timeline_may_be_as_long_as_its_bundle_is_large() {
    let members = [resource("ecs"), attached("evs")];
    for count in [1, 2] {
        let bundle = bundle(members[..count].iter().cloned());
        let ends = (0..count).map(|member| released("2026-04-01", member)).collect::<Vec<_>>();
        let mut timeline = vec![
            ("2026-03-10", 0, Action::Notice(NoticeIndex::new(0)));
            OCCURRENCES_PER_MEMBER_MAX * count - count
        ];
        timeline.extend(ends);
        assert_eq!(answer(&bundle, &timeline), "fine\n");
        timeline.insert(0, ("2026-03-10", 0, Action::Notice(NoticeIndex::new(0))));
        let (found, accepted) = (128 * count + 1, 128 * count);
        let problem =
            format!("the timeline of `ecs` has {found} occurrences; at most {accepted} are accepted\n");
        assert_eq!(answer(&bundle, &timeline), problem);
    }
}

#[test]
fn a_timeline_sets_no_endless_attributes() {
    let one = bundle([resource("ecs")]);
    let set = |name: String, value: String| ("2026-03-10", 0, Action::SetAttribute(name, value));
    let crowded = bundle([Resource {
        attributes: (0..200).map(|number| (format!("b{number}"), String::new())).collect(),
        ..resource("ecs")
    }]);
    let end = || released("2026-04-01", 0);
    let many = || (0..57).map(|number| set(format!("a{number}"), String::new())).collect::<Vec<_>>();
    let report = [
        answer(&one, &[set("a".to_owned(), "v".repeat(4_096)), end()]),
        answer(&one, &[set("a".to_owned(), "v".repeat(4_097)), end()]),
        answer(&one, &[many(), vec![end()]].concat()),
        answer(&crowded, &[many(), vec![end()]].concat()),
    ];
    expect![[r#"
        fine
        the timeline of `ecs` has an occurrence that does not fit `ecs`: it sets an attribute to a value of 4097 bytes; at most 4096 are accepted
        fine
        the timeline of `ecs` has an occurrence that does not fit `ecs`: 257 attributes; at most 256 are accepted
    "#]].assert_eq(&report.concat());
}

#[test]
fn a_timeline_has_few_instants_within_an_hour() {
    let members = [resource("ecs"), attached("evs")];
    let start = at("2026-03-10");
    for (count, per_member) in [(1, 60), (2, 60), (1, 5)] {
        let bundle = bundle(members[..count].iter().cloned());
        let accepted = per_member * count;
        let most = i64::try_from(accepted).unwrap();
        let timeline = |seconds_apart: i64| {
            let instants = (0..=most).map(|number| Occurrence {
                at: start + number * seconds_apart,
                member: MemberIndex::PRIMARY,
                action: Action::Notice(NoticeIndex::new(0)),
            });
            let ends = (0..count).map(|member| Occurrence {
                at: at("2026-04-01"),
                member: MemberIndex::new(member),
                action: Action::Enter(Stage::Released),
            });
            let limits = TimelineLimits { wakes_per_hour_max: per_member, ..LIMITS };
            check(&bundle, at("2026-03-01"), &instants.chain(ends).collect::<Vec<_>>(), limits)
        };
        assert_eq!(timeline(3_600 / most), Ok(()), "an hour from the first to the last");
        assert_eq!(timeline(0), Ok(()), "one instant");
        let crowded = TimelineError::Crowded { primary: "ecs".to_owned(), at: start, accepted };
        assert_eq!(timeline(3_600 / most - 1), Err(crowded));
    }
}
