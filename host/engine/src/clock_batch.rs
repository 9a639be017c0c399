//! One batch of the clock: reading what is due, deciding on it, and writing that down in one transaction.
//!
//! Knows how large a batch may be. What is due in which order is the engine's.

use perennial_domain::timestamp::Timestamp;
use perennial_store::bundles::StoredBundle;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::error::StoreError;

use crate::Engine;
use crate::Retention;
use crate::SPAN_MAX;
use crate::batch::Batch;
use crate::error::EngineError;
use crate::load_batch::BatchOptions;
use crate::load_batch::assemble_batch;
use crate::persist::Changes;
use crate::persist::RecordedEvent;

impl<S: EngineStore> Engine<S> {
    /// Decides on bundles that wake by `until`, on as many from the first one on as go together, and writes that down:
    /// see [`Batch::valid_prefix`]. What it looks at the next time is as much as went together this time, or twice that.
    /// `None` when nothing is due, or when the engine was stopped meanwhile.
    pub(crate) fn decide_and_write(
        &mut self,
        until: Timestamp,
        instant_of: impl Fn(&StoredBundle) -> Timestamp,
    ) -> Result<Option<Vec<RecordedEvent>>, EngineError> {
        let mut limit = self.batch_size;
        loop {
            let due = self.reads().due(until, limit)?;
            if due.is_empty() {
                return Ok(None);
            }
            let mut batch = self.load_batch(due, &instant_of)?;
            if let Some(policies) = &mut batch.policies {
                policies.heed(&self.stop);
            }
            let valid = batch.decide_by_breakers();
            if self.is_stopped() {
                // Scripts that were asked may have been cut off, so nothing of it is written: all of it stays due.
                return Ok(None);
            }
            let valid = valid.min(batch.valid_prefix());
            if valid < batch.entries.len() {
                // Read again rather than kept: it is rare, and nothing was written in between.
                limit = u32::try_from(valid).unwrap_or(limit);
                continue;
            }
            if limit < self.batch_size {
                self.span = (self.span / 2).max(1);
                self.batch_size = (self.batch_size / 2).max(1);
            } else {
                self.span = (self.span * 2).min(SPAN_MAX);
                self.batch_size = self.batch_size.saturating_mul(2).min(self.batch_max);
            }
            self.wake_budget.limit(&mut batch, self.wakes_per_hour_max);
            batch.recompute_balances();
            return self.write(batch).map(Some);
        }
    }

    pub(crate) fn write(&mut self, batch: Batch) -> Result<Vec<RecordedEvent>, EngineError> {
        let mut changes = Changes::new(self.retention);
        changes.add_batch(self.reads(), batch)?;
        Ok(self.commit(changes)?)
    }

    /// Bundles with their accounts, each to be decided on at the instant that `instant_of` gives.
    pub(crate) fn load_batch(
        &self,
        due: Vec<StoredBundle>,
        instant_of: impl Fn(&StoredBundle) -> Timestamp,
    ) -> Result<Batch, StoreError> {
        let options = BatchOptions { review_until: self.review_until, ..self.batch_options() };
        assemble_batch(self.reads(), &self.providers, options, due, instant_of)
    }

    pub(crate) fn batch_options(&self) -> BatchOptions {
        BatchOptions {
            records_decisions: self.retention == Retention::Everything,
            grants_approvals: self.grants_approvals,
            review_until: None,
            failure_limits: self.failure_limits,
        }
    }
}
