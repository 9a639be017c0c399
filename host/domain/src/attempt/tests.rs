//! The whole table of an attempt: every state by every signal.

use expect_test::expect;

use crate::attempt::AttemptId;
use crate::attempt::DeclineClass;
use crate::attempt::Key;
use crate::attempt::Signal;
use crate::attempt::State;
use crate::sample::at;
use crate::sample::months;

const SIGNALS: [Signal; 11] = [
    Signal::RequestApproval,
    Signal::Approve,
    Signal::Reserve,
    Signal::Call,
    Signal::Accept,
    Signal::Confirm,
    Signal::Decline(DeclineClass::Money),
    Signal::MarkInDoubt,
    Signal::ConfirmNotApplied,
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
fn every_state_by_every_signal() {
    let heading = SIGNALS.iter().map(|signal| format!("{signal:?}"));
    let mut rows = vec![[String::new()].into_iter().chain(heading).collect::<Vec<_>>()];
    rows.extend(State::ALL.map(|state| {
        let next = SIGNALS.iter().map(|signal| state.after(*signal).map_or("-".to_owned(), word));
        [word(state)].into_iter().chain(next).collect()
    }));
    expect![[r#"
                           RequestApproval   Approve Reserve  Call    Accept    Confirm Decline(Money) MarkInDoubt ConfirmNotApplied Retry   Void
        planned            awaiting_approval -       reserved -       -         -       declined:money -           -                 -       void
        awaiting_approval  -                 planned -        -       -         -       -              -           -                 -       void
        reserved           -                 -       -        calling -         -       -              -           -                 -       void
        calling            -                 -       -        -       submitted -       declined:money in_doubt    -                 -       -
        submitted          -                 -       -        -       -         settled declined:money in_doubt    -                 -       -
        settled            -                 -       -        -       -         -       -              -           -                 -       void
        declined:money     -                 -       -        -       -         -       -              -           -                 planned void
        declined:rule      -                 -       -        -       -         -       -              -           -                 planned void
        declined:throttled -                 -       -        -       -         -       -              -           -                 planned void
        declined:provider  -                 -       -        -       -         -       -              -           -                 planned void
        in_doubt           -                 -       -        -       -         settled -              -           declined:provider -       -
        void               -                 -       -        -       -         -       -              -           -                 -       void
    "#]].assert_eq(&table(&rows));
}

/// The rows as lines, with columns as wide as their widest cell.
fn table(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap();
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(column, cell)| format!("{cell:<0$} ", width(column)));
        cells.collect::<String>().trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

#[test]
fn a_decline_keeps_its_class() {
    for class in DeclineClass::ALL {
        assert_eq!(State::Calling.after(Signal::Decline(class)), Ok(State::Declined(class)));
    }
}

#[test]
fn a_signal_that_cannot_come_says_so() {
    let error = State::InDoubt.after(Signal::Call).unwrap_err();
    assert_eq!(error.to_string(), "an attempt that is InDoubt cannot take Call");
    assert_eq!((error.state, error.signal), (State::InDoubt, Signal::Call));
}

#[test]
fn nothing_in_doubt_is_called_again_before_a_proof() {
    // The only way back to `calling` leads through a proof that nothing was applied, and another plan.
    let states = SIGNALS.into_iter().filter_map(|signal| State::InDoubt.after(signal).ok());
    assert!(states.into_iter().all(|state| state.after(Signal::Call).is_err()));
}

#[test]
fn an_attempt_of_the_host_itself_ends_settled() {
    assert_eq!(State::settled_here(), State::Settled);
}

#[test]
fn the_id_of_an_attempt_names_what_it_pays_for() {
    let key = Key { resource: "ecs-1".to_owned(), expires_before: at("2026-02-28T15:59:59") };
    let id = AttemptId { key, term: months(12) };
    assert_eq!(id.to_string(), "ecs-1/2026-02-28T15:59:59Z/12month");
}
