//! The time. The only file that reads it or waits for it; everywhere else it is an argument.
//!
//! [`run`] is the clock on real time. It decides nothing: it asks the engine for everything that is due, and waits.

use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use std::time::Instant;

use perennial_domain::timeline_walk::LOOK_BACK;
use perennial_domain::timestamp::Timestamp;

use crate::Engine;
use crate::Sink;
use crate::error::EngineError;
use crate::persist::RecordedEvent;
use perennial_store::ReadTx;
use perennial_store::clock;
use perennial_store::events;

/// A gap of more than this many seconds in which the host did nothing was an outage: what was missed in it is caught up on.
/// A shorter one, such as a restart, was none: everything happens as though the host had been up.
pub const OUTAGE_AFTER: i64 = LOOK_BACK;
/// The longest wait between two ticks, in seconds: it says how far the clock has come even when nothing is due.
const HEARTBEAT: i64 = 10;
/// How long [`run`] waits before it tries again to write to a full disk.
const STORAGE_PAUSE: Duration = Duration::from_secs(1);

/// How far the database's clock is ahead of `now`, in seconds: the system's was ahead once, or is behind now.
pub fn seconds_behind(ticked_at: Option<Timestamp>, now: Timestamp) -> i64 {
    ticked_at.map_or(0, |ticked_at| (ticked_at - now).max(0))
}

/// Says once when the system's clock falls behind the database, and once when it no longer is.
#[derive(Clone, Copy, Debug)]
pub struct ClockWatch {
    is_behind: bool,
}

impl ClockWatch {
    /// Begins at `now`; what is so already was said at the start.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the database fails.
    pub fn start(db: &ReadTx, now: Timestamp) -> Result<ClockWatch, EngineError> {
        Ok(ClockWatch { is_behind: seconds_behind(clock::ticked_at(db)?, now) > OUTAGE_AFTER })
    }

    /// Looks at `now`, and returns whether the clock is behind.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the database fails.
    pub fn observe(&mut self, db: &ReadTx, now: Timestamp) -> Result<bool, EngineError> {
        let behind_seconds = seconds_behind(clock::ticked_at(db)?, now);
        let is_behind = behind_seconds > OUTAGE_AFTER;
        match (self.is_behind, is_behind) {
            (false, true) => warn_behind(behind_seconds, now),
            (true, false) => tracing::info!(%now, "the system's clock is no longer behind the database"),
            (false, false) | (true, true) => {}
        }
        self.is_behind = is_behind;
        Ok(is_behind)
    }
}

/// Says in the log that the system's clock is behind the database, and what that means.
pub(crate) fn warn_behind(behind_seconds: i64, now: Timestamp) {
    tracing::error!(
        behind_seconds,
        %now,
        "the system's clock is behind the database, whose clock was ahead or whose machine is wrong: what is due by the \
         present time is done, but what was done ahead of it stays done; check the system's clock"
    );
}

/// The present instant, from the system's clock.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn now() -> Timestamp {
    Timestamp::from_second(chrono::Utc::now().timestamp())
}

/// Runs the clock until something is received on `stop`, telling `observe` what happens. A full disk is waited for.
///
/// # Errors
///
/// [`EngineError`] when the database fails.
pub fn run(
    engine: &mut Engine,
    stop: &Receiver<()>,
    observe: &mut dyn FnMut(&RecordedEvent),
) -> Result<(), EngineError> {
    let mut last_active = LastActive::default();
    let mut watch = ClockWatch::start(engine.db(), now())?;
    let mut is_full = false;
    loop {
        let patience = match turn(engine, last_active, &mut watch, observe) {
            Ok(patience) => {
                if is_full {
                    tracing::info!("the database can be written to again");
                }
                is_full = false;
                last_active = LastActive::at(now());
                patience
            }
            Err(EngineError::Store(error)) if error.is_storage_full() => {
                if !is_full {
                    tracing::error!(%error, "nothing is written any more, and the clock waits for space");
                }
                is_full = true;
                STORAGE_PAUSE
            }
            Err(error) => return Err(error),
        };
        match stop.recv_timeout(patience) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// Does what is due, and says how long there is nothing to do.
fn turn(
    engine: &mut Engine,
    last_active: LastActive,
    watch: &mut ClockWatch,
    observe: &mut dyn FnMut(&RecordedEvent),
) -> Result<Duration, EngineError> {
    tick(engine, now(), last_active, observe)?;
    watch.observe(engine.db(), now())?;
    engine.delete_old_records(now())?;
    engine.note_progress();
    time_to_next_wake(engine, now())
}

/// Until when the host is known to have been up, beside what the database says: what takes it long is no outage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastActive {
    until: Option<Timestamp>,
}

impl LastActive {
    /// It has been up until `now`.
    pub fn at(now: Timestamp) -> LastActive {
        LastActive { until: Some(now) }
    }

    /// It woke at `woken` and has been busy until `now`; if it was down before it woke, the clock is still to find out.
    pub fn after_work(self, woken: Timestamp, now: Timestamp) -> LastActive {
        if self.was_down(woken) { self } else { LastActive::at(now) }
    }

    /// Whether it was down between the last instant of which it is known that it was up, and `now`.
    fn was_down(self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now - until > OUTAGE_AFTER)
    }
}

/// Does everything that is due at `now`: on time, or late if the host was down.
///
/// # Errors
///
/// [`EngineError`] when the database fails.
pub fn tick(
    engine: &mut Engine,
    now: Timestamp,
    last_active: LastActive,
    observe: &mut dyn FnMut(&RecordedEvent),
) -> Result<(), EngineError> {
    let mut sink = |events: Vec<RecordedEvent>, _| events.iter().for_each(&mut *observe);
    let Some(due) = start_tick(engine, now, last_active, &mut sink)? else { return Ok(()) };
    while !engine.is_stopped() && due.step(engine, &mut sink)? {}
    Ok(())
}

/// What the clock has to do at an instant, batch by batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueWork {
    /// Everything up to this instant.
    until: Timestamp,
    /// Whether the host was down until then: what was missed is made up for.
    is_late: bool,
}

impl DueWork {
    /// Does the next batch; returns whether more may be.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the database fails.
    pub fn step(self, engine: &mut Engine, sink: &mut Sink<'_>) -> Result<bool, EngineError> {
        if self.is_late { engine.late_step(self.until, sink) } else { engine.step(self.until, sink) }
    }

    /// Whether the host was down.
    pub fn is_late(self) -> bool {
        self.is_late
    }
}

/// Says that the clock starts again, if the host was down until `now`, and what there is to do; `None` when it is nothing.
///
/// # Errors
///
/// [`EngineError`] when the database fails.
pub fn start_tick(
    engine: &mut Engine,
    now: Timestamp,
    last_active: LastActive,
    sink: &mut Sink<'_>,
) -> Result<Option<DueWork>, EngineError> {
    engine.reschedule()?;
    match clock::ticked_at(engine.db())? {
        Some(ticked_at) if now - ticked_at > OUTAGE_AFTER && last_active.was_down(now) => {
            // A host that ended while it caught up, or waited for space, has told of it already; if it was down again since,
            // that is another outage.
            let outage = events::last_outage(engine.db())?.filter(|(_, down_since)| *down_since >= ticked_at);
            let down_since = outage.map_or(ticked_at, |(at, _)| at);
            if now - down_since > OUTAGE_AFTER {
                engine.resume(down_since, now, sink)?;
            }
            Ok(Some(DueWork { until: now, is_late: true }))
        }
        // A clock that was set back has nothing to say, but what is due is due.
        Some(ticked_at) if now <= ticked_at && engine.next_wake()?.is_none_or(|wake| wake > now) => Ok(None),
        Some(_) | None => Ok(Some(DueWork { until: now, is_late: false })),
    }
}

/// How long there is nothing to do: until something is due, but not so long that the clock seems to stand still.
///
/// # Errors
///
/// [`EngineError`] when the database fails.
pub fn time_to_next_wake(engine: &Engine, now: Timestamp) -> Result<Duration, EngineError> {
    let wake = engine.next_wake()?.unwrap_or(Timestamp::MAX);
    Ok(Duration::from_secs((wake - now).clamp(1, HEARTBEAT).unsigned_abs()))
}

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    started_at: Instant,
}

impl Stopwatch {
    /// How long it is since it was started, in microseconds.
    pub(crate) fn micros(self) -> u64 {
        Duration::from_secs_f64(self.seconds()).as_micros().try_into().unwrap_or(u64::MAX)
    }

    /// Starts to measure now.
    pub fn start() -> Stopwatch {
        Stopwatch { started_at: Instant::now() }
    }

    /// Seconds since then.
    pub fn seconds(self) -> f64 {
        self.started_at.elapsed().as_secs_f64()
    }
}
