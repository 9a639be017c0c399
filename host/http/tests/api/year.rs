//! A year of a thousand resources, driven through the API alone.

use std::collections::BTreeSet;
use std::fmt::Write;

use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::simulation;
use perennial_formats::event;
use perennial_formats::scenario;
use perennial_store::Store;
use perennial_test_support::plugins;
use serde_json::Value;

use crate::harness;
use crate::harness::Server;

const RESOURCES: usize = 1000;
const UNTIL: &str = "2026-12-31T23:59:59Z";

fn inventory() -> String {
    let mut resources = String::new();
    for number in 0..RESOURCES {
        let (account, kind) = if number % 2 == 0 { ("acme-hw", "ecs") } else { ("beta-bd", "bcc") };
        let (day, hour) = (number % 28 + 1, number % 24);
        let on_expiry = if number % 5 == 0 { "lapse" } else { "renew" };
        let comma = if number == 0 { "" } else { "," };
        write!(
            resources,
            r#"{comma}{{"id": "r-{number:04}", "account": "{account}", "kind": "{kind}", "region": "r",
                "charging": "prepaid", "started_at": "2025-12-01T00:00:00Z", "expires_at": "2026-01-{day:02}T{hour:02}:30:00Z",
                "term": {{"count": {term}, "unit": "month"}}, "price": "10.00", "on_expiry": "{on_expiry}"}}"#,
            term = number % 3 + 1,
        )
        .unwrap();
    }
    format!(
        r#"{{"accounts": [
            {{"id": "acme-hw", "provider": "huawei", "currency": "CNY", "balance": "20000.00"}},
            {{"id": "beta-bd", "provider": "baidu", "currency": "CNY", "balance": "15000.00"}}
        ], "resources": [{resources}]}}"#
    )
}

/// What people do, as a scenario: each entry is one request, too.
fn scenario() -> Value {
    serde_json::json!([
        { "at": "2026-01-15T00:00:00Z", "do": "command", "resource": "r-0010", "command": "cancel_auto_renew" },
        { "at": "2026-02-10T12:00:00Z", "do": "command", "resource": "r-0012",
          "command": { "renew": { "term": { "count": 1, "unit": "year" } } } },
        { "at": "2026-03-01T00:00:00Z", "do": "set_attribute", "resource": "r-0014", "name": "status", "value": "scaling" },
        { "at": "2026-05-05T05:05:05Z", "do": "command", "resource": "r-0021", "command": { "unsubscribe": { "scope": "all" } } },
        { "at": "2026-06-01T00:00:00Z", "do": "top_up", "account": "acme-hw", "amount": "30000.00" },
        { "at": "2026-09-01T08:00:00Z", "do": "use", "account": "acme-hw", "resource_type": "cci", "amount": "1.00" },
        { "at": "2026-10-01T00:00:00Z", "do": "top_up", "account": "beta-bd", "amount": "1000.00" },
    ])
}

fn simulated() -> Vec<String> {
    let inventory = harness::read_inventory(&inventory());
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("test.db")).unwrap();
    let mut engine = Engine::new(store, plugins::bundled(), Retention::State);
    let from = harness::START.parse().unwrap();
    let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
    engine.import(from, &inventory.accounts, bundles).unwrap();
    let accounts = inventory.accounts.iter().map(|account| account.id.as_str()).collect::<BTreeSet<_>>();
    let scenario = scenario::read(&scenario().to_string(), &accounts).unwrap();
    let mut lines = Vec::new();
    simulation::run_scenario(&mut engine, &scenario, from, UNTIL.parse().unwrap(), &mut |recorded| {
        lines.push(event::line(recorded.account.as_deref(), &recorded.event));
    })
    .unwrap();
    lines
}

/// Does one entry of the scenario through the API.
fn act(server: &Server, entry: &Value) {
    let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let (method, path, body) = match entry["do"].as_str().unwrap() {
        "top_up" => {
            let body = serde_json::json!({ "amount": entry["amount"] });
            ("POST", format!("/v1/accounts/{}:top-up", text("account")), body)
        }
        "use" => {
            let body =
                serde_json::json!({ "resource_type": entry["resource_type"], "amount": entry["amount"] });
            ("POST", format!("/v1/accounts/{}:use", text("account")), body)
        }
        "set_attribute" => {
            let body = serde_json::json!({ "attributes": { text("name"): entry["value"] } });
            ("PATCH", format!("/v1/resources/{}", text("resource")), body)
        }
        "command" => {
            let (name, body) = match entry["command"].as_object() {
                None => (text("command"), serde_json::json!({})),
                Some(command) => {
                    let (name, body) = command.iter().next().unwrap();
                    (name.clone(), body.clone())
                }
            };
            ("POST", format!("/v1/resources/{}:{}", text("resource"), name.replace('_', "-")), body)
        }
        other => panic!("the scenario has no `{other}`"),
    };
    let status = server.send("admin", method, &path, &[], &body.to_string()).status.as_u16();
    // A refusal is an event like any other.
    assert!([200, 409].contains(&status), "{entry}: {status}");
}

#[test]
fn a_year_driven_through_the_api_ends_in_the_events_of_a_simulation() {
    let server = Server::new();
    assert_eq!(server.post("admin", "/v1/resources:import", &inventory()).status, 200);
    for entry in scenario().as_array().unwrap() {
        server.advance(entry["at"].as_str().unwrap());
        act(&server, entry);
    }
    // What is due at the last instant itself is done when the clock leaves it.
    server.advance("2027-01-01T00:00:00Z");
    let mut events = server.events();
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    events.sort_by_key(|event| (text(event, "at"), text(event, "account"), text(event, "resource")));
    let expected = simulated().iter().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
    assert!(expected.len() > RESOURCES * 5, "{} events are no year", expected.len());
    assert_eq!(events.len(), expected.len());
    for (event, expected) in events.iter().zip(&expected) {
        assert_eq!(event, expected);
    }
}
