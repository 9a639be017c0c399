//! The whole table of the protocol, and what holds on every path through it.

use std::collections::BTreeSet;
use std::fmt::Write;

use expect_test::expect_file;

use crate::attempt::DeclineClass;
use crate::connected::protocol::Action;
use crate::connected::protocol::OrderReading;
use crate::connected::protocol::Reading;
use crate::connected::protocol::Signal;
use crate::connected::protocol::State;
use crate::connected::protocol::next;

const SIGNALS: [Signal; 36] = [
    Signal::RequestApproval,
    Signal::Approve,
    Signal::FallShort,
    Signal::Reserve,
    Signal::Read(Reading::Before),
    Signal::Read(Reading::Untouched),
    Signal::Read(Reading::Unmoved),
    Signal::Read(Reading::Planned),
    Signal::Read(Reading::Partial),
    Signal::Read(Reading::PartialForGood),
    Signal::Read(Reading::Elsewhere),
    Signal::Read(Reading::Gone),
    Signal::Reread(Reading::Before),
    Signal::Reread(Reading::Untouched),
    Signal::Reread(Reading::Unmoved),
    Signal::Reread(Reading::Planned),
    Signal::Reread(Reading::Partial),
    Signal::Reread(Reading::PartialForGood),
    Signal::Reread(Reading::Elsewhere),
    Signal::Reread(Reading::Gone),
    Signal::FindOrder(OrderReading::Unpaid),
    Signal::FindOrder(OrderReading::Paid),
    Signal::FindOrder(OrderReading::Cancelled),
    Signal::FailToConnect,
    Signal::Accept,
    Signal::Complete,
    Signal::Decline(DeclineClass::Money),
    Signal::Decline(DeclineClass::Rule),
    Signal::Decline(DeclineClass::Throttled),
    Signal::Decline(DeclineClass::Provider),
    Signal::LoseResponse,
    Signal::Restart,
    Signal::Escalate,
    Signal::Cancel,
    Signal::SayApplied,
    Signal::SayNotApplied,
];

fn signals() -> impl Iterator<Item = Signal> {
    SIGNALS.into_iter().chain([Signal::Retry])
}

#[test]
fn every_state_by_every_signal() {
    let mut table = String::new();
    for state in State::ALL {
        writeln!(table, "{state:?}").unwrap();
        let mut refused = Vec::new();
        for signal in signals().chain([Signal::GiveBack]) {
            match next(state, signal) {
                Ok((next, actions)) => {
                    let actions = actions.iter().map(|action| format!("{action:?}")).collect::<Vec<_>>();
                    let line = format!(
                        "  {:<24} {:<20} {}",
                        format!("{signal:?}"),
                        format!("{next:?}"),
                        actions.join(", ")
                    );
                    writeln!(table, "{}", line.trim_end()).unwrap();
                }
                Err(_) => refused.push(format!("{signal:?}")),
            }
        }
        writeln!(table, "  refuses: {}\n", refused.join(", ")).unwrap();
    }
    expect_file!["table.txt"].assert_eq(&table);
}

/// Where the money of one renewal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Money {
    Free,
    Held,
    Spent,
}

/// What is known of the latest call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Latest {
    /// There was none, or what became of it is known.
    Explained,
    /// It may have been applied, and the cloud would say so if it came again with its token.
    UnderToken,
    /// It may have been applied.
    Unexplained,
    /// It may have been applied, and so may one before it that had the same token.
    Again,
}

impl Latest {
    /// What is known once a call has left.
    fn sent(self) -> Latest {
        if self == Latest::UnderToken { Latest::Again } else { Latest::Unexplained }
    }

    /// What is known once the call never left.
    fn not_sent(self) -> Latest {
        if self == Latest::Again { Latest::UnderToken } else { Latest::Explained }
    }

    fn is_unexplained(self) -> bool {
        matches!(self, Latest::Unexplained | Latest::Again)
    }
}

/// One point of a path: the state, the money, and the latest call.
type Point = (State, Money, Latest);

/// Whether a call gets this signal at this point: `advance` gives one that is made again others.
fn can_come((state, _, latest): Point, signal: Signal) -> bool {
    let is_again = latest == Latest::UnderToken;
    match (state, signal) {
        (State::Reserved, Signal::Reread(_) | Signal::Escalate) => is_again,
        (State::Reserved, Signal::Read(_) | Signal::FindOrder(_) | Signal::Cancel) => !is_again,
        (State::Calling, Signal::Decline(DeclineClass::Throttled)) => latest != Latest::Again,
        (_, _) => true,
    }
}

/// Takes a signal and does what it obliges the host to do. Fails where money would be held or given back twice.
fn take(point: Point, signal: Signal) -> Option<Point> {
    let (state, money, latest) = point;
    let (state, actions) = next(state, signal).ok().filter(|_| can_come(point, signal))?;
    let mut at = (state, money, latest);
    for action in actions {
        let expected = match action {
            Action::Hold => Some((Money::Free, Money::Held)),
            Action::Post | Action::PostPart => Some((Money::Held, Money::Spent)),
            Action::Release => Some((Money::Held, Money::Free)),
            Action::Send | Action::Query | Action::CountDecline | Action::Report(_) => None,
        };
        if let Some((before, after)) = expected {
            assert_eq!(at.1, before, "{point:?} takes {signal:?} and must {action:?}");
            at.1 = after;
        }
        if *action == Action::Send {
            let is_allowed = !at.2.is_unexplained();
            assert!(is_allowed, "{point:?} takes {signal:?} and calls again what may have been applied");
            at.2 = at.2.sent();
        }
        let moves_token = *action == Action::CountDecline && at.2 == Latest::UnderToken;
        assert!(!moves_token, "{point:?} takes {signal:?} and loses the token of what may have been applied");
    }
    // Who settles or disproves a call explains it; so does a connection that was never made.
    let is_explained =
        actions.iter().any(|action| matches!(action, Action::Post | Action::PostPart | Action::Release));
    at.2 = match signal {
        Signal::Read(Reading::Unmoved) if state == State::Reserved => Latest::UnderToken,
        Signal::FailToConnect => at.2.not_sent(),
        _ if is_explained => Latest::Explained,
        // What was to be called again is as unexplained as before.
        _ if at.2 == Latest::UnderToken && state != State::Reserved => Latest::Unexplained,
        _ => at.2,
    };
    Some(at)
}

/// Every point that any sequence of signals leads to.
fn points() -> BTreeSet<Point> {
    let mut points = BTreeSet::from([(State::Planned, Money::Free, Latest::Explained)]);
    loop {
        let reached = points.iter().flat_map(|point| signals().filter_map(|signal| take(*point, signal)));
        let mut more = points.clone();
        more.extend(reached.collect::<Vec<_>>());
        if more == points {
            return points;
        }
        points = more;
    }
}

#[test]
fn on_every_path_a_hold_is_posted_or_released_once() {
    let points = points();
    for state in State::ALL {
        assert!(points.iter().any(|point| point.0 == state), "no path leads to {state:?}");
    }
    for (state, money, _) in points {
        let expected = match state {
            State::Settled => Money::Spent,
            _ if state.has_hold() => Money::Held,
            _ => Money::Free,
        };
        assert_eq!(money, expected, "{state:?}");
    }
}

#[test]
fn on_every_path_no_call_leaves_while_another_is_unexplained() {
    // `take` fails at a second `Send` but for one with the same token; here: what is unexplained is known to be so.
    let points = points();
    for (state, _, latest) in &points {
        assert!(!latest.is_unexplained() || state.is_uncertain(), "{state:?} forgot a call");
    }
    let again = (State::Reserved, Money::Held, Latest::UnderToken);
    assert!(points.contains(&again), "what its token allows is tried again");
}

#[test]
fn only_a_reading_of_the_old_expiry_leads_to_a_call() {
    for state in State::ALL {
        for signal in signals() {
            let Ok((after, actions)) = next(state, signal) else { continue };
            let is_call = actions.contains(&Action::Send) || (after == State::Calling && state != after);
            let is_unmoved =
                |reading| matches!(reading, Reading::Before | Reading::Untouched | Reading::Unmoved);
            let may = matches!(signal, Signal::Read(reading) | Signal::Reread(reading) if is_unmoved(reading))
                && state == State::Reserved;
            assert_eq!(is_call, may, "{state:?} by {signal:?}");
        }
    }
}

#[test]
fn only_evidence_or_a_person_ends_doubt() {
    for state in [State::InDoubt, State::WithPerson] {
        for signal in signals() {
            let Ok((after, _)) = next(state, signal) else { continue };
            let is_proof = matches!(
                signal,
                Signal::Read(Reading::Planned | Reading::PartialForGood | Reading::Untouched)
                    | Signal::FindOrder(OrderReading::Cancelled)
                    | Signal::SayApplied
                    | Signal::SayNotApplied
            );
            // The hold stays, and so does the token: the same call does nothing twice.
            let is_again = signal == Signal::Read(Reading::Unmoved) && after == State::Reserved;
            assert!(after.is_uncertain() || is_proof || is_again, "{signal:?} ended {state:?}");
        }
    }
}

#[test]
fn a_restart_forgets_nothing_and_sends_nothing() {
    for state in State::ALL {
        let (after, actions) = next(state, Signal::Restart).unwrap();
        assert!(!actions.contains(&Action::Send), "{state:?}");
        assert_eq!(after.has_hold(), state.has_hold(), "{state:?}");
        assert_eq!(after, if state == State::Calling { State::InDoubt } else { state });
    }
}

#[test]
fn only_a_proof_gives_the_next_try_another_token() {
    for state in State::ALL {
        for signal in signals() {
            let Ok((after, actions)) = next(state, signal) else { continue };
            if actions.contains(&Action::CountDecline) {
                assert!(after.is_open_to_retry() && state.is_uncertain(), "{state:?} by {signal:?}");
                assert_ne!(signal, Signal::SayNotApplied);
                assert_ne!(signal, Signal::Read(Reading::Unmoved), "it allows the same call only");
            }
        }
    }
}

#[test]
fn only_what_was_settled_can_be_given_back() {
    for state in State::ALL {
        let given_back = next(state, Signal::GiveBack).ok();
        let expected = (state == State::Settled).then_some((State::Void, &[Action::CountDecline][..]));
        assert_eq!(given_back, expected, "{state:?}");
    }
}

#[test]
fn a_stored_state_is_read_as_it_was_written() {
    for state in State::ALL {
        assert_eq!(State::from_code(state.code()), Some(state));
    }
    assert_eq!(State::from_code(14), None);
}
