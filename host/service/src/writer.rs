//! The writer: one thread that owns the engine, does the clock's work batch by batch, and other work in between.
//!
//! Everything that writes is an errand of this thread, so nothing is ever decided on what somebody else is changing. Real
//! time comes from [`perennial_engine::clock`]; on virtual time the clock stands until somebody moves it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::TryRecvError;
use std::thread::JoinHandle;

use perennial_domain::timestamp::Timestamp;
use tokio::sync::oneshot;
use tokio::sync::watch;

use crate::admin_tokens::Tokens;
use crate::error::ServiceError;
use crate::job_runner;
use crate::metrics::Metrics;
use crate::provider_keys::KeyUsage;
use perennial_engine::Engine;
use perennial_engine::clock;
use perennial_engine::clock::LastActive;
use perennial_engine::clock::Stopwatch;
use perennial_engine::error::EngineError;
use perennial_engine::persist::RecordedEvent;
use perennial_formats::event_text;
use perennial_store::api_tokens;
use perennial_store::error::StoreError;
use perennial_store::idempotency_keys;
use perennial_store::jobs;
use perennial_store::provider_keys;

/// The most errands that wait for the thread; beyond that it is busy.
const QUEUE_MAX: usize = 1024;
/// How long it goes on with the next errand before it looks at the clock again, in seconds: the clock keeps time however
/// many wait.
const TIME_SLICE: f64 = 0.1;
/// How often it writes down what can wait, in seconds.
const MAINTENANCE_INTERVAL: f64 = 10.0;
/// How long an answer is kept for whoever asks again with the same idempotency key, in seconds: a week.
const IDEMPOTENCY_RETENTION: i64 = 7 * 86_400;
/// How long a job is kept after its end, in seconds: thirty days.
const JOB_RETENTION: i64 = 30 * 86_400;

/// What is to be done on the writer's thread.
type WriteTask = Box<dyn FnOnce(&mut WriterContext) + Send>;

/// Where the time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockMode {
    /// The clock on the wall.
    Real,
    /// It stands at this instant until it is moved. What is due at the instant itself is still to come.
    Virtual(Timestamp),
}

/// What the thread works with.
pub struct WriterContext {
    /// The engine.
    pub engine: Engine,
    time: ClockMode,
    now: Arc<AtomicI64>,
    advancing: Arc<AtomicBool>,
    publisher: EventPublisher,
    tokens: Arc<Tokens>,
    stop: Arc<AtomicBool>,
    /// The row of the job that had the last round.
    pub(crate) last_job: i64,
    key_usage: Arc<KeyUsage>,
}

/// Whom to tell that something was written.
#[derive(Clone)]
pub struct EventPublisher {
    metrics: Arc<Metrics>,
    changes: watch::Sender<u64>,
}

impl EventPublisher {
    /// Tells of what happened, after it was written.
    pub fn publish(&self, events: &[RecordedEvent]) {
        if events.is_empty() {
            return;
        }
        for recorded in events {
            self.metrics.record_event(&recorded.event);
            let account = recorded.account.as_deref().unwrap_or_default();
            let resource = recorded.event.resource.as_deref().unwrap_or_default();
            tracing::info!(at = %recorded.event.at, account, resource, "{}", event_text::words(&recorded.event));
        }
        self.wake();
    }

    /// Has those who wait for changes look again, although nothing happened that is worth telling.
    pub fn wake(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}

impl WriterContext {
    /// What time it is.
    pub fn now(&self) -> Timestamp {
        match self.time {
            ClockMode::Real => clock::now(),
            ClockMode::Virtual(now) => now,
        }
    }

    /// Whom to tell that something was written.
    pub fn publisher(&self) -> EventPublisher {
        self.publisher.clone()
    }

    /// Who may call.
    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Moves a virtual clock to `to`, with everything done that is due before, and before that what jobs have to do.
    ///
    /// # Errors
    ///
    /// [`ServiceError::RealTime`] on real time, [`ServiceError::ClockBackwards`] when `to` is in the past,
    /// [`ServiceError::StoppedMidway`] when the host stops before the clock is there.
    pub fn advance(&mut self, to: Timestamp) -> Result<(), ServiceError> {
        let ClockMode::Virtual(now) = self.time else {
            return Err(ServiceError::RealTime);
        };
        if to < now {
            return Err(ServiceError::ClockBackwards { now });
        }
        while !self.stop.load(Ordering::Relaxed) && job_runner::run_slice(self) {}
        let publisher = self.publisher.clone();
        self.advancing.store(true, Ordering::SeqCst);
        let moved = self.engine.run_to(to - 1, &mut |events, _| publisher.publish(&events));
        let is_there = moved.is_ok() && !self.engine.is_stopped();
        if is_there {
            self.set_now(to);
        }
        self.advancing.store(false, Ordering::SeqCst);
        publisher.wake();
        moved?;
        if !is_there {
            return Err(ServiceError::StoppedMidway);
        }
        Ok(())
    }

    fn set_now(&mut self, to: Timestamp) {
        self.time = ClockMode::Virtual(to);
        self.now.store(to.as_second(), Ordering::SeqCst);
    }

    /// Writes down what can wait, and forgets what is old.
    fn run_maintenance(&mut self) -> Result<(), EngineError> {
        let now = self.now();
        let (used, key_usage) = (self.tokens.take_usage(), self.key_usage.take());
        self.engine.in_transaction(|engine| {
            for (id, at) in &used {
                api_tokens::set_last_used(engine.tx(), id, *at)?;
            }
            jobs::delete_oldest(engine.tx(), now - JOB_RETENTION)?;
            for (access_key, at) in &key_usage {
                provider_keys::set_last_used(engine.tx(), access_key, *at)?;
            }
            provider_keys::delete_expired(engine.tx(), now)?;
            idempotency_keys::delete_before(engine.tx(), now - IDEMPOTENCY_RETENTION)
        })?;
        Ok(())
    }
}

/// The way to the thread.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::SyncSender<WriteTask>,
    stop: Arc<AtomicBool>,
    now: Arc<AtomicI64>,
    advancing: Arc<AtomicBool>,
    is_virtual: bool,
    publisher: EventPublisher,
    key_usage: Arc<KeyUsage>,
}

/// The running thread.
pub type WriterHandle = JoinHandle<Result<(), EngineError>>;

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// [`std::io::Error`] when the system gives no thread.
    pub fn start(
        engine: Engine,
        time: ClockMode,
        metrics: Arc<Metrics>,
        tokens: Arc<Tokens>,
    ) -> std::io::Result<(Writer, WriterHandle)> {
        let (queue, tasks) = mpsc::sync_channel(QUEUE_MAX);
        let stop = Arc::new(AtomicBool::new(false));
        let now = Arc::new(AtomicI64::new(match time {
            ClockMode::Real => 0,
            ClockMode::Virtual(now) => now.as_second(),
        }));
        let publisher = EventPublisher { metrics, changes: watch::Sender::new(0) };
        let engine = engine.with_stop_flag(Arc::clone(&stop));
        let moving = Arc::new(AtomicBool::new(false));
        let keys_used = Arc::<KeyUsage>::default();
        let context = WriterContext {
            engine,
            time,
            now: Arc::clone(&now),
            advancing: Arc::clone(&moving),
            publisher: publisher.clone(),
            tokens,
            key_usage: Arc::clone(&keys_used),
            stop: Arc::clone(&stop),
            last_job: 0,
        };
        let is_virtual = time != ClockMode::Real;
        let writer = Writer {
            queue,
            stop: Arc::clone(&stop),
            now,
            advancing: moving,
            is_virtual,
            publisher,
            key_usage: keys_used,
        };
        let thread = std::thread::Builder::new().name("writer".to_owned());
        let running = thread.spawn(move || run_loop(context, &tasks, &stop))?;
        Ok((writer, running))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        if self.is_virtual { Timestamp::from_second(self.now.load(Ordering::SeqCst)) } else { clock::now() }
    }

    /// Whether the clock stands until it is moved.
    pub fn is_virtual(&self) -> bool {
        self.is_virtual
    }

    /// When each provider key was last used, until that is written down.
    pub fn key_usage(&self) -> &KeyUsage {
        &self.key_usage
    }

    /// Whether a virtual clock is on its way from one instant to another: events may be ahead of it.
    pub fn is_advancing(&self) -> bool {
        self.advancing.load(Ordering::SeqCst)
    }

    /// Changes whenever something was written that is worth telling, or there may be another reason to look.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.publisher.changes.subscribe()
    }

    /// Has those who wait for changes look again.
    pub fn wake(&self) {
        self.publisher.wake();
    }

    /// Has `errand` done on the thread and waits for what it answers.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Busy`] when too many wait, [`ServiceError::Stopping`] when the thread has stopped; that of `errand`.
    pub async fn call<T: Send + 'static, E: From<ServiceError> + Send + 'static>(
        &self,
        task: impl FnOnce(&mut WriterContext) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (answer, answered) = oneshot::channel();
        let task: WriteTask = Box::new(move |context| {
            // Whoever asked may have gone; what was done is done.
            drop(answer.send(task(context)));
        });
        self.queue.try_send(task).map_err(|_| ServiceError::Busy)?;
        answered.await.unwrap_or_else(|_| Err(ServiceError::Stopping.into()))
    }

    /// Tells the thread to stop after what it is doing; what waits is not done.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        // If it is full the thread is awake, and looks at the flag.
        drop(self.queue.try_send(Box::new(|_| {})));
    }
}

/// The thread's life: the clock, then whoever waits, then one round of a job of many commands, and again.
fn run_loop(
    mut context: WriterContext,
    tasks: &mpsc::Receiver<WriteTask>,
    stop: &AtomicBool,
) -> Result<(), EngineError> {
    // What was under way when the host stopped goes on.
    let mut has_more = true;
    let mut last_active = LastActive::default();
    let mut last_maintenance = Stopwatch::start();
    while !stop.load(Ordering::Relaxed) {
        if context.time == ClockMode::Real {
            tick(&mut context, last_active, tasks, stop)?;
            last_active = LastActive::at(clock::now());
        }
        if last_maintenance.seconds() >= MAINTENANCE_INTERVAL {
            context.run_maintenance()?;
            last_maintenance = Stopwatch::start();
        }
        let task = match context.time {
            _ if has_more => tasks.try_recv().map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            }),
            ClockMode::Real => tasks.recv_timeout(clock::time_to_next_wake(&context.engine, clock::now())?),
            ClockMode::Virtual(_) => tasks.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let woken = clock::now();
        match task {
            Ok(task) => {
                task(&mut context);
                drain_queue(&mut context, tasks, stop);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        has_more = !stop.load(Ordering::Relaxed) && job_runner::run_slice(&mut context);
        last_active = last_active.after_work(woken, clock::now());
    }
    context.run_maintenance()
}

/// Does what is due by now, with the errands that come meanwhile between two batches.
fn tick(
    context: &mut WriterContext,
    last_active: LastActive,
    tasks: &mpsc::Receiver<WriteTask>,
    stop: &AtomicBool,
) -> Result<(), EngineError> {
    let publisher = context.publisher.clone();
    let publish = &mut |events: Vec<RecordedEvent>, _| publisher.publish(&events);
    let due_work = clock::start_tick(&mut context.engine, clock::now(), last_active, publish)?;
    let Some(due) = due_work else { return Ok(()) };
    let observe = &mut |events: Vec<RecordedEvent>, _| {
        if due.is_late() {
            publisher.metrics.record_late_attempts(&events);
        }
        publisher.publish(&events);
    };
    while !stop.load(Ordering::Relaxed) && due.step(&mut context.engine, observe)? {
        drain_queue(context, tasks, stop);
    }
    Ok(())
}

/// Does the errands that wait, for one turn.
fn drain_queue(context: &mut WriterContext, tasks: &mpsc::Receiver<WriteTask>, stop: &AtomicBool) {
    let turn = Stopwatch::start();
    while !stop.load(Ordering::Relaxed) && turn.seconds() < TIME_SLICE {
        match tasks.try_recv() {
            Ok(task) => task(context),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
        }
    }
}

/// Where a virtual clock starts: where it was told to or, on a database that has been further, there.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn virtual_start(engine: &Engine, requested: Timestamp) -> Result<ClockMode, StoreError> {
    let ticked_at = perennial_store::clock::ticked_at(engine.db())?;
    Ok(ClockMode::Virtual(ticked_at.map_or(requested, |ticked_at| requested.max(ticked_at + 1))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use perennial_test_support::world::World;
    use perennial_test_support::world::at;

    /// An errand that is followed by another one like it, for ten seconds.
    fn endless(queue: mpsc::SyncSender<WriteTask>, since: Stopwatch) -> WriteTask {
        Box::new(move |_| {
            if since.seconds() < 10.0 {
                queue.clone().send(endless(queue, since)).unwrap();
            }
        })
    }

    /// What a thread works with on virtual time, in the year 2026.
    fn desk() -> WriterContext {
        let stop = Arc::<AtomicBool>::default();
        WriterContext {
            engine: World::account("2026-03-07", "30", vec![]).engine.with_stop_flag(Arc::clone(&stop)),
            time: ClockMode::Virtual(at("2026-03-07")),
            now: Arc::default(),
            advancing: Arc::default(),
            publisher: EventPublisher { metrics: Arc::default(), changes: watch::Sender::new(0) },
            tokens: Arc::default(),
            stop,
            last_job: 0,
            key_usage: Arc::default(),
        }
    }

    #[test]
    fn a_clock_that_was_stopped_on_its_way_does_not_say_that_it_has_arrived() {
        let mut context = desk();
        context.advance(at("2026-03-08")).unwrap();
        context.stop.store(true, Ordering::Relaxed);
        assert!(matches!(context.advance(at("2026-03-09")), Err(ServiceError::StoppedMidway)));
        assert_eq!(context.now(), at("2026-03-08"));
    }

    #[test]
    fn errands_without_end_do_not_keep_the_thread_from_the_clock() {
        let mut context = desk();
        let (queue, tasks) = mpsc::sync_channel(2);
        queue.send(endless(queue.clone(), Stopwatch::start())).unwrap();
        drain_queue(&mut context, &tasks, &AtomicBool::new(false));
        assert!(tasks.try_recv().is_ok(), "it went on until nothing waited any more");
    }
}
