//! `/v1/resources/{id}:…`.

use expect_test::expect;
use perennial::engine::Engine;
use perennial::engine::Keep;
use perennial::formats::event;
use perennial::store::Store;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_domain::plan::Scope;
use serde_json::Value;

use crate::harness;
use crate::harness::Server;

#[test]
fn a_dry_run_shows_the_priced_plan_and_changes_nothing() {
    let server = Server::furnished();
    let before = server.get("viewer", "/v1/resources/ecs-1");
    let body = r#"{"term": {"count": 1, "unit": "year"}, "dry_run": true}"#;
    expect![[""]].assert_eq(&server.post("operator", "/v1/resources/ecs-1:renew", body).shown());
    assert_eq!(server.get("viewer", "/v1/resources/ecs-1"), before);
    assert_eq!(server.events(), Vec::<Value>::new());
}

#[test]
fn a_command_is_carried_out_as_planned() {
    let server = Server::furnished();
    let plan = server.post("operator", "/v1/resources/ecs-1:renew", r#"{"dry_run": true}"#).json();
    let hash = plan["plan"]["plan_hash"].as_str().unwrap();
    let body = serde_json::json!({ "plan_hash": hash }).to_string();
    expect![[""]].assert_eq(&server.post("operator", "/v1/resources/ecs-1:renew", &body).shown());
}

#[test]
fn a_plan_that_changed_is_not_carried_out() {
    let server = Server::furnished();
    let plan = || server.post("operator", "/v1/resources/ecs-1:renew", r#"{"dry_run": true}"#).json()["plan"].clone();
    let hash = plan()["plan_hash"].clone();
    assert_eq!(server.post("operator", "/v1/accounts/acme-hw:top-up", r#"{"amount": "1.00"}"#).status, 200);
    let body = serde_json::json!({ "plan_hash": hash }).to_string();
    expect![[""]].assert_eq(&server.post("operator", "/v1/resources/ecs-1:renew", &body).shown());
    assert_ne!(plan()["plan_hash"], hash);
    assert_eq!(server.events().len(), 1, "only the top-up happened");
}

#[test]
fn a_refusal_is_a_conflict_and_an_event() {
    let server = Server::furnished();
    let body = r#"{"term": {"count": 3, "unit": "year"}}"#;
    expect![[""]].assert_eq(&server.post("operator", "/v1/resources/ecs-1:renew", body).shown());
    assert_eq!(server.events().last().unwrap()["type"], "command_refused");
}

#[test]
fn a_command_through_the_api_leaves_the_events_that_it_leaves_through_the_engine() {
    let renew = |options: &[(&str, &str)]| {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Command::Renew(Renewal { term: None, cause: Cause::Command, options })
    };
    let cases = [
        ("ecs-1", "renew", "{}", renew(&[])),
        ("bcc-1", "renew", r#"{"options": {"relatedRenewFlag": "CDS"}}"#, renew(&[("relatedRenewFlag", "CDS")])),
        ("ecs-1", "cancel-auto-renew", "{}", Command::CancelAutoRenew),
        ("ecs-1", "convert-on-expiry", "{}", Command::ConvertOnExpiry),
        ("ecs-1", "cancel-conversion", "{}", Command::CancelConversion),
        ("ecs-1", "unsubscribe", r#"{"scope": "all"}"#, Command::Unsubscribe(Scope::All)),
        ("none", "renew", "{}", renew(&[])),
    ];
    for (resource, verb, body, command) in cases {
        let server = Server::furnished();
        let inventory = server.get("admin", "/v1/resources").json();
        let status = server.post("operator", &format!("/v1/resources/{resource}:{verb}"), body).status;
        if resource == "none" {
            assert_eq!(status, 404);
            assert_eq!(server.events(), Vec::<Value>::new());
            continue;
        }
        assert_eq!(server.events(), through_the_engine(&inventory, resource, &command), "{resource} {verb}");
    }
}

/// What a command leaves when the engine is told directly.
fn through_the_engine(listed: &Value, resource: &str, command: &Command) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("test.db")).unwrap();
    let mut engine = Engine::new(store, harness::providers(), Keep::Everything);
    let inventory = harness::inventory();
    let at = harness::START.parse().unwrap();
    let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
    engine.import(at, &inventory.accounts, bundles).unwrap();
    let members = inventory.bundles.iter().map(|imported| imported.bundle.members.len()).sum::<usize>();
    assert_eq!(listed["items"].as_array().unwrap().len(), members, "both begin with the same resources");
    let answer = engine.command(at, None, resource, command).unwrap();
    let line = |recorded: &perennial::engine::write::Recorded| event::line(recorded.account.as_deref(), &recorded.event);
    answer.happened.iter().map(|recorded| serde_json::from_str(&line(recorded)).unwrap()).collect()
}
