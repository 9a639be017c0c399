//! The money that policies are told of: what is spent, and what a plan would cost at another term.

use perennial_engine::replay;
use perennial_engine::replay::Replay;
use perennial_store::decisions::Decision;
use perennial_store::error::StoreError;
use serde_json::Value;
use serde_json::json;

use crate::harness::Server;
use crate::policies::install;
use crate::policies::one;

fn resource(id: &str, account: &str, more: &Value) -> Value {
    let mut resource = json!({
        "id": id, "account": account, "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
        "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
        "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew",
    });
    for (name, value) in more.as_object().unwrap() {
        resource[name] = value.clone();
    }
    resource
}

/// An account of Huawei Cloud with these settings, and its resources; it has no budget.
fn with(settings: &Value, resources: &[Value]) -> Server {
    let server = Server::furnished();
    let account = json!({ "id": "hw", "provider": "huawei", "currency": "CNY", "balance": "9000.00", "settings": settings });
    let inventory = json!({ "accounts": [account], "resources": resources });
    let answer = server.post("admin", "/v1/resources:import", &inventory.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    server
}

fn notes(server: &Server) -> Vec<String> {
    let events = server.events().into_iter().filter(|event| event["type"] == "policy_note");
    events.map(|event| event["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_an_account_without_a_budget_spends_is_no_false_alarm() {
    let resources = ["a", "b", "c", "d"].map(|id| resource(id, "hw", &json!({})));
    let server = with(&json!({}), &resources);
    install(&server, "admin", &one("any", "", "fn rule(plan) { approve() }"));
    server.advance("2026-02-01T00:00:00Z");
    let (tally, others) = server.on_writer(|context| {
        let mut others = Vec::new();
        let mut observe = |decision: &Decision, replay: &Replay| {
            if !matches!(replay, Replay::Matches { .. }) {
                others.push(format!("{}: {replay:?}", decision.resource));
            }
            Ok::<(), StoreError>(())
        };
        let providers = context.engine.providers().clone();
        let tally = replay::replay_all(context.engine.db(), &providers, &mut observe).unwrap();
        (tally, others)
    });
    assert_eq!(others, [""; 0]);
    assert!(tally.matching >= 8, "{tally:?}");
}

#[test]
fn a_price_at_another_term_is_what_the_amended_plan_costs() {
    let disk = json!({ "kind": "evs", "price": "10.00", "attached_to": "a", "on_expiry": "lapse",
                       "expires_at": "2026-01-20T15:59:59Z" });
    let settings = [json!({}), json!({ "unified_expiry_day": "10" })];
    let script = "fn rule(plan) {
        if plan.term.count == 1 {
            note(`${price_for(plan, 1, \"month\") == plan.cost} ${price_for(plan, 2, \"month\")}`);
            return amend(#{ term: #{ count: 2, unit: \"month\" } }, \"two at once\");
        }
        note(`${plan.cost}`);
        approve()
    }";
    for settings in settings {
        let resources = [resource("a", "hw", &json!({})), resource("b", "hw", &disk)];
        let server = with(&settings, &resources);
        install(&server, "admin", &one("two", "accounts = [\"hw\"]", script));
        server.advance("2026-02-01T00:00:00Z");
        let notes = notes(&server);
        assert!(notes.len() >= 2, "{notes:?}");
        for pair in notes.chunks(2) {
            assert_eq!(pair[0], format!("true {}", pair[1]), "{settings}: {notes:?}");
        }
    }
}
