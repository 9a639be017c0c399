//! The writer: one thread that owns the engine. It does the clock's work in batches and runs queued tasks between them.
//!
//! Everything that writes is a task of this thread, so a decision never races with another write. Real time comes from
//! [`perennial_engine::clock`]; virtual time stands still until `advance` moves it.

mod advance;
mod thread;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread::JoinHandle;

use perennial_domain::timestamp::Timestamp;
use perennial_store::keys::JobKey;
use perennial_store::keys::RowKey;
use tokio::sync::oneshot;
use tokio::sync::watch;

use crate::admin_tokens::Tokens;
use crate::error::ServiceError;
use crate::event_publisher::EventPublisher;
use crate::metrics::Metrics;
use crate::provider_keys::KeyUsage;
use crate::storage_state::SharedState;
use crate::storage_state::StorageState;
use perennial_engine::Engine;
use perennial_engine::clock;
use perennial_engine::error::EngineError;

pub use self::advance::ADVANCE_MAX;
pub use crate::writer_context::ClockMode;
pub use crate::writer_context::WriterContext;

/// The most tasks in the queue; a full queue is [`ServiceError::Busy`].
const QUEUE_MAX: usize = 1024;

/// A task of the writer's thread.
type WriteTask = Box<dyn FnOnce(&mut WriterContext) + Send>;

/// A handle to the writer's thread. Clones share the thread.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::SyncSender<WriteTask>,
    stop: Arc<AtomicBool>,
    is_ending: Arc<AtomicBool>,
    now: Arc<AtomicI64>,
    advances: Arc<AtomicUsize>,
    is_virtual: bool,
    publisher: EventPublisher,
    key_usage: Arc<KeyUsage>,
    storage: Arc<SharedState>,
}

/// The join handle of the thread.
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
            ClockMode::Real | ClockMode::Idle => 0,
            ClockMode::Virtual(now) => now.as_second(),
        }));
        let publisher = EventPublisher::new(metrics);
        let engine = engine.with_stop_flag(Arc::clone(&stop));
        let advances = Arc::<AtomicUsize>::default();
        let is_ending = Arc::<AtomicBool>::default();
        let key_usage = Arc::<KeyUsage>::default();
        let storage = Arc::<SharedState>::default();
        let context = WriterContext {
            engine,
            time,
            now: Arc::clone(&now),
            advances: Arc::clone(&advances),
            publisher: publisher.clone(),
            tokens,
            key_usage: Arc::clone(&key_usage),
            storage: Arc::clone(&storage),
            stored_responses: BTreeMap::new(),
            stop: Arc::clone(&stop),
            is_ending: Arc::clone(&is_ending),
            last_job: JobKey::before_all(),
        };
        let is_virtual = matches!(time, ClockMode::Virtual(_));
        let writer = Writer {
            queue,
            stop: Arc::clone(&stop),
            is_ending,
            now,
            advances,
            is_virtual,
            publisher,
            key_usage,
            storage,
        };
        let thread = std::thread::Builder::new().name("writer".to_owned());
        let running = thread.spawn(move || thread::run(context, &tasks, &stop))?;
        Ok((writer, running))
    }

    /// A writer without a thread, which refuses every task: for a host that only looks. `now` is where the clock stands, if
    /// it is a virtual one.
    pub(crate) fn absent(now: Option<Timestamp>, metrics: Arc<Metrics>) -> Writer {
        Writer {
            queue: mpsc::sync_channel(0).0,
            stop: Arc::new(AtomicBool::new(true)),
            is_ending: Arc::default(),
            now: Arc::new(AtomicI64::new(now.map_or(0, Timestamp::as_second))),
            advances: Arc::default(),
            is_virtual: now.is_some(),
            publisher: EventPublisher::new(metrics),
            key_usage: Arc::default(),
            storage: Arc::default(),
        }
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        if self.is_virtual { Timestamp::from_second(self.now.load(Ordering::SeqCst)) } else { clock::now() }
    }

    /// Whether the clock is virtual.
    pub fn is_virtual(&self) -> bool {
        self.is_virtual
    }

    /// The uses of provider keys since the last maintenance.
    pub fn key_usage(&self) -> &KeyUsage {
        &self.key_usage
    }

    /// Whether the database can be written to, as the last write found it.
    pub fn storage_state(&self) -> StorageState {
        self.storage.get()
    }

    /// Whether a virtual clock is advancing; events may then be later than [`Writer::now`].
    pub(crate) fn is_advancing(&self) -> bool {
        self.advances.load(Ordering::SeqCst) > 0
    }

    /// A receiver that changes after every commit with events, and on every [`Writer::wake`].
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.publisher.subscribe()
    }

    /// Wakes everything that waits for changes.
    pub fn wake(&self) {
        self.publisher.wake();
    }

    /// Runs `task` on the thread and returns its result. The task runs even if the caller stops waiting.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Busy`] when the queue is full, [`ServiceError::Stopping`] when the thread has stopped, else the
    /// error of `task`.
    pub async fn call<T: Send + 'static, E: From<ServiceError> + Send + 'static>(
        &self,
        task: impl FnOnce(&mut WriterContext) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (sender, receiver) = oneshot::channel();
        let task: WriteTask = Box::new(move |context| {
            // The caller may have stopped waiting.
            drop(sender.send(task(context)));
        });
        self.queue.try_send(task).map_err(|_| ServiceError::Busy)?;
        receiver.await.unwrap_or_else(|_| Err(ServiceError::Stopping.into()))
    }

    /// Stops the thread after its present task; queued tasks are dropped.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        // The empty task wakes the thread; if the queue is full, the thread is awake already.
        drop(self.queue.try_send(Box::new(|_| {})));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perennial_test_support::world::World;
    use perennial_test_support::world::at;

    /// A context on virtual time, in the year 2026.
    pub(super) fn context() -> WriterContext {
        let stop = Arc::<AtomicBool>::default();
        WriterContext {
            engine: World::account("2026-03-07", "30", vec![]).engine.with_stop_flag(Arc::clone(&stop)),
            time: ClockMode::Virtual(at("2026-03-07")),
            now: Arc::default(),
            advances: Arc::default(),
            publisher: EventPublisher::new(Arc::default()),
            tokens: Arc::default(),
            stop,
            is_ending: Arc::default(),
            last_job: JobKey::before_all(),
            key_usage: Arc::default(),
            storage: Arc::default(),
            stored_responses: BTreeMap::new(),
        }
    }
}
