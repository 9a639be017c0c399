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
fn a_token_or_a_key_that_would_have_ended_is_not_made() {
    let server = Server::furnished();
    for (path, body) in [
        ("/v1/tokens", r#"{"name": "n", "role": "viewer", "expires_at": "2026-01-01T00:00:00Z"}"#),
        ("/v1/provider-keys", r#"{"account": "acme-hw", "name": "n", "expires_at": "2026-01-01T00:00:00Z"}"#),
    ] {
        let refused = server.post("admin", path, body);
        assert_eq!(refused.status, 422, "{path}: {}", refused.body);
        assert_eq!(refused.json()["errors"][0]["field"], "expires_at");
        let a_second_later = body.replace("00:00:00Z", "00:00:01Z");
        assert_eq!(server.post("admin", path, &a_second_later).status, 201, "{path}");
    }
}

#[test]
fn nothing_is_made_for_an_account_that_there_is_not() {
    let server = Server::furnished();
    for (path, body) in [
        ("/v1/tokens", r#"{"name": "n", "role": "viewer", "accounts": ["acme-hw", "nope"]}"#),
        ("/v1/calendars", r#"{"name": "n", "accounts": ["nope"]}"#),
        ("/v1/webhooks", r#"{"url": "https://example.com/hook", "accounts": ["nope"]}"#),
    ] {
        let refused = server.post("admin", path, body);
        assert_eq!(refused.status, 404, "{path}: {}", refused.body);
        assert!(refused.body.contains("there is no account `nope`"), "{path}: {}", refused.body);
    }
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
    assert_eq!(revoked["token"]["revoked_at"], "2026-01-01T00:00:00Z");
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
    assert_eq!(status(r#"{"name": "n", "role": "viewer", "accounts": []}"#), 422);
    assert_eq!(status(r#"{"name": "n", "role": "admin", "accounts": ["acme-hw"]}"#), 201);
}

/// Sends a body as the token with this secret.
fn post_as(server: &Server, secret: &str, path: &str, body: &str) -> crate::harness::ApiResponse {
    let request = Request::builder().method("POST").uri(path).header("content-type", "application/json");
    let request = request.header("authorization", format!("Bearer {secret}"));
    server.raw(request.body(Body::from(body.to_owned())).unwrap())
}

/// Makes a token as another one; its secret and its id.
fn make_as(server: &Server, secret: &str, body: &str) -> (String, String) {
    let answer = post_as(server, secret, "/v1/tokens", body);
    assert_eq!(answer.status, 201, "{}", answer.body);
    let made = answer.json();
    (made["secret"].as_str().unwrap().to_owned(), made["token"]["id"].as_str().unwrap().to_owned())
}

/// The ids of a list of tokens.
fn ids(list: &serde_json::Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|token| token["id"].as_str().unwrap()).collect()
}

const ADMIN: &str = r#"{"name": "n", "role": "admin"}"#;

#[test]
fn what_a_token_made_is_listed_and_revoked_with_it() {
    let server = Server::new();
    let admin = make(&server, ADMIN)["secret"].as_str().unwrap().to_owned();
    let (parent, parent_id) = make_as(&server, &admin, ADMIN);
    let (child, child_id) = make_as(&server, &parent, ADMIN);
    let (grandchild, grandchild_id) = make_as(&server, &child, ADMIN);
    let (sibling, _) = make_as(&server, &admin, ADMIN);
    let listed = server.get("admin", &format!("/v1/tokens?created_by={parent_id}")).json();
    assert_eq!(ids(&listed["items"]), [child_id.as_str(), &grandchild_id]);
    let revoke = |id: &str, body: &str| server.post("admin", &format!("/v1/tokens/{id}:revoke"), body);
    let alone = revoke(&child_id, "").json();
    assert_eq!(ids(&alone["cascaded"]), Vec::<&str>::new());
    let status = || [&parent, &child, &grandchild, &sibling].map(|secret| with(&server, secret));
    assert_eq!(status(), [200, 401, 200, 200]);
    let cascaded = revoke(&parent_id, r#"{"cascade": true}"#).json();
    assert_eq!(cascaded["token"]["id"], parent_id);
    assert_eq!(ids(&cascaded["cascaded"]), [grandchild_id.as_str()], "the child was revoked before");
    assert_eq!(status(), [401, 401, 401, 200]);
}

#[test]
fn a_token_that_expires_makes_none_that_outlives_it() {
    let server = Server::new();
    let admin = make(&server, ADMIN)["secret"].as_str().unwrap().to_owned();
    let until = |instant: &str| format!(r#"{{"name": "n", "role": "admin", "expires_at": "{instant}"}}"#);
    let (parent, _) = make_as(&server, &admin, &until("2026-02-01T00:00:00Z"));
    let later = post_as(&server, &parent, "/v1/tokens", &until("2026-02-01T00:00:01Z"));
    assert_eq!(later.status, 422);
    assert!(later.body.contains("expires at 2026-02-01T00:00:00Z; it cannot outlive"), "{}", later.body);
    for (body, expected) in [
        (until("2026-02-01T00:00:00Z"), "2026-02-01T00:00:00Z"),
        (until("2026-01-15T00:00:00Z"), "2026-01-15T00:00:00Z"),
        (ADMIN.to_owned(), "2026-02-01T00:00:00Z"),
    ] {
        let made = post_as(&server, &parent, "/v1/tokens", &body).json();
        assert_eq!(made["token"]["expires_at"], expected, "{body}");
    }
}

#[test]
fn keys_that_a_token_which_expires_makes_do_not_outlive_it() {
    let server = Server::furnished();
    let end = "2026-02-01T00:00:00Z";
    let body = format!(r#"{{"name": "n", "role": "admin", "expires_at": "{end}"}}"#);
    let parent = server.post("admin", "/v1/tokens", &body).json()["secret"].as_str().unwrap().to_owned();
    let key = |more: &str| format!(r#"{{"account": "acme-hw", "name": "k"{more}}}"#);
    let later =
        post_as(&server, &parent, "/v1/provider-keys", &key(r#", "expires_at": "2026-02-01T00:00:01Z""#));
    assert_eq!(later.status, 422, "{}", later.body);
    let made = post_as(&server, &parent, "/v1/provider-keys", &key("")).json();
    assert_eq!(made["key"]["expires_at"], end);
    // Nor one that takes the place of another.
    let endless = server.post("admin", "/v1/provider-keys", &key("")).json();
    assert!(endless["key"]["expires_at"].is_null());
    let rotate = format!("/v1/provider-keys/{}:rotate", endless["key"]["access_key"].as_str().unwrap());
    assert_eq!(post_as(&server, &parent, &rotate, "{}").json()["key"]["expires_at"], end);
}

#[test]
fn nothing_is_bound_to_an_empty_list_of_accounts() {
    let server = Server::furnished();
    for (path, body) in [
        ("/v1/tokens", r#"{"name": "n", "role": "viewer", "accounts": []}"#),
        ("/v1/calendars", r#"{"name": "n", "accounts": []}"#),
        ("/v1/webhooks", r#"{"url": "https://example.com", "accounts": []}"#),
        ("/v1/channels", r#"{"kind": "email", "to": ["ops@example.com"], "accounts": []}"#),
    ] {
        for token in ["admin", "bound-admin"] {
            let answer = server.post(token, path, body);
            assert_eq!(answer.status, 422, "{token} {path} {}", answer.body);
            assert!(answer.body.contains("it is empty; name at least one"), "{}", answer.body);
        }
    }
}
