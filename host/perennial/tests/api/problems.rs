//! Everything that goes wrong is a problem in one shape.

use axum::body::Body;
use axum::http::Request;
use expect_test::expect;
use perennial::api::config::Limits;

use crate::harness::Server;

#[test]
fn what_is_not_there_or_cannot_be_read_is_a_problem() {
    let server = Server::furnished();
    let mut table = String::new();
    let cases = [
        ("viewer", "GET", "/nowhere", ""),
        ("viewer", "DELETE", "/v1/accounts", ""),
        ("viewer", "GET", "/v1/resources/ecs-1:renew", ""),
        ("viewer", "GET", "/v1/resources?colour=red&limit=0&cursor=x&stage=gone", ""),
        ("viewer", "GET", "/v1/accounts?limit=1&limit=2", ""),
        ("viewer", "GET", "/v1/resources/%ff", ""),
        ("operator", "POST", "/v1/resources/ecs-1:renew", "{"),
        ("operator", "POST", "/v1/resources/ecs-1:renew", r#"{"trem": 1, "options": 7}"#),
        ("", "GET", "/v1/accounts", ""),
    ];
    for (token, method, path, body) in cases {
        table += &format!("{method} {path} {body}\n{}\n\n", server.send(token, method, path, &[], body).shown());
    }
    expect![[""]].assert_eq(&table);
}

#[test]
fn bodies_are_json_and_no_larger_than_the_limit() {
    let server = Server::with(Limits { body_bytes_max: 1024, readers: 1, ..Limits::DEFAULT });
    let large = format!("{{\"amount\": \"{}\"}}", "1".repeat(1024));
    expect![[""]].assert_eq(&server.post("operator", "/v1/accounts/a:top-up", &large).shown());
    let typed = &["content-type: text/plain"];
    // A second content type does not hide behind the first.
    expect![[""]].assert_eq(&server.send("operator", "POST", "/v1/accounts/a:top-up", typed, "").shown());
}

#[test]
fn more_than_the_host_takes_on_is_answered_when_to_come_back() {
    let server = Server::with(Limits { concurrency_max: 1, readers: 1, ..Limits::DEFAULT });
    let taken = server.host.free().clone().try_acquire_owned().unwrap();
    expect![[""]].assert_eq(&server.get("", "/healthz").shown());
    drop(taken);
    assert_eq!(server.get("", "/healthz").status, 200);
}

#[test]
fn more_than_a_token_may_is_answered_when_to_come_back() {
    let server = Server::with(Limits { concurrency_per_token_max: 1, readers: 1, ..Limits::DEFAULT });
    let tokens = server.get("admin", "/v1/tokens").json();
    let id = tokens["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(tokens["items"][0]["name"], "viewer");
    let slot = server.host.slot(&id.into()).unwrap();
    expect![[""]].assert_eq(&server.get("viewer", "/v1/accounts").shown());
    drop(slot);
    assert_eq!(server.get("viewer", "/v1/accounts").status, 200);
}

#[test]
fn a_request_keeps_the_id_that_it_came_with() {
    let server = Server::new();
    assert_eq!(server.get("", "/healthz").headers["x-request-id"], "test");
    let request = Request::builder().uri("/healthz").header("x-request-id", "no spaces please").body(Body::empty());
    assert_ne!(server.raw(request.unwrap()).headers["x-request-id"], "no spaces please");
}
