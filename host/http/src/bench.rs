//! Bare handlers that benchmarks compare the host with: the same reads and writes, and no tokens, limits, logs or rules.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::routing::get;
use axum::routing::post;
use perennial_store::ReadTx;
use perennial_store::Store;
use perennial_store::bench::read;
use perennial_store::bench::renewal::Sample;
use perennial_store::error::StoreError;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

/// Why a handler could not be served.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The database could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no address to listen at.
    #[error("the bare handler cannot listen: {0}")]
    Listen(#[from] std::io::Error),
}

/// Connections like those of the admin API, of which each request borrows one.
#[derive(Clone)]
struct Readers {
    idle: Arc<Mutex<Vec<ReadTx>>>,
    free: Arc<Semaphore>,
}

/// Serves what the admin API reads of a resource, from the database at `db` over so many connections; returns where.
///
/// `GET /v1/resources/{id}` and `POST /v1/plans/{id}`, which reads a body besides, both answer with the resource.
///
/// # Errors
///
/// [`BenchError`] when the database cannot be opened or nothing can be listened at.
pub fn serve_reads(runtime: &Runtime, db: &Path, connections: usize) -> Result<SocketAddr, BenchError> {
    let idle = (0..connections).map(|_| ReadTx::open(db)).collect::<Result<Vec<_>, _>>()?;
    let readers = Readers { idle: Arc::new(Mutex::new(idle)), free: Arc::new(Semaphore::new(connections)) };
    let router = Router::new()
        .route("/v1/resources/{id}", get(look))
        .route("/v1/plans/{id}", post(plan))
        .with_state(readers);
    serve(runtime, router)
}

async fn look(State(readers): State<Readers>, id: extract::Path<String>) -> Result<Json<Value>, StatusCode> {
    read_resource(readers, id.0).await
}

/// The body of a command is read, and that is all.
async fn plan(
    State(readers): State<Readers>,
    id: extract::Path<String>,
    Json(_): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    read_resource(readers, id.0).await
}

async fn read_resource(readers: Readers, id: String) -> Result<Json<Value>, StatusCode> {
    let failed = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let permit = readers.free.acquire_owned().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let read = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let connection = readers.idle.lock().expect("nobody panics here").pop();
        let connection = connection.expect("there are as many connections as permits");
        // One snapshot for everything that one request reads.
        let found = connection.snapshot(|db| read::resource(db, &id)).and_then(|found| found);
        readers.idle.lock().expect("nobody panics here").push(connection);
        found
    });
    let found = read.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?.map_err(failed)?;
    found.map(Json).ok_or(StatusCode::NOT_FOUND)
}

/// A signed request for a renewal.
#[derive(Debug)]
pub struct SignedRequest<'r> {
    /// The HTTP method, such as `POST`.
    pub method: &'r str,
    /// The path without its query.
    pub path: &'r str,
    /// The query; empty without one.
    pub query: &'r str,
    /// The header `authorization`; empty without one.
    pub authorization: &'r str,
    /// The header `x-number`; empty without one.
    pub number: &'r str,
    /// The body that is signed.
    pub body: &'r [u8],
}

/// Whether a request is signed.
pub type Verify = dyn Fn(&SignedRequest<'_>) -> bool + Send + Sync;
/// The id of the resource that a request renews; `None` when it names none.
pub type NameResource = dyn Fn(&SignedRequest<'_>) -> Option<String> + Send + Sync;

/// What the handler of renewals has.
struct Renewals {
    verify: Box<Verify>,
    name_resource: Box<NameResource>,
    sample: Sample,
    store: Mutex<Store>,
    number: AtomicI64,
}

/// Serves signed renewals over the database at `db`; returns where. Each reads the bundle and writes what `sample` has.
///
/// # Errors
///
/// [`BenchError`] when the database cannot be opened or nothing can be listened at.
pub fn serve_renewals(
    runtime: &Runtime,
    db: &Path,
    sample: Sample,
    verify: Box<Verify>,
    name_resource: Box<NameResource>,
) -> Result<SocketAddr, BenchError> {
    let store = Mutex::new(Store::open(db)?);
    // Beyond everything that the database has already.
    let number = AtomicI64::new(1 << 40);
    let renewals = Arc::new(Renewals { verify, name_resource, sample, store, number });
    serve(runtime, Router::new().fallback(renew).with_state(renewals))
}

async fn renew(
    State(renewals): State<Arc<Renewals>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let request = SignedRequest {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        authorization: header("authorization"),
        number: header("x-number"),
        body: &body,
    };
    if !(renewals.verify)(&request) {
        return StatusCode::UNAUTHORIZED;
    }
    let Some(id) = (renewals.name_resource)(&request) else { return StatusCode::BAD_REQUEST };
    let done = tokio::task::spawn_blocking(move || {
        let number = renewals.number.fetch_add(1, Ordering::Relaxed);
        let mut store = renewals.store.lock().expect("nobody panics here");
        renewals.sample.renew(&mut store, &id, number)
    });
    match done.await.ok().and_then(Result::ok) {
        Some(true) => StatusCode::OK,
        Some(false) => StatusCode::NOT_FOUND,
        None => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn serve(runtime: &Runtime, router: Router) -> Result<SocketAddr, BenchError> {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    runtime.spawn(async move {
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true)));
        axum::serve(listener, router).await
    });
    Ok(address)
}
