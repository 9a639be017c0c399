//! What is due of calls, carried out piece by piece: read, paid for or tried again, and written down.
//!
//! Knows the order of transactions and calls, which is what survives a crash: [`next`] says what is due, [`Work`] takes in
//! what came of it, and [`step`] does all of it where calling takes no time. Decides nothing: what goes next is the
//! [`Dispatcher`]'s, what it means the protocol's.

use perennial_domain::attempt::DeclineClass;
use perennial_domain::connected::dispatch::Api;
use perennial_domain::connected::dispatch::Choice;
use perennial_domain::connected::dispatch::Dispatcher;
use perennial_domain::connected::dispatch::Health;
use perennial_domain::connected::dispatch::Obstacle;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::timestamp::Timestamp;
use perennial_store::calls::StoredCall;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::keys::AccountKey;

use crate::Engine;
use crate::connected::CallId;
use crate::connected::Cloud;
use crate::connected::ReadFailure;
use crate::connected::Reply;
use crate::connected::Response;
use crate::error::EngineError;
use crate::persist::RecordedEvent;

pub use crate::connected::querying::Decision;

/// How many calls of an account are looked at first, of those to be paid for and of the others: enough for the next request
/// to any provider. Where none of them may leave ...
const LOOK_FIRST: u32 = 50;
/// ... this many are: one of them may be held back by less.
const LOOK_MAX: u32 = 1_000;

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Something was done; more may be due.
    Worked,
    /// Nothing is due.
    Idle,
    /// Something is due and must wait, until this instant if anything but an operator can change it.
    Waiting(Obstacle, Option<Timestamp>),
    /// The host ends.
    Stopped,
}

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// These calls are to be read now and, if they are to be paid for, sent.
    Work(Work),
    /// Something that takes no call was done; more may be due.
    Written,
    /// Nothing is due.
    Idle,
    /// Something is due and must wait, until this instant if anything but an operator can change it.
    Waiting(Obstacle, Option<Timestamp>),
}

/// Calls of one account that go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The account ...
    pub account: AccountKey,
    /// ... and its id.
    pub id: String,
    /// The calls, at least one.
    pub calls: Vec<StoredCall>,
    /// Whether those that are as they were before are to be paid for.
    pub is_payment: bool,
}

/// What is due at `now` of these accounts, the first that may leave: what was declined and is tried again is written at once, and
/// what takes a call is returned.
///
/// # Errors
///
/// [`EngineError::Store`] when the database fails.
pub fn next<S: EngineStore>(
    engine: &mut Engine<S>,
    dispatcher: &mut Dispatcher,
    accounts: &[AccountKey],
    now: Timestamp,
    schedule: Schedule,
) -> Result<(Next, Vec<RecordedEvent>), EngineError> {
    let (mut waiting, mut events) = (Next::Idle, Vec::new());
    for &key in accounts {
        let (found, more) = next_of_account(engine, dispatcher, key, now, schedule)?;
        events.extend(more);
        match found {
            Next::Work(_) | Next::Written => return Ok((found, events)),
            Next::Waiting(obstacle, until) => waiting = earlier(waiting, obstacle, until),
            Next::Idle => {}
        }
    }
    Ok((waiting, events))
}

/// What is due of one account. What is most urgent is looked at first, because mostly it may leave.
fn next_of_account<S: EngineStore>(
    engine: &mut Engine<S>,
    dispatcher: &mut Dispatcher,
    key: AccountKey,
    now: Timestamp,
    schedule: Schedule,
) -> Result<(Next, Vec<RecordedEvent>), EngineError> {
    let account = engine.reads().account(key)?.account;
    let mut events = engine.warn_of_lateness(dispatcher, (key, &account.id), now)?;
    let is_frozen = engine.is_frozen(&account, now)?;
    let mut found = Next::Idle;
    for look in [LOOK_FIRST, LOOK_MAX] {
        let calls = engine.reads().due_calls_of(key, now, look)?;
        let (has_written, retried) = engine.retry_calls(&calls, now, schedule)?;
        events.extend(retried);
        if has_written {
            return Ok((Next::Written, events));
        }
        let due = calls.iter().map(|call| call.record.clone()).collect::<Vec<_>>();
        let work = |chosen: &[CallRecord], is_payment| {
            let calls = chosen.iter().filter_map(|record| of_record(&calls, record)).collect();
            Next::Work(Work { account: key, id: account.id.clone(), calls, is_payment })
        };
        found = match dispatcher.choose(&account.id, &due, is_frozen, now) {
            Choice::Pay(chosen) => return Ok((work(&chosen, true), events)),
            Choice::Query(chosen) => return Ok((work(&chosen, false), events)),
            Choice::Wait(obstacle, until) => {
                if obstacle == Obstacle::SpendingCeiling {
                    let of_account = (key, account.id.as_str());
                    events.extend(engine.warn_of_ceiling(dispatcher, of_account, (&due, until), now)?);
                }
                Next::Waiting(obstacle, until)
            }
            Choice::Nothing => Next::Idle,
        };
        let is_everything = u32::try_from(calls.len()).is_ok_and(|number| number < look);
        if is_everything {
            break;
        }
    }
    Ok((found, events))
}

/// The stored call of a record.
fn of_record(calls: &[StoredCall], record: &CallRecord) -> Option<StoredCall> {
    let is_same = |other: &CallRecord| other.named() == record.named() && other.slot() == record.slot();
    calls.iter().find(|call| is_same(&call.record)).cloned()
}

/// The wait that ends first.
fn earlier(waiting: Next, obstacle: Obstacle, until: Option<Timestamp>) -> Next {
    match waiting {
        Next::Waiting(_, Some(before)) if until.is_none_or(|until| before <= until) => waiting,
        Next::Waiting(..) | Next::Idle | Next::Written | Next::Work(_) => Next::Waiting(obstacle, until),
    }
}

impl Work {
    /// Takes in what was read of the calls, or why it could not be, and writes those as sent that are to be paid for and are as
    /// they were before. Only what is returned may leave, once, and only after this has returned.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails; then nothing may leave.
    pub fn take_readings<S: EngineStore>(
        &self,
        engine: &mut Engine<S>,
        dispatcher: &mut Dispatcher,
        readings: Result<Vec<ReadBack>, ReadFailure>,
        now: Timestamp,
        schedule: Schedule,
    ) -> Result<(Vec<StoredCall>, Vec<RecordedEvent>), EngineError> {
        let ids = self.calls.iter().map(CallId::of).collect::<Vec<_>>();
        let failure = match readings {
            Ok(readings) if readings.len() == ids.len() => {
                dispatcher.observe(&self.id, Api::Read, Health::Answered, now);
                let readings = ids.into_iter().zip(readings).collect::<Vec<_>>();
                if self.is_payment {
                    return engine.begin_calls(&readings, now, schedule);
                }
                return Ok((Vec::new(), engine.record_readings(&readings, now, schedule)?));
            }
            // An answer about something else is none.
            Ok(_) | Err(ReadFailure::Failed) => Health::Failed,
            Err(ReadFailure::Throttled(seconds)) => Health::Throttled(seconds),
            Err(ReadFailure::Stopped) => return Ok((Vec::new(), Vec::new())),
        };
        dispatcher.observe(&self.id, Api::Read, failure, now);
        Ok((Vec::new(), engine.put_off_calls(&ids, now, schedule)?))
    }

    /// Takes in what the cloud said to the calls that were written as sent; what has no reply is in doubt.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database fails; after the next start the calls are in doubt.
    pub fn take_replies<S: EngineStore>(
        &self,
        engine: &mut Engine<S>,
        dispatcher: &mut Dispatcher,
        (sent, replies): (&[StoredCall], Vec<Reply>),
        now: Timestamp,
        schedule: Schedule,
    ) -> Result<Vec<RecordedEvent>, EngineError> {
        let replies = replies.into_iter().chain(std::iter::repeat(Reply::from(Response::Unproven)));
        let replies = sent.iter().map(CallId::of).zip(replies).collect::<Vec<_>>();
        dispatcher.observe(&self.id, Api::Pay, health(&replies), now);
        engine.record_replies(&replies, now, schedule)
    }

    fn records(&self) -> Vec<CallRecord> {
        self.calls.iter().map(|call| call.record.clone()).collect()
    }
}

/// Does one thing that is due at `now`: tries again what was declined, pays for a batch, or queries one.
///
/// # Errors
///
/// [`EngineError::Store`] when the database fails.
pub fn step<S: EngineStore>(
    engine: &mut Engine<S>,
    dispatcher: &mut Dispatcher,
    cloud: &mut dyn Cloud,
    now: Timestamp,
    schedule: Schedule,
) -> Result<Progress, EngineError> {
    let accounts = engine.reads().accounts_with_due_calls(now)?;
    let work = match next(engine, dispatcher, &accounts, now, schedule)?.0 {
        Next::Work(work) => work,
        Next::Written => return Ok(Progress::Worked),
        Next::Idle => return Ok(Progress::Idle),
        Next::Waiting(obstacle, until) => return Ok(Progress::Waiting(obstacle, until)),
    };
    let readings = cloud.read(&work.id, &work.records(), now);
    if readings == Err(ReadFailure::Stopped) {
        return Ok(Progress::Stopped);
    }
    let (sent, _) = work.take_readings(engine, dispatcher, readings, now, schedule)?;
    if sent.is_empty() {
        return Ok(Progress::Worked);
    }
    let records = sent.iter().map(|call| call.record.clone()).collect::<Vec<_>>();
    let Ok(responses) = cloud.change(&work.id, &records, now) else {
        return Ok(Progress::Stopped);
    };
    let replies = responses.into_iter().map(Reply::from).collect();
    work.take_replies(engine, dispatcher, (&sent, replies), now, schedule)?;
    Ok(Progress::Worked)
}

/// What the replies to one call say of the API's health: one that tells to wait does, whatever the others say.
fn health(replies: &[(CallId, Reply)]) -> Health {
    let mut health = Health::Failed;
    for (_, reply) in replies {
        match reply.response {
            Response::Declined { class: DeclineClass::Throttled, retry_after } => {
                return Health::Throttled(retry_after);
            }
            Response::Accepted | Response::Completed | Response::Declined { .. } => health = Health::Answered,
            Response::NotConnected | Response::Unproven => {}
        }
    }
    health
}
