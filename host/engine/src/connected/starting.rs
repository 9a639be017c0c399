//! What a host does about calls when it starts: those that were under way are in doubt from now on.

use perennial_domain::connected::dispatch::Dispatcher;
use perennial_domain::connected::protocol::Signal;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::timestamp::Timestamp;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;

use crate::Engine;
use crate::connected::batch::CallBatch;
use crate::error::EngineError;
use crate::persist::Changes;
use crate::persist::RecordedEvent;

/// How far back what was spent counts for the ceiling, in seconds.
const HOUR: i64 = 3_600;

impl<S: EngineStore> Engine<S> {
    /// Puts the calls that were under way when the host ended in doubt, and tells `dispatcher` what was spent within the
    /// hour. Called once, before anything is sent.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn resume_calls(
        &mut self,
        dispatcher: &mut Dispatcher,
        at: Timestamp,
        schedule: Schedule,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let mut batch = CallBatch::new(self.reads(), Changes::new(self.retention()), at, schedule);
        for mut call in batch.reads.interrupted_calls()? {
            batch.signal(&mut call, Signal::Restart, None)?;
            batch.record(call);
        }
        let changes = batch.finish();
        let events = self.commit(changes)?;
        for call in self.reads().calls_sent_since(at - HOUR)? {
            let account = self.reads().account(call.account)?.account.id;
            if let Some(called_at) = call.record.called_at {
                dispatcher.restore_spending(&account, called_at, call.record.cost());
            }
        }
        Ok(events)
    }
}
