//! A host with Lantern's API on virtual time, an account with lamps and one without, and requests signed like Lantern's.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use http::Request;
use http_body_util::BodyExt;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::rules::Providers;
use perennial_formats::inventory;
use perennial_formats::inventory::NoRecords;
use perennial_http::Router;
use perennial_http::provider_api as endpoint;
use perennial_http::provider_api::ProviderApiServer;
use perennial_http::state::AppState;
use perennial_service::error::ServiceError;
use perennial_service::limits::Limits;
use perennial_service::provider_keys as keys;
use perennial_service::provider_keys::CreateKey;
use perennial_service::secrets::SecretBox;
use perennial_service::service::Service;
use perennial_service::writer::WriterContext;
use perennial_service::writer::WriterHandle;
use perennial_store::ReadTx;
use perennial_store::Store;
use perennial_store::accounts;
use perennial_store::keys::RowKey;
use perennial_store::list_queries;
use perennial_store::list_queries::EventFilter;
use perennial_store::provider_keys;
use perennial_test_support::plugins;
use perennial_tests::guests;
use sha2::Sha256;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// When the clock stands still: 2026-01-01T00:00:00Z.
pub const NOW: i64 = 1_767_225_600;

/// A key of an account.
#[derive(Clone, Debug)]
pub struct Key {
    pub access_key: String,
    pub secret: String,
}

/// The host that answers requests.
pub struct World {
    pub host: AppState,
    router: Router,
    runtime: Runtime,
    running: Option<WriterHandle>,
    folder: TempDir,
    /// The key of `home`, which has the lamps.
    pub key: Key,
    /// The key of `away`, which has one of its own.
    pub other: Key,
}

/// What a request was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiResponse {
    pub status: u16,
    pub body: String,
}

impl World {
    pub fn new() -> World {
        World::with(Limits { readers: 2, ..Limits::DEFAULT })
    }

    pub fn with(limits: Limits) -> World {
        let folder = TempDir::new().unwrap();
        let providers = providers(&folder);
        let database = folder.path().join("test.db");
        let mut store = Store::open(&database).unwrap();
        let manifests = providers.iter().map(|(id, rules)| (id.clone(), rules.manifest())).collect();
        let inventory =
            inventory::read(&inventory(), &manifests, &|_, _| Ok(Vec::new()), &NoRecords).unwrap();
        let mut engine = Engine::new(store, providers.clone(), Retention::Everything);
        let bundles = inventory.bundles.iter().map(|owned| (owned.account.as_str(), &owned.bundle));
        engine.import(Timestamp::from_second(NOW - 1), &inventory.accounts, bundles).unwrap();
        drop(engine);
        store = Store::open(&database).unwrap();
        let sealer = SecretBox::new(&[7; 32]);
        let [key, other] = ["home", "away"].map(|account| make_key(&mut store, &sealer, account));
        let start = Some(Timestamp::from_second(NOW));
        let (host, running) = Service::start(store, &database, providers, start, limits).unwrap();
        let host = AppState::new(host);
        let endpoint = ProviderApiServer::new(&host, "lantern", sealer).unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let router = endpoint::serve::router(endpoint);
        World { host, router, runtime, running: Some(running), folder, key, other }
    }

    /// Sends a request as it is.
    pub fn raw(&self, request: Request<String>) -> ApiResponse {
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            assert_eq!(response.headers()["content-type"], "text/x-lantern");
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            ApiResponse { status, body: String::from_utf8(bytes.to_vec()).unwrap() }
        })
    }

    /// Sends a request signed with `key`, `ago` seconds before now.
    pub fn signed(&self, key: &Key, ago: i64, method: &str, path: &str, body: &str) -> ApiResponse {
        self.raw(signed(key, ago, method, path, body))
    }

    pub fn get(&self, path: &str) -> ApiResponse {
        self.signed(&self.key, 0, "GET", path, "")
    }

    /// How many of `count` requests to `path` that come at once are answered before somebody else has read, who comes once the
    /// first of them is answered.
    pub fn answered_first(&self, path: &str, count: usize) -> usize {
        self.runtime.block_on(async {
            let answered = Arc::<AtomicUsize>::default();
            for _ in 0..count {
                let (router, counted) = (self.router.clone(), Arc::clone(&answered));
                let request = signed(&self.key, 0, "GET", path, "");
                tokio::spawn(async move {
                    router.oneshot(request).await.unwrap();
                    counted.fetch_add(1, Ordering::SeqCst);
                });
            }
            while answered.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
            self.host.service().read(|_| Ok::<_, ServiceError>(())).await.unwrap();
            answered.load(Ordering::SeqCst)
        })
    }

    pub fn post(&self, path: &str, body: &str) -> ApiResponse {
        self.signed(&self.key, 0, "POST", path, body)
    }

    /// What happened, as type, account and resource, in order.
    pub fn events(&self) -> Vec<String> {
        let db = ReadTx::open(&self.folder.path().join("test.db")).unwrap();
        let all = list_queries::events(&db, &EventFilter::default(), RowKey::before_all(), 1000).unwrap();
        let shown = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        all.into_iter()
            .map(|event| format!("{} {} {}", event.kind, shown(event.account), shown(event.resource)))
            .collect()
    }

    /// Does something on the host's writer.
    pub fn on_writer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut WriterContext) -> T + Send + 'static,
    ) -> T {
        self.runtime.block_on(self.host.writer().call(|desk| Ok::<_, ServiceError>(work(desk)))).unwrap()
    }

    /// A connection beside the host's.
    pub fn db(&self) -> ReadTx {
        ReadTx::open(&self.folder.path().join("test.db")).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.host.writer().stop();
        if let Some(running) = self.running.take() {
            running.join().unwrap().unwrap();
        }
    }
}

impl ApiResponse {
    /// The status and the body.
    pub fn shown(&self) -> String {
        format!("{} {}", self.status, self.body)
    }
}

/// A request that says it was signed `ago` seconds ago.
pub fn signed(key: &Key, ago: i64, method: &str, path: &str, body: &str) -> Request<String> {
    let seconds = (NOW - ago).to_string();
    let signing = hmac(format!("lamp:{}", key.secret).as_bytes(), seconds.as_bytes());
    let (head, query) = path.split_once('?').unwrap_or((path, ""));
    let message = format!("{method} {head}?{query}\n{body}");
    let signature = hmac(signing.as_bytes(), message.as_bytes());
    let authorization = format!("Lantern {} {seconds} {signature}", key.access_key);
    let request = Request::builder().method(method).uri(path).header("authorization", authorization);
    request.body(body.to_owned()).unwrap()
}

fn hmac(key: &[u8], message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn make_key(store: &mut Store, sealer: &SecretBox, account: &str) -> Key {
    let at = Timestamp::from_second(NOW - 1);
    let wanted = CreateKey {
        account: account.to_owned(),
        provider: "lantern".to_owned(),
        name: "test".to_owned(),
        expires_at: None,
    };
    let minted = keys::issue(sealer, wanted, "cli", at).unwrap();
    let row = accounts::get(store.db(), account).unwrap().unwrap().row;
    store.write(|tx| provider_keys::insert(tx, row, &minted.stored)).unwrap();
    Key { access_key: minted.stored.access_key, secret: minted.secret }
}

fn providers(folder: &TempDir) -> Providers {
    let file = folder.path().join("lantern.wasm");
    std::fs::write(&file, guests::LANTERN).unwrap();
    plugins::load(vec![file])
}

fn inventory() -> String {
    let account = |id: &str| serde_json::json!({ "id": id, "provider": "lantern", "currency": "CNY", "balance": "100.00" });
    let lamp = |id: &str, account: &str, attached_to: Option<&str>| {
        serde_json::json!({
            "id": id, "account": account, "kind": "lamp", "region": "", "charging": "prepaid",
            "attached_to": attached_to, "started_at": "2025-12-31T00:00:00Z", "expires_at": "2026-01-31T00:00:00Z",
            "term": { "count": 1, "unit": "month" }, "price": "30.00",
        })
    };
    serde_json::json!({
        "accounts": [account("home"), account("away")],
        "resources": [
            lamp("hall", "home", None), lamp("lane", "away", None), lamp("stairs", "home", Some("hall")),
            lamp("cellar", "home", Some("stairs")), lamp("porch", "home", None),
        ],
    })
    .to_string()
}
