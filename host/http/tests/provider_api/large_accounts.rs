//! Accounts that have more than a page, a call or a look takes.

use perennial_domain::plan::Command;
use perennial_domain::plan::Scope;
use serde_json::Value;
use serde_json::json;

use crate::connected::Pair;
use crate::driving::driven_by;
use crate::driving::post;
use crate::driving::until_call;

/// So many servers that lapse on the same day.
fn servers(count: u32) -> Value {
    let server = |number: u32| {
        json!({ "id": format!("ecs-{number:03}"), "account": "acme", "kind": "ecs", "region": "cn-north-4",
            "charging": "prepaid", "started_at": "2026-01-10T02:00:00Z", "expires_at": "2026-03-20T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "lapse" })
    };
    json!({
        "accounts": [{ "id": "acme", "provider": "huawei", "currency": "CNY", "balance": "100000.00" }],
        "resources": (0..count).map(server).collect::<Vec<_>>(),
    })
}

#[test]
fn prices_are_asked_for_again_where_one_of_several_calls_failed() {
    let faults = r#"[{"fault": "fail_before", "on": "POST /v2/bills/ratings/period-resources/renew-rate",
        "skip": 3, "times": 2}]"#;
    let pair = Pair::of("huawei", &servers(130), faults).read();
    let view = pair.ask("/v1/connections/acme");
    assert_eq!(view["sync"]["listed"], 130);
    assert_eq!(view["summary"]["without_price"], 0, "{view}");
}

#[test]
fn what_is_not_listed_is_asked_for_by_its_id_once_however_much_it_is() {
    let pair = Pair::of("huawei", &servers(250), "[]").read();
    pair.cloud.on_writer(|writer| {
        let at = writer.now();
        for id in (100..220).map(|number| format!("ecs-{number}")) {
            let command = Command::Unsubscribe(Scope::All);
            assert_eq!(writer.engine.command(at, Some("acme"), &id, &command).unwrap().refusal, None);
        }
    });
    let sync = pair.sync(&json!({}))["sync"].clone();
    // Two pages of what is there, and 120 ids by fifties.
    assert_eq!((&sync["listed"], &sync["requests"]), (&json!(130), &json!(5)), "{sync}");
    assert_eq!(pair.ask("/v1/drift?limit=1000")["items"].as_array().unwrap().len(), 120);
    assert_eq!(pair.ask("/v1/resources/ecs-150")["stage"], "unsubscribed");
    assert_eq!(pair.ask("/v1/resources/ecs-220")["stage"], "active");
}

#[test]
fn what_may_leave_leaves_although_much_that_may_not_is_more_urgent() {
    let mut inventory = servers(60);
    let later = json!({ "id": "eip-1", "account": "acme", "kind": "eip", "region": "cn-north-4", "charging": "prepaid",
        "started_at": "2026-01-10T02:00:00Z", "expires_at": "2026-04-10T15:59:59Z",
        "term": { "count": 1, "unit": "month" }, "price": "5.00", "on_expiry": "lapse" });
    inventory["resources"].as_array_mut().unwrap().push(later);
    let pair = driven_by("host", Pair::of("huawei", &inventory, "[]"));
    post(&pair, "/v1/connections/acme:limit-spending", &json!({ "per_hour": "50.00" }), 200);
    let job = json!({ "command": { "renew": {} }, "filter": { "kind": "ecs" } });
    let job = format!("/v1/jobs/{}", post(&pair, "/v1/jobs", &job, 202)["id"].as_str().unwrap());
    pair.broker
        .wait_until("the job is done", |broker| broker.ask_admin("GET", &job, "").json()["state"] == "done");
    let term = json!({ "term": { "count": 2, "unit": "month" } });
    post(&pair, "/v1/resources/eip-1:renew", &term, 202);
    let history = until_call(&pair, "61", "settled", 10);
    assert_eq!(history["call"]["cost"], "10.00", "{history}");
    assert_eq!(pair.ask("/v1/calls/1")["call"]["state"], "reserved", "it is above the ceiling");
}
