//! What a signal does to the record of a renewal, beside its state.

use crate::attempt::DeclineClass;
use crate::connected::advance::advance;
use crate::connected::protocol::Reading;
use crate::connected::protocol::Signal;
use crate::connected::protocol::State;
use crate::connected::record::CallRecord;
use crate::connected::record::Extension;
use crate::connected::schedule::Schedule;
use crate::sample::at;
use crate::sample::money;
use crate::sample::months;

fn renewal() -> CallRecord {
    let extension = Extension {
        resource: "ecs-1".to_owned(),
        expires_before: at("2026-02-28T15:59:59"),
        expires_planned: at("2026-03-28T15:59:59"),
        cost: money("30"),
    };
    CallRecord::new(vec![extension], months(1), at("2026-02-28T15:59:59"), at("2026-02-21T19:00:00"))
}

fn take(renewal: &mut CallRecord, signals: &[Signal], when: &str) {
    for signal in signals {
        advance(renewal, *signal, at(when), &Schedule::DEFAULT).unwrap();
    }
}

const CALL: [Signal; 2] = [Signal::Reserve, Signal::Read(Reading::Before)];

#[test]
fn a_token_lives_through_doubt_and_ends_with_a_proof() {
    let mut renewal = renewal();
    take(&mut renewal, &CALL, "2026-02-21T19:00:00");
    let token = renewal.call_identity();
    assert_eq!(token.to_string(), "ecs-1/2026-02-28T15:59:59Z/0");
    take(&mut renewal, &[Signal::Restart, Signal::SayNotApplied, Signal::Retry], "2026-02-21T20:00:00");
    take(&mut renewal, &CALL, "2026-02-21T20:00:00");
    assert_eq!(renewal.call_identity(), token, "a person's word is no proof");
    take(&mut renewal, &[Signal::Decline(DeclineClass::Provider)], "2026-02-21T20:00:00");
    assert_eq!(renewal.call_identity().to_string(), "ecs-1/2026-02-28T15:59:59Z/1");
}

#[test]
fn a_signal_that_cannot_come_changes_nothing() {
    let mut renewal = renewal();
    take(&mut renewal, &CALL, "2026-02-21T19:00:00");
    take(&mut renewal, &[Signal::LoseResponse], "2026-02-21T19:00:00");
    let before = renewal.clone();
    let error = advance(&mut renewal, Signal::Retry, at("2026-02-22"), &Schedule::DEFAULT).unwrap_err();
    assert_eq!(error.to_string(), "a renewal that is InDoubt cannot take Retry");
    assert_eq!(renewal, before);
}

#[test]
fn doubt_is_queried_more_and_more_seldom_and_once_when_it_counts() {
    let mut renewal = renewal();
    take(&mut renewal, &CALL, "2026-02-21T19:00:00");
    take(&mut renewal, &[Signal::LoseResponse], "2026-02-21T19:00:00");
    let mut instants = Vec::new();
    while instants.len() < 10 {
        let now = renewal.act_at.unwrap();
        instants.push(now - at("2026-02-21T19:00:00"));
        advance(&mut renewal, Signal::Read(Reading::Before), now, &Schedule::DEFAULT).unwrap();
    }
    assert_eq!(instants, [5, 20, 80, 200, 500, 1_400, 3_600, 7_200, 10_800, 14_400]);
    assert!(!Schedule::DEFAULT.is_to_escalate(&renewal, at("2026-02-22T18:59:59")));
    assert!(Schedule::DEFAULT.is_to_escalate(&renewal, at("2026-02-22T19:00:00")));
}

#[test]
fn a_decline_is_tried_again_when_its_class_says() {
    let cases = [
        (DeclineClass::Money, 6 * 3_600..=8 * 3_600),
        (DeclineClass::Throttled, 30..=40),
        (DeclineClass::Provider, 600..=750),
    ];
    for (class, expected) in cases {
        let mut renewal = renewal();
        take(&mut renewal, &CALL, "2026-02-21T19:00:00");
        take(&mut renewal, &[Signal::Decline(class)], "2026-02-21T19:00:00");
        let delay = renewal.act_at.unwrap() - at("2026-02-21T19:00:00");
        assert!(expected.contains(&delay), "{class:?}: {delay}");
    }
    let mut renewal = renewal();
    take(&mut renewal, &CALL, "2026-02-21T19:00:00");
    take(&mut renewal, &[Signal::Decline(DeclineClass::Rule)], "2026-02-21T19:00:00");
    assert_eq!((renewal.state, renewal.act_at), (State::Declined(DeclineClass::Rule), None));
}

#[test]
fn the_last_try_is_a_second_before_the_deadline() {
    let mut renewal = renewal();
    take(&mut renewal, &CALL, "2026-02-28T15:50:00");
    take(&mut renewal, &[Signal::Decline(DeclineClass::Money)], "2026-02-28T15:50:00");
    assert_eq!(renewal.act_at, Some(at("2026-02-28T15:59:58")));
    take(&mut renewal, &[Signal::Retry], "2026-02-28T15:59:58");
    take(&mut renewal, &CALL, "2026-02-28T15:59:58");
    take(&mut renewal, &[Signal::Decline(DeclineClass::Money)], "2026-02-28T15:59:58");
    assert_eq!(renewal.act_at, None);
}
