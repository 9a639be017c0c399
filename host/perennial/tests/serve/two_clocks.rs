//! Databases of real and of virtual time: neither is run on the other, and nothing sleeps until a wrong instant.

use std::time::Duration;

use crate::server::ApiResponse;
use crate::server::Served;
use crate::server::program;
use crate::server::run;
use crate::support;
use crate::support::Folder;

/// Longer than any refusal takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);
const START: &str = "2026-02-01T00:00:00Z";

/// What the program says when it refuses to go on. One that goes on instead is ended.
fn refusal(folder: &Folder, words: &[&str]) -> String {
    let mut command = program(folder, &[]);
    command.args(words);
    support::refusal(command, PATIENCE)
}

fn advance(server: &Served, to: &str) -> ApiResponse {
    server.send("POST", "/v1/clock:advance", &format!(r#"{{"to": "{to}"}}"#))
}

fn stop(server: Served) {
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn a_database_of_virtual_time_is_not_run_on_real_time() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &["--virtual-clock", START]);
    assert_eq!(advance(&server, "2026-03-01T00:00:00Z").status, 200);
    stop(server);
    for words in [&["run"][..], &["serve"]] {
        let said = refusal(&folder, words);
        assert!(
            said.contains("lives on virtual time, where it is 2026-03-01T00:00:00Z, and real time is 2"),
            "{said}"
        );
    }
    // Nor does it go back; it goes on.
    let said = refusal(&folder, &["serve", "--virtual-clock", START]);
    assert!(said.contains(&format!("has passed {START}: it is 2026-03-01T00:00:00Z there")), "{said}");
    let server = Served::start(&folder, &[], &["--virtual-clock"]);
    assert_eq!(server.get("/v1/clock").json()["now"], "2026-03-01T00:00:00Z");
}

#[test]
fn a_database_of_real_time_is_not_served_on_virtual_time() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &[]);
    crate::server::until("the first tick", || {
        server.get("/v1/clock").json()["ticked_at"].as_str().map(|_| ())
    });
    stop(server);
    let said = refusal(&folder, &["serve", "--virtual-clock", "2199-01-01T00:00:00Z"]);
    assert!(said.contains("lives on real time, where everything until 2"), "{said}");
    assert!(said.contains("`--virtual-clock` says 2199-01-01T00:00:00Z"), "{said}");
}

#[test]
fn what_was_imported_on_the_real_clock_is_tried_on_the_virtual_one() {
    let folder = Folder::new();
    folder.write(
        "inventory.json",
        r#"{ "accounts": [{ "id": "a", "provider": "huawei", "mode": "managed", "currency": "CNY", "balance": "500.00",
               "settings": { "site": "intl" } }],
             "resources": [{ "id": "ecs-1", "account": "a", "kind": "ecs", "region": "r", "charging": "prepaid",
               "started_at": "2026-01-31T02:00:00Z", "expires_at": "2026-02-28T15:59:59Z", "anchor_day": 31,
               "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew" }] }"#,
    );
    let imported = run(&folder, &[], &["import", "inventory.json", "--accept-expired"]);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let server = Served::start(&folder, &[], &["--virtual-clock", START]);
    assert_eq!(advance(&server, "2026-03-02T00:00:00Z").status, 200);
    let events = server.get("/v1/events?resource=ecs-1").json();
    let events = events["items"].as_array().unwrap();
    let renewed = events
        .iter()
        .find(|event| event["type"] == "renewal_settled")
        .unwrap_or_else(|| panic!("{events:?}"));
    assert_eq!(renewed["at"], "2026-02-20T19:00:00Z");
    assert_eq!(renewed["expires_before"], "2026-02-28T15:59:59Z");
    assert_eq!(renewed["expires_at"], "2026-03-31T15:59:59Z");
}

#[test]
fn what_is_written_under_a_virtual_clock_binds_the_database_to_it() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &["--virtual-clock", START]);
    let account = r#"{ "id": "a", "provider": "huawei", "currency": "CNY", "balance": "1.00" }"#;
    assert_eq!(server.send("POST", "/v1/accounts", account).status, 201);
    // Killed before its clock has ever moved.
    drop(server);
    let refused = run(&folder, &[], &["run"]);
    assert!(!refused.status.success());
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("virtual"), "{told}");
    let server = Served::start(&folder, &[], &["--virtual-clock"]);
    assert_eq!(server.get("/v1/clock").json()["now"], START);
}

#[test]
fn what_a_virtual_clock_decided_without_moving_is_past_too() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &["--virtual-clock", START]);
    let inventory = r#"{ "accounts": [{ "id": "a", "provider": "huawei", "currency": "CNY", "balance": "500.00" }],
        "resources": [{ "id": "ecs-1", "account": "a", "kind": "ecs", "charging": "prepaid",
          "started_at": "2026-01-31T02:00:00Z", "expires_at": "2026-02-28T15:59:59Z",
          "term": { "count": 1, "unit": "month" }, "price": "99.00" }] }"#;
    assert_eq!(server.send("POST", "/v1/resources:import", inventory).status, 200);
    stop(server);
    let said = refusal(&folder, &["run"]);
    assert!(said.contains(&format!("lives on virtual time, where it is {START}")), "{said}");
}

#[test]
fn a_command_on_the_real_clock_keeps_a_database_from_virtual_time() {
    let folder = Folder::new();
    folder.write(
        "inventory.json",
        r#"{ "accounts": [{ "id": "a", "provider": "huawei", "mode": "managed", "currency": "CNY", "balance": "500.00" }],
             "resources": [{ "id": "ecs-1", "account": "a", "kind": "ecs", "region": "r", "charging": "prepaid",
               "started_at": "2026-01-31T02:00:00Z", "expires_at": "2199-02-28T15:59:59Z", "anchor_day": 31,
               "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew" }] }"#,
    );
    assert!(run(&folder, &[], &["import", "inventory.json"]).status.success());
    // What asks for nothing that depends on the time decides nothing.
    assert!(run(&folder, &[], &["token", "create", "--name", "x", "--role", "viewer"]).status.success());
    stop(Served::start(&folder, &[], &["--virtual-clock", START]));
    let off = run(&folder, &[], &["resource", "auto-renew", "ecs-1", "--renewals", "2", "--yes"]);
    assert!(off.status.success(), "{}", String::from_utf8_lossy(&off.stderr));
    let said = refusal(&folder, &["serve", "--virtual-clock", START]);
    assert!(said.contains("commands were carried out on the database at the system's time"), "{said}");
}
