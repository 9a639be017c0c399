//! The lists: attempts, packages, events, plugins and the audit log; and the clock.

use std::collections::BTreeSet;

use expect_test::expect;

use crate::harness::Server;

#[test]
fn what_happened_is_listed() {
    let server = Server::furnished();
    server.advance("2026-02-01T00:00:00Z");
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "items": [
            {
              "account": "acme-hw",
              "amount": "-99.00",
              "at": "2026-01-23T19:00:00Z",
              "balance": "401.00",
              "id": "c1",
              "reason": "renewal",
              "resource": "ecs-1",
              "type": "balance_changed"
            },
            {
              "account": "acme-hw",
              "at": "2026-01-23T19:00:00Z",
              "attempt": "ecs-1/2026-01-31T15:59:59Z/1month",
              "cause": "auto",
              "cost": "99.00",
              "expires_at": "2026-02-28T15:59:59Z",
              "expires_before": "2026-01-31T15:59:59Z",
              "extra_days": 0,
              "id": "c2",
              "primary": null,
              "resource": "ecs-1",
              "term": {
                "count": 1,
                "unit": "month"
              },
              "type": "renewal_settled"
            }
          ],
          "next_cursor": null
        }"#]]
    .assert_eq(&server.get("viewer", "/v1/events?account=acme-hw").shown());
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "items": [
            {
              "account": "acme-hw",
              "at": "2026-01-23T19:00:00Z",
              "class": null,
              "expires_before": "2026-01-31T15:59:59Z",
              "id": "ecs-1/2026-01-31T15:59:59Z/1month",
              "resource": "ecs-1",
              "state": "settled",
              "term": {
                "count": 1,
                "unit": "month"
              },
              "tries": 1
            }
          ],
          "next_cursor": null
        }"#]]
    .assert_eq(&server.get("viewer", "/v1/attempts").shown());
}

#[test]
fn packages_are_listed_and_their_use_is_recorded() {
    let server = Server::furnished();
    let body = r#"{"resource_type": "cci", "amount": "90.00"}"#;
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "events": [
            {
              "account": "acme-hw",
              "amount": "90.00",
              "at": "2026-01-01T00:00:00Z",
              "left": "10.00",
              "resource": "pkg-1",
              "type": "package_used"
            },
            {
              "account": "acme-hw",
              "at": "2026-01-01T00:00:00Z",
              "left": "10.00",
              "resource": "pkg-1",
              "type": "package_low"
            }
          ]
        }"#]]
    .assert_eq(&server.post("operator", "/v1/accounts/acme-hw:use", body).shown());
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "items": [
            {
              "account": "acme-hw",
              "anchor_day": 31,
              "attached_to": null,
              "attributes": {},
              "charging": "prepaid",
              "currency": "CNY",
              "expires_at": "2026-12-31T15:59:59Z",
              "id": "pkg-1",
              "kind": "package",
              "next_wake_at": "2026-12-24T01:00:00Z",
              "on_expiry": "lapse",
              "package": {
                "bought_at": "2025-12-31T02:00:00Z",
                "left": "10.00",
                "quota": "100.00",
                "resource_type": "cci",
                "unit": "vCPU-hour",
                "used": "90.00"
              },
              "price": "120.00",
              "problem": null,
              "provider": "huawei",
              "region": "cn-north-4",
              "renewal_term": null,
              "renewals_left": null,
              "stage": "active",
              "started_at": "2025-12-31T02:00:00Z",
              "tags": {},
              "term": {
                "count": 1,
                "unit": "year"
              }
            }
          ],
          "next_cursor": null
        }"#]]
    .assert_eq(&server.get("viewer", "/v1/packages").shown());
}

#[test]
fn every_write_is_in_the_audit_log_with_its_reason() {
    let server = Server::furnished();
    let reason = &["x-reason: ticket 4711"];
    server.send("bound-operator", "POST", "/v1/accounts/acme-hw:top-up", reason, r#"{"amount": "1.00"}"#);
    server.send("operator", "POST", "/v1/accounts/none:top-up", reason, r#"{"amount": "1.00"}"#);
    // What came to nothing is written down with what it was about, as far as the caller sees that.
    for stale in ["/v1/resources/ecs-1:renew", "/v1/resources/bcc-1:renew"] {
        server.send("bound-operator", "POST", stale, &["if-match: \"stale\""], "");
    }
    let mut log = server.get("admin", "/v1/audit").json();
    for record in log["items"].as_array_mut().unwrap() {
        record["token"] = "[token]".into();
    }
    expect![[r#"
        {
          "items": [
            {
              "account": null,
              "at": "2026-01-01T00:00:00Z",
              "name": "bound-operator",
              "operation": "POST /v1/resources/{id}:renew",
              "outcome": "not-found",
              "reason": null,
              "request": "test",
              "resource": null,
              "revision": null,
              "status": 404,
              "token": "[token]"
            },
            {
              "account": "acme-hw",
              "at": "2026-01-01T00:00:00Z",
              "name": "bound-operator",
              "operation": "POST /v1/resources/{id}:renew",
              "outcome": "precondition-failed",
              "reason": null,
              "request": "test",
              "resource": "ecs-1",
              "revision": null,
              "status": 412,
              "token": "[token]"
            },
            {
              "account": null,
              "at": "2026-01-01T00:00:00Z",
              "name": "operator",
              "operation": "POST /v1/accounts/{id}:top-up",
              "outcome": "not-found",
              "reason": "ticket 4711",
              "request": "test",
              "resource": null,
              "revision": null,
              "status": 404,
              "token": "[token]"
            },
            {
              "account": "acme-hw",
              "at": "2026-01-01T00:00:00Z",
              "name": "bound-operator",
              "operation": "POST /v1/accounts/{id}:top-up",
              "outcome": "done",
              "reason": "ticket 4711",
              "request": "test",
              "resource": null,
              "revision": null,
              "status": 200,
              "token": "[token]"
            },
            {
              "account": null,
              "at": "2026-01-01T00:00:00Z",
              "name": "admin",
              "operation": "POST /v1/resources:import",
              "outcome": "done",
              "reason": null,
              "request": "test",
              "resource": null,
              "revision": null,
              "status": 200,
              "token": "[token]"
            }
          ],
          "next_cursor": null
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&log).unwrap());
}

#[test]
fn plugins_say_what_they_are() {
    let server = Server::new();
    let plugins = server.get("viewer", "/v1/plugins").json();
    let names = plugins["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|plugin| plugin["name"].as_str().unwrap())
        .collect::<Vec<_>>();
    assert_eq!(names, ["Baidu AI Cloud", "Huawei Cloud", "Volcengine"]);
}

#[test]
fn the_clock_goes_where_it_is_told_and_never_back() {
    let server = Server::furnished();
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "is_virtual": true,
          "now": "2026-01-01T00:00:00Z",
          "ticked_at": "2025-12-31T23:59:59Z"
        }"#]]
    .assert_eq(&server.get("viewer", "/v1/clock").shown());
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "now": "2026-01-02T00:00:00Z"
        }"#]]
    .assert_eq(&server.post("admin", "/v1/clock:advance", r#"{"to": "2026-01-02T00:00:00Z"}"#).shown());
    expect![[r#"
        409 Conflict
        content-type: application/problem+json
        {
          "detail": "the clock stands at 2026-01-02T00:00:00Z; it does not go back",
          "status": 409,
          "title": "The state does not allow the request",
          "type": "urn:perennial:problem:conflict"
        }"#]]
    .assert_eq(&server.post("admin", "/v1/clock:advance", r#"{"to": "2026-01-01T00:00:00Z"}"#).shown());
    expect![[r#"
        409 Conflict
        content-type: application/problem+json
        {
          "detail": "the clock stands at 2026-01-02T00:00:00Z, and is moved to 2036-01-10T00:00:00Z at most at once; name an instant that is not after that",
          "status": 409,
          "title": "The state does not allow the request",
          "type": "urn:perennial:problem:conflict"
        }"#]]
        .assert_eq(&server.post("admin", "/v1/clock:advance", r#"{"to": "2062-01-01T00:00:00Z"}"#).shown());
}

#[test]
fn the_host_is_alive_ready_and_described() {
    let server = Server::furnished();
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "status": "alive"
        }"#]]
    .assert_eq(&server.get("", "/healthz").shown());
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "clock": true,
          "overdue_seconds": 0,
          "plugins": true,
          "problems": [],
          "ready": true,
          "store": true
        }"#]]
    .assert_eq(&server.get("", "/readyz").shown());
    let api = server.get("", "/openapi.json").json();
    assert_eq!(api["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for operation in
        api["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values())
    {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{operation}");
    }
    assert_eq!(ids.len(), perennial_http::admin::routes(&server.host).routes().len());
    server.advance("2026-01-02T00:00:00Z");
    assert!(server.get("", "/metrics").body.contains("perennial_overdue_seconds 0\n"));
}
