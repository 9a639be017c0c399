//! A database that was set back: by a backup, or by another file in its place.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use perennial_test_support::bce::draft;
use perennial_test_support::provider_server::Key;
use serde_json::Value;
use serde_json::json;

use crate::server::Served;
use crate::server::finish;
use crate::server::run;
use crate::support::Folder;

const START: [&str; 2] = ["--virtual-clock", "2026-01-01T00:00:00Z"];
const AGAIN: [&str; 1] = ["--virtual-clock"];
const WEEK_LATER: &str = r#"{"to": "2026-01-09T00:00:00Z"}"#;

fn inventory() -> String {
    let resource = |id: &str, day: u32| {
        json!({
            "id": id, "account": "a", "kind": "ecs", "region": "r", "charging": "prepaid", "on_expiry": "renew",
            "started_at": "2025-12-01T00:00:00Z", "expires_at": format!("2026-01-{day}T15:59:59Z"),
            "term": { "count": 1, "unit": "month" }, "price": "30.00",
        })
    };
    let account = json!({ "id": "a", "provider": "huawei", "currency": "CNY", "balance": "100.00" });
    json!({ "accounts": [account], "resources": [resource("sooner", 10), resource("later", 24)] }).to_string()
}

fn items(server: &Served, path: &str) -> Vec<Value> {
    server.get(path).json()["items"].as_array().unwrap().clone()
}

fn balance(server: &Served) -> String {
    server.get("/v1/accounts/a").json()["balance"].as_str().unwrap().to_owned()
}

/// The number within an event's id.
fn number(event: &Value) -> i64 {
    i64::from_str_radix(event["id"].as_str().unwrap().trim_start_matches('c'), 16).unwrap()
}

fn stop(server: Served) {
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
}

/// A host whose database was copied, and which went on for a week then: `sooner` was renewed. What the last event's number is.
fn lived(folder: &Folder) -> i64 {
    let server = Served::start(folder, &[], &START);
    assert_eq!(server.send("POST", "/v1/resources:import", &inventory()).status, 200);
    run(folder, &[], &["db", "backup", "backup.db"]);
    assert_eq!(server.send("POST", "/v1/clock:advance", WEEK_LATER).status, 200);
    assert_eq!(balance(&server), "70.00", "one was renewed");
    assert_eq!(server.figure("perennial_database_generation"), 0);
    let last = items(&server, "/v1/events?limit=1000").iter().map(number).max().unwrap();
    stop(server);
    last
}

/// Puts the backup in the place of the database.
const RESTORE: [&str; 4] = ["db", "restore", "backup.db", "--yes"];

#[test]
fn a_database_that_was_set_back_says_so_and_pays_nothing_again_by_itself() {
    for is_restored in [true, false] {
        let folder = Folder::new();
        let last = lived(&folder);
        if is_restored {
            assert!(run(&folder, &[], &RESTORE).status.success());
        } else {
            std::fs::copy(folder.path("backup.db"), folder.path("test.db")).unwrap();
        }
        // What writes to it before a host starts says so, and does not hide it.
        let written = run(&folder, &[], &["token", "create", "--name", "x", "--role", "viewer"]);
        assert!(written.status.success());
        let told = String::from_utf8_lossy(&written.stderr).into_owned();
        let server = Served::start(&folder, &[], &AGAIN);
        assert!(told.contains("the database was set back") && told.contains("generation=1"), "{told}");
        assert_eq!(server.figure("perennial_database_generation"), 1);
        assert_eq!(server.send("POST", "/v1/clock:advance", WEEK_LATER).status, 200);
        assert_eq!(balance(&server), "100.00", "it may be paid already");
        let approvals = items(&server, "/v1/approvals?state=pending");
        assert_eq!(approvals.len(), 1, "{approvals:?}");
        assert_eq!(approvals[0]["resource"], "sooner");
        let why = "the database was set back since it was due: it may be paid already";
        let policy = json!({ "policy": "approval_above", "reason": why, "by": null, "given_by": null });
        assert_eq!(approvals[0]["required"], json!([policy]));
        let explained = server.get("/v1/resources/sooner/explanation").body;
        assert!(explained.contains(&format!("because {why}")), "{explained}");
        let new = items(&server, "/v1/events?limit=1000")
            .iter()
            .map(number)
            .filter(|number| *number > last)
            .count();
        assert!(new > 1, "what happens from now on has ids that nothing lost had");
        stop(server);

        let listed = run(&folder, &[], &["approvals", "list", "--state", "pending"]).stdout;
        let listed = String::from_utf8(listed).unwrap();
        assert!(listed.contains(&format!("approval_above: {why}")), "{listed}");

        // It is told once; what is due later is paid as ever.
        let (server, told) = Served::start_logged(&folder, &[], &AGAIN);
        assert!(!told.contains("set back"), "{told}");
        assert_eq!(server.figure("perennial_database_generation"), 1);
        let approve = format!("/v1/approvals/{}:approve", approvals[0]["id"].as_str().unwrap());
        assert_eq!(server.send("POST", &approve, "{}").status, 200);
        assert_eq!(server.send("POST", "/v1/clock:advance", r#"{"to": "2026-01-23T00:00:00Z"}"#).status, 200);
        assert_eq!(balance(&server), "40.00", "the approved one, and the one that is due later");
        let settled = items(&server, "/v1/events?limit=1000&type=renewal_settled");
        assert_eq!(settled.len(), 2, "{settled:?}");
        stop(server);
    }
}

#[test]
fn what_may_be_paid_already_is_not_paid_by_a_later_try_either() {
    for on_undecided in ["lapse", "renew"] {
        let folder = Folder::new();
        lived(&folder);
        assert!(run(&folder, &[], &RESTORE).status.success());
        let server = Served::start(&folder, &[], &AGAIN);
        let settings = json!({ "settings": { "on_undecided": on_undecided } }).to_string();
        assert_eq!(server.send("PATCH", "/v1/accounts/a", &settings).status, 200);
        // The tries go on behind the time that was lost, and end without a decision.
        for until in ["2026-01-09T00:00:00Z", "2026-01-09T20:00:00Z", "2026-01-11T00:00:00Z"] {
            assert_eq!(
                server.send("POST", "/v1/clock:advance", &json!({ "to": until }).to_string()).status,
                200
            );
            assert_eq!(balance(&server), "100.00", "{on_undecided}, {until}");
        }
        let approvals = items(&server, "/v1/approvals");
        let ends = approvals.iter().map(|approval| (&approval["state"], &approval["expiry_reason"]));
        assert_eq!(ends.collect::<Vec<_>>(), [(&json!("expired"), &json!("undecided"))], "{on_undecided}");
    }
}

#[test]
fn a_database_that_was_set_back_after_a_kill_is_noticed_too() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &START);
    assert_eq!(server.send("POST", "/v1/resources:import", &inventory()).status, 200);
    run(&folder, &[], &["db", "backup", "backup.db"]);
    assert_eq!(server.send("POST", "/v1/clock:advance", WEEK_LATER).status, 200);
    // Killed at once, before anything but the payment was written.
    drop(server);
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.path(&format!("test.db{ending}")));
    }
    std::fs::copy(folder.path("backup.db"), folder.path("test.db")).unwrap();
    let (server, told) = Served::start_logged(&folder, &[], &AGAIN);
    assert!(told.contains("the database was set back"), "{told}");
    assert_eq!(server.send("POST", "/v1/clock:advance", WEEK_LATER).status, 200);
    assert_eq!(balance(&server), "100.00", "it may be paid already");
}

#[test]
fn a_database_that_is_made_anew_is_none_that_was_set_back() {
    let folder = Folder::new();
    lived(&folder);
    std::fs::remove_file(folder.path("test.db")).unwrap();
    let (server, told) = Served::start_logged(&folder, &[], &START);
    assert!(!told.contains("set back"), "{told}");
    assert_eq!(server.send("POST", "/v1/resources:import", &inventory()).status, 200);
    assert_eq!(server.send("POST", "/v1/clock:advance", WEEK_LATER).status, 200);
    assert_eq!(balance(&server), "70.00");
}

#[test]
fn a_pending_approval_says_that_it_may_be_paid_and_needs_a_person() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &START);
    assert_eq!(server.send("POST", "/v1/resources:import", &inventory()).status, 200);
    let settings = json!({ "approval_above": "5.00", "settings": { "on_undecided": "renew" } }).to_string();
    assert_eq!(server.send("PATCH", "/v1/accounts/a", &settings).status, 200);
    assert_eq!(server.send("POST", "/v1/clock:advance", r#"{"to": "2026-01-04T00:00:00Z"}"#).status, 200);
    let approval = items(&server, "/v1/approvals?state=pending").remove(0);
    assert_eq!(approval["required"][0]["reason"], "");
    run(&folder, &[], &["db", "backup", "backup.db"]);
    let approve = format!("/v1/approvals/{}:approve", approval["id"].as_str().unwrap());
    let approved = server.send("POST", &approve, "{}");
    assert_eq!((approved.status, balance(&server).as_str()), (200, "70.00"), "{}", approved.body);
    stop(server);

    assert!(run(&folder, &[], &RESTORE).status.success());
    let server = Served::start(&folder, &[], &AGAIN);
    let why = "the database was set back since it was due: it may be paid already";
    let required = json!([{ "policy": "approval_above", "reason": why, "by": null, "given_by": null }]);
    assert_eq!(items(&server, "/v1/approvals?state=pending")[0]["required"], required);
    assert_eq!(server.send("POST", "/v1/clock:advance", r#"{"to": "2026-01-11T00:00:00Z"}"#).status, 200);
    assert_eq!(balance(&server), "100.00", "nobody decided, and it may be paid already");
}

#[test]
fn what_may_be_paid_already_is_not_paid_once_it_is_no_longer_declined() {
    let folder = Folder::new();
    let condition = |server: &Served, value: &str| {
        let body = json!({ "attributes": { "condition": value } }).to_string();
        assert_eq!(server.send("PATCH", "/v1/resources/sooner", &body).status, 200);
    };
    let advance = |server: &Served, to: &str| {
        assert_eq!(server.send("POST", "/v1/clock:advance", &json!({ "to": to }).to_string()).status, 200);
    };
    let server = Served::start(&folder, &[], &START);
    assert_eq!(server.send("POST", "/v1/resources:import", &inventory()).status, 200);
    condition(&server, "processing-order");
    advance(&server, "2026-01-02T00:00:00Z");
    run(&folder, &[], &["db", "backup", "backup.db"]);
    condition(&server, "");
    advance(&server, "2026-01-05T00:00:00Z");
    assert_eq!(balance(&server), "70.00", "it was renewed in the time that is lost");
    stop(server);

    assert!(run(&folder, &[], &RESTORE).status.success());
    let server = Served::start(&folder, &[], &AGAIN);
    advance(&server, "2026-01-06T00:00:00Z");
    condition(&server, "");
    advance(&server, "2026-01-11T00:00:00Z");
    assert_eq!(balance(&server), "100.00", "it may be paid already");
    let requested = items(&server, "/v1/approvals");
    assert_eq!(requested[0]["resource"], "sooner", "{requested:?}");
    // What is due after the time that is lost is paid as ever.
    advance(&server, "2026-01-20T00:00:00Z");
    assert_eq!(balance(&server), "70.00");
}

#[test]
fn a_package_that_was_to_be_paid_in_the_lost_time_waits_for_a_person() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &START);
    let package = json!({
        "id": "pkg", "account": "a", "kind": "package", "region": "r", "charging": "prepaid", "price": "30.00",
        "started_at": "2026-01-01T00:00:00Z", "expires_at": "2026-03-31T15:59:59Z", "anchor_day": 31,
        "term": { "count": 1, "unit": "month" }, "quota": "100.0", "used": "0.0", "unit": "vCPU-hour",
        "resource_type": "cci",
    });
    let account = json!({ "id": "a", "provider": "huawei", "currency": "CNY", "balance": "100.00" });
    let inventory = json!({ "accounts": [account], "resources": [package] }).to_string();
    assert_eq!(server.send("POST", "/v1/resources:import", &inventory).status, 200);
    let later = r#"{"pay_at": "2026-01-05T00:00:00Z", "effective_at": "2026-01-06T00:00:00Z"}"#;
    assert_eq!(server.send("POST", "/v1/resources/pkg:buy-again", later).status, 200);
    run(&folder, &[], &["db", "backup", "backup.db"]);
    assert_eq!(server.send("POST", "/v1/clock:advance", WEEK_LATER).status, 200);
    assert_eq!(balance(&server), "70.00", "it was paid");
    stop(server);
    assert!(run(&folder, &[], &RESTORE).status.success());

    let server = Served::start(&folder, &[], &AGAIN);
    assert_eq!(server.send("POST", "/v1/clock:advance", WEEK_LATER).status, 200);
    assert_eq!(balance(&server), "100.00", "it may be paid already");
    let approvals = items(&server, "/v1/approvals?state=pending");
    let waiting = approvals.iter().map(|approval| (&approval["resource"], &approval["cost"]));
    assert_eq!(waiting.collect::<Vec<_>>(), [(&json!("pkg"), &json!("30.00"))]);
    let approve = format!("/v1/approvals/{}:approve", approvals[0]["id"].as_str().unwrap());
    // It takes effect later than it was to, and that is looked at first.
    assert_eq!(server.send("POST", &approve, "{}").status, 409);
    let approved = server.send("POST", &approve, "{}");
    assert_eq!((approved.status, balance(&server).as_str()), (200, "70.00"), "{}", approved.body);
    stop(server);
}

#[test]
fn a_job_that_may_have_gone_on_in_the_lost_time_is_cancelled() {
    const COUNT: usize = 4_000;
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &START);
    let resource = |number: usize| {
        json!({
            "id": format!("ecs-{number}"), "account": "a", "kind": "ecs", "region": "r", "charging": "prepaid",
            "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-03-31T15:59:59Z", "price": "1.00",
            "term": { "count": 1, "unit": "month" },
        })
    };
    let account = json!({ "id": "a", "provider": "huawei", "currency": "CNY", "balance": "9000.00" });
    let resources = (0..COUNT).map(resource).collect::<Vec<_>>();
    let inventory = json!({ "accounts": [account], "resources": resources }).to_string();
    assert_eq!(server.send("POST", "/v1/resources:import", &inventory).status, 200);
    let job = r#"{"command": {"renew": {}}, "filter": {"account": "a"}}"#;
    assert_eq!(server.send("POST", "/v1/jobs", job).status, 202);
    run(&folder, &[], &["db", "backup", "backup.db"]);
    // The clock leaves an instant when what was asked for at it is done.
    assert_eq!(server.send("POST", "/v1/clock:advance", WEEK_LATER).status, 200);
    assert_eq!(balance(&server), "5000.00");
    stop(server);
    assert!(run(&folder, &[], &RESTORE).status.success());

    let server = Served::start(&folder, &[], &AGAIN);
    let done = |job: &Value| job["outcomes"]["applied"].as_u64().unwrap_or_default();
    let job = server.get("/v1/jobs/job-1").json();
    assert_eq!(job["state"], "cancelled", "the backup has it running: {job}");
    assert!(
        job["cancel_reason"].as_str().unwrap().starts_with("the database was set back while it ran"),
        "{job}"
    );
    assert_eq!(server.send("POST", "/v1/clock:advance", WEEK_LATER).status, 200);
    assert_eq!(balance(&server), format!("{}.00", 9000 - done(&job)));
    assert_eq!(done(&server.get("/v1/jobs/job-1").json()), done(&job));
    stop(server);
}

/// Longer than a message takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a webhook sends to: takes every message, and gives its id.
fn receiver() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (out, ids) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut lines = BufReader::new(stream.unwrap());
            let (mut id, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if lines.read_line(&mut line).unwrap_or(0) == 0 || line.trim_end().is_empty() {
                    break;
                }
                match line.trim_end().split_once(": ") {
                    Some(("webhook-id", value)) => id = value.to_owned(),
                    Some(("content-length", value)) => length = value.parse().unwrap(),
                    Some(_) | None => {}
                }
            }
            if lines.read_exact(&mut vec![0; length]).is_ok() && length > 0 {
                // Whether the host is still there to read the answer does not matter.
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                drop((lines.into_inner().write_all(answer), out.send(id)));
            }
        }
    });
    (url, ids)
}

/// Renews `i-1` through Baidu's own API with this client token, as its SDK does; the status.
fn renew(server: &Served, key: &Key, token: &str) -> u16 {
    // Two requests of one second have one signature.
    let now = server.get("/v1/clock").json()["now"].as_str().unwrap().parse().unwrap();
    let target = format!("/v2/instance/i-1?clientToken={token}&purchaseReserved=");
    let body = r#"{"billing":{"reservation":{"reservationLength":1,"reservationTimeUnit":"Month"}}}"#;
    let request = draft("PUT", &target, body).signed(key, now);
    let mut stream = TcpStream::connect(server.provider_address.clone().unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = request.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<String>();
    write!(stream, "PUT {target} HTTP/1.1\r\n{head}Connection: close\r\n\r\n").unwrap();
    finish(stream, body).status
}

fn advance(server: &Served, to: &str) {
    assert_eq!(server.send("POST", "/v1/clock:advance", &json!({ "to": to }).to_string()).status, 200);
}

#[test]
fn a_renewal_sent_again_after_a_set_back_waits_for_a_person() {
    let folder = Folder::new();
    let secrets = "00".repeat(32);
    let environment = [
        ("PERENNIAL_LISTEN_BAIDU", "127.0.0.1:0"),
        ("PERENNIAL_SECRETS_KEY", secrets.as_str()),
        ("PERENNIAL_WEBHOOKS_ALLOW_PRIVATE", "true"),
    ];
    let (url, messages) = receiver();
    let server = Served::start(&folder, &environment, &START);
    let resource = json!({
        "id": "i-1", "account": "a", "kind": "bcc", "region": "bj", "charging": "prepaid", "on_expiry": "lapse",
        "started_at": "2025-12-20T02:00:00Z", "expires_at": "2026-01-20T02:00:00Z",
        "term": { "count": 1, "unit": "month" }, "price": "100.00",
    });
    let account = json!({ "id": "a", "provider": "baidu", "currency": "CNY", "balance": "1000.00" });
    let inventory = json!({ "accounts": [account], "resources": [resource] }).to_string();
    let imported = server.send("POST", "/v1/resources:import", &inventory);
    assert_eq!(imported.status, 200, "{imported:?}");
    let made = server.send("POST", "/v1/provider-keys", r#"{"account": "a", "name": "k"}"#).json();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let key = Key { access_key: word(&made["key"]["access_key"]), secret: word(&made["secret"]) };
    let webhook = json!({ "url": url, "types": ["renewal_settled"] }).to_string();
    assert_eq!(server.send("POST", "/v1/webhooks", &webhook).status, 201);
    run(&folder, &environment, &["db", "backup", "backup.db"]);
    assert_eq!(renew(&server, &key, "t-1"), 200);
    assert_eq!(balance(&server), "900.00");
    let lost = messages.recv_timeout(PATIENCE).unwrap();
    advance(&server, "2026-01-02T00:00:00Z");
    stop(server);

    // Its client has had no answer, or asks again to be sure. Nobody here knows that it was paid.
    assert!(run(&folder, &environment, &RESTORE).status.success());
    let server = Served::start(&folder, &environment, &AGAIN);
    for to in ["2026-01-01T00:00:10Z", "2026-01-01T00:00:20Z"] {
        advance(&server, to);
        assert_eq!(renew(&server, &key, "t-1"), 200, "as with everything that waits for an approval");
        assert_eq!(balance(&server), "1000.00", "it may be paid already");
    }
    let approvals = items(&server, "/v1/approvals?state=pending");
    assert_eq!(approvals.len(), 1, "{approvals:?}");
    let why = "the database was set back since it was due: it may be paid already";
    assert_eq!(approvals[0]["required"][0]["reason"], why);
    let approve = format!("/v1/approvals/{}:approve", approvals[0]["id"].as_str().unwrap());
    assert_eq!(server.send("POST", &approve, "{}").status, 200);
    assert_eq!(balance(&server), "900.00");
    advance(&server, "2026-01-01T00:00:30Z");
    assert_eq!(renew(&server, &key, "t-1"), 200, "the token is known now");
    assert_eq!(balance(&server), "900.00");
    let anew = messages.recv_timeout(PATIENCE).unwrap();
    assert_ne!(anew, lost, "who had the lost event takes the new one for another");

    // A day after the time that was lost no token of it counts any more.
    advance(&server, "2026-01-03T00:00:01Z");
    assert_eq!(renew(&server, &key, "t-2"), 200);
    assert_eq!(balance(&server), "800.00");
    assert!(messages.recv_timeout(PATIENCE).is_ok());
}

#[test]
fn a_mark_that_cannot_be_read_is_taken_for_a_set_back() {
    let folder = Folder::new();
    lived(&folder);
    std::fs::copy(folder.path("backup.db"), folder.path("test.db")).unwrap();
    std::fs::write(folder.path("test.db.generation"), "").unwrap();
    let (server, told) = Served::start_logged(&folder, &[], &AGAIN);
    assert!(told.contains("nobody knows whether the database was set back"), "{told}");
    assert_eq!(server.send("POST", "/v1/clock:advance", WEEK_LATER).status, 200);
    assert_eq!(balance(&server), "100.00", "it may be paid already");
    assert_eq!(items(&server, "/v1/approvals?state=pending").len(), 1);
    stop(server);
}

#[test]
fn a_mark_that_cannot_be_written_keeps_the_host_from_being_ready() {
    let folder = Folder::new();
    folder.run(&["db", "migrate"]);
    std::fs::create_dir(folder.path("test.db.generation.partial")).unwrap();
    let (server, _) = Served::start_logged(&folder, &[], &START);
    std::fs::remove_file(folder.path("test.db.generation")).ok();
    std::fs::create_dir(folder.path("test.db.generation")).unwrap();
    assert_eq!(server.send("POST", "/v1/resources:import", &inventory()).status, 200);
    let ready = server.get("/readyz");
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("would not be noticed if the database were set back"), "{}", ready.body);
    std::fs::remove_dir(folder.path("test.db.generation")).unwrap();
    std::fs::remove_dir(folder.path("test.db.generation.partial")).unwrap();
    let top_up = server.send("POST", "/v1/accounts/a:top-up", r#"{"amount": "1.00"}"#);
    assert_eq!(top_up.status, 200, "{}", top_up.body);
    assert_eq!(server.get("/readyz").status, 200);
    stop(server);
}
