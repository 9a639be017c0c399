//! Taking in what was read of renewals that are accepted, in doubt or with a person, and what a person says of them.

use perennial_domain::connected::advance::put_off;
use perennial_domain::connected::protocol::Signal;
use perennial_domain::connected::read_back;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::timestamp::Timestamp;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;

use crate::Engine;
use crate::connected::CallId;
use crate::connected::batch::CallBatch;
use crate::error::EngineError;
use crate::persist::Changes;
use crate::persist::RecordedEvent;

impl<S: EngineStore> Engine<S> {
    /// Takes in readings of renewals that were called. What stays unknown for too long goes to a person.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails; they are read again.
    pub(crate) fn record_readings(
        &mut self,
        readings: &[(CallId, ReadBack)],
        at: Timestamp,
        schedule: Schedule,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let mut batch = CallBatch::new(self.reads(), Changes::new(self.retention()), at, schedule);
        for (id, read) in readings {
            let Some(mut call) = batch.reads.find_call(id.resource, id.expires_before, id.slot)? else {
                continue;
            };
            if !call.record.state.is_queried() {
                continue;
            }
            let signal = read_back::signal_of(&call.record, read, &schedule);
            batch.signal(&mut call, signal, Some(read))?;
            if batch.schedule().is_to_escalate(&call.record, at) {
                batch.signal(&mut call, Signal::Escalate, None)?;
            }
            batch.record(call);
        }
        let changes = batch.finish();
        Ok(self.commit(changes)?)
    }

    /// Looks at calls again later, because their cloud could not be read.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub(crate) fn put_off_calls(
        &mut self,
        ids: &[CallId],
        at: Timestamp,
        schedule: Schedule,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let mut batch = CallBatch::new(self.reads(), Changes::new(self.retention()), at, schedule);
        for id in ids {
            let Some(mut call) = batch.reads.find_call(id.resource, id.expires_before, id.slot)? else {
                continue;
            };
            put_off(&mut call.record, at, &schedule);
            if batch.schedule().is_to_escalate(&call.record, at) {
                batch.signal(&mut call, Signal::Escalate, None)?;
            }
            batch.record(call);
        }
        let changes = batch.finish();
        Ok(self.commit(changes)?)
    }

    /// Takes in what a person says of a renewal that is in doubt or with a person, or that it is given up before anything
    /// was sent. Returns whether its state accepted that: `None` if there is no such call.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn resolve_call(
        &mut self,
        id: CallId,
        decision: Decision,
        at: Timestamp,
        schedule: Schedule,
    ) -> Result<(Option<bool>, Vec<RecordedEvent>), EngineError> {
        let mut batch = CallBatch::new(self.reads(), Changes::new(self.retention()), at, schedule);
        let Some(mut call) = batch.reads.find_call(id.resource, id.expires_before, id.slot)? else {
            return Ok((None, Vec::new()));
        };
        let signal = match decision {
            Decision::Applied => Signal::SayApplied,
            Decision::NotApplied => Signal::SayNotApplied,
            Decision::GiveUp => Signal::Cancel,
        };
        let is_taken = batch.signal(&mut call, signal, None)?;
        batch.record(call);
        let changes = batch.finish();
        Ok((Some(is_taken), self.commit(changes)?))
    }
}

/// What a person decides about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The person looked, and it was applied as planned.
    Applied,
    /// The person looked, and nothing was or will be applied.
    NotApplied,
    /// It is not to be made.
    GiveUp,
}
