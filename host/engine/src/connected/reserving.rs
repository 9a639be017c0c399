//! Writing a renewal down before anything is sent: attempt, hold and call in one transaction.

use perennial_domain::attempt::DeclineClass;
use perennial_domain::attempt::Key;
use perennial_domain::connected::protocol::Signal;
use perennial_domain::connected::protocol::State;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connected::record::Extension;
use perennial_domain::connected::record::Slot;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::event::EventKind;
use perennial_domain::timestamp::Timestamp;
use perennial_store::calls::StoredCall;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::error::StoreError;

use crate::Engine;
use crate::connected::Reservation;
use crate::connected::batch::CallBatch;
use crate::error::EngineError;
use crate::persist::Changes;
use crate::persist::RecordedEvent;

impl<S: EngineStore> Engine<S> {
    /// Reserves a renewal or another change at `at`: its attempt, its hold and its call are written together, and nothing is
    /// sent. While another one that pays for one of its periods is under way, unclear or settled, whatever its term, nothing
    /// changes, and neither while another change of what happens on expiry is.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub fn reserve_call(
        &mut self,
        record: CallRecord,
        at: Timestamp,
        schedule: Schedule,
    ) -> Result<(Reservation, Vec<RecordedEvent>), EngineError> {
        let mut record = record;
        let Key { resource: id, expires_before } = record.key();
        let Some((stored, member)) = self.reads().find_bundle(&id)? else {
            return Ok((Reservation::UnknownResource, Vec::new()));
        };
        let (account, resource) = (stored.account, stored.rows[member]);
        if record.slot() != Slot::OnExpiry {
            for period in record.extensions.iter().map(Extension::key) {
                if let Some(other) = self.reads().paying_call(&period)? {
                    return Ok((Reservation::Locked(other.record.state), Vec::new()));
                }
            }
        } else if let Some(other) = self.reads().newest_setting(resource)?
            && other.record.is_open()
        {
            // Also one from before a renewal: read back once the later one is carried out, it would be taken for undone.
            return Ok((Reservation::Locked(other.record.state), Vec::new()));
        }
        // What was proven of earlier tries of the key, whatever their term, counts for its token.
        if let Some(earlier) = self.reads().find_call(resource, expires_before, record.slot())? {
            if earlier.record.is_open() {
                return Ok((Reservation::Locked(earlier.record.state), Vec::new()));
            }
            record.follow(&earlier.record);
        }
        let mut call = StoredCall::new(account, resource, record);
        let mut batch = CallBatch::new(self.reads(), Changes::new(self.retention()), at, schedule);
        let reservation = reserve(&mut batch, &mut call)?;
        batch.record(call);
        let changes = batch.finish();
        Ok((reservation, self.commit(changes)?))
    }

    /// Tries those of `due` again that were declined, and gives up those that are too late. Returns whether there were any.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails.
    pub(crate) fn retry_calls(
        &mut self,
        due: &[StoredCall],
        at: Timestamp,
        schedule: Schedule,
    ) -> Result<(bool, Vec<RecordedEvent>), EngineError> {
        let mut batch = CallBatch::new(self.reads(), Changes::new(self.retention()), at, schedule);
        for call in due {
            let mut call = call.clone();
            let is_late = at >= call.record.deadline;
            match call.record.state {
                State::Reserved | State::Planned if is_late => {
                    batch.signal(&mut call, Signal::Cancel, None)?;
                }
                State::Declined(_) | State::NotApplied if is_late => call.record.act_at = None,
                State::Declined(_) | State::NotApplied => {
                    batch.signal(&mut call, Signal::Retry, None)?;
                    reserve(&mut batch, &mut call)?;
                }
                State::Planned => {
                    reserve(&mut batch, &mut call)?;
                }
                State::AwaitingApproval
                | State::Reserved
                | State::Calling
                | State::Submitted
                | State::InDoubt
                | State::WithPerson
                | State::Settled
                | State::Void => continue,
            }
            batch.record(call);
        }
        let changes = batch.finish();
        if changes.list.is_empty() {
            return Ok((false, Vec::new()));
        }
        Ok((true, self.commit(changes)?))
    }
}

/// Holds the cost of a planned renewal, or finds that the balance is short of it.
fn reserve<R: EngineReads>(
    batch: &mut CallBatch<'_, R>,
    call: &mut StoredCall,
) -> Result<Reservation, StoreError> {
    let cost = call.record.cost();
    let available = batch.account(call.account)?.account.balance.available();
    if cost <= available {
        batch.signal(call, Signal::Reserve, None)?;
        return Ok(Reservation::Reserved);
    }
    batch.signal(call, Signal::FallShort, None)?;
    let what = EventKind::RenewalDeclined {
        code: "insufficient_balance".to_owned(),
        message: format!("{cost} is needed and {available} is available"),
        class: DeclineClass::Money,
        next_try_at: call.record.act_at,
    };
    batch.event(call, what)?;
    Ok(Reservation::ShortOfMoney)
}
