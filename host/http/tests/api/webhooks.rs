//! `/v1/webhooks`: making, changing and deleting them, and their secrets.

use expect_test::expect;
use perennial_service::limits::Limits;

use crate::harness::ApiResponse;
use crate::harness::Server;
use crate::receiver::Receiver;

/// The answer with what is drawn by chance taken out.
fn shown(answer: &ApiResponse, id: &str) -> String {
    let mut text = answer.shown().replace(id, "[id]");
    for begin in ["\"secret\": \"whsec_", "\"created_by\": \""] {
        if let Some(at) = text.find(begin).map(|at| at + begin.len()) {
            let end = at + text[at..].find('"').unwrap();
            text.replace_range(at..end, "[...]");
        }
    }
    text
}

/// Makes a webhook, and returns its id and its secret.
pub fn make(server: &Server, token: &str, body: &serde_json::Value) -> (String, String) {
    let answer = server.post(token, "/v1/webhooks", &body.to_string());
    assert_eq!(answer.status, 201, "{}", answer.body);
    let made = answer.json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (text(&made["webhook"]["id"]), text(&made["secret"]))
}

#[test]
fn a_webhook_is_made_shown_and_listed_and_its_secret_is_shown_once() {
    let server = Server::furnished();
    let body = serde_json::json!({
        "url": "https://example.com/webhook", "description": "the portal",
        "accounts": ["beta-bd", "acme-hw"], "types": ["renewal_declined", "renewal_settled", "renewal_settled"],
    })
    .to_string();
    let made = server.send("admin", "POST", "/v1/webhooks", &["idempotency-key: 1"], &body);
    let json = made.json();
    let id = json["webhook"]["id"].as_str().unwrap();
    expect![[r#"
        201 Created
        content-type: application/json
        location: /v1/webhooks/[id]
        {
          "secret": "whsec_[...]",
          "webhook": {
            "accounts": [
              "acme-hw",
              "beta-bd"
            ],
            "created_at": "2026-01-01T00:00:00Z",
            "created_by": "[...]",
            "description": "the portal",
            "disabled_at": null,
            "disabled_reason": null,
            "enabled": true,
            "failing_since": null,
            "id": "[id]",
            "previous_secret_until": null,
            "types": [
              "renewal_declined",
              "renewal_settled"
            ],
            "url": "https://example.com/webhook"
          }
        }"#]]
    .assert_eq(&shown(&made, id));
    let again = server.send("admin", "POST", "/v1/webhooks", &["idempotency-key: 1"], &body);
    expect![[r#"
        201 Created
        content-type: application/json
        idempotency-replayed: true
        location: /v1/webhooks/[id]
        {
          "secret": null,
          "webhook": {
            "accounts": [
              "acme-hw",
              "beta-bd"
            ],
            "created_at": "2026-01-01T00:00:00Z",
            "created_by": "[...]",
            "description": "the portal",
            "disabled_at": null,
            "disabled_reason": null,
            "enabled": true,
            "failing_since": null,
            "id": "[id]",
            "previous_secret_until": null,
            "types": [
              "renewal_declined",
              "renewal_settled"
            ],
            "url": "https://example.com/webhook"
          }
        }"#]]
    .assert_eq(&shown(&again, id));
    let got = server.get("operator", &format!("/v1/webhooks/{id}"));
    assert_eq!(got.json(), json["webhook"]);
    assert!(got.headers.contains_key("etag"));
    let listed = server.get("operator", "/v1/webhooks").json();
    assert_eq!(listed, serde_json::json!({ "items": [json["webhook"]], "next_cursor": null }));
    let audit = server.get("admin", "/v1/audit").body;
    for text in [listed.to_string(), got.body, audit] {
        assert!(!text.contains("whsec_"), "{text}");
    }
}

#[test]
fn everything_that_is_wrong_with_a_webhook_is_said_and_none_is_made() {
    let server = Server::furnished();
    let long = "x".repeat(501);
    let body = serde_json::json!({
        "url": "example.com", "description": long, "accounts": [], "types": ["renewal"], "secret": "mine",
    });
    expect![[r#"
        422 Unprocessable Entity
        content-type: application/problem+json
        {
          "detail": "5 problems; see `errors`",
          "errors": [
            {
              "detail": "it is empty; name at least one, or leave it out for all of them",
              "field": "accounts"
            },
            {
              "detail": "it has 501 characters; at most 500 are taken",
              "field": "description"
            },
            {
              "detail": "unknown field `secret`; expected `url`, `description`, `accounts` or `types`",
              "field": "secret"
            },
            {
              "detail": "there is no `renewal`; expected `stage_changed`, `renewal_settled`, `renewal_declined`, `renewal_in_doubt`, `command_in_doubt`, `sending_late`, `connection_failed`, `connection_restored`, `approval_requested`, `approval_decided`, `approval_given`, `approval_expired`, `policy_ruled`, `policy_note`, `policy_installed`, `policy_removed`, `policy_calendar_changed`, `revision_installed`, `revision_bound`, `revision_unbound`, `command_refused`, `setting_changed`, `unsubscribed`, `converted` or 19 more",
              "field": "types[0]"
            },
            {
              "detail": "expected a URL such as `https://example.com` or `http://10.0.0.1`",
              "field": "url"
            }
          ],
          "status": 422,
          "title": "Some fields are invalid",
          "type": "urn:perennial:problem:invalid-fields"
        }"#]].assert_eq(&server.post("admin", "/v1/webhooks", &body.to_string()).shown());
    let private = |url: &str| {
        let answer = server.post("admin", "/v1/webhooks", &serde_json::json!({ "url": url }).to_string());
        assert_eq!(answer.status, 422, "{url}");
        format!("{url}: {}\n", answer.json()["errors"][0]["detail"].as_str().unwrap())
    };
    let urls = [
        "http://example.com",
        "https://127.0.0.1",
        "https://169.254.169.254/",
        "https://localhost:8420/",
        "https://example.com:25/",
    ];
    expect![[r#"
        http://example.com: it is plain HTTP; use `https`, or set `webhooks.allow_private = true` in the host's configuration
        https://127.0.0.1: 127.0.0.1 is a private or special address; use a public one, or set `webhooks.allow_private = true` in the host's configuration
        https://169.254.169.254/: 169.254.169.254 is a private or special address; use a public one, or set `webhooks.allow_private = true` in the host's configuration
        https://localhost:8420/: `localhost` is a name of this machine or a local network; use a public one, or set `webhooks.allow_private = true` in the host's configuration
        https://example.com:25/: port 25 is another service's; use 443, or 1024 and above, or set `webhooks.allow_private = true` in the host's configuration
    "#]]
    .assert_eq(&urls.map(private).concat());
    let unknown = r#"{"url": "https://example.com", "accounts": ["none"]}"#;
    assert_eq!(server.post("admin", "/v1/webhooks", unknown).status, 404);
    assert_eq!(server.get("admin", "/v1/webhooks").json()["items"], serde_json::json!([]));
}

#[test]
fn there_are_no_more_webhooks_than_a_host_can_look_after() {
    let server = Server::furnished_with(Limits { webhooks_per_person_max: 101, ..Limits::DEFAULT });
    let body = serde_json::json!({ "url": "https://example.com" });
    let (first, _) = make(&server, "admin", &body);
    (1..100).for_each(|_| drop(make(&server, "admin", &body)));
    assert_eq!(server.post("admin", "/v1/webhooks", &body.to_string()).status, 429);
    assert_eq!(server.send("admin", "DELETE", &format!("/v1/webhooks/{first}"), &[], "").status, 200);
    make(&server, "admin", &body);
}

#[test]
fn a_webhook_is_changed_at_the_version_that_was_seen() {
    let server = Server::furnished();
    let (id, _) =
        make(&server, "admin", &serde_json::json!({ "url": "https://example.com", "types": ["notice"] }));
    let path = format!("/v1/webhooks/{id}");
    let etag = server.get("admin", &path).headers["etag"].to_str().unwrap().to_owned();
    let body =
        r#"{"url": "https://example.org/webhook", "description": "d", "types": null, "enabled": false}"#;
    let if_match = format!("if-match: {etag}");
    let changed = server.send("admin", "PATCH", &path, &[&if_match], body);
    expect![[r#"
        200 OK
        content-type: application/json
        etag: [etag]
        {
          "accounts": null,
          "created_at": "2026-01-01T00:00:00Z",
          "created_by": "[...]",
          "description": "d",
          "disabled_at": "2026-01-01T00:00:00Z",
          "disabled_reason": "requested",
          "enabled": false,
          "failing_since": null,
          "id": "[id]",
          "previous_secret_until": null,
          "types": null,
          "url": "https://example.org/webhook"
        }"#]]
    .assert_eq(&shown(&changed, &id).replace(changed.headers["etag"].to_str().unwrap(), "[etag]"));
    assert_eq!(server.send("admin", "PATCH", &path, &[&if_match], body).status, 412);
    assert_eq!(
        server.send("admin", "PATCH", &path, &[], "{}").json(),
        changed.json(),
        "what is left out stays"
    );
    assert_eq!(server.send("admin", "PATCH", &path, &[], r#"{"url": "https://10.0.0.1"}"#).status, 422);
    assert_eq!(server.send("admin", "PATCH", &path, &[], r#"{"types": []}"#).status, 422);
    let enabled =
        server.send("admin", "PATCH", &path, &[], r#"{"enabled": true, "types": ["converted"]}"#).json();
    assert_eq!(enabled["disabled_at"], serde_json::Value::Null);
    assert_eq!(enabled["types"], serde_json::json!(["converted"]));
}

#[test]
fn a_webhook_that_is_deleted_is_sent_nothing_more() {
    let server = Server::open().sending();
    let (one, mut other) = (Receiver::new(), Receiver::new());
    let (id, _) = make(&server, "admin", &serde_json::json!({ "url": one.url() }));
    make(&server, "admin", &serde_json::json!({ "url": other.url() }));
    let path = format!("/v1/webhooks/{id}");
    let before = server.get("admin", &path);
    let deleted = server.send("admin", "DELETE", &path, &["if-match: \"none\""], "");
    assert_eq!(deleted.status, 412);
    let deleted = server.send("admin", "DELETE", &path, &[], "");
    assert_eq!((deleted.status.as_u16(), deleted.body), (200, before.body));
    assert_eq!(server.get("admin", &path).status, 404);
    assert_eq!(server.get("admin", &format!("{path}/deliveries")).status, 404);
    assert_eq!(server.send("admin", "DELETE", &path, &[], "").status, 404);
    server.post("admin", "/v1/accounts/acme-hw:top-up", r#"{"amount": "1.00"}"#);
    assert_eq!(other.next().id(), "c1");
    assert!(one.is_empty());
}

#[test]
fn for_a_day_after_a_secret_is_changed_messages_are_signed_with_both() {
    let server = Server::open().sending();
    let mut receiver = Receiver::new();
    let (id, first) = make(&server, "admin", &serde_json::json!({ "url": receiver.url() }));
    let rotate = || {
        let answer = server.post("admin", &format!("/v1/webhooks/{id}:rotate-secret"), "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        let secret = answer.json()["secret"].as_str().unwrap().to_owned();
        (answer, secret)
    };
    let mut told = || {
        assert_eq!(server.post("admin", &format!("/v1/webhooks/{id}:test"), "").status, 202);
        receiver.next()
    };
    assert_eq!(told().signed_by(&first), (1, 1));
    let (answer, second) = rotate();
    let url = server.get("admin", &format!("/v1/webhooks/{id}")).json()["url"].as_str().unwrap().to_owned();
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "secret": "whsec_[...]",
          "webhook": {
            "accounts": null,
            "created_at": "2026-01-01T00:00:00Z",
            "created_by": "[...]",
            "description": "",
            "disabled_at": null,
            "disabled_reason": null,
            "enabled": true,
            "failing_since": null,
            "id": "[id]",
            "previous_secret_until": "2026-01-02T00:00:00Z",
            "types": null,
            "url": "[url]"
          }
        }"#]]
    .assert_eq(&shown(&answer, &id).replace(&url, "[url]"));
    server.advance("2026-01-01T23:59:59Z");
    let both = told();
    assert_eq!((both.signed_by(&first), both.signed_by(&second)), ((1, 2), (1, 2)));
    server.advance("2026-01-02T00:00:00Z");
    assert_eq!(told().signed_by(&second), (1, 1));
    let (_, third) = rotate();
    let (_, fourth) = rotate();
    let last = told();
    assert_eq!(last.signed_by(&second), (0, 2), "one that was replaced twice signs no more");
    assert_eq!((last.signed_by(&third), last.signed_by(&fourth)), ((1, 2), (1, 2)));
}

#[test]
fn a_bound_token_makes_and_sees_webhooks_of_its_accounts_only() {
    let server = Server::open().sending();
    let mut receiver = Receiver::new();
    let refused =
        serde_json::json!({ "url": receiver.url(), "accounts": ["acme-hw", "beta-bd"] }).to_string();
    assert_eq!(server.post("bound-admin", "/v1/webhooks", &refused).status, 404);
    let (wide, _) = make(&server, "admin", &serde_json::json!({ "url": "https://127.0.0.1:1" }));
    for (method, verb) in [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/deliveries"),
        ("POST", ":test"),
        ("POST", ":rotate-secret"),
    ] {
        let path = format!("/v1/webhooks/{wide}{verb}");
        assert_eq!(server.send("bound-admin", method, &path, &[], "").status, 404, "{method} {path}");
    }
    let (id, _) = make(&server, "bound-admin", &serde_json::json!({ "url": receiver.url() }));
    let seen = server.get("bound-operator", "/v1/webhooks").json();
    assert_eq!(seen["items"].as_array().unwrap().len(), 1);
    assert_eq!(seen["items"][0]["id"], id.as_str());
    assert_eq!(seen["items"][0]["accounts"], serde_json::json!(["acme-hw"]), "all that the token sees");
    for account in ["beta-bd", "acme-hw"] {
        server.post("admin", &format!("/v1/accounts/{account}:top-up"), r#"{"amount": "1.00"}"#);
    }
    assert_eq!(receiver.next().json()["data"]["account"], "acme-hw");
}

#[cfg(unix)]
#[test]
fn what_a_webhook_signs_with_is_in_files_that_only_their_owner_reads() {
    use std::os::unix::fs::PermissionsExt;

    let server = Server::furnished();
    make(&server, "admin", &serde_json::json!({ "url": "https://example.com" }));
    let files = std::fs::read_dir(server.folder()).unwrap().map(|entry| entry.unwrap());
    let files = files.filter(|entry| entry.file_name() != "test.db.lock");
    let modes =
        files.map(|entry| (entry.file_name(), entry.metadata().unwrap().permissions().mode() & 0o777));
    let modes = modes.collect::<Vec<_>>();
    assert!(modes.len() >= 2, "{modes:?}");
    assert!(modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
}
