//! A log that cannot be written.

use std::fs::File;
use std::net::TcpListener;
use std::net::TcpStream;
use std::process::Stdio;

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
