//! What a command asks: a database, a host, or a host of a profile; and what it says of each that cannot be asked.

use std::io::Read;
use std::io::Write;
use std::net::TcpListener;

use crate::support::Folder;
use crate::support::Ran;
use crate::world::World;

const LIST: [&str; 2] = ["account", "list"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&LIST[..], more].concat()
}

fn assert_fails(ran: &Ran, code: i32, told: &str) {
    assert!(ran.code() == code && ran.stderr().contains(told), "{}: {}", ran.code(), ran.stderr());
}

/// A server that answers every request with this. It ends with its test.
fn answering(answer: &'static str) -> String {
    answering_in_turn(vec![answer.to_owned()])
}

/// A server that answers its requests with these in turn, and then with the last one; an empty one ends the connection.
fn answering_in_turn(answers: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            if stream.read(&mut head).is_ok_and(|read| read > 0) {
                let answer = answers.get(number).or(answers.last()).unwrap();
                drop(stream.write_all(answer.as_bytes()));
            }
        }
    });
    url
}

#[test]
fn a_host_is_named_by_an_option_the_environment_or_a_profile() {
    let world = World::host();
    let (folder, url) = (&world.folder, world.url());
    let named = folder.run(&with(&["--server", &url, "--token-file", "token"])).succeeded().stdout();
    assert!(named.contains("acme-hw"), "{named}");
    let run = |words: &[&str], environment: &[(&str, &str)]| {
        folder.program_with(environment).args(words).output().unwrap()
    };
    let environment = [("PERENNIAL_SERVER", url.as_str()), ("PERENNIAL_TOKEN_FILE", "token")];
    assert_eq!(String::from_utf8(run(&LIST, &environment).stdout).unwrap(), named);
    folder.write("p.toml", &format!("[profiles.test]\nserver = \"{url}\"\ntoken_file = \"token\"\n"));
    let profile = folder.run(&with(&["--config", "p.toml", "--profile", "test"])).succeeded();
    assert_eq!(profile.stdout(), named);
    let profile = [("PERENNIAL_CONFIG", "p.toml"), ("PERENNIAL_PROFILE", "test")];
    assert_eq!(String::from_utf8(run(&LIST, &profile).stdout).unwrap(), named);
    // The command line goes before the environment.
    let other = [("PERENNIAL_SERVER", "http://127.0.0.1:1"), ("PERENNIAL_TOKEN_FILE", "token")];
    let database = run(&with(&["--db", "test.db"]), &other);
    assert_eq!(String::from_utf8(database.stdout).unwrap(), named);
}

#[test]
fn a_host_that_cannot_be_asked_is_refused_with_the_reason() {
    let folder = Folder::new();
    folder.write("token", "pn_0123456789ab_00\n");
    folder.write("empty", "\n");
    folder.write("p.toml", "[profiles.a]\nserver = \"http://example.com\"\ntoken_file = \"token\"\n");
    let token = ["--token-file", "token"];
    let loopback = ["--server", "http://127.0.0.1:1"];
    for (words, code, told) in [
        (&[][..], 1, "there is no database at `perennial.db`"),
        (&["--server", "127.0.0.1:1"], 2, "write one such as `http://127.0.0.1:8420`"),
        (&loopback, 2, "takes a token: name the file that holds it"),
        (&token, 2, "`--token-file` goes with a running host"),
        (&[&loopback[..], &["--token-file", "none"]].concat(), 2, "cannot read `none`"),
        (&[&loopback[..], &["--token-file", "empty"]].concat(), 2, "`empty` holds no token alone"),
        (&[&loopback[..], &token, &["--db", "a.db"]].concat(), 2, "name one of them"),
        (&[&loopback[..], &token, &["--profile", "a"]].concat(), 2, "cannot be used with"),
        (&["--profile", "a"], 2, "the configuration has none; write one below `[profiles]`"),
        (&["--config", "p.toml", "--profile", "b"], 2, "there are `a`"),
        (&["--config", "p.toml", "--profile", "a"], 2, "everybody on the way can read the token"),
        (&[&loopback[..], &token].concat(), 1, "http://127.0.0.1:1 does not answer"),
    ] {
        assert_fails(&folder.run(&with(words)), code, told);
    }
}

#[test]
fn what_reads_files_and_a_database_refuses_to_be_sent_to_a_host() {
    let folder = Folder::new();
    folder.write("a.rhai", "fn rule(plan) { approve() }\n");
    for words in
        [&["policy", "check", "a.rhai"][..], &["policy", "backtest", "a.rhai", "--since", "2026-01-01"]]
    {
        let ran = folder.run(&[words, &["--server", "http://127.0.0.1:1"]].concat());
        assert_fails(&ran, 2, "this command asks no host");
    }
}

#[test]
fn what_reads_a_database_is_not_taken_for_the_host_of_the_environment() {
    let world = World::database();
    world.folder.write("a.rhai", "fn rule(plan) { approve() }\n");
    let environment = [("PERENNIAL_SERVER", "http://127.0.0.1:1"), ("PERENNIAL_TOKEN_FILE", "token")];
    for words in [&["replay", "--all"][..], &["policy", "backtest", "a.rhai", "--since", "2026-01-01"]] {
        let run = |words: &[&str]| world.folder.program_with(&environment).args(words).output().unwrap();
        let refused = run(words);
        let told = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{words:?}: {told}");
        assert!(
            told.contains("`PERENNIAL_SERVER` names a host, and this command reads a database"),
            "{told}"
        );
        let named = run(&[&["--db", "test.db"], words].concat());
        assert_eq!(named.status.code(), Some(0), "{words:?}: {}", String::from_utf8_lossy(&named.stderr));
    }
}

#[test]
fn what_answers_and_is_no_perennial_is_said_and_not_followed() {
    let folder = Folder::new();
    folder.write("token", "pn_0123456789ab_00");
    for (answer, told) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"items\":[]}",
            "with the status 200, is no Perennial",
        ),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", "with the status 404, is no Perennial"),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            "with the status 302, is no Perennial",
        ),
        ("SSH-2.0-OpenSSH_9.7\r\n", "does not answer"),
    ] {
        let url = answering(answer);
        assert_fails(&folder.run(&with(&["--server", &url, "--token-file", "token"])), 1, told);
    }
}

#[test]
fn a_host_of_another_version_is_named_and_one_that_is_busy() {
    let folder = Folder::new();
    folder.write("token", "pn_0123456789ab_00");
    let url = answering(
        "HTTP/1.1 200 OK\r\nX-Perennial-Version: 9.9.9\r\nContent-Length: 31\r\n\r\n{\"items\":[],\"next_cursor\":null}",
    );
    let other = folder.run(&with(&["--server", &url, "--token-file", "token"])).succeeded();
    assert!(other.stderr().contains("of another version than this program"), "{}", other.stderr());
    let url = answering(
        "HTTP/1.1 503 Busy\r\nX-Perennial-Version: 0.1.0\r\nRetry-After: 7\r\nContent-Length: 79\r\n\r\n\
         {\"type\":\"urn:perennial:problem:unavailable\",\"title\":\"Busy\",\"detail\":\"too many\"}",
    );
    let busy = folder.run(&with(&["--server", &url, "--token-file", "token"]));
    assert_fails(&busy, 1, "Busy: too many; try it again in 7 s");
}

#[test]
fn a_token_that_does_not_count_or_may_not_do_it_is_said() {
    let world = World::host();
    world.folder.write("other", "pn_0123456789ab_00");
    let url = world.url();
    let refused = world.folder.run(&with(&["--server", &url, "--token-file", "other"]));
    assert_fails(&refused, 1, "name a file with a token that is in force");
    let viewer =
        world.server.as_ref().unwrap().send("POST", "/v1/tokens", r#"{"name":"v","role":"viewer"}"#).json();
    world.folder.write("other", viewer["secret"].as_str().unwrap());
    let words = ["account", "top-up", "acme-hw", "1.00", "--yes", "--server", &url, "--token-file", "other"];
    assert_fails(&world.folder.run(&words), 1, "this requires the role `operator`");
}

#[test]
fn beside_a_host_a_database_is_looked_at_and_not_changed() {
    let world = World::host();
    let direct = |words: &[&str]| world.folder.run(&[&["--db", "test.db"], words].concat());
    assert!(direct(&LIST).succeeded().stdout().contains("acme-hw"));
    assert_eq!(direct(&["resource", "renew", "evs-1", "--dry-run"]).code(), 3);
    let refused = direct(&["resource", "renew", "evs-1", "--yes"]);
    assert_fails(&refused, 1, "changes go through it: name it with `--server`");
    assert_eq!(world.expiry("evs-1"), "2026-01-31T15:59:59Z");
}

#[test]
fn a_command_on_a_database_leaves_it_whole_and_its_clock_where_it_was() {
    let world = World::database();
    world.tells(&["resource", "renew", "evs-1", "--yes"]);
    for beside in ["test.db-wal", "test.db-shm"] {
        assert!(!world.folder.path(beside).exists(), "{beside} is left");
    }
    world.folder.run(&["--db", "test.db", "db", "check"]).succeeded();
    let planned = world.run(&["resource", "renew", "evs-1", "--dry-run"]).stdout();
    assert!(planned.contains("as of 2026-01-12 00:00 UTC"), "{planned}");
}

/// A response of a host of this version.
fn response(status: &str, body: &serde_json::Value) -> String {
    let (version, body) = (env!("CARGO_PKG_VERSION"), body.to_string());
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nX-Perennial-Version: {version}\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// What a host says of a key under which nothing was done.
fn not_done_yet() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("HTTP/1.1 204 No Content\r\nX-Perennial-Version: {version}\r\n\r\n")
}

/// The answer to a look at a command, whose plan costs this.
fn plan(cost: &str) -> String {
    let step =
        serde_json::json!({ "resource": "ecs-1", "operation": "extend", "cost": cost, "refund": "0.00" });
    let plan = serde_json::json!({
        "resource": "ecs-1", "account": "acme", "command": "renew", "at": "2026-01-01T00:00:00Z", "steps": [step],
        "skipped": [], "refusal": null, "currency": "CNY", "cost": cost, "refund": "0.00", "balance_before": "100.00",
        "balance_after": "0.00", "needs_approval": false, "plan_hash": cost,
    });
    response("200 OK", &serde_json::json!({ "plan": plan, "resource": null, "events": [] }))
}

#[test]
fn a_plan_that_changes_meanwhile_is_shown_anew_and_not_carried_out() {
    let folder = Folder::new();
    folder.write("token", "pn_0123456789ab_00");
    let changed = serde_json::json!({
        "type": "urn:perennial:problem:plan-changed", "title": "The plan of the command has changed", "detail": "look again",
    });
    let url = answering_in_turn(vec![plan("10.00"), response("409 Conflict", &changed), plan("12.00")]);
    let ran = folder.run(&["resource", "renew", "ecs-1", "--yes", "--server", &url, "--token-file", "token"]);
    assert_fails(&ran, 1, "the plan has changed meanwhile; this is what it is now");
    assert!(
        ran.stdout().contains("costs       10.00 CNY") && ran.stdout().contains("costs       12.00 CNY"),
        "{}",
        ran.stdout()
    );
}

#[test]
fn an_answer_that_is_lost_leaves_what_it_takes_to_ask_again_once() {
    let folder = Folder::new();
    folder.write("token", "pn_0123456789ab_00");
    let url = answering_in_turn(vec![not_done_yet(), plan("10.00"), String::new()]);
    let words = [
        "resource",
        "renew",
        "ecs-1",
        "--yes",
        "--idempotency-key",
        "4711",
        "--server",
        &url,
        "--token-file",
        "token",
    ];
    let ran = folder.run(&words);
    assert_fails(
        &ran,
        1,
        "it may be done all the same: run it again with `--plan-hash 10.00 --idempotency-key 4711`",
    );
}

#[test]
fn a_host_proves_who_it_is_before_it_is_shown_a_token() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let files = [("host.pem", certificate.as_str()), ("host.key", &key)];
    let environment = [("PERENNIAL_TLS_CERTIFICATE", "host.pem"), ("PERENNIAL_TLS_KEY", "host.key")];
    let world = World::configured(&files, &environment);
    let (_, port) = world.server.as_ref().unwrap().address.rsplit_once(':').unwrap();
    let profile = |host: &str, trust: &str| {
        let file =
            format!("[profiles.a]\nserver = \"https://{host}:{port}\"\ntoken_file = \"token\"\n{trust}");
        world.folder.write("p.toml", &file);
        world.folder.run(&with(&["--config", "p.toml", "--profile", "a"]))
    };
    let trusted = "certificates = \"host.pem\"\n";
    assert!(profile("localhost", trusted).succeeded().stdout().contains("acme-hw"));
    assert_fails(&profile("localhost", ""), 1, "there is no TLS with it: invalid peer certificate");
    assert_fails(&profile("127.0.0.1", trusted), 1, "there is no TLS with it: invalid peer certificate");
    assert_fails(&profile("localhost", "certificates = \"none.pem\"\n"), 2, "cannot use `none.pem`");
}
