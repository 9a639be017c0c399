//! What is kept of what was decided, and for how long. Decides nothing.

use perennial_domain::timestamp::Timestamp;

use crate::Engine;
use perennial_store::decisions;
use perennial_store::error::StoreError;

/// For how many days decisions are kept unless somebody says otherwise.
pub const DECISION_DAYS: i64 = 90;
/// The most decisions that are deleted at once: some milliseconds, and more in a day than a million resources have.
const DELETED_MAX: u32 = 2_000;
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
    /// Deletes decisions that are older at `now` than they are kept, the oldest first, not all of them at once: for a host
    /// that runs, which calls this every few seconds.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be written.
    pub fn delete_old_decisions(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let before = now - self.decision_days.saturating_mul(DAY);
        if !decisions::has_before(self.db(), before)? {
            return Ok(());
        }
        self.in_transaction(|engine| decisions::delete_before(engine.tx(), before, DELETED_MAX))
    }
}
