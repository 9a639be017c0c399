//! A database of schema 3 goes on after its migration like one that was made new from the same requests.

use std::path::Path;

use expect_test::expect;
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

/// What depends on the amounts of earlier refunds, which the rules count otherwise since: balances, and the messages that
/// name them.
const OF_EARLIER_REFUNDS: [&str; 3] = ["balance", "available", "message"];

/// The same without what depends on the amounts of earlier refunds.
fn without_balances(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.retain(|name, _| !OF_EARLIER_REFUNDS.contains(&name.as_str()));
            fields.values_mut().for_each(|field| *field = without_balances(field.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_balances(item.take())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    value
}

/// The events of a database, but for those of the account that only one has, and without the ids of tokens.
fn events(server: &Server) -> Vec<Value> {
    let mut events = server.events();
    events.retain(|event| event["account"] != WITHOUT_PLUGIN);
    for event in &mut events {
        for field in ["requested_by", "decided_by"] {
            if event[field].is_string() {
                event[field] = json!("[token]");
            }
        }
    }
    events.into_iter().map(without_balances).collect()
}

/// What the old release wrote down and this one does not, and the other way round, a line each.
fn differences(old: &[Value], new: &[Value]) -> String {
    let line = |sign: &str, event: &Value| {
        let mut fields = event.as_object().unwrap().clone();
        let mut take = |name: &str| fields.remove(name).map(|field| field.as_str().unwrap().to_owned());
        let (at, resource, kind) = (take("at").unwrap(), take("resource").unwrap(), take("type").unwrap());
        take("account");
        format!("{sign} {at} {resource} {kind} {}\n", Value::Object(fields))
    };
    let gone = old.iter().filter(|event| !new.contains(event)).map(|event| line("-", event));
    let come = new.iter().filter(|event| !old.contains(event)).map(|event| line("+", event));
    gone.chain(come).collect()
}

/// The events in the order of their instants and, within one, of their texts.
fn in_order(events: &[Value]) -> Vec<(String, String)> {
    let key = |event: &Value| (event["at"].as_str().unwrap().to_owned(), event.to_string());
    let mut events = events.iter().map(key).collect::<Vec<_>>();
    events.sort_unstable();
    events
}

/// What a list has, but for what is of the account that only one has.
fn list(server: &Server, path: &str) -> Vec<Value> {
    let page = server.get("admin", &format!("{path}?limit=1000")).json();
    let items = page["items"].as_array().unwrap().iter();
    let is_of_both = |item: &&Value| item["account"] != WITHOUT_PLUGIN && item["id"] != WITHOUT_PLUGIN;
    items.filter(is_of_both).cloned().map(without_balances).collect()
}

#[test]
fn a_migrated_database_goes_on_like_one_made_new() {
    let (migrated, new) = (Server::on_copy_of(Path::new(OLD), STOPPED), made_new());
    let before = events(&new);
    assert!(before.len() > 800, "{} events are no year", before.len());
    let old = events(&migrated);
    // The rules have changed since the old database was written: what a purchase gives back (it runs from its own start),
    // the refusal of a renewal of what is gone, and the days on which owners are told. Nothing else has.
    expect![[r#"
        - 2026-03-05T01:00:00Z lark-staging notice {"notice":"expires-soon"}
        - 2026-03-09T01:00:00Z lark-staging notice {"notice":"expires-soon"}
        - 2026-03-11T01:00:00Z lark-staging notice {"notice":"expires-soon"}
        - 2026-04-08T01:00:00Z tide-tournament notice {"notice":"expires-soon"}
        - 2026-04-14T01:00:00Z tide-tournament notice {"notice":"expires-soon"}
        - 2026-05-06T09:00:00Z tide-cache unsubscribed {"expires_at":null,"original_order":"purchase/tide-cache","refund":"596.71","refunds":[{"amount":"596.71","order":"purchase/tide-cache"}],"scope":"all"}
        - 2026-05-06T09:00:00Z tide-cache balance_changed {"amount":"596.71","reason":"refund"}
        - 2026-09-14T02:00:00Z kest-gps unsubscribed {"expires_at":null,"original_order":"purchase/kest-gps","refund":"84.82","refunds":[{"amount":"84.82","order":"purchase/kest-gps"}],"scope":"all"}
        - 2026-09-14T02:00:00Z kest-gps balance_changed {"amount":"84.82","reason":"refund"}
        - 2026-09-28T01:00:00Z osier-app approval_expired {"approval":"osier-app~1","reason":"undecided","will_retry":true}
        - 2026-10-03T01:00:00Z meri-gpu notice {"notice":"expires-soon"}
        - 2026-10-07T01:00:00Z meri-gpu notice {"notice":"expires-soon"}
        - 2026-10-09T01:00:00Z meri-gpu notice {"notice":"expires-soon"}
        - 2026-11-26T06:00:00Z tide-legacy command_refused {"code":"CBC.99003631","command":"renew"}
        + 2026-02-25T01:00:00Z lark-staging notice {"notice":"expires-soon"}
        + 2026-05-06T09:00:00Z tide-cache unsubscribed {"expires_at":null,"original_order":"purchase/tide-cache","refund":"595.08","refunds":[{"amount":"595.08","order":"purchase/tide-cache"}],"scope":"all"}
        + 2026-05-06T09:00:00Z tide-cache balance_changed {"amount":"595.08","reason":"refund"}
        + 2026-06-03T01:00:00Z lark-cdn notice {"notice":"expires-soon"}
        + 2026-07-31T01:00:00Z tide-arena notice {"notice":"expires-soon"}
        + 2026-09-14T02:00:00Z kest-gps unsubscribed {"expires_at":null,"original_order":"purchase/kest-gps","refund":"84.59","refunds":[{"amount":"84.59","order":"purchase/kest-gps"}],"scope":"all"}
        + 2026-09-14T02:00:00Z kest-gps balance_changed {"amount":"84.59","reason":"refund"}
        + 2026-09-28T01:00:00Z osier-app approval_expired {"approval":"osier-app~1","reason":"undecided","will_retry":false}
        + 2026-11-03T01:00:00Z lark-cdn notice {"notice":"expires-soon"}
        + 2026-11-26T06:00:00Z tide-legacy command_refused {"code":"CBC.99003016","command":"renew"}
    "#]].assert_eq(&differences(&old, &before));
    let kept = |one: &[Value], other: &[Value]| {
        one.iter().filter(|event| other.contains(event)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(in_order(&kept(&old, &before)), in_order(&kept(&before, &old)));
    for until in ["2027-01-20T12:00:00Z", "2027-03-01T00:00:00Z", "2027-07-01T00:00:00Z"] {
        for server in [&migrated, &new] {
            server.advance(until);
            let top_up =
                server.post("operator", "/v1/accounts/osier-clinic:top-up", r#"{"amount":"100.00"}"#);
            assert_eq!(top_up.status, 200, "{}", top_up.body);
        }
    }
    let after = events(&new);
    assert!(after.len() > before.len() + 50, "{} events came after", after.len() - before.len());
    // The new rules are asked about every bundle of the old database at the first tick; so events are compared in the order
    // of their instants, not of their rows.
    assert_eq!(in_order(&events(&migrated)[old.len()..]), in_order(&after[before.len()..]));
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
