//! The states of a renewal on a cloud, their words and their codes.

use crate::attempt;
use crate::attempt::DeclineClass;

/// The state of a renewal on a cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Its plan is known, and nothing is held.
    Planned,
    /// Its plan waits for an approval.
    AwaitingApproval,
    /// The attempt, the hold and the call are stored. Nothing was sent, or the same call is made again with its token.
    Reserved,
    /// The call may have left; its response is not known yet.
    Calling,
    /// The cloud accepted the call; the new expiry was not read back yet.
    Submitted,
    /// The planned expiry was read back, or a person said so. The hold is spent.
    Settled,
    /// The cloud declined. Nothing was applied, and the hold is released.
    Declined(DeclineClass),
    /// No response proves what became of the call. The host only queries.
    InDoubt,
    /// Evidence, or a person, says that nothing was applied. The hold is released.
    NotApplied,
    /// The host cannot find out what happened, or something happened that it did not plan. The hold stays.
    WithPerson,
    /// It was given up before anything was sent, or after nothing was applied. Its key is free again.
    Void,
}

impl State {
    /// Every state, in the order of the protocol.
    pub const ALL: [State; 14] = [
        State::Planned,
        State::AwaitingApproval,
        State::Reserved,
        State::Calling,
        State::Submitted,
        State::InDoubt,
        State::WithPerson,
        State::Settled,
        State::Declined(DeclineClass::Money),
        State::Declined(DeclineClass::Rule),
        State::Declined(DeclineClass::Throttled),
        State::Declined(DeclineClass::Provider),
        State::NotApplied,
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
            State::InDoubt => "in_doubt",
            State::WithPerson => "with_person",
            State::Settled => "settled",
            State::Declined(_) => "declined",
            State::NotApplied => "not_applied",
            State::Void => "void",
        }
    }

    /// The number that stands for it in databases. A number is never given to anything else.
    pub const fn code(self) -> i64 {
        match self {
            State::Planned => 0,
            State::AwaitingApproval => 1,
            State::Reserved => 2,
            State::Calling => 3,
            State::Submitted => 4,
            State::InDoubt => 5,
            State::WithPerson => 6,
            State::Settled => 7,
            State::Declined(DeclineClass::Money) => 8,
            State::Declined(DeclineClass::Rule) => 9,
            State::Declined(DeclineClass::Throttled) => 10,
            State::Declined(DeclineClass::Provider) => 11,
            State::NotApplied => 12,
            State::Void => 13,
        }
    }

    /// What `code` stands for; `None` for a number that stands for nothing.
    pub fn from_code(code: i64) -> Option<State> {
        State::ALL.into_iter().find(|state| state.code() == code)
    }

    /// The state of the attempt that lists and events show.
    pub const fn of_attempt(self) -> attempt::State {
        match self {
            State::Planned => attempt::State::Planned,
            State::AwaitingApproval => attempt::State::AwaitingApproval,
            State::Reserved => attempt::State::Reserved,
            State::Calling => attempt::State::Calling,
            State::Submitted => attempt::State::Submitted,
            State::InDoubt | State::WithPerson => attempt::State::InDoubt,
            State::Settled => attempt::State::Settled,
            State::Declined(class) => attempt::State::Declined(class),
            State::NotApplied => attempt::State::Declined(DeclineClass::Provider),
            State::Void => attempt::State::Void,
        }
    }

    /// Whether money is held for it.
    pub const fn has_hold(self) -> bool {
        matches!(
            self,
            State::Reserved | State::Calling | State::Submitted | State::InDoubt | State::WithPerson
        )
    }

    /// Whether the call may have reached the cloud and nobody knows yet what became of it.
    pub const fn is_uncertain(self) -> bool {
        matches!(self, State::Calling | State::Submitted | State::InDoubt | State::WithPerson)
    }

    /// Whether the host reads the cloud for it, again and again.
    pub const fn is_queried(self) -> bool {
        matches!(self, State::Submitted | State::InDoubt | State::WithPerson)
    }

    /// Whether the key may be tried again from here.
    pub const fn is_open_to_retry(self) -> bool {
        matches!(self, State::Declined(_) | State::NotApplied)
    }
}
