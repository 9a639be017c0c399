//! `/v1/tokens`.

use crate::harness::Server;
use axum::body::Body;
use axum::http::Request;

fn with(server: &Server, secret: &str) -> u16 {
    let request = Request::builder().uri("/v1/accounts").header("authorization", format!("bearer {secret}"));
    server.raw(request.body(Body::empty()).unwrap()).status.as_u16()
}

fn make(server: &Server, body: &str) -> serde_json::Value {
    let answer = server.send("admin", "POST", "/v1/tokens", &["idempotency-key: t"], body);
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()
}

#[test]
fn a_secret_is_shown_once_and_kept_nowhere() {
    let server = Server::new();
    let body = r#"{"name": "portal", "role": "viewer"}"#;
    let made = make(&server, body);
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(with(&server, secret), 200);
    assert!(make(&server, body)["secret"].is_null(), "asked again with the same key");
    assert_eq!(server.get("admin", "/v1/tokens").json()["items"].as_array().unwrap().len(), 9, "made once");
    assert!(!server.get("admin", "/v1/tokens").body.contains(secret.rsplit_once('_').unwrap().1));
}

#[test]
fn a_token_that_is_wrong_in_one_place_is_refused() {
    let server = Server::new();
    let secret =
        make(&server, r#"{"name": "portal", "role": "viewer"}"#)["secret"].as_str().unwrap().to_owned();
    let mut wrong = secret.clone();
    let last = if wrong.pop() == Some('0') { '1' } else { '0' };
    wrong.push(last);
    for token in [wrong.as_str(), "", "pn_", "pn_x_y", &secret[..secret.len() - 1]] {
        assert_eq!(with(&server, token), 401, "{token}");
    }
}

#[test]
fn a_token_is_refused_once_it_is_revoked() {
    let server = Server::new();
    let made = make(&server, r#"{"name": "portal", "role": "viewer"}"#);
    let (secret, id) = (made["secret"].as_str().unwrap(), made["token"]["id"].as_str().unwrap());
    assert_eq!(with(&server, secret), 200);
    let revoked = server.post("admin", &format!("/v1/tokens/{id}:revoke"), "").json();
    assert_eq!(revoked["revoked_at"], "2026-01-01T00:00:00Z");
    assert_eq!(with(&server, secret), 401);
    assert_eq!(with(&server.restarted(), secret), 401);
}

#[test]
fn a_token_is_refused_from_the_instant_at_which_it_expires() {
    let server = Server::new();
    let made = make(&server, r#"{"name": "portal", "role": "viewer", "expires_at": "2026-01-02T00:00:00Z"}"#);
    let secret = made["secret"].as_str().unwrap();
    server.advance("2026-01-01T23:59:59Z");
    assert_eq!(with(&server, secret), 200);
    server.advance("2026-01-02T00:00:00Z");
    assert_eq!(with(&server, secret), 401);
}

#[test]
fn a_bound_token_makes_no_token_that_sees_more() {
    let server = Server::furnished();
    let status = |body: &str| server.post("bound-admin", "/v1/tokens", body).status.as_u16();
    assert_eq!(status(r#"{"name": "n", "role": "viewer"}"#), 403);
    assert_eq!(status(r#"{"name": "n", "role": "viewer", "accounts": ["beta-bd"]}"#), 404);
    assert_eq!(status(r#"{"name": "n", "role": "viewer", "accounts": []}"#), 201);
    assert_eq!(status(r#"{"name": "n", "role": "admin", "accounts": ["acme-hw"]}"#), 201);
}
