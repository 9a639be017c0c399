//! A database of schema 3 goes on after its migration like one that was made new from the same requests.

use std::path::Path;

use serde_json::Value;
use serde_json::json;

use crate::harness::Server;

const OLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/schema-3/year.db");
const INPUTS: &str = include_str!("../../../../tests/fixtures/schema-3/inputs.json");
/// When the old database was last written to.
const STOPPED: &str = "2026-12-30T00:00:00Z";
/// An account whose plugin is not loaded, so that no new database can have it.
const WITHOUT_PLUGIN: &str = "outpost";

/// The database that the requests lead to when it is made new.
fn made_new() -> Server {
    let server = Server::new();
    let inputs = serde_json::from_str::<Vec<Value>>(INPUTS).unwrap();
    for input in &inputs {
        if let Some(at) = input["advance"].as_str() {
            server.advance(at);
            continue;
        }
        let token = match input["token"].as_str().unwrap() {
            "ops" => "admin",
            "desk" => "approver",
            "portal" => "operator",
            other => panic!("no token is called `{other}`"),
        };
        let (method, path) = (input["method"].as_str().unwrap(), input["path"].as_str().unwrap());
        let answer = server.send(token, method, path, &[], &input["body"].to_string());
        assert_eq!(u64::from(answer.status.as_u16()), input["status"], "{input}: {}", answer.body);
        if path == "/v1/jobs" {
            let job = answer.json()["id"].as_str().unwrap().to_owned();
            server.until(&format!("/v1/jobs/{job}"), |job| job["state"] != "running");
        }
    }
    server
}

/// What the rules have changed since the old database was written: the amounts of refunds, and so every balance after
/// one.
const OF_LATER_RULES: [&str; 5] = ["balance", "available", "refund", "refunds", "message"];

/// The same without what the rules have changed since.
fn without_later_rules(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            let is_refund = fields.get("reason").is_some_and(|reason| reason == "refund");
            fields.retain(|name, _| {
                !OF_LATER_RULES.contains(&name.as_str()) && !(is_refund && name == "amount")
            });
            fields.values_mut().for_each(|field| *field = without_later_rules(field.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_later_rules(item.take())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    value
}

/// The events of a database, but for those of the account that only one has, and without the ids of tokens. Owners are
/// told of an expiry on other days since.
fn events(server: &Server) -> Vec<Value> {
    let mut events = server.events();
    events.retain(|event| event["account"] != WITHOUT_PLUGIN && event["notice"] != "expires-soon");
    for event in &mut events {
        for field in ["requested_by", "decided_by"] {
            if event[field].is_string() {
                event[field] = json!("[token]");
            }
        }
    }
    events.into_iter().map(without_later_rules).collect()
}

/// What a list has, but for what is of the account that only one has.
fn list(server: &Server, path: &str) -> Vec<Value> {
    let page = server.get("admin", &format!("{path}?limit=1000")).json();
    let items = page["items"].as_array().unwrap().iter();
    let is_of_both = |item: &&Value| item["account"] != WITHOUT_PLUGIN && item["id"] != WITHOUT_PLUGIN;
    items.filter(is_of_both).cloned().map(without_later_rules).collect()
}

#[test]
fn a_migrated_database_goes_on_like_one_made_new() {
    let (migrated, new) = (Server::on_copy_of(Path::new(OLD), STOPPED), made_new());
    let before = events(&new);
    assert!(before.len() > 700, "{} events are no year", before.len());
    assert_eq!(events(&migrated), before);
    for until in ["2027-01-20T12:00:00Z", "2027-03-01T00:00:00Z", "2027-07-01T00:00:00Z"] {
        for server in [&migrated, &new] {
            server.advance(until);
            let top_up =
                server.post("operator", "/v1/accounts/osier-clinic:top-up", r#"{"amount":"100.00"}"#);
            assert_eq!(top_up.status, 200, "{}", top_up.body);
        }
    }
    let after = events(&new);
    assert!(after.len() > before.len() + 20, "{} events came after", after.len() - before.len());
    assert_eq!(events(&migrated), after);
    for path in ["/v1/accounts", "/v1/resources", "/v1/attempts", "/v1/packages"] {
        assert_eq!(list(&migrated, path), list(&new, path), "{path}");
    }
    assert_eq!(migrated.get("admin", "/v1/webhooks").json()["items"].as_array().unwrap().len(), 4);
}

#[test]
fn a_host_that_starts_again_on_the_new_schema_goes_on() {
    let server = Server::on_copy_of(Path::new(OLD), STOPPED).restarted();
    let pending = server.get("viewer", "/v1/approvals?state=pending").json();
    let pending = pending["items"].as_array().unwrap().iter();
    let pending = pending.map(|approval| approval["id"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(pending, ["lark-search~2", "osier-records~1"]);
    // Another release has another build of the plugin, whose plan is looked at again before it is approved.
    let approve = || server.post("approver", "/v1/approvals/lark-search~2:approve", "{}");
    assert_eq!(approve().json()["type"], "urn:perennial:problem:plan-changed");
    let approved = approve();
    assert_eq!(approved.status, 200, "{}", approved.body);
    assert_eq!(approved.json()["approval"]["state"], "approved");
}
