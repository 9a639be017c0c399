//! What every handler has at hand: the writer, the readers, the rules, the tokens and the limits.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;

use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::sync::watch;

use crate::api::auth::Tokens;
use crate::api::config::Limits;
use crate::api::config::Webhooks;
use crate::api::metrics::Metered;
use crate::api::metrics::Metrics;
use crate::api::problem::Kind;
use crate::api::problem::Problem;
use crate::api::readers::Readers;
use crate::api::writer;
use crate::api::writer::Running;
use crate::api::writer::Time;
use crate::api::writer::Writer;
use crate::endpoint::keys::Used;
use crate::engine::Engine;
use crate::engine::Keep;
use crate::engine::error::EngineError;
use crate::engine::rules::Providers;
use crate::secrets::Sealer;
use crate::store::Store;

/// Tokens' ids with their idempotency keys.
type Keys = BTreeSet<(Arc<str>, String)>;

/// The host, as handlers know it. Clones are the same host.
#[derive(Clone)]
pub struct Host {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Writer,
    readers: Readers,
    providers: Providers,
    tokens: Arc<Tokens>,
    metrics: Arc<Metrics>,
    limits: Limits,
    webhooks: OnceLock<Webhooks>,
    free: Arc<Semaphore>,
    forecasts: Arc<Semaphore>,
    calendars: Arc<Semaphore>,
    slots: Arc<Mutex<BTreeMap<Arc<str>, usize>>>,
    in_flight: Arc<Mutex<Keys>>,
    stopping: watch::Sender<bool>,
    sealer: OnceLock<Sealer>,
}

/// Why a host could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database or the engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// There is no thread for the writer.
    #[error("cannot start the thread that writes: {0}")]
    Thread(#[from] std::io::Error),
}

impl Host {
    /// Starts a host on the database at `path`, which `store` has open for writing. On virtual time the clock starts at
    /// `start` or, if the database has been further, there.
    ///
    /// # Errors
    ///
    /// [`StartError`] when the database cannot be read.
    pub fn start(
        store: Store,
        path: &Path,
        providers: Providers,
        start: Option<Timestamp>,
        limits: Limits,
    ) -> Result<(Host, Running), StartError> {
        let metrics = Arc::new(Metrics::default());
        let tokens = Arc::new(Tokens::default());
        tokens.load(store.read()).map_err(EngineError::from)?;
        let providers = Metered::all(providers, &metrics);
        let readers = Readers::open(path, limits.readers).map_err(EngineError::from)?;
        let engine = Engine::new(store, providers.clone(), Keep::Everything).with_batches_of(limits.batch);
        let time = match start {
            Some(start) => writer::virtual_start(&engine, start).map_err(EngineError::from)?,
            None => Time::Real,
        };
        let (writer, running) = Writer::start(engine, time, Arc::clone(&metrics), Arc::clone(&tokens))?;
        let inner = Inner {
            writer,
            readers,
            providers,
            tokens,
            metrics,
            free: Arc::new(Semaphore::new(limits.concurrency_max)),
            forecasts: Arc::new(Semaphore::new(1)),
            calendars: Arc::new(Semaphore::new(1)),
            limits,
            webhooks: OnceLock::new(),
            slots: Arc::default(),
            in_flight: Arc::default(),
            stopping: watch::Sender::new(false),
            sealer: OnceLock::new(),
        };
        Ok((Host { inner: Arc::new(inner) }, running))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.inner.writer.now()
    }

    /// The thread that writes.
    pub fn writer(&self) -> &Writer {
        &self.inner.writer
    }

    /// Reads the database, on a thread that may wait for a disk.
    ///
    /// # Errors
    ///
    /// Those of `work`.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.inner.readers.read(work).await
    }

    /// The rules of each provider.
    pub fn providers(&self) -> &Providers {
        &self.inner.providers
    }

    /// Who may call.
    pub fn tokens(&self) -> &Tokens {
        &self.inner.tokens
    }

    /// Reads the tokens anew, after they changed.
    ///
    /// # Errors
    ///
    /// [`Problem`] when they cannot be read.
    pub async fn reload_tokens(&self) -> Result<(), Problem> {
        let tokens = Arc::clone(&self.inner.tokens);
        self.read(move |db| Ok(tokens.load(db)?)).await
    }

    /// Keeps secrets sealed with `sealer` from now on; the first one counts.
    pub fn keep_secrets_with(&self, sealer: Sealer) {
        self.inner.sealer.get_or_init(|| sealer);
    }

    /// What seals secrets and reads them again, if there is a key for it.
    pub fn sealer(&self) -> Option<&Sealer> {
        self.inner.sealer.get()
    }

    /// When each provider key was last used, until that is written down.
    pub fn keys_used(&self) -> &Used {
        self.inner.writer.keys_used()
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// What requests may take.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Says how events are sent to webhooks, once, before anybody asks.
    pub fn send_webhooks_as(&self, webhooks: Webhooks) {
        self.inner.webhooks.get_or_init(|| webhooks);
    }

    /// How events are sent to webhooks; unless it was said, only to public addresses.
    pub fn webhooks(&self) -> &Webhooks {
        self.inner.webhooks.get().unwrap_or(&Webhooks::DEFAULT)
    }

    /// How many more requests the host takes on.
    pub fn free(&self) -> &Arc<Semaphore> {
        &self.inner.free
    }

    /// How many more forecasts the host makes at once; each takes a processor and a copy of the database.
    pub fn forecasts(&self) -> &Arc<Semaphore> {
        &self.inner.forecasts
    }

    /// How many more calendars the host refreshes at once: one, so that what is shown of an entry changes in one place.
    pub fn calendars(&self) -> &Arc<Semaphore> {
        &self.inner.calendars
    }

    /// A place among the requests that one token may have under way.
    ///
    /// # Errors
    ///
    /// [`Kind::TooManyRequests`] when there is none left.
    pub fn slot(&self, token: &Arc<str>) -> Result<Slot, Problem> {
        let mut slots = self.inner.slots.lock().expect("no holder of the slots panics");
        let taken = slots.entry(Arc::clone(token)).or_default();
        if *taken >= self.inner.limits.concurrency_per_token_max {
            let detail = format!("a token has at most {taken} requests under way");
            return Err(Problem::new(Kind::TooManyRequests, detail).retry_after(1));
        }
        *taken += 1;
        Ok(Slot { slots: Arc::clone(&self.inner.slots), token: Arc::clone(token) })
    }

    /// Begins a request with an idempotency key; it is under way until what is returned is dropped.
    ///
    /// # Errors
    ///
    /// [`Kind::KeyInFlight`] when one with the same key is.
    pub fn begin(&self, token: &Arc<str>, key: &str) -> Result<InFlight, Problem> {
        let entry = (Arc::clone(token), key.to_owned());
        let mut in_flight = self.inner.in_flight.lock().expect("no holder of the keys panics");
        if !in_flight.insert(entry.clone()) {
            return Err(Problem::new(Kind::KeyInFlight, "wait for its answer, then ask again").retry_after(1));
        }
        Ok(InFlight { in_flight: Arc::clone(&self.inner.in_flight), entry })
    }

    /// Becomes true when the host begins to stop; what goes on for ever ends then.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.inner.stopping.subscribe()
    }

    /// Says that the host begins to stop.
    pub fn begin_to_stop(&self) {
        self.inner.stopping.send_replace(true);
    }
}

/// A place among the requests that one token may have under way.
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Mutex<BTreeMap<Arc<str>, usize>>>,
    token: Arc<str>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut slots = self.slots.lock().expect("no holder of the slots panics");
        if let Some(taken) = slots.get_mut(&self.token) {
            *taken -= 1;
            if *taken == 0 {
                slots.remove(&self.token);
            }
        }
    }
}

/// A request with an idempotency key that is under way.
#[derive(Debug)]
pub struct InFlight {
    in_flight: Arc<Mutex<Keys>>,
    entry: (Arc<str>, String),
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.in_flight.lock().expect("no holder of the keys panics").remove(&self.entry);
    }
}
