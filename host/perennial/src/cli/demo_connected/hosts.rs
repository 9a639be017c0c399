//! The two hosts of the season: the clouds, with faults in front of them, and the broker. Knows how they run and are asked.

use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context as _;
use http_body_util::BodyExt;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header;
use perennial_domain::event::Event;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::rules::Providers;
use perennial_formats::event::read_body;
use perennial_formats::inventory::Inventory;
use perennial_http::Router;
use perennial_http::admin;
use perennial_http::auth::CommandLine;
use perennial_http::faults::Faults;
use perennial_http::provider_api::ProviderApiServer;
use perennial_http::provider_api::serve;
use perennial_http::server::ConnectionLimits;
use perennial_http::server::listener::Listener;
use perennial_http::state::AppState;
use perennial_service::connections::Connections;
use perennial_service::connections::dispatcher::CallDispatcher;
use perennial_service::error::ServiceError;
use perennial_service::limits::Limits;
use perennial_service::secrets::SecretBox;
use perennial_service::service::Service;
use perennial_service::writer::WriterHandle;
use perennial_store::ReadTx;
use perennial_store::Store;
use perennial_store::clock::ClockKind;
use perennial_store::engine_store::EngineReads;
use perennial_store::keys::RowKey;
use perennial_store::list_queries;
use perennial_store::list_queries::EventFilter;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::cli::demo_connected::faults;

/// What seals the secrets of both hosts. They are deleted with the season, and so are the databases.
const SECRETS_KEY: [u8; 32] = [42; 32];
/// How the clouds are called: over loopback, and without the providers' quotas, which nobody keeps here.
const OPEN: Connections = Connections { allow_private: true, is_unmetered: true, ..Connections::DEFAULT };
/// How long everything that is due at one instant may take.
const SETTLE_MAX: Duration = Duration::from_millis(400);
/// How long to wait before looking whether it is done.
const LOOK_EVERY: Duration = Duration::from_millis(4);

/// A host in this process.
pub(super) struct Host {
    service: Service,
    state: AppState,
    router: Router,
    runtime: Runtime,
    writer: WriterHandle,
    path: PathBuf,
    _folder: TempDir,
}

/// The clouds, and the broker that calls them.
pub(super) struct Pair {
    pub(super) cloud: Host,
    pub(super) broker: Host,
    /// Where each provider's own API is served.
    endpoints: Vec<(String, String)>,
}

impl Host {
    fn start(providers: &Providers, inventory: Option<&Inventory>, at: Timestamp) -> anyhow::Result<Host> {
        let folder = tempfile::tempdir().context("cannot make a folder for a database of the demo")?;
        let path = folder.path().join("demo.db");
        let mut engine = Engine::new(Store::open(&path)?, providers.clone(), Retention::Everything)
            .with_clock(ClockKind::Virtual);
        if let Some(inventory) = inventory {
            let bundles = inventory.bundles.iter().map(|it| (it.account.as_str(), &it.bundle));
            engine.import(at - 1, &inventory.accounts, bundles)?;
        }
        let limits = Limits { readers: 2, ..Limits::DEFAULT };
        let (service, writer) =
            Service::start(engine.into_store(), &path, providers.clone(), Some(at), limits)?;
        service.set_secret_box(SecretBox::new(&SECRETS_KEY));
        service.configure_connections(OPEN)?;
        let state = AppState::new(service.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("cannot start threads")?;
        let router = admin::router(&state);
        Ok(Host { service, state, router, runtime, writer, path, _folder: folder })
    }

    /// Asks a route of the admin API.
    ///
    /// # Errors
    ///
    /// When it refuses, with its words.
    pub(super) fn ask(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.try_ask(method, path, body)?
            .map_err(|problem| anyhow::anyhow!("{method} {path}: {}", text(&problem, "detail")))
    }

    /// The same; what it refuses is its problem.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub(super) fn try_ask(
        &self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<Result<Value, Value>> {
        let request = hyper::Request::builder()
            .method(method)
            .uri(path)
            .extension(CommandLine)
            .header(header::CONTENT_TYPE, "application/json");
        let body = if method == "GET" { String::new() } else { body.to_string() };
        let request = request.body(Full::<Bytes>::from(body))?;
        let router = self.router.clone();
        self.runtime.block_on(async move {
            let response = router.oneshot(request).await?;
            let (head, body) = response.into_parts();
            let body =
                body.collect().await.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
            let body = serde_json::from_slice(&body.to_bytes()).unwrap_or(Value::Null);
            Ok(if head.status.is_success() { Ok(body) } else { Err(body) })
        })
    }

    fn advance(&self, to: Timestamp) -> anyhow::Result<()> {
        Ok(self.runtime.block_on(self.service.writer().call(move |writer| writer.advance(to)))?)
    }

    /// When something is to be done about a call next.
    pub(super) fn next_call(&self) -> anyhow::Result<Option<Timestamp>> {
        let read = self.service.read(|db| Ok::<_, ServiceError>(db.next_call_act()?));
        Ok(self.runtime.block_on(read)?)
    }

    /// Waits until no call is due at `now` any more, or what is left waits for the clock.
    pub(super) fn settle(&self, now: Timestamp) -> anyhow::Result<()> {
        let deadline = Instant::now() + SETTLE_MAX;
        while Instant::now() < deadline {
            let is_due = self.next_call()?.is_some_and(|due| due <= now);
            let under_way = self.ask("GET", "/v1/calls?state=calling&limit=1", &Value::Null)?;
            if !is_due && under_way["items"].as_array().is_none_or(Vec::is_empty) {
                return Ok(());
            }
            self.service.writer().wake();
            self.runtime.block_on(async { tokio::time::sleep(LOOK_EVERY).await });
        }
        Ok(())
    }

    /// Every event of an account since `from`, in its order.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(super) fn events(&self, from: Timestamp) -> anyhow::Result<Vec<(String, Event)>> {
        let db = ReadTx::open(&self.path)?;
        let filter = EventFilter { since: Some(from), ..EventFilter::default() };
        let mut events = Vec::new();
        for stored in list_queries::events(&db, &filter, RowKey::before_all(), u32::MAX)? {
            let Some(account) = stored.account else { continue };
            let what = read_body(&stored.kind, &stored.body)
                .map_err(|problems| anyhow::anyhow!("an event of the demo: {problems:?}"))?;
            events.push((account, Event { at: stored.at, resource: stored.resource, what }));
        }
        Ok(events)
    }

    fn stop(self) -> anyhow::Result<()> {
        self.service.begin_shutdown();
        self.service.close_readers();
        self.service.writer().stop();
        let ended = self.writer.join();
        self.runtime.shutdown_background();
        Ok(ended.map_err(|_| anyhow::anyhow!("the thread that writes panicked"))??)
    }
}

impl Pair {
    /// Clouds that have `inventory`, with the faults of `seed`, and a broker that has nothing.
    ///
    /// # Errors
    ///
    /// When a host cannot run.
    pub(super) fn start(
        providers: &Providers,
        inventory: &Inventory,
        at: Timestamp,
        seed: u64,
    ) -> anyhow::Result<Pair> {
        let cloud = Host::start(providers, Some(inventory), at)?;
        let broker = Host::start(providers, None, at)?;
        let rules = faults::of(seed)?;
        let mut endpoints = Vec::new();
        for account in &inventory.accounts {
            let server =
                ProviderApiServer::new(&cloud.state, &account.provider, SecretBox::new(&SECRETS_KEY))?;
            // Each cloud has the whole list; only the rules of its own routes are ever met.
            let router = perennial_http::faults::wrap(
                &cloud.state,
                Faults::of_rules(rules.clone()),
                serve::router(server),
            );
            let address = cloud.runtime.block_on(async {
                let limits = ConnectionLimits::of(&Limits::DEFAULT);
                let listener = Listener::bind(([127, 0, 0, 1], 0).into(), None, limits).await?;
                let address = listener.address()?;
                tokio::spawn(listener.serve(router, std::future::pending()));
                Ok::<_, anyhow::Error>(address)
            })?;
            endpoints.push((account.provider.clone(), format!("http://{address}")));
        }
        broker.runtime.spawn(CallDispatcher::new(&broker.service).run());
        Ok(Pair { cloud, broker, endpoints })
    }

    /// Gives the broker a key of `account`, and has it connect the account.
    ///
    /// # Errors
    ///
    /// When one of the hosts refuses.
    pub(super) fn connect(&self, account: &str, provider: &str) -> anyhow::Result<()> {
        let key =
            self.cloud.ask("POST", "/v1/provider-keys", &json!({ "account": account, "name": "broker" }))?;
        let endpoint = self.endpoints.iter().find(|(served, _)| served == provider).map(|(_, url)| url);
        let connection = json!({ "account": account, "provider": provider, "endpoint": endpoint, "currency": "CNY",
            "access_key": key["key"]["access_key"], "secret": key["secret"] });
        // The first call may meet a fault; nothing is kept of a connection that was not proven.
        for _ in 0..10 {
            match self.broker.try_ask("POST", "/v1/connections", &connection)? {
                Ok(_) => return Ok(()),
                Err(problem) if text(&problem, "type").contains("provider") => {}
                Err(problem) => anyhow::bail!("`{account}` is not connected: {}", text(&problem, "detail")),
            }
        }
        anyhow::bail!("`{account}` is not connected: the cloud fails too often")
    }

    /// Moves both clocks.
    ///
    /// # Errors
    ///
    /// When a host has stopped.
    pub(super) fn advance(&self, to: Timestamp) -> anyhow::Result<()> {
        self.cloud.advance(to)?;
        self.broker.advance(to)
    }

    /// Ends both hosts.
    ///
    /// # Errors
    ///
    /// The first error of their threads.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.broker.stop()?;
        self.cloud.stop()
    }
}

/// A field of an answer as text; empty when it has none.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
