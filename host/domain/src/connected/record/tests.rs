//! Since when the token of a call counts, step by step and from its history.

use crate::attempt::DeclineClass;
use crate::connected::advance::advance;
use crate::connected::protocol::Reading;
use crate::connected::protocol::Signal;
use crate::connected::protocol::State;
use crate::connected::record::CallRecord;
use crate::connected::record::Extension;
use crate::connected::record::token_since;
use crate::connected::schedule::Schedule;
use crate::sample::at;
use crate::sample::money;
use crate::sample::months;
use crate::timestamp::Timestamp;

const SEND: [Signal; 2] = [Signal::Reserve, Signal::Read(Reading::Before)];

fn renewal() -> CallRecord {
    let extension = Extension {
        resource: "i-1".to_owned(),
        expires_before: at("2026-03-10"),
        expires_planned: at("2026-04-10"),
        cost: money("30"),
    };
    CallRecord::new(vec![extension], months(1), at("2026-03-10"), at("2026-03-03"))
}

/// Takes the signals, an hour after one another, and returns the instant that the token counts from, as hours. What the
/// states tell that were entered must be the same.
fn hours(signals: &[Signal]) -> Option<i64> {
    let mut record = renewal();
    let mut steps = Vec::<(State, Timestamp)>::new();
    for (hour, signal) in (0..).zip(signals) {
        let now = at("2026-03-03") + hour * 3_600;
        advance(&mut record, *signal, now, &Schedule::DEFAULT).unwrap();
        if steps.last().is_none_or(|(state, _)| *state != record.state) {
            steps.push((record.state, now));
        }
        assert_eq!(token_since(steps.iter().copied()), record.token_since, "after {signal:?} of {signals:?}");
    }
    record.token_since.map(|since| (since - at("2026-03-03")) / 3_600)
}

#[test]
fn a_token_counts_from_the_first_call_that_nothing_explains() {
    let [reserve, read] = SEND;
    let (lose, retry, unmoved) = (Signal::LoseResponse, Signal::Retry, Signal::Read(Reading::Unmoved));
    let again = [reserve, read, lose, unmoved, read];
    let (not_connected, throttled) = (Signal::FailToConnect, Signal::Decline(DeclineClass::Throttled));
    let after = |signal| hours(&[&again[..], &[signal]].concat());
    assert_eq!(hours(&SEND), Some(1));
    assert_eq!(hours(&again), Some(1));
    assert_eq!(hours(&[reserve, read, not_connected]), None, "nothing left");
    assert_eq!(after(not_connected), Some(1), "the first one did");
    assert_eq!(hours(&[reserve, read, throttled]), None, "nobody looked at the token");
    assert_eq!(after(throttled), Some(1), "somebody may have looked at that of the first one");
    assert_eq!(after(Signal::Accept), Some(1));
    let decline = Signal::Decline(DeclineClass::Provider);
    assert_eq!(after(decline), None, "the answer to the first one is that of both");
    assert_eq!(hours(&[reserve, read, decline, retry, reserve, read]), Some(5));
    assert_eq!(hours(&[reserve, read, lose, Signal::Read(Reading::Planned)]), None);
    assert_eq!(hours(&[reserve, read, lose, Signal::SayNotApplied, retry, reserve]), None, "a person's word");
}
