//! The demo: everything that the two providers' rules say of a managed account happens in its year, and always the same.
//!
//! Knows the demo from outside: its saved files, played by `simulate`, and what `demo` prints and draws. Each row of the
//! table is a promise and the events that keep it, in the order of time; an event is named by some of its fields.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use serde_json::json;

mod baidu;
mod connected;
mod huawei;
mod world;

/// What happens, and the events that show it.
type Row = (&'static str, Vec<Value>);

/// Runs the program; panics with what it said when it fails.
fn perennial(arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_perennial")).args(arguments).output().unwrap();
    assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}

/// Plays the demo in `folder`; what it printed.
fn demo(folder: &Path) -> String {
    let page = folder.join("year.html");
    let cache = folder.join("cache");
    perennial(&[
        "--cache",
        cache.to_str().unwrap(),
        "demo",
        "--out",
        page.to_str().unwrap(),
        "--save",
        folder.to_str().unwrap(),
    ])
}

/// The events of the demo's year, from the files that `demo` saves in `folder`.
fn events(folder: &Path) -> Vec<Value> {
    demo(folder);
    let inventory = folder.join("demo-inventory.json");
    let scenario = folder.join("demo-scenario.json");
    let cache = folder.join("cache");
    let lines = perennial(&[
        "--cache",
        cache.to_str().unwrap(),
        "simulate",
        "--inventory",
        inventory.to_str().unwrap(),
        "--scenario",
        scenario.to_str().unwrap(),
        "--from",
        "2026-01-01T00:00:00Z",
        "--until",
        "2026-12-31T23:59:59Z",
        "--format",
        "jsonl",
    ]);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether the event has all of these fields; of `at` and `message`, what they begin with or contain is enough.
fn has(event: &Value, wanted: &Value) -> bool {
    wanted.as_object().unwrap().iter().all(|(name, value)| match name.as_str() {
        "at" => event["at"].as_str().unwrap().starts_with(value.as_str().unwrap()),
        "message" => event["message"].as_str().is_some_and(|it| it.contains(value.as_str().unwrap())),
        _ => event.get(name) == Some(value),
    })
}

/// The first of the wanted events that is not found after the ones before it.
fn missing<'w>(events: &[Value], wanted: &'w [Value]) -> Option<&'w Value> {
    let mut rest = events.iter();
    wanted.iter().find(|wanted| !rest.any(|event| has(event, wanted)))
}

#[test]
fn everything_that_a_managed_account_can_show_happens_in_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let events = events(folder.path());
    let rows = huawei::rows().into_iter().chain(baidu::rows()).chain(world::rows());
    let failures = rows
        .filter_map(|(promise, wanted)| Some(format!("{promise}: no {}", missing(&events, &wanted)?)))
        .collect::<Vec<_>>();
    assert!(
        failures.is_empty(),
        "{} of the demo's promises are broken:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn what_the_rules_keep_from_happening_does_not_happen_in_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let events = events(folder.path());
    for (promise, wanted, count) in [
        (
            "a clientToken sent again renews nothing a second time",
            json!({"at": "2026-08-20", "type": "renewal_settled", "resource": "kest-dispatch"}),
            1,
        ),
        (
            "a database renewed by hand is not tried at its old time",
            json!({"type": "renewal_settled", "resource": "lark-database", "cause": "auto"}),
            0,
        ),
        ("a command given during the outage is lost", json!({"at": "2026-06-12"}), 0),
        (
            "an outage leads nobody who has money to grace",
            json!({"type": "stage_changed", "resource": "tide-scores"}),
            0,
        ),
        (
            "with an empty relatedRenewFlag the instance is renewed alone",
            json!({"at": "2026-01-24T01", "type": "renewal_settled", "account": "osier-clinic"}),
            1,
        ),
        ("a pay-per-use disk never joins its instance's renewal", json!({"resource": "osier-app-logs"}), 0),
        ("no plugin fails", json!({"type": "plugin_failed"}), 0),
        ("nothing stays in doubt on managed accounts", json!({"type": "renewal_in_doubt"}), 0),
    ] {
        let found = events.iter().filter(|event| has(event, &wanted)).collect::<Vec<_>>();
        assert_eq!(found.len(), count, "{promise}: {found:?}");
    }
}

#[test]
fn the_demo_has_fifty_resources_and_events_in_every_month() {
    let folder = tempfile::tempdir().unwrap();
    let events = events(folder.path());
    let text = std::fs::read_to_string(folder.path().join("demo-inventory.json")).unwrap();
    let inventory: Value = serde_json::from_str(&text).unwrap();
    let count = inventory["resources"].as_array().unwrap().len();
    assert!((45..=60).contains(&count), "{count} resources");
    for month in 1..=12 {
        let start = format!("2026-{month:02}");
        let of_month = events.iter().filter(|event| event["at"].as_str().unwrap().starts_with(&start));
        let count = of_month.filter(|event| event["type"] != "balance_changed").count();
        assert!(count >= 15, "only {count} things happen in {start}");
    }
}

#[test]
fn the_demo_is_the_same_every_time() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let told = [&one, &other].map(|folder| demo(folder.path()).replace(folder.path().to_str().unwrap(), ""));
    assert_eq!(told[0], told[1]);
    assert!(told[0].starts_with("January 2026\n") && told[0].contains("\nDecember 2026\n"));
    let page = |folder: &tempfile::TempDir| std::fs::read_to_string(folder.path().join("year.html")).unwrap();
    assert_eq!(page(&one), page(&other));
    assert_eq!(events(one.path()), events(other.path()));
}
