//! Everything that goes wrong is a problem in one shape.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use expect_test::expect;
use perennial_service::limits::Limits;
use serde_json::json;

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
        table +=
            &format!("{method} {path} {body}\n{}\n\n", server.send(token, method, path, &[], body).shown());
    }
    expect![[r#"
        GET /nowhere 
        404 Not Found
        content-type: application/problem+json
        {
          "detail": "there is no such route; see /openapi.json",
          "status": 404,
          "title": "There is no such object",
          "type": "urn:perennial:problem:not-found"
        }

        DELETE /v1/accounts 
        405 Method Not Allowed
        allow: GET,HEAD,POST
        content-type: application/problem+json
        {
          "detail": "the header `Allow` says which methods the route has",
          "status": 405,
          "title": "The route does not have this method",
          "type": "urn:perennial:problem:method-not-allowed"
        }

        GET /v1/resources/ecs-1:renew 
        405 Method Not Allowed
        allow: POST
        content-type: application/problem+json
        {
          "detail": "the header `Allow` says which methods the route has",
          "status": 405,
          "title": "The route does not have this method",
          "type": "urn:perennial:problem:method-not-allowed"
        }

        GET /v1/resources?colour=red&limit=0&cursor=x&stage=gone 
        400 Bad Request
        content-type: application/problem+json
        {
          "detail": "4 problems; see `errors`",
          "errors": [
            {
              "detail": "it is not the `next_cursor` of an earlier page",
              "field": "cursor"
            },
            {
              "detail": "expected a whole number from 1 to 1000 (`limits.page_items_max`)",
              "field": "limit"
            },
            {
              "detail": "expected one of `active`, `grace`, `retention`, `released`, `unsubscribed`, `converted`",
              "field": "stage"
            },
            {
              "detail": "unknown parameter; there are `cursor`, `limit`, `tag`, `id`, `account`, `provider`, `kind`, `stage`, `risk`, `expires_from`, `expires_before`, `sort`",
              "field": "colour"
            }
          ],
          "status": 400,
          "title": "The request cannot be read",
          "type": "urn:perennial:problem:bad-request"
        }

        GET /v1/accounts?limit=1&limit=2 
        400 Bad Request
        content-type: application/problem+json
        {
          "detail": "1 problem; see `errors`",
          "errors": [
            {
              "detail": "it is given twice; keep one",
              "field": "limit"
            }
          ],
          "status": 400,
          "title": "The request cannot be read",
          "type": "urn:perennial:problem:bad-request"
        }

        GET /v1/resources/%ff 
        400 Bad Request
        content-type: application/problem+json
        {
          "detail": "the id in the path is not text in UTF-8",
          "status": 400,
          "title": "The request cannot be read",
          "type": "urn:perennial:problem:bad-request"
        }

        POST /v1/resources/ecs-1:renew {
        400 Bad Request
        content-type: application/problem+json
        {
          "detail": "1 problem; see `errors`",
          "errors": [
            {
              "detail": "this is not JSON: EOF while parsing an object",
              "field": "line 1, column 1"
            }
          ],
          "status": 400,
          "title": "The request cannot be read",
          "type": "urn:perennial:problem:bad-request"
        }

        POST /v1/resources/ecs-1:renew {"trem": 1, "options": 7}
        422 Unprocessable Entity
        content-type: application/problem+json
        {
          "detail": "2 problems; see `errors`",
          "errors": [
            {
              "detail": "unknown field `trem` (did you mean `term`?)",
              "field": "trem"
            },
            {
              "detail": "expected an object, found the number 7",
              "field": "options"
            }
          ],
          "status": 422,
          "title": "Some fields are invalid",
          "type": "urn:perennial:problem:invalid-fields"
        }

        GET /v1/accounts 
        401 Unauthorized
        content-type: application/problem+json
        www-authenticate: Bearer
        {
          "detail": "send a token in the header `Authorization: Bearer …`",
          "status": 401,
          "title": "A valid token is required",
          "type": "urn:perennial:problem:unauthorized"
        }

    "#]].assert_eq(&table);
}

#[test]
fn bodies_are_json_and_no_larger_than_the_limit() {
    let server = Server::with(Limits { body_bytes_max: 1024, readers: 1, ..Limits::DEFAULT });
    let large = format!("{{\"amount\": \"{}\"}}", "1".repeat(1024));
    expect![[r#"
        413 Payload Too Large
        content-type: application/problem+json
        {
          "detail": "a body has at most 1024 bytes (`limits.body_bytes_max`)",
          "status": 413,
          "title": "The body is too large",
          "type": "urn:perennial:problem:too-large"
        }"#]]
    .assert_eq(&server.post("operator", "/v1/accounts/a:top-up", &large).shown());
    let typed = &["content-type: text/plain"];
    // A second content type does not hide behind the first.
    expect![[r#"
        415 Unsupported Media Type
        content-type: application/problem+json
        {
          "detail": "send `Content-Type: application/json`",
          "status": 415,
          "title": "The body must be application/json",
          "type": "urn:perennial:problem:unsupported-media-type"
        }"#]]
    .assert_eq(&server.send("operator", "POST", "/v1/accounts/a:top-up", typed, "").shown());
}

#[test]
fn how_much_a_value_of_a_body_may_hold_is_configuration() {
    let limits =
        Limits { body_text_bytes_max: 64, body_name_bytes_max: 70, body_fields_max: 32, ..Limits::DEFAULT };
    let server = Server::furnished_with(limits);
    let wide = (0..33).map(|number| (format!("t{number}"), "v".into())).collect::<serde_json::Map<_, _>>();
    let much = |text: usize, name: usize| {
        let mut tags = wide.clone();
        tags.insert("n".repeat(name), "v".repeat(text).into());
        tags
    };
    let resource = |tags| json!({ "resources": [{ "id": "new", "account": "acme-hw", "tags": tags }] });
    let account = |settings| json!({ "id": "new", "provider": "huawei", "settings": settings });
    let change = |tags| json!({ "tags": tags });
    // Each is read in its own way: a change, an account, and an inventory.
    for (method, path, body) in [
        ("PATCH", "/v1/resources/ecs-1", change(much(65, 71))),
        ("POST", "/v1/accounts", account(much(65, 71))),
        ("POST", "/v1/resources:import", resource(much(65, 71))),
    ] {
        let refused = server.send("admin", method, path, &[], &body.to_string());
        assert_eq!(refused.status, 422, "{path}: {}", refused.body);
        for problem in [
            "bytes of text: 65; a request has at most 64",
            "bytes of a field's name: 71; a request has at most 70",
            "fields: 34; a request has at most 32",
        ] {
            assert!(refused.body.contains(problem), "{path}: {problem}: {}", refused.body);
        }
    }
    let just = json!({ "tags": { ("n".repeat(70)): "v".repeat(64) } }).to_string();
    assert_eq!(server.send("admin", "PATCH", "/v1/resources/ecs-1", &[], &just).status, 200);
}

#[test]
fn more_than_the_host_takes_on_is_answered_when_to_come_back() {
    let server = Server::with(Limits { concurrency_max: 1, readers: 1, ..Limits::DEFAULT });
    let taken = server.host.request_permits().clone().try_acquire_owned().unwrap();
    expect![[r#"
        503 Service Unavailable
        content-type: application/problem+json
        retry-after: 1
        {
          "detail": "too many requests are in flight (`limits.concurrency_max`)",
          "status": 503,
          "title": "The host is busy or stopping",
          "type": "urn:perennial:problem:unavailable"
        }"#]]
    .assert_eq(&server.get("viewer", "/v1/accounts").shown());
    for watched in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(server.get("", watched).status, 200, "{watched} does not wait");
    }
    drop(taken);
    assert_eq!(server.get("viewer", "/v1/accounts").status, 200);
}

#[test]
fn more_than_a_token_may_is_answered_when_to_come_back() {
    let server = Server::with(Limits { concurrency_per_token_max: 1, readers: 1, ..Limits::DEFAULT });
    let tokens = server.get("admin", "/v1/tokens").json();
    let id = tokens["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(tokens["items"][0]["name"], "viewer");
    let id = Arc::<str>::from(id);
    let slots = server.host.acquire_slots(&id, &id).unwrap();
    expect![[r#"
        429 Too Many Requests
        content-type: application/problem+json
        retry-after: 1
        {
          "detail": "a token has at most 1 requests in flight: wait for some of them, or raise `limits.concurrency_per_token_max`",
          "status": 429,
          "title": "Too many requests are in flight",
          "type": "urn:perennial:problem:too-many-requests"
        }"#]]
    .assert_eq(&server.get("viewer", "/v1/accounts").shown());
    drop(slots);
    assert_eq!(server.get("viewer", "/v1/accounts").status, 200);
}

#[test]
fn a_request_keeps_the_id_that_it_came_with() {
    let server = Server::new();
    assert_eq!(server.get("", "/healthz").headers["x-request-id"], "test");
    let request =
        Request::builder().uri("/healthz").header("x-request-id", "no spaces please").body(Body::empty());
    assert_ne!(server.raw(request.unwrap()).headers["x-request-id"], "no spaces please");
}

/// A body that is wrong in every place of a list of so many.
fn wrong_everywhere(field: &str, wrong: &str, count: usize) -> String {
    format!("{{\"{field}\": [{}]}}", vec![wrong; count].join(","))
}

#[test]
fn a_body_that_is_wrong_everywhere_has_a_bounded_response() {
    let server = Server::furnished();
    for (path, body) in [
        ("/v1/resources:import", wrong_everywhere("resources", r#"{"colour": "red"}"#, 40_000)),
        ("/v1/resources:import", wrong_everywhere("resources", r#"{"i": 1, "i": 2, "i": 3}"#, 40_000)),
        ("/v1/jobs", wrong_everywhere("ids", r#""\u0001\u0002\u0003""#, 9_000)),
        ("/v1/accounts/acme-hw:top-up", wrong_everywhere("amount", "1", 9_000).replace("[", "[{\"a\":1},")),
        ("/v1/accounts/acme-hw:top-up", {
            let fields = (0..9_000).map(|name| format!("\"{name}{}\": 1", "n".repeat(200)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }),
    ] {
        let answer = server.post("operator", path, &body);
        assert_eq!(answer.status, 422, "{path}: {}", &answer.body[..answer.body.len().min(300)]);
        let errors = answer.json()["errors"].as_array().unwrap().len();
        assert!(errors <= 100 && answer.body.len() < 64_000, "{path}: {errors}, {} bytes", answer.body.len());
        if errors == 100 {
            let detail = answer.json()["detail"].to_string();
            assert!(detail.contains("at least 100 problems") && detail.contains("was not read"), "{detail}");
        }
    }
    let query = (0..3_000).map(|name| format!("p{name}=1")).collect::<Vec<_>>().join("&");
    let answer = server.get("viewer", &format!("/v1/accounts?{query}"));
    assert_eq!((answer.status.as_u16(), answer.json()["errors"].as_array().unwrap().len()), (400, 100));
}

#[test]
fn a_body_of_brackets_is_refused_before_it_is_read() {
    let server = Server::furnished();
    let body = wrong_everywhere("resources", "{}", 300_000);
    let answer = server.post("operator", "/v1/resources:import", &body);
    assert!(answer.body.contains("values, and here is one more; send fewer at once"), "{}", answer.body);
}

#[test]
fn what_nothing_can_be_counted_from_is_refused_where_it_comes_in() {
    let server = Server::furnished();
    let resource = |expires_at: &str| {
        serde_json::json!({ "resources": [{
            "id": "ecs-9", "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
            "started_at": "2025-12-31T02:00:00Z", "expires_at": expires_at,
            "term": { "count": 1, "unit": "month" }, "price": "99.00",
        }] })
        .to_string()
    };
    for (path, body) in [
        ("/v1/resources:import", resource("9999-12-31T23:59:58Z")),
        ("/v1/resources:import", resource("9000-01-01T00:00:00Z")),
        ("/v1/clock:advance", r#"{"to": "9999-12-31T23:59:58Z"}"#.to_owned()),
        ("/v1/tokens", r#"{"name": "t", "role": "viewer", "expires_at": "9999-12-31T23:59:58Z"}"#.to_owned()),
        (
            "/v1/provider-keys",
            r#"{"account": "acme-hw", "name": "k", "expires_at": "9999-12-31T23:59:58Z"}"#.to_owned(),
        ),
        ("/v1/acknowledgements", r#"{"resource": "ecs-1", "until": "9999-12-31T23:59:58Z"}"#.to_owned()),
    ] {
        let answer = server.post("admin", path, &body);
        assert_eq!(answer.status, 422, "{path}: {}", answer.body);
        assert!(answer.body.contains("is not before 9000-01-01T00:00:00Z"), "{}", answer.body);
    }
    let renewal = |count: u32, unit: &str| {
        serde_json::json!({ "dry_run": true, "term": { "count": count, "unit": unit } }).to_string()
    };
    for (count, unit) in [(36_501, "day"), (1_201, "month"), (101, "year")] {
        let answer = server.post("admin", "/v1/resources/ecs-1:renew", &renewal(count, unit));
        assert_eq!(answer.status, 422, "{count} {unit}: {}", answer.body);
        assert!(answer.body.contains(&format!("a whole number from 1 to {}", count - 1)), "{}", answer.body);
    }
    assert_eq!(server.post("admin", "/v1/resources:import", &resource("8999-12-31T23:59:59Z")).status, 200);
    assert_eq!(server.post("admin", "/v1/resources/ecs-9:renew", r#"{"dry_run": true}"#).status, 200);
}
