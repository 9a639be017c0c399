//! Attempts: one renewal that happens at most once, whatever crashes, times out or is retried.
//!
//! Knows the states an attempt can be in and how it moves between them. Does not know who carries it out: a managed
//! account goes from planned to settled in one transaction; a cloud's own API takes the long way.

use std::fmt;

use crate::term::Term;
use crate::timestamp::Timestamp;

/// What makes two attempts the same one: nothing is paid for twice under one key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The resource that the renewal names.
    pub resource: String,
    /// Its expiry before the renewal.
    pub expires_before: Timestamp,
    /// What is paid for.
    pub term: Term,
}

impl fmt::Display for Key {
    /// The attempt's id, such as `ecs-1/2026-02-28T15:59:59Z/1month`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}{}", self.resource, self.expires_before, self.term.count, self.term.unit.name())
    }
}

/// Why a provider did not renew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeclineClass {
    /// The balance does not suffice.
    Money,
    /// A rule of the provider says no.
    Rule,
    /// Too many requests.
    Throttled,
    /// The provider is not able to.
    Provider,
}

impl DeclineClass {
    /// Every class.
    pub const ALL: [DeclineClass; 4] =
        [DeclineClass::Money, DeclineClass::Rule, DeclineClass::Throttled, DeclineClass::Provider];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            DeclineClass::Money => "money",
            DeclineClass::Rule => "rule",
            DeclineClass::Throttled => "throttled",
            DeclineClass::Provider => "provider",
        }
    }
}

/// Where an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Its plan is known.
    Planned,
    /// Its plan waits for somebody's approval.
    AwaitingApproval,
    /// Its money is held.
    Reserved,
    /// The call is written down and may have been made.
    Calling,
    /// The provider took the call.
    Submitted,
    /// The new expiry is there, and the money is spent.
    Settled,
    /// It did not happen; it may be tried again.
    Declined(DeclineClass),
    /// Nobody knows whether it happened; it is only ever asked about.
    InDoubt,
    /// It was given up, rejected or refunded. Final; its key is free again.
    Void,
}

/// What moves an attempt on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// A person is to look at it first.
    AskApproval,
    /// A person agreed.
    Approve,
    /// The money suffices and is held.
    Reserve,
    /// The call is about to be made.
    Call,
    /// The provider took the call.
    Accept,
    /// The new expiry was read.
    Confirm,
    /// The provider, or the balance, says no.
    Decline(DeclineClass),
    /// The answer proves nothing.
    LoseSight,
    /// The provider was asked, and nothing had happened.
    FindNotApplied,
    /// Another try is due.
    Retry,
    /// It is given up, rejected or refunded.
    Void,
}

/// A signal that cannot come in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an attempt that is {state:?} cannot take {signal:?}")]
pub struct IllegalSignal {
    /// Where the attempt is; it stays there.
    pub state: State,
    /// What came.
    pub signal: Signal,
}

impl State {
    /// Every state.
    pub const ALL: [State; 12] = [
        State::Planned,
        State::AwaitingApproval,
        State::Reserved,
        State::Calling,
        State::Submitted,
        State::Settled,
        State::Declined(DeclineClass::Money),
        State::Declined(DeclineClass::Rule),
        State::Declined(DeclineClass::Throttled),
        State::Declined(DeclineClass::Provider),
        State::InDoubt,
        State::Void,
    ];

    /// The word for it in every format; a decline's class is a word of its own.
    pub const fn name(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::AwaitingApproval => "awaiting_approval",
            State::Reserved => "reserved",
            State::Calling => "calling",
            State::Submitted => "submitted",
            State::Settled => "settled",
            State::Declined(_) => "declined",
            State::InDoubt => "in_doubt",
            State::Void => "void",
        }
    }

    /// Where the attempt is after `signal`.
    ///
    /// A call whose outcome is not known is never made again: from [`State::InDoubt`] only an answer leads on.
    ///
    /// # Errors
    ///
    /// [`IllegalSignal`] when it cannot come now.
    pub fn after(self, signal: Signal) -> Result<State, IllegalSignal> {
        match (self, signal) {
            (State::Planned, Signal::AskApproval) => Ok(State::AwaitingApproval),
            (State::AwaitingApproval, Signal::Approve) | (State::Declined(_), Signal::Retry) => {
                Ok(State::Planned)
            }
            (State::Planned, Signal::Reserve) => Ok(State::Reserved),
            (State::Reserved, Signal::Call) => Ok(State::Calling),
            (State::Calling | State::InDoubt, Signal::Accept) => Ok(State::Submitted),
            (State::Submitted | State::InDoubt, Signal::Confirm) => Ok(State::Settled),
            (State::Planned | State::Calling | State::Submitted, Signal::Decline(class)) => {
                Ok(State::Declined(class))
            }
            (State::Calling | State::Submitted, Signal::LoseSight) => Ok(State::InDoubt),
            (State::InDoubt, Signal::FindNotApplied) => Ok(State::Declined(DeclineClass::Provider)),
            (
                State::Planned
                | State::AwaitingApproval
                | State::Reserved
                | State::Settled
                | State::Declined(_)
                | State::Void,
                Signal::Void,
            ) => Ok(State::Void),
            (state, signal) => Err(IllegalSignal { state, signal }),
        }
    }

    /// The state of an attempt whose plan waits for an approval.
    pub fn awaiting_approval() -> State {
        State::Planned.after(Signal::AskApproval).expect("what is planned can be asked about")
    }

    /// Where an attempt ends that the host carries out itself: planned, reserved, called, taken and confirmed at once.
    pub fn settled_here() -> State {
        [Signal::Reserve, Signal::Call, Signal::Accept, Signal::Confirm]
            .into_iter()
            .try_fold(State::Planned, State::after)
            .expect("each of these follows the one before it")
    }
}

/// One renewal, or one try at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What it is an attempt at.
    pub key: Key,
    /// Where it got to.
    pub state: State,
    /// When it got there.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests;
