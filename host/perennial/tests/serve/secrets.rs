//! Where the secrets that a server gives out and is shown must not be.

use std::io::Read;

use crate::server::Served;
use crate::server::run;
use crate::support::Folder;

#[test]
fn no_secret_is_in_the_finest_log_or_in_the_files_of_the_database() {
    let folder = Folder::new();
    run(&folder, &[], &["key", "new-secrets-key", "secrets.key"]);
    let environment = [("RUST_LOG", "trace"), ("PERENNIAL_SECRETS_KEY_FILE", "secrets.key")];
    let (server, mut log) = Served::start_with_reader(&folder, &environment, &[]);
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    });
    let made = |path: &str, body: &str, pointer: &str| {
        let answer = server.send("POST", path, body);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json().pointer(pointer).and_then(|secret| secret.as_str()).unwrap().to_owned()
    };
    made("/v1/accounts", r#"{"id": "a", "provider": "huawei", "currency": "CNY", "balance": "0.00"}"#, "/id");
    let token = made("/v1/tokens", r#"{"name": "other", "role": "viewer"}"#, "/secret");
    let key = made("/v1/provider-keys", r#"{"account": "a", "name": "sdk"}"#, "/secret");
    let webhook = made("/v1/webhooks", r#"{"url": "https://example.com/hook"}"#, "/secret");
    let (robot, signing) = ("0123456789robot0123456789", "SEC0123456789signing0123456789");
    let channel = format!(
        r#"{{"kind": "dingtalk", "url": "https://robot.invalid/send?token={robot}", "secret": "{signing}"}}"#
    );
    let channel = made("/v1/channels", &channel, "/id");
    // It is tried, and the robot is not reached.
    assert_eq!(server.send("POST", &format!("/v1/channels/{channel}:test"), "{}").status, 202);
    let calendar = made("/v1/calendars", r#"{"name": "renewals"}"#, "/path");
    // Each is shown once more, as its holder does: well, and where there is nothing.
    assert_eq!(server.get(&calendar).status, 200);
    for secret in [&token, &key, &webhook] {
        assert_eq!(server.get(&format!("/{secret}")).status, 404);
    }
    server.terminate();
    let admin = server.token.clone();
    assert_eq!(server.exit_code(), Some(0));
    let log = reader.join().unwrap();
    assert!(log.contains("/v1/provider-keys"), "the log tells of requests");
    let database = std::fs::read(folder.path("test.db")).unwrap();
    let calendar = calendar.trim_start_matches("/calendars/").trim_end_matches(".ics").to_owned();
    for secret in [admin, token, key, webhook, calendar, robot.to_owned(), signing.to_owned()] {
        assert!(secret.len() > 20, "{secret}");
        assert!(!log.contains(&secret), "{secret} is in the log");
        let is_there = database.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
        assert!(!is_there, "{secret} is in the database");
    }
}
