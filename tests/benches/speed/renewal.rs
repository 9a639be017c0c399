//! A bare axum handler for signed renewals: checks the same HMAC, reads the same bundle and writes as many rows of the
//! same sizes to the same tables, in one transaction. It knows no rules, no plugins and no API.
//!
//! The rows are those that one renewal through the server left; each further one gets keys of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::Uri;
use perennial_store::Store;
use perennial_store::error::StoreError;
use rusqlite::Connection;
use rusqlite::params_from_iter;
use rusqlite::types::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::handler;
use crate::signing::Api;
use crate::signing::Key;

/// The tables that a renewal adds rows to, with the column that makes a row unlike every other: a number, or the digits
/// of one.
const TABLES: [(&str, Option<&str>); 8] = [
    ("attempt", Some("expires_before")),
    ("orders", Some("starts_at")),
    ("entry", None),
    ("event", None),
    ("decision", None),
    ("audit", None),
    ("spent_proof", Some("digest")),
    ("token", Some("token")),
];

/// Rows of one table.
struct Rows {
    insert: String,
    rows: Vec<Vec<Value>>,
    /// The place of the column that is different each time.
    unlike: Option<usize>,
    /// The place of the column that names a resource by its row.
    resource: Option<usize>,
}

/// What one renewal writes.
pub struct Sample {
    tables: Vec<Rows>,
    /// The row of the server that was renewed, and how many are in its bundle.
    primary: i64,
    members: i64,
}

impl Sample {
    /// What has come to the database at `db` since `before`, when the server called `id` was renewed.
    pub fn of(db: &Path, before: &Path, id: &str) -> anyhow::Result<Sample> {
        let db = Connection::open(db)?;
        db.execute("attach ?1 as before", [before.to_str().context("the path is text")?])?;
        let mut tables = Vec::new();
        for (table, unlike) in TABLES {
            let mut statement =
                db.prepare(&format!("select * from main.{table} except select * from before.{table}"))?;
            let columns = statement.column_names().map(str::to_owned).collect::<Vec<_>>();
            let place = |name: &str| columns.iter().position(|column| column == name);
            let found = statement.query_map([], |row| (0..columns.len()).map(|at| row.get(at)).collect())?;
            let mut rows = found.collect::<rusqlite::Result<Vec<Vec<Value>>>>()?;
            if let Some(row) = place("row") {
                rows.iter_mut().for_each(|values| values[row] = Value::Null);
            }
            let values = vec!["?"; columns.len()].join(", ");
            tables.push(Rows {
                insert: format!("insert into {table} values ({values})"),
                rows,
                unlike: unlike.and_then(place),
                resource: place("resource").filter(|_| ["attempt", "orders", "decision"].contains(&table)),
            });
        }
        let primary = db.query_row("select row from resource where id = ?1", [id], |row| row.get(0))?;
        let count = "select count(*) from schedule where bundle = ?1";
        let members = db.query_row(count, [primary], |row| row.get(0))?;
        Ok(Sample { tables, primary, members })
    }

    /// How many rows a renewal adds.
    pub fn rows(&self) -> usize {
        self.tables.iter().map(|table| table.rows.len()).sum()
    }

    fn write(&self, tx: &Connection, primary: i64, number: i64) -> rusqlite::Result<()> {
        for table in &self.tables {
            let mut statement = tx.prepare_cached(&table.insert)?;
            for (place, row) in table.rows.iter().enumerate() {
                let mut row = row.clone();
                if let Some(unlike) = table.unlike {
                    let number = number * 16 + i64::try_from(place).unwrap_or_default();
                    row[unlike] = match &row[unlike] {
                        Value::Blob(_) => Value::Blob([number.to_be_bytes(); 4].concat()),
                        Value::Text(_) => Value::Text(format!("t{number}")),
                        Value::Integer(_) | Value::Null | Value::Real(_) => Value::Integer(number),
                    };
                }
                if let Some(resource) = table.resource
                    && let Value::Integer(sampled) = row[resource]
                {
                    row[resource] = Value::Integer(sampled - self.primary + primary);
                }
                statement.execute(params_from_iter(row))?;
            }
        }
        let mut renew = tx.prepare_cached(
            "update schedule set charging = ?2, stage = ?3, expires_at = expires_at + ?4, on_expiry = ?5, renewals_left = ?6,
                 cursor_at = cursor_at + 1, wake_at = wake_at + ?4, consecutive_failures = 0
             where resource = ?1",
        )?;
        for member in primary..primary + self.members {
            renew.execute((member, 0, 0, 2_678_400, 0, None::<i64>))?;
        }
        let spend = "update account set available = available - 1, held = 0
            where row = (select account from resource where row = ?1)";
        tx.prepare_cached(spend)?.execute([primary])?;
        Ok(())
    }
}

/// What the handler has.
struct Bare {
    key: Key,
    sample: Sample,
    store: Mutex<Store>,
    number: AtomicI64,
}

/// Serves the handler over the database at `db`; returns where.
pub fn serve(runtime: &Runtime, db: &Path, key: Key, sample: Sample) -> anyhow::Result<SocketAddr> {
    let store = Mutex::new(Store::open(db)?);
    // Beyond everything that the database has already.
    let bare = Arc::new(Bare { key, sample, store, number: AtomicI64::new(1 << 40) });
    let router = Router::new().fallback(renew).with_state(bare);
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    runtime.spawn(async move {
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true)));
        axum::serve(listener, router).await
    });
    Ok(address)
}

async fn renew(
    State(bare): State<Arc<Bare>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let line = (method.as_str(), uri.path(), uri.query().unwrap_or_default());
    if !bare.key.is_signed(line, header("authorization"), header("x-number"), &body) {
        return StatusCode::UNAUTHORIZED;
    }
    let id = match bare.key.api {
        Api::Huawei => serde_json::from_slice::<serde_json::Value>(&body)
            .ok()
            .and_then(|body| Some(body["resource_ids"][0].as_str()?.to_owned())),
        Api::Baidu => uri.path().rsplit('/').next().map(str::to_owned),
    };
    let Some(id) = id else { return StatusCode::BAD_REQUEST };
    let done = tokio::task::spawn_blocking(move || {
        let number = bare.number.fetch_add(1, Ordering::Relaxed);
        let mut store = bare.store.lock().expect("nobody panics here");
        store.write(|tx| {
            let tx = tx.inspect().connection();
            if handler::bundle(tx, &id)?.is_none() {
                return Ok(StatusCode::NOT_FOUND);
            }
            let primary = tx
                .prepare_cached("select row from resource where id = ?1")?
                .query_row([&id], |row| row.get(0))?;
            bare.sample.write(tx, primary, number)?;
            Ok::<_, StoreError>(StatusCode::OK)
        })
    });
    done.await.ok().and_then(Result::ok).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
