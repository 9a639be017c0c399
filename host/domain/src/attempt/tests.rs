//! The whole table of an attempt: every state meeting every signal.

use expect_test::expect;

use crate::attempt::DeclineClass;
use crate::attempt::Key;
use crate::attempt::Signal;
use crate::attempt::State;
use crate::sample::at;
use crate::sample::months;

const SIGNALS: [Signal; 11] = [
    Signal::AskApproval,
    Signal::Approve,
    Signal::Reserve,
    Signal::Call,
    Signal::Accept,
    Signal::Confirm,
    Signal::Decline(DeclineClass::Money),
    Signal::LoseSight,
    Signal::FindNotApplied,
    Signal::Retry,
    Signal::Void,
];

fn word(state: State) -> String {
    match state {
        State::Declined(class) => format!("declined:{}", class.name()),
        State::Planned
        | State::AwaitingApproval
        | State::Reserved
        | State::Calling
        | State::Submitted
        | State::Settled
        | State::InDoubt
        | State::Void => state.name().to_owned(),
    }
}

#[test]
fn every_state_meets_every_signal() {
    let mut table = String::new();
    for state in State::ALL {
        let moves = SIGNALS.into_iter().filter_map(|signal| Some((signal, state.after(signal).ok()?)));
        let moves =
            moves.map(|(signal, after)| format!(" {signal:?} -> {};", word(after))).collect::<String>();
        table.push_str(&format!("{}:{moves}\n", word(state)));
    }
    expect![[r#"
        planned: AskApproval -> awaiting_approval; Reserve -> reserved; Decline(Money) -> declined:money; Void -> void;
        awaiting_approval: Approve -> planned; Void -> void;
        reserved: Call -> calling; Void -> void;
        calling: Accept -> submitted; Decline(Money) -> declined:money; LoseSight -> in_doubt;
        submitted: Confirm -> settled; Decline(Money) -> declined:money; LoseSight -> in_doubt;
        settled: Void -> void;
        declined:money: Retry -> planned; Void -> void;
        declined:rule: Retry -> planned; Void -> void;
        declined:throttled: Retry -> planned; Void -> void;
        declined:provider: Retry -> planned; Void -> void;
        in_doubt: Accept -> submitted; Confirm -> settled; FindNotApplied -> declined:provider;
        void: Void -> void;
    "#]].assert_eq(&table);
}

#[test]
fn a_signal_that_cannot_come_says_so() {
    let error = State::InDoubt.after(Signal::Call).unwrap_err();
    assert_eq!(error.to_string(), "an attempt that is InDoubt cannot take Call");
    assert_eq!((error.state, error.signal), (State::InDoubt, Signal::Call));
}

#[test]
fn nothing_in_doubt_is_called_again_before_somebody_knows() {
    // The only way back to `calling` leads through an answer that nothing had happened, and another plan.
    let states = SIGNALS.into_iter().filter_map(|signal| State::InDoubt.after(signal).ok());
    assert!(states.into_iter().all(|state| state.after(Signal::Call).is_err()));
}

#[test]
fn what_the_host_carries_out_itself_ends_settled() {
    assert_eq!(State::settled_here(), State::Settled);
}

#[test]
fn an_attempt_is_called_by_what_it_pays_for() {
    let key =
        Key { resource: "ecs-1".to_owned(), expires_before: at("2026-02-28T15:59:59"), term: months(12) };
    assert_eq!(key.to_string(), "ecs-1/2026-02-28T15:59:59Z/12month");
}
