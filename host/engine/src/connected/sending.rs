//! The two transactions around a call: what may leave, written before it does, and what came back.

use perennial_domain::attempt::DeclineClass;
use perennial_domain::connected::protocol::Signal;
use perennial_domain::connected::protocol::State;
use perennial_domain::connected::read_back;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::timestamp::Timestamp;
use perennial_store::calls::StoredCall;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;

use crate::Engine;
use crate::connected::CallId;
use crate::connected::Reply;
use crate::connected::Response;
use crate::connected::batch::CallBatch;
use crate::error::EngineError;
use crate::persist::Changes;
use crate::persist::RecordedEvent;

impl<S: EngineStore> Engine<S> {
    /// Takes in what was read before a call, and writes those as sent that are as they were before. Only what is returned
    /// may leave, once, and only after this has returned.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails; then nothing may leave.
    pub(crate) fn begin_calls(
        &mut self,
        readings: &[(CallId, ReadBack)],
        at: Timestamp,
        schedule: Schedule,
    ) -> Result<(Vec<StoredCall>, Vec<RecordedEvent>), EngineError> {
        let mut batch = CallBatch::new(self.reads(), Changes::new(self.retention()), at, schedule);
        let mut sent = Vec::new();
        for (id, read) in readings {
            let Some(mut call) = batch.reads.find_call(id.resource, id.expires_before, id.slot)? else {
                continue;
            };
            if call.record.state != State::Reserved {
                continue;
            }
            let is_late = at >= call.record.deadline;
            let signal =
                if is_late { Signal::Cancel } else { read_back::signal_of(&call.record, read, &schedule) };
            // What the provider said to an earlier try is in the history.
            (call.orders, call.said) = (Vec::new(), None);
            batch.signal(&mut call, signal, Some(read))?;
            if call.record.state == State::Calling {
                sent.push(call.clone());
            }
            batch.record(call);
        }
        let changes = batch.finish();
        let events = self.commit(changes)?;
        Ok((sent, events))
    }

    /// Takes in what a cloud said to calls that were written as sent.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails; after the next start the calls are in doubt.
    pub(crate) fn record_replies(
        &mut self,
        replies: &[(CallId, Reply)],
        at: Timestamp,
        schedule: Schedule,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let mut batch = CallBatch::new(self.reads(), Changes::new(self.retention()), at, schedule);
        for (id, Reply { response, orders, said }) in replies {
            let Some(mut call) = batch.reads.find_call(id.resource, id.expires_before, id.slot)? else {
                continue;
            };
            (call.orders, call.said) = (orders.clone(), said.clone());
            let signal = match response {
                Response::Accepted => Signal::Accept,
                Response::Completed => Signal::Complete,
                Response::Declined { class, .. } => Signal::Decline(*class),
                Response::NotConnected => Signal::FailToConnect,
                Response::Unproven => Signal::LoseResponse,
            };
            let is_taken = batch.signal(&mut call, signal, None)?;
            if let Response::Declined { class: DeclineClass::Throttled, retry_after: Some(seconds) } =
                response
                && is_taken
                && at + *seconds < call.record.deadline
            {
                call.record.act_at = call.record.act_at.max(Some(at + *seconds));
            }
            if *response == Response::NotConnected && is_taken {
                call.record.act_at = Some(at + 1);
            }
            batch.record(call);
        }
        let changes = batch.finish();
        Ok(self.commit(changes)?)
    }
}
