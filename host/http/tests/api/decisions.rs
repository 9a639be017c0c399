//! `/v1/approvals/{id}:approve` and `:reject`, and what comes of them.

use expect_test::expect;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::approval::ApprovalDecision;
use perennial_engine::approval::DecisionOutcome;
use perennial_engine::approval_parts::ApproverLabels;
use perennial_engine::preconditions::Preconditions;
use perennial_formats::event;
use perennial_store::Store;
use perennial_test_support::plugins;
use serde_json::Value;

use crate::approvals::careful;
use crate::approvals::event_lines;
use crate::approvals::id_of;
use crate::approvals::renew;
use crate::approvals::shown_fields;
use crate::harness;
use crate::harness::Server;

#[test]
fn an_approver_agrees_and_the_plan_is_carried_out() {
    let server = careful();
    let hash = renew(&server, "operator").json()["approval"]["plan"]["plan_hash"].clone();
    let body = serde_json::json!({ "plan_hash": hash, "reason": "as agreed" }).to_string();
    let approved = server.post("approver", "/v1/approvals/ecs-1~1:approve", &body);
    assert!(approved.headers.contains_key("etag"));
    let fields = [
        "approval/state",
        "approval/closed_at",
        "approval/decided_by",
        "approval/reason",
        "approval/plan/cost",
        "events/0/type",
        "events/1/balance",
        "events/2/expires_at",
        "resource/expires_at",
    ];
    expect![[r#"
        200 OK
        approval/state: "approved"
        approval/closed_at: "2026-01-01T00:00:00Z"
        approval/decided_by: "[approver]"
        approval/reason: "as agreed"
        approval/plan/cost: "99.00"
        events/0/type: "approval_decided"
        events/1/balance: "401.00"
        events/2/expires_at: "2026-02-28T15:59:59Z"
        resource/expires_at: "2026-02-28T15:59:59Z"
    "#]]
    .assert_eq(&shown_fields(&server, &approved, &fields));
    assert_eq!(approved.json()["approval"]["decided_by"], id_of(&server, "approver").as_str());
    assert_eq!(server.get("viewer", "/v1/attempts").json()["items"][0]["state"], "settled");
    let audit = server.get("admin", "/v1/audit?limit=1").json();
    assert_eq!(audit["items"][0]["operation"], "POST /v1/approvals/{id}:approve");
    assert_eq!(audit["items"][0]["resource"], "ecs-1");
    let twice = server.post("approver", "/v1/approvals/ecs-1~1:approve", "{}");
    expect![[r#"
        409 Conflict
        content-type: application/problem+json
        {
          "detail": "there is nothing to decide on any more: the approval `ecs-1~1` is approved",
          "status": 409,
          "title": "The state does not allow the request",
          "type": "urn:perennial:problem:conflict"
        }"#]]
    .assert_eq(&twice.shown());
    assert_eq!(server.get("viewer", "/v1/accounts/acme-hw").json()["balance"], "401.00");
}

#[test]
fn an_approver_disagrees_and_nothing_is_done() {
    let server = careful();
    renew(&server, "operator");
    let body = r#"{"reason": "it is to be replaced"}"#;
    let fields = [
        "approval/state",
        "approval/closed_at",
        "approval/decided_by",
        "approval/reason",
        "events/0/decision",
        "events/0/will_retry",
        "resource/expires_at",
        "resource/next_wake_at",
    ];
    expect![[r#"
        200 OK
        approval/state: "rejected"
        approval/closed_at: "2026-01-01T00:00:00Z"
        approval/decided_by: "[approver]"
        approval/reason: "it is to be replaced"
        events/0/decision: "rejected"
        events/0/will_retry: false
        resource/expires_at: "2026-01-31T15:59:59Z"
        resource/next_wake_at: "2026-01-23T19:00:00Z"
    "#]]
    .assert_eq(&shown_fields(
        &server,
        &server.post("approver", "/v1/approvals/ecs-1~1:reject", body),
        &fields,
    ));
    assert_eq!(server.get("viewer", "/v1/attempts").json()["items"][0]["state"], "void");
    assert_eq!(server.get("viewer", "/v1/accounts/acme-hw").json()["balance"], "500.00");
}

#[test]
fn nobody_decides_on_what_they_asked_for_themselves() {
    let server = careful();
    renew(&server, "admin");
    for verb in ["approve", "reject"] {
        let path = format!("/v1/approvals/ecs-1~1:{verb}");
        let own = server.post("admin", &path, "{}");
        if verb == "approve" {
            expect![[r#"
                403 Forbidden
                content-type: application/problem+json
                {
                  "detail": "whoever asked for an approval does not decide on it, nor does a token that they made; have somebody else do it",
                  "status": 403,
                  "title": "The requester of an approval cannot decide on it",
                  "type": "urn:perennial:problem:own-approval"
                }"#]]
            .assert_eq(&own.shown());
        }
        assert_eq!(own.status, 403);
        assert_eq!(server.post("operator", &path, "{}").status, 403);
    }
    assert_eq!(server.post("approver", "/v1/approvals/ecs-1~1:approve", "{}").status, 200);
}

#[test]
fn any_approver_decides_on_the_clocks_request_once_per_period() {
    let server = careful();
    server.advance("2026-01-26T00:00:00Z");
    let asked = server.get("viewer", "/v1/plans").json();
    assert_eq!(asked["items"][0]["requested_by"], Value::Null);
    assert_eq!(server.post("admin", "/v1/approvals/ecs-1~1:reject", r#"{"reason": "no"}"#).status, 200);
    server.advance("2026-02-02T00:00:00Z");
    expect![[r#"
        2026-01-23T19:00:00Z ecs-1 approval_requested approval=ecs-1~1 expires_at=2026-01-30T18:59:59Z
        2026-01-24T02:00:00Z bcc-1 notice
        2026-01-26T00:00:00Z ecs-1 approval_decided approval=ecs-1~1 decision=rejected reason=no will_retry=false
        2026-01-26T01:00:00Z ecs-1 notice
        2026-01-28T02:00:00Z bcc-1 notice
        2026-01-29T01:00:00Z ecs-1 notice
        2026-01-30T02:00:00Z bcc-1 notice
        2026-01-31T01:00:00Z ecs-1 notice
        2026-01-31T15:59:59Z ecs-1 stage_changed to=grace
        2026-01-31T15:59:59Z bcc-1 stage_changed to=retention
        2026-01-31T15:59:59Z bcc-1 setting_changed
    "#]].assert_eq(&event_lines(&server));
}

#[test]
fn what_nobody_decides_on_lapses_before_the_providers_last_try() {
    let server = careful();
    server.advance("2026-02-02T00:00:00Z");
    expect![[r#"
        2026-01-23T19:00:00Z ecs-1 approval_requested approval=ecs-1~1 expires_at=2026-01-30T18:59:59Z
        2026-01-24T02:00:00Z bcc-1 notice
        2026-01-26T01:00:00Z ecs-1 notice
        2026-01-28T02:00:00Z bcc-1 notice
        2026-01-29T01:00:00Z ecs-1 notice
        2026-01-30T02:00:00Z bcc-1 notice
        2026-01-30T18:59:59Z ecs-1 approval_expired approval=ecs-1~1 reason=undecided will_retry=false
        2026-01-31T01:00:00Z ecs-1 notice
        2026-01-31T15:59:59Z ecs-1 stage_changed to=grace
        2026-01-31T15:59:59Z bcc-1 stage_changed to=retention
        2026-01-31T15:59:59Z bcc-1 setting_changed
    "#]]
    .assert_eq(&event_lines(&server));
    let late = server.post("approver", "/v1/approvals/ecs-1~1:approve", "{}");
    assert_eq!((late.status.as_u16(), &late.json()["type"]), (409, &"urn:perennial:problem:conflict".into()));
}

#[test]
fn a_plan_that_changed_meanwhile_is_to_be_looked_at_again() {
    let server = careful();
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:cancel-auto-renew", "{}").status, 200);
    server.advance("2026-02-13T00:00:00Z");
    let held = renew(&server, "operator").json()["approval"].clone();
    server.advance("2026-02-16T00:00:00Z");
    let changed = server.post("approver", "/v1/approvals/ecs-1~1:approve", "{}");
    let fields = [
        "type",
        "detail",
        "plan_hash",
        "approval/state",
        "approval/expires_at",
        "approval/plan/at",
        "approval/plan/plan_hash",
        "events/0/type",
    ];
    expect![[r#"
        409 Conflict
        type: "urn:perennial:problem:plan-changed"
        detail: "the plan has changed; the approval now has the new one, look at it again"
        plan_hash: "[digest]"
        approval/state: "pending"
        approval/expires_at: "2026-02-20T00:00:00Z"
        approval/plan/at: "2026-02-16T00:00:00Z"
        approval/plan/plan_hash: "[digest]"
        events/0/type: "approval_requested"
    "#]]
    .assert_eq(&shown_fields(&server, &changed, &fields));
    let old = serde_json::json!({ "plan_hash": held["plan"]["plan_hash"] }).to_string();
    expect![[r#"
        409 Conflict
        content-type: application/problem+json
        {
          "detail": "the approval holds another plan than that, with the hash [digest]; look at it again",
          "plan_hash": "[digest]",
          "status": 409,
          "title": "The plan of the command has changed",
          "type": "urn:perennial:problem:plan-changed"
        }"#]]
    .assert_eq(&server.post("approver", "/v1/approvals/ecs-1~1:approve", &old).shown());
    let new = serde_json::json!({ "plan_hash": changed.json()["plan_hash"] }).to_string();
    assert_eq!(server.post("approver", "/v1/approvals/ecs-1~1:approve", &new).status, 200);
    expect![[r#"
        2026-01-01T00:00:00Z ecs-1 setting_changed
        2026-01-24T01:00:00Z ecs-1 notice
        2026-01-24T02:00:00Z bcc-1 notice
        2026-01-28T01:00:00Z ecs-1 notice
        2026-01-28T02:00:00Z bcc-1 notice
        2026-01-30T01:00:00Z ecs-1 notice
        2026-01-30T02:00:00Z bcc-1 notice
        2026-01-31T15:59:59Z ecs-1 stage_changed to=grace
        2026-01-31T15:59:59Z bcc-1 stage_changed to=retention
        2026-01-31T15:59:59Z bcc-1 setting_changed
        2026-02-06T15:59:59Z bcc-1 notice
        2026-02-07T15:59:59Z bcc-1 notice
        2026-02-07T15:59:59Z bcc-1 stage_changed to=released
        2026-02-13T00:00:00Z ecs-1 approval_requested approval=ecs-1~1 expires_at=2026-02-20T00:00:00Z
        2026-02-15T15:59:59Z ecs-1 stage_changed to=retention
        2026-02-16T00:00:00Z ecs-1 approval_requested approval=ecs-1~1 expires_at=2026-02-20T00:00:00Z
        2026-02-16T00:00:00Z ecs-1 approval_decided approval=ecs-1~1 decision=approved will_retry=false
        2026-02-16T00:00:00Z ecs-1 balance_changed reason=renewal amount=-99.00
        2026-02-16T00:00:00Z ecs-1 renewal_settled expires_at=2026-02-28T15:59:59Z
        2026-02-16T00:00:00Z ecs-1 stage_changed to=active
    "#]]
    .assert_eq(&event_lines(&server));
}

#[test]
fn what_cannot_be_paid_stays_open_until_somebody_pays_in() {
    let server = careful();
    let body = r#"{"term": {"count": 1, "unit": "year"}}"#;
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:renew", body).status, 202);
    let refused = server.post("approver", "/v1/approvals/ecs-1~1:approve", "{}");
    assert_eq!(refused.json()["type"], "urn:perennial:problem:command-refused");
    assert_eq!(refused.json()["approval"]["state"], "pending");
    assert_eq!(
        server.post("operator", "/v1/accounts/acme-hw:top-up", r#"{"amount": "1000.00"}"#).status,
        200
    );
    assert_eq!(server.post("approver", "/v1/approvals/ecs-1~1:approve", "{}").status, 200);
    assert_eq!(server.get("viewer", "/v1/accounts/acme-hw").json()["balance"], "312.00");
}

#[test]
fn an_idempotency_key_covers_what_is_held_and_what_is_decided() {
    let server = careful();
    let send = |token: &str, path: &str| server.send(token, "POST", path, &["idempotency-key: 1"], "{}");
    let held = send("operator", "/v1/resources/ecs-1:renew");
    let approved = send("approver", "/v1/approvals/ecs-1~1:approve");
    assert_eq!((held.status.as_u16(), approved.status.as_u16()), (202, 200));
    for (again, first) in [
        (send("operator", "/v1/resources/ecs-1:renew"), held),
        (send("approver", "/v1/approvals/ecs-1~1:approve"), approved),
    ] {
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        assert_eq!(again.headers["idempotency-replayed"], "true");
    }
    assert_eq!(server.get("viewer", "/v1/accounts/acme-hw").json()["balance"], "401.00", "paid once");
}

#[test]
fn a_decision_leaves_the_same_events_through_the_api_and_the_engine() {
    for is_yes in [true, false] {
        let server = careful();
        renew(&server, "operator");
        let verb = if is_yes { "approve" } else { "reject" };
        let path = format!("/v1/approvals/ecs-1~1:{verb}");
        assert_eq!(server.post("approver", &path, r#"{"reason": "so be it"}"#).status, 200);
        let (operator, approver) = (id_of(&server, "operator"), id_of(&server, "approver"));
        assert_eq!(server.events(), through_the_engine(&operator, &approver, is_yes), "{verb}");
    }
}

/// What the same leaves when the engine is told directly.
fn through_the_engine(asks: &str, decides: &str, is_yes: bool) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("test.db")).unwrap();
    let mut engine = Engine::new(store, plugins::bundled(), Retention::Everything);
    let inventory = harness::inventory();
    let at = harness::START.parse().unwrap();
    let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
    engine.import(at, &inventory.accounts, bundles).unwrap();
    let mut happened = engine.set_approval_above(at, "acme-hw", Some("50.00".parse().unwrap())).unwrap();
    let command = Command::Renew(Renewal { term: None, cause: Cause::Command, options: [].into() });
    let terms = Preconditions { requested_by: Some(asks), ..Preconditions::default() };
    happened.extend(engine.command_with_preconditions(at, None, "ecs-1", &command, &terms).unwrap().events);
    let decision = ApprovalDecision {
        decided_by: decides,
        reason: Some("so be it"),
        plan_hash: None,
        labels: ApproverLabels::All,
    };
    let verdict = match is_yes {
        true => engine.approve(at, "ecs-1~1", &decision),
        false => engine.reject(at, "ecs-1~1", &decision),
    };
    let Ok(DecisionOutcome::Recorded(decided)) = verdict else { panic!("{verdict:?}") };
    happened.extend(decided);
    let line = |recorded: &perennial_engine::persist::RecordedEvent| {
        event::line(recorded.account.as_deref(), &recorded.event)
    };
    happened.iter().map(|recorded| serde_json::from_str(&line(recorded)).unwrap()).collect()
}

#[test]
fn a_late_renewal_from_the_present_is_the_same_plan_a_minute_later() {
    let server = Server::new();
    let inventory = serde_json::json!({
        "accounts": [{
            "id": "late", "provider": "baidu", "currency": "CNY", "balance": "500.00",
            "settings": { "late_renewal_from": "renewal" },
        }],
        "resources": [{
            "id": "bcc-9", "account": "late", "kind": "bcc", "region": "bj", "charging": "prepaid",
            "started_at": "2025-11-30T02:00:00Z", "expires_at": "2025-12-30T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "50.00",
        }],
        "accept_expired": true,
    });
    assert_eq!(server.post("admin", "/v1/resources:import", &inventory.to_string()).status, 200);
    server.advance("2026-01-01T00:00:01Z");
    let renew = |body: &str| server.post("operator", "/v1/resources/bcc-9:renew", body);
    let dry = renew(r#"{"dry_run": true}"#).json()["plan"].clone();
    server.advance("2026-01-01T00:01:00Z");
    let later = renew(r#"{"dry_run": true}"#).json()["plan"].clone();
    assert_ne!(dry["steps"][0]["expires_at"], later["steps"][0]["expires_at"], "it counts from the present");
    assert_eq!(dry["plan_hash"], later["plan_hash"]);
    let limit = r#"{"approval_above": "0.00"}"#;
    assert_eq!(server.send("admin", "PATCH", "/v1/accounts/late", &[], limit).status, 200);
    assert_eq!(renew(&serde_json::json!({ "plan_hash": dry["plan_hash"] }).to_string()).status, 202);
    server.advance("2026-01-02T00:00:00Z");
    let approved = server.post("approver", "/v1/approvals/bcc-9~1:approve", "{}");
    assert_eq!(approved.status, 200, "{}", approved.body);
}

#[test]
fn a_forecast_counts_on_nobodys_approval() {
    let server = careful();
    renew(&server, "operator");
    let before = server.get("viewer", "/v1/approvals").body;
    let forecast = server.get("viewer", "/v1/forecast?months=2&format=csv");
    assert_eq!(forecast.status, 200);
    assert!(!forecast.body.contains("ecs-1"), "{}", forecast.body);
    assert_eq!(server.get("viewer", "/v1/approvals").body, before, "it is a copy that lapsed");
    for (admin, status) in [("admin", 202), ("bound-admin", 200)] {
        let lifted = server.send(admin, "PATCH", "/v1/accounts/acme-hw", &[], r#"{"approval_above": null}"#);
        assert_eq!(lifted.status, status);
    }
    let forecast = server.get("viewer", "/v1/forecast?months=2&format=csv");
    assert!(forecast.body.contains("ecs-1"), "{}", forecast.body);
}
