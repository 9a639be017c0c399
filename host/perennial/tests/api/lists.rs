//! The lists: attempts, packages, events, plugins and the audit log; and the clock.

use expect_test::expect;

use crate::harness::Server;

#[test]
fn what_happened_is_listed() {
    let server = Server::furnished();
    server.advance("2026-02-01T00:00:00Z");
    expect![[""]].assert_eq(&server.get("viewer", "/v1/events?account=acme-hw").shown());
    expect![[""]].assert_eq(&server.get("viewer", "/v1/attempts").shown());
}

#[test]
fn packages_are_listed_and_their_use_is_recorded() {
    let server = Server::furnished();
    let body = r#"{"resource_type": "cci", "amount": "90.00"}"#;
    expect![[""]].assert_eq(&server.post("operator", "/v1/accounts/acme-hw:use", body).shown());
    expect![[""]].assert_eq(&server.get("viewer", "/v1/packages").shown());
}

#[test]
fn every_write_is_in_the_audit_log_with_its_reason() {
    let server = Server::furnished();
    let reason = &["x-reason: ticket 4711"];
    server.send("bound-operator", "POST", "/v1/accounts/acme-hw:top-up", reason, r#"{"amount": "1.00"}"#);
    server.send("operator", "POST", "/v1/accounts/none:top-up", reason, r#"{"amount": "1.00"}"#);
    let mut log = server.get("admin", "/v1/audit").json();
    for record in log["items"].as_array_mut().unwrap() {
        record["token"] = "[token]".into();
    }
    expect![[""]].assert_eq(&serde_json::to_string_pretty(&log).unwrap());
}

#[test]
fn plugins_say_what_they_are() {
    let server = Server::new();
    let plugins = server.get("viewer", "/v1/plugins").json();
    let names = plugins["items"].as_array().unwrap().iter().map(|plugin| plugin["name"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(names, ["Baidu AI Cloud", "Huawei Cloud"]);
}

#[test]
fn the_clock_goes_where_it_is_told_and_never_back() {
    let server = Server::furnished();
    expect![[""]].assert_eq(&server.get("viewer", "/v1/clock").shown());
    expect![[""]].assert_eq(&server.post("admin", "/v1/clock:advance", r#"{"to": "2026-01-02T00:00:00Z"}"#).shown());
    expect![[""]].assert_eq(&server.post("admin", "/v1/clock:advance", r#"{"to": "2026-01-01T00:00:00Z"}"#).shown());
}

#[test]
fn the_host_is_alive_ready_and_described() {
    let server = Server::furnished();
    expect![[""]].assert_eq(&server.get("", "/healthz").shown());
    expect![[""]].assert_eq(&server.get("", "/readyz").shown());
    let api = server.get("", "/openapi.json").json();
    assert_eq!(api["openapi"], "3.1.0");
    assert!(server.get("", "/metrics").body.contains("perennial_overdue_seconds 0\n"));
}
