//! Whether the host is alive, and whether it does its work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::host::Host;
use crate::api::problem::Problem;
use crate::store::clock;
use crate::store::error::StoreError;
use crate::store::stats;
use crate::store::stats::Standing as Stored;

/// How things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Bundles whose time has come.
    pub due: i64,
    /// How late the one is that has waited longest, in seconds.
    pub overdue_seconds: i64,
    /// How far the clock is behind, in seconds.
    pub clock_lag_seconds: i64,
    /// Attempts of which nobody knows whether they happened.
    pub in_doubt: i64,
    /// Jobs that are running.
    pub jobs: i64,
    /// Items of those that have no answer yet.
    pub items: i64,
    /// Pending approvals.
    pub approvals_pending: i64,
}

/// How things stand at `now`.
pub(super) fn standing(db: &Connection, now: Timestamp) -> Result<Standing, StoreError> {
    let Stored { due, first_wake, in_doubt, jobs, items, approvals_pending } = stats::get(db, now - 1)?;
    let ticked_at = clock::ticked_at(db)?;
    Ok(Standing {
        due,
        overdue_seconds: first_wake.map_or(0, |wake| (now - wake).max(0)),
        clock_lag_seconds: ticked_at.map_or(0, |ticked_at| (now - ticked_at).max(0)),
        in_doubt,
        jobs,
        items,
        approvals_pending,
    })
}

/// The host is there.
#[derive(Serialize, ToSchema)]
pub(super) struct Alive {
    /// Always `alive`.
    status: &'static str,
}

/// Whether the host is alive.
#[utoipa::path(get, path = "/healthz", tag = "host", responses((status = 200, body = Alive)))]
pub(super) async fn alive() -> Json<Alive> {
    Json(Alive { status: "alive" })
}

/// Whether the host does its work.
#[derive(Serialize, ToSchema)]
pub(super) struct Ready {
    /// Whether all of these are well.
    ready: bool,
    /// Whether the clock keeps up.
    clock: bool,
    /// How late the bundle is that has waited longest, in seconds.
    overdue_seconds: i64,
    /// Whether the database can be written to.
    store: bool,
    /// Whether there are rules for every account.
    plugins: bool,
}

/// Whether the host does its work: the clock keeps up, the store can be written to, plugins are loaded.
#[utoipa::path(get, path = "/readyz", tag = "host", responses((status = 200, body = Ready), (status = 503, body = Ready)))]
pub(super) async fn ready(State(host): State<Host>) -> Result<Response, Problem> {
    let now = host.now();
    // A writer that is busy with a batch is well; one that is gone or cannot begin a transaction is not.
    let store =
        host.writer().call(|desk| Ok(desk.engine.atomically(|_| Ok::<(), StoreError>(()))?)).await.is_ok();
    let providers = host.providers().keys().cloned().collect::<Vec<_>>();
    let (standing, plugins) = host
        .read(move |db| {
            let known = stats::providers(db)?;
            Ok((standing(db, now)?, known.iter().all(|provider| providers.contains(provider))))
        })
        .await?;
    // A virtual clock that nobody moves is not behind.
    let clock = host.writer().is_virtual() || standing.overdue_seconds <= host.limits().lag_seconds_max;
    let plugins = plugins && !host.providers().is_empty();
    let ready = clock && store && plugins;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = Ready { ready, clock, overdue_seconds: standing.overdue_seconds, store, plugins };
    Ok((status, Json(body)).into_response())
}
