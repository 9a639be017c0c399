//! `/v1/resources/{id}/renewal-window`.

use expect_test::expect;
use serde_json::Value;
use serde_json::json;

use crate::harness::Server;

/// A furnished server with a disk that expires with `ecs-1`, one that does not, and a postpaid server.
fn server() -> Server {
    let server = Server::furnished();
    let resource = |id: &str, kind: &str, above: Option<&str>, expires_at: &str| {
        json!({
            "id": id, "account": "acme-hw", "kind": kind, "region": "cn-north-4", "charging": "prepaid",
            "started_at": "2025-12-31T02:00:00Z", "expires_at": expires_at,
            "term": { "count": 1, "unit": "month" }, "price": "10.00", "attached_to": above,
        })
    };
    let inventory = json!({
        "accounts": [],
        "resources": [
            { "id": "ecs-2", "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
              "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
              "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew" },
            resource("evs-2", "evs", Some("ecs-2"), "2026-01-31T15:59:59Z"),
            resource("evs-3", "evs", Some("ecs-2"), "2026-03-31T15:59:59Z"),
            { "id": "ecs-3", "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "postpaid",
              "started_at": "2025-12-31T02:00:00Z" },
        ],
    });
    let answer = server.post("admin", "/v1/resources:import", &inventory.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    server
}

fn window(server: &Server, id: &str) -> String {
    let answer = server.get("viewer", &format!("/v1/resources/{id}/renewal-window"));
    let stage = server.get("viewer", &format!("/v1/resources/{id}")).json()["stage"].clone();
    match answer.status.as_u16() {
        200 => {
            let window = &answer.json()["suggestedWindow"];
            let retry = answer.headers["retry-after"].to_str().unwrap().to_owned();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            format!(
                "{id} {} {} to {}, again after {retry} s\n",
                text(&stage),
                text(&window["start"]),
                text(&window["end"])
            )
        }
        status => format!(
            "{id} {} {status} {}\n",
            stage.as_str().unwrap(),
            answer.json()["detail"].as_str().unwrap()
        ),
    }
}

#[test]
fn a_window_has_the_shape_of_rfc_9773() {
    expect![[r#"
        200 OK
        content-type: application/json
        retry-after: 21600
        {
          "explanationURL": "/v1/events?resource=ecs-1",
          "suggestedWindow": {
            "end": "2026-01-31T15:59:59Z",
            "start": "2026-01-23T19:00:00Z"
          }
        }"#]]
    .assert_eq(&server().get("viewer", "/v1/resources/ecs-1/renewal-window").shown());
}

#[test]
fn a_window_goes_from_the_first_try_to_the_end_of_the_stage() {
    let server = server();
    let all = ["ecs-1", "bcc-1", "pkg-1", "ecs-2", "evs-2", "evs-3", "ecs-3"];
    let mut text = String::new();
    let mut show = |server: &Server, at: &str, ids: &[&str]| {
        server.advance(at);
        text += &format!("at {at}\n");
        ids.iter().for_each(|id| text += &window(server, id));
    };
    show(&server, "2026-01-01T00:00:00Z", &all);
    server.post("admin", "/v1/resources/ecs-1:cancel-auto-renew", "{}");
    show(&server, "2026-01-25T00:00:00Z", &["ecs-1", "bcc-1"]);
    show(&server, "2026-02-01T00:00:00Z", &["ecs-1", "bcc-1", "ecs-2", "evs-2"]);
    show(&server, "2026-02-16T00:00:00Z", &["ecs-1", "bcc-1"]);
    show(&server, "2026-04-01T00:00:00Z", &["ecs-1", "bcc-1"]);
    expect![[r#"
        at 2026-01-01T00:00:00Z
        ecs-1 active 2026-01-23T19:00:00Z to 2026-01-31T15:59:59Z, again after 21600 s
        bcc-1 active 2026-01-24T01:00:00Z to 2026-01-31T15:59:59Z, again after 21600 s
        pkg-1 active 2026-12-23T19:00:00Z to 2026-12-31T15:59:59Z, again after 21600 s
        ecs-2 active 2026-01-23T19:00:00Z to 2026-01-31T15:59:59Z, again after 21600 s
        evs-2 active 2026-01-23T19:00:00Z to 2026-01-31T15:59:59Z, again after 21600 s
        evs-3 active 2026-03-23T19:00:00Z to 2026-03-31T15:59:59Z, again after 21600 s
        ecs-3 active 409 `ecs-3` is postpaid; it is never renewed
        at 2026-01-25T00:00:00Z
        ecs-1 active 2026-01-23T19:00:00Z to 2026-01-31T15:59:59Z, again after 21600 s
        bcc-1 active 2026-01-24T01:00:00Z to 2026-01-31T15:59:59Z, again after 21600 s
        at 2026-02-01T00:00:00Z
        ecs-1 grace 2026-02-01T00:00:00Z to 2026-02-15T15:59:59Z, again after 21600 s
        bcc-1 retention 2026-02-01T00:00:00Z to 2026-02-07T15:59:59Z, again after 21600 s
        ecs-2 active 2026-02-20T19:00:00Z to 2026-02-28T15:59:59Z, again after 21600 s
        evs-2 active 2026-02-20T19:00:00Z to 2026-02-28T15:59:59Z, again after 21600 s
        at 2026-02-16T00:00:00Z
        ecs-1 retention 2026-02-16T00:00:00Z to 2026-03-02T15:59:59Z, again after 21600 s
        bcc-1 released 409 `bcc-1` is released; it is never renewed
        at 2026-04-01T00:00:00Z
        ecs-1 released 409 `ecs-1` is released; it is never renewed
        bcc-1 released 409 `bcc-1` is released; it is never renewed
    "#]]
    .assert_eq(&text);
}

#[test]
fn what_is_renewed_within_its_window_stays_at_its_stage() {
    let server = server();
    server.post("admin", "/v1/resources/ecs-1:cancel-auto-renew", "{}");
    for _ in 0..3 {
        let answer = server.get("viewer", "/v1/resources/ecs-1/renewal-window").json();
        server.advance(answer["suggestedWindow"]["end"].as_str().unwrap());
        server.post("admin", "/v1/accounts/acme-hw:top-up", r#"{"amount": "99.00"}"#);
        assert_eq!(server.post("admin", "/v1/resources/ecs-1:renew", "{}").status, 200);
    }
    let left = server.events().into_iter().filter(|event| event["resource"] == "ecs-1");
    assert_eq!(left.filter(|event| event["type"] == "stage_changed").count(), 0);
    server.advance("2026-12-31T00:00:00Z");
    assert_ne!(server.get("viewer", "/v1/resources/ecs-1").json()["stage"], "active");
}
