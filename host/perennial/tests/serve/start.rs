//! What a server refuses to start with, and how it is told to stop.

use std::net::TcpStream;
use std::process::Output;

use expect_test::Expect;
use expect_test::expect;
use perennial_store::ReadTx;
use perennial_store::accounts;

use crate::server::Served;
use crate::server::finish;
use crate::server::run;
use crate::server::token;
use crate::server::until;
use crate::support::Folder;

fn check(ended: &Output, code: i32, expect: Expect) {
    assert_eq!(ended.status.code(), Some(code), "{}", String::from_utf8_lossy(&ended.stderr));
    let said = [&ended.stdout[..], &ended.stderr[..]].concat();
    expect.assert_eq(&String::from_utf8(said).unwrap());
}

#[test]
fn a_configuration_is_checked_without_a_server_or_a_database() {
    let folder = Folder::new();
    let check_config = ["serve", "--config", "perennial.toml", "--check-config"];
    folder.write("perennial.toml", "listen = \"127.0.0.1:8421\"\n[limits]\nrequest_seconds = 5\n");
    check(
        &run(&folder, &[("PERENNIAL_LISTEN", "127.0.0.1:8422")], &check_config),
        0,
        expect![[r#"
            the configuration can be used: http://127.0.0.1:8422
        "#]],
    );
    folder.write("perennial.toml", "[limits]\nrequest_secs = 5\nreaders = 0\n");
    check(
        &run(&folder, &[], &check_config),
        2,
        expect![[r#"
            error: `perennial.toml` cannot be used: 2 problems:
              limits.readers: expected a whole number from 1 to 256, found the number 0
              limits.request_secs: unknown field `request_secs` (did you mean `request_seconds`?)
        "#]],
    );
    folder.write("perennial.toml", "[tls]\ncertificate = \"host.pem\"\nkey = \"host.key\"\n");
    check(
        &run(&folder, &[], &check_config),
        2,
        expect![[r#"
            error: the configuration names files that cannot be read:
              `certificate` of [tls]: cannot read `host.pem`: No such file or directory (os error 2)
              `key` of [tls]: cannot read `host.key`: No such file or directory (os error 2)
        "#]],
    );
    assert!(!folder.path("test.db").exists());
}

#[test]
fn nobody_outside_is_served_before_there_is_a_token() {
    let folder = Folder::new();
    let outside = [("PERENNIAL_LISTEN", "0.0.0.0:0")];
    check(
        &run(&folder, &outside, &["serve"]),
        2,
        expect![[r#"
            error: `0.0.0.0:0` can be reached from outside, and there is no token yet; make one with `perennial token create`
        "#]],
    );
    assert_eq!(std::fs::read_dir(folder.path(".")).unwrap().count(), 0, "no database was made");
    let no_instant = run(&folder, &[], &["serve", "--virtual-clock"]);
    check(
        &no_instant,
        2,
        expect![[r#"
            error: no clock has ticked in this database: say where it starts, such as `--virtual-clock 2026-01-01T00:00:00Z`
        "#]],
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = run(&folder, &[("PERENNIAL_LISTEN", &address)], &["serve"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("; end the program that listens there, or choose another address"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path(".")).unwrap().count(), 0, "no database was made");
    token(&folder);
    // Now there is one, and the port is another's.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = run(&folder, &[("PERENNIAL_LISTEN", &address)], &["serve"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("cannot listen at {address}")), "{said}");
}

#[test]
fn a_token_is_not_created_behind_a_running_server_and_the_error_says_how() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &[]);
    let refused = run(&folder, &[], &["token", "create", "--name", "other", "--role", "viewer"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("changes go through it: name it with `--server`"), "{said}");
    for (words, instead) in [
        (&["warning", "acknowledge", "ecs-1"][..], "changes go through it: name it with `--server`"),
        (
            &["account", "create", "a", "--provider", "huawei", "--currency", "CNY"],
            "changes go through it: name it with `--server`",
        ),
    ] {
        let refused = run(&folder, &[], words);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && said.contains(instead), "{said}");
    }
    let made = server.send("POST", "/v1/tokens", r#"{"name": "other", "role": "viewer"}"#);
    assert_eq!(made.status, 201, "{made:?}");
}

#[test]
fn a_server_that_stops_leaves_a_file_that_is_the_whole_database() {
    for words in [&[][..], &["--virtual-clock", "2026-01-01T00:00:00Z"]] {
        let folder = Folder::new();
        let server = Served::start(&folder, &[], words);
        let made = server.send(
            "POST",
            "/v1/accounts",
            r#"{"id": "a", "provider": "huawei", "currency": "CNY", "balance": "0.00"}"#,
        );
        assert_eq!(made.status, 201, "{made:?}");
        // Readers have read, too.
        assert_eq!(server.get("/v1/accounts/a").status, 200);
        assert_eq!(server.get("/readyz").json()["store"], true);
        server.terminate();
        assert_eq!(server.exit_code(), Some(0));
        let names = std::fs::read_dir(folder.path(".")).unwrap().map(|file| file.unwrap().file_name());
        let mut names = names.collect::<Vec<_>>();
        names.sort();
        assert_eq!(names, ["test.db", "test.db.generation", "test.db.lock"], "{words:?}");
        std::fs::copy(folder.path("test.db"), folder.path("copy.db")).unwrap();
        let copied = ReadTx::open(&folder.path("copy.db")).unwrap();
        assert!(accounts::get(&copied, "a").unwrap().is_some(), "{words:?}");
    }
}

#[test]
fn told_to_stop_it_answers_what_is_under_way_and_takes_nothing_more() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &["--virtual-clock", "2026-01-01T00:00:00Z"]);
    let body = r#"{"id": "a", "provider": "huawei", "currency": "CNY", "balance": "0.00"}"#;
    let under_way = server.under_way("POST", "/v1/accounts", body.len());
    server.terminate();
    until("connections are refused", || TcpStream::connect(&server.address).err());
    let answer = finish(under_way, body);
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(server.exit_code(), Some(0));
    let again = Served::start(&folder, &[], &["--virtual-clock", "2026-01-01T00:00:00Z"]);
    assert_eq!(again.get("/v1/accounts/a").status, 200, "what was answered is written");
}
