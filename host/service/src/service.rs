//! The running host: one value that owns the writer, the readers, the rules, the tokens, the metrics and the limits.

use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use tokio::sync::watch;

use crate::admin_tokens::Tokens;
use crate::connections::Connections;
use crate::connections::caller::Caller;
use crate::error::ServiceError;
use crate::limits::Limits;
use crate::limits::Webhooks;
use crate::memory;
use crate::metrics::MeteredRules;
use crate::metrics::Metrics;
use crate::provider_keys::KeyUsage;
use crate::readers::Readers;
use crate::readers::ReadersError;
use crate::secrets::SecretBox;
use crate::tls::CertificatesError;
use crate::writer::ClockMode;
use crate::writer::Writer;
use crate::writer::WriterHandle;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::clock;
use perennial_engine::error::EngineError;
use perennial_engine::rules::Providers;
use perennial_engine::start;
use perennial_store::Store;
use perennial_store::clock as ticks;
use perennial_store::clock::ClockKind;
use perennial_store::clock::ClockState;
use perennial_store::error::StoreError;

/// How long a host that stops waits for its readers.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// Where the virtual clock of the database stands; `None` for a database that lives on real time, or on none yet.
fn virtual_present(db: &ReadTx) -> Result<Option<Timestamp>, StoreError> {
    Ok(match ticks::state(db)? {
        ClockState { ticked_at: Some(ticked_at), kind: Some(ClockKind::Virtual) } => Some(ticked_at + 1),
        ClockState { .. } => None,
    })
}

/// The running host. Clones share everything.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Writer,
    readers: Readers,
    /// One thread, for what watches the host.
    watched_reader: Readers,
    providers: Providers,
    tokens: Arc<Tokens>,
    metrics: Arc<Metrics>,
    limits: Limits,
    generation: i64,
    webhooks: OnceLock<Webhooks>,
    shutdown: watch::Sender<bool>,
    secret_box: OnceLock<SecretBox>,
    connections: OnceLock<(Connections, Caller)>,
}

/// Why a host cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database or the engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The readers cannot be opened.
    #[error(transparent)]
    Readers(#[from] ReadersError),
    /// The system gives no thread for the writer.
    #[error("cannot start the thread that writes: {0}")]
    Thread(#[from] std::io::Error),
}

impl Service {
    /// Starts a host on the database at `path`, which `store` has open for writing. `start` makes the clock virtual: it
    /// stands there.
    ///
    /// # Errors
    ///
    /// [`StartError`] when the database cannot be read or lives on another clock, or the system gives no threads.
    pub fn start(
        store: Store,
        path: &Path,
        providers: Providers,
        start: Option<Timestamp>,
        limits: Limits,
    ) -> Result<(Service, WriterHandle), StartError> {
        store.say_host();
        let time = start.map_or(ClockMode::Real, ClockMode::Virtual);
        Service::start_with(store, path, providers, (time, true), limits)
    }

    /// Starts a host for commands on the database at `path`, which `store` has open for writing. Nobody does the clock's
    /// work: a command finds the present where the clock of the database is, and does what is due before it for its own
    /// bundle only.
    ///
    /// # Errors
    ///
    /// [`StartError`] when the database cannot be read, or the system gives no threads.
    pub fn start_idle(
        store: Store,
        path: &Path,
        providers: Providers,
        limits: Limits,
    ) -> Result<(Service, WriterHandle), StartError> {
        let stands_at = virtual_present(store.db()).map_err(EngineError::from)?;
        Service::start_with(
            store,
            path,
            providers,
            (stands_at.map_or(ClockMode::Idle, ClockMode::Virtual), false),
            limits,
        )
    }

    /// Starts a host that only looks at the database at `path`, also while another one works on it. It refuses whatever
    /// would write.
    ///
    /// # Errors
    ///
    /// [`StartError`] when the database cannot be read, or the system gives no threads.
    pub fn start_looking(path: &Path, providers: Providers, limits: Limits) -> Result<Service, StartError> {
        let metrics = Arc::new(Metrics::default());
        let tokens = Arc::new(Tokens::default());
        let db = ReadTx::open(path).map_err(EngineError::from)?;
        let stands_at = virtual_present(&db).map_err(EngineError::from)?;
        let inner = Inner {
            writer: Writer::absent(stands_at, Arc::clone(&metrics)),
            readers: Readers::open(path, limits.readers)?,
            watched_reader: Readers::open(path, 1)?,
            providers: MeteredRules::wrap_all(providers, &metrics),
            tokens,
            metrics,
            limits,
            generation: 0,
            webhooks: OnceLock::new(),
            shutdown: watch::Sender::new(false),
            secret_box: OnceLock::new(),
            connections: OnceLock::new(),
        };
        Ok(Service { inner: Arc::new(inner) })
    }

    fn start_with(
        store: Store,
        path: &Path,
        providers: Providers,
        (time, is_host): (ClockMode, bool),
        limits: Limits,
    ) -> Result<(Service, WriterHandle), StartError> {
        memory::keep_little();
        let metrics = Arc::new(Metrics::default());
        let tokens = Arc::new(Tokens::default());
        tokens.load(store.db()).map_err(EngineError::from)?;
        let providers = MeteredRules::wrap_all(providers, &metrics);
        let readers = Readers::open(path, limits.readers)?;
        let watched_reader = Readers::open(path, 1)?;
        let engine = Engine::new(store, providers.clone(), Retention::Everything)
            .with_batch_size(limits.batch)
            .with_decision_days(limits.decision_days)
            .with_client_tokens_max(limits.client_tokens_per_account_max)
            .with_wakes_per_hour_max(limits.wakes_per_hour_max)
            .with_two_people(limits.limit_raise_people > 1)
            .with_failure_limits(limits.failure_limits());
        let (kind, now) = match time {
            ClockMode::Virtual(start) => (ClockKind::Virtual, start),
            ClockMode::Real | ClockMode::Idle => (ClockKind::Real, clock::now()),
        };
        start::check_clock(engine.db(), kind, now)?;
        let mut engine = engine.with_clock(kind);
        engine.notice_set_back(now)?;
        match is_host {
            true => drop(engine.bind_loaded(now)?),
            false => engine.bind_loaded_where_nothing_is(now)?,
        }
        let generation = engine.generation();
        let (writer, running) = Writer::start(engine, time, Arc::clone(&metrics), Arc::clone(&tokens))?;
        let inner = Inner {
            writer,
            readers,
            watched_reader,
            providers,
            tokens,
            metrics,
            limits,
            generation,
            webhooks: OnceLock::new(),
            shutdown: watch::Sender::new(false),
            secret_box: OnceLock::new(),
            connections: OnceLock::new(),
        };
        Ok((Service { inner: Arc::new(inner) }, running))
    }

    /// The present instant of the host's clock.
    pub fn now(&self) -> Timestamp {
        self.inner.writer.now()
    }

    /// The thread that writes.
    pub fn writer(&self) -> &Writer {
        &self.inner.writer
    }

    /// Runs `work` on one snapshot of the database, on a reader's thread.
    ///
    /// # Errors
    ///
    /// Those of `work`.
    pub async fn read<T: Send + 'static, E: From<ServiceError> + Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.inner.readers.read(work).await
    }

    /// Like [`Service::read`], on the thread for what watches the host, which no other read keeps busy.
    ///
    /// # Errors
    ///
    /// Those of `work`.
    pub async fn read_watched<T: Send + 'static, E: From<ServiceError> + Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.inner.watched_reader.read(work).await
    }

    /// The rules of each provider.
    pub fn providers(&self) -> &Providers {
        &self.inner.providers
    }

    /// The admin tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.inner.tokens
    }

    /// Reloads the admin tokens. Call it after they changed in the database.
    ///
    /// # Errors
    ///
    /// [`ServiceError`] when they cannot be read.
    pub async fn reload_tokens(&self) -> Result<(), ServiceError> {
        let tokens = Arc::clone(&self.inner.tokens);
        self.read(move |db| Ok(tokens.load(db)?)).await
    }

    /// Sets the box that seals secrets. Only the first call has an effect.
    pub fn set_secret_box(&self, secret_box: SecretBox) {
        self.inner.secret_box.get_or_init(|| secret_box);
    }

    /// Sets how providers are called; without it, [`Connections::DEFAULT`] holds.
    ///
    /// # Errors
    ///
    /// [`CertificatesError`] when the file of certificates cannot be used.
    pub fn configure_connections(&self, settings: Connections) -> Result<(), CertificatesError> {
        let caller = Caller::new(&settings)?;
        // The first configuration holds: it is set once, at the start.
        drop(self.inner.connections.set((settings, caller)));
        Ok(())
    }

    /// How providers are called, and what calls them.
    pub fn connections(&self) -> &(Connections, Caller) {
        self.inner.connections.get_or_init(|| {
            let caller = Caller::new(&Connections::DEFAULT).expect("no file of certificates is read");
            (Connections::DEFAULT, caller)
        })
    }

    /// The box that seals and opens secrets; `None` without a secrets key.
    pub fn secret_box(&self) -> Option<&SecretBox> {
        self.inner.secret_box.get()
    }

    /// The uses of provider keys that are not stored yet.
    pub fn key_usage(&self) -> &KeyUsage {
        self.inner.writer.key_usage()
    }

    /// The counters and gauges of the host.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// The limits that the configuration sets.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// How often the database was set back, as far as it was noticed.
    pub fn generation(&self) -> i64 {
        self.inner.generation
    }

    /// Sets how events are sent to webhooks. Call it before the first delivery; only the first call has an effect.
    pub fn configure_webhooks(&self, webhooks: Webhooks) {
        self.inner.webhooks.get_or_init(|| webhooks);
    }

    /// How events are sent to webhooks; without configuration, only to public addresses.
    pub fn webhooks(&self) -> &Webhooks {
        self.inner.webhooks.get().unwrap_or(&Webhooks::DEFAULT)
    }

    /// A receiver that becomes true when the host begins to stop. Endless tasks watch it.
    pub fn shutdown_signal(&self) -> watch::Receiver<bool> {
        self.inner.shutdown.subscribe()
    }

    /// Closes the readers' connections, so that the writer's is the last one, and its end leaves the database's file whole.
    /// Call it when nothing reads any more. A read that goes on for longer than a few seconds is left alone.
    pub fn close_readers(&self) {
        for readers in [&self.inner.readers, &self.inner.watched_reader] {
            if !readers.close(CLOSE_PATIENCE) {
                tracing::warn!("a read goes on: the log of the database stays beside it");
            }
        }
    }

    /// Begins to stop the host.
    pub fn begin_shutdown(&self) {
        self.inner.shutdown.send_replace(true);
        self.inner.writer.stop_advancing();
    }
}
