//! `/v1/events:stream`: nothing is lost, told twice or told to whoever does not see it.

use expect_test::expect;
use perennial_service::limits::Limits;

use crate::harness::Server;

const TOP_UP: &str = r#"{"amount": "1.00"}"#;

fn top_up(server: &Server, account: &str) {
    let answer = server.post("operator", &format!("/v1/accounts/{account}:top-up"), TOP_UP);
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[test]
fn a_stream_tells_what_happens_from_now_on_as_it_happens() {
    let server = Server::furnished();
    top_up(&server, "acme-hw");
    let mut stream = server.listen("viewer", "/v1/events:stream", &[]);
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    assert_eq!(stream.headers["cache-control"], "no-store");
    let begin = stream.next().unwrap();
    top_up(&server, "beta-bd");
    let first = stream.next().unwrap();
    top_up(&server, "acme-hw");
    let told = [begin, first, stream.next().unwrap()].concat();
    expect![[r#"
        : up to here
        id: c1

        id: c2
        event: balance_changed
        data: {"id":"c2","at":"2026-01-01T00:00:00Z","account":"beta-bd","resource":null,"type":"balance_changed","amount":"1.00","balance":"501.00","reason":"top_up"}

        id: c3
        event: balance_changed
        data: {"id":"c3","at":"2026-01-01T00:00:00Z","account":"acme-hw","resource":null,"type":"balance_changed","amount":"1.00","balance":"502.00","reason":"top_up"}

    "#]].assert_eq(&told);
}

#[test]
fn a_stream_resumes_after_the_last_event_id_and_equals_the_list() {
    let server = Server::furnished();
    (0..250).for_each(|_| top_up(&server, "acme-hw"));
    let listed = server.get("viewer", "/v1/events?limit=1000").json();
    let listed = listed["items"].as_array().unwrap();
    for (path, headers, seen) in [
        ("/v1/events:stream?cursor=c0", vec![], 0),
        ("/v1/events:stream", vec!["last-event-id: c7"], 7),
        ("/v1/events:stream?cursor=c0", vec!["last-event-id: cf9"], 249),
    ] {
        let mut stream = server.listen("viewer", path, &headers);
        assert_eq!(stream.next().unwrap(), format!(": up to here\nid: c{seen:x}\n\n"));
        let mut told = Vec::new();
        while told.len() < listed.len() - seen {
            let text = stream.next().unwrap();
            assert!(text.matches("data: ").count() <= 100, "no more than a page is on its way at once");
            let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
            told.extend(data.map(|data| serde_json::from_str::<serde_json::Value>(data).unwrap()));
        }
        assert_eq!(told, listed[seen..], "{path} {headers:?}");
    }
}

#[test]
fn a_stream_tells_only_what_passes_its_filter_and_what_the_token_sees() {
    for (token, path) in [
        ("viewer", "/v1/events:stream?account=acme-hw"),
        ("bound-viewer", "/v1/events:stream"),
        ("viewer", "/v1/events:stream?resource=ecs-1&type=renewal_settled"),
    ] {
        let server = Server::furnished();
        let mut stream = server.listen(token, path, &[]);
        stream.next().unwrap();
        top_up(&server, "beta-bd");
        server.advance("2026-02-01T00:00:00Z");
        let told = stream.next().unwrap();
        assert!(told.contains("ecs-1") && !told.contains("beta-bd"), "{token} {path}: {told}");
    }
}

#[test]
fn a_stream_ends_when_the_host_stops() {
    let server = Server::furnished();
    let mut stream = server.listen("viewer", "/v1/events:stream", &[]);
    stream.next().unwrap();
    server.host.begin_shutdown();
    assert_eq!(stream.next(), None);
}

#[test]
fn a_stream_ends_when_its_token_is_revoked() {
    let server = Server::furnished();
    let mut stream = server.listen("viewer", "/v1/events:stream", &[]);
    stream.next().unwrap();
    let tokens = server.get("admin", "/v1/tokens").json();
    let viewer = tokens["items"].as_array().unwrap().iter().find(|token| token["name"] == "viewer").unwrap();
    let path = format!("/v1/tokens/{}:revoke", viewer["id"].as_str().unwrap());
    assert_eq!(server.post("admin", &path, "").status, 200);
    top_up(&server, "acme-hw");
    assert_eq!(stream.next(), None, "not even what has just happened is told");
}

#[test]
fn streams_count_among_the_requests_that_a_token_may_have_under_way() {
    let server = Server::with(Limits { concurrency_per_token_max: 2, ..Limits::DEFAULT });
    let stream = server.listen("viewer", "/v1/events:stream", &[]);
    let busy = server.get("viewer", "/v1/events:stream");
    assert_eq!(busy.status, 429, "{}", busy.body);
    assert_eq!(
        server.get("operator", "/v1/events:stream").status,
        200,
        "another token has places of its own"
    );
    assert_eq!(server.get("viewer", "/v1/clock").status, 200);
    drop(stream);
}

#[test]
fn an_id_that_is_none_is_refused() {
    let server = Server::new();
    expect![[r#"
        400 Bad Request
        content-type: application/problem+json
        {
          "detail": "1 problem; see `errors`",
          "errors": [
            {
              "detail": "it is not the `id` of an event",
              "field": "Last-Event-ID"
            }
          ],
          "status": 400,
          "title": "The request cannot be read",
          "type": "urn:perennial:problem:bad-request"
        }"#]]
    .assert_eq(&server.send("viewer", "GET", "/v1/events:stream", &["last-event-id: 12"], "").shown());
    expect![[r#"
        400 Bad Request
        content-type: application/problem+json
        {
          "detail": "1 problem; see `errors`",
          "errors": [
            {
              "detail": "it is not the `id` of an event",
              "field": "cursor"
            }
          ],
          "status": 400,
          "title": "The request cannot be read",
          "type": "urn:perennial:problem:bad-request"
        }"#]]
    .assert_eq(&server.get("viewer", "/v1/events:stream?cursor=last").shown());
}

#[test]
fn a_token_that_is_revoked_is_sent_no_further_page() {
    let server = Server::furnished();
    (0..600).for_each(|_| top_up(&server, "acme-hw"));
    let mut stream = server.listen("viewer", "/v1/events:stream?cursor=c0", &[]);
    stream.next().unwrap();
    stream.next().unwrap();
    let tokens = server.get("admin", "/v1/tokens").json();
    let viewer = tokens["items"].as_array().unwrap().iter().find(|token| token["name"] == "viewer").unwrap();
    let path = format!("/v1/tokens/{}:revoke", viewer["id"].as_str().unwrap());
    assert_eq!(server.post("admin", &path, "").status, 200);
    // One page waits for the client, and one more may have been read before the token was revoked.
    let rest = std::iter::from_fn(|| stream.next()).count();
    assert!(rest <= 2, "{rest} pages of 100 events came after the token was revoked");
}
