//! The loop of the writer's thread.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::TryRecvError;
use std::time::Duration;

use crate::job_runner;
use crate::storage_state::StorageState;
use crate::writer::ClockMode;
use crate::writer::WriteTask;
use crate::writer::WriterContext;
use perennial_engine::clock;
use perennial_engine::clock::ClockWatch;
use perennial_engine::clock::LastActive;
use perennial_engine::clock::Stopwatch;
use perennial_engine::error::EngineError;
use perennial_engine::persist::RecordedEvent;

/// How long the thread runs queued tasks before it looks at the clock again, in seconds.
const TIME_SLICE: f64 = 0.1;
/// How long the thread waits before it tries again to write to a full disk or a file that was moved, in seconds. It runs
/// tasks meanwhile.
const STORAGE_PAUSE: f64 = 1.0;
/// How often the thread looks whether the database's file is still where it was, in seconds.
const WATCH_INTERVAL: f64 = 2.0;
/// How often the thread runs maintenance, in seconds.
const MAINTENANCE_INTERVAL: f64 = 10.0;

/// Runs the thread until it is stopped: due work of the clock, then queued tasks, then one slice of a job, and again.
pub(super) fn run(
    mut context: WriterContext,
    tasks: &mpsc::Receiver<WriteTask>,
    stop: &AtomicBool,
) -> Result<(), EngineError> {
    // Jobs that ran when the host stopped go on.
    let mut has_more = true;
    let mut last_active = LastActive::default();
    let mut last_maintenance = Stopwatch::start();
    let mut watch = ClockWatch::start(context.engine.db(), clock::now())?;
    while !stop.load(Ordering::Relaxed) {
        if context.time == ClockMode::Real {
            let ticked = tick(&mut context, last_active, tasks, stop);
            watch.observe(context.engine.db(), clock::now())?;
            if !is_written(&context, ticked)? {
                wait_for_storage(&mut context, tasks, stop);
                continue;
            }
            last_active = LastActive::at(clock::now());
        }
        if last_maintenance.seconds() >= MAINTENANCE_INTERVAL {
            // It often has nothing to write, so it does not show that there is space.
            let maintained = context.run_maintenance().map(|()| false);
            is_written(&context, maintained)?;
            last_maintenance = Stopwatch::start();
        }
        let task = match context.time {
            ClockMode::Real | ClockMode::Virtual(_) | ClockMode::Idle if has_more => {
                tasks.try_recv().map_err(|error| match error {
                    TryRecvError::Empty => RecvTimeoutError::Timeout,
                    TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
                })
            }
            ClockMode::Real | ClockMode::Virtual(_) | ClockMode::Idle => {
                let patience = patience(&context)?;
                wait_for_task(&mut context, tasks, patience)?
            }
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
    match context.run_maintenance() {
        // Nothing is lost but when tokens were last used.
        Err(EngineError::Store(error)) if error.is_storage_full() => Ok(()),
        ended => ended,
    }
}

/// How long the thread waits for a task: until something is due, and never longer than until it runs maintenance, which gives
/// memory back also where nobody writes and the clock stands.
fn patience(context: &WriterContext) -> Result<Duration, EngineError> {
    let rest = Duration::from_secs_f64(MAINTENANCE_INTERVAL);
    match context.time {
        ClockMode::Real => Ok(clock::time_to_next_wake(&context.engine, clock::now())?.min(rest)),
        ClockMode::Virtual(_) | ClockMode::Idle => Ok(rest),
    }
}

/// Waits for a task for as long as `patience`, and looks meanwhile whether the database is where it was.
fn wait_for_task(
    context: &mut WriterContext,
    tasks: &mpsc::Receiver<WriteTask>,
    patience: Duration,
) -> Result<Result<WriteTask, RecvTimeoutError>, EngineError> {
    let waited = Stopwatch::start();
    loop {
        let left = patience.as_secs_f64() - waited.seconds();
        if left <= 0.0 {
            return Ok(Err(RecvTimeoutError::Timeout));
        }
        match tasks.recv_timeout(Duration::from_secs_f64(left.min(WATCH_INTERVAL))) {
            Err(RecvTimeoutError::Timeout) => context.watch_storage()?,
            received => return Ok(received),
        }
    }
}

/// Whether what was to be written is; `written` says whether there was anything. A full disk, or a file that was moved, is
/// waited for; every other failure ends the thread.
fn is_written(context: &WriterContext, written: Result<bool, EngineError>) -> Result<bool, EngineError> {
    let error = match written {
        Ok(has_written) => {
            if has_written && context.time == ClockMode::Real {
                context.set_storage_state(StorageState::Writable);
            }
            return Ok(true);
        }
        Err(error) => error,
    };
    let EngineError::Store(source) = &error else { return Err(error) };
    match StorageState::of(source) {
        StorageState::Writable => Err(error),
        state @ (StorageState::Full
        | StorageState::Moved
        | StorageState::LogMoved
        | StorageState::Unnoted) => {
            context.set_storage_state(state);
            Ok(false)
        }
    }
}

/// Runs queued tasks until it is time to try again.
fn wait_for_storage(context: &mut WriterContext, tasks: &mpsc::Receiver<WriteTask>, stop: &AtomicBool) {
    let pause = Stopwatch::start();
    while !stop.load(Ordering::Relaxed) && pause.seconds() < STORAGE_PAUSE {
        let left = Duration::from_secs_f64((STORAGE_PAUSE - pause.seconds()).max(0.0));
        match tasks.recv_timeout(left) {
            Ok(task) => task(context),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Does the work that is due now, and drains the queue between batches; returns whether there was any.
fn tick(
    context: &mut WriterContext,
    last_active: LastActive,
    tasks: &mpsc::Receiver<WriteTask>,
    stop: &AtomicBool,
) -> Result<bool, EngineError> {
    let publisher = context.publisher.clone();
    let publish = &mut |events: Vec<RecordedEvent>, _| publisher.publish(&events);
    let due_work = clock::start_tick(&mut context.engine, clock::now(), last_active, publish)?;
    let Some(due) = due_work else { return Ok(false) };
    let observe = &mut |events: Vec<RecordedEvent>, _| {
        if due.is_late() {
            publisher.record_late_attempts(&events);
        }
        publisher.publish(&events);
    };
    while !stop.load(Ordering::Relaxed) && due.step(&mut context.engine, observe)? {
        drain_queue(context, tasks, stop);
    }
    Ok(true)
}

/// Runs queued tasks for at most one time slice.
fn drain_queue(context: &mut WriterContext, tasks: &mpsc::Receiver<WriteTask>, stop: &AtomicBool) {
    let slice = Stopwatch::start();
    while !stop.load(Ordering::Relaxed) && slice.seconds() < TIME_SLICE {
        match tasks.try_recv() {
            Ok(task) => task(context),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::tests::context;
    use perennial_store::audit;
    use perennial_store::audit::Record;
    use perennial_store::testing;

    /// A task that queues another one like it, for ten seconds.
    fn endless(queue: mpsc::SyncSender<WriteTask>, since: Stopwatch) -> WriteTask {
        Box::new(move |_| {
            if since.seconds() < 10.0 {
                queue.clone().send(endless(queue, since)).unwrap();
            }
        })
    }

    #[test]
    fn endless_tasks_do_not_keep_the_thread_from_the_clock() {
        let mut context = context();
        let (queue, tasks) = mpsc::sync_channel(2);
        queue.send(endless(queue.clone(), Stopwatch::start())).unwrap();
        drain_queue(&mut context, &tasks, &AtomicBool::new(false));
        assert!(tasks.try_recv().is_ok(), "it went on until nothing waited any more");
    }

    #[test]
    fn where_the_clock_stands_and_nobody_writes_memory_is_given_back_as_well() {
        let mut context = context();
        for time in [ClockMode::Real, ClockMode::Idle, ClockMode::Virtual(context.now())] {
            context.time = time;
            let patience = patience(&context).unwrap().as_secs_f64();
            assert!(patience <= MAINTENANCE_INTERVAL, "{time:?}: {patience} seconds");
        }
    }

    #[test]
    fn a_full_disk_is_waited_for_and_other_failures_end_the_thread() {
        let mut context = context();
        context.time = ClockMode::Real;
        testing::fill_disk(context.engine.db(), true);
        let record = Record {
            at: context.now(),
            token: "t".to_owned(),
            name: "n".to_owned(),
            request: "r".repeat(1_000),
            account: None,
            resource: None,
            operation: "GET /".to_owned(),
            reason: None,
            status: 401,
            outcome: "unauthorized".to_owned(),
            revision: None,
        };
        let mut write = || {
            let written = context.engine.in_transaction(|engine| audit::insert(engine.tx(), &record));
            written.map(|_| true).map_err(EngineError::from)
        };
        let full = (0..10_000).map(|_| write()).find(Result::is_err).expect("the database grows no further");
        assert!(!is_written(&context, full).unwrap());
        assert_eq!(context.storage.get(), StorageState::Full);
        assert!(is_written(&context, Ok(false)).unwrap());
        assert_eq!(
            context.storage.get(),
            StorageState::Full,
            "nothing was written, so nobody knows of space"
        );
        testing::fill_disk(context.engine.db(), false);
        let written = context.engine.in_transaction(|engine| audit::insert(engine.tx(), &record));
        assert!(is_written(&context, written.map(|_| true).map_err(EngineError::from)).unwrap());
        assert_eq!(context.storage.get(), StorageState::Writable);
        assert!(is_written(&context, Err(EngineError::UnknownAccount("none".to_owned()))).is_err());
    }
}
