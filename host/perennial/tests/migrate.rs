//! Migrations, backups and restores by the program: interrupted, refused, and put back.
//!
//! `tests/fixtures/schema-3` has a database that the release with schema 3 wrote.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use expect_test::expect;
use perennial_domain::micros::Micros;
use perennial_store as store;
use perennial_store::ReadTx;
use perennial_store::Store;
use perennial_store::clock::ClockKind;
use perennial_store::clock::set_ticked_at;
use perennial_store::lock::Lock;
use perennial_store::testing;
use perennial_store::testing::dump;
use perennial_store::testing::schema;

use crate::support::Folder;

const OLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/schema-3/year.db");

/// A folder with a copy of the old database, `perennial.db`.
fn old() -> Folder {
    let folder = Folder::new();
    std::fs::copy(OLD, folder.path("perennial.db")).unwrap();
    folder
}

/// A new database's tables and indexes.
fn new_schema() -> String {
    let folder = Folder::new();
    schema(Store::open(&folder.path("new.db")).unwrap().db())
}

#[test]
fn a_migration_that_is_killed_is_done_wholly_or_not_at_all() {
    let before = dump(Path::new(OLD));
    for delay in (0..60).step_by(4) {
        let folder = old();
        let path = folder.path("perennial.db");
        let mut migrating = folder
            .program()
            .args(["db", "migrate"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let since = Instant::now();
        while since.elapsed() < Duration::from_millis(delay) {
            std::thread::yield_now();
        }
        migrating.kill().unwrap();
        migrating.wait().unwrap();
        let found = dump(&path);
        assert!(found == before || found.starts_with(&new_schema()), "half a migration after {delay} ms");
        let store = Store::open(&path).unwrap();
        assert_eq!(schema(store.db()), new_schema());
    }
}

#[test]
fn a_command_that_only_reads_says_how_to_migrate() {
    let folder = old();
    let ran = folder.run(&["resources"]);
    assert_eq!(ran.code(), 1);
    assert!(ran.stderr().contains("run `perennial db migrate` first"), "{}", ran.stderr());
    let checked = folder.run(&["db", "migrate", "--check"]);
    assert_eq!(checked.code(), 3);
    expect![[r#"
        `perennial.db` would be migrated from schema 3 to 25:
          4: tables, columns and stored words get the names of the industry
          5: orders get a kind and a state, the clock its kind, calendars an id, and some stored words their names
          6: accounts get budgets, approvals the policies that require them, and renewals can be put off
          7: refunds say their handling fee, wakes the plugin's revision that they are from, and used signatures their request
          8: tokens belong to people, and a raise of an approval limit may wait for a second one
          9: policies hold on a running host, with their versions, changes and differences, and tokens get labels
          10: decisions say how much fuel they took, and new ones are packed
          11: refunds say which command they are from
          12: accounts may be kept by their provider, with connections, syncs and drift
          13: calls to clouds are written down before they are sent
          14: revisions of plugins are kept with their bytes, and bound to accounts
          15: people are told of events through channels, and acknowledge warnings
          16: accounts may be driven: calls keep their history, quotas and pauses are stored
          17: revisions of plugins may be granted more than every plugin has
          18: plugins that fail have breakers, and bundles that they fail over are parked
          19: calls to clouds also carry commands that are no renewals
          20: client tokens of commands say when they run out, and are forgotten then
          21: events are found by their instant
          22: what an inventory changed is known while its plugin fails, and which changes of bindings are roll-backs
          23: syncs may be incremental, and say how many requests they took
          24: who last changed how a resource renews by itself is known
          25: sessions that were signed out stay so, and the audit log names revisions of plugins
        run `perennial db migrate` while no host runs; a copy of the database is kept beside it
    "#]]
    .assert_eq(&checked.stdout());
    assert_eq!(dump(&folder.path("perennial.db")), dump(Path::new(OLD)));
    expect![[r#"
        migrated `perennial.db` from schema 3 to 25; the database as it was is kept as `perennial.db.v3.backup`
    "#]]
    .assert_eq(&folder.run(&["db", "migrate"]).succeeded().stdout());
    expect![[r#"
        `perennial.db` has schema 25, the one of this version; there is nothing to do
    "#]]
    .assert_eq(&folder.run(&["db", "migrate", "--check"]).succeeded().stdout());
    assert!(folder.run(&["resources"]).succeeded().stdout().contains("lark-database"));
}

#[test]
fn a_database_is_backed_up_while_a_host_works_on_it() {
    let folder = Folder::new();
    let path = folder.path("perennial.db");
    let mut store = Store::open(&path).unwrap();
    store.write(|tx| set_ticked_at(tx, ClockKind::Real, "2026-01-01T00:00:00Z".parse().unwrap())).unwrap();
    expect![[r#"
        `copy.db` is a copy of `perennial.db`
    "#]]
    .assert_eq(&folder.run(&["db", "backup", "copy.db"]).succeeded().stdout());
    let copied = ReadTx::open(&folder.path("copy.db")).unwrap();
    assert_eq!(store::clock::ticked_at(&copied).unwrap().unwrap().to_string(), "2026-01-01T00:00:00Z");
    let again = folder.run(&["db", "backup", "copy.db"]);
    assert_eq!(again.code(), 2);
    assert!(again.stderr().contains("`copy.db` exists already"), "{}", again.stderr());
    let nowhere = folder.run(&["db", "backup", "no/such/folder/copy.db"]);
    assert_eq!(nowhere.code(), 1);
    assert!(nowhere.stderr().contains("is its folder there"), "{}", nowhere.stderr());
}

#[test]
fn the_kept_copy_is_put_back_and_migrated_again() {
    let folder = old();
    let path = folder.path("perennial.db");
    drop(Store::open(&path).unwrap());
    let migrated = dump(&path);
    let lock = Lock::take(&path).unwrap();
    let refused = folder.run(&["db", "restore", "perennial.db.v3.backup"]);
    assert_eq!(refused.code(), 1);
    assert!(refused.stderr().contains("in use by another process"), "{}", refused.stderr());
    assert_eq!(dump(&path), migrated);
    drop(lock);
    expect![[r#"
        restored `perennial.db` from `perennial.db.v3.backup`, which has schema 3
        the database as it was is kept as `perennial.db.before-restore`
        it is migrated when it is next opened for writing; see `perennial db migrate --check`
    "#]]
    .assert_eq(&folder.run(&["db", "restore", "perennial.db.v3.backup", "--yes"]).succeeded().stdout());
    assert_eq!(dump(&path), dump(Path::new(OLD)));
    assert_eq!(dump(&folder.path("perennial.db.before-restore")), migrated);
    drop(Store::open(&path).unwrap());
    assert_eq!(dump(&path), migrated);
}

#[test]
fn a_file_that_is_no_whole_database_is_not_restored() {
    let folder = old();
    let before = dump(&folder.path("perennial.db"));
    folder.write(
        "text",
        "not a database, though long enough to be taken for the beginning of one by a hasty reader",
    );
    let bytes = std::fs::read(OLD).unwrap();
    std::fs::write(folder.path("cut"), &bytes[..bytes.len() / 2]).unwrap();
    testing::make_foreign(&folder.path("empty"), &[]);
    testing::make_foreign(&folder.path("other"), &["a"]);
    for file in ["text", "cut", "empty", "other"] {
        let ran = folder.run(&["db", "restore", file]);
        assert_eq!(ran.code(), 2, "{file}: {}", ran.stderr());
        assert!(ran.stderr().contains(&format!("`{file}`")), "{file}: {}", ran.stderr());
    }
    assert_eq!(folder.run(&["db", "restore", "nothing"]).code(), 2);
    assert_eq!(dump(&folder.path("perennial.db")), before);
    assert!(!folder.path("perennial.db.before-restore").exists());
}

#[test]
fn a_damaged_database_is_listed_violation_by_violation() {
    let folder = old();
    let path = folder.path("perennial.db");
    drop(Store::open(&path).unwrap());
    expect![[r#"
        `perennial.db` keeps every promise
    "#]]
    .assert_eq(&folder.run(&["db", "check"]).succeeded().stdout());
    let store = Store::open(&path).unwrap();
    for stored in perennial_store::accounts::list(store.db()).unwrap() {
        testing::set_available(store.db(), &stored.account.id, Micros::new(7_000_000));
    }
    let checked = folder.run(&["--width", "120", "db", "check"]);
    assert_eq!(checked.code(), 1);
    expect![[r#"
        promise                                  what violates it
        every balance is the sum of its entries  `kestrel-freight` has 7.00 and 0.00 held, and its entries come to 974.82 and
                                                 0.00 held
        every balance is the sum of its entries  `larkspur-books` has 7.00 and 0.00 held, and its entries come to 9790.95 and
                                                 0.00 held
        every balance is the sum of its entries  `meridian-labs` has 7.00 and 0.00 held, and its entries come to 437.00 and 0.00
                                                 held
        every balance is the sum of its entries  `osier-clinic` has 7.00 and 0.00 held, and its entries come to 6380.00 and 0.00
                                                 held
        every balance is the sum of its entries  `outpost` has 7.00 and 0.00 held, and its entries come to 10.00 and 0.00 held
        every balance is the sum of its entries  `tidepool-games` has 7.00 and 0.00 held, and its entries come to 1128.54 and
                                                 0.00 held
    "#]].assert_eq(&checked.stdout());
    expect![[r#"
        error: `perennial.db`: 6 promises are violated
        restore a backup with `perennial db restore FILE`, and check that one first
    "#]]
    .assert_eq(&checked.stderr());
    let checked = folder.run(&["db", "check", "--format", "json"]);
    assert_eq!(checked.code(), 1);
    let violations: Vec<BTreeMap<String, String>> = serde_json::from_str(&checked.stdout()).unwrap();
    assert_eq!(violations.len(), 6);
    assert!(violations.iter().all(|one| one["promise"] == "every balance is the sum of its entries"));
    assert!(violations[0]["found"].starts_with("`kestrel-freight` has 7.00 and 0.00 held"), "{violations:?}");
    let checked = folder.run(&["db", "check", "--format", "csv"]);
    assert_eq!((checked.code(), checked.stdout().lines().next()), (1, Some("promise,found")));
}
