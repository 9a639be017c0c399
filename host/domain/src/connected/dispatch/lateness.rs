//! Whether everything that waits can leave before its deadline: the alarm of a unified expiry day.

use crate::connected::dispatch::SendingLimits;
use crate::connected::schedule::latest_safe_start;
use crate::timestamp::Timestamp;

/// Too little time for what waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// The deadline that cannot be kept.
    pub deadline: Timestamp,
    /// How many renewals should leave before it.
    pub renewals: u64,
    /// When their calls should have begun to leave.
    pub safe_start: Timestamp,
}

/// The first deadline that `waiting` cannot keep when work goes on from `now`; `None` while there is time. Each deadline comes
/// with how many renewals have it, the earliest first.
pub(super) fn lateness(
    waiting: &[(Timestamp, u64)],
    limits: &SendingLimits,
    now: Timestamp,
) -> Option<Lateness> {
    let mut renewals = 0_u64;
    waiting.iter().find_map(|(deadline, count)| {
        renewals = renewals.saturating_add(*count);
        let safe_start = latest_safe_start(*deadline, renewals, limits.batch, limits.calls_per_minute);
        let deadline = *deadline;
        (safe_start < now).then_some(Lateness { deadline, renewals, safe_start })
    })
}

/// The latest instant at which work on `waiting` must begin so that every deadline is kept; `None` where nothing waits.
pub(super) fn safe_start(waiting: &[(Timestamp, u64)], limits: &SendingLimits) -> Option<Timestamp> {
    let mut renewals = 0_u64;
    let starts = waiting.iter().map(|(deadline, count)| {
        renewals = renewals.saturating_add(*count);
        latest_safe_start(*deadline, renewals, limits.batch, limits.calls_per_minute)
    });
    starts.min()
}
