//! Attacks that held, so that they go on holding: the same request many times at once, paths that pretend, tokens that nearly
//! are, and JSON that is hardly one.

use axum::body::Body;
use axum::http::Request;
use axum::http::StatusCode;
use perennial_service::error::ServiceError;
use perennial_service::writer::WriterContext;
use serde_json::json;
use tower::ServiceExt;

use crate::harness::Server;

const TOP_UP: &str = "/v1/accounts/acme-hw:top-up";

fn balance(server: &Server) -> String {
    server.get("admin", "/v1/accounts/acme-hw").json()["balance"].as_str().unwrap().to_owned()
}

#[test]
fn fifty_requests_of_one_key_at_once_are_done_once() {
    let server = Server::furnished();
    let body = r#"{"amount": "1.00"}"#;
    let send = || server.send("operator", "POST", TOP_UP, &["idempotency-key: one"], body);
    let answers = std::thread::scope(|scope| {
        let sent = (0..50).map(|_| scope.spawn(send)).collect::<Vec<_>>();
        sent.into_iter().map(|sent| sent.join().unwrap()).collect::<Vec<_>>()
    });
    let done = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect::<Vec<_>>();
    assert!(!done.is_empty());
    assert!(done.iter().all(|answer| answer.body == done[0].body), "one answer for all");
    let others = answers.iter().filter(|answer| answer.status != StatusCode::OK);
    others.for_each(|answer| assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body));
    assert_eq!(balance(&server), "501.00");
    assert_eq!(send().body, done[0].body, "and the same later");
}

#[test]
fn two_hundred_top_ups_at_once_are_all_there() {
    let server = Server::furnished();
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let done = server.post("operator", TOP_UP, r#"{"amount": "0.01"}"#);
                    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
                }
            });
        }
    });
    assert_eq!(balance(&server), "502.00");
}

#[test]
fn paths_that_pretend_lead_nowhere_else() {
    let server = Server::furnished();
    // To a token that is bound to another account, whatever is made of the path.
    let paths = [
        "/v1/accounts/acme-hw/../beta-bd",
        "/v1/accounts/%2e%2e/accounts/beta-bd",
        "/v1/accounts//beta-bd",
        "//v1/accounts/beta-bd",
        "/v1/accounts/beta-bd/",
        "/v1/accounts/beta-bd%00",
        "/v1/accounts/beta%2Dbd",
        "/v1/accounts/beta-bd;acme-hw",
        "/v1/resources/bcc-1",
        "/v1/resources/%62cc-1",
        "/v1/resources/ecs-1/../bcc-1",
        "/v1/resources/bcc-1%3Arenew",
        "/v1/:renew",
        "/v1/resources/:renew",
        "/v1/resources:import/..",
        "/V1/accounts/beta-bd",
    ];
    for path in paths {
        let answer = server.get("bound-admin", path);
        let is_refused = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED, StatusCode::BAD_REQUEST]
            .contains(&answer.status);
        assert!(is_refused, "{path}: {}", answer.shown());
        assert!(!answer.body.contains("500.00"), "{path}: {}", answer.shown());
    }
    // An id that is written otherwise is the same one.
    assert_eq!(server.get("bound-admin", "/v1/resources/%65cs-1").json()["id"], "ecs-1");
}

#[test]
fn json_that_is_hardly_one_is_refused_and_ends_nothing() {
    let server = Server::furnished();
    let amount = |amount: &str| format!(r#"{{"amount": {amount}}}"#);
    let mut bodies = vec![
        "[".repeat(1_000_000),
        r#"{"a":"#.repeat(100_000),
        r#"{"amount": "1.00", "amount": "2.00"}"#.to_owned(),
        r#"{"amount": "1.00"} x"#.to_owned(),
        r#"{"amount": "\ud800"}"#.to_owned(),
        "{\"amount\": \"1.00\u{0}\"}".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "\u{feff}\u{feff}{}".to_owned(),
        "{'amount': '1.00'}".to_owned(),
        "x".repeat(5_000_000),
    ];
    let amounts = [
        "1e400",
        "-0",
        "9223372036854775808",
        "\"0.0000001\"",
        "\"１.00\"",
        "\"1,00\"",
        "\"+1.00\"",
        "\"-1.00\"",
        "\"0\"",
        "\"NaN\"",
        "\" 1.00\"",
        "\"1e2\"",
        "true",
        "[]",
        "{}",
    ];
    bodies.extend(amounts.map(amount));
    for body in bodies {
        let shown = body.chars().take(60).collect::<String>();
        let answer = server.post("operator", TOP_UP, &body);
        let is_refused = [StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY].contains(&answer.status);
        assert!(is_refused && answer.body.len() < 65_536, "{shown}: {} {}", answer.status, answer.body.len());
    }
    assert_eq!(balance(&server), "500.00");
    let terms = [json!(0), json!(-1), json!(4_294_967_296_u64), json!(1.5), json!("1"), json!(null)];
    for count in terms {
        let body = json!({ "term": { "count": count, "unit": "month" } }).to_string();
        let answer = server.post("operator", "/v1/resources/ecs-1:renew", &body);
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", answer.body);
    }
    let far = server.post(
        "operator",
        "/v1/resources/ecs-1:renew",
        r#"{"term": {"count": 4294967295, "unit": "year"}}"#,
    );
    assert_eq!(far.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", far.body);
}

#[test]
fn a_body_that_is_no_text_is_refused_on_every_route_that_reads_one() {
    let server = Server::furnished();
    for path in [TOP_UP, "/v1/resources/ecs-1:renew", "/v1/resources:import", "/v1/jobs", "/v1/policies"] {
        // A byte that is none of UTF-8, a character in two bytes too many, half a character.
        for wrong in [&b"\xff"[..], b"\xc0\xaf", b"\xe4\xbd"] {
            let body = [b"{\"amount\": \"", wrong, b"\"}"].concat();
            let request = Request::post(path)
                .header("authorization", format!("Bearer {}", server.secret("admin")))
                .header("content-type", "application/json");
            let answer = server.raw(request.body(Body::from(body)).unwrap());
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {wrong:?}: {}", answer.body);
            assert!(answer.body.contains("not text in UTF-8"), "{}", answer.body);
        }
    }
    assert_eq!(balance(&server), "500.00");
}

#[test]
fn a_clock_is_moved_to_no_instant_that_makes_no_sense() {
    let server = Server::furnished();
    for to in [
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "262142-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T12:30:61Z",
        "2026-01-01T12:60:00Z",
        "2026-01-01",
        "",
        "now",
    ] {
        let answer = server.post("admin", "/v1/clock:advance", &json!({ "to": to }).to_string());
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{to}: {}", answer.body);
    }
}

#[test]
fn reading_a_large_body_holds_up_no_other_request() {
    let server = Server::furnished();
    let body = format!("{{\"resources\": [{}1]}}", "[],     ".repeat(1_500_000));
    let import = Request::post("/v1/resources:import")
        .header("authorization", format!("Bearer {}", server.secret("admin")))
        .header("content-type", "application/json");
    let import = server.router.clone().oneshot(import.body(Body::from(body)).unwrap());
    let looked = Request::get("/openapi.json").body(Body::empty()).unwrap();
    let looked = server.router.clone().oneshot(looked);
    // One thread: were the body read on it, nothing else would be answered before.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let import = tokio::spawn(import);
        // Once the body has come, it is being read.
        while !import.is_finished() && server.host.large_bodies() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(looked.await.unwrap().status(), StatusCode::OK);
        assert!(!import.is_finished(), "the body is still being read");
        assert!(import.await.unwrap().unwrap().status().is_client_error());
    });
}

#[test]
fn monitors_without_end_fill_nobodys_queue() {
    let server = Server::furnished();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let host = server.host.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let let_all_run = || async {
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
    };
    runtime.block_on(async {
        // The writer is busy for as long as it takes.
        let busy = async move {
            let waits = move |_: &mut WriterContext| Ok::<_, ServiceError>(released.recv().is_ok());
            host.writer().call(waits).await
        };
        let busy = tokio::spawn(busy);
        let ask = |path| Request::get(path).body(Body::empty()).unwrap();
        // More than tasks may wait for the writer.
        let asked = (0..1_100).map(|_| tokio::spawn(server.router.clone().oneshot(ask("/readyz"))));
        let asked = asked.collect::<Vec<_>>();
        let scraped = (0..100).map(|_| tokio::spawn(server.router.clone().oneshot(ask("/metrics"))));
        let scraped = scraped.collect::<Vec<_>>();
        let_all_run().await;
        let write = Request::post(TOP_UP)
            .header("authorization", format!("Bearer {}", server.secret("operator")))
            .header("content-type", "application/json");
        let write = write.body(Body::from(r#"{"amount": "1.00"}"#)).unwrap();
        let write = tokio::spawn(server.router.clone().oneshot(write));
        let_all_run().await;
        assert!(!write.is_finished(), "it waits for its turn");
        release.send(()).unwrap();
        assert!(busy.await.unwrap().unwrap());
        assert_eq!(write.await.unwrap().unwrap().status(), StatusCode::OK);
        for asked in asked.into_iter().chain(scraped) {
            assert_eq!(asked.await.unwrap().unwrap().status(), StatusCode::OK);
        }
    });
    assert_eq!(balance(&server), "501.00");
}

#[test]
fn a_body_that_may_be_large_is_not_read_from_who_may_not_send_it() {
    let server = Server::furnished_with(perennial_service::limits::Limits {
        revision_body_bytes_max: 1024,
        readers: 1,
        ..perennial_service::limits::Limits::DEFAULT
    });
    let body = format!("{{{}}}", " ".repeat(4096));
    assert_eq!(server.post("admin", "/v1/plugins/revisions", &body).status, 413);
    let bound = json!({ "name": "bound", "role": "admin", "accounts": ["acme-hw"] }).to_string();
    let secret = server.post("admin", "/v1/tokens", &bound).json()["secret"].as_str().unwrap().to_owned();
    let request = Request::post("/v1/plugins/revisions")
        .header("authorization", format!("Bearer {secret}"))
        .header("content-type", "application/json")
        .body(axum::body::Body::from(body))
        .unwrap();
    assert_eq!(server.raw(request).status, 403);
}

#[test]
fn a_header_that_is_there_twice_is_refused() {
    let server = Server::furnished();
    let secret = server.secret("admin");
    for (name, values) in
        [("idempotency-key", ["a", "b"]), ("x-reason", ["a", "b"]), ("authorization", ["Bearer x", ""])]
    {
        let mut request = Request::post("/v1/accounts/acme-hw:top-up")
            .header("authorization", format!("Bearer {secret}"))
            .header("content-type", "application/json");
        for value in values.iter().filter(|value| !value.is_empty()) {
            request = request.header(name, *value);
        }
        let answer = server.raw(request.body(axum::body::Body::from(r#"{"amount": "1.00"}"#)).unwrap());
        assert!([400, 401].contains(&answer.status.as_u16()), "{name}: {}", answer.body);
    }
    assert_eq!(server.get("admin", "/v1/accounts/acme-hw").json()["balance"], "500.00");
}
