//! A host with the bundled providers' own APIs and the admin API, on virtual time.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use http::HeaderMap;
use http::Request;
use http_body_util::BodyExt;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_formats::faults::FaultRule;
use perennial_formats::inventory;
use perennial_formats::inventory::NoRecords;
use perennial_http::Router;
use perennial_http::admin as api;
use perennial_http::faults;
use perennial_http::faults::Faults;
use perennial_http::provider_api as endpoint;
use perennial_http::provider_api::ProviderApiServer;
use perennial_http::server::ConnectionLimits;
use perennial_http::server::listener::Listener;
use perennial_http::state::AppState;
use perennial_service::admin_tokens as auth;
use perennial_service::admin_tokens::Role;
use perennial_service::connections::dispatcher::CallDispatcher;
use perennial_service::connections::refresher;
use perennial_service::error::ServiceError;
use perennial_service::limits::Limits;
use perennial_service::provider_keys as keys;
use perennial_service::provider_keys::CreateKey;
use perennial_service::secrets::SecretBox;
use perennial_service::service::Service;
use perennial_service::writer::WriterContext;
use perennial_service::writer::WriterHandle;
use perennial_store as store;
use perennial_store::ReadTx;
use perennial_store::Store;
use perennial_store::accounts;
use perennial_store::api_tokens;
use perennial_store::keys::RowKey;
use perennial_store::list_queries;
use perennial_store::list_queries::EventFilter;
use perennial_store::provider_keys;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::plugins;

/// A key of an account.
#[derive(Clone, Debug)]
pub struct Key {
    /// What requests name it by.
    pub access_key: String,
    /// What they are signed with.
    pub secret: String,
}

/// A host that serves one provider's own API.
pub struct Server {
    /// The host behind it.
    pub host: AppState,
    provider: String,
    router: Router,
    /// The admin API. Making it takes longer than most requests.
    admin: Router,
    runtime: Runtime,
    running: Option<WriterHandle>,
    folder: TempDir,
}

/// What a request was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderResponse {
    /// Its HTTP status.
    pub status: u16,
    /// The headers of the response.
    pub headers: HeaderMap,
    /// The body of the response.
    pub body: String,
}

impl ProviderResponse {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Server {
    /// A host that serves the API of `provider` for what `inventory` has, and whose clock stands at `now`.
    pub fn start(provider: &str, now: &str, inventory: &Value) -> Server {
        Server::within(Limits { readers: 2, ..Limits::DEFAULT }, provider, now, inventory)
    }

    /// The same within these limits.
    pub fn within(limits: Limits, provider: &str, now: &str, inventory: &Value) -> Server {
        let now = now.parse::<Timestamp>().unwrap();
        let folder = TempDir::new().unwrap();
        let database = folder.path().join("test.db");
        let providers = plugins::bundled();
        let manifests = providers.iter().map(|(id, rules)| (id.clone(), rules.manifest())).collect();
        let check = |provider: &str, settings: &_| {
            providers[provider].check_settings(settings).map_err(|error| error.to_string())
        };
        let inventory = inventory::read(&inventory.to_string(), &manifests, &check, &NoRecords).unwrap();
        let store = Store::open(&database).unwrap();
        let mut engine = Engine::new(store, providers.clone(), Retention::Everything);
        let bundles = inventory.bundles.iter().map(|owned| (owned.account.as_str(), &owned.bundle));
        engine.import(now - 1, &inventory.accounts, bundles).unwrap();
        drop(engine);
        let store = Store::open(&database).unwrap();
        let (host, running) = Service::start(store, &database, providers, Some(now), limits).unwrap();
        host.set_secret_box(sealer());
        let host = AppState::new(host);
        let router = endpoint::serve::router(ProviderApiServer::new(&host, provider, sealer()).unwrap());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (admin, provider) = (api::router(&host), provider.to_owned());
        Server { host, provider, router, admin, runtime, running: Some(running), folder }
    }

    /// The same as a provider sandbox, with these faults.
    pub fn with_faults(mut self, rules: Vec<FaultRule>) -> Server {
        self.router = faults::wrap(&self.host, Faults::of_rules(rules), self.router.clone());
        self
    }

    /// Sends a request of the provider's API: the status, and the body if it comes whole.
    pub fn send_raw(&self, request: Request<String>) -> (u16, Option<Vec<u8>>) {
        let router = self.router.clone();
        self.runtime.block_on(async {
            let response = router.oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = body.collect().await.ok().map(|body| body.to_bytes().to_vec());
            (parts.status.as_u16(), bytes)
        })
    }

    /// Asks the route that steers a sandbox: the status, and the body as JSON or, where it is none, as text.
    pub fn control(&self, method: &str, body: &str) -> (u16, Value) {
        let request = Request::builder().method(method).uri("/sandbox/faults").body(body.to_owned()).unwrap();
        let (status, bytes) = self.send_raw(request);
        let text = String::from_utf8(bytes.unwrap()).unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Looks again and again until `is_done`, for at most half a minute.
    pub fn wait_until(&self, what: &str, is_done: impl Fn(&Server) -> bool) {
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while !is_done(self) {
            assert!(std::time::Instant::now() < deadline, "in vain: {what}");
            self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(20)).await });
        }
    }

    /// What is answered to these bytes on a connection of their own, where they follow so many requests with their responses.
    pub fn wire(&self, behind: usize, bytes: &[u8]) -> String {
        self.runtime.block_on(async {
            let any = "127.0.0.1:0".parse().unwrap();
            // A head that does not end is not waited for.
            let limits = ConnectionLimits {
                head: Duration::from_millis(300),
                ..ConnectionLimits::of(&Limits::DEFAULT)
            };
            let endpoint = ProviderApiServer::new(&self.host, &self.provider, sealer()).unwrap();
            let listener = Listener::bind(any, None, limits).await.unwrap();
            let listener = listener.with_refusals(endpoint::serve::refusals(&endpoint));
            let address = listener.address().unwrap();
            let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
            let serving = tokio::spawn(listener.serve(self.router.clone(), async { drop(stopped.await) }));
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            for _ in 0..behind {
                exchange(&mut stream).await;
            }
            let mut answer = Vec::new();
            // The other side may reset what it has not read; what it said before counts.
            let _ = stream.write_all(bytes).await;
            let _ = stream.read_to_end(&mut answer).await;
            drop(stop);
            serving.await.unwrap();
            String::from_utf8(answer).unwrap()
        })
    }

    /// Serves the provider's own API on loopback for as long as the server is there; returns where.
    pub fn listen(&self) -> SocketAddr {
        self.runtime.block_on(async {
            let any = "127.0.0.1:0".parse().unwrap();
            let limits = ConnectionLimits::of(&Limits::DEFAULT);
            let listener = Listener::bind(any, None, limits).await.unwrap();
            let address = listener.address().unwrap();
            tokio::spawn(listener.serve(self.router.clone(), std::future::pending()));
            address
        })
    }

    /// Sends the calls of connected accounts for as long as the server is there.
    pub fn dispatch(&self) {
        self.runtime.spawn(CallDispatcher::new(self.host.service()).run());
    }

    /// Reads inventories of connected accounts again for as long as the server is there.
    pub fn refresh(&self) {
        self.runtime.spawn(refresher::run(self.host.service().clone()));
    }

    /// A new key of `account`.
    pub fn key(&self, account: &str) -> Key {
        let account = account.to_owned();
        let made = self.host.writer().call(move |desk| {
            let stored = accounts::get(desk.engine.db(), &account)?.unwrap();
            let provider = stored.account.provider;
            let wanted = CreateKey { account, provider, name: "test".to_owned(), expires_at: None };
            let minted = keys::issue(&sealer(), wanted, "cli", desk.now()).unwrap();
            desk.engine
                .in_transaction(|engine| provider_keys::insert(engine.tx(), stored.row, &minted.stored))?;
            Ok::<_, ServiceError>(Key { access_key: minted.stored.access_key, secret: minted.secret })
        });
        self.runtime.block_on(made).unwrap()
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.host.now()
    }

    /// Moves the clock.
    pub fn advance(&self, to: Timestamp) {
        self.runtime.block_on(self.host.writer().call(move |desk| desk.advance(to))).unwrap();
    }

    /// Does something on the host's writer.
    pub fn on_writer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut WriterContext) -> T + Send + 'static,
    ) -> T {
        self.runtime.block_on(self.host.writer().call(|desk| Ok::<_, ServiceError>(work(desk)))).unwrap()
    }

    /// Reads the host's database, beside its writer.
    pub fn read<T: Send + 'static>(&self, work: impl FnOnce(&ReadTx) -> T + Send + 'static) -> T {
        let read = self.host.service().read(|db| Ok::<_, ServiceError>(work(db)));
        self.runtime.block_on(read).unwrap()
    }

    /// Sends a request as it is.
    pub fn send(&self, request: Request<String>) -> ProviderResponse {
        self.send_to(self.router.clone(), request)
    }

    /// Sends a `POST` to the admin API, as an administrator who has no other token.
    pub fn post_to_admin(&self, path: &str, body: &Value) -> ProviderResponse {
        self.ask_admin("POST", path, &body.to_string())
    }

    /// Sends a request to the admin API, as an administrator who has no other token.
    pub fn ask_admin(&self, method: &str, path: &str, body: &str) -> ProviderResponse {
        self.ask_admin_as(&self.new_admin(), method, path, body)
    }

    /// The token of an administrator who has no other.
    pub fn new_admin(&self) -> String {
        let host = self.host.clone();
        let made = self.host.writer().call(move |desk| {
            let wanted = auth::CreateToken {
                name: "test".to_owned(),
                role: Role::Admin,
                accounts: None,
                expires_at: None,
                owner: None,
                approves: BTreeSet::new(),
            };
            let minted = auth::issue(wanted, "cli", desk.now()).unwrap();
            desk.engine.in_transaction(|engine| api_tokens::insert(engine.tx(), &minted.stored))?;
            host.tokens().load(desk.engine.db())?;
            Ok::<_, ServiceError>(minted.secret)
        });
        self.runtime.block_on(made).unwrap()
    }

    /// Sends a request to the admin API, as the administrator with this token.
    pub fn ask_admin_as(&self, token: &str, method: &str, path: &str, body: &str) -> ProviderResponse {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {token}"));
        let request = request.header("content-type", "application/json").body(body.to_owned());
        self.send_to(self.admin.clone(), request.unwrap())
    }

    fn send_to(&self, router: Router, request: Request<String>) -> ProviderResponse {
        self.runtime.block_on(async {
            let response = router.oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            let body = String::from_utf8(bytes.to_vec()).unwrap();
            ProviderResponse { status: parts.status.as_u16(), headers: parts.headers, body }
        })
    }

    /// The files of the database, with their names.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(Result::unwrap);
        let read = |file: std::fs::DirEntry| {
            (file.file_name().to_string_lossy().into_owned(), std::fs::read(file.path()).unwrap())
        };
        files.map(read).collect()
    }

    /// Every event there is: when, of what type, to which account and resource, and what the type adds.
    pub fn events(&self) -> Vec<String> {
        let db = ReadTx::open(&self.folder.path().join("test.db")).unwrap();
        let all = list_queries::events(&db, &EventFilter::default(), RowKey::before_all(), 100_000).unwrap();
        let shown = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let line = |event: store::events::StoredEvent| {
            let (account, resource) = (shown(event.account), shown(event.resource));
            format!("{} {} {account} {resource} {}", event.at, event.kind, event.body)
        };
        all.into_iter().map(line).collect()
    }
}

/// Sends a request that is HTTP, and reads its response to the end.
async fn exchange(stream: &mut tokio::net::TcpStream) {
    stream.write_all(b"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    let mut response = Vec::new();
    let rest = |response: &[u8]| {
        let text = String::from_utf8_lossy(response).to_ascii_lowercase();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let (_, length) = head.split_once("content-length: ")?;
        let length = length.split("\r\n").next()?.parse::<usize>().ok()?;
        Some(length - body.len())
    };
    while rest(&response) != Some(0) {
        assert_ne!(
            stream.read_buf(&mut response).await.unwrap(),
            0,
            "{}",
            String::from_utf8_lossy(&response)
        );
    }
}

fn sealer() -> SecretBox {
    SecretBox::new(&[7; 32])
}

impl Drop for Server {
    fn drop(&mut self) {
        self.host.writer().stop();
        if let Some(running) = self.running.take() {
            running.join().unwrap().unwrap();
        }
    }
}
