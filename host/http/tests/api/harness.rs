//! A server in this process, on virtual time, and requests to it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::body::HttpBody;
use axum::http::HeaderMap;
use axum::http::Request;
use axum::http::StatusCode;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::rules::Providers;
use perennial_formats::inventory;
use perennial_formats::inventory::Inventory;
use perennial_http::admin as api;
use perennial_http::state::AppState;
use perennial_service::admin_tokens as auth;
use perennial_service::admin_tokens::CreateToken;
use perennial_service::admin_tokens::Role;
use perennial_service::channels::dispatcher::ChannelDispatcher;
use perennial_service::channels::dispatcher::ChannelSender;
use perennial_service::channels::email::MailServer;
use perennial_service::connections::dispatcher::CallDispatcher;
use perennial_service::error::ServiceError;
use perennial_service::limits::Limits;
use perennial_service::limits::Webhooks;
use perennial_service::secrets::SecretBox;
use perennial_service::service::Service;
use perennial_service::webhooks::client::Client;
use perennial_service::webhooks::dispatcher::WebhookDispatcher;
use perennial_service::writer::WriterContext;
use perennial_service::writer::WriterHandle;
use perennial_store::Store;
use perennial_store::api_tokens;
use perennial_test_support::plugins;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tower::ServiceExt;

/// When every server starts.
pub const START: &str = "2026-01-01T00:00:00Z";

/// A server with a token for each role, and one bound to `acme-hw`.
pub struct Server {
    /// The host behind it.
    pub host: AppState,
    /// The router that answers requests.
    pub router: Router,
    runtime: Runtime,
    running: Option<WriterHandle>,
    sending: Option<JoinHandle<()>>,
    folder: Option<TempDir>,
    tokens: BTreeMap<String, String>,
    providers: Providers,
}

/// What a request was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Server {
    /// A server on an empty database.
    pub fn new() -> Server {
        Server::with(Limits { readers: 2, ..Limits::DEFAULT })
    }

    /// A server on an empty database, with these limits.
    pub fn with(limits: Limits) -> Server {
        Server::configured(limits, Webhooks::DEFAULT)
    }

    /// A server on an empty database, with these limits and this way of sending to webhooks.
    fn configured(limits: Limits, webhooks: Webhooks) -> Server {
        Server::tokened(TempDir::new().unwrap(), START, limits, webhooks, plugins::bundled())
    }

    /// A server on an empty database, with these rules.
    pub fn over(providers: Providers) -> Server {
        let limits = Limits { readers: 2, ..Limits::DEFAULT };
        Server::tokened(TempDir::new().unwrap(), START, limits, Webhooks::DEFAULT, providers)
    }

    /// The same as [`Server::furnished`], with these limits.
    pub fn furnished_with(limits: Limits) -> Server {
        let server = Server::with(limits);
        server.furnish();
        server
    }

    /// A server on a copy of the database at `path`, whose clock stands at `now`.
    pub fn on_copy_of(path: &Path, now: &str) -> Server {
        let folder = TempDir::new().unwrap();
        std::fs::copy(path, database(folder.path())).unwrap();
        let limits = Limits { readers: 2, ..Limits::DEFAULT };
        Server::tokened(folder, now, limits, Webhooks::DEFAULT, plugins::bundled())
    }

    /// A server on the database in `folder`, with a new token for each role.
    fn tokened(
        folder: TempDir,
        now: &str,
        limits: Limits,
        webhooks: Webhooks,
        providers: Providers,
    ) -> Server {
        let mut store = Store::open(&database(folder.path())).unwrap();
        let mut tokens = BTreeMap::new();
        let everybody = Role::ALL.map(|role| (role.name().to_owned(), role, None));
        let bound = Role::ALL
            .map(|role| (format!("bound-{}", role.name()), role, Some(["acme-hw".to_owned()].into())));
        for (name, role, accounts) in everybody.into_iter().chain(bound) {
            let wanted = CreateToken {
                name: name.clone(),
                role,
                accounts,
                expires_at: None,
                owner: None,
                approves: BTreeSet::new(),
            };
            let minted = auth::issue(wanted, "cli", now.parse().unwrap()).unwrap();
            store.write(|tx| api_tokens::insert(tx, &minted.stored)).unwrap();
            tokens.insert(name, minted.secret);
        }
        Server::start(store, folder, now, tokens, (limits, webhooks), providers)
    }

    fn start(
        store: Store,
        folder: TempDir,
        now: &str,
        tokens: BTreeMap<String, String>,
        (limits, webhooks): (Limits, Webhooks),
        providers: Providers,
    ) -> Server {
        let start = Some(now.parse::<Timestamp>().unwrap());
        // Each test looks at its host anew.
        let limits = Limits { health_seconds: Duration::ZERO, ..limits };
        let (host, running) =
            Service::start(store, &database(folder.path()), providers.clone(), start, limits).unwrap();
        host.configure_webhooks(webhooks);
        host.set_secret_box(SecretBox::new(&[7; 32]));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let host = AppState::new(host);
        let router = api::router(&host);
        let running = Some(running);
        Server { host, router, runtime, running, sending: None, folder: Some(folder), tokens, providers }
    }

    /// Makes a token of a person who has no other, as the command line does.
    pub fn add_person(&mut self, name: &str, role: Role, labels: &[&str]) {
        let approves = labels.iter().map(|label| (*label).to_owned()).collect();
        let wanted = CreateToken {
            name: name.to_owned(),
            role,
            accounts: None,
            expires_at: None,
            owner: None,
            approves,
        };
        let issued = auth::issue(wanted, "cli", START.parse().unwrap()).unwrap();
        let (host, stored) = (self.host.clone(), issued.stored);
        self.on_writer(move |context| {
            context.engine.in_transaction(|engine| api_tokens::insert(engine.tx(), &stored)).unwrap();
            host.tokens().load(context.engine.db()).unwrap();
        });
        self.tokens.insert(name.to_owned(), issued.secret);
    }

    /// The same database, served anew.
    pub fn restarted(self) -> Server {
        let webhooks = self.host.webhooks().clone();
        self.restarted_with(webhooks)
    }

    /// The same database, served anew with another way of sending to webhooks.
    pub fn restarted_with(mut self, webhooks: Webhooks) -> Server {
        let limits = self.host.limits().clone();
        self.stop();
        let folder = self.folder.take().unwrap();
        let tokens = std::mem::take(&mut self.tokens);
        let store = Store::open(&database(folder.path())).unwrap();
        // A virtual clock does not go back.
        let ticked_at = perennial_store::clock::ticked_at(store.db()).unwrap();
        let now = ticked_at.map(|ticked_at| (ticked_at + 1).to_string()).unwrap_or(START.to_owned());
        Server::start(store, folder, &now, tokens, (limits, webhooks), self.providers.clone())
    }

    /// A furnished server that may send to this machine, and does so once it is told to.
    pub fn open() -> Server {
        let limits = Limits { readers: 2, ..Limits::DEFAULT };
        let server = Server::configured(limits, Webhooks { allow_private: true, ..Webhooks::DEFAULT });
        server.furnish();
        server
    }

    /// Waits until every job has ended.
    pub fn finish_jobs(&self) {
        while self.get("admin", "/v1/jobs").body.contains(r#""state":"running""#) {
            std::thread::yield_now();
        }
    }

    /// The folder of the database.
    pub fn folder(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }

    /// Sends to webhooks from now on. No wait is longer than it has to be.
    pub fn sending(self) -> Server {
        self.sending_with(|client| client)
    }

    /// Sends to webhooks from now on, with what `change` makes of the client.
    pub fn sending_with(mut self, change: impl FnOnce(Client) -> Client) -> Server {
        let webhooks = self.host.webhooks();
        let client = Client::new(webhooks.allow_private, webhooks.certificates.as_deref()).unwrap();
        let outbox = WebhookDispatcher::with_jitter(&self.host, change(client), || 0);
        self.sending = Some(self.runtime.spawn(outbox.run()));
        self
    }

    /// Tells people of events from now on, by e-mail over `mail`. No wait is longer than it has to be.
    pub fn telling(mut self, mail: Option<&MailServer>) -> Server {
        let sender = ChannelSender::new(self.host.webhooks().allow_private, None, mail).unwrap();
        let dispatcher =
            ChannelDispatcher::with_jitter(&self.host, sender.with_timeout(Duration::from_secs(5)), || 0);
        self.sending = Some(self.runtime.spawn(dispatcher.run()));
        self
    }

    /// Sends calls to the clouds of connected accounts from now on.
    #[allow(dead_code, reason = "the console's tests use it")]
    pub fn calling(&self) {
        self.runtime.spawn(CallDispatcher::new(self.host.service()).run());
    }

    /// The same database, served anew, by a host that tells people of events through robots.
    pub fn restarted_telling(self) -> Server {
        self.restarted().telling(None)
    }

    /// Waits until the answer to a `GET` is as `is_so` wants it.
    pub fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut changes = self.host.writer().changes();
        loop {
            changes.borrow_and_update();
            let answer = self.get("admin", path).json();
            if is_so(&answer) {
                return answer;
            }
            let changed = async { tokio::time::timeout(Duration::from_secs(30), changes.changed()).await };
            self.runtime.block_on(changed).unwrap_or_else(|_| panic!("{answer:#}")).unwrap();
        }
    }

    fn stop(&mut self) {
        if let Some(sending) = self.sending.take() {
            self.host.begin_shutdown();
            self.runtime.block_on(sending).unwrap();
        }
        self.host.writer().stop();
        if let Some(running) = self.running.take() {
            running.join().unwrap().unwrap();
        }
    }

    /// A server with an account `acme-hw` of 500.00 CNY and, in it, `ecs-1` with the disk `evs-1`, which renew themselves.
    pub fn furnished() -> Server {
        let server = Server::new();
        server.furnish();
        server
    }

    fn furnish(&self) {
        let answer = self.post("admin", "/v1/resources:import", &inventory_text());
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }

    /// The token called `name`, as it is sent.
    pub fn token(&self, name: &str) -> &str {
        &self.tokens[name]
    }

    /// Sends a request as the token called `token`; nobody's when that is empty. Headers are written `name: value`.
    pub fn send(&self, token: &str, method: &str, path: &str, headers: &[&str], body: &str) -> ApiResponse {
        self.raw(self.request(token, method, path, headers, body))
    }

    /// What somebody shows who has the token called `token`.
    pub fn secret(&self, token: &str) -> &str {
        &self.tokens[token]
    }

    fn request(&self, token: &str, method: &str, path: &str, headers: &[&str], body: &str) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path).header("x-request-id", "test");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.secret(token)));
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        for header in headers {
            let (name, value) = header.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        request.body(Body::from(body.to_owned())).unwrap()
    }

    /// Listens to a stream, with what it sends still to come.
    pub fn listen(&self, token: &str, path: &str, headers: &[&str]) -> Listening<'_> {
        let request = self.request(token, "GET", path, headers, "");
        let response = self.runtime.block_on(self.router.clone().oneshot(request)).unwrap();
        let (parts, body) = response.into_parts();
        assert_eq!(parts.status, StatusCode::OK);
        Listening { runtime: &self.runtime, headers: parts.headers, body }
    }

    /// Does something on the host's writer.
    pub fn on_writer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut WriterContext) -> T + Send + 'static,
    ) -> T {
        let done = self.host.writer().call(|context| Ok::<_, ServiceError>(work(context)));
        self.runtime.block_on(done).unwrap()
    }

    /// Sends a request as it is.
    pub fn raw(&self, request: Request<Body>) -> ApiResponse {
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let is_stream =
                parts.headers.get("content-type").is_some_and(|value| value == "text/event-stream");
            // A stream has no end to wait for.
            let body = if is_stream { Body::empty() } else { body };
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            ApiResponse {
                status: parts.status,
                headers: parts.headers,
                body: String::from_utf8(bytes.to_vec()).unwrap(),
            }
        })
    }

    pub fn get(&self, token: &str, path: &str) -> ApiResponse {
        self.send(token, "GET", path, &[], "")
    }

    pub fn post(&self, token: &str, path: &str, body: &str) -> ApiResponse {
        self.send(token, "POST", path, &[], body)
    }

    /// Moves the clock.
    pub fn advance(&self, to: &str) {
        let answer = self.post("admin", "/v1/clock:advance", &serde_json::json!({ "to": to }).to_string());
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }

    /// Every event there is, without its id.
    pub fn events(&self) -> Vec<Value> {
        let mut events = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get("admin", &format!("/v1/events?limit=1000{cursor}")).json();
            for mut event in page["items"].as_array().unwrap().iter().cloned() {
                event.as_object_mut().unwrap().remove("id");
                events.push(event);
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return events,
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.stop();
        }
    }
}

/// A stream that is listened to.
pub struct Listening<'a> {
    runtime: &'a Runtime,
    /// The headers of the answer.
    pub headers: HeaderMap,
    body: Body,
}

impl Listening<'_> {
    /// What it sends next; `None` when it has ended.
    pub fn next(&mut self) -> Option<String> {
        let frame = std::future::poll_fn(|context| Pin::new(&mut self.body).poll_frame(context));
        let bytes = self.runtime.block_on(frame)?.unwrap().into_data().unwrap();
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }
}

impl ApiResponse {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The whole answer, but for digests, which change with every plugin.
    pub fn shown(&self) -> String {
        let mut text = format!("{}\n", self.status);
        let mut headers = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect::<Vec<_>>();
        headers.sort_unstable();
        // The version of an account is another one with each build of its plugin.
        let names_revision = self.body.contains("\"is_usable\"");
        for (name, value) in headers {
            let value = if name == "etag" && names_revision { "[version]" } else { value };
            if !["x-perennial-version", "x-request-id", "content-length"].contains(&name) {
                text += &format!("{name}: {value}\n");
            }
        }
        let body = match serde_json::from_str::<Value>(&self.body) {
            Ok(value) => serde_json::to_string_pretty(&value).unwrap(),
            Err(_) => self.body.clone(),
        };
        masked(&(text + &body))
    }
}

/// The text with what is long and hexadecimal taken out.
pub fn masked(text: &str) -> String {
    let mut shown = String::new();
    let mut digits = String::new();
    for character in text.chars().chain([' ']) {
        if character.is_ascii_digit() || ('a'..='f').contains(&character) {
            digits.push(character);
            continue;
        }
        if digits.len() >= 64 {
            shown.push_str("[digest]")
        } else {
            shown.push_str(&digits)
        }
        digits.clear();
        shown.push(character);
    }
    shown.pop();
    shown
}

/// What a furnished server has.
fn inventory_text() -> String {
    let account = |id: &str, provider: &str| serde_json::json!({ "id": id, "provider": provider, "currency": "CNY", "balance": "500.00" });
    serde_json::json!({
        "accounts": [account("acme-hw", "huawei"), account("beta-bd", "baidu")],
        "resources": [
            {
                "id": "ecs-1", "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
                "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
                "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew",
                "tags": { "env": "prod" },
            },
            {
                "id": "bcc-1", "account": "beta-bd", "kind": "bcc", "region": "bj", "charging": "prepaid",
                "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
                "term": { "count": 1, "unit": "month" }, "price": "50.00",
            },
            {
                "id": "pkg-1", "account": "acme-hw", "kind": "package", "region": "cn-north-4", "charging": "prepaid",
                "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-12-31T15:59:59Z",
                "term": { "count": 1, "unit": "year" }, "price": "120.00",
                "quota": "100.0", "used": "0.0", "unit": "vCPU-hour", "resource_type": "cci",
            },
        ],
    })
    .to_string()
}

/// What a furnished server has, as the engine takes it in.
pub fn inventory() -> Inventory {
    read_inventory(&inventory_text())
}

/// Reads an inventory for the bundled plugins.
pub fn read_inventory(text: &str) -> Inventory {
    let providers = plugins::bundled();
    let manifests = providers.iter().map(|(id, rules)| (id.clone(), rules.manifest())).collect();
    inventory::read(text, &manifests, &|_, _| Ok(Vec::new()), &inventory::NoRecords).unwrap()
}

fn database(folder: &Path) -> PathBuf {
    folder.join("test.db")
}
