//! `/v1/webhooks/{id}/deliveries`: what a receiver is sent, and what becomes of it when that fails.

use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::time::Duration;

use expect_test::expect;
use perennial_service::limits::Webhooks;
use serde_json::Value;
use serde_json::json;

use crate::harness::Server;
use crate::receiver::Receiver;
use crate::receiver::Reply;
use crate::webhooks::make;

/// A server that sends, a receiver, and a webhook from one to the other.
fn hooked() -> (Server, Receiver, String) {
    let (server, receiver) = (Server::open().sending(), Receiver::new());
    let (id, _) = make(&server, "admin", &json!({ "url": receiver.url() }));
    (server, receiver, id)
}

/// Something happens: event after event, `c1` and so on.
fn happen(server: &Server, times: usize) {
    for _ in 0..times {
        let answer = server.post("operator", "/v1/accounts/acme-hw:top-up", r#"{"amount": "1.00"}"#);
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

/// Waits until the states and attempts of all deliveries, newest first, are these.
fn settle(server: &Server, id: &str, expected: &[(&str, &str, u64)]) -> Value {
    let expected =
        json!(expected.iter().map(|(id, state, attempts)| json!([id, state, attempts])).collect::<Vec<_>>());
    server.until(&format!("/v1/webhooks/{id}/deliveries"), |list| {
        let items = list["items"].as_array().unwrap().iter();
        json!(items.map(|item| json!([item["id"], item["state"], item["attempts"]])).collect::<Vec<_>>())
            == expected
    })
}

#[test]
fn what_happens_to_revisions_is_sent_with_an_account_of_null() {
    let (server, mut receiver) = (Server::open().sending(), Receiver::new());
    let types = ["revision_installed", "revision_bound", "revision_unbound"];
    make(&server, "admin", &json!({ "url": receiver.url(), "types": types }));
    let table = include_str!("../../../../plugins/declared/tables/volcengine.toml");
    let body = json!({ "name": "other.toml", "table": format!("{table}\n# another\n") }).to_string();
    let installed = server.post("admin", "/v1/plugins/revisions", &body).json();
    let bind = json!({ "digest": installed["digest"], "mode": "shadow" }).to_string();
    assert_eq!(server.post("admin", "/v1/plugins/bindings", &bind).status, 200);
    let unbind = json!({ "provider": "volcengine", "mode": "shadow" }).to_string();
    assert_eq!(server.post("admin", "/v1/plugins/bindings:unbind", &unbind).status, 200);
    let mut sent = types.map(|_| receiver.next().json());
    sent.sort_by_key(|message| message["data"]["id"].to_string());
    for (message, kind) in sent.iter().zip(types) {
        assert_eq!(message["type"], format!("perennial.{kind}"), "{message}");
        let data = message["data"].as_object().unwrap();
        assert!(data["account"].is_null() && data["resource"].is_null(), "{message}");
        assert_eq!(message["data"]["provider"], "volcengine");
        assert!(message.get("subject").is_none_or(Value::is_null), "nothing is its subject: {message}");
    }
}

#[test]
fn an_event_is_sent_as_a_cloud_event_signed_as_standard_webhooks_says() {
    let (server, mut receiver) = (Server::open().sending(), Receiver::new());
    let body = json!({ "url": receiver.url(), "types": ["renewal_settled"] });
    let (id, secret) = make(&server, "admin", &body);
    server.advance("2026-02-01T00:00:00Z");
    let message = receiver.next();
    assert_eq!(message.signed_by(&secret), (1, 1));
    let event = server.get("admin", "/v1/events?type=renewal_settled").json()["items"][0].clone();
    assert_eq!(message.json()["data"], event, "it is what the list of events shows");
    let mut headers = message
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
        .collect::<Vec<_>>();
    headers.sort();
    let shown = format!("{}\n{}{:#}", message.path, headers.concat(), message.json())
        .replace(message.header("webhook-signature"), "[signature]")
        .replace(message.header("host"), "[host]")
        .replace(message.header("user-agent"), "perennial/[version]");
    expect![[r#"
        /webhook?of=acme
        connection: close
        content-length: 503
        content-type: application/cloudevents+json
        host: [host]
        user-agent: perennial/[version]
        webhook-id: c2
        webhook-signature: [signature]
        webhook-timestamp: 1769904000
        {
          "data": {
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
          },
          "datacontenttype": "application/json",
          "id": "c2",
          "source": "urn:perennial",
          "specversion": "1.0",
          "subject": "ecs-1",
          "time": "2026-01-23T19:00:00Z",
          "type": "perennial.renewal_settled"
        }"#]]
    .assert_eq(&shown);
    let listed = settle(&server, &id, &[("c2", "delivered", 1)]);
    expect![[r#"
        {
          "items": [
            {
              "attempts": 1,
              "created_at": "2026-02-01T00:00:00Z",
              "error": null,
              "event": "c2",
              "id": "c2",
              "next_try_at": null,
              "state": "delivered",
              "status": 200,
              "tried_at": "2026-02-01T00:00:00Z"
            }
          ],
          "next_cursor": null
        }"#]]
    .assert_eq(&format!("{listed:#}"));
}

#[test]
fn a_message_that_failed_comes_again_under_its_id_until_it_arrives() {
    let (server, mut receiver, id) = hooked();
    receiver.answer([Reply::Status(500), Reply::With(503, "retry-after", "3600".to_owned())]);
    happen(&server, 1);
    let first = receiver.next();
    let listed = settle(&server, &id, &[("c1", "pending", 1)]);
    expect![[r#"
        {
          "items": [
            {
              "attempts": 1,
              "created_at": "2026-01-01T00:00:00Z",
              "error": "it was answered with 500",
              "event": "c1",
              "id": "c1",
              "next_try_at": "2026-01-01T00:00:05Z",
              "state": "pending",
              "status": 500,
              "tried_at": "2026-01-01T00:00:00Z"
            }
          ],
          "next_cursor": null
        }"#]]
    .assert_eq(&format!("{listed:#}"));
    server.advance("2026-01-01T00:00:04Z");
    assert_eq!(
        server.get("admin", &format!("/v1/webhooks/{id}/deliveries")).json(),
        listed,
        "it is not its time"
    );
    server.advance("2026-01-01T00:00:05Z");
    let second = receiver.next();
    let listed = settle(&server, &id, &[("c1", "pending", 2)]);
    assert_eq!(listed["items"][0]["next_try_at"], "2026-01-01T01:00:05Z", "as the receiver wishes");
    server.advance("2026-01-01T01:00:05Z");
    let third = receiver.next();
    settle(&server, &id, &[("c1", "delivered", 3)]);
    assert_eq!((first.id(), first.id()), (second.id(), third.id()));
    assert_eq!((&first.body, &first.body), (&second.body, &third.body));
    assert_ne!(first.header("webhook-timestamp"), second.header("webhook-timestamp"));
    assert!(receiver.is_empty());
    assert_eq!(server.get("admin", &format!("/v1/webhooks/{id}")).json()["failing_since"], Value::Null);
}

#[test]
fn messages_follow_the_order_of_events_and_a_failed_one_delays_no_other() {
    let (server, mut receiver, id) = hooked();
    receiver.answer([Reply::Status(200), Reply::Status(500)]);
    happen(&server, 100);
    let expected = (1..=100).map(|row| format!("c{row:x}")).collect::<Vec<_>>();
    assert_eq!(receiver.ids(100), expected);
    let pending = server
        .until(&format!("/v1/webhooks/{id}/deliveries?state=pending"), |list| list["items"] != json!([]));
    assert_eq!(pending["items"][0]["id"], "c2");
    server.advance("2026-01-01T00:00:05Z");
    assert_eq!(receiver.ids(1), ["c2"]);
    let all = server.until(&format!("/v1/webhooks/{id}/deliveries?limit=1000"), |list| {
        let items = list["items"].as_array().unwrap();
        items.len() == 100 && items.iter().all(|item| item["state"] == "delivered")
    });
    let first = server.get("admin", &format!("/v1/webhooks/{id}/deliveries?limit=60")).json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second =
        server.get("admin", &format!("/v1/webhooks/{id}/deliveries?limit=60&cursor={cursor}")).json();
    let paged =
        [first["items"].as_array().unwrap().clone(), second["items"].as_array().unwrap().clone()].concat();
    assert_eq!(json!(paged), all["items"]);
    assert_eq!(second["next_cursor"], Value::Null);
}

#[test]
fn whatever_a_receiver_does_the_outbox_goes_on() {
    let server = Server::open().sending_with(|client| client.with_timeout(Duration::from_millis(300)));
    let mut receiver = Receiver::new();
    let (id, _) = make(&server, "admin", &json!({ "url": receiver.url() }));
    let elsewhere = Receiver::new();
    receiver.answer([
        Reply::Never,
        Reply::With(302, "location", elsewhere.url()),
        Reply::With(307, "location", elsewhere.url()),
        Reply::Endless,
        Reply::With(200, "x-long", "x".repeat(64 * 1024)),
    ]);
    happen(&server, 6);
    assert_eq!(receiver.ids(6), ["c1", "c2", "c3", "c4", "c5", "c6"]);
    let listed = settle(
        &server,
        &id,
        &[
            ("c6", "delivered", 1),
            ("c5", "pending", 1),
            ("c4", "delivered", 1),
            ("c3", "pending", 1),
            ("c2", "pending", 1),
            ("c1", "pending", 1),
        ],
    );
    let shown =
        listed["items"].as_array().unwrap().iter().map(|item| format!("{}: {}\n", item["id"], item["error"]));
    expect![[r#"
        "c6": null
        "c5": "`[receiver]` did not answer in HTTP: message head is too large"
        "c4": null
        "c3": "it was answered with 307; redirects are not followed"
        "c2": "it was answered with 302; redirects are not followed"
        "c1": "there was no answer within 300ms"
    "#]]
    .assert_eq(&shown.collect::<String>().replace(&receiver.url()[7..22], "[receiver]"));
    assert!(elsewhere.is_empty(), "redirects are not followed");
}

#[test]
fn a_receiver_that_is_gone_disables_its_webhook_and_loses_no_event() {
    let (server, mut receiver, id) = hooked();
    let path = format!("/v1/webhooks/{id}");
    receiver.answer([Reply::Status(410)]);
    happen(&server, 1);
    assert_eq!(receiver.ids(1), ["c1"]);
    let disabled = server.until(&path, |webhook| webhook["enabled"] == false);
    assert_eq!(
        (&disabled["disabled_reason"], &disabled["disabled_at"]),
        (&json!("gone"), &json!("2026-01-01T00:00:00Z"))
    );
    assert_eq!(server.post("operator", &format!("{path}:test"), "").status, 409);
    happen(&server, 2);
    server.advance("2026-01-20T00:00:00Z");
    assert!(receiver.is_empty());
    assert!(server.get("", "/metrics").body.contains("\nperennial_webhooks_disabled 1\n"));
    assert_eq!(server.send("admin", "PATCH", &path, &[], r#"{"enabled": true}"#).status, 200);
    let mut ids = receiver.ids(3);
    ids.sort();
    assert_eq!(ids, ["c1", "c2", "c3"]);
    settle(&server, &id, &[("c3", "delivered", 1), ("c2", "delivered", 1), ("c1", "delivered", 2)]);
}

#[test]
fn a_message_is_given_up_after_three_days_and_a_webhook_after_five() {
    let (server, mut receiver, id) = hooked();
    let path = format!("/v1/webhooks/{id}");
    receiver.answer((0..30).map(|_| Reply::Status(500)));
    happen(&server, 1);
    for attempt in 1..=10 {
        assert_eq!(receiver.ids(1), ["c1"]);
        let state = if attempt == 10 { "failed" } else { "pending" };
        let listed = settle(&server, &id, &[("c1", state, attempt)]);
        match listed["items"][0]["next_try_at"].as_str() {
            Some(next) => server.advance(next),
            None => assert_eq!(attempt, 10),
        }
    }
    let given_up = server.get("admin", "/v1/clock").json()["now"].as_str().unwrap().to_owned();
    assert!(given_up.starts_with("2026-01-04T"), "{given_up}");
    server.advance("2026-01-05T23:59:59Z");
    happen(&server, 1);
    assert_eq!(receiver.ids(1), ["c2"]);
    settle(&server, &id, &[("c2", "pending", 1), ("c1", "failed", 10)]);
    assert_eq!(server.get("admin", &path).json()["enabled"], true);
    server.advance("2026-01-06T00:00:04Z");
    let webhook = server.until(&path, |webhook| webhook["enabled"] == false);
    assert_eq!(webhook["disabled_reason"], "failing");
    assert_eq!(webhook["failing_since"], "2026-01-01T00:00:00Z");
}

#[test]
fn a_test_is_sent_like_an_event() {
    let (server, mut receiver, id) = hooked();
    let asked = server.post("operator", &format!("/v1/webhooks/{id}:test"), "");
    let json = asked.json();
    let test = json["id"].as_str().unwrap();
    let message = receiver.next();
    assert_eq!(message.id(), test);
    settle(&server, &id, &[(test, "delivered", 1)]);
    let shown = |text: String| text.replace(test, "[test]").replace(&id, "[id]");
    expect![[r#"
        202 Accepted
        content-type: application/json
        location: /v1/webhooks/[id]/deliveries
        {
          "attempts": 0,
          "created_at": "2026-01-01T00:00:00Z",
          "error": null,
          "event": null,
          "id": "[test]",
          "next_try_at": "2026-01-01T00:00:00Z",
          "state": "pending",
          "status": null,
          "tried_at": null
        }"#]]
    .assert_eq(&shown(asked.shown()));
    expect![[r#"
        {
          "data": {
            "account": null,
            "at": "2026-01-01T00:00:00Z",
            "resource": null,
            "type": "test"
          },
          "datacontenttype": "application/json",
          "id": "[test]",
          "source": "urn:perennial",
          "specversion": "1.0",
          "time": "2026-01-01T00:00:00Z",
          "type": "perennial.test"
        }"#]]
    .assert_eq(&shown(format!("{:#}", message.json())));
}

#[test]
fn events_are_sent_again_from_an_event_from_an_instant_or_one_alone() {
    let (server, mut receiver, id) = hooked();
    let replay = |body: &str| server.post("operator", &format!("/v1/webhooks/{id}:replay"), body);
    let one = |id| (id, "delivered", 1);
    happen(&server, 3);
    settle(&server, &id, &[one("c3"), one("c2"), one("c1")]);
    server.advance("2026-01-02T00:00:00Z");
    happen(&server, 2);
    assert_eq!(receiver.ids(5), ["c1", "c2", "c3", "c4", "c5"]);
    settle(&server, &id, &[one("c5"), one("c4"), one("c3"), one("c2"), one("c1")]);
    let answer = replay(r#"{"after": "c2"}"#);
    expect![[r#"
        202 Accepted
        content-type: application/json
        location: /v1/webhooks/[id]/deliveries
        {
          "after": "c2",
          "delivery": null
        }"#]]
    .assert_eq(&answer.shown().replace(&id, "[id]"));
    assert_eq!(receiver.ids(3), ["c3", "c4", "c5"]);
    server.advance("2026-01-03T00:00:00Z");
    assert_eq!(replay(r#"{"since": "2026-01-01T00:00:01Z"}"#).json()["after"], "c3");
    assert_eq!(receiver.ids(2), ["c4", "c5"]);
    server.until(&format!("/v1/webhooks/{id}/deliveries"), |list| {
        list["items"][0]["tried_at"] == "2026-01-03T00:00:00Z"
    });
    assert_eq!(
        replay(r#"{"since": "2026-02-01T00:00:00Z"}"#).json()["after"],
        "c5",
        "nothing has happened since"
    );
    receiver.answer([Reply::Status(500)]);
    let answer = replay(r#"{"delivery": "c2"}"#);
    expect![[r#"
        202 Accepted
        content-type: application/json
        location: /v1/webhooks/[id]/deliveries
        {
          "after": null,
          "delivery": {
            "attempts": 0,
            "created_at": "2026-01-01T00:00:00Z",
            "error": null,
            "event": "c2",
            "id": "c2",
            "next_try_at": "2026-01-03T00:00:00Z",
            "state": "pending",
            "status": 200,
            "tried_at": "2026-01-01T00:00:00Z"
          }
        }"#]]
    .assert_eq(&answer.shown().replace(&id, "[id]"));
    assert_eq!(receiver.ids(1), ["c2"]);
    settle(&server, &id, &[one("c5"), one("c4"), one("c3"), ("c2", "pending", 1), one("c1")]);
    assert_eq!(replay(r#"{"delivery": "c9"}"#).status, 404);
    assert!(receiver.is_empty());
    for wrong in [
        "{}",
        r#"{"after": "5"}"#,
        r#"{"after": "c9"}"#,
        r#"{"after": "c1", "delivery": "c1"}"#,
        r#"{"since": "now"}"#,
    ] {
        assert_eq!(replay(wrong).status, 422, "{wrong}");
    }
}

#[test]
fn a_webhook_that_was_off_goes_on_where_it_was() {
    let (server, mut receiver, id) = hooked();
    happen(&server, 1);
    assert_eq!(receiver.ids(1), ["c1"]);
    settle(&server, &id, &[("c1", "delivered", 1)]);
    let turn = |server: &Server, enabled: bool| {
        let body = json!({ "enabled": enabled }).to_string();
        assert_eq!(server.send("admin", "PATCH", &format!("/v1/webhooks/{id}"), &[], &body).status, 200);
    };
    turn(&server, false);
    happen(&server, 2);
    turn(&server, true);
    assert_eq!(receiver.ids(2), ["c2", "c3"]);
}

#[test]
fn a_host_that_starts_again_goes_on_where_it_was() {
    let (server, mut receiver, id) = hooked();
    receiver.answer([Reply::Status(200), Reply::Status(500)]);
    happen(&server, 2);
    assert_eq!(receiver.ids(2), ["c1", "c2"]);
    settle(&server, &id, &[("c2", "pending", 1), ("c1", "delivered", 1)]);
    // It starts without an outbox, as `perennial run` does, and something happens.
    let server = server.restarted();
    happen(&server, 1);
    let server = server.restarted().sending();
    assert_eq!(receiver.ids(1), ["c3"]);
    settle(&server, &id, &[("c3", "delivered", 1), ("c2", "pending", 1), ("c1", "delivered", 1)]);
    server.advance("2026-01-01T00:00:05Z");
    assert_eq!(receiver.ids(1), ["c2"]);
    settle(&server, &id, &[("c3", "delivered", 1), ("c2", "delivered", 2), ("c1", "delivered", 1)]);
    assert!(receiver.is_empty());
}

#[test]
fn a_message_whose_response_was_not_stored_is_sent_again_under_its_id() {
    let server = Server::open().sending_with(|client| client.with_timeout(Duration::from_millis(300)));
    let mut receiver = Receiver::new();
    let (id, _) = make(&server, "admin", &json!({ "url": receiver.url() }));
    receiver.answer([Reply::Never]);
    happen(&server, 1);
    assert_eq!(receiver.ids(1), ["c1"]);
    // Nothing can be written from here on.
    server.host.writer().stop();
    let server = server.restarted();
    assert_eq!(server.get("admin", &format!("/v1/webhooks/{id}/deliveries")).json()["items"], json!([]));
    let server = server.sending();
    assert_eq!(receiver.ids(1), ["c1"]);
    settle(&server, &id, &[("c1", "delivered", 1)]);
}

#[test]
fn a_host_that_may_no_longer_send_to_private_addresses_does_not() {
    let (server, receiver, id) = hooked();
    let server = server.restarted_with(Webhooks::DEFAULT).sending();
    happen(&server, 1);
    let listed = settle(&server, &id, &[("c1", "pending", 1)]);
    expect![
        "it is plain HTTP; use `https`, or set `webhooks.allow_private = true` in the host's configuration"
    ]
    .assert_eq(listed["items"][0]["error"].as_str().unwrap());
    assert!(receiver.is_empty());
}

#[test]
fn a_receiver_is_known_by_its_certificate() {
    let mut receiver = Receiver::safe();
    let server = Server::open().sending();
    let (id, _) = make(&server, "admin", &json!({ "url": receiver.url() }));
    happen(&server, 1);
    let listed = settle(&server, &id, &[("c1", "pending", 1)]);
    let error = listed["items"][0]["error"].as_str().unwrap();
    assert!(error.contains("there is no TLS with `localhost:") && error.contains("UnknownIssuer"), "{error}");
    assert!(receiver.is_empty());
    let webhooks =
        Webhooks { allow_private: true, certificates: Some(receiver.certificate()), ..Webhooks::DEFAULT };
    let server = server.restarted_with(webhooks).sending();
    server.advance("2026-01-01T00:00:05Z");
    assert_eq!(receiver.ids(1), ["c1"]);
}

#[test]
fn what_is_sent_is_counted() {
    let (server, mut receiver, id) = hooked();
    receiver.answer([Reply::Status(200), Reply::Status(500), Reply::Status(404)]);
    happen(&server, 3);
    receiver.ids(3);
    settle(&server, &id, &[("c3", "pending", 1), ("c2", "pending", 1), ("c1", "delivered", 1)]);
    let figures = server.get("", "/metrics").body;
    let figures = figures.lines().filter(|line| line.starts_with("perennial_webhook"));
    expect![[r#"
        perennial_webhooks_disabled 0
        perennial_webhook_pending 2
        perennial_webhook_lag_events 0
        perennial_webhook_deliveries_total{outcome="delivered"} 1
        perennial_webhook_deliveries_total{outcome="retried"} 2"#]]
    .assert_eq(&figures.collect::<Vec<_>>().join("\n"));
}

/// A receiver on a socket, which answers each message with `head` and then with `more`, over and over, until the client has
/// gone. Returns its URL.
fn endless_receiver(head: &'static [u8], more: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // An answer before the request would be another failure.
            let mut sent = stream.read(&mut [0; 4096]).and_then(|_| stream.write_all(head));
            stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
            while sent.is_ok() && !has_gone(&mut stream) {
                sent = stream.write_all(&more);
            }
        }
    });
    url
}

/// Whether a client has closed its connection, as far as a few milliseconds show.
fn has_gone(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 4096]) {
        Ok(bytes) => bytes == 0,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

#[test]
fn a_receiver_that_drips_or_floods_with_100_continue_is_given_up_in_time() {
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
    for (what, url) in [
        ("drips its head", endless_receiver(b"HTTP/1.1 200 OK\r\nx-slow: ", b"a".to_vec())),
        ("drips its status", endless_receiver(b"HTTP/1.1 200 ", b"O".to_vec())),
        ("never comes to the answer", endless_receiver(b"", interim)),
    ] {
        let server = Server::open().sending_with(|client| client.with_timeout(Duration::from_millis(200)));
        let mut other = Receiver::new();
        let (id, _) = make(&server, "admin", &json!({ "url": url }));
        make(&server, "admin", &json!({ "url": other.url() }));
        happen(&server, 2);
        assert_eq!(other.ids(2), ["c1", "c2"], "{what}: the other receiver gets everything");
        let listed = settle(&server, &id, &[("c2", "pending", 1), ("c1", "pending", 1)]);
        for item in listed["items"].as_array().unwrap() {
            assert_eq!(item["error"], "there was no answer within 200ms", "{what}");
        }
    }
}
