//! `/v1/provider-keys`.

use axum::http::StatusCode;
use expect_test::expect;
use perennial_store::people;
use serde_json::Value;

use crate::harness::ApiResponse;
use crate::harness::Server;

const NEW: &str = r#"{"account": "acme-hw", "name": "terraform"}"#;

/// The access key of a key that was just made.
fn access_key(answer: &ApiResponse) -> String {
    answer.json()["key"]["access_key"].as_str().unwrap().to_owned()
}

/// The whole answer, without what is different each time.
fn shown(answer: &ApiResponse, keys: &[&str]) -> String {
    let mut text = answer.shown();
    for (place, key) in keys.iter().enumerate() {
        text = text.replace(key, &format!("[key {place}]"));
    }
    text
}

#[test]
fn a_key_is_made_and_its_secret_is_shown_once() {
    let server = Server::furnished();
    let made = server.send("admin", "POST", "/v1/provider-keys", &["idempotency-key: k"], NEW);
    let key = access_key(&made);
    expect![[r#"
        201 Created
        content-type: application/json
        location: /v1/provider-keys/[key 0]
        {
          "key": {
            "access_key": "[key 0]",
            "account": "acme-hw",
            "created_at": "2026-01-01T00:00:00Z",
            "created_by": "[admin]",
            "expires_at": null,
            "last_used_at": null,
            "name": "terraform",
            "provider": "huawei",
            "revoked_at": null
          },
          "secret": "[digest]"
        }"#]]
    .assert_eq(&shown(&made, &[&key]).replace(made.json()["key"]["created_by"].as_str().unwrap(), "[admin]"));
    assert!(key.len() == 20 && key.starts_with("PN"), "{key}");
    let again = server.send("admin", "POST", "/v1/provider-keys", &["idempotency-key: k"], NEW);
    assert_eq!((access_key(&again), &again.json()["secret"]), (key, &Value::Null));
    let other = server.post("admin", "/v1/provider-keys", NEW);
    assert_ne!(other.json()["secret"], made.json()["secret"]);
}

#[test]
fn a_key_belongs_to_whoever_made_it() {
    let server = Server::furnished();
    let key = access_key(&server.post("admin", "/v1/provider-keys", NEW));
    let admin = crate::approvals::id_of(&server, "admin");
    let (person, unknown) = server.on_writer(move |context| {
        let db = context.engine.db();
        (people::person_of(db, &key).unwrap(), people::person_of(db, "cli").unwrap())
    });
    assert_eq!((person, unknown), (admin, "cli".to_owned()));
}

#[test]
fn a_key_is_for_an_account_that_the_token_sees() {
    let server = Server::furnished();
    for (token, body, status) in [
        ("admin", r#"{"account": "none", "name": "n"}"#, StatusCode::NOT_FOUND),
        ("bound-admin", r#"{"account": "beta-bd", "name": "n"}"#, StatusCode::NOT_FOUND),
        ("admin", r#"{"account": "acme-hw"}"#, StatusCode::UNPROCESSABLE_ENTITY),
        (
            "admin",
            r#"{"account": "acme-hw", "name": "n", "secret": "mine"}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        assert_eq!(server.post(token, "/v1/provider-keys", body).status, status, "{body}");
    }
    server.post("admin", "/v1/provider-keys", NEW);
    server.post("admin", "/v1/provider-keys", r#"{"account": "beta-bd", "name": "n"}"#);
    let listed = |token: &str| {
        let page = server.get(token, "/v1/provider-keys").json();
        let items = page["items"].as_array().unwrap().clone();
        items.into_iter().map(|key| key["account"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed("operator"), ["acme-hw", "beta-bd"]);
    assert_eq!(listed("bound-operator"), ["acme-hw"]);
}

#[test]
fn a_rotated_key_is_honoured_for_a_while_and_a_revoked_one_not_at_all() {
    let server = Server::furnished();
    let old = access_key(&server.post("admin", "/v1/provider-keys", NEW));
    let rotate = format!("/v1/provider-keys/{old}:rotate");
    let made = server.post("admin", &rotate, r#"{"overlap_seconds": 3600}"#);
    let new = access_key(&made);
    assert_eq!(made.status, StatusCode::CREATED);
    assert_ne!(old, new);
    let again = server.post("admin", &rotate, r#"{"overlap_seconds": 3600}"#);
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(
        again.shown().contains(&format!("was replaced by {new} already; rotate that one")),
        "{}",
        again.shown()
    );
    let revoked = server.post("admin", &format!("/v1/provider-keys/{new}:revoke"), "");
    assert_eq!(revoked.json()["revoked_at"], "2026-01-01T00:00:00Z");
    let page = server.get("admin", "/v1/provider-keys").json();
    assert_eq!(page["items"][0]["expires_at"], "2026-01-01T01:00:00Z");
    assert_eq!(page["items"][1]["revoked_at"], "2026-01-01T00:00:00Z");
    // Its successor is gone. Rotating sooner only makes it end sooner, and the new one has the end that it had before.
    let last = server.post("admin", &rotate, r#"{"overlap_seconds": 0}"#);
    assert_eq!((last.status, &last.json()["key"]["expires_at"]), (StatusCode::CREATED, &Value::Null));
    expect![[r#"
        409 Conflict
        content-type: application/problem+json
        {
          "detail": "the key [key 0] is no longer in force; make a new one",
          "status": 409,
          "title": "The state does not allow the request",
          "type": "urn:perennial:problem:conflict"
        }"#]]
    .assert_eq(&shown(&server.post("admin", &rotate, "{}"), &[&old]));
    for path in ["/v1/provider-keys/none:rotate", "/v1/provider-keys/none:revoke"] {
        assert_eq!(server.post("admin", path, "").status, StatusCode::NOT_FOUND, "{path}");
    }
    let elsewhere =
        access_key(&server.post("admin", "/v1/provider-keys", r#"{"account": "beta-bd", "name": "n"}"#));
    let hidden = server.post("bound-admin", &format!("/v1/provider-keys/{elsewhere}:revoke"), "");
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
}
