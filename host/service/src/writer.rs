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
use crate::provider_keys::Used;
use perennial_engine::Engine;
use perennial_engine::clock;
use perennial_engine::clock::Awake;
use perennial_engine::clock::Stopwatch;
use perennial_engine::error::EngineError;
use perennial_engine::write::Recorded;
use perennial_formats::event_text;
use perennial_store::api_tokens;
use perennial_store::error::StoreError;
use perennial_store::idempotency_keys;
use perennial_store::jobs;
use perennial_store::provider_keys;

/// The most errands that wait for the thread; beyond that it is busy.
const ERRANDS_MAX: usize = 1024;
/// How long it goes on with the next errand before it looks at the clock again, in seconds: the clock keeps time however
/// many wait.
const TURN: f64 = 0.1;
/// How often it writes down what can wait, in seconds.
const TIDY_AFTER: f64 = 10.0;
/// How long an answer is kept for whoever asks again with the same idempotency key, in seconds: a week.
const ANSWERS_KEPT: i64 = 7 * 86_400;
/// How long a job is kept after its end, in seconds: thirty days.
const JOBS_KEPT: i64 = 30 * 86_400;

/// What is to be done on the writer's thread.
type Errand = Box<dyn FnOnce(&mut Desk) + Send>;

/// Where the time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// The clock on the wall.
    Real,
    /// It stands at this instant until it is moved. What is due at the instant itself is still to come.
    Virtual(Timestamp),
}

/// What the thread works with.
pub struct Desk {
    /// The engine.
    pub engine: Engine,
    time: Time,
    now: Arc<AtomicI64>,
    moving: Arc<AtomicBool>,
    pulse: Pulse,
    tokens: Arc<Tokens>,
    stop: Arc<AtomicBool>,
    /// The row of the job that had the last round.
    pub(crate) last_job: i64,
    keys_used: Arc<Used>,
}

/// Whom to tell that something was written.
#[derive(Clone)]
pub struct Pulse {
    metrics: Arc<Metrics>,
    changes: watch::Sender<u64>,
}

impl Pulse {
    /// Tells of what happened, after it was written.
    pub fn tell(&self, happened: &[Recorded]) {
        if happened.is_empty() {
            return;
        }
        for recorded in happened {
            self.metrics.observe(&recorded.event);
            let account = recorded.account.as_deref().unwrap_or_default();
            let resource = recorded.event.resource.as_deref().unwrap_or_default();
            tracing::info!(at = %recorded.event.at, account, resource, "{}", event_text::words(&recorded.event));
        }
        self.nudge();
    }

    /// Has those who wait for changes look again, although nothing happened that is worth telling.
    pub fn nudge(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}

impl Desk {
    /// What time it is.
    pub fn now(&self) -> Timestamp {
        match self.time {
            Time::Real => clock::now(),
            Time::Virtual(now) => now,
        }
    }

    /// Whom to tell that something was written.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
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
        let Time::Virtual(now) = self.time else {
            return Err(ServiceError::RealTime);
        };
        if to < now {
            return Err(ServiceError::ClockBackwards { now });
        }
        while !self.stop.load(Ordering::Relaxed) && job_runner::run_slice(self) {}
        let pulse = self.pulse.clone();
        self.moving.store(true, Ordering::SeqCst);
        let moved = self.engine.run_to(to - 1, &mut |happened, _| pulse.tell(&happened));
        let is_there = moved.is_ok() && !self.engine.is_stopped();
        if is_there {
            self.set_now(to);
        }
        self.moving.store(false, Ordering::SeqCst);
        pulse.nudge();
        moved?;
        if !is_there {
            return Err(ServiceError::StoppedMidway);
        }
        Ok(())
    }

    fn set_now(&mut self, to: Timestamp) {
        self.time = Time::Virtual(to);
        self.now.store(to.as_second(), Ordering::SeqCst);
    }

    /// Writes down what can wait, and forgets what is old.
    fn tidy(&mut self) -> Result<(), EngineError> {
        let now = self.now();
        let (used, keys_used) = (self.tokens.take_used(), self.keys_used.take());
        self.engine.atomically(|engine| {
            for (id, at) in &used {
                api_tokens::set_last_used(engine.read(), id, *at)?;
            }
            jobs::delete_oldest(engine.read(), now - JOBS_KEPT)?;
            for (access_key, at) in &keys_used {
                provider_keys::set_last_used(engine.read(), access_key, *at)?;
            }
            provider_keys::delete_expired(engine.read(), now)?;
            idempotency_keys::delete_before(engine.read(), now - ANSWERS_KEPT)
        })?;
        Ok(())
    }
}

/// The way to the thread.
#[derive(Clone)]
pub struct Writer {
    errands: mpsc::SyncSender<Errand>,
    stop: Arc<AtomicBool>,
    now: Arc<AtomicI64>,
    moving: Arc<AtomicBool>,
    is_virtual: bool,
    pulse: Pulse,
    keys_used: Arc<Used>,
}

/// The running thread.
pub type Running = JoinHandle<Result<(), EngineError>>;

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// [`std::io::Error`] when the system gives no thread.
    pub fn start(
        engine: Engine,
        time: Time,
        metrics: Arc<Metrics>,
        tokens: Arc<Tokens>,
    ) -> std::io::Result<(Writer, Running)> {
        let (errands, waiting) = mpsc::sync_channel(ERRANDS_MAX);
        let stop = Arc::new(AtomicBool::new(false));
        let now = Arc::new(AtomicI64::new(match time {
            Time::Real => 0,
            Time::Virtual(now) => now.as_second(),
        }));
        let pulse = Pulse { metrics, changes: watch::Sender::new(0) };
        let engine = engine.stopped_by(Arc::clone(&stop));
        let moving = Arc::new(AtomicBool::new(false));
        let keys_used = Arc::<Used>::default();
        let desk = Desk {
            engine,
            time,
            now: Arc::clone(&now),
            moving: Arc::clone(&moving),
            pulse: pulse.clone(),
            tokens,
            keys_used: Arc::clone(&keys_used),
            stop: Arc::clone(&stop),
            last_job: 0,
        };
        let is_virtual = time != Time::Real;
        let writer = Writer { errands, stop: Arc::clone(&stop), now, moving, is_virtual, pulse, keys_used };
        let thread = std::thread::Builder::new().name("writer".to_owned());
        let running = thread.spawn(move || work(desk, &waiting, &stop))?;
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
    pub fn keys_used(&self) -> &Used {
        &self.keys_used
    }

    /// Whether a virtual clock is on its way from one instant to another: events may be ahead of it.
    pub fn is_moving(&self) -> bool {
        self.moving.load(Ordering::SeqCst)
    }

    /// Changes whenever something was written that is worth telling, or there may be another reason to look.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.pulse.changes.subscribe()
    }

    /// Has those who wait for changes look again.
    pub fn nudge(&self) {
        self.pulse.nudge();
    }

    /// Has `errand` done on the thread and waits for what it answers.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Busy`] when too many wait, [`ServiceError::Stopping`] when the thread has stopped; that of `errand`.
    pub async fn call<T: Send + 'static, E: From<ServiceError> + Send + 'static>(
        &self,
        errand: impl FnOnce(&mut Desk) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (answer, answered) = oneshot::channel();
        let errand: Errand = Box::new(move |desk| {
            // Whoever asked may have gone; what was done is done.
            drop(answer.send(errand(desk)));
        });
        self.errands.try_send(errand).map_err(|_| ServiceError::Busy)?;
        answered.await.unwrap_or_else(|_| Err(ServiceError::Stopping.into()))
    }

    /// Tells the thread to stop after what it is doing; what waits is not done.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        // If it is full the thread is awake, and looks at the flag.
        drop(self.errands.try_send(Box::new(|_| {})));
    }
}

/// The thread's life: the clock, then whoever waits, then one round of a job of many commands, and again.
fn work(mut desk: Desk, waiting: &mpsc::Receiver<Errand>, stop: &AtomicBool) -> Result<(), EngineError> {
    // What was under way when the host stopped goes on.
    let mut has_more = true;
    let mut awake = Awake::default();
    let mut tidied = Stopwatch::start();
    while !stop.load(Ordering::Relaxed) {
        if desk.time == Time::Real {
            tick(&mut desk, awake, waiting, stop)?;
            awake = Awake::until(clock::now());
        }
        if tidied.seconds() >= TIDY_AFTER {
            desk.tidy()?;
            tidied = Stopwatch::start();
        }
        let errand = match desk.time {
            _ if has_more => waiting.try_recv().map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            }),
            Time::Real => waiting.recv_timeout(clock::rest(&desk.engine, clock::now())?),
            Time::Virtual(_) => waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let woken = clock::now();
        match errand {
            Ok(errand) => {
                errand(&mut desk);
                do_waiting(&mut desk, waiting, stop);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        has_more = !stop.load(Ordering::Relaxed) && job_runner::run_slice(&mut desk);
        awake = awake.busy(woken, clock::now());
    }
    desk.tidy()
}

/// Does what is due by now, with the errands that come meanwhile between two batches.
fn tick(
    desk: &mut Desk,
    awake: Awake,
    waiting: &mpsc::Receiver<Errand>,
    stop: &AtomicBool,
) -> Result<(), EngineError> {
    let pulse = desk.pulse.clone();
    let tell = &mut |happened: Vec<Recorded>, _| pulse.tell(&happened);
    let begun = clock::begin(&mut desk.engine, clock::now(), awake, tell)?;
    let Some(due) = begun else { return Ok(()) };
    let observe = &mut |happened: Vec<Recorded>, _| {
        if due.is_late() {
            pulse.metrics.observe_late(&happened);
        }
        pulse.tell(&happened);
    };
    while !stop.load(Ordering::Relaxed) && due.step(&mut desk.engine, observe)? {
        do_waiting(desk, waiting, stop);
    }
    Ok(())
}

/// Does the errands that wait, for one turn.
fn do_waiting(desk: &mut Desk, waiting: &mpsc::Receiver<Errand>, stop: &AtomicBool) {
    let turn = Stopwatch::start();
    while !stop.load(Ordering::Relaxed) && turn.seconds() < TURN {
        match waiting.try_recv() {
            Ok(errand) => errand(desk),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
        }
    }
}

/// Where a virtual clock starts: where it was told to or, on a database that has been further, there.
///
/// # Errors
///
/// [`StoreError`] when the database cannot be read.
pub fn virtual_start(engine: &Engine, wanted: Timestamp) -> Result<Time, StoreError> {
    let ticked_at = perennial_store::clock::ticked_at(engine.read())?;
    Ok(Time::Virtual(ticked_at.map_or(wanted, |ticked_at| wanted.max(ticked_at + 1))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use perennial_test_support::world::World;
    use perennial_test_support::world::at;

    /// An errand that is followed by another one like it, for ten seconds.
    fn endless(errands: mpsc::SyncSender<Errand>, since: Stopwatch) -> Errand {
        Box::new(move |_| {
            if since.seconds() < 10.0 {
                errands.clone().send(endless(errands, since)).unwrap();
            }
        })
    }

    /// What a thread works with on virtual time, in the year 2026.
    fn desk() -> Desk {
        let stop = Arc::<AtomicBool>::default();
        Desk {
            engine: World::account("2026-03-07", "30", vec![]).engine.stopped_by(Arc::clone(&stop)),
            time: Time::Virtual(at("2026-03-07")),
            now: Arc::default(),
            moving: Arc::default(),
            pulse: Pulse { metrics: Arc::default(), changes: watch::Sender::new(0) },
            tokens: Arc::default(),
            stop,
            last_job: 0,
            keys_used: Arc::default(),
        }
    }

    #[test]
    fn a_clock_that_was_stopped_on_its_way_does_not_say_that_it_has_arrived() {
        let mut desk = desk();
        desk.advance(at("2026-03-08")).unwrap();
        desk.stop.store(true, Ordering::Relaxed);
        assert!(matches!(desk.advance(at("2026-03-09")), Err(ServiceError::StoppedMidway)));
        assert_eq!(desk.now(), at("2026-03-08"));
    }

    #[test]
    fn errands_without_end_do_not_keep_the_thread_from_the_clock() {
        let mut desk = desk();
        let (errands, waiting) = mpsc::sync_channel(2);
        errands.send(endless(errands.clone(), Stopwatch::start())).unwrap();
        do_waiting(&mut desk, &waiting, &AtomicBool::new(false));
        assert!(waiting.try_recv().is_ok(), "it went on until nothing waited any more");
    }
}
