//! `perennial approvals`.

use std::collections::BTreeMap;

use expect_test::expect;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::approval::ApprovalDecision;
use perennial_engine::approval_parts::ApproverLabels;
use perennial_engine::preconditions::Preconditions;
use perennial_store::Store;
use serde_json::Value;

use crate::support::Folder;

/// A database in which renewals of the far future are held, and an engine over it; whatever time it is, they still wait.
fn held(folder: &Folder, name: &str) -> Engine {
    let account = r#"{ "id": "acme", "provider": "huawei", "currency": "CNY", "balance": "150.00", "approval_above": "50.00" }"#;
    let resource = |id: &str| {
        serde_json::json!({
            "id": id, "account": "acme", "kind": "ecs", "region": "r", "charging": "prepaid",
            "started_at": "2998-12-31T02:00:00Z", "expires_at": "2999-01-31T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "99.00",
        })
    };
    let resources = serde_json::json!([resource("ecs-1"), resource("ecs-2"), resource("ecs-3")]);
    let providers = folder.providers();
    let inventory = folder
        .read_inventory(&format!(r#"{{ "accounts": [{account}], "resources": {resources} }}"#), &providers);
    let at = "2999-01-01T00:00:00Z".parse().unwrap();
    let mut engine =
        Engine::new(Store::scratch(&folder.path(name)).unwrap(), providers, Retention::Everything);
    let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
    engine.import(at, &inventory.accounts, bundles).unwrap();
    engine.run_to(at, &mut |_, _| {}).unwrap();
    let renew = Command::Renew(Renewal { term: None, cause: Cause::Command, options: BTreeMap::new() });
    for (resource, token) in [("ecs-1", "0a1b2c3d4e5f"), ("ecs-2", "0a1b2c3d4e5f"), ("ecs-3", "cli")] {
        let terms = Preconditions { requested_by: Some(token), ..Preconditions::default() };
        engine.command_with_preconditions(at, None, resource, &renew, &terms).unwrap();
    }
    engine
}

/// What happened, one event a line, but for when.
fn timeless(lines: &str) -> Vec<String> {
    let line = |line: &str| {
        let mut event = serde_json::from_str::<Value>(line).unwrap();
        event["at"] = Value::Null;
        event.to_string()
    };
    lines.lines().map(line).collect()
}

#[test]
fn held_plans_are_listed_and_decided_on() {
    let folder = Folder::new();
    drop(held(&folder, "perennial.db"));
    expect![[r#"
        id       state    account  resource  cause         cost  expires               requested by  required by
        ecs-1~1  pending  acme     ecs-1     command  99.00 CNY  2999-01-08 00:00 UTC  0a1b2c3d4e5f  approval_above
        ecs-2~1  pending  acme     ecs-2     command  99.00 CNY  2999-01-08 00:00 UTC  0a1b2c3d4e5f  approval_above
        ecs-3~1  pending  acme     ecs-3     command  99.00 CNY  2999-01-08 00:00 UTC  cli           approval_above
    "#]]
    .assert_eq(&folder.run(&["approvals", "list"]).succeeded().stdout());
    let approved = folder
        .run(&["approvals", "approve", "ecs-1~1", "--yes", "--reason", "as agreed"])
        .succeeded()
        .stdout();
    let (plan, events) = approved.split_at(approved.find("ecs-1~1 approved").unwrap());
    assert!(plan.contains("extend"), "what is approved of is shown first: {plan}");
    let words = events.lines().map(|line| line.split_once(" UTC  ").map_or(line, |(_, words)| words));
    let words = words.collect::<Vec<_>>();
    expect![[r#"
        ecs-1~1 approved by cli: as agreed
        ecs-1  renewal: balance -99.00 to 51.00 CNY
        ecs-1  renewed by command for 1 month at 99.00 CNY, from 2999-01-31 15:59 UTC to 2999-02-28 15:59 UTC"#]]
    .assert_eq(&words.join("\n"));
    folder.run(&["approvals", "reject", "ecs-2~1", "--yes"]).succeeded();
    for (words, code, told) in [
        (
            ["approvals", "approve", "ecs-2~1", "--yes"],
            1,
            "there is nothing to decide on any more: the approval `ecs-2~1` is rejected",
        ),
        (
            ["approvals", "approve", "ecs-3~1", "--yes"],
            1,
            "whoever asked for an approval does not decide on it",
        ),
        (["approvals", "approve", "ecs-9~1", "--yes"], 2, "there is no approval `ecs-9~1`"),
        (["approvals", "approve", "ecs-3~1", "--dry-run"], 3, ""),
        (
            ["approvals", "list", "--limit=5", "--state=held"],
            2,
            "there is no such state; there are pending, approved",
        ),
    ] {
        let ran = folder.run(&words);
        assert_eq!(ran.code(), code, "{words:?}: {}", ran.stderr());
        assert!(ran.stderr().contains(told), "{words:?}: {}", ran.stderr());
    }
    let open = folder.run(&["approvals", "list", "--state", "pending"]).succeeded().stdout();
    assert_eq!(open.lines().count(), 2, "{open}");

    let mut engine = held(&folder, "twin.db");
    let at = "2999-01-01T00:00:00Z".parse().unwrap();
    let decision =
        |reason| ApprovalDecision { decided_by: "cli", reason, plan_hash: None, labels: ApproverLabels::All };
    engine.approve(at, "ecs-1~1", &decision(Some("as agreed"))).unwrap();
    engine.reject(at, "ecs-2~1", &decision(None)).unwrap();
    drop(engine);
    let events = |db: &str| {
        let ran = folder.run(&["--db", db, "events", "--format", "jsonl"]).succeeded();
        let mut events = timeless(&ran.stdout());
        events.sort();
        events
    };
    assert_eq!(events("perennial.db"), events("twin.db"), "the same as through the engine");
}

#[test]
fn what_cannot_be_paid_stays_held() {
    let folder = Folder::new();
    drop(held(&folder, "perennial.db"));
    folder.run(&["approvals", "approve", "ecs-1~1", "--yes"]).succeeded();
    let ran = folder.run(&["approvals", "approve", "ecs-2~1", "--yes"]);
    assert_eq!(ran.code(), 1);
    assert!(ran.stderr().contains("The command is refused: CBC.30050006"), "{}", ran.stderr());
    assert!(folder.run(&["approvals", "list", "--state=pending"]).succeeded().stdout().contains("ecs-2~1"));
}
