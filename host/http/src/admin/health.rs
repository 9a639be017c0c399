//! Whether the host is alive, and whether it does its work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::state::AppState;
use perennial_service::error::ServiceError;
use perennial_service::metrics;
use perennial_store::clock;
use perennial_store::error::StoreError;
use perennial_store::stats;
use perennial_store::stats::Stats as Stored;
use perennial_store::webhooks;

/// How things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HealthStats {
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
pub(super) fn health_stats(db: &ReadTx, now: Timestamp) -> Result<HealthStats, StoreError> {
    let Stored { due, first_wake, in_doubt, jobs, items, approvals_pending } = stats::get(db, now - 1)?;
    let ticked_at = clock::ticked_at(db)?;
    Ok(HealthStats {
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
pub(super) struct Liveness {
    /// Always `alive`.
    status: &'static str,
}

/// Whether the host is alive.
#[utoipa::path(get, path = "/healthz", tag = "host", responses((status = 200, body = Liveness)))]
pub(super) async fn liveness() -> Json<Liveness> {
    Json(Liveness { status: "alive" })
}

/// Whether the host does its work.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
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
#[utoipa::path(get, path = "/readyz", tag = "host", responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub(super) async fn readiness(State(app): State<AppState>) -> Result<Response, Problem> {
    let now = app.now();
    // A writer that is busy with a batch is well; one that is gone or cannot begin a transaction is not.
    let store = app
        .writer()
        .call(|context| context.engine.in_transaction(|_| Ok::<(), ServiceError>(())))
        .await
        .is_ok();
    let providers = app.providers().keys().cloned().collect::<Vec<_>>();
    let (standing, plugins) = app
        .read(move |db| {
            let known = stats::providers(db)?;
            Ok((health_stats(db, now)?, known.iter().all(|provider| providers.contains(provider))))
        })
        .await?;
    // A virtual clock that nobody moves is not behind.
    let clock = app.writer().is_virtual() || standing.overdue_seconds <= app.limits().lag_seconds_max;
    let plugins = plugins && !app.providers().is_empty();
    let ready = clock && store && plugins;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = Readiness { ready, clock, overdue_seconds: standing.overdue_seconds, store, plugins };
    Ok((status, Json(body)).into_response())
}

/// Figures in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "host", responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn scrape(State(app): State<AppState>) -> Result<impl IntoResponse, Problem> {
    let now = app.now();
    let read = app.read(move |db| Ok((health_stats(db, now)?, webhooks::stats(db)?)));
    let (stats, webhooks) = read.await?;
    let mut text = String::new();
    let gauges = [
        ("perennial_due", "Bundles whose time has come.", stats.due),
        (
            "perennial_overdue_seconds",
            "How late the bundle is that has waited longest.",
            stats.overdue_seconds,
        ),
        ("perennial_clock_lag_seconds", "How far the clock is behind.", stats.clock_lag_seconds),
        ("perennial_in_doubt", "Attempts of which nobody knows whether they happened.", stats.in_doubt),
        ("perennial_webhooks_disabled", "Webhooks that are disabled.", webhooks.disabled),
        ("perennial_webhook_pending", "Deliveries that are to be tried again.", webhooks.pending),
        (
            "perennial_webhook_lag_events",
            "Events that the enabled webhook furthest behind has not come to.",
            webhooks.behind,
        ),
        ("perennial_jobs_running", "Jobs of many commands that are not done.", stats.jobs),
        ("perennial_job_items_waiting", "Items of those that have no answer yet.", stats.items),
        ("perennial_approvals_pending", "Pending approvals.", stats.approvals_pending),
    ];
    for (name, help, value) in gauges {
        metrics::single(&mut text, name, "gauge", help, "", value);
    }
    app.metrics().write(&mut text);
    app.requests().write(&mut text);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}
