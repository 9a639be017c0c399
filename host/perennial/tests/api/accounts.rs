//! `/v1/accounts`.

use expect_test::expect;

use crate::harness::Server;

#[test]
fn an_account_is_made_got_listed_and_topped_up() {
    let server = Server::new();
    let body = r#"{"id": "acme-hw", "provider": "huawei", "currency": "CNY", "balance": "12.50", "settings": {"site": "intl"}}"#;
    expect![[""]].assert_eq(&server.post("admin", "/v1/accounts", body).shown());
    expect![[""]].assert_eq(&server.get("viewer", "/v1/accounts/acme-hw").shown());
    expect![[""]].assert_eq(&server.get("viewer", "/v1/accounts").shown());
    expect![[""]].assert_eq(&server.post("operator", "/v1/accounts/acme-hw:top-up", r#"{"amount": "7.5"}"#).shown());
    expect![[""]].assert_eq(&server.get("viewer", "/v1/accounts/acme-hw/ledger").shown());
}

#[test]
fn the_plugin_checks_the_settings_and_every_field_that_is_wrong_is_listed() {
    let server = Server::new();
    let body = r#"{"id": "", "provider": "huawei", "currency": "yuan", "balance": 5, "settings": {"site": "moon"}, "more": 1}"#;
    expect![[""]].assert_eq(&server.post("admin", "/v1/accounts", body).shown());
}

#[test]
fn what_is_changed_meanwhile_is_not_changed() {
    let server = Server::furnished();
    let etag = server.get("viewer", "/v1/accounts/acme-hw").headers["etag"].to_str().unwrap().to_owned();
    let header = format!("if-match: {etag}");
    let top_up = || server.send("operator", "POST", "/v1/accounts/acme-hw:top-up", &[&header], r#"{"amount": "1.00"}"#);
    assert_eq!(top_up().status, 200);
    expect![[""]].assert_eq(&top_up().shown().replace(&server.get("viewer", "/v1/accounts/acme-hw").headers["etag"].to_str().unwrap().replace('"', "\\\""), "[etag]"));
}
