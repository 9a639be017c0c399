//! The sessions that README.md shows: every command of them is run as it is printed, one after the other, in a folder of
//! its own.
//!
//! Two things are put in place of what stands there: where the server listens, because port 8420 may be taken, and
//! `inventory.json`, which README leaves to its reader. The commands need `sh` and `curl`; without them the test fails.

mod page;
mod terminal;

use std::path::Path;

use expect_test::expect;
use serde_json::Value;
use tempfile::TempDir;

use crate::page::Section;
use crate::terminal::Serving;
use crate::terminal::Terminal;

/// Where README says that the server listens.
const ADDRESS: &str = "localhost:8420";

/// The commands of a section, those that go on until they are stopped told from the others.
fn goes_on(command: &str) -> bool {
    command.starts_with("perennial ") && command.split(' ').any(|word| word == "serve" || word == "run")
}

#[test]
fn the_curl_session_runs_from_a_token_to_a_renewal_to_the_event_stream() {
    terminal::require("curl");
    let folder = TempDir::new().unwrap();
    let commands = Section::named("The admin API").commands();
    let serve = commands.iter().position(|command| goes_on(command)).expect("a server is started");
    let mut terminal = Terminal::open(folder.path());
    for command in &commands[..serve] {
        terminal.run(command);
    }
    let server = Serving::start(folder.path(), &commands[serve], "address=");
    let (mut answers, mut stream) = (Vec::new(), None);
    for command in &commands[serve + 1..] {
        assert!(!goes_on(command), "one server is enough: {command}");
        let typed = command.replace(ADDRESS, server.address());
        if command.contains(" -N ") {
            stream = Some(typed);
        } else if command.starts_with("curl") {
            answers.push(answer(&mut terminal, &typed));
        } else {
            terminal.run(&typed);
        }
    }
    let [imported, listed, planned, renewed, advanced, forecast, job, items, from_dry_run, more @ ..] =
        &answers[..]
    else {
        panic!("README has other requests than this test knows: {answers:#?}");
    };
    assert_eq!(json(job)["id"], "job-1");
    assert!(json(items)["items"].is_array(), "{items}");
    assert_eq!(json(from_dry_run)["id"], "job-2");
    let [webhook, prices, window, calendar, explanation, timeline, decisions, _, held, plans, approved] =
        more
    else {
        panic!("README has other requests: {more:#?}");
    };
    let approval = &json(plans)["items"][0];
    assert!(held.contains(approval["id"].as_str().unwrap()), "{held} is what waits: {plans}");
    assert_eq!(json(approved)["approval"]["state"], "approved", "{approved}");
    assert!(json(webhook)["secret"].as_str().unwrap().starts_with("whsec_"), "{webhook}");
    assert!(prices.lines().count() > 10, "{prices}");
    assert!(json(window)["suggestedWindow"]["start"].is_string(), "{window}");
    assert!(calendar.contains("Renewals"), "{calendar}");
    assert_eq!(json(explanation)["situation"], "renews", "{explanation}");
    assert_eq!(json(timeline)["items"][0]["action"], "try_renewal", "{timeline}");
    assert!(!json(decisions)["items"].as_array().unwrap().is_empty(), "{decisions}");
    let imported = json(imported);
    assert_eq!((&imported["accounts"], &imported["resources"]), (&Value::from(5), &Value::from(56)));
    assert_eq!(imported["expired"], serde_json::json!([]));
    let ids = json(listed)["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
    assert_eq!(Value::Array(ids), serde_json::json!(["lark-search", "lark-staging", "lark-web"]));
    expect![[r#"
        420.00  lark-web
        95.00  lark-web-bandwidth
        60.00  lark-web-disk
        15.00  lark-web-ip
        10.00  lark-web-network
        600.00  in all"#]]
    .assert_eq(&steps(&json(planned)["plan"]));
    let renewed = json(renewed);
    assert_eq!(renewed["resource"]["expires_at"], "2026-02-28T15:59:59Z");
    assert_eq!(advanced, r#"{"now":"2026-02-01T00:00:00Z"}"#);
    let mut lines = forecast.lines();
    assert_eq!(lines.next(), Some("month,at,account,resource,kind,cost,currency,expires_at"));
    let renewal =
        "2026-02,2026-02-20T19:00:00Z,larkspur-books,lark-web,renewal,420.00,CNY,2026-03-31T15:59:59Z";
    assert!(lines.any(|line| line == renewal), "{forecast}");
    let happened = renewed["events"].as_array().unwrap();
    // A month went by since, with events of its own.
    let enough = 2 * happened.len();
    let mut another = Terminal::open(folder.path());
    for command in commands.iter().filter(|command| command.starts_with("AUTH=")) {
        another.run(command);
    }
    let stream = stream.expect("README shows the stream");
    let streamed = another.watch(&stream, |so_far| events(so_far).len() >= enough);
    for (mut told, happened) in events(&streamed).into_iter().zip(happened) {
        told.as_object_mut().unwrap().remove("id");
        assert_eq!(told, *happened, "the stream begins with what the renewal answered");
    }
    server.stop();
}

#[test]
fn the_session_on_the_command_line_ends_well() {
    let folder = TempDir::new().unwrap();
    let mut terminal = Terminal::open(folder.path());
    let mut running = None;
    for command in Section::named("A first session").commands() {
        if command.contains("import inventory.json") {
            copy_to_future(folder.path(), "demo-inventory.json", "inventory.json");
        }
        if goes_on(&command) {
            running = Some(Serving::start(folder.path(), &command, "the clock runs"));
        } else {
            terminal.run(&command);
        }
    }
    let written = std::fs::read_to_string(folder.path().join("events.jsonl")).unwrap();
    let events = written.lines().map(json).filter(|event| event["type"] == "renewal_settled").count();
    assert!(events > 100, "{events} renewals in a year of fifty resources");
    running.expect("README lets the clock run").stop();
}

/// Sends a request, and sends it again while the answer is that something is not done yet, as a person would.
fn answer(terminal: &mut Terminal, command: &str) -> String {
    loop {
        let answer = terminal.run(command);
        if !answer.contains("urn:perennial:problem:") {
            return answer;
        }
        assert!(answer.contains("is not a dry run that is done"), "{command}: {answer}");
    }
}

/// Copies the demo's inventory as that of somebody whose resources have not expired: with months of the same length.
fn copy_to_future(folder: &Path, from: &str, to: &str) {
    let mut text = std::fs::read_to_string(folder.join(from)).unwrap();
    for (year, later) in
        [("\"2027-", "\"2099-"), ("\"2026-", "\"2098-"), ("\"2025-", "\"2097-"), ("\"2024-", "\"2096-")]
    {
        text = text.replace(year, later);
    }
    std::fs::write(folder.join(to), text).unwrap();
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What each step of a plan costs.
fn steps(plan: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let steps = plan["steps"].as_array().unwrap().iter();
    let steps = steps.map(|step| format!("{}  {}", text(&step["cost"]), text(&step["resource"])));
    steps.chain([format!("{}  in all", text(&plan["cost"]))]).collect::<Vec<_>>().join("\n")
}

/// The events of a stream, as far as they are whole.
fn events(streamed: &str) -> Vec<Value> {
    let whole = streamed.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
    whole.lines().filter_map(|line| line.strip_prefix("data: ")).map(json).collect()
}
