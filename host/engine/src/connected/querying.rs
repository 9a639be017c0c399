//! Taking in what was read of renewals that are accepted, in doubt or with a person, and what a person says of them.

use perennial_domain::attempt::Key;
use perennial_domain::connected::advance::put_off;
use perennial_domain::connected::protocol::Signal;
use perennial_domain::connected::protocol::State;
use perennial_domain::connected::read_back;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::timestamp::Timestamp;
use perennial_store::calls::StoredCall;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::error::StoreError;

use crate::Engine;
use crate::connected::CallId;
use crate::connected::batch::CallBatch;
use crate::connected::giving_back;
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

    /// Takes in what a person says of a renewal that is in doubt or with a person, that it is given up before anything was
    /// sent, or that what was settled was given back since. Returns whether its state accepted that: `None` if there is no such call.
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
        let Some(call) = batch.reads.find_call(id.resource, id.expires_before, id.slot)? else {
            return Ok((None, Vec::new()));
        };
        let is_taken = match decision {
            Decision::Applied => take(&mut batch, call, Signal::SayApplied)?,
            Decision::NotApplied => take(&mut batch, call, Signal::SayNotApplied)?,
            Decision::GiveUp => take(&mut batch, call, Signal::Cancel)?,
            Decision::GivenBack => {
                let is_paid = call.record.state == State::Settled && call.record.renewal().is_some();
                if is_paid {
                    let Key { resource, expires_before } = call.record.key();
                    giving_back::give_back(&mut batch, &resource, expires_before)?;
                }
                is_paid
            }
        };
        let changes = batch.finish();
        Ok((Some(is_taken), self.commit(changes)?))
    }
}

/// Gives a call a person's signal; returns whether its state accepted it.
fn take<R: EngineReads>(
    batch: &mut CallBatch<'_, R>,
    mut call: StoredCall,
    signal: Signal,
) -> Result<bool, StoreError> {
    let is_taken = batch.signal(&mut call, signal, None)?;
    batch.record(call);
    Ok(is_taken)
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
    /// The person looked, and what was settled was given back since, with what was paid for behind it.
    GivenBack,
}
