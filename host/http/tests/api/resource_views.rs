//! `/v1/resources/{id}/explanation`, `/timeline`, `/orders` and `/decisions`.

use expect_test::expect;
use serde_json::Value;
use serde_json::json;

use crate::harness::Server;
use crate::harness::masked;

/// A furnished server on the day after `ecs-1` was renewed by the clock.
fn renewed() -> Server {
    let server = Server::furnished();
    server.advance("2026-01-25T00:00:00Z");
    server
}

fn items(server: &Server, path: &str) -> Vec<Value> {
    let answer = server.get("viewer", path);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["items"].as_array().unwrap().clone()
}

/// Every page of a list of two items a page.
fn paged(server: &Server, path: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.get("viewer", &format!("{path}?limit=2{cursor}")).json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        all.extend(items.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[test]
fn an_explanation_says_in_words_what_its_fields_say() {
    let server = renewed();
    expect![[""]].assert_eq(&server.get("viewer", "/v1/resources/ecs-1/explanation").shown());
}

#[test]
fn a_timeline_lists_what_lies_ahead_of_a_bundle_in_pages() {
    let server = renewed();
    let all = items(&server, "/v1/resources/ecs-1/timeline");
    let line = |item: &Value| {
        let text = |name: &str| item[name].as_str().unwrap_or("-").to_owned();
        let fields = ["at", "resource", "action", "stage", "name"].map(|name| text(name)).join(" ");
        format!("{fields}: {}\n", text("text"))
    };
    expect![[""]].assert_eq(&all.iter().map(line).collect::<String>());
    assert_eq!(paged(&server, "/v1/resources/ecs-1/timeline"), all);
    let command = json!({ "scope": "all" }).to_string();
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:unsubscribe", &command).status, 200);
    assert_eq!(items(&server, "/v1/resources/ecs-1/timeline"), Vec::<Value>::new());
}

#[test]
fn a_renewal_put_off_or_held_is_where_the_timeline_has_it() {
    let server = Server::furnished();
    let limit = json!({ "approval_above": "10.00", "settings": { "on_undecided": "renew" } }).to_string();
    assert_eq!(server.send("admin", "PATCH", "/v1/accounts/acme-hw", &[], &limit).status, 200);
    server.advance("2026-01-26T00:00:00Z");
    let tries = items(&server, "/v1/resources/ecs-1/timeline");
    let tries =
        tries.iter().filter(|item| item["action"] == "try_renewal").map(|item| item["at"].as_str().unwrap());
    let tries = tries.collect::<Vec<_>>();
    // The approval ends a second before the last try, and on that second it is renewed undecided.
    assert_eq!(tries[tries.len() - 2..], ["2026-01-30T18:59:59Z", "2026-01-30T19:00:00Z"], "{tries:?}");
}

#[test]
fn orders_and_decisions_of_a_resource_are_listed_in_pages() {
    let server = renewed();
    let order =
        json!({ "term": { "count": 1, "unit": "month" }, "options": { "is_auto_pay": "0" } }).to_string();
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:renew", &order).status, 200);
    let orders = items(&server, "/v1/resources/ecs-1/orders");
    let of_all = items(&server, "/v1/orders?resource=ecs-1");
    assert_eq!(orders, of_all);
    let states = orders.iter().map(|order| order["state"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(states, ["paid", "paid", "awaiting_payment"]);
    assert_eq!(paged(&server, "/v1/resources/ecs-1/orders"), orders);
    assert_eq!(items(&server, "/v1/resources/ecs-1/orders?state=paid"), orders[..2]);
    let decisions = items(&server, "/v1/resources/ecs-1/decisions");
    assert_eq!(paged(&server, "/v1/resources/ecs-1/decisions"), decisions);
    let shown = decisions.iter().map(|decision| {
        let (command, answer) = (&decision["request"]["command"], &decision["response"]["plan"]["pay_until"]);
        let fuel = decision["fuel"].as_u64().unwrap();
        assert!(fuel > 1_000, "{fuel}");
        format!("{} {} {} {command} {answer}\n", decision["id"], decision["at"], decision["contract"])
    });
    expect![[""]].assert_eq(&masked(&shown.collect::<String>()));
}

#[test]
fn decisions_older_than_they_are_kept_are_deleted_by_the_host() {
    let server = renewed();
    assert_eq!(items(&server, "/v1/resources/ecs-1/decisions").len(), 1);
    server.advance("2026-06-30T00:00:00Z");
    let before = items(&server, "/v1/resources/ecs-1/decisions");
    assert!(before.len() > 3, "{before:?}");
    server.on_writer(|context| {
        let now = context.now();
        context.engine.delete_old_decisions(now).unwrap();
    });
    let after = items(&server, "/v1/resources/ecs-1/decisions");
    assert!(after.len() < before.len() && after == before[before.len() - after.len()..]);
    assert!(
        after.iter().all(|decision| decision["at"].as_str().unwrap() >= "2026-04-01T00:00:00Z"),
        "{after:?}"
    );
}
