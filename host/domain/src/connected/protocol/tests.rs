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

const SIGNALS: [Signal; 26] = [
    Signal::RequestApproval,
    Signal::Approve,
    Signal::FallShort,
    Signal::Reserve,
    Signal::Read(Reading::Before),
    Signal::Read(Reading::Untouched),
    Signal::Read(Reading::Planned),
    Signal::Read(Reading::Partial),
    Signal::Read(Reading::PartialForGood),
    Signal::Read(Reading::Elsewhere),
    Signal::Read(Reading::Gone),
    Signal::FindOrder(OrderReading::Unpaid),
    Signal::FindOrder(OrderReading::Paid),
    Signal::FindOrder(OrderReading::Cancelled),
    Signal::FailToConnect,
    Signal::Accept,
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

/// One point of a path: the state, the money, and whether a call may have been applied that nobody explained yet.
type Point = (State, Money, bool);

/// Takes a signal and does what it obliges the host to do. Fails where money would be held or given back twice.
fn take(point: Point, signal: Signal) -> Option<Point> {
    let (state, money, uncertain) = point;
    let (state, actions) = next(state, signal).ok()?;
    let mut at = (state, money, uncertain);
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
            assert!(!at.2, "{point:?} takes {signal:?} and calls again what may have been applied");
            at.2 = true;
        }
    }
    // Who settles or disproves a call explains it; so does a connection that was never made.
    let is_explained =
        actions.iter().any(|action| matches!(action, Action::Post | Action::PostPart | Action::Release));
    if is_explained || signal == Signal::FailToConnect {
        at.2 = false;
    }
    Some(at)
}

/// Every point that any sequence of signals leads to.
fn points() -> BTreeSet<Point> {
    let mut points = BTreeSet::from([(State::Planned, Money::Free, false)]);
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
    // `take` fails at a second `Send`; here: what is unexplained is known to be so.
    for (state, _, uncertain) in points() {
        assert!(!uncertain || state.is_uncertain(), "{state:?} forgot a call");
    }
}

#[test]
fn only_a_reading_of_the_old_expiry_leads_to_a_call() {
    for state in State::ALL {
        for signal in signals() {
            let Ok((after, actions)) = next(state, signal) else { continue };
            let is_call = actions.contains(&Action::Send) || (after == State::Calling && state != after);
            let may = state == State::Reserved
                && matches!(signal, Signal::Read(Reading::Before | Reading::Untouched));
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
            assert!(after.is_uncertain() || is_proof, "{signal:?} ended {state:?}");
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
