//! One truth: the same operations through a provider's own API, through the admin API and on the command line leave the
//! same events, but for who asked.
//!
//! A program of its own, with one test at a time: a process that is just being started inherits the locks of databases
//! that other tests have open.

mod baidu;
mod huawei;

use std::process::Command;

use serde_json::Value;
use serde_json::json;

use perennial_test_support::provider_server::Server;

const NOW: &str = "2026-03-01T00:00:00Z";
const BEFORE: &str = "2026-02-28T23:59:59Z";

/// One operation, as each of the three is asked for it.
struct Operation {
    resource: &'static str,
    /// Method, path with query, and body of the provider's own API.
    request: (&'static str, &'static str, String),
    /// What the command is called in a path of the admin API.
    admin: &'static str,
    /// What the admin API is told of it.
    body: Value,
    /// As a scenario has it.
    command: Value,
}

/// A provider's operations, and how its tools send requests.
struct Provider {
    name: &'static str,
    inventory: Value,
    operations: Vec<Operation>,
    /// Sends every request; none is answered by a failure of the host.
    speak: fn(&Server, &[Operation]),
}

#[test]
fn the_same_operations_leave_the_same_events_whoever_is_asked() {
    for provider in [huawei::provider(), baidu::provider()] {
        let by_command_line = by_command_line(&provider);
        assert!(by_command_line.len() > provider.operations.len(), "{by_command_line:#?}");
        let by_command_line = by_command_line.join("\n");
        assert_eq!(by_admin_api(&provider).join("\n"), by_command_line, "{}: the admin API", provider.name);
        let server = Server::start(provider.name, NOW, &provider.inventory);
        (provider.speak)(&server, &provider.operations);
        assert_eq!(events(&server).join("\n"), by_command_line, "{}: its own API", provider.name);
    }
}

fn by_admin_api(provider: &Provider) -> Vec<String> {
    let server = Server::start(provider.name, NOW, &provider.inventory);
    for Operation { resource, admin, body, .. } in &provider.operations {
        let answer = server.post_to_admin(&format!("/v1/resources/{resource}:{admin}"), body);
        assert!([200, 202, 409].contains(&answer.status), "{resource}:{admin}: {}", answer.body);
    }
    events(&server)
}

fn by_command_line(provider: &Provider) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let command = |one: &Operation| json!({ "at": NOW, "do": "command", "account": "acme", "resource": one.resource, "command": one.command });
    let scenario = provider.operations.iter().map(command).collect::<Value>();
    std::fs::write(folder.path().join("inventory.json"), provider.inventory.to_string()).unwrap();
    std::fs::write(folder.path().join("scenario.json"), scenario.to_string()).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_perennial"))
        .current_dir(&folder)
        .args(["--cache", env!("CARGO_TARGET_TMPDIR"), "simulate", "--from", BEFORE, "--until", NOW])
        .args(["--inventory", "inventory.json", "--scenario", "scenario.json", "--format", "jsonl"])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let lines = String::from_utf8(ran.stdout).unwrap();
    in_order(lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn events(server: &Server) -> Vec<String> {
    let event = |line: &String| {
        let mut words = line.splitn(5, ' ');
        let mut next = || words.next().unwrap();
        let (at, kind, account, resource) = (next(), next(), next(), next());
        let mut event = serde_json::from_str::<Value>(next()).unwrap();
        for (name, value) in [("at", at), ("type", kind), ("account", account), ("resource", resource)] {
            event[name] = if value == "-" { Value::Null } else { value.into() };
        }
        event
    };
    in_order(server.events().iter().map(event).collect())
}

/// As the command line writes them, by resource, and without who asked.
fn in_order(mut events: Vec<Value>) -> Vec<String> {
    for event in &mut events {
        event.as_object_mut().unwrap().remove("requested_by");
    }
    events.sort_by_key(|event| (event["at"].to_string(), event["resource"].to_string()));
    events.iter().map(Value::to_string).collect()
}
