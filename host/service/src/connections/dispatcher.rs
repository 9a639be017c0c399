//! The dispatcher of calls: while the host runs, what is due of connected accounts is read, paid for and read back.
//!
//! There is no queue: a call is a row, written in the transaction that decided on it, and what is due next is asked of the
//! database. So a crash loses nothing, and what was under way is in doubt afterwards. One call of an account is under way at
//! a time, of many accounts at once; nothing waits on the writer's thread. Knows no protocol: the engine says what is next.

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use perennial_domain::connected::dispatch::Api;
use perennial_domain::connected::dispatch::Dispatcher;
use perennial_domain::connected::dispatch::Obstacle;
use perennial_domain::connected::dispatch::SendingLimits;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connected::schedule::Schedule;
use perennial_domain::connector::Capabilities;
use perennial_domain::connector::Driver;
use perennial_domain::connector::MutationName;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::EngineTx;
use perennial_engine::connected::ReadFailure;
use perennial_engine::connected::run;
use perennial_engine::connected::run::Next;
use perennial_engine::connected::run::Work;
use perennial_engine::error::EngineError;
use perennial_engine::persist::RecordedEvent;
use perennial_store::calls::StoredCall;
use perennial_store::calls::gates;
use perennial_store::connections;
use perennial_store::engine_store::EngineReads;
use perennial_store::keys::AccountKey;
use tokio::task::Id;
use tokio::task::JoinSet;

use crate::connections::account;
use crate::connections::account::ConnectError;
use crate::connections::cloud::Batch;
use crate::connections::cloud::batch_of;
use crate::either::first_ready;
use crate::error::ServiceError;
use crate::service::Service;

/// The most accounts whose providers are called at once.
const CONCURRENT_MAX: usize = 32;
/// How long to wait before looking again for what is due: a call may have been written without an event.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How long to wait before looking for what is due of other accounts while calls of some are under way.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// How long to wait after the database failed.
const FAILURE_DELAY: Duration = Duration::from_secs(5);

/// Sends calls for as long as the host runs.
pub struct CallDispatcher {
    shared: Arc<DispatcherState>,
    workers: JoinSet<()>,
    /// The running workers: their task, and the account that each calls the provider of.
    running: Vec<(Id, AccountKey)>,
    /// Whether it was said that the ceiling on spending holds something back.
    has_warned: bool,
}

/// What the dispatcher's workers have in common.
struct DispatcherState {
    service: Service,
    schedule: Schedule,
    /// Locked on the writer's thread only, so nobody waits for it.
    lanes: Mutex<Lanes>,
}

/// The quotas and breakers of all accounts, and whose were read from the database.
struct Lanes {
    dispatcher: Dispatcher,
    restored: BTreeSet<AccountKey>,
    /// Whether the providers' quotas are not kept.
    is_unmetered: bool,
}

impl CallDispatcher {
    /// A dispatcher for the accounts of a host.
    pub fn new(service: &Service) -> CallDispatcher {
        let (settings, _) = service.connections();
        let lanes = Lanes {
            dispatcher: Dispatcher::new(SendingLimits::DEFAULT),
            restored: BTreeSet::new(),
            is_unmetered: settings.is_unmetered,
        };
        let shared = DispatcherState {
            service: service.clone(),
            schedule: Schedule::DEFAULT,
            lanes: Mutex::new(lanes),
        };
        CallDispatcher {
            shared: Arc::new(shared),
            workers: JoinSet::new(),
            running: Vec::new(),
            has_warned: false,
        }
    }

    /// Sends calls until the host stops; then waits for those under way.
    pub async fn run(mut self) {
        let service = self.shared.service.clone();
        let mut changes = service.writer().changes();
        let mut stopping = service.shutdown_signal();
        let mut is_resumed = false;
        while !*stopping.borrow() {
            // A commit from here on wakes this loop again.
            changes.borrow_and_update();
            if !is_resumed {
                is_resumed = self.resume().await;
            }
            let wait = if is_resumed { self.start_workers().await } else { FAILURE_DELAY };
            let ended = async {
                match self.workers.join_next_with_id().await {
                    Some(Ok((id, ()))) => Some(id),
                    Some(Err(error)) => Some(error.id()),
                    None => pending().await,
                }
            };
            let is_calling = !self.running.is_empty();
            let changed = async {
                if is_calling {
                    // Most of what is written while calls are under way is what they came to.
                    tokio::time::sleep(LOOK_INTERVAL).await;
                }
                // The sender lives as long as the service.
                drop(changes.changed().await);
                None
            };
            let timer = async {
                tokio::time::sleep(wait).await;
                None
            };
            let stopped = async {
                drop(stopping.changed().await);
                None
            };
            let ended = first_ready(first_ready(ended, changed), first_ready(timer, stopped)).await;
            self.running.retain(|(id, _)| Some(*id) != ended);
        }
        while self.workers.join_next().await.is_some() {}
    }

    /// Puts in doubt what was under way when the host ended; returns whether that is written.
    async fn resume(&self) -> bool {
        let shared = Arc::clone(&self.shared);
        let service = shared.service.clone();
        let resumed = service.writer().call(move |writer| {
            let mut lanes = shared.lanes.lock().expect("no holder of the lanes panics");
            let now = writer.now();
            let events = writer.engine.resume_calls(&mut lanes.dispatcher, now, shared.schedule);
            writer.publisher().publish(&events.map_err(ServiceError::from)?);
            Ok::<_, ServiceError>(())
        });
        match resumed.await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "the calls that were under way cannot be read");
                false
            }
        }
    }

    /// Starts a worker for all that is due. Returns how long to wait before looking again.
    async fn start_workers(&mut self) -> Duration {
        while self.running.len() < CONCURRENT_MAX {
            match self.next().await {
                Ok(Some((Next::Work(work), driver))) => {
                    let account = work.account;
                    let task = self.workers.spawn(carry_out(Arc::clone(&self.shared), work, driver));
                    self.running.push((task.id(), account));
                    self.has_warned = false;
                }
                Ok(Some((Next::Written, _))) => {}
                Ok(Some((Next::Waiting(Obstacle::SpendingCeiling, until), _))) => {
                    if !std::mem::replace(&mut self.has_warned, true) {
                        let until = until.map(|until| until.to_string());
                        tracing::error!(
                            until,
                            "renewals wait, because more would be spent within an hour than is allowed; \
                             `perennial account limit-spending` raises that"
                        );
                    }
                    return POLL_INTERVAL;
                }
                Ok(Some((Next::Idle | Next::Waiting(..), _)) | None) => return POLL_INTERVAL,
                Err(error) => {
                    tracing::warn!(%error, "the calls that are due cannot be read");
                    return FAILURE_DELAY;
                }
            }
        }
        POLL_INTERVAL
    }

    /// What is due; `None` when nothing can be.
    async fn next(&self) -> Result<Option<(Next, Driver)>, ServiceError> {
        let service = &self.shared.service;
        let now = service.now();
        let due = service.read(move |db| Ok::<_, ServiceError>(db.accounts_with_due_calls(now)?)).await?;
        let is_busy = |account: &AccountKey| self.running.iter().any(|(_, busy)| busy == account);
        let due = due.into_iter().filter(|account| !is_busy(account)).collect::<Vec<_>>();
        if due.is_empty() || service.writer().is_advancing() {
            return Ok(None);
        }
        let shared = Arc::clone(&self.shared);
        let found = service.writer().call(move |writer| {
            let mut lanes = shared.lanes.lock().expect("no holder of the lanes panics");
            let now = writer.now();
            let found = writer.engine.in_transaction(|engine| {
                lanes.prepare(engine, &due)?;
                let (next, events) = run::next(engine, &mut lanes.dispatcher, &due, now, shared.schedule)?;
                // What it takes of the quotas is stored with what is read, before anything that changes something leaves.
                let driver = match &next {
                    Next::Work(work) => engine.db().driver(work.account)?.unwrap_or(Driver::Watch),
                    Next::Written | Next::Idle | Next::Waiting(..) => Driver::Watch,
                };
                Ok::<_, EngineError>((next, driver, events))
            });
            let (next, driver, events) = found.map_err(ServiceError::from)?;
            writer.publisher().publish(&events);
            Ok::<_, ServiceError>((next, driver))
        });
        found.await.map(Some)
    }
}

impl Lanes {
    /// Says what the operators of these accounts allow, and goes on from where their quotas were.
    fn prepare(&mut self, engine: &EngineTx<'_>, accounts: &[AccountKey]) -> Result<(), EngineError> {
        let db = engine.db();
        self.dispatcher.pause_all(gates::paused(db)?.is_some());
        for &key in accounts {
            let account = db.account(key)?.account;
            let Some(stored) = connections::get(db, &account.id)? else { continue };
            let connector = engine.providers().get(&account.provider).and_then(|it| it.connector());
            let limits = connector.map_or(SendingLimits::DEFAULT, |it| limits_of(it.capabilities()));
            let limits = SendingLimits { spending_per_hour: stored.spending_per_hour, ..limits };
            let limits = if self.is_unmetered { unmetered(limits) } else { limits };
            self.dispatcher.set_limits(&account.id, limits);
            self.dispatcher.pause(&account.id, stored.paused.is_some());
            if self.restored.insert(key) {
                for api in Api::ALL {
                    if let Some(gate) = gates::get(db, key, api)? {
                        self.dispatcher.restore_gate(&account.id, api, gate);
                    }
                }
            }
        }
        Ok(())
    }

    /// Stores where the quotas and breakers of an account are.
    fn save(&mut self, engine: &EngineTx<'_>, work: &Work) -> Result<(), EngineError> {
        for api in Api::ALL {
            gates::set(engine.tx(), work.account, api, &self.dispatcher.gate(&work.id, api))?;
        }
        Ok(())
    }
}

/// What the provider publishes of its quotas: the tightest, because a call is not assigned to an API before it is made up. What
/// each API takes is counted again when it is called.
fn limits_of(capabilities: &Capabilities) -> SendingLimits {
    let per_minute = |calls: u32, seconds: u32| calls.saturating_mul(60) / seconds.max(1);
    let apis = &capabilities.apis;
    let calls_per_minute = apis.iter().map(|api| per_minute(api.calls, api.seconds)).min();
    let burst = apis.iter().map(|api| api.calls).min();
    SendingLimits {
        calls_per_minute: calls_per_minute.unwrap_or(SendingLimits::DEFAULT.calls_per_minute),
        burst: burst.unwrap_or(SendingLimits::DEFAULT.burst),
        batch: capabilities.limit(MutationName::Renew).map_or(1, batch_of),
        ..SendingLimits::DEFAULT
    }
}

/// The same without quotas.
fn unmetered(limits: SendingLimits) -> SendingLimits {
    SendingLimits { calls_per_minute: 60_000_000, burst: 1_000_000, ..limits }
}

/// Reads the calls of `work`, sends those that are to be paid for and are as they were, and writes down what came of it.
async fn carry_out(shared: Arc<DispatcherState>, work: Work, driver: Driver) {
    let id = work.id.clone();
    if let Err(error) = try_to_carry_out(&shared, work, driver).await {
        tracing::warn!(account = id, %error, "calls are put off");
    }
}

async fn try_to_carry_out(
    shared: &Arc<DispatcherState>,
    work: Work,
    driver: Driver,
) -> Result<(), ConnectError> {
    let service = &shared.service;
    let connected = match account::connect(service, &work.id).await {
        Ok(connected) => Arc::new(connected),
        Err(error) => {
            shared.take_readings(work, Err(ReadFailure::Failed)).await?;
            return Err(error);
        }
    };
    let (_, caller) = service.connections();
    let at = service.now();
    let batch = Batch::load(service, work, at).await?;
    let readings = batch.read(service, &connected, at).await?;
    let sent = shared.take_readings(batch.work().clone(), readings).await?;
    if sent.is_empty() {
        return Ok(());
    }
    let replies = batch.send(caller, &connected, driver, &sent).await;
    // What was said is known to nobody else: it is written until it is, or the host ends and the calls are in doubt.
    let mut stopping = service.shutdown_signal();
    loop {
        let (work, sent, replies) = (batch.work().clone(), sent.clone(), replies.clone());
        let written = shared.write(move |engine, lanes, now, schedule| {
            let taken = work.take_replies(engine, &mut lanes.dispatcher, (&sent, replies), now, schedule)?;
            lanes.save(engine, &work)?;
            Ok(((), taken))
        });
        let Err(error) = written.await else { return Ok(()) };
        tracing::error!(account = batch.work().id, %error, "what a provider said to calls is not written yet");
        let waited = async {
            tokio::time::sleep(FAILURE_DELAY).await;
            false
        };
        let stopped = async { stopping.wait_for(|is_stopping| *is_stopping).await.is_ok() };
        if first_ready(waited, stopped).await {
            return Ok(());
        }
    }
}

impl DispatcherState {
    async fn take_readings(
        self: &Arc<Self>,
        work: Work,
        readings: Result<Vec<ReadBack>, ReadFailure>,
    ) -> Result<Vec<StoredCall>, ServiceError> {
        self.write(move |engine, lanes, now, schedule| {
            let taken = work.take_readings(engine, &mut lanes.dispatcher, readings, now, schedule)?;
            lanes.save(engine, &work)?;
            Ok(taken)
        })
        .await
    }

    /// Writes on the writer's thread, in one transaction, and publishes what happened.
    async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(
            &mut EngineTx<'_>,
            &mut Lanes,
            Timestamp,
            Schedule,
        ) -> Result<(T, Vec<RecordedEvent>), EngineError>
        + Send
        + 'static,
    ) -> Result<T, ServiceError> {
        let shared = Arc::clone(self);
        let written = self.service.writer().call(move |writer| {
            let mut lanes = shared.lanes.lock().expect("no holder of the lanes panics");
            let now = writer.now();
            let written =
                writer.engine.in_transaction(|engine| work(engine, &mut lanes, now, shared.schedule));
            let (result, events) = written.map_err(ServiceError::from)?;
            writer.publisher().publish(&events);
            Ok::<_, ServiceError>(result)
        });
        written.await
    }
}
