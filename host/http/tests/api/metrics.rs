//! `/metrics`: every figure by name, after a little of everything has happened.

use expect_test::expect;

use crate::harness::Server;

/// The figures, without how long anything took.
fn figures(text: &str) -> String {
    let shown = text.lines().map(|line| match line.rsplit_once(' ') {
        Some((name, _)) if !line.starts_with('#') && name.contains("_seconds_total") => format!("{name} […]"),
        Some(_) | None => line.to_owned(),
    });
    shown.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_happened_is_counted_and_how_things_stand_is_read() {
    let server = Server::furnished();
    server.post("operator", "/v1/resources/ecs-1:renew", "{}");
    server.post("operator", "/v1/resources/ecs-1:renew", r#"{"term": {"count": 9, "unit": "year"}}"#);
    server.get("viewer", "/v1/resources/none");
    server.get("viewer", "/nowhere");
    server.send("", "BREW", "/v1/accounts", &[], "");
    server.advance("2026-04-01T00:00:00Z");
    let answer = server.get("", "/metrics");
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    expect![[r##"
        # HELP perennial_due Bundles that are due.
        # TYPE perennial_due gauge
        perennial_due 0
        # HELP perennial_overdue_seconds Delay of the bundle that has been due longest, also when its plugin fails or is missing.
        # TYPE perennial_overdue_seconds gauge
        perennial_overdue_seconds 0
        # HELP perennial_clock_lag_seconds Time since the last tick of the clock.
        # TYPE perennial_clock_lag_seconds gauge
        perennial_clock_lag_seconds 1
        # HELP perennial_clock_behind_seconds How far the system's clock is behind the database's, which was ahead once.
        # TYPE perennial_clock_behind_seconds gauge
        perennial_clock_behind_seconds 0
        # HELP perennial_storage_writable Whether the database can be written to: 0 when the disk is full or the file was moved.
        # TYPE perennial_storage_writable gauge
        perennial_storage_writable 1
        # HELP perennial_database_generation How often the database was set back.
        # TYPE perennial_database_generation gauge
        perennial_database_generation 0
        # HELP perennial_in_doubt Attempts with an unknown outcome.
        # TYPE perennial_in_doubt gauge
        perennial_in_doubt 0
        # HELP perennial_webhooks_disabled Webhooks that are disabled.
        # TYPE perennial_webhooks_disabled gauge
        perennial_webhooks_disabled 0
        # HELP perennial_webhook_pending Deliveries that wait for a retry.
        # TYPE perennial_webhook_pending gauge
        perennial_webhook_pending 0
        # HELP perennial_webhook_lag_events Events that the slowest enabled webhook has not been sent.
        # TYPE perennial_webhook_lag_events gauge
        perennial_webhook_lag_events 0
        # HELP perennial_channels_failing Enabled channels that deliver nothing.
        # TYPE perennial_channels_failing gauge
        perennial_channels_failing 0
        # HELP perennial_plugin_bundles_parked Bundles that are parked, because plugins fail over them.
        # TYPE perennial_plugin_bundles_parked gauge
        perennial_plugin_bundles_parked 0
        # HELP perennial_plugin_breakers_open Revisions of plugins that are not asked for a while.
        # TYPE perennial_plugin_breakers_open gauge
        perennial_plugin_breakers_open 0
        # HELP perennial_jobs_running Running jobs.
        # TYPE perennial_jobs_running gauge
        perennial_jobs_running 0
        # HELP perennial_job_items_waiting Items of running jobs without an outcome.
        # TYPE perennial_job_items_waiting gauge
        perennial_job_items_waiting 0
        # HELP perennial_approvals_pending Pending approvals.
        # TYPE perennial_approvals_pending gauge
        perennial_approvals_pending 0
        # HELP perennial_attempts_total Attempts at renewals, by outcome.
        # TYPE perennial_attempts_total counter
        perennial_attempts_total{class="settled"} 3
        # HELP perennial_missed_attempts_total Attempts made late, after an outage.
        # TYPE perennial_missed_attempts_total counter
        perennial_missed_attempts_total 0
        # HELP perennial_log_lines_dropped_total Lines of the log that could not be written.
        # TYPE perennial_log_lines_dropped_total counter
        perennial_log_lines_dropped_total 0
        # HELP perennial_plugin_call_seconds_total Time spent in plugins.
        # TYPE perennial_plugin_call_seconds_total counter
        perennial_plugin_call_seconds_total{provider="baidu",function="check_settings"} […]
        perennial_plugin_call_seconds_total{provider="baidu",function="timeline"} […]
        perennial_plugin_call_seconds_total{provider="huawei",function="check_settings"} […]
        perennial_plugin_call_seconds_total{provider="huawei",function="make_plan"} […]
        perennial_plugin_call_seconds_total{provider="huawei",function="timeline"} […]
        # HELP perennial_plugin_calls_total Calls of plugins, each with many requests.
        # TYPE perennial_plugin_calls_total counter
        perennial_plugin_calls_total{provider="baidu",function="check_settings"} 1
        perennial_plugin_calls_total{provider="baidu",function="timeline"} 9
        perennial_plugin_calls_total{provider="huawei",function="check_settings"} 1
        perennial_plugin_calls_total{provider="huawei",function="make_plan"} 4
        perennial_plugin_calls_total{provider="huawei",function="timeline"} 9
        # HELP perennial_plugin_failures_total Requests that plugins failed.
        # TYPE perennial_plugin_failures_total counter
        perennial_plugin_failures_total{provider="baidu",function="check_settings"} 0
        perennial_plugin_failures_total{provider="baidu",function="timeline"} 0
        perennial_plugin_failures_total{provider="huawei",function="check_settings"} 0
        perennial_plugin_failures_total{provider="huawei",function="make_plan"} 0
        perennial_plugin_failures_total{provider="huawei",function="timeline"} 0
        # HELP perennial_webhook_deliveries_total Attempts to deliver an event to a webhook, by outcome.
        # TYPE perennial_webhook_deliveries_total counter
        # HELP perennial_channel_deliveries_total Attempts to deliver a message to a channel, by outcome.
        # TYPE perennial_channel_deliveries_total counter
        # HELP perennial_http_requests_total Requests that got a response.
        # TYPE perennial_http_requests_total counter
        perennial_http_requests_total{method="GET",route="/v1/resources/{id}",status="404"} 1
        perennial_http_requests_total{method="GET",route="none",status="404"} 1
        perennial_http_requests_total{method="POST",route="/v1/clock:advance",status="200"} 1
        perennial_http_requests_total{method="POST",route="/v1/resources/{id}:renew",status="200"} 1
        perennial_http_requests_total{method="POST",route="/v1/resources/{id}:renew",status="409"} 1
        perennial_http_requests_total{method="POST",route="/v1/resources:import",status="200"} 1
        perennial_http_requests_total{method="other",route="none",status="405"} 1
        # HELP perennial_http_request_seconds_total Time until the response.
        # TYPE perennial_http_request_seconds_total counter
        perennial_http_request_seconds_total{method="GET",route="/v1/resources/{id}",status="404"} […]
        perennial_http_request_seconds_total{method="GET",route="none",status="404"} […]
        perennial_http_request_seconds_total{method="POST",route="/v1/clock:advance",status="200"} […]
        perennial_http_request_seconds_total{method="POST",route="/v1/resources/{id}:renew",status="200"} […]
        perennial_http_request_seconds_total{method="POST",route="/v1/resources/{id}:renew",status="409"} […]
        perennial_http_request_seconds_total{method="POST",route="/v1/resources:import",status="200"} […]
        perennial_http_request_seconds_total{method="other",route="none",status="405"} […]"##]]
    .assert_eq(&figures(&answer.body));
}
