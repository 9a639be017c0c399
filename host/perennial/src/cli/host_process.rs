//! A host while it runs: its listeners, its webhooks and its writer, until a signal comes. Reads no configuration.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::thread::JoinHandle;

use anyhow::Context as _;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::error::EngineError;
use perennial_engine::rules::Providers;
use perennial_http::Router;
use perennial_http::console;
use perennial_http::faults::Faults;
use perennial_http::provider_api as endpoint;
use perennial_http::provider_api::ProviderApiServer;
use perennial_http::server::listener::Listener;
use perennial_http::server::listener::TlsAcceptor;
use perennial_http::state::AppState;
use perennial_service::channels::dispatcher::ChannelDispatcher;
use perennial_service::channels::dispatcher::ChannelSender;
use perennial_service::connections::dispatcher::CallDispatcher;
use perennial_service::connections::refresher;
use perennial_service::secrets::SecretBox;
use perennial_service::service::Service;
use perennial_service::webhooks::client::Client;
use perennial_service::webhooks::dispatcher::WebhookDispatcher;
use perennial_service::writer::WriterHandle;
use perennial_store::ReadTx;
use perennial_store::Store;
use perennial_store::clock;
use perennial_store::clock::ClockState;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::cli::UserError;
use crate::cli::listeners;
use crate::cli::listeners::Listeners;
use crate::cli::run;
use crate::cli::start;
use crate::config::Config;

/// The name of the threads of a provider's own API.
const PROVIDER_THREAD: &str = "provider-api";

/// What a host needs that does not depend on the database.
pub(super) struct Setup {
    pub(super) config: Config,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) client: Client,
    pub(super) sender: ChannelSender,
    pub(super) secret_box: Option<SecretBox>,
    pub(super) providers: Providers,
    pub(super) endpoints: Vec<ProviderListener>,
}

/// A provider's own API that is to be served: its provider, its address, and what opens its keys.
pub(super) type ProviderListener = (String, SocketAddr, SecretBox);

/// What a host runs with beside its setup.
pub(super) struct RunOptions {
    /// Where a virtual clock stands; `None` for the real one.
    pub(super) clock: Option<Timestamp>,
    pub(super) listeners: Listeners,
    pub(super) signals: mpsc::Receiver<()>,
    pub(super) faults: Option<Faults>,
}

impl Setup {
    /// Takes the addresses that the configuration names.
    pub(super) async fn bind(&self) -> anyhow::Result<Listeners> {
        let providers = self.endpoints.iter().map(|(provider, address, _)| (provider.as_str(), *address));
        listeners::bind(&self.config, providers, self.tls.as_ref()).await
    }
}

/// Serves a database that nothing else is known of, at the address of a configuration that names nothing but that, on
/// virtual time from `start` on. `announce` is told where it listens.
///
/// # Errors
///
/// When it cannot be served.
pub(super) fn serve_store(
    db: &Path,
    store: Store,
    config: Config,
    providers: Providers,
    start: Timestamp,
    announce: &dyn Fn(SocketAddr) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let client = Client::new(false, None).map_err(|error| UserError::Argument(error.to_string()))?;
    let sender =
        ChannelSender::new(false, None, None).map_err(|error| UserError::Argument(error.to_string()))?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let setup =
        Setup { config, tls: None, client, sender, secret_box: None, providers, endpoints: Vec::new() };
    let listeners = runtime.block_on(setup.bind())?;
    let signals =
        run::stop_on_signals(Arc::new(AtomicBool::new(false))).context("cannot listen for signals")?;
    announce(listeners.admin.address()?)?;
    let started =
        Service::start(store, db, setup.providers.clone(), Some(start), setup.config.limits.clone())?;
    let options = RunOptions { clock: Some(start), listeners, signals, faults: None };
    run_host(&runtime, db, started, setup, options)
}

/// Serves the database of a host that was started until a signal comes; `faults` are put in front of the providers' own APIs.
///
/// # Errors
///
/// The first error of the whole run.
pub(super) fn run_host(
    runtime: &Runtime,
    db: &Path,
    (host, writer): (Service, WriterHandle),
    setup: Setup,
    options: RunOptions,
) -> anyhow::Result<()> {
    let Setup { config, client, sender, secret_box, endpoints, .. } = setup;
    let RunOptions { clock, listeners, signals, faults } = options;
    start::say_trust(&config.trust);
    let is_virtual = clock.is_some();
    host.configure_webhooks(config.webhooks.clone());
    host.configure_connections(config.connections.clone())?;
    if let Some(secret_box) = secret_box {
        host.set_secret_box(secret_box);
    }
    let writer = stop_with(writer, &host);
    let served = runtime.block_on(async {
        let state = AppState::new(host.clone());
        let endpoints = provider_servers(&state, endpoints, listeners.providers)?;
        let listener = listeners.admin;
        tracing::info!(db = %db.display(), address = %listener.address()?, "the host serves");
        stop_on(signals, &host);
        run_listeners(&host, listener, &state, with_faults(&state, endpoints, faults), (client, sender)).await
    });
    // A reader that is left when the writer is gone leaves a log beside the database. That may have been moved meanwhile.
    let clock = ReadTx::open(db).and_then(|db| clock::state(&db));
    stop(&host, writer, served)?;
    match clock {
        Ok(ClockState { kind: None, .. }) if is_virtual => tracing::info!(
            "the host stopped; nothing was done on its virtual clock, so the database keeps none: name an instant again to go on, \
             and with `perennial run` it would live on the present"
        ),
        Ok(clock) => run::say_stopped("the host stopped", clock),
        Err(error) => tracing::info!(%error, "the host stopped; nothing was left half done"),
    }
    Ok(())
}

/// Has each listener of a provider's own API answered for by its server; nothing is answered before [`run_listeners`].
fn provider_servers(
    state: &AppState,
    endpoints: Vec<ProviderListener>,
    listeners: Vec<Listener>,
) -> anyhow::Result<Vec<(Listener, ProviderApiServer)>> {
    let mut servers = Vec::new();
    for ((provider, _, secret_box), listener) in endpoints.into_iter().zip(listeners) {
        let endpoint = ProviderApiServer::new(state, &provider, secret_box)?;
        tracing::info!(provider, address = %listener.address()?, "the host serves a provider's own API");
        let listener = listener.with_refusals(endpoint::serve::refusals(&endpoint));
        servers.push((listener, endpoint));
    }
    Ok(servers)
}

/// The routers of the providers' own APIs, each behind the faults of a sandbox if it is one.
fn with_faults(
    state: &AppState,
    endpoints: Vec<(Listener, ProviderApiServer)>,
    faults: Option<Faults>,
) -> Vec<(Listener, Router)> {
    let router = |endpoint| match &faults {
        Some(faults) => {
            perennial_http::faults::wrap(state, faults.clone(), endpoint::serve::router(endpoint))
        }
        None => endpoint::serve::router(endpoint),
    };
    endpoints.into_iter().map(|(listener, endpoint)| (listener, router(endpoint))).collect()
}

/// Has the host stop at the first signal.
fn stop_on(signals: mpsc::Receiver<()>, host: &Service) {
    let host = host.clone();
    std::thread::spawn(move || {
        // The channel closes only with the process.
        if signals.recv().is_ok() {
            host.begin_shutdown();
        }
    });
}

/// Serves the admin API, the providers' own APIs, the webhooks and the channels until the host stops.
async fn run_listeners(
    host: &Service,
    listener: Listener,
    state: &AppState,
    endpoints: Vec<(Listener, Router)>,
    (client, sender): (Client, ChannelSender),
) -> anyhow::Result<()> {
    let channels = tokio::spawn(ChannelDispatcher::new(host, sender).run());
    let webhooks = tokio::spawn(WebhookDispatcher::new(host, client).run());
    let calls = tokio::spawn(CallDispatcher::new(host).run());
    let inventories = tokio::spawn(refresher::run(host.clone()));
    let console = console::router(state).context("the system has no random bits for the key of sessions")?;
    let apart = endpoints.into_iter().map(|(listener, router)| serve_apart(host, listener, router));
    let apart = apart.collect::<anyhow::Result<Vec<_>>>()?;
    let served = tokio::spawn(listener.serve(console, stopped(host)));
    let panicked = "a listener panicked; the log says why";
    served.await.context(panicked)?;
    for listener in apart {
        listener.await.context(panicked)?;
    }
    inventories.await.context("reading inventories failed; the log says why")?;
    calls.await.context("sending calls to providers failed; the log says why")?;
    webhooks.await.context("sending to webhooks failed; the log says why")?;
    channels.await.context("sending to channels failed; the log says why")
}

/// Serves a provider's own API on threads of its own, half as many as there are processors: no other connection waits behind
/// those of its clients, who have proved nothing yet. What is returned is ready once it has ended.
fn serve_apart(host: &Service, listener: Listener, router: Router) -> anyhow::Result<oneshot::Receiver<()>> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(processors.div_ceil(2)).thread_name(PROVIDER_THREAD).enable_all();
    let runtime = runtime.build().context("cannot start threads")?;
    let (ended, end) = oneshot::channel();
    let serving = listener.serve(router, stopped(host));
    let thread = std::thread::Builder::new().name(PROVIDER_THREAD.to_owned());
    let serve = move || {
        runtime.block_on(serving);
        // Nobody waits any more when another listener failed.
        let _ = ended.send(());
    };
    thread.spawn(serve).context("cannot start threads")?;
    Ok(end)
}

/// Ready once the host stops.
fn stopped(host: &Service) -> impl Future<Output = ()> + Send + use<> {
    let mut stopping = host.shutdown_signal();
    async move {
        // The sender lives as long as the host.
        drop(stopping.wait_for(|stopping| *stopping).await);
    }
}

/// Waits for the thread that writes, and reports the first error of the whole run.
fn stop(host: &Service, writer: WriterThread, served: anyhow::Result<()>) -> anyhow::Result<()> {
    host.close_readers();
    host.writer().stop();
    let ended = writer.join().and_then(|ended| ended);
    let ended = ended.map_err(|_| anyhow::anyhow!("the thread that writes panicked; the log says why"))?;
    served?;
    Ok(ended?)
}

/// The thread that waits for the thread that writes.
type WriterThread = JoinHandle<std::thread::Result<Result<(), EngineError>>>;

/// Has the host stop when the thread that writes ends for any reason: a host whose clock stands must not seem healthy.
fn stop_with(writer: WriterHandle, host: &Service) -> WriterThread {
    let host = host.clone();
    std::thread::spawn(move || {
        let ended = writer.join();
        host.begin_shutdown();
        ended
    })
}
