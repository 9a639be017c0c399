//! `Idempotency-Key`: the same request is done once, however often it is sent.

use expect_test::expect;
use perennial_http::problem::ProblemType;

use crate::harness::Server;

const TOP_UP: &str = "/v1/accounts/acme-hw:top-up";
const BODY: &str = r#"{"amount": "1.00"}"#;
const KEY: &[&str] = &["idempotency-key: k-1"];

fn balance(server: &Server) -> String {
    server.get("viewer", "/v1/accounts/acme-hw").json()["balance"].as_str().unwrap().to_owned()
}

#[test]
fn the_same_request_again_is_answered_the_same_and_done_once() {
    let server = Server::furnished();
    let first = server.send("operator", "POST", TOP_UP, KEY, BODY);
    assert_eq!(first.status, 200);
    let mut second = server.send("operator", "POST", TOP_UP, KEY, BODY);
    assert_eq!(second.headers.remove("idempotency-replayed").unwrap(), "true");
    assert_eq!(second, first);
    assert_eq!(balance(&server), "501.00");
}

#[test]
fn a_key_is_not_for_another_request() {
    let server = Server::furnished();
    server.send("operator", "POST", TOP_UP, KEY, BODY);
    expect![[r#"
        422 Unprocessable Entity
        content-type: application/problem+json
        {
          "detail": "use another key for another request",
          "status": 422,
          "title": "Another request has used this idempotency key",
          "type": "urn:perennial:problem:idempotency-key-reused"
        }"#]]
    .assert_eq(&server.send("operator", "POST", TOP_UP, KEY, r#"{"amount": "2.00"}"#).shown());
    assert_eq!(server.send("operator", "POST", "/v1/accounts/beta-bd:top-up", KEY, BODY).status, 422);
    assert_eq!(balance(&server), "501.00");
}

#[test]
fn a_key_is_one_tokens_own() {
    let server = Server::furnished();
    server.send("operator", "POST", TOP_UP, KEY, BODY);
    assert_eq!(server.send("approver", "POST", TOP_UP, KEY, BODY).status, 200);
    assert_eq!(balance(&server), "502.00");
}

#[test]
fn a_key_outlives_the_process() {
    let server = Server::furnished();
    let first = server.send("operator", "POST", TOP_UP, KEY, BODY);
    let server = server.restarted();
    assert_eq!(server.send("operator", "POST", TOP_UP, KEY, BODY).body, first.body);
    assert_eq!(balance(&server), "501.00");
}

#[test]
fn a_refusal_is_answered_the_same_too_and_is_one_event() {
    let server = Server::furnished();
    let body = r#"{"term": {"count": 3, "unit": "year"}}"#;
    let send = || server.send("operator", "POST", "/v1/resources/ecs-1:renew", KEY, body);
    let first = send();
    assert_eq!(first.status, 409);
    assert_eq!(send().body, first.body);
    assert_eq!(server.events().iter().filter(|event| event["type"] == "command_refused").count(), 1);
}

#[test]
fn a_request_that_is_under_way_is_not_begun_again() {
    let server = Server::furnished();
    let token = server.get("admin", "/v1/tokens").json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|token| token["name"] == "operator")
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let under_way = server.host.claim_key(&token.into(), "k-1").unwrap();
    let answer = server.send("operator", "POST", TOP_UP, KEY, BODY);
    assert_eq!(answer.json()["type"], format!("urn:perennial:problem:{}", ProblemType::KeyInFlight.slug()));
    assert_eq!(answer.headers["retry-after"], "1");
    drop(under_way);
    assert_eq!(server.send("operator", "POST", TOP_UP, KEY, BODY).status, 200);
}

#[test]
fn a_dry_runs_idempotency_key_repeats_it_and_is_refused_for_the_command() {
    let server = Server::furnished();
    let renew = "/v1/resources/ecs-1:renew";
    let send = |body| server.send("operator", "POST", renew, KEY, body);
    let first = send(r#"{"dry_run": true}"#);
    assert_eq!(first.status, 200);
    server.send("operator", "POST", TOP_UP, &[], BODY);
    let mut second = send(r#"{"dry_run": true}"#);
    assert_eq!(second.headers.remove("idempotency-replayed").unwrap(), "true");
    assert_eq!(second, first);
    let real = send("{}").json();
    assert_eq!(real["type"], format!("urn:perennial:problem:{}", ProblemType::KeyReused.slug()));
    let audit = server.get("admin", "/v1/audit").json();
    let outcomes = audit["items"].as_array().unwrap().iter().map(|record| record["outcome"].clone());
    assert_eq!(outcomes.take(2).collect::<Vec<_>>(), ["done", "dry_run"]);
}

#[test]
fn what_stands_for_a_body_is_compared_in_its_place() {
    let server = Server::furnished();
    let headers = |of: &'static str| vec![KEY[0], of];
    let send = |of, body| server.send("operator", "POST", TOP_UP, &headers(of), body);
    let first = send("idempotency-fingerprint: 1", BODY);
    let again = send("idempotency-fingerprint: 1", r#"{"amount": "9.00"}"#);
    assert_eq!((again.body, again.headers["idempotency-replayed"].to_str().unwrap()), (first.body, "true"));
    for of in ["idempotency-fingerprint: 2", "x-reason: r"] {
        let answer = send(of, BODY).json();
        assert_eq!(
            answer["type"],
            format!("urn:perennial:problem:{}", ProblemType::KeyReused.slug()),
            "{of}"
        );
    }
    assert_eq!(balance(&server), "501.00");
}

#[test]
fn asking_for_an_earlier_response_only_does_nothing() {
    let server = Server::furnished();
    let only = [KEY[0], "idempotency-replay-only: true"];
    let none = server.send("operator", "POST", TOP_UP, &only, BODY);
    assert_eq!((none.status.as_u16(), none.body.as_str()), (204, ""));
    assert_eq!(balance(&server), "500.00");
    let first = server.send("operator", "POST", TOP_UP, KEY, BODY);
    assert_eq!(server.send("operator", "POST", TOP_UP, &only, BODY).body, first.body);
    assert_eq!(balance(&server), "501.00");
    for wrong in [vec![only[1]], vec![KEY[0], "idempotency-replay-only: yes"]] {
        assert_eq!(server.send("operator", "POST", TOP_UP, &wrong, BODY).status, 400, "{wrong:?}");
    }
    assert_eq!(balance(&server), "501.00");
}

#[test]
fn a_key_holds_for_a_week_of_the_hosts_clock_and_is_free_afterwards() {
    let server = Server::furnished();
    let first = server.send("operator", "POST", TOP_UP, KEY, BODY);
    server.advance("2026-01-07T23:59:59Z");
    // What has ended is deleted when a host stops, at the latest.
    let server = server.restarted();
    assert_eq!(server.send("operator", "POST", TOP_UP, KEY, BODY).body, first.body);
    assert_eq!(balance(&server), "501.00");
    server.advance("2026-01-09T00:00:00Z");
    let server = server.restarted();
    let again = server.send("operator", "POST", TOP_UP, KEY, BODY);
    assert_eq!((again.status.as_u16(), again.headers.get("idempotency-replayed")), (200, None));
    assert_eq!(balance(&server), "502.00");
}
