//! The season of `demo --connected`: its first and last instant, its seed and the files that it writes.

use std::path::Path;

use perennial_domain::timestamp::Timestamp;

/// The first instant of the season: it is the first three months of 2026 in UTC.
pub(super) const FROM: Timestamp = Timestamp::from_second(1_767_225_600);
/// The instant at which it ends.
pub(super) const UNTIL: Timestamp = Timestamp::from_second(1_775_001_600);

/// What a season is played with.
pub(in crate::cli) struct Season<'a> {
    /// What the faults follow from.
    pub(in crate::cli) seed: u64,
    /// Where the picture goes.
    pub(in crate::cli) out: &'a Path,
    /// Where the inventory and the faults are written, if anywhere.
    pub(in crate::cli) save: Option<&'a Path>,
}
