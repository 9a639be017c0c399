//! How a signal changes the record of a renewal on a cloud.
//!
//! Knows the record, the table of the protocol and the schedule. Writes nothing: the caller stores the record with whatever
//! the transition obliges it to do, in one transaction.

use crate::attempt::DeclineClass;
use crate::connected::protocol;
use crate::connected::protocol::Action;
use crate::connected::protocol::IllegalSignal;
use crate::connected::protocol::Signal;
use crate::connected::protocol::State;
use crate::connected::record::CallRecord;
use crate::connected::schedule::Schedule;
use crate::timestamp::Timestamp;

/// Gives `renewal` a signal at `at`. What is returned is done in the transaction that writes the changed record.
///
/// # Errors
///
/// [`IllegalSignal`] when its state does not accept the signal; the record is as it was.
pub fn advance(
    renewal: &mut CallRecord,
    signal: Signal,
    at: Timestamp,
    schedule: &Schedule,
) -> Result<&'static [Action], IllegalSignal> {
    let signal = with_history(renewal, signal);
    let (state, actions) = protocol::next(renewal.state, signal)?;
    if actions.contains(&Action::CountDecline) {
        renewal.declines = renewal.declines.saturating_add(1);
    }
    renewal.note_token(state, at);
    if actions.contains(&Action::Send) {
        (renewal.called_at, renewal.queries) = (Some(at), 0);
    }
    if matches!(signal, Signal::Read(_) | Signal::Reread(_) | Signal::FindOrder(_)) && state.is_queried() {
        renewal.queries = renewal.queries.saturating_add(1);
    }
    renewal.state = state;
    renewal.act_at = schedule.next_act(renewal, at);
    Ok(actions)
}

/// What a signal is to a call that is made again with its token: an earlier one may have been applied, so it is not given up
/// without a person, and a cloud that turns the latest one away explains nothing of it.
fn with_history(call: &CallRecord, signal: Signal) -> Signal {
    if !call.has_earlier_call() {
        return signal;
    }
    match (call.state, signal) {
        (State::Reserved, Signal::Read(reading)) => Signal::Reread(reading),
        (State::Reserved, Signal::Cancel) => Signal::Escalate,
        (State::Calling, Signal::Decline(DeclineClass::Throttled)) => Signal::LoseResponse,
        (_, signal) => signal,
    }
}

/// Looks at `renewal` again later, because the cloud could not be read at `at`.
pub fn put_off(renewal: &mut CallRecord, at: Timestamp, schedule: &Schedule) {
    renewal.queries = renewal.queries.saturating_add(u32::from(renewal.state.is_queried()));
    let next = schedule.next_act(renewal, at);
    renewal.act_at = next.map(|next| next.max(at + 1));
}

#[cfg(test)]
mod tests;
