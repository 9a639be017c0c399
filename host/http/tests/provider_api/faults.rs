//! A provider sandbox: what a client sees of each fault, and what has become of its request.

use perennial_formats::faults;
use perennial_test_support::provider_server::Server;
use serde_json::json;

use crate::huawei::NOW;
use crate::huawei::QUERY;
use crate::huawei::RENEW;
use crate::huawei::Tool;

/// A host with one server of Huawei Cloud's that expires on the last of March, behind these faults.
fn sandbox(faults: &str) -> Server {
    let inventory = json!({
        "accounts": [{ "id": "acme", "provider": "huawei", "currency": "CNY", "balance": "1000.00" }],
        "resources": [{
            "id": "server", "account": "acme", "kind": "ecs", "region": "r", "charging": "prepaid",
            "started_at": "2026-02-28T16:00:00Z", "expires_at": "2026-03-31T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "10.00",
        }],
    });
    Server::start("huawei", NOW, &inventory).with_faults(faults::read(faults).unwrap())
}

fn renewal() -> String {
    json!({ "resource_ids": ["server"], "period_type": 2, "period_num": 1, "is_auto_pay": 1 }).to_string()
}

/// How often the server was renewed.
fn renewals(server: &Server) -> usize {
    server.events().iter().filter(|event| event.contains(" renewal_settled acme server ")).count()
}

#[test]
fn a_renewal_is_applied_or_not_whatever_its_client_sees() {
    // The status, what the body is like, and how often it was renewed.
    let cases = [
        (r#"[{"fault": "fail_before"}]"#, 500, "json", 0),
        (r#"[{"fault": "fail_after"}]"#, 500, "json", 1),
        (r#"[{"fault": "throttle", "seconds": 7}]"#, 429, "json", 0),
        (r#"[{"fault": "reject", "status": 403, "body": "{\"error_code\":\"CBC.0151\"}"}]"#, 403, "json", 0),
        (r#"[{"fault": "garbage"}]"#, 200, "garbage", 1),
        (r#"[{"fault": "cut"}]"#, 200, "cut", 1),
        (r#"[{"fault": "time_out", "seconds": 1}]"#, 200, "cut", 1),
        (r#"[{"fault": "skew", "seconds": 3600}]"#, 401, "json", 0),
        ("[]", 200, "json", 1),
    ];
    for (faults, status, body, times) in cases {
        let server = sandbox(faults);
        let tool = Tool::new(&server, "acme");
        let (found, bytes) = server.send_raw(tool.signed("POST", RENEW, &renewal()).into());
        let is_like = match &bytes {
            None => "cut",
            Some(bytes) if serde_json::from_slice::<serde_json::Value>(bytes).is_ok() => "json",
            Some(_) => "garbage",
        };
        assert_eq!((found, is_like, renewals(&server)), (status, body, times), "{faults}");
        assert!(tool.ask("POST", QUERY, "{}").status == 200, "{faults}: only one request was meant");
    }
}

#[test]
fn a_late_renewal_is_applied_after_its_client_has_gone() {
    let server = sandbox(r#"[{"fault": "late", "seconds": 1}]"#);
    let tool = Tool::new(&server, "acme");
    let (_, body) = server.send_raw(tool.signed("POST", RENEW, &renewal()).into());
    assert_eq!((body, renewals(&server)), (None, 0));
    server.wait_until("the renewal is applied", |server| renewals(server) == 1);
}

#[test]
fn a_stale_query_shows_the_expiry_of_before() {
    let server = sandbox(&format!(r#"[{{"fault": "stale", "on": "POST {QUERY}", "skip": 1}}]"#));
    let tool = Tool::new(&server, "acme");
    let expiry = || tool.ask("POST", QUERY, "{}").json()["data"][0]["expire_time"].clone();
    assert_eq!(expiry(), "2026-03-31T15:59:59Z");
    assert_eq!(tool.ask("POST", RENEW, &renewal()).status, 200);
    assert_eq!(expiry(), "2026-03-31T15:59:59Z", "as it was first");
    assert_eq!(expiry(), "2026-04-30T15:59:59Z");
}

#[test]
fn somebody_else_renews_and_leaves_an_order_unpaid() {
    let faults = r#"[
        {"fault": "somebody_renews", "resource": "server"},
        {"fault": "somebody_renews", "resource": "server", "options": {"is_auto_pay": "0"}}
    ]"#;
    let server = sandbox(faults);
    let tool = Tool::new(&server, "acme");
    let query = tool.ask("POST", QUERY, "{}").json();
    assert_eq!(query["data"][0]["expire_time"], "2026-04-30T15:59:59Z");
    let refused = tool.ask("POST", RENEW, &renewal());
    assert_eq!(refused.json()["error_code"], "CBC.99003100", "{}", refused.body);
}

#[test]
fn faults_are_shown_replaced_and_removed_while_it_runs() {
    let server = sandbox(r#"[{"fault": "fail_before", "times": 0}]"#);
    let tool = Tool::new(&server, "acme");
    assert_eq!(server.control("GET", "").1["rules"][0]["fault"], "fail_before");
    let (status, problems) = server.control("PUT", r#"[{"fault": "none"}]"#);
    assert_eq!((status, problems.as_str().is_some()), (422, true));
    let (status, report) =
        server.control("PUT", r#"[{"fault": "wrong_currency", "on": "GET /", "times": 0}]"#);
    assert_eq!((status, &report["rules"][0]["fault"]), (200, &json!("wrong_currency")));
    let balance = tool.ask("GET", crate::huawei::BALANCE, "").body;
    assert!(balance.contains("\"XTS\"") && !balance.contains("\"CNY\""), "{balance}");
    assert_eq!(server.control("DELETE", "").1["rules"], json!([]));
    assert!(tool.ask("GET", crate::huawei::BALANCE, "").body.contains("\"CNY\""));
}
