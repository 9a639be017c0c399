//! The program as a process: killed, stopped, and started twice.
//!
//! The databases are made here, with everything long overdue: resources of 2024, imported on virtual time. Each of them
//! has come to an end by the time that anybody runs this, so what time it really is changes nothing.

#[path = "support/mod.rs"]
mod support;

use std::io::Read;
use std::path::Path;
use std::process::Child;
use std::process::Stdio;

use perennial::engine::Engine;
use perennial::engine::Keep;
use perennial::store;
use perennial::store::Store;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;

use crate::support::Folder;

/// 2024-01-01T00:00:00Z, when everything begins.
const FROM: &str = "2024-01-01T00:00:00Z";

/// Twelve bundles of both providers, of which some are renewed until the money is gone.
fn inventory() -> String {
    let mut resources = Vec::new();
    for number in 0..12 {
        let (account, kind, along) =
            if number % 2 == 0 { ("hw", "ecs", "evs") } else { ("bd", "bcc", "cds") };
        let on_expiry = if number % 5 == 4 { "lapse" } else { "renew" };
        let resource = |id: String, kind: &str, price: u32, attached_to: serde_json::Value| {
            serde_json::json!({
                "id": id, "account": account, "kind": kind, "region": "r", "charging": "prepaid",
                "started_at": "2023-10-01T00:00:00Z", "expires_at": format!("2024-01-{:02}T10:00:00Z", 2 + 2 * number),
                "term": { "count": 1 + number % 3, "unit": "month" }, "price": format!("{price}.00"),
                "on_expiry": on_expiry, "attached_to": attached_to,
            })
        };
        let id = format!("{kind}-{number}");
        resources.push(resource(format!("{along}-{number}"), along, 5 + number, id.clone().into()));
        resources.push(resource(id, kind, 20 + number, serde_json::Value::Null));
    }
    let account = |id: &str, provider: &str| serde_json::json!({ "id": id, "provider": provider, "mode": "managed", "currency": "CNY", "balance": "900.00" });
    serde_json::json!({ "accounts": [account("hw", "huawei"), account("bd", "baidu")], "resources": resources }).to_string()
}

/// A database in which everything since 2024 is overdue; `ticked` says that the clock was up in the beginning.
fn overdue(folder: &Folder, name: &str, ticked: bool) -> std::path::PathBuf {
    let path = folder.path(name);
    let providers = folder.providers();
    let inventory = folder.read_inventory(&inventory(), &providers);
    let from = FROM.parse::<Timestamp>().unwrap();
    // Without the lock that keeps others out: a process that another test is just starting would inherit it.
    let mut engine = Engine::new(Store::scratch(&path).unwrap(), providers, Keep::Everything);
    let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
    engine.import(from, &inventory.accounts, bundles).unwrap();
    if ticked {
        engine.run_to(from + 3600, &mut |_, _| {}).unwrap();
    }
    path
}

fn start(folder: &Folder, db: &Path) -> Child {
    let mut command = folder.program();
    command.env("RUST_LOG", "warn").arg("--db").arg(db).args(["run", "--batch", "1"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until `is_so` of what is committed, while the process lives.
fn wait_until(child: &mut Child, db: &Path, is_so: impl Fn(&Connection) -> bool) {
    let connection = store::open_for_reading(db).unwrap();
    while !is_so(&connection) {
        if let Some(status) = child.try_wait().unwrap() {
            let mut told = String::new();
            child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
            panic!("the process ended by itself, {status}: {told}");
        }
        std::thread::yield_now();
    }
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn events(connection: &Connection) -> i64 {
    number(connection, "select count(*) from event")
}

/// The clock has come to the present: past 2024, whatever year it is.
fn is_done(connection: &Connection) -> bool {
    number(connection, "select coalesce(ticked_at, 0) > 1735689600 from clock") == 1
}

/// Runs until everything is done, then stops the process as an operator does.
fn finish(folder: &Folder, db: &Path) {
    let mut child = start(folder, db);
    wait_until(&mut child, db, is_done);
    terminate(&child);
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}: {}", ended.status, String::from_utf8_lossy(&ended.stderr));
}

fn terminate(child: &Child) {
    let sent = std::process::Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
}

/// The rows of a query as text.
fn rows(db: &Path, sql: &str) -> Vec<String> {
    let connection = store::open_for_reading(db).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells =
            (0..columns).map(|column| Ok(format!("{:?}", row.get::<_, rusqlite::types::Value>(column)?)));
        Ok(cells.collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// What there is in the end, without the instants at which missed tries were made.
fn state(db: &Path) -> Vec<String> {
    let queries = [
        "select id, available, held from account order by id",
        "select r.id, h.stage, h.charging, h.expires_at, h.on_expiry, h.wake_at, h.failures, r.attributes
         from resource r join hot h on h.resource = r.row order by r.id",
        "select r.id, o.id, o.starts_at, o.ends_at, o.paid from orders o join resource r on r.row = o.resource
         order by r.id, o.starts_at",
        "select r.id, a.expires_before, a.state, a.class, a.tries from attempt a join resource r on r.row = a.resource
         order by r.id, a.expires_before",
        "select a.id, e.from_book, e.to_book, e.amount, e.reason, e.resource, e.reference
         from entry e join account a on a.row = e.account order by a.id, e.resource, e.reference",
    ];
    queries.iter().flat_map(|sql| rows(db, sql)).collect()
}

/// Every event in the order in which it was written, without the instants of a restart.
fn history(db: &Path) -> Vec<String> {
    rows(db, "select at, account, resource, type, body from event where type <> 'host_resumed' order by row")
}

/// Every event, without instants and without what tells one restart from another.
fn what_happened(db: &Path) -> Vec<String> {
    rows(
        db,
        "select account, resource, type, body from event where type <> 'host_resumed' order by resource, row",
    )
}

#[test]
fn killed_at_any_of_many_points_and_started_again_the_clock_ends_where_it_would_have() {
    let folder = Folder::new();
    let whole = overdue(&folder, "whole.db", false);
    finish(&folder, &whole);
    let total = i64::try_from(history(&whole).len()).unwrap();
    assert!(total > 150, "only {total} events: there is little to be killed in");
    let killed = overdue(&folder, "killed.db", false);
    // Sixteen kills on the way, each after so many more events, at a point that nobody chose.
    for point in 1..=16 {
        let mut child = start(&folder, &killed);
        wait_until(&mut child, &killed, |db| events(db) >= point * total / 18);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    finish(&folder, &killed);
    assert_eq!(state(&killed), state(&whole));
    assert_eq!(history(&killed), history(&whole));
}

#[test]
fn killed_while_it_catches_up_on_an_outage_it_makes_each_missed_try_once() {
    let folder = Folder::new();
    let whole = overdue(&folder, "whole.db", true);
    finish(&folder, &whole);
    let total = i64::try_from(history(&whole).len()).unwrap();
    let killed = overdue(&folder, "killed.db", true);
    for point in 1..=8 {
        let mut child = start(&folder, &killed);
        wait_until(&mut child, &killed, |db| {
            number(db, "select count(*) from event where type <> 'host_resumed'") >= point * total / 10
        });
        child.kill().unwrap();
        child.wait().unwrap();
    }
    finish(&folder, &killed);
    assert_eq!(state(&killed), state(&whole));
    assert_eq!(what_happened(&killed), what_happened(&whole));
}

#[test]
fn sigterm_in_the_middle_loses_nothing_and_is_no_failure() {
    let folder = Folder::new();
    let whole = overdue(&folder, "whole.db", false);
    finish(&folder, &whole);
    let stopped = overdue(&folder, "stopped.db", false);
    for point in [10, 40, 90] {
        let before = i64::try_from(history(&stopped).len()).unwrap();
        let mut child = start(&folder, &stopped);
        wait_until(&mut child, &stopped, |db| events(db) >= point.max(before + 1));
        terminate(&child);
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    finish(&folder, &stopped);
    assert_eq!(state(&stopped), state(&whole));
    assert_eq!(history(&stopped), history(&whole));
}

#[test]
fn a_second_process_on_one_database_is_refused_and_told_which_one_has_it() {
    let folder = Folder::new();
    let db = overdue(&folder, "one.db", false);
    let mut first = start(&folder, &db);
    wait_until(&mut first, &db, |db| events(db) > 0);
    let before = first.id();
    for command in [&["run"][..], &["import", "inventory.json"]] {
        std::fs::write(folder.path("inventory.json"), r#"{"accounts":[],"resources":[]}"#).unwrap();
        let second = folder.program().arg("--db").arg(&db).args(command).output().unwrap();
        assert_eq!(second.status.code(), Some(1), "{command:?}");
        let told = String::from_utf8_lossy(&second.stderr).into_owned();
        let expected = format!(
            "the database `{}` is in use by another process (process {before}); stop that one first, or name another \
             database with `--db`",
            db.display()
        );
        assert!(told.contains(&expected), "{told}");
    }
    assert!(first.try_wait().unwrap().is_none(), "the first one goes on");
    terminate(&first);
    assert_eq!(first.wait().unwrap().code(), Some(0));
    // And once it is gone, its lock is.
    finish(&folder, &db);
}
