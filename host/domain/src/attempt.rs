//! Attempts: one renewal that happens at most once, whatever crashes, times out or is retried.
//!
//! Knows the states of an attempt and the signals that move it between them. Does not know who carries it out. On a
//! managed account the host does, and the attempt goes from planned to settled in one transaction. On a connected
//! account the provider's API does, and the attempt waits in reserved, calling, submitted and, when no reply proves the
//! result, in doubt. The test of this module prints every state by every signal.

use std::fmt;

use crate::term::Term;
use crate::timestamp::Timestamp;

/// What is renewed at most once: a resource from one expiry on, whatever the term.
///
/// While an attempt with this key is under way, in doubt or settled, no other is made, of another term neither. The
/// resource's id is unique in a database, so it stands for the account as well.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The id of the resource that the renewal names.
    pub resource: String,
    /// Its expiry before the renewal.
    pub expires_before: Timestamp,
}

/// Identifies an attempt: what it renews, and the term that it pays for. Its order has the same id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttemptId {
    /// The renewal, of which one attempt succeeds at most.
    pub key: Key,
    /// The term that the attempt pays for.
    pub term: Term,
}

impl fmt::Display for AttemptId {
    /// The id as events have it, such as `ecs-1/2026-02-28T15:59:59Z/1month`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AttemptId { key, term } = self;
        write!(f, "{}/{}/{}{}", key.resource, key.expires_before, term.count, term.unit.name())
    }
}

/// Why a provider did not renew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeclineClass {
    /// The balance does not suffice.
    Money,
    /// A rule of the provider forbids it.
    Rule,
    /// The provider received too many requests.
    Throttled,
    /// The provider cannot renew at present.
    Provider,
}

impl DeclineClass {
    /// Every class, for parsing and for lists of choices.
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

crate::field::word_field!(DeclineClass);

/// The state of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Its plan is known.
    Planned,
    /// Its plan waits for an approval.
    AwaitingApproval,
    /// Its money is held.
    Reserved,
    /// The call is stored, and the host may have sent it.
    Calling,
    /// The provider accepted the call.
    Submitted,
    /// The new expiry was read back, and the money is spent.
    Settled,
    /// The renewal was not applied; it may be tried again.
    Declined(DeclineClass),
    /// No reply proves whether the renewal was applied. The host queries the provider and never calls again.
    InDoubt,
    /// It was given up, rejected or refunded. Final; its key is free again.
    Void,
}

/// An input that moves an attempt to another state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// The plan needs an approval.
    RequestApproval,
    /// The plan was approved.
    Approve,
    /// The balance covers the cost, which is now held.
    Reserve,
    /// The host is about to send the call.
    Call,
    /// The provider accepted the call.
    Accept,
    /// The new expiry was read back.
    Confirm,
    /// The provider declined, or the balance does not cover the cost.
    Decline(DeclineClass),
    /// The reply proves neither success nor failure.
    MarkInDoubt,
    /// A query proved that the renewal was not applied.
    ConfirmNotApplied,
    /// The next try is due.
    Retry,
    /// It is given up, rejected or refunded.
    Void,
}

/// A signal that cannot come in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an attempt that is {state:?} cannot take {signal:?}")]
pub struct IllegalSignal {
    /// The state, which does not change.
    pub state: State,
    /// The refused signal.
    pub signal: Signal,
}

impl State {
    /// Every state, for parsing and for lists of choices.
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

    /// The state after `signal`.
    ///
    /// A call whose outcome is not known is never made again: only a proof leads out of [`State::InDoubt`].
    ///
    /// # Errors
    ///
    /// [`IllegalSignal`] when the state does not accept `signal`.
    pub fn after(self, signal: Signal) -> Result<State, IllegalSignal> {
        match (self, signal) {
            (State::Planned, Signal::RequestApproval) => Ok(State::AwaitingApproval),
            (State::AwaitingApproval, Signal::Approve) | (State::Declined(_), Signal::Retry) => {
                Ok(State::Planned)
            }
            (State::Planned, Signal::Reserve) => Ok(State::Reserved),
            (State::Reserved, Signal::Call) => Ok(State::Calling),
            (State::Calling, Signal::Accept) => Ok(State::Submitted),
            (State::Submitted | State::InDoubt, Signal::Confirm) => Ok(State::Settled),
            (State::Planned | State::Calling | State::Submitted, Signal::Decline(class)) => {
                Ok(State::Declined(class))
            }
            (State::Calling | State::Submitted, Signal::MarkInDoubt) => Ok(State::InDoubt),
            (State::InDoubt, Signal::ConfirmNotApplied) => Ok(State::Declined(DeclineClass::Provider)),
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

    /// Whether another attempt with the same key may be made: this one was declined, or awaits an approval.
    pub const fn is_open_to_retry(self) -> bool {
        matches!(self, State::Declined(_) | State::AwaitingApproval)
    }

    /// Whether a provider was, or is about to be, asked for it, and nothing proves yet what came of that.
    pub const fn is_under_way(self) -> bool {
        matches!(self, State::Reserved | State::Calling | State::Submitted | State::InDoubt)
    }

    /// The state of an attempt whose plan waits for an approval.
    pub fn awaiting_approval() -> State {
        State::Planned
            .after(Signal::RequestApproval)
            .expect("a planned attempt accepts a request for approval")
    }

    /// The last state of an attempt that the host carries out itself: it is reserved, called, accepted and confirmed in
    /// one transaction.
    pub(crate) fn settled_here() -> State {
        [Signal::Reserve, Signal::Call, Signal::Accept, Signal::Confirm]
            .into_iter()
            .try_fold(State::Planned, State::after)
            .expect("each of these follows the one before it")
    }
}

/// One try at a renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What it renews, and for which term.
    pub id: AttemptId,
    /// The state that it entered last.
    pub state: State,
    /// The instant at which it entered this state.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests;
