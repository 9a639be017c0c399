//! A bare axum handler: reads what the admin API reads of a resource, and writes it as JSON. It knows no tokens, limits,
//! logs or rules.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;

use axum::Json;
use axum::Router;
use axum::extract;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::routing::post;
use perennial_store::ReadTx;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use serde_json::Map;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

/// A bundle with everything that the API reads of it.
const BUNDLE: &str = "
    select h.bundle, h.resource, r.account, r.id, r.kind, r.region, r.attached_to, r.started_at, r.anchor_day,
        r.term_count, r.term_unit, r.price, r.renewal_term_count, r.renewal_term_unit, r.attributes, r.tags,
        h.charging, h.stage, h.expires_at, h.on_expiry, h.renewals_left, h.cursor_at, h.wake_at, h.consecutive_failures,
        p.resource_type, p.quota, p.used, p.unit, p.bought_at
    from schedule h join resource r on r.row = h.resource left join package p on p.resource = h.resource
    where h.bundle = ?1 order by h.resource";

/// Connections like those of the admin API, of which each request borrows one.
#[derive(Clone)]
struct Readers {
    idle: Arc<Mutex<Vec<ReadTx>>>,
    free: Arc<Semaphore>,
}

/// Serves the handler over the database at `db`, with so many connections to it; returns where.
pub fn serve(runtime: &Runtime, db: &Path, connections: usize) -> anyhow::Result<SocketAddr> {
    let idle = (0..connections).map(|_| ReadTx::open(db)).collect::<Result<Vec<_>, _>>()?;
    let readers = Readers { idle: Arc::new(Mutex::new(idle)), free: Arc::new(Semaphore::new(connections)) };
    let router = Router::new()
        .route("/v1/resources/{id}", get(look))
        .route("/v1/plans/{id}", post(plan))
        .with_state(readers);
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    runtime.spawn(async move {
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true)));
        axum::serve(listener, router).await
    });
    Ok(address)
}

async fn look(State(readers): State<Readers>, id: extract::Path<String>) -> Result<Json<Value>, StatusCode> {
    read(readers, id.0).await
}

/// What a command is asked with is read, and that is all.
async fn plan(
    State(readers): State<Readers>,
    id: extract::Path<String>,
    Json(_): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    read(readers, id.0).await
}

async fn read(readers: Readers, id: String) -> Result<Json<Value>, StatusCode> {
    let failed = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let permit = readers.free.acquire_owned().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let read = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let connection = readers.idle.lock().expect("nobody panics here").pop();
        let connection = connection.expect("there are as many connections as permits");
        // One snapshot for everything that one request reads.
        let raw = connection.inspect().connection();
        let tell = |word| raw.prepare_cached(word).and_then(|mut statement| statement.execute([]));
        let found = tell("begin").and_then(|_| bundle(raw, &id));
        let found = found.and_then(|found| tell("commit").map(|_| found));
        readers.idle.lock().expect("nobody panics here").push(connection);
        found
    });
    let found = read.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?.map_err(failed)?;
    found.map(Json).ok_or(StatusCode::NOT_FOUND)
}

/// The resource called `id` with its bundle and its account, every column by name.
pub fn bundle(db: &Connection, id: &str) -> rusqlite::Result<Option<Value>> {
    let row: Option<i64> = db
        .prepare_cached("select row from resource where id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let bundle: i64 = db
        .prepare_cached("select bundle from schedule where resource = ?1")?
        .query_row([row], |row| row.get(0))?;
    let members = rows(db, BUNDLE, bundle)?;
    let account = members.first().and_then(|member| member["account"].as_i64()).unwrap_or_default();
    let account = rows(db, "select * from account where row = ?1", account)?;
    let resource = members.into_iter().find(|member| member["id"] == id);
    Ok(Some(serde_json::json!({ "resource": resource, "account": account.first() })))
}

fn rows(db: &Connection, sql: &str, key: i64) -> rusqlite::Result<Vec<Value>> {
    let mut statement = db.prepare_cached(sql)?;
    let names = statement.column_names().map(str::to_owned).collect::<Vec<_>>();
    let rows = statement.query_map([key], |row| {
        let mut fields = Map::new();
        for (place, name) in names.iter().enumerate() {
            let value = match row.get::<_, rusqlite::types::Value>(place)? {
                rusqlite::types::Value::Integer(number) => number.into(),
                rusqlite::types::Value::Text(text) => text.into(),
                rusqlite::types::Value::Null
                | rusqlite::types::Value::Real(_)
                | rusqlite::types::Value::Blob(_) => Value::Null,
            };
            fields.insert(name.clone(), value);
        }
        Ok(Value::Object(fields))
    })?;
    rows.collect()
}
