//! `/healthz`, `/readyz` and `/metrics`, which never wait for other requests and hold none up: one look at the host, on a
//! thread of its own, answers all who ask within a while.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::state::AppState;
use perennial_engine::clock::OUTAGE_AFTER;
use perennial_service::metrics;
use perennial_service::storage_state::StorageState;

/// How long the writer may take to begin a transaction.
const WRITER_PATIENCE: Duration = Duration::from_secs(5);

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
    // A writer that is busy with a batch is healthy; one that has stopped or cannot begin a transaction is not.
    let writer = app.health().writer(app.service());
    let writer = tokio::time::timeout(WRITER_PATIENCE, writer).await.ok().flatten();
    let storage = match writer {
        Some(writer) if writer.storage != StorageState::Writable => writer.storage,
        Some(_) | None => app.writer().storage_state(),
    };
    let store = writer.is_some_and(|writer| writer.has_begun) && storage == StorageState::Writable;
    let stats = app.health().stats(app.service()).await?;
    // A virtual clock stands still until it is advanced, so it does not lag.
    let mut problems = Vec::new();
    if !app.writer().is_virtual() {
        problems.extend(clock_problems(
            stats.late_seconds,
            stats.clock_behind_seconds,
            app.limits().lag_seconds_max,
        ));
    }
    let clock = problems.is_empty();
    if !store {
        let problem =
            storage.problem().unwrap_or("the writer does not begin a transaction: see the host's log");
        problems.push(problem.to_owned());
    }
    let ready = clock && store;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let (overdue_seconds, plugins) = (stats.overdue_seconds, stats.has_plugins);
    let body = Readiness { ready, clock, overdue_seconds, store, plugins, problems };
    Ok((status, Json(body)).into_response())
}

/// What is wrong with a clock on real time.
fn clock_problems(late_seconds: i64, behind_seconds: i64, lag_seconds_max: i64) -> Vec<String> {
    let mut problems = Vec::new();
    if late_seconds > lag_seconds_max {
        problems.push(format!("the clock is {late_seconds} seconds late: it catches up"));
    }
    if behind_seconds > OUTAGE_AFTER {
        problems.push(format!(
            "the system's clock is {behind_seconds} seconds behind the database's: check the system's clock"
        ));
    }
    problems
}

/// Gets the metrics, in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "host", responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn scrape(State(app): State<AppState>) -> Result<impl IntoResponse, Problem> {
    let stats = app.health().stats(app.service()).await?;
    let webhooks = stats.webhooks;
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
        ("perennial_channels_failing", "Enabled channels that deliver nothing.", stats.channels_failing),
        (
            "perennial_plugin_bundles_parked",
            "Bundles that are parked, because plugins fail over them.",
            stats.parked,
        ),
        (
            "perennial_plugin_breakers_open",
            "Revisions of plugins that are not asked for a while.",
            stats.breakers_open,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_later_than_the_limit_is_a_problem() {
        assert_eq!(clock_problems(90, 0, 90), Vec::<String>::new());
        assert_eq!(clock_problems(91, 0, 90), ["the clock is 91 seconds late: it catches up"]);
        assert_eq!(clock_problems(91, OUTAGE_AFTER + 1, 90).len(), 2);
    }
}
