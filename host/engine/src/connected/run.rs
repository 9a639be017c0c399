//! One step of the dispatcher: something that is due is read, paid for or tried again, and written down.
//!
//! Knows the order of transactions and calls, which is what survives a crash. Decides nothing: what goes next is the
//! [`Dispatcher`]'s, what it means the protocol's.

use std::collections::BTreeMap;

use perennial_domain::attempt::DeclineClass;
use perennial_domain::connected::dispatch::Api;
use perennial_domain::connected::dispatch::Choice;
use perennial_domain::connected::dispatch::Dispatcher;
use perennial_domain::connected::dispatch::Health;
use perennial_domain::connected::dispatch::Obstacle;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connected::renewal::Renewal;
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
use crate::connected::Response;
use crate::error::EngineError;

pub use crate::connected::querying::Decision;

/// The most calls that one step looks at.
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
    if engine.retry_calls(now, LOOK_MAX, schedule)?.0 {
        return Ok(Progress::Worked);
    }
    let mut by_account = BTreeMap::<AccountKey, Vec<StoredCall>>::new();
    for call in engine.reads().due_calls(now, LOOK_MAX)? {
        by_account.entry(call.account).or_default().push(call);
    }
    let mut waiting = Progress::Idle;
    for (key, calls) in by_account {
        let account = engine.reads().account(key)?.account.id;
        let due = calls.iter().map(|call| call.renewal.clone()).collect::<Vec<_>>();
        if let Some(late) = dispatcher.alarm(&account, &due, now) {
            let (deadline, renewals, safe_start) = (late.deadline, late.renewals, late.safe_start);
            tracing::error!(
                account,
                %deadline,
                renewals,
                %safe_start,
                "renewals cannot all leave before their deadline: raise the quota, or renew some by hand"
            );
        }
        let step = Step { account: &account, calls: &calls, now, schedule };
        match dispatcher.choose(&account, &due, false, now) {
            Choice::Pay(chosen) => return step.pay(engine, dispatcher, cloud, &chosen),
            Choice::Query(chosen) => return step.query(engine, dispatcher, cloud, &chosen),
            Choice::Wait(obstacle, until) => waiting = earlier(waiting, obstacle, until),
            Choice::Nothing => {}
        }
    }
    Ok(waiting)
}

/// The wait that ends first.
fn earlier(waiting: Progress, obstacle: Obstacle, until: Option<Timestamp>) -> Progress {
    match waiting {
        Progress::Waiting(_, Some(before)) if until.is_none_or(|until| before <= until) => waiting,
        Progress::Waiting(..) | Progress::Idle | Progress::Worked | Progress::Stopped => {
            Progress::Waiting(obstacle, until)
        }
    }
}

/// What a step works on.
struct Step<'a> {
    account: &'a str,
    calls: &'a [StoredCall],
    now: Timestamp,
    schedule: Schedule,
}

impl Step<'_> {
    /// Reads before paying, writes down what leaves, lets it leave, and writes down what came back.
    fn pay<S: EngineStore>(
        &self,
        engine: &mut Engine<S>,
        dispatcher: &mut Dispatcher,
        cloud: &mut dyn Cloud,
        chosen: &[Renewal],
    ) -> Result<Progress, EngineError> {
        let readings = match self.read(engine, dispatcher, cloud, chosen)? {
            Ok(readings) => readings,
            Err(progress) => return Ok(progress),
        };
        let (sent, _) = engine.begin_calls(&readings, self.now, self.schedule)?;
        if sent.is_empty() {
            return Ok(Progress::Worked);
        }
        let renewals = sent.iter().map(|call| call.renewal.clone()).collect::<Vec<_>>();
        let Ok(responses) = cloud.renew(self.account, &renewals, self.now) else {
            return Ok(Progress::Stopped);
        };
        // What has no response is in doubt.
        let responses = responses.into_iter().chain(std::iter::repeat(Response::Unproven));
        let responses = sent.iter().map(CallId::of).zip(responses).collect::<Vec<_>>();
        dispatcher.observe(self.account, Api::Pay, health(&responses), self.now);
        engine.record_responses(&responses, self.now, self.schedule)?;
        Ok(Progress::Worked)
    }

    fn query<S: EngineStore>(
        &self,
        engine: &mut Engine<S>,
        dispatcher: &mut Dispatcher,
        cloud: &mut dyn Cloud,
        chosen: &[Renewal],
    ) -> Result<Progress, EngineError> {
        match self.read(engine, dispatcher, cloud, chosen)? {
            Ok(readings) => {
                engine.record_readings(&readings, self.now, self.schedule)?;
                Ok(Progress::Worked)
            }
            Err(progress) => Ok(progress),
        }
    }

    /// Reads the chosen ones; what cannot be read is looked at later.
    fn read<S: EngineStore>(
        &self,
        engine: &mut Engine<S>,
        dispatcher: &mut Dispatcher,
        cloud: &mut dyn Cloud,
        chosen: &[Renewal],
    ) -> Result<Result<Vec<(CallId, ReadBack)>, Progress>, EngineError> {
        let ids = chosen.iter().filter_map(|renewal| self.id_of(renewal)).collect::<Vec<_>>();
        let failure = match cloud.read(self.account, chosen, self.now) {
            Ok(readings) if readings.len() == chosen.len() => {
                dispatcher.observe(self.account, Api::Read, Health::Answered, self.now);
                return Ok(Ok(ids.into_iter().zip(readings).collect()));
            }
            // An answer about something else is none.
            Ok(_) | Err(ReadFailure::Failed) => Health::Failed,
            Err(ReadFailure::Throttled(seconds)) => Health::Throttled(seconds),
            Err(ReadFailure::Stopped) => return Ok(Err(Progress::Stopped)),
        };
        dispatcher.observe(self.account, Api::Read, failure, self.now);
        engine.put_off_calls(&ids, self.now, self.schedule)?;
        Ok(Err(Progress::Worked))
    }

    fn id_of(&self, renewal: &Renewal) -> Option<CallId> {
        self.calls.iter().find(|call| call.renewal.key() == renewal.key()).map(CallId::of)
    }
}

/// What the responses of one call say of the API's health: one that tells to wait does, whatever the others say.
fn health(responses: &[(CallId, Response)]) -> Health {
    let mut health = Health::Failed;
    for (_, response) in responses {
        match response {
            Response::Declined { class: DeclineClass::Throttled, retry_after } => {
                return Health::Throttled(*retry_after);
            }
            Response::Accepted | Response::Declined { .. } => health = Health::Answered,
            Response::NotConnected | Response::Unproven => {}
        }
    }
    health
}
