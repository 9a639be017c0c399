//! `/v1/resources/{id}:…`.

use expect_test::expect;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_domain::plan::Scope;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_formats::event;
use perennial_store::Store;
use perennial_test_support::plugins;
use serde_json::Value;

use crate::harness;
use crate::harness::Server;

#[test]
fn a_dry_run_shows_the_priced_plan_and_changes_nothing() {
    let server = Server::furnished();
    let before = server.get("viewer", "/v1/resources/ecs-1");
    let body = r#"{"term": {"count": 1, "unit": "year"}, "dry_run": true}"#;
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "events": [],
          "plan": {
            "account": "acme-hw",
            "at": "2026-01-01T00:00:00Z",
            "balance_after": "500.00",
            "balance_before": "500.00",
            "command": "renew",
            "cost": "1188.00",
            "currency": "CNY",
            "needs_approval": false,
            "plan_hash": "[digest]",
            "refund": "0.00",
            "refusal": {
              "code": "CBC.30050006",
              "message": "the payment failed: the balance does not suffice; top up the account: 1188.00 CNY needed, 500.00 available"
            },
            "resource": "ecs-1",
            "revision": "[digest]",
            "skipped": [],
            "steps": [
              {
                "cost": "1188.00",
                "details": {},
                "expires_at": "2027-01-31T15:59:59Z",
                "expires_before": "2026-01-31T15:59:59Z",
                "extra_days": 0,
                "operation": "extend",
                "refund": "0.00",
                "resource": "ecs-1",
                "term": {
                  "count": 1,
                  "unit": "year"
                }
              }
            ]
          },
          "resource": null
        }"#]].assert_eq(&server.post("operator", "/v1/resources/ecs-1:renew", body).shown());
    assert_eq!(server.get("viewer", "/v1/resources/ecs-1"), before);
    assert_eq!(server.events(), Vec::<Value>::new());
}

#[test]
fn a_command_is_carried_out_as_planned() {
    let server = Server::furnished();
    let plan = server.post("operator", "/v1/resources/ecs-1:renew", r#"{"dry_run": true}"#).json();
    let hash = plan["plan"]["plan_hash"].as_str().unwrap();
    let body = serde_json::json!({ "plan_hash": hash }).to_string();
    expect![[r#"
        200 OK
        content-type: application/json
        etag: "441f3c028a79265ed6cd3f441f1cfabd"
        {
          "events": [
            {
              "account": "acme-hw",
              "amount": "-99.00",
              "at": "2026-01-01T00:00:00Z",
              "balance": "401.00",
              "reason": "renewal",
              "resource": "ecs-1",
              "type": "balance_changed"
            },
            {
              "account": "acme-hw",
              "at": "2026-01-01T00:00:00Z",
              "attempt": "ecs-1/2026-01-31T15:59:59Z/1month",
              "cause": "command",
              "cost": "99.00",
              "expires_at": "2026-02-28T15:59:59Z",
              "expires_before": "2026-01-31T15:59:59Z",
              "extra_days": 0,
              "primary": null,
              "resource": "ecs-1",
              "term": {
                "count": 1,
                "unit": "month"
              },
              "type": "renewal_settled"
            }
          ],
          "plan": null,
          "resource": {
            "account": "acme-hw",
            "anchor_day": 31,
            "attached_to": null,
            "attributes": {},
            "charging": "prepaid",
            "currency": "CNY",
            "expires_at": "2026-02-28T15:59:59Z",
            "id": "ecs-1",
            "kind": "ecs",
            "next_wake_at": "2026-02-20T19:00:00Z",
            "on_expiry": "renew",
            "package": null,
            "price": "99.00",
            "problem": null,
            "provider": "huawei",
            "region": "cn-north-4",
            "renewal_term": null,
            "renewals_left": null,
            "stage": "active",
            "started_at": "2025-12-31T02:00:00Z",
            "tags": {
              "env": "prod"
            },
            "term": {
              "count": 1,
              "unit": "month"
            }
          }
        }"#]]
    .assert_eq(&server.post("operator", "/v1/resources/ecs-1:renew", &body).shown());
}

#[test]
fn a_plan_that_changed_is_not_carried_out() {
    let server = Server::furnished();
    let plan = || {
        server.post("operator", "/v1/resources/ecs-1:renew", r#"{"dry_run": true}"#).json()["plan"].clone()
    };
    let hash = plan()["plan_hash"].clone();
    assert_eq!(server.post("operator", "/v1/accounts/acme-hw:top-up", r#"{"amount": "1.00"}"#).status, 200);
    let body = serde_json::json!({ "plan_hash": hash }).to_string();
    expect![[r#"
        409 Conflict
        content-type: application/problem+json
        {
          "detail": "its plan is no longer what it was; look at it again with a dry run",
          "plan_hash": "[digest]",
          "status": 409,
          "title": "The plan of the command has changed",
          "type": "urn:perennial:problem:plan-changed"
        }"#]]
    .assert_eq(&server.post("operator", "/v1/resources/ecs-1:renew", &body).shown());
    assert_ne!(plan()["plan_hash"], hash);
    assert_eq!(server.events().len(), 1, "only the top-up happened");
}

#[test]
fn a_refusal_is_a_conflict_and_an_event() {
    let server = Server::furnished();
    let body = r#"{"term": {"count": 3, "unit": "year"}}"#;
    expect![[r#"
        409 Conflict
        content-type: application/problem+json
        {
          "detail": "CBC.30050006: the payment failed: the balance does not suffice; top up the account: 3564.00 CNY needed, 500.00 available",
          "events": [
            {
              "account": "acme-hw",
              "at": "2026-01-01T00:00:00Z",
              "class": "money",
              "code": "CBC.30050006",
              "message": "the payment failed: the balance does not suffice; top up the account: 3564.00 CNY needed, 500.00 available",
              "next_try_at": null,
              "resource": "ecs-1",
              "type": "renewal_declined"
            },
            {
              "account": "acme-hw",
              "at": "2026-01-01T00:00:00Z",
              "code": "CBC.30050006",
              "command": "renew",
              "message": "the payment failed: the balance does not suffice; top up the account: 3564.00 CNY needed, 500.00 available",
              "resource": "ecs-1",
              "type": "command_refused"
            }
          ],
          "refusal": {
            "code": "CBC.30050006",
            "message": "the payment failed: the balance does not suffice; top up the account: 3564.00 CNY needed, 500.00 available"
          },
          "status": 409,
          "title": "The command is refused",
          "type": "urn:perennial:problem:command-refused"
        }"#]].assert_eq(&server.post("operator", "/v1/resources/ecs-1:renew", body).shown());
    assert_eq!(server.events().last().unwrap()["type"], "command_refused");
}

#[test]
fn a_command_leaves_the_same_events_through_the_api_and_the_engine() {
    let renew = |options: &[(&str, &str)]| {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Command::Renew(Renewal { term: None, cause: Cause::Command, options })
    };
    let cases = [
        ("ecs-1", "renew", "{}", renew(&[])),
        (
            "bcc-1",
            "renew",
            r#"{"options": {"relatedRenewFlag": "CDS"}}"#,
            renew(&[("relatedRenewFlag", "CDS")]),
        ),
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
    let mut engine = Engine::new(store, plugins::bundled(), Retention::Everything);
    let inventory = harness::inventory();
    let at = harness::START.parse().unwrap();
    let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
    engine.import(at, &inventory.accounts, bundles).unwrap();
    let members = inventory.bundles.iter().map(|imported| imported.bundle.members.len()).sum::<usize>();
    assert_eq!(listed["items"].as_array().unwrap().len(), members, "both begin with the same resources");
    let answer = engine.command(at, None, resource, command).unwrap();
    let line = |recorded: &perennial_engine::persist::RecordedEvent| {
        event::line(recorded.account.as_deref(), &recorded.event)
    };
    answer.events.iter().map(|recorded| serde_json::from_str(&line(recorded)).unwrap()).collect()
}
