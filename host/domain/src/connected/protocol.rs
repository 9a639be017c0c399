//! The protocol of a renewal on a cloud: every state by every signal, as one pure function.
//!
//! Knows states, signals and what each transition obliges the host to do; no cloud, no clock and no database. The test
//! of this module prints the whole table. What must hold whatever comes: a renewal in doubt is only ever queried, only
//! evidence or a person ends doubt, a hold is posted when the renewal is settled and released when it is proven that
//! nothing was applied, and nothing but a reading of the old expiry leads to a call.
//!
//! What is in doubt is called again in one case only, and remains unexplained by that: where a cloud lists no orders, but answers
//! a token that it has seen with its first response, [`Reading::Unmoved`] leads to the same call with the same token. The hold
//! stays. If the first call was applied after all, the cloud says so again and does nothing, or the reading before the call
//! shows it ([`Signal::Reread`]).
#![expect(clippy::wildcard_enum_match_arm, reason = "a state refuses every signal that it does not name")]

mod state;

use crate::attempt::DeclineClass;

pub use state::State;

/// What a reading of the cloud shows of the expiries that a renewal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// Every expiry is what it was before. No proof: the call may still be applied.
    Before,
    /// Every expiry is what it was before, the call can no longer be accepted, and no order is there. A proof.
    Untouched,
    /// Every expiry is what it was before, the call can no longer be accepted, and the cloud lists no orders; but it answers
    /// the call's token as it did the first time. No proof that nothing was applied, and no need of one: the same call with
    /// the same token does nothing twice.
    Unmoved,
    /// Every expiry is the planned one.
    Planned,
    /// The named resource has the planned expiry, and something renewed along with it does not yet.
    Partial,
    /// The same, and what is missing can no longer come.
    PartialForGood,
    /// Some expiry is neither that of before nor the planned one.
    Elsewhere,
    /// A resource is no longer there.
    Gone,
}

/// What a reading of the cloud shows of an order for the renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderReading {
    /// It waits to be paid.
    Unpaid,
    /// It is paid, and the expiry has not moved yet.
    Paid,
    /// It was cancelled, and no other one can come.
    Cancelled,
}

/// An input that moves a renewal to another state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// The plan needs an approval.
    RequestApproval,
    /// The plan was approved.
    Approve,
    /// The balance, or the ceiling on spending, does not cover the cost.
    FallShort,
    /// The attempt, the hold and the call are written, in one transaction.
    Reserve,
    /// The cloud was read, before the call or after it.
    Read(Reading),
    /// The cloud was read before a call that is made again with its token: what became of an earlier one is not explained.
    Reread(Reading),
    /// An order was found, before the call or after it.
    FindOrder(OrderReading),
    /// The connection was never made, so nothing left this host.
    FailToConnect,
    /// The response proves that the cloud accepted the call.
    Accept,
    /// The response proves that the cloud has done it, and no reading will show that.
    Complete,
    /// The response proves that the cloud declined the call.
    Decline(DeclineClass),
    /// The response, or its absence, proves nothing.
    LoseResponse,
    /// The host starts again after a crash, and does not know what the process before it did last.
    Restart,
    /// It has been unknown for so long that a person must look.
    Escalate,
    /// A person, or a command, gives the renewal up.
    Cancel,
    /// A person looked and says that the renewal was applied.
    SayApplied,
    /// A person looked and says that nothing was applied.
    SayNotApplied,
    /// The next try is due.
    Retry,
    /// What was settled was given back: the expiry is what it was before, and the period can be paid for again.
    GiveBack,
}

/// What is reported to the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// A call is in doubt.
    Doubt,
    /// Somebody renewed it already, for the same term.
    DoneAlready,
    /// The cloud says something that this host neither knew nor planned.
    Drift,
    /// An order waits to be paid, which forbids other renewals meanwhile.
    UnpaidOrder,
    /// Some of what should have been renewed along with the named resource was not.
    PartialRenewal,
    /// A person has to look: what happened is unknown.
    PersonNeeded,
}

/// What a transition obliges the host to do, in the transaction that writes the new state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Reserve the cost.
    Hold,
    /// Spend the whole hold.
    Post,
    /// Spend what the read-back confirmed, and release the rest.
    PostPart,
    /// Give the hold back.
    Release,
    /// Send the call, once, after the commit.
    Send,
    /// Read the cloud again later.
    Query,
    /// One more of the key's tries was proven to have done nothing, or was given back: the next one has another idempotency
    /// token.
    CountDecline,
    /// Tell the operator.
    Report(Finding),
}

/// The next state, and what it obliges the host to do.
pub type Transition = (State, &'static [Action]);

/// A signal that cannot come in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a renewal that is {state:?} cannot take {signal:?}")]
pub struct IllegalSignal {
    /// The state, which does not change.
    pub state: State,
    /// The refused signal.
    pub signal: Signal,
}

/// The state after `signal`, and what the host must do with it.
///
/// # Errors
///
/// [`IllegalSignal`] when the state does not accept `signal`.
pub fn next(state: State, signal: Signal) -> Result<Transition, IllegalSignal> {
    let next = match state {
        State::Planned => of_planned(signal),
        State::AwaitingApproval => of_awaiting_approval(signal),
        State::Reserved => of_reserved(signal),
        State::Calling => of_calling(signal),
        State::Submitted => of_submitted(signal),
        State::InDoubt => of_doubt(signal),
        State::WithPerson => of_person(signal),
        State::Declined(_) | State::NotApplied => of_unapplied(state, signal),
        // The next renewal of the period is another one, also for a cloud that still knows the token of this one.
        State::Settled if signal == Signal::GiveBack => Some((State::Void, GIVEN_BACK)),
        State::Settled | State::Void => (signal == Signal::Restart).then_some((state, NOTHING)),
    };
    next.ok_or(IllegalSignal { state, signal })
}

const NOTHING: &[Action] = &[];
const QUERY: &[Action] = &[Action::Query];
const POST: &[Action] = &[Action::Post];
const RELEASE: &[Action] = &[Action::Release];
const NOT_APPLIED: &[Action] = &[Action::CountDecline, Action::Release];
const GIVEN_BACK: &[Action] = &[Action::CountDecline];
const DOUBT: &[Action] = &[Action::Query, Action::Report(Finding::Doubt)];
const UNPAID: &[Action] = &[Action::Query, Action::Report(Finding::UnpaidOrder)];
const ESCALATE: &[Action] = &[Action::Query, Action::Report(Finding::PersonNeeded)];
const DRIFT: &[Action] =
    &[Action::Query, Action::Report(Finding::Drift), Action::Report(Finding::PersonNeeded)];
const PARTIAL: &[Action] = &[Action::PostPart, Action::Report(Finding::PartialRenewal)];

fn of_planned(signal: Signal) -> Option<Transition> {
    Some(match signal {
        Signal::RequestApproval => (State::AwaitingApproval, NOTHING),
        Signal::FallShort => (State::Declined(DeclineClass::Money), NOTHING),
        Signal::Reserve => (State::Reserved, &[Action::Hold]),
        Signal::Cancel => (State::Void, NOTHING),
        Signal::Restart => (State::Planned, NOTHING),
        _ => return None,
    })
}

fn of_awaiting_approval(signal: Signal) -> Option<Transition> {
    Some(match signal {
        Signal::Approve => (State::Planned, NOTHING),
        Signal::Cancel => (State::Void, NOTHING),
        Signal::Restart => (State::AwaitingApproval, NOTHING),
        _ => return None,
    })
}

/// Nothing was sent, unless the call is made again: whatever else the cloud says was not this renewal, and only the old expiry
/// leads to the call.
fn of_reserved(signal: Signal) -> Option<Transition> {
    Some(match signal {
        Signal::Read(Reading::Before | Reading::Untouched | Reading::Unmoved)
        | Signal::Reread(Reading::Before | Reading::Untouched | Reading::Unmoved) => {
            (State::Calling, &[Action::Send])
        }
        // The earlier call has come to its end meanwhile.
        Signal::Reread(Reading::Planned) => (State::Settled, POST),
        Signal::Reread(Reading::PartialForGood) => (State::Settled, PARTIAL),
        Signal::Reread(Reading::Partial) => (State::Submitted, QUERY),
        Signal::Reread(Reading::Elsewhere | Reading::Gone) => (State::WithPerson, DRIFT),
        Signal::Read(Reading::Planned) | Signal::FindOrder(OrderReading::Paid) => {
            (State::Void, &[Action::Release, Action::Report(Finding::DoneAlready)])
        }
        Signal::Read(Reading::Partial | Reading::PartialForGood | Reading::Elsewhere | Reading::Gone) => {
            (State::Void, &[Action::Release, Action::Report(Finding::Drift)])
        }
        Signal::FindOrder(OrderReading::Unpaid) => {
            (State::Void, &[Action::Release, Action::Report(Finding::UnpaidOrder)])
        }
        Signal::FindOrder(OrderReading::Cancelled) | Signal::Restart => (State::Reserved, NOTHING),
        // Of a call that is made again only: the token is too old to be answered as it was the first time, or it is too late.
        Signal::Escalate => (State::WithPerson, ESCALATE),
        Signal::Cancel => (State::Void, RELEASE),
        _ => return None,
    })
}

/// The call is under way: its response, its absence or a crash comes next, and nothing else.
fn of_calling(signal: Signal) -> Option<Transition> {
    Some(match signal {
        Signal::Accept => (State::Submitted, QUERY),
        Signal::Complete => (State::Settled, POST),
        // Who turns a call away for want of capacity has not looked at its token. An earlier call with the same one, of
        // which a person wrongly said that it did nothing, may still be under way: the token has to stay.
        Signal::Decline(DeclineClass::Throttled) => (State::Declined(DeclineClass::Throttled), RELEASE),
        Signal::Decline(class) => (State::Declined(class), NOT_APPLIED),
        Signal::FailToConnect => (State::Reserved, NOTHING),
        Signal::LoseResponse | Signal::Restart => (State::InDoubt, DOUBT),
        _ => return None,
    })
}

fn of_submitted(signal: Signal) -> Option<Transition> {
    Some(match signal {
        Signal::Read(Reading::Planned) => (State::Settled, POST),
        Signal::Read(Reading::PartialForGood) => (State::Settled, PARTIAL),
        Signal::Read(Reading::Before | Reading::Partial)
        | Signal::FindOrder(OrderReading::Paid)
        | Signal::Restart => (State::Submitted, QUERY),
        // The cloud said yes and knows nothing of it: somebody must look.
        Signal::Read(Reading::Untouched | Reading::Unmoved) | Signal::Escalate => {
            (State::WithPerson, ESCALATE)
        }
        Signal::Read(Reading::Elsewhere | Reading::Gone) => (State::WithPerson, DRIFT),
        // It was accepted and the payment failed: the order may still be paid, or expire.
        Signal::FindOrder(OrderReading::Unpaid) => (State::InDoubt, UNPAID),
        Signal::FindOrder(OrderReading::Cancelled) => (State::NotApplied, NOT_APPLIED),
        _ => return None,
    })
}

fn of_doubt(signal: Signal) -> Option<Transition> {
    Some(match signal {
        Signal::Read(Reading::Planned) => (State::Settled, POST),
        Signal::Read(Reading::PartialForGood) => (State::Settled, PARTIAL),
        Signal::Read(Reading::Untouched) | Signal::FindOrder(OrderReading::Cancelled) => {
            (State::NotApplied, NOT_APPLIED)
        }
        // The token stays, and that alone allows the next call: counted up, it would pay again for what was applied late.
        Signal::Read(Reading::Unmoved) => (State::Reserved, NOTHING),
        Signal::Read(Reading::Before) | Signal::Restart => (State::InDoubt, QUERY),
        Signal::Read(Reading::Partial) | Signal::FindOrder(OrderReading::Paid) => (State::Submitted, QUERY),
        Signal::Read(Reading::Elsewhere | Reading::Gone) => (State::WithPerson, DRIFT),
        Signal::FindOrder(OrderReading::Unpaid) => (State::InDoubt, UNPAID),
        Signal::Escalate => (State::WithPerson, ESCALATE),
        // The token stays: if the person is wrong, a cloud that knows it does not pay again.
        Signal::SayApplied => (State::Settled, POST),
        Signal::SayNotApplied => (State::NotApplied, RELEASE),
        _ => return None,
    })
}

fn of_person(signal: Signal) -> Option<Transition> {
    Some(match signal {
        Signal::Read(Reading::Planned) | Signal::SayApplied => (State::Settled, POST),
        Signal::Read(Reading::PartialForGood) => (State::Settled, PARTIAL),
        // What a person was asked about contradicts itself: that nothing is there any more proves nothing.
        Signal::Read(
            Reading::Before
            | Reading::Untouched
            | Reading::Unmoved
            | Reading::Partial
            | Reading::Elsewhere
            | Reading::Gone,
        )
        | Signal::FindOrder(OrderReading::Unpaid | OrderReading::Paid)
        | Signal::Restart
        | Signal::Escalate => (State::WithPerson, QUERY),
        Signal::FindOrder(OrderReading::Cancelled) => (State::NotApplied, NOT_APPLIED),
        Signal::SayNotApplied => (State::NotApplied, RELEASE),
        _ => return None,
    })
}

fn of_unapplied(state: State, signal: Signal) -> Option<Transition> {
    Some(match signal {
        Signal::Retry => (State::Planned, NOTHING),
        Signal::Cancel => (State::Void, NOTHING),
        Signal::Restart => (state, NOTHING),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
