//! A database that is moved or deleted under a running server, and one that is not there.

use std::fs::OpenOptions;
use std::io::BufRead;
use std::io::BufReader;
use std::os::unix::fs::FileExt;
use std::process::Stdio;

use perennial_store::ReadTx;
use perennial_store::channels;
use perennial_store::webhooks;

use crate::server::ApiResponse;
use crate::server::Served;
use crate::server::program;
use crate::server::run;
use crate::server::until;
use crate::support::Folder;

const VIRTUAL: [&str; 2] = ["--virtual-clock", "2026-01-01T00:00:00Z"];
const ACCOUNT: &str = r#"{"id": "a", "provider": "huawei", "currency": "CNY", "balance": "0.00"}"#;

/// The environment and the words of a start.
type Way = (&'static [(&'static str, &'static str)], &'static [&'static str]);

fn top_up(server: &Served) -> ApiResponse {
    server.send("POST", "/v1/accounts/a:top-up", r#"{"amount": "1.00"}"#)
}

#[test]
fn nothing_is_written_to_a_database_that_was_moved_until_it_is_back() {
    let folder = Folder::new();
    let (here, away) = (folder.path("test.db"), folder.path("away.db"));
    let server = Served::start(&folder, &[], &VIRTUAL);
    assert_eq!(server.send("POST", "/v1/accounts", ACCOUNT).status, 201);
    std::fs::rename(&here, &away).unwrap();
    let refused = top_up(&server);
    assert_eq!(refused.kind(), "503 storage-moved");
    let ready = server.get("/readyz");
    assert_eq!((ready.status, &ready.json()["store"]), (503, &false.into()));
    assert!(ready.json()["problems"][0].as_str().unwrap().contains("was moved"), "{ready:?}");
    // Another file under its name is not it.
    std::fs::copy(&away, &here).unwrap();
    assert_eq!(top_up(&server).kind(), "503 storage-moved");
    std::fs::rename(&away, &here).unwrap();
    assert_eq!(top_up(&server).json()["account"]["balance"], "1.00");
    assert_eq!(server.get("/readyz").status, 200);
}

#[test]
fn a_database_that_was_deleted_is_noticed_by_itself_and_told_at_the_end() {
    for clock in [&VIRTUAL[..], &[]] {
        let folder = Folder::new();
        let server = Served::start(&folder, &[], clock);
        assert_eq!(server.figure("perennial_storage_writable"), 1);
        std::fs::remove_file(folder.path("test.db")).unwrap();
        until("it is noticed", || (server.figure("perennial_storage_writable") == 0).then_some(()));
        server.terminate();
        assert_eq!(server.exit_code(), Some(1), "{clock:?}");
    }
}

#[test]
fn a_clock_whose_database_was_deleted_ends() {
    let folder = Folder::new();
    crate::support::overdue::database(&folder, 1, "test.db", false);
    let mut child = program(&folder, &[]).arg("run").stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    while !told.contains("the clock runs") {
        assert_ne!(log.read_line(&mut told).unwrap(), 0, "{told}");
    }
    std::fs::remove_file(folder.path("test.db")).unwrap();
    let code = until("the clock has ended", || child.try_wait().unwrap()).code();
    assert_eq!(code, Some(1));
}

#[test]
fn a_log_deleted_under_a_live_host_is_noticed_and_loses_nothing() {
    for ending in ["-wal", "-shm"] {
        let folder = Folder::new();
        let server = Served::start(&folder, &[], &VIRTUAL);
        assert_eq!(server.send("POST", "/v1/accounts", ACCOUNT).status, 201);
        assert_eq!(top_up(&server).status, 200);
        std::fs::remove_file(folder.path(&format!("test.db{ending}"))).unwrap();
        let refused = top_up(&server);
        assert_eq!(refused.kind(), "503 storage-moved", "{ending}");
        let ready = server.get("/readyz");
        assert_eq!((ready.status, &ready.json()["store"]), (503, &false.into()));
        let problem = ready.json()["problems"][0].as_str().unwrap().to_owned();
        assert!(problem.contains("`-wal`") && problem.contains("start it again"), "{problem}");
        // Killed, so that nothing is put in order at the end.
        drop(server);
        let server = Served::start(&folder, &[], &VIRTUAL);
        assert_eq!(server.get("/v1/accounts/a").json()["balance"], "1.00", "{ending}");
        assert_eq!(top_up(&server).status, 200);
        server.terminate();
        assert_eq!(server.exit_code(), Some(0));
    }
}

#[test]
fn a_log_deleted_under_an_idle_host_is_noticed_by_itself() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &VIRTUAL);
    assert_eq!(server.send("POST", "/v1/accounts", ACCOUNT).status, 201);
    let log = folder.path("test.db-wal");
    std::fs::rename(&log, folder.path("away")).unwrap();
    until("it is noticed", || (server.figure("perennial_storage_writable") == 0).then_some(()));
    std::fs::rename(folder.path("away"), &log).unwrap();
    until("it is well again", || (server.figure("perennial_storage_writable") == 1).then_some(()));
    assert_eq!(top_up(&server).status, 200);
    std::fs::remove_file(log).unwrap();
    server.terminate();
    assert_eq!(server.exit_code(), Some(1), "it is told at the end");
    let server = Served::start(&folder, &[], &VIRTUAL);
    assert_eq!(server.get("/v1/accounts/a").json()["balance"], "1.00");
}

#[test]
fn pages_overwritten_under_a_live_host_end_in_errors_and_not_in_a_crash() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &VIRTUAL);
    assert_eq!(server.send("POST", "/v1/accounts", ACCOUNT).status, 201);
    server.terminate();
    assert_eq!(server.exit_code(), Some(0), "all of it is in the file now, and nothing in the log");
    let server = Served::start(&folder, &[], &VIRTUAL);
    let file = OpenOptions::new().write(true).open(folder.path("test.db")).unwrap();
    let length = usize::try_from(file.metadata().unwrap().len()).unwrap();
    file.write_all_at(&vec![0xa5; length - 4096], 4096).unwrap();
    let mut refused = 0;
    for path in ["/v1/accounts", "/v1/accounts/a", "/v1/resources", "/v1/events", "/v1/jobs", "/v1/orders"] {
        let answer = server.get(path);
        assert!([200, 401, 500, 503].contains(&answer.status), "{path}: {answer:?}");
        refused += u32::from(answer.status >= 500);
    }
    let written = top_up(&server);
    assert!(written.status >= 400, "{written:?}");
    assert!(refused > 0, "somebody has to hear of it");
    assert_eq!(server.get("/healthz").status, 200);
    drop(server);
    let checked = run(&folder, &[], &["db", "check"]);
    assert!(!checked.status.success(), "{checked:?}");
}

#[test]
fn a_server_that_makes_a_database_says_so() {
    let folder = Folder::new();
    for is_new in [true, false] {
        let mut child = program(&folder, &[]).arg("serve").stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut told = String::new();
        while !told.contains("the host serves db=") {
            assert_ne!(log.read_line(&mut told).unwrap(), 0, "{told}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(told.contains("a new one was made"), is_new, "{told}");
    }
}

#[test]
fn where_a_database_must_be_none_is_made() {
    let folder = Folder::new();
    folder.write("must.toml", "[database]\nmust_exist = true\n");
    let ways: [Way; 4] = [
        (&[], &["serve", "--must-exist"]),
        (&[], &["serve", "--config", "must.toml"]),
        (&[("PERENNIAL_DATABASE_MUST_EXIST", "true")], &["serve"]),
        (&[], &["run"]),
    ];
    for expected in ["there is no database at `test.db`", "`test.db` is an empty file and no database"] {
        for (environment, words) in ways {
            let refused = run(&folder, environment, words);
            let said = String::from_utf8(refused.stderr).unwrap();
            assert_eq!(refused.status.code(), Some(1), "{words:?}: {said}");
            assert!(said.contains(expected), "{words:?}: {said}");
        }
        let is_there = folder.path("test.db").exists();
        assert_eq!(is_there, expected.contains("empty"), "{expected}");
        folder.write("test.db", "");
    }
}

#[cfg(unix)]
#[test]
fn files_with_secrets_that_others_can_read_are_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    run(&folder, &[], &["key", "new-secrets-key", "secrets.key"]);
    let environment = [("PERENNIAL_SECRETS_KEY_FILE", "secrets.key")];
    for is_wide in [false, true] {
        let (server, told) = Served::start_logged(&folder, &environment, &VIRTUAL);
        drop(server);
        for (file, mode) in [("test.db", 0o666), ("secrets.key", 0o640)] {
            let warning = format!("file={file} mode=\"{mode:o}\"");
            assert_eq!(told.contains(&warning), is_wide, "{told}");
            std::fs::set_permissions(folder.path(file), PermissionsExt::from_mode(mode)).unwrap();
        }
    }
}

#[test]
fn urls_of_channels_are_sealed_once_there_is_a_key_and_need_it_then() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &VIRTUAL);
    let channel = r#"{"kind": "slack", "url": "https://robot.invalid/services/hidden"}"#;
    assert_eq!(server.send("POST", "/v1/channels", channel).status, 201);
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    let kept = || {
        let channels = channels::list(&ReadTx::open(&folder.path("test.db")).unwrap()).unwrap();
        channels.into_iter().next().unwrap().target.credentials.unwrap()
    };
    assert!(String::from_utf8(kept()).unwrap().contains("hidden"), "it is there as it is");
    run(&folder, &[], &["key", "new-secrets-key", "secrets.key"]);
    let environment = [("PERENNIAL_SECRETS_KEY_FILE", "secrets.key")];
    drop(Served::start(&folder, &environment, &VIRTUAL));
    let sealed = kept();
    assert!(!sealed.windows(6).any(|part| part == b"hidden"), "{sealed:?}");
    let refused = run(&folder, &[], &["serve", "--virtual-clock"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("the URL of the channel ch_") && said.contains("there is no key"), "{said}");
}

#[test]
fn webhook_secrets_are_sealed_once_there_is_a_key_and_need_it_then() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &VIRTUAL);
    assert_eq!(server.send("POST", "/v1/webhooks", r#"{"url": "https://example.com/"}"#).status, 201);
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    let kept = || {
        let webhooks = webhooks::list(&ReadTx::open(&folder.path("test.db")).unwrap()).unwrap();
        webhooks.into_iter().next().unwrap().secret
    };
    let secret = kept();
    assert_eq!(secret.len(), 32, "it is there as it is");
    run(&folder, &[], &["key", "new-secrets-key", "secrets.key"]);
    let environment = [("PERENNIAL_SECRETS_KEY_FILE", "secrets.key")];
    drop(Served::start(&folder, &environment, &VIRTUAL));
    let sealed = kept();
    assert!(!sealed.windows(8).any(|part| part == &secret[..8]), "{sealed:?}");
    drop(Served::start(&folder, &environment, &VIRTUAL));
    assert_eq!(kept(), sealed);
    let refused = run(&folder, &[], &["serve", "--virtual-clock"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("the secret of the webhook wh_") && said.contains("there is no key"), "{said}");
}
