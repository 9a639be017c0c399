//! `/healthz`, `/readyz` and `/metrics`, which never wait for other requests: they read on a thread of their own.

use std::time::Duration;

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
use perennial_engine::clock::OUTAGE_AFTER;
use perennial_engine::clock::seconds_behind;
use perennial_service::error::ServiceError;
use perennial_service::metrics;
use perennial_service::storage_state::StorageState;
use perennial_store::channels;
use perennial_store::clock;
use perennial_store::error::StoreError;
use perennial_store::plugin_breakers;
use perennial_store::plugin_failures;
use perennial_store::stats;
use perennial_store::stats::Stats as Stored;
use perennial_store::webhooks;

/// How long the writer may take to begin a transaction.
const WRITER_PATIENCE: Duration = Duration::from_secs(5);

/// Gauges of the host's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HealthStats {
    /// Bundles that are due.
    pub due: i64,
    /// The delay of the bundle that has been due longest, in seconds; also when the clock did its part and the plugin fails
    /// or is missing.
    pub overdue_seconds: i64,
    /// The same of those that wait for the clock.
    pub late_seconds: i64,
    /// The time since the last tick of the clock, in seconds.
    pub clock_lag_seconds: i64,
    /// How far the database's clock is ahead of the present, in seconds.
    pub clock_behind_seconds: i64,
    /// Attempts with an unknown outcome.
    pub in_doubt: i64,
    /// The number of running jobs.
    pub jobs: i64,
    /// Items of running jobs without an outcome.
    pub items: i64,
    /// The number of pending approvals.
    pub approvals_pending: i64,
}

/// Reads the gauges at `now`.
pub(super) fn health_stats(db: &ReadTx, now: Timestamp) -> Result<HealthStats, StoreError> {
    let Stored { due, first_wake, failing_since, in_doubt, jobs, items, approvals_pending } =
        stats::get(db, now - 1)?;
    let ticked_at = clock::ticked_at(db)?;
    let seconds_since = |since: Option<Timestamp>| since.map_or(0, |since| (now - since).max(0));
    let late_seconds = seconds_since(first_wake);
    Ok(HealthStats {
        due,
        overdue_seconds: late_seconds.max(seconds_since(failing_since)),
        late_seconds,
        clock_lag_seconds: ticked_at.map_or(0, |ticked_at| (now - ticked_at).max(0)),
        clock_behind_seconds: seconds_behind(ticked_at, now),
        in_doubt,
        jobs,
        items,
        approvals_pending,
    })
}

/// The host is alive.
#[derive(Serialize, ToSchema)]
pub(super) struct Liveness {
    /// Always `alive`: the process answers.
    status: &'static str,
}

/// Checks that the host is alive.
#[utoipa::path(get, path = "/healthz", tag = "host", responses((status = 200, body = Liveness)))]
pub(super) async fn liveness() -> Json<Liveness> {
    Json(Liveness { status: "alive" })
}

/// Whether the host can do its work.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Whether every check passes.
    ready: bool,
    /// Whether the clock keeps up, and the system's clock is not behind the database's.
    clock: bool,
    /// The delay of the bundle that has been due longest, in seconds; also when its plugin fails or is missing.
    overdue_seconds: i64,
    /// Whether the database can be written to: false, too, when the last write found the disk full, or the file moved.
    store: bool,
    /// Whether every account has the plugin of its provider. A host that was allowed to start without is ready all the same.
    plugins: bool,
    /// What keeps the host from being ready, and what to do, in words; empty when nothing does.
    problems: Vec<String>,
}

/// Checks that the clock keeps up, the database can be written to, and the plugins are loaded.
#[utoipa::path(get, path = "/readyz", tag = "host", responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub(super) async fn readiness(State(app): State<AppState>) -> Result<Response, Problem> {
    let now = app.now();
    // A writer that is busy with a batch is healthy; one that has stopped or cannot begin a transaction is not.
    let begun = app.writer().call(|context| context.engine.in_transaction(|_| Ok::<(), ServiceError>(())));
    let begun = tokio::time::timeout(WRITER_PATIENCE, begun).await;
    let storage = match &begun {
        Ok(Err(error)) if error.storage_state() != StorageState::Writable => error.storage_state(),
        Ok(_) | Err(_) => app.writer().storage_state(),
    };
    let store = matches!(begun, Ok(Ok(()))) && storage == StorageState::Writable;
    let providers = app.providers().clone();
    let (stats, plugins) = app
        .read_watched(move |db| {
            let used = stats::providers(db)?;
            let bound = providers.as_bound(db)?;
            Ok((health_stats(db, now)?, used.iter().all(|provider| bound.contains_key(provider))))
        })
        .await?;
    // A virtual clock stands still until it is advanced, so it does not lag.
    let mut problems = Vec::new();
    if !app.writer().is_virtual() {
        problems.extend(clock_problems(&stats, app.limits().lag_seconds_max));
    }
    let clock = problems.is_empty();
    if !store {
        let problem =
            storage.problem().unwrap_or("the writer does not begin a transaction: see the host's log");
        problems.push(problem.to_owned());
    }
    let ready = clock && store;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = Readiness { ready, clock, overdue_seconds: stats.overdue_seconds, store, plugins, problems };
    Ok((status, Json(body)).into_response())
}

/// What is wrong with a clock on real time.
fn clock_problems(stats: &HealthStats, lag_seconds_max: i64) -> Vec<String> {
    let mut problems = Vec::new();
    if stats.late_seconds > lag_seconds_max {
        problems.push(format!("the clock is {} seconds late: it catches up", stats.late_seconds));
    }
    if stats.clock_behind_seconds > OUTAGE_AFTER {
        problems.push(format!(
            "the system's clock is {} seconds behind the database's: check the system's clock",
            stats.clock_behind_seconds
        ));
    }
    problems
}

/// Gets the metrics, in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "host", responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn scrape(State(app): State<AppState>) -> Result<impl IntoResponse, Problem> {
    let now = app.now();
    let read = app.read_watched(move |db| {
        let failing = (plugin_failures::count_parked(db)?, plugin_breakers::count_open(db)?);
        Ok((health_stats(db, now)?, webhooks::stats(db)?, channels::failing(db)?, failing))
    });
    let (stats, webhooks, channels_failing, (parked, breakers_open)) = read.await?;
    let mut text = String::new();
    let gauges = [
        ("perennial_due", "Bundles that are due.", stats.due),
        (
            "perennial_overdue_seconds",
            "Delay of the bundle that has been due longest, also when its plugin fails or is missing.",
            stats.overdue_seconds,
        ),
        ("perennial_clock_lag_seconds", "Time since the last tick of the clock.", stats.clock_lag_seconds),
        (
            "perennial_clock_behind_seconds",
            "How far the system's clock is behind the database's, which was ahead once.",
            stats.clock_behind_seconds,
        ),
        (
            "perennial_storage_writable",
            "Whether the database can be written to: 0 when the disk is full or the file was moved.",
            i64::from(app.writer().storage_state() == StorageState::Writable),
        ),
        ("perennial_database_generation", "How often the database was set back.", app.service().generation()),
        ("perennial_in_doubt", "Attempts with an unknown outcome.", stats.in_doubt),
        ("perennial_webhooks_disabled", "Webhooks that are disabled.", webhooks.disabled),
        ("perennial_webhook_pending", "Deliveries that wait for a retry.", webhooks.pending),
        (
            "perennial_webhook_lag_events",
            "Events that the slowest enabled webhook has not been sent.",
            webhooks.behind,
        ),
        ("perennial_channels_failing", "Enabled channels that deliver nothing.", channels_failing),
        (
            "perennial_plugin_bundles_parked",
            "Bundles that are parked, because plugins fail over them.",
            parked,
        ),
        (
            "perennial_plugin_breakers_open",
            "Revisions of plugins that are not asked for a while.",
            breakers_open,
        ),
        ("perennial_jobs_running", "Running jobs.", stats.jobs),
        ("perennial_job_items_waiting", "Items of running jobs without an outcome.", stats.items),
        ("perennial_approvals_pending", "Pending approvals.", stats.approvals_pending),
    ];
    for (name, help, value) in gauges {
        metrics::write_single(&mut text, name, "gauge", help, "", value);
    }
    app.metrics().write(&mut text);
    app.requests().write(&mut text);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}
