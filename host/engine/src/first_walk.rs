//! Where the walk of a bundle begins: where the last one ended or, if no clock has looked at it, where it was imported.

use perennial_domain::bundle::Bundle;
use perennial_domain::plugin_failure::FailingBundle;
use perennial_domain::timeline_walk::TimelineWalk;
use perennial_domain::timestamp::Timestamp;
use perennial_store::bundles::Schedule;

/// The walk of a bundle as its schedule has it, at `instant`: its first one if no plugin has answered about it.
///
/// For a bundle that waits for a clock, the second after `instant` is still to come on every clock. One whose wake was set was
/// taken in as of the second after that; one whose plugin has failed since it was looked at first, as of the second after
/// that. One that an inventory changed goes on from where it was; so does one whose plugin has failed since then.
pub(crate) fn walk(
    bundle: Bundle,
    schedule: Schedule,
    instant: Timestamp,
    failing: Option<&FailingBundle>,
) -> TimelineWalk {
    let is_changed =
        schedule.wake_at == Some(Schedule::AT_ONCE) || failing.is_some_and(|failing| failing.is_changed);
    if !schedule.is_not_started() {
        let walk = TimelineWalk::new(bundle, schedule.cursor_at);
        return if is_changed { walk.of_changed() } else { walk };
    }
    TimelineWalk::starting(
        bundle,
        failing.map(|failing| failing.since).or(schedule.known_wake()).unwrap_or(instant) + 1,
    )
}
