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
        # HELP perennial_due Bundles whose time has come.
        # TYPE perennial_due gauge
        perennial_due 0
        # HELP perennial_overdue_seconds How late the bundle is that has waited longest.
        # TYPE perennial_overdue_seconds gauge
        perennial_overdue_seconds 0
        # HELP perennial_clock_lag_seconds How far the clock is behind.
        # TYPE perennial_clock_lag_seconds gauge
        perennial_clock_lag_seconds 1
        # HELP perennial_in_doubt Attempts of which nobody knows whether they happened.
        # TYPE perennial_in_doubt gauge
        perennial_in_doubt 0
        # HELP perennial_webhooks_disabled Webhooks that are disabled.
        # TYPE perennial_webhooks_disabled gauge
        perennial_webhooks_disabled 0
        # HELP perennial_webhook_pending Deliveries that are to be tried again.
        # TYPE perennial_webhook_pending gauge
        perennial_webhook_pending 0
        # HELP perennial_webhook_lag_events Events that the enabled webhook furthest behind has not come to.
        # TYPE perennial_webhook_lag_events gauge
        perennial_webhook_lag_events 0
        # HELP perennial_jobs_running Jobs of many commands that are not done.
        # TYPE perennial_jobs_running gauge
        perennial_jobs_running 0
        # HELP perennial_job_items_waiting Items of those that have no answer yet.
        # TYPE perennial_job_items_waiting gauge
        perennial_job_items_waiting 0
        # HELP perennial_approvals_pending Pending approvals.
        # TYPE perennial_approvals_pending gauge
        perennial_approvals_pending 0
        # HELP perennial_attempts_total Attempts at renewals, by how they ended.
        # TYPE perennial_attempts_total counter
        perennial_attempts_total{class="settled"} 3
        # HELP perennial_missed_attempts_total Attempts made late, after an outage.
        # TYPE perennial_missed_attempts_total counter
        perennial_missed_attempts_total 0
        # HELP perennial_plugin_call_seconds_total Time that plugins took.
        # TYPE perennial_plugin_call_seconds_total counter
        perennial_plugin_call_seconds_total{provider="baidu",function="check_settings"} […]
        perennial_plugin_call_seconds_total{provider="baidu",function="timeline"} […]
        perennial_plugin_call_seconds_total{provider="huawei",function="check_settings"} […]
        perennial_plugin_call_seconds_total{provider="huawei",function="make_plan"} […]
        perennial_plugin_call_seconds_total{provider="huawei",function="timeline"} […]
        # HELP perennial_plugin_calls_total Questions put to plugins, each of many bundles.
        # TYPE perennial_plugin_calls_total counter
        perennial_plugin_calls_total{provider="baidu",function="check_settings"} 1
        perennial_plugin_calls_total{provider="baidu",function="timeline"} 7
        perennial_plugin_calls_total{provider="huawei",function="check_settings"} 1
        perennial_plugin_calls_total{provider="huawei",function="make_plan"} 4
        perennial_plugin_calls_total{provider="huawei",function="timeline"} 8
        # HELP perennial_plugin_failures_total Answers of plugins that were of no use.
        # TYPE perennial_plugin_failures_total counter
        perennial_plugin_failures_total{provider="baidu",function="check_settings"} 0
        perennial_plugin_failures_total{provider="baidu",function="timeline"} 0
        perennial_plugin_failures_total{provider="huawei",function="check_settings"} 0
        perennial_plugin_failures_total{provider="huawei",function="make_plan"} 0
        perennial_plugin_failures_total{provider="huawei",function="timeline"} 0
        # HELP perennial_webhook_deliveries_total Tries at sending an event to a webhook, by what came of them.
        # TYPE perennial_webhook_deliveries_total counter
        # HELP perennial_http_requests_total Requests that were answered.
        # TYPE perennial_http_requests_total counter
        perennial_http_requests_total{method="GET",route="/v1/resources/{id}",status="404"} 1
        perennial_http_requests_total{method="GET",route="none",status="404"} 1
        perennial_http_requests_total{method="POST",route="/v1/clock:advance",status="200"} 1
        perennial_http_requests_total{method="POST",route="/v1/resources/{id}:renew",status="200"} 1
        perennial_http_requests_total{method="POST",route="/v1/resources/{id}:renew",status="409"} 1
        perennial_http_requests_total{method="POST",route="/v1/resources:import",status="200"} 1
        perennial_http_requests_total{method="other",route="none",status="405"} 1
        # HELP perennial_http_request_seconds_total Time until they were.
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
