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
