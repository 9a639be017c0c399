//! Whether everything that waits can leave before its deadline: the alarm of a unified expiry day.

use crate::connected::dispatch::SendingLimits;
use crate::connected::renewal::Renewal;
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

/// The first deadline that `waiting` cannot keep when work goes on from `now`; `None` while there is time.
pub(super) fn lateness(waiting: &[Renewal], limits: &SendingLimits, now: Timestamp) -> Option<Lateness> {
    let mut deadlines = waiting.iter().map(|renewal| renewal.deadline).collect::<Vec<_>>();
    deadlines.sort_unstable();
    let mut renewals = 0;
    deadlines.into_iter().find_map(|deadline| {
        renewals += 1;
        let safe_start = latest_safe_start(deadline, renewals, limits.batch, limits.calls_per_minute);
        (safe_start < now).then_some(Lateness { deadline, renewals, safe_start })
    })
}

/// When the call of one renewal must leave.
pub(super) fn safe_start(renewal: &Renewal, limits: &SendingLimits) -> Timestamp {
    latest_safe_start(renewal.deadline, 1, limits.batch, limits.calls_per_minute)
}
