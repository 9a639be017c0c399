//! When a renewal on a cloud is called, queried, tried again or handed to a person.
//!
//! Knows figures and the present, both as arguments. Every wait here is a column of a record, never a sleeping task.

use crate::attempt::DeclineClass;
use crate::attempt::Key;
use crate::connected::protocol::State;
use crate::connected::record::CallRecord;
use crate::connected::record::Slot;
use crate::timestamp::Timestamp;

/// Seconds between two queries, one after the other; the last one is repeated.
const QUERY_DELAYS: [i64; 7] = [5, 15, 60, 120, 300, 900, 3_600];
/// Seconds before another try after a decline for want of money.
const MONEY_DELAY: i64 = 6 * 3_600;
/// Seconds before the first try after the cloud declined for a reason of its own; each later one waits twice as long.
const PROVIDER_DELAY: i64 = 600;
/// Seconds before another try after the cloud was too busy, where it did not say for how long.
const THROTTLED_DELAY: i64 = 30;
/// The longest wait before another try, in seconds.
const RETRY_DELAY_MAX: i64 = 6 * 3_600;

/// The figures of a provider that decide when a reading proves something, and when a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Seconds after a call from which on a reading shows everything that the cloud has accepted of it: for as long as
    /// its signature holds it could still be accepted, and readings may lag behind by a while.
    pub conclusive_seconds: i64,
    /// The same for what takes no order, such as a switch of what happens on expiry: nothing shows that the cloud has accepted
    /// it until it is carried out, which takes a while, too.
    pub unordered_seconds: i64,
    /// Seconds after a call after which a person is asked when its result is still unknown.
    pub escalate_seconds: i64,
}

impl Schedule {
    /// A signature of half an hour and readings that lag by as much, an hour more for what shows no order; a day of queries.
    pub const DEFAULT: Schedule =
        Schedule { conclusive_seconds: 3_600, unordered_seconds: 7_200, escalate_seconds: 86_400 };

    /// From when on a reading of the cloud is conclusive about `renewal`; `None` if it was never called.
    pub(crate) fn conclusive_at(&self, renewal: &CallRecord) -> Option<Timestamp> {
        let seconds = match renewal.slot() {
            Slot::Period => self.conclusive_seconds,
            Slot::OnExpiry | Slot::End => self.unordered_seconds,
        };
        renewal.called_at.map(|called_at| called_at + seconds)
    }

    /// Whether a person must be asked at `at`.
    pub fn is_to_escalate(&self, renewal: &CallRecord, at: Timestamp) -> bool {
        let is_open = matches!(renewal.state, State::Submitted | State::InDoubt);
        is_open && renewal.called_at.is_some_and(|called_at| at - called_at >= self.escalate_seconds)
    }

    /// Whether a call that left at `at` would still be answered as the first one with its token was, by a cloud that remembers
    /// a token for `token_seconds`: it may be under way for as long as its signature holds.
    pub(crate) fn is_token_known(&self, call: &CallRecord, token_seconds: i64, at: Timestamp) -> bool {
        call.token_since.is_none_or(|since| at + self.conclusive_seconds < since + token_seconds)
    }

    /// When something is done next about a renewal that entered its state, or was queried, at `at`.
    pub(crate) fn next_act(&self, renewal: &CallRecord, at: Timestamp) -> Option<Timestamp> {
        match renewal.state {
            State::Planned | State::Reserved => Some(at),
            State::AwaitingApproval | State::Calling | State::Settled | State::Void => None,
            State::Submitted | State::InDoubt => Some(self.next_query(renewal, at)),
            State::WithPerson => Some(at + QUERY_DELAYS[QUERY_DELAYS.len() - 1]),
            State::Declined(class) => retry_at(class, renewal, at),
            State::NotApplied => (at < renewal.deadline).then_some(at),
        }
    }

    /// The next query: one of the series, but one at the instant from which on it is conclusive.
    fn next_query(&self, renewal: &CallRecord, at: Timestamp) -> Timestamp {
        let index = usize::try_from(renewal.queries).unwrap_or(usize::MAX).min(QUERY_DELAYS.len() - 1);
        let regular = at + QUERY_DELAYS[index];
        match self.conclusive_at(renewal) {
            Some(conclusive) if at < conclusive && conclusive < regular => conclusive,
            Some(_) | None => regular,
        }
    }
}

/// When a declined renewal is tried again; `None` when only another plan or a person can help, or it is too late.
fn retry_at(class: DeclineClass, renewal: &CallRecord, at: Timestamp) -> Option<Timestamp> {
    let doublings = renewal.declines.saturating_sub(1).min(16);
    let doubled = |first: i64| (first << doublings).min(RETRY_DELAY_MAX);
    let delay = match class {
        DeclineClass::Money => MONEY_DELAY,
        DeclineClass::Throttled => THROTTLED_DELAY,
        DeclineClass::Provider => doubled(PROVIDER_DELAY),
        DeclineClass::Rule => return None,
    };
    let retry = at + delay + i64::from(jitter(&renewal.key(), u32::try_from(delay / 4).unwrap_or(0)));
    // The last chance is better than none.
    if retry < renewal.deadline {
        Some(retry)
    } else {
        (at + 1 < renewal.deadline).then_some(renewal.deadline - 1)
    }
}

/// A number below `bound` that is always the same for a key and spreads keys evenly; 0 for a bound of 0.
pub fn jitter(key: &Key, bound: u32) -> u32 {
    // FNV-1a: no randomness, so that a decision is the same when it is made again.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let seconds = key.expires_before.as_second().to_le_bytes();
    for byte in key.resource.bytes().chain(seconds) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mixed = hash ^ (hash >> 32);
    u32::try_from(mixed % u64::from(bound.max(1))).unwrap_or(0)
}

/// The latest instant at which work on `renewals` renewals must start so that all calls leave before `deadline`: each call
/// takes `batch` of them, and `calls_per_minute` calls may be made.
pub(crate) fn latest_safe_start(
    deadline: Timestamp,
    renewals: u64,
    batch: u32,
    calls_per_minute: u32,
) -> Timestamp {
    let calls = renewals.div_ceil(u64::from(batch.max(1)));
    let seconds = calls.saturating_mul(60).div_ceil(u64::from(calls_per_minute.max(1)));
    deadline - i64::try_from(seconds).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
