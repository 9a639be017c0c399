//! What is kept of what was decided, and for how long. Decides nothing.

use perennial_domain::timestamp::Timestamp;

use crate::Engine;
use perennial_store::decisions;
use perennial_store::error::StoreError;
use perennial_store::policy_differences;
use perennial_store::revision_differences;

/// For how many days decisions are kept unless somebody says otherwise.
pub const DECISION_DAYS: i64 = 90;
/// The most decisions that are deleted at once: some milliseconds, and more in a day than a million resources have.
const DELETED_MAX: u32 = 2_000;
/// For how many days a difference of a shadow is kept after its plan was last tried ...
const DIFFERENCE_DAYS: i64 = 90;
/// ... and how many are deleted at once.
const DIFFERENCES_MAX: u32 = 10_000;
const DAY: i64 = 86_400;

/// What is kept besides what the clock itself needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Events and decisions: the host's own data.
    Everything,
    /// Neither: a simulation takes the events as they come.
    State,
}

impl<S> Engine<S> {
    /// The same engine, which deletes decisions that are older than so many days.
    pub fn with_decision_days(mut self, days: i64) -> Engine<S> {
        self.decision_days = days;
        self
    }
}

impl Engine {
    /// Deletes decisions and differences of shadows that are older at `now` than they are kept, the oldest first, not
    /// all of them at once: for a host that runs, which calls this every few seconds.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be written.
    pub fn delete_old_records(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let decided_before = now - self.decision_days.saturating_mul(DAY);
        let differed_before = now - DIFFERENCE_DAYS * DAY;
        let has_decisions = decisions::has_before(self.db(), decided_before)?;
        let has_differences = policy_differences::has_before(self.db(), differed_before)?;
        let has_revision_differences = revision_differences::has_before(self.db(), differed_before)?;
        if !has_decisions && !has_differences && !has_revision_differences {
            return Ok(());
        }
        self.in_transaction(|engine| {
            policy_differences::delete_before(engine.tx(), differed_before, DIFFERENCES_MAX)?;
            revision_differences::delete_before(engine.tx(), differed_before, DIFFERENCES_MAX)?;
            decisions::delete_before(engine.tx(), decided_before, DELETED_MAX)
        })
    }
}
