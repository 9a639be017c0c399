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

use perennial_domain::timestamp::Timestamp;
use perennial_store as store;
use perennial_store::ReadTx;
use perennial_store::Store;
use perennial_store::error::StoreError;
use perennial_store::testing;

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
        assert!(
            since.elapsed() < PATIENCE,
            "{} events after {PATIENCE:?}, and no more",
            testing::event_count(&connection)
        );
        if let Some(status) = child.try_wait().unwrap() {
            let mut told = String::new();
            child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
            panic!("the process ended by itself, {status}: {told}");
        }
        std::thread::yield_now();
    }
}

/// The clock has come to the present: past 2024, whatever year it is.
fn is_done(connection: &ReadTx) -> bool {
    let present = Timestamp::from_second(1_735_689_600);
    store::clock::ticked_at(connection).unwrap().is_some_and(|ticked_at| ticked_at > present)
}

/// Whether the process `id` has the database at `db`: from then on it listens for signals.
fn has_lock(db: &Path, id: u32) -> bool {
    let lock = std::fs::read_to_string(format!("{}.lock", db.display()));
    lock.is_ok_and(|holder| holder.split_whitespace().next() == Some(id.to_string().as_str()))
}

/// Runs until everything is done, then stops the process as an operator does.
fn finish(folder: &Folder, db: &Path) {
    let mut child = start(folder, db);
    let id = child.child().id();
    // One that was killed may have done everything before.
    wait_until(&mut child, db, |connection| is_done(connection) && has_lock(db, id));
    child.terminate();
}

/// Reads what is committed to the database at `db`.
fn read<T>(db: &Path, read: impl Fn(&ReadTx) -> T) -> T {
    read(&ReadTx::open(db).unwrap())
}

#[test]
fn a_clock_killed_at_any_point_and_restarted_ends_where_it_would_have() {
    let folder = Folder::new();
    let whole = overdue::database(&folder, BUNDLES, "whole.db", false);
    finish(&folder, &whole);
    let total = i64::try_from(read(&whole, testing::events).len()).unwrap();
    assert!(total > 150, "only {total} events: there is little to be killed in");
    let killed = overdue::database(&folder, BUNDLES, "killed.db", false);
    // Sixteen kills on the way, each after so many more events, at a point that nobody chose.
    for point in 1..=16 {
        let mut child = start(&folder, &killed);
        wait_until(&mut child, &killed, |db| testing::event_count(db) >= point * total / 18);
        child.kill();
    }
    finish(&folder, &killed);
    assert_eq!(read(&killed, testing::outcome), read(&whole, testing::outcome));
    assert_eq!(read(&killed, testing::events), read(&whole, testing::events));
}

#[test]
fn killed_while_it_catches_up_on_an_outage_it_makes_each_missed_try_once() {
    let folder = Folder::new();
    let whole = overdue::database(&folder, BUNDLES, "whole.db", true);
    finish(&folder, &whole);
    let total = i64::try_from(read(&whole, testing::events).len()).unwrap();
    let killed = overdue::database(&folder, BUNDLES, "killed.db", true);
    for point in 1..=8 {
        let mut child = start(&folder, &killed);
        wait_until(&mut child, &killed, |db| testing::event_count(db) >= point * total / 10);
        child.kill();
    }
    finish(&folder, &killed);
    assert_eq!(read(&killed, testing::outcome), read(&whole, testing::outcome));
    assert_eq!(read(&killed, testing::events_by_resource), read(&whole, testing::events_by_resource));
}

#[test]
fn sigterm_in_the_middle_loses_nothing_and_is_no_failure() {
    let folder = Folder::new();
    let whole = overdue::database(&folder, BUNDLES, "whole.db", false);
    finish(&folder, &whole);
    let stopped = overdue::database(&folder, BUNDLES, "stopped.db", false);
    for point in [10, 40, 90] {
        let before = i64::try_from(read(&stopped, testing::events).len()).unwrap();
        let mut child = start(&folder, &stopped);
        wait_until(&mut child, &stopped, |db| testing::event_count(db) >= point.max(before + 1));
        child.terminate();
    }
    finish(&folder, &stopped);
    assert_eq!(read(&stopped, testing::outcome), read(&whole, testing::outcome));
    assert_eq!(read(&stopped, testing::events), read(&whole, testing::events));
}

/// What a process says that is refused because another one runs. One that is not refused is ended.
fn refusal(folder: &Folder, words: &[&str]) -> String {
    let mut command = folder.program();
    command.args(words);
    support::refusal(command, PATIENCE)
}

#[cfg(target_os = "linux")]
#[test]
fn no_other_name_and_no_deleted_lock_file_lets_a_second_process_in() {
    let folder = Folder::new();
    let db = overdue::database(&folder, BUNDLES, "one.db", false);
    std::os::unix::fs::symlink(&db, folder.path("link.db")).unwrap();
    std::fs::hard_link(&db, folder.path("other.db")).unwrap();
    let mut first = start(&folder, &db);
    wait_until(&mut first, &db, |db| testing::event_count(db) > 0);
    for is_deleted in [false, true] {
        if is_deleted {
            std::fs::remove_file(folder.path("one.db.lock")).unwrap();
        }
        for name in ["one.db", "link.db", "other.db"] {
            let told = refusal(&folder, &["--db", name, "run"]);
            assert!(told.contains(&format!("the database `{name}` is in use by another process")), "{told}");
        }
    }
    first.terminate();
    finish(&folder, &folder.path("other.db"));
}

#[cfg(unix)]
#[test]
fn a_lock_file_that_is_a_link_is_refused_and_its_target_left_alone() {
    let folder = Folder::new();
    folder.write("victim", "whole");
    std::os::unix::fs::symlink(folder.path("victim"), folder.path("one.db.lock")).unwrap();
    folder.write("inventory.json", r#"{"accounts":[],"resources":[]}"#);
    let told = refusal(&folder, &["--db", "one.db", "import", "inventory.json"]);
    assert!(told.contains("one.db.lock`: it is a symbolic link"), "{told}");
    assert_eq!(std::fs::read_to_string(folder.path("victim")).unwrap(), "whole");
}

#[test]
fn locking_and_unlocking_the_database_leaves_its_readers_their_locks() {
    let folder = Folder::new();
    let db = overdue::database(&folder, BUNDLES, "one.db", false);
    drop(Store::open(&db).unwrap());
    let reader = ReadTx::open(&db).unwrap();
    testing::event_count(&reader);
    drop(Store::open(&db).unwrap());
    // The same file by another name, whose log cannot be opened.
    std::fs::hard_link(&db, folder.path("two.db")).unwrap();
    std::fs::create_dir(folder.path("two.db-wal")).unwrap();
    let refused = ReadTx::open(&folder.path("two.db")).map(|_| ()).unwrap_err();
    assert!(matches!(refused, StoreError::Unusable { .. }), "{refused}");
    // The last one out deletes the write-ahead log, unless a reader of another process holds its lock.
    let words = ["--db", "one.db", "token", "create", "--name", "a", "--role", "viewer"];
    folder.run(&words).succeeded();
    assert!(folder.path("one.db-wal").exists(), "the log was deleted while it was read");
    drop(reader);
}

#[test]
fn a_second_process_on_one_database_is_refused_and_told_which_one_has_it() {
    let folder = Folder::new();
    let db = overdue::database(&folder, BUNDLES, "one.db", false);
    let mut first = start(&folder, &db);
    wait_until(&mut first, &db, |db| testing::event_count(db) > 0);
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
