//! The command line, as people and scripts use it: what each command does, and what it says of each wrong input.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use expect_test::expect;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Renewal;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::approval::ApprovalDecision;
use perennial_engine::command::Preconditions;
use perennial_store::ReadTx;
use perennial_store::Store;
use serde_json::Value;

use crate::support::Folder;

const INVENTORY: &str = r#"{
  "accounts": [
    { "id": "acme-hw", "provider": "huawei", "mode": "managed", "currency": "CNY", "balance": "260.00",
      "settings": { "site": "intl" } },
    { "id": "acme-bd", "provider": "baidu", "mode": "managed", "currency": "CNY", "balance": "5.00" }
  ],
  "resources": [
    { "id": "ecs-1", "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
      "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z", "anchor_day": 31,
      "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew" },
    { "id": "evs-1", "account": "acme-hw", "kind": "evs", "region": "cn-north-4", "charging": "prepaid",
      "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z", "anchor_day": 31,
      "term": { "count": 1, "unit": "month" }, "price": "10.00", "on_expiry": "renew", "attached_to": "ecs-1" },
    { "id": "pkg-1", "account": "acme-hw", "kind": "package", "region": "cn-north-4", "charging": "prepaid",
      "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
      "term": { "count": 1, "unit": "month" }, "price": "20.00",
      "quota": "10.0", "used": "0.0", "unit": "vCPU-hour", "resource_type": "cci" },
    { "id": "rds-1", "account": "acme-hw", "kind": "rds", "region": "cn-north-4", "charging": "prepaid",
      "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-02-05T15:59:59Z",
      "term": { "count": 1, "unit": "month" }, "price": "30.00", "on_expiry": "convert" },
    { "id": "bcc-1", "account": "acme-bd", "kind": "bcc", "region": "bj", "charging": "prepaid",
      "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-25T04:00:00Z",
      "term": { "count": 1, "unit": "month" }, "price": "60.00", "on_expiry": "renew" }
  ]
}"#;

const SCENARIO: &str = r#"[
  { "at": "2026-01-12T00:00:00Z", "do": "use", "account": "acme-hw", "resource_type": "cci", "amount": "8.5" },
  { "at": "2026-01-13T00:00:00Z", "do": "use", "account": "acme-hw", "resource_type": "cci", "amount": "12.5" },
  { "at": "2026-01-14T00:00:00Z", "do": "set_attribute", "resource": "bcc-1", "name": "status", "value": "scaling" },
  { "at": "2026-01-15T00:00:00Z", "do": "command", "resource": "evs-1",
    "command": { "renew": { "term": { "count": 1, "unit": "month" } } } },
  { "at": "2026-01-16T00:00:00Z", "do": "command", "resource": "pkg-1",
    "command": { "buy_again": { "pay_at": null, "effective_at": null } } },
  { "at": "2026-01-17T00:00:00Z", "do": "top_up", "account": "acme-hw", "amount": "500.00" },
  { "at": "2026-01-18T00:00:00Z", "do": "outage", "until": "2026-01-20T12:00:00Z" },
  { "at": "2026-02-01T00:00:00Z", "do": "command", "resource": "ecs-1", "command": { "unsubscribe": { "scope": "all" } } }
]"#;

const WINDOW: [&str; 4] = ["--from", "2026-01-10T00:00:00Z", "--until", "2026-03-10T00:00:00Z"];

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("inventory.json", INVENTORY);
    folder.write("scenario.json", SCENARIO);
    folder
}

fn simulate<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["simulate", "--inventory", "inventory.json", "--scenario", "scenario.json"], &WINDOW[..], more]
        .concat()
}

/// What the fields of an event's type may be.
#[derive(Clone, Copy, Debug)]
enum Is {
    Text,
    Instant,
    Amount,
    Term,
    TextOrNull,
    InstantOrNull,
    OneOf(&'static [&'static str]),
}

const STAGES: &[&str] = &["active", "grace", "retention", "released", "unsubscribed", "converted"];

const ORDER_KINDS: Is = Is::OneOf(&["renewal", "purchase", "upgrade", "downgrade"]);

/// The table of "Events" in the description of the formats.
fn fields_of(kind: &str) -> Option<&'static [(&'static str, Is)]> {
    let fields: &[(&str, Is)] = match kind {
        "stage_changed" => &[("from", Is::OneOf(STAGES)), ("to", Is::OneOf(STAGES))],
        "renewal_settled" => &[
            ("cost", Is::Amount),
            ("expires_before", Is::Instant),
            ("expires_at", Is::Instant),
            ("term", Is::Term),
            ("cause", Is::OneOf(&["auto", "command"])),
            ("primary", Is::TextOrNull),
            ("attempt", Is::Text),
        ],
        "renewal_declined" => &[
            ("code", Is::Text),
            ("message", Is::Text),
            ("class", Is::OneOf(&["money", "rule", "throttled", "provider"])),
            ("next_try_at", Is::InstantOrNull),
        ],
        "renewal_in_doubt" => &[("attempt", Is::Text), ("code", Is::Text)],
        "command_refused" => &[("command", Is::Text), ("code", Is::Text), ("message", Is::Text)],
        "setting_changed" => &[("setting", Is::Text), ("value", Is::TextOrNull)],
        "unsubscribed" => &[("refund", Is::Amount), ("original_order", Is::TextOrNull)],
        "converted" => &[],
        "order_created" => &[
            ("order", Is::Text),
            ("kind", ORDER_KINDS),
            ("cost", Is::Amount),
            ("pay_until", Is::InstantOrNull),
        ],
        "order_paid" | "order_cancelled" | "order_expired" => {
            &[("order", Is::Text), ("kind", ORDER_KINDS), ("cost", Is::Amount)]
        }
        "balance_changed" => &[("amount", Is::Amount), ("balance", Is::Amount), ("reason", Is::Text)],
        "package_bought" => {
            &[("effective_at", Is::Instant), ("expires_at", Is::Instant), ("quota", Is::Amount)]
        }
        "package_used" => &[("amount", Is::Amount), ("left", Is::Amount)],
        "package_low" | "package_depleted" => &[("left", Is::Amount)],
        "usage_uncovered" => &[("amount", Is::Amount), ("resource_type", Is::Text)],
        "host_resumed" => &[("down_since", Is::Instant)],
        _ => return None,
    };
    Some(fields)
}

fn is(value: &Value, what: Is) -> bool {
    let instant = |text: &str| text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
    let amount = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        digits.split_once('.').is_some_and(|(units, rest)| {
            !units.is_empty()
                && rest.len() >= 2
                && digits.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit())
        })
    };
    match (what, value) {
        (Is::TextOrNull | Is::InstantOrNull, Value::Null) => true,
        (Is::Text | Is::TextOrNull, Value::String(_)) => true,
        (Is::Instant | Is::InstantOrNull, Value::String(text)) => instant(text),
        (Is::Amount, Value::String(text)) => amount(text),
        (Is::OneOf(words), Value::String(text)) => words.contains(&text.as_str()),
        (Is::Term, Value::Object(term)) => {
            term.len() == 2
                && term["count"].as_u64().is_some_and(|count| count > 0)
                && ["day", "month", "year"].map(Some).contains(&term["unit"].as_str())
        }
        _ => false,
    }
}

#[test]
fn simulate_writes_events_exactly_as_the_formats_say_in_their_order() {
    let folder = folder();
    let written = folder.run(&simulate(&["--format", "jsonl"])).succeeded().stdout();
    let mut seen = BTreeMap::<String, u32>::new();
    let mut last = None;
    for line in written.lines() {
        let event = serde_json::from_str::<Value>(line).unwrap();
        let kind = event["type"].as_str().unwrap().to_owned();
        assert!(is(&event["at"], Is::Instant) && is(&event["account"], Is::TextOrNull), "{line}");
        assert!(event.get("resource").is_some_and(|resource| is(resource, Is::TextOrNull)), "{line}");
        for (name, what) in fields_of(&kind).unwrap_or_default() {
            assert!(
                event.get(name).is_some_and(|value| is(value, *what)),
                "`{name}` is not {what:?} in {line}"
            );
        }
        let place =
            ["at", "account", "resource"].map(|name| event[name].as_str().unwrap_or_default().to_owned());
        assert!(last.as_ref().is_none_or(|last| *last <= place), "out of order: {line}");
        last = Some(place);
        *seen.entry(kind).or_default() += 1;
    }
    for kind in [
        "stage_changed",
        "renewal_settled",
        "renewal_declined",
        "command_refused",
        "setting_changed",
        "unsubscribed",
        "converted",
        "balance_changed",
        "package_bought",
        "package_used",
        "package_low",
        "package_depleted",
        "usage_uncovered",
        "host_resumed",
    ] {
        assert!(seen.contains_key(kind), "the scenario was to make one `{kind}`; there are {seen:?}");
    }
}

#[test]
fn simulate_writes_the_same_to_a_file_and_again() {
    let folder = folder();
    let shown = folder.run(&simulate(&["--format", "jsonl"])).succeeded().stdout();
    let told = folder.run(&simulate(&["--format", "jsonl", "--out", "events.jsonl"])).succeeded().stdout();
    assert_eq!(told, "");
    assert_eq!(std::fs::read_to_string(folder.path("events.jsonl")).unwrap(), shown);
}

#[test]
fn simulate_has_a_table_and_a_picture() {
    let folder = folder();
    let table = folder.run(&simulate(&[])).succeeded().stdout();
    for word in ["acme-hw", "ecs-1", "bcc-1"] {
        assert!(table.contains(word), "{word} is not in\n{table}");
    }
    let page = folder.run(&simulate(&["--format", "html"])).succeeded().stdout();
    assert!(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"), "{}", &page[..80]);
    assert!(page.contains("ecs-1") && !page.contains("src=\"http"), "the page is self-contained");
}

#[test]
fn simulate_never_touches_the_database() {
    let folder = folder();
    folder.run(&["import", "inventory.json"]).succeeded();
    let before = std::fs::read(folder.path("perennial.db")).unwrap();
    folder.run(&simulate(&["--format", "jsonl"])).succeeded();
    assert_eq!(std::fs::read(folder.path("perennial.db")).unwrap(), before);
    let none = Folder::new();
    none.write("inventory.json", INVENTORY);
    none.write("scenario.json", SCENARIO);
    none.run(&simulate(&[])).succeeded();
    assert!(!none.path("perennial.db").exists(), "it makes none either");
}

#[test]
fn what_is_imported_is_listed() {
    let folder = folder();
    let told = folder.run(&["import", "inventory.json"]).succeeded().stdout();
    assert_eq!(
        told,
        "imported 2 accounts and 5 resources into `perennial.db`; `perennial run` takes care of them\n"
    );
    let all = folder.run(&["resources"]).succeeded().stdout();
    for id in ["ecs-1", "evs-1", "pkg-1", "rds-1", "bcc-1"] {
        assert!(all.contains(id), "{id} is not in\n{all}");
    }
    let some = folder.run(&["resources", "--account", "acme-bd", "--stage", "active"]).succeeded().stdout();
    assert!(some.contains("bcc-1") && !some.contains("ecs-1"), "{some}");
    let soon = folder.run(&["resources", "--expires-before", "2026-01-31T00:00:00Z"]).succeeded().stdout();
    assert!(soon.contains("bcc-1") && !soon.contains("rds-1"), "{soon}");
    let disks = folder.run(&["resources", "--kind", "evs", "--provider", "huawei"]).succeeded().stdout();
    assert!(disks.contains("evs-1") && !disks.contains("rds-1"), "{disks}");
    assert_eq!(folder.run(&["events", "--format", "jsonl"]).succeeded().stdout(), "");
}

#[test]
fn plugins_says_what_each_provider_has_and_wants() {
    let told = Folder::new().run(&["plugins"]).succeeded().stdout();
    for word in ["huawei  Huawei Cloud", "baidu  Baidu AI Cloud", "imports   nothing", "deduction_days"] {
        assert!(told.contains(word), "`{word}` is not in\n{told}");
    }
}

#[test]
fn the_demo_tells_a_year_and_draws_it() {
    let folder = Folder::new();
    let told = folder.run(&["demo", "--save", "."]).succeeded().stdout();
    assert!(told.contains("perennial-demo.html"), "{told}");
    assert!(std::fs::read_to_string(folder.path("perennial-demo.html")).unwrap().contains("</html>"));
    for name in ["demo-inventory.json", "demo-scenario.json"] {
        assert!(folder.path(name).exists(), "{name}");
    }
    let again = folder.run(&[
        "simulate",
        "--inventory",
        "demo-inventory.json",
        "--scenario",
        "demo-scenario.json",
        "--from",
        "2026-01-01T00:00:00Z",
        "--until",
        "2026-12-31T23:59:59Z",
        "--format",
        "jsonl",
    ]);
    assert!(again.succeeded().stdout().lines().count() > 1, "what it saves can be simulated");
}

#[test]
fn every_problem_of_an_inventory_is_listed_and_nothing_of_it_is_taken() {
    let wrong = r#"{
      "accounts": [
        { "id": "a", "provider": "huawei", "mode": "managed", "currency": "CNY", "balance": "1.00", "colour": "red" },
        { "id": "b", "provider": "nobody", "mode": "managed", "currency": "CNY", "balance": "1.00" },
        { "id": "c", "provider": "baidu", "mode": "managed", "currency": "CNY", "balance": 7 },
        { "id": "d", "provider": "baidu", "mode": "managed", "balance": "7.00" },
        { "id": "e", "provider": "baidu", "mode": "managed", "currency": "CNY", "balance": "7.00", "settings": { "try_hour": "99" } }
      ],
      "resources": [
        { "id": "x", "account": "a", "kind": "ecs", "region": "r", "charging": "postpaid", "started_at": "2026-01-01T00:00:00Z" },
        { "id": "x", "account": "a", "kind": "ecs", "region": "r", "charging": "postpaid", "started_at": "2026-01-01T00:00:00Z" },
        { "id": "y", "account": "a", "kind": "evs", "region": "r", "charging": "postpaid", "started_at": "2026-01-01T00:00:00Z",
          "attached_to": "nothing" },
        { "id": "l", "account": "a", "kind": "eip", "region": "r", "charging": "postpaid", "started_at": "2026-01-01T00:00:00Z",
          "attached_to": "m" },
        { "id": "m", "account": "a", "kind": "eip", "region": "r", "charging": "postpaid", "started_at": "yesterday",
          "attached_to": "l" },
        { "id": "z", "account": "nowhere", "kind": "ecs", "region": "r", "charging": "prepaid", "started_at": "2026-01-01T00:00:00Z" }
      ]
    }"#;
    let folder = folder();
    folder.write("wrong.json", wrong);
    folder.run(&["import", "inventory.json"]).succeeded();
    let listed = folder.run(&["resources"]).succeeded().stdout();
    let tables = ["account", "resource", "schedule", "orders", "ledger_entry", "event"];
    let count = || {
        let db = ReadTx::open(&folder.path("perennial.db")).unwrap();
        tables.map(|table| perennial_store::testing::row_count(&db, table))
    };
    let before = count();
    let window = &WINDOW[..];
    let simulate = [&["simulate", "--inventory", "wrong.json"], window].concat();
    for words in [&["import", "wrong.json"][..], &simulate] {
        let ran = folder.run(words);
        assert_eq!(ran.code(), 2, "{words:?}");
        assert_eq!(ran.stdout(), "");
        let told = ran.stderr();
        for problem in [
            "accounts[0].colour",
            "accounts[1].provider",
            "accounts[2].balance",
            "accounts[3]",
            "accounts[4].settings",
            "resources[1].id",
            "resources[2].attached_to",
            "resources[4].started_at",
            "resources[5].account",
        ] {
            assert!(told.contains(problem), "{words:?}: nothing about `{problem}` in\n{told}");
        }
    }
    assert_eq!(count(), before);
    assert_eq!(folder.run(&["resources"]).succeeded().stdout(), listed);
}

#[test]
fn a_circle_of_attachment_is_told_as_one() {
    let folder = Folder::new();
    folder.write("circle.json", r#"{ "accounts": [
        { "id": "a", "provider": "huawei", "mode": "managed", "currency": "CNY", "balance": "1.00" } ],
      "resources": [
        { "id": "l", "account": "a", "kind": "eip", "region": "r", "charging": "postpaid", "started_at": "2026-01-01T00:00:00Z",
          "attached_to": "m" },
        { "id": "m", "account": "a", "kind": "bandwidth", "region": "r", "charging": "postpaid",
          "started_at": "2026-01-01T00:00:00Z", "attached_to": "l" } ] }"#);
    let ran = folder.run(&["import", "circle.json"]);
    assert_eq!(ran.code(), 2);
    assert!(ran.stderr().contains("`l`") && ran.stderr().contains("`m`"), "{}", ran.stderr());
}

#[test]
fn what_is_there_already_is_not_imported_again() {
    let folder = folder();
    folder.run(&["import", "inventory.json"]).succeeded();
    let again = folder.run(&["import", "inventory.json"]);
    assert_eq!(again.code(), 2);
    for id in ["acme-hw", "acme-bd", "ecs-1", "bcc-1"] {
        assert!(again.stderr().contains(id), "nothing about `{id}` in\n{}", again.stderr());
    }
}

#[test]
fn every_problem_of_a_scenario_is_listed() {
    let folder = folder();
    folder.write(
        "scenario.json",
        r#"[
        { "at": "2026-01-12T00:00:00Z", "do": "top_up", "account": "nobody", "amount": "1.00" },
        { "at": "2026-01-11T00:00:00Z", "do": "dance" },
        { "at": "2026-01-13T00:00:00Z", "do": "top_up", "account": "acme-hw", "amount": 5, "why": "because" },
        { "at": "2026-01-14T00:00:00Z", "do": "outage", "until": "2026-01-13T00:00:00Z" }
    ]"#,
    );
    let ran = folder.run(&simulate(&[]));
    assert_eq!(ran.code(), 2);
    for problem in ["[0].account", "[1].do", "[1].at", "[2].amount", "[2].why", "[3].until"] {
        assert!(ran.stderr().contains(problem), "nothing about `{problem}` in\n{}", ran.stderr());
    }
}

#[test]
fn wrong_input_ends_with_2_and_what_cannot_be_done_with_1() {
    let folder = folder();
    folder.write("broken.json", "{ \"accounts\": [");
    folder.write("plugin.wasm", "no plugin");
    let backwards = ["--from", "2026-03-10T00:00:00Z", "--until", "2026-01-10T00:00:00Z"];
    let backwards = [&["simulate", "--inventory", "inventory.json"], &backwards[..]].concat();
    let cases: [(&[&str], i32, &str); 11] = [
        (&["import", "missing.json"], 2, "cannot read `missing.json`"),
        (&["import", "broken.json"], 2, "`broken.json` cannot be used"),
        (&backwards, 2, "is before `--from"),
        (
            &["simulate", "--inventory", "inventory.json", "--from", "noon", "--until", "midnight"],
            2,
            "RFC 3339",
        ),
        (&["events", "--type", "party"], 2, "there is no event type `party`; there are stage_changed"),
        (&["resources", "--stage", "asleep"], 2, "there is no such stage; there are active, grace"),
        (&["run", "--batch", "0"], 2, "0 is not in 1.."),
        (&["dance"], 2, "unrecognized subcommand 'dance'"),
        (&["resources"], 1, "there is no database at `perennial.db`; make one with `perennial import FILE`"),
        (&["run"], 1, "there is no database at `perennial.db`; make one with `perennial import FILE`"),
        (&["--plugin", "plugin.wasm", "plugins"], 1, "`plugin.wasm` is not WebAssembly"),
    ];
    for (words, code, told) in cases {
        let ran = folder.run(words);
        assert_eq!(ran.code(), code, "{words:?}: {}", ran.stderr());
        assert!(ran.stderr().contains(told), "{words:?}: {}", ran.stderr());
        assert!(!folder.path("perennial.db").exists(), "{words:?} made a database");
    }
}

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
        let terms = Preconditions { plan_hash: None, requested_by: Some(token) };
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
        id                    state     account       resource              cause            cost  expires               requested by
        ecs-1~1               pending   acme          ecs-1                 command         99.00  2999-01-08T00:00:00Z  0a1b2c3d4e5f
        ecs-2~1               pending   acme          ecs-2                 command         99.00  2999-01-08T00:00:00Z  0a1b2c3d4e5f
        ecs-3~1               pending   acme          ecs-3                 command         99.00  2999-01-08T00:00:00Z  cli
    "#]].assert_eq(&folder.run(&["approvals", "list"]).succeeded().stdout());
    let approved =
        folder.run(&["approvals", "approve", "ecs-1~1", "--reason", "as agreed"]).succeeded().stdout();
    let words = approved.lines().map(|line| line.split_once(' ').unwrap().1).collect::<Vec<_>>();
    expect![[r#"
        ecs-1 ecs-1~1 approved by cli: as agreed
        ecs-1 renewal: balance -99.00 to 51.00
        ecs-1 renewed by command for 1 month at 99.00, from 2999-01-31 15:59 UTC to 2999-02-28 15:59 UTC"#]]
    .assert_eq(&words.join("\n"));
    folder.run(&["approvals", "reject", "ecs-2~1"]).succeeded();
    for (words, code, told) in [
        (
            ["approvals", "approve", "ecs-2~1"],
            1,
            "there is nothing to decide on any more: the approval is rejected",
        ),
        (["approvals", "approve", "ecs-3~1"], 1, "whoever asked for an approval does not decide on it"),
        (["approvals", "approve", "ecs-9~1"], 2, "there is no approval `ecs-9~1`"),
        (["approvals", "list", "--state=held"], 2, "there is no such state; there are pending, approved"),
    ] {
        let ran = folder.run(&words);
        assert_eq!(ran.code(), code, "{words:?}: {}", ran.stderr());
        assert!(ran.stderr().contains(told), "{words:?}: {}", ran.stderr());
    }
    let open = folder.run(&["approvals", "list", "--state", "pending"]).succeeded().stdout();
    assert_eq!(open.lines().count(), 2, "{open}");

    let mut engine = held(&folder, "twin.db");
    let at = "2999-01-01T00:00:00Z".parse().unwrap();
    let decision = |reason| ApprovalDecision { decided_by: "cli", reason, plan_hash: None };
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
    folder.run(&["approvals", "approve", "ecs-1~1"]).succeeded();
    let ran = folder.run(&["approvals", "approve", "ecs-2~1"]);
    assert_eq!(ran.code(), 1);
    assert!(
        ran.stderr().contains("it cannot be carried out, and stays pending: CBC.30050006"),
        "{}",
        ran.stderr()
    );
    assert!(folder.run(&["approvals", "list", "--state=pending"]).succeeded().stdout().contains("ecs-2~1"));
}

#[test]
fn a_simulation_tells_in_words_what_is_held_and_that_nobody_decides() {
    let folder = folder();
    folder.write(
        "careful.json",
        &INVENTORY
            .replace("\"balance\": \"260.00\",", "\"balance\": \"260.00\", \"approval_above\": \"50.00\","),
    );
    let told = |until: &str| {
        let window = ["--from", "2026-01-10T00:00:00Z", "--until", until];
        let ran = folder.run(&[&["simulate", "--inventory", "careful.json"], &window[..]].concat());
        ran.succeeded().stdout()
    };
    let waits = told("2026-01-24T00:00:00Z");
    assert!(waits.contains("0 renewals, 0 declines, 0 refused commands, 1 approval request"), "{waits}");
    assert!(
        waits.contains("automatic renewal waits for an approval: 109.00 CNY, ecs-1~1, until 2026-01-30"),
        "{waits}"
    );
    let lapsed = told("2026-02-01T00:00:00Z");
    let words = "approval ecs-1~1 expired: nobody decided in time; not requested again for this period";
    assert!(lapsed.contains(words), "{lapsed}");
}

#[test]
fn colours_are_there_when_asked_for_and_never_otherwise() {
    let folder = folder();
    let (plain, bright) = (simulate(&["--color", "never"]), simulate(&["--color", "always"]));
    assert!(!folder.run(&plain).succeeded().stdout().contains('\u{1b}'));
    assert!(folder.run(&bright).succeeded().stdout().contains('\u{1b}'));
    assert!(!folder.run(&simulate(&[])).succeeded().stdout().contains('\u{1b}'), "this is no terminal");
    let wrong = folder.run(&["--color", "never", "import", "missing.json"]);
    assert!(!wrong.stderr().contains('\u{1b}'), "{}", wrong.stderr());
}

#[test]
fn every_command_has_help_with_an_example() {
    let folder = Folder::new();
    for command in ["demo", "simulate", "import", "run", "approvals", "resources", "events", "plugins"] {
        let help = folder.run(&[command, "--help"]).succeeded().stdout();
        let example =
            help.lines().skip_while(|line| !line.starts_with("Examples:")).nth(1).unwrap_or_default();
        assert!(example.trim().starts_with("perennial ") && help.contains("Usage:"), "{command}:\n{help}");
        let overview = folder.run(&["--help"]).succeeded().stdout();
        assert!(
            overview.contains(&format!("  {command} ")) && overview.contains("Exit codes:"),
            "{overview}"
        );
    }
}
