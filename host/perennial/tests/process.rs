//! The program as a process: killed, stopped, and started twice.
//!
//! The databases have everything long overdue; see [`overdue`].

#[path = "support/mod.rs"]
mod support;

use std::io::Read;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use perennial_store::ReadTx;

use crate::support::Folder;
use crate::support::overdue;

/// Bundles in a database; there is enough for them to be killed in.
const BUNDLES: u32 = 12;

/// `perennial run`, which does not outlive its test.
struct Running(Option<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn start(folder: &Folder, db: &Path) -> Running {
    let mut command = folder.program();
    command.env("RUST_LOG", "warn").arg("--db").arg(db).args(["run", "--batch", "1"]);
    Running(Some(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()))
}

impl Running {
    fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("it was not waited for yet")
    }

    /// Ends it as a failing machine does: with SIGKILL.
    fn kill(mut self) {
        self.child().kill().unwrap();
        self.child().wait().unwrap();
    }

    /// Ends it as an operator does; it must not call that a failure.
    fn terminate(mut self) {
        let id = self.child().id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let ended = self.0.take().expect("it was not waited for yet").wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    }
}

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `is_so` of what is committed, while the process lives.
fn wait_until(running: &mut Running, db: &Path, is_so: impl Fn(&ReadTx) -> bool) {
    let connection = ReadTx::open(db).unwrap();
    let (child, since) = (running.child(), Instant::now());
    while !is_so(&connection) {
        assert!(since.elapsed() < PATIENCE, "{} events after {PATIENCE:?}, and no more", events(&connection));
        if let Some(status) = child.try_wait().unwrap() {
            let mut told = String::new();
            child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
            panic!("the process ended by itself, {status}: {told}");
        }
        std::thread::yield_now();
    }
}

fn number(connection: &ReadTx, sql: &str) -> i64 {
    connection.inspect().value(sql).unwrap()
}

fn events(connection: &ReadTx) -> i64 {
    number(connection, "select count(*) from event")
}

/// The clock has come to the present: past 2024, whatever year it is.
fn is_done(connection: &ReadTx) -> bool {
    number(connection, "select coalesce(ticked_at, 0) > 1735689600 from clock") == 1
}

/// Runs until everything is done, then stops the process as an operator does.
fn finish(folder: &Folder, db: &Path) {
    let mut child = start(folder, db);
    wait_until(&mut child, db, is_done);
    child.terminate();
}

/// The rows of a query as text.
fn rows(db: &Path, sql: &str) -> Vec<String> {
    let rows = ReadTx::open(db).unwrap().inspect().rows(sql).unwrap();
    rows.iter().map(|row| row.join(" ")).collect()
}

/// What there is in the end, without the instants at which missed tries were made.
fn state(db: &Path) -> Vec<String> {
    let queries = [
        "select id, available, held from account order by id",
        "select r.id, h.stage, h.charging, h.expires_at, h.on_expiry, h.wake_at, h.consecutive_failures, r.attributes
         from resource r join schedule h on h.resource = r.row order by r.id",
        "select r.id, o.id, o.starts_at, o.ends_at, o.paid from orders o join resource r on r.row = o.resource
         order by r.id, o.starts_at",
        "select r.id, a.expires_before, a.state, a.decline_class, a.tries from attempt a join resource r on r.row = a.resource
         order by r.id, a.expires_before",
        "select a.id, e.from_book, e.to_book, e.amount, e.reason, e.resource, e.reference
         from ledger_entry e join account a on a.row = e.account order by a.id, e.resource, e.reference",
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
    let whole = overdue::database(&folder, BUNDLES, "whole.db", false);
    finish(&folder, &whole);
    let total = i64::try_from(history(&whole).len()).unwrap();
    assert!(total > 150, "only {total} events: there is little to be killed in");
    let killed = overdue::database(&folder, BUNDLES, "killed.db", false);
    // Sixteen kills on the way, each after so many more events, at a point that nobody chose.
    for point in 1..=16 {
        let mut child = start(&folder, &killed);
        wait_until(&mut child, &killed, |db| events(db) >= point * total / 18);
        child.kill();
    }
    finish(&folder, &killed);
    assert_eq!(state(&killed), state(&whole));
    assert_eq!(history(&killed), history(&whole));
}

#[test]
fn killed_while_it_catches_up_on_an_outage_it_makes_each_missed_try_once() {
    let folder = Folder::new();
    let whole = overdue::database(&folder, BUNDLES, "whole.db", true);
    finish(&folder, &whole);
    let total = i64::try_from(history(&whole).len()).unwrap();
    let killed = overdue::database(&folder, BUNDLES, "killed.db", true);
    for point in 1..=8 {
        let mut child = start(&folder, &killed);
        wait_until(&mut child, &killed, |db| {
            number(db, "select count(*) from event where type <> 'host_resumed'") >= point * total / 10
        });
        child.kill();
    }
    finish(&folder, &killed);
    assert_eq!(state(&killed), state(&whole));
    assert_eq!(what_happened(&killed), what_happened(&whole));
}

#[test]
fn sigterm_in_the_middle_loses_nothing_and_is_no_failure() {
    let folder = Folder::new();
    let whole = overdue::database(&folder, BUNDLES, "whole.db", false);
    finish(&folder, &whole);
    let stopped = overdue::database(&folder, BUNDLES, "stopped.db", false);
    for point in [10, 40, 90] {
        let before = i64::try_from(history(&stopped).len()).unwrap();
        let mut child = start(&folder, &stopped);
        wait_until(&mut child, &stopped, |db| events(db) >= point.max(before + 1));
        child.terminate();
    }
    finish(&folder, &stopped);
    assert_eq!(state(&stopped), state(&whole));
    assert_eq!(history(&stopped), history(&whole));
}

#[test]
fn a_second_process_on_one_database_is_refused_and_told_which_one_has_it() {
    let folder = Folder::new();
    let db = overdue::database(&folder, BUNDLES, "one.db", false);
    let mut first = start(&folder, &db);
    wait_until(&mut first, &db, |db| events(db) > 0);
    let before = first.child().id();
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
    assert!(first.child().try_wait().unwrap().is_none(), "the first one goes on");
    first.terminate();
    // And once it is gone, its lock is.
    finish(&folder, &db);
}
