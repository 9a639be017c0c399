//! A log that cannot be written, and what its lines cannot be made to say.

use std::fs::File;
use std::io::Read;
use std::net::TcpListener;
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::json;

use crate::server::Served;
use crate::server::until;
use crate::support::Folder;

const ACCOUNT: &str = r#"{"id": "a", "provider": "huawei", "currency": "CNY", "balance": "0.00"}"#;

#[test]
#[cfg(target_os = "linux")]
fn a_log_that_cannot_be_written_ends_nothing_and_is_counted() {
    let folder = Folder::new();
    // The first line tells the address; whatever follows meets a reader that is gone.
    let server = Served::start_unread(&folder, &[], &[]);
    until("lines were dropped", || (server.figure("perennial_log_lines_dropped_total") > 1).then_some(()));
    assert_eq!(server.get("/v1/accounts").status, 200);
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
#[cfg(target_os = "linux")]
fn a_log_whose_reader_stands_still_holds_nobody_up() {
    let folder = Folder::new();
    // Each line is long, and nobody reads any, though somebody could.
    let (server, _reader) = Served::start_with_reader(&folder, &[("RUST_LOG", "trace")], &[]);
    let dropped = || server.figure("perennial_log_lines_dropped_total") > 0;
    until("lines were dropped", || {
        assert_eq!(server.get(&format!("/v1/resources/{}", "x".repeat(4_000))).status, 404);
        dropped().then_some(())
    });
    assert_eq!(server.send("POST", "/v1/accounts", ACCOUNT).status, 201);
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_under_the_log_does_not_keep_a_host_from_starting() {
    let folder = Folder::new();
    crate::server::token(&folder);
    let full = File::options().write(true).open("/dev/full").unwrap();
    // Its log cannot tell the address, so it is told one that is free.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut command = crate::server::program(&folder, &[("PERENNIAL_LISTEN", &address)]);
    let mut child = command.arg("serve").stderr(Stdio::from(full)).spawn().unwrap();
    until("it serves", || TcpStream::connect(&address).ok().map(drop));
    assert_eq!(child.try_wait().unwrap().map(|status| status.code()), None, "it goes on");
    assert!(std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert_eq!(until("it has ended", || child.try_wait().unwrap()).code(), Some(0));
}

#[test]
fn a_line_of_the_log_is_one_whatever_is_in_it() {
    let folder = Folder::new();
    let clock = ["--virtual-clock", "2026-01-01T00:00:00Z"];
    let (server, mut log) = Served::start_with_reader(&folder, &[("RUST_LOG", "debug")], &clock);
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    });
    let id = "id-x";
    let resource = json!({
        "id": id, "account": "a", "kind": "ecs", "charging": "prepaid", "started_at": "2025-12-01T00:00:00Z",
        "expires_at": "2026-02-01T00:00:00Z", "term": { "count": 1, "unit": "month" }, "price": "1.00",
    });
    assert_eq!(server.send("POST", "/v1/accounts", ACCOUNT).status, 201);
    let import = json!({ "resources": [resource] }).to_string();
    assert_eq!(server.send("POST", "/v1/resources:import", &import).status, 200);
    let value = "a\u{1b}[2J\u{0}\r\n2026-01-01T00:00:00Z  INFO forged\u{202e}\u{9b}31m\u{2067}";
    let change = json!({ "attributes": { (value): value }, "tags": { (value): value } }).to_string();
    let path = "/v1/resources/id-x";
    assert_eq!(server.send("PATCH", path, &change).status, 200);
    assert_eq!(server.get(&format!("{path}?{}", "%1b%0aforged")).status, 400);
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    let log = reader.join().unwrap();
    assert!(log.contains("forged"), "what happened is told: {log}");
    let turns = |sign: char| matches!(sign, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let steering = log.chars().filter(|sign| (sign.is_control() && *sign != '\n') || turns(*sign));
    assert_eq!(steering.collect::<String>(), "", "{log:?}");
    assert!(!log.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z  INFO forged")), "{log}");
}
