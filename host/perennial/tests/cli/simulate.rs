//! `perennial simulate` and `perennial demo`.

use crate::sample::INVENTORY;
use crate::sample::SCENARIO;
use crate::sample::folder;
use crate::sample::simulate;
use crate::support::Folder;

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
    let chinese = &["--format", "html", "--language", "zh-CN"];
    let page = folder.run(&simulate(chinese)).succeeded().stdout();
    assert!(page.contains("<html lang=\"zh-CN\">") && page.contains("图例与开关"), "{}", &page[..80]);
}

#[test]
fn simulate_never_touches_the_database() {
    let folder = folder();
    folder.run(&["import", "inventory.json", "--accept-expired"]).succeeded();
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
fn the_demo_tells_a_year_and_draws_it() {
    let folder = Folder::new();
    let told = folder.run(&["demo", "--save", "."]).succeeded().stdout();
    assert!(told.contains("perennial-demo.html") && told.contains("`./demo-scenario.json`"), "{told}");
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
fn a_scenario_about_what_is_not_there_is_warned_of() {
    let folder = folder();
    folder.write(
        "scenario.json",
        r#"[
        { "at": "2026-01-12T00:00:00Z", "do": "set_attribute", "resource": "ecs-9", "name": "status", "value": "x" },
        { "at": "2026-01-13T00:00:00Z", "do": "command", "account": "acme-bd", "resource": "ecs-1",
          "command": "cancel_auto_renew" }
    ]"#,
    );
    let ran = folder.run(&simulate(&[])).succeeded();
    let told = ran.stderr();
    assert!(told.contains("the inventory has no such resource") && told.contains("ecs-9"), "{told}");
    assert!(told.contains("the resource is another account's") && told.contains("acme-hw"), "{told}");
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
fn beyond_its_limit_the_picture_draws_what_fared_worst() {
    let folder = Folder::new();
    let fine = |number: usize| {
        serde_json::json!({
            "id": format!("fine-{number:04}"), "account": "a", "kind": "ecs", "region": "r", "charging": "postpaid",
            "started_at": "2026-01-01T00:00:00Z",
        })
    };
    let lapsing = serde_json::json!({
        "id": "lapsing", "account": "a", "kind": "ecs", "region": "r", "charging": "prepaid",
        "started_at": "2025-12-12T02:00:00Z", "expires_at": "2026-01-12T15:59:59Z",
        "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "lapse",
    });
    let resources = (0..5_000).map(fine).chain([lapsing]).collect::<Vec<_>>();
    let account =
        serde_json::json!({ "id": "a", "provider": "huawei", "currency": "CNY", "balance": "1.00" });
    let inventory = serde_json::json!({ "accounts": [account], "resources": resources });
    folder.write("many.json", &inventory.to_string());
    let words = ["simulate", "--inventory", "many.json", "--from=2026-01-10", "--until=2026-02-20"];
    let page = folder.run(&[&words[..], &["--format", "html"]].concat()).succeeded().stdout();
    assert!(page.contains("1 resource not drawn: the page shows the 5,000 that fared worst"));
    assert!(page.contains("title=\"lapsing\"") && page.contains("title=\"fine-0000\""));
    assert!(!page.contains("title=\"fine-4999\""), "the last of those that are fine is left out");
}

#[test]
fn what_converting_at_once_gives_back_is_in_the_resources_sum() {
    let folder = folder();
    let (others, bought) = INVENTORY.split_once(r#""bcc-1""#).unwrap();
    let bought = bought.replace("2025-12-31T02", "2026-01-09T04").replace("2026-01-25T04", "2026-02-09T04");
    let bought = bought.replace(r#""renew""#, r#""lapse""#);
    folder.write("inventory.json", &format!("{others}\"bcc-1\"{bought}"));
    folder.write(
        "scenario.json",
        r#"[{ "at": "2026-01-12T00:00:00Z", "do": "command", "resource": "bcc-1", "command": "convert_now" }]"#,
    );
    let rows = folder.run(&simulate(&["--format", "json"])).succeeded().stdout();
    let rows: serde_json::Value = serde_json::from_str(&rows).unwrap();
    let row = rows.as_array().unwrap().iter().find(|row| row["resource"] == "bcc-1").unwrap();
    assert_eq!(row["stage"], "converted", "{row}");
    assert_eq!(row["refunded"], "54.19", "28 of 31 days of 60.00: {row}");
}

#[test]
fn entries_of_a_scenario_that_do_nothing_are_warned_of() {
    let folder = folder();
    folder.write(
        "scenario.json",
        r#"[{ "at": "2026-01-12T00:00:00Z", "do": "command", "resource": "ecs-9", "command": "convert_now" },
            { "at": "2026-01-13T00:00:00Z", "do": "outage", "until": "2026-01-15T00:00:00Z" },
            { "at": "2026-01-14T00:00:00Z", "do": "command", "resource": "ecs-1", "command": "convert_now" }]"#,
    );
    let told = folder.run(&simulate(&[])).succeeded().stderr();
    assert!(told.contains("the inventory has no such resource") && told.contains("ecs-9"), "{told}");
    assert!(told.contains("the host is down then: the command is lost"), "{told}");
}
