//! Databases of older schemas: migrated, refused, kept as they were, backed up and put back.
//!
//! `tests/fixtures/schema-3` has a database that the release with schema 3 wrote, and what is in it.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use expect_test::expect;
use perennial_formats::decision;
use perennial_formats::event;
use perennial_store as store;
use perennial_store::ReadTx;
use perennial_store::SCHEMA_VERSION;
use perennial_store::Store;
use perennial_store::accounts;
use perennial_store::approvals;
use perennial_store::decisions;
use perennial_store::error::StoreError;
use perennial_store::events;
use perennial_store::inspect::Inspector;
use perennial_store::inspect::RawDatabase;
use perennial_store::jobs;
use perennial_store::ledger;
use perennial_store::lock::Lock;
use perennial_store::migrations;
use perennial_store::webhooks;

use crate::support::Folder;

const OLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/schema-3/year.db");
const CONTENTS: &str = include_str!("../../../tests/fixtures/schema-3/contents.txt");

/// What each table of schema 3 is called in schema 4, where that differs.
const RENAMED: [(&str, &str); 6] = [
    ("answered", "idempotency_key"),
    ("entry", "ledger_entry"),
    ("hot", "schedule"),
    ("problem", "plugin_failure"),
    ("spent_proof", "used_signature"),
    ("token", "client_token"),
];

/// A folder with a copy of the old database, `perennial.db`.
fn old() -> Folder {
    let folder = Folder::new();
    std::fs::copy(OLD, folder.path("perennial.db")).unwrap();
    folder
}

/// A section of the list of contents: its lines as a name and the rest.
fn section(title: &str) -> BTreeMap<String, String> {
    let lines = CONTENTS.lines().skip_while(|line| !line.starts_with(title)).skip(1);
    let lines = lines.take_while(|line| !line.is_empty()).map(str::trim);
    lines.map(|line| line.split_once(' ').unwrap()).map(|(name, rest)| (name.into(), rest.into())).collect()
}

/// A name and a number for each row that `sql` finds.
fn counts(db: &ReadTx, sql: &str) -> BTreeMap<String, String> {
    let rows = db.inspect().rows(sql).unwrap();
    rows.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect()
}

/// Every table and index, without comments, quotes and white space.
fn schema(db: Inspector<'_>) -> String {
    let sql = "select type || ' ' || name, sql from sqlite_master where name not like 'sqlite_%' order by 1";
    let mut schema = String::new();
    for row in db.rows(sql).unwrap() {
        let (name, lines) = (&row[0], row[1].lines().map(|line| line.split("--").next().unwrap()));
        let bare = lines.collect::<String>().replace([' ', '"'], "");
        writeln!(schema, "{name}: {bare}").unwrap();
    }
    schema
}

/// Everything in a database, as text.
fn dump(path: &Path) -> String {
    let db = RawDatabase::open(path).unwrap();
    let mut dump = schema(db.inspect());
    let version: i64 = db.inspect().value("pragma user_version").unwrap();
    writeln!(dump, "schema {version}").unwrap();
    for table in
        db.inspect().rows("select name from sqlite_master where type = 'table' order by name").unwrap()
    {
        for row in db.inspect().rows(&format!("select * from {}", table[0])).unwrap() {
            writeln!(dump, "{} {}", table[0], row.join(" ")).unwrap();
        }
    }
    dump
}

/// A new database's tables and indexes.
fn new_schema() -> String {
    let folder = Folder::new();
    let store = Store::open(&folder.path("new.db")).unwrap();
    schema(store.db().inspect())
}

#[test]
fn a_migrated_schema_equals_a_new_one() {
    let folder = old();
    let store = Store::open(&folder.path("perennial.db")).unwrap();
    assert_eq!(schema(store.db().inspect()), new_schema());
    let check: String = store.db().inspect().value("pragma integrity_check").unwrap();
    assert_eq!(check, "ok");
    let broken = counts(store.db(), "select \"table\", count(*) from pragma_foreign_key_check group by 1");
    assert_eq!(broken, BTreeMap::new());
}

#[test]
fn every_row_of_schema_3_is_there_after_the_migration() {
    let folder = old();
    let store = Store::open(&folder.path("perennial.db")).unwrap();
    let db = store.db();
    for (table, count) in section("rows of each table") {
        let renamed = RENAMED.iter().find(|(old, _)| *old == table).map(|(_, new)| *new);
        let table = renamed.unwrap_or(&table);
        let found = counts(db, &format!("select '{table}', count(*) from {table}"));
        assert_eq!(found[table], count, "rows of `{table}`");
    }
    let renamed = |mut old: BTreeMap<String, String>, words: &[(&str, &str)]| {
        for (before, after) in words {
            let count = old.remove(*before).unwrap();
            old.insert((*after).to_owned(), count);
        }
        old
    };
    let types = renamed(section("events by type"), &[("approval_lapsed", "approval_expired")]);
    assert_eq!(counts(db, "select type, count(*) from event group by 1"), types);
    let states = [("open", "pending"), ("lapsed", "expired")];
    let states = renamed(section("approvals by state"), &states);
    assert_eq!(counts(db, "select state, count(*) from approval group by 1"), states);
    let outcomes = renamed(section("audit by outcome"), &[("looked_at", "dry_run")]);
    assert_eq!(counts(db, "select outcome, count(*) from audit group by 1"), outcomes);
    let stages = section("stages of resources");
    assert_eq!(counts(db, "select stage, count(*) from schedule group by 1"), stages);
    let attempts = section("attempts by state");
    assert_eq!(counts(db, "select state, count(*) from attempt group by 1"), attempts);
}

#[test]
fn the_store_reads_everything_that_schema_3_kept() {
    let folder = old();
    let store = Store::open(&folder.path("perennial.db")).unwrap();
    let db = store.db();
    let balances = section("balances in millionths");
    let stored = accounts::list(db).unwrap();
    assert_eq!(stored.len(), balances.len());
    for account in stored {
        let balance = account.account.balance;
        let found = format!("{} {}", balance.available().as_micros(), balance.held().as_micros());
        assert_eq!(found, balances[&account.account.id], "the balance of `{}`", account.account.id);
        assert_eq!(ledger::balance(db, account.row).unwrap(), balance, "the ledger comes to the balance");
    }
    for stored in events::list(db, &events::Filter::default(), 100_000).unwrap() {
        event::read_body(&stored.kind, &stored.body).unwrap_or_else(|error| panic!("{stored:?}: {error}"));
    }
    let kept = decisions::list(db, 100_000).unwrap();
    let planned = kept.iter().filter(|kept| {
        assert_eq!(kept.contract, "0.1");
        decision::read_question(&kept.request, &kept.contract).unwrap();
        decision::read_answer(&kept.response, &kept.contract).unwrap().is_ok()
    });
    assert_eq!((planned.count(), kept.len()), (204, 234), "plans and refusals are read back");
    for approval in approvals::list(db, &approvals::Filter::default(), 0, 1_000).unwrap() {
        assert_eq!(approval.priced.contract, "0.1");
        decision::read_question(&approval.priced.request, &approval.priced.contract).unwrap();
    }
    let webhooks = webhooks::list(db).unwrap().into_iter().map(|webhook| {
        let disabled = webhook.disabled.map_or("enabled".to_owned(), |disabled| disabled.reason);
        format!("{} {disabled} {:?}\n", webhook.description, webhook.types.unwrap_or_default())
    });
    expect![[r#"
        ok enabled ["approval_decided", "approval_expired", "approval_requested", "balance_changed", "renewal_settled"]
        gone gone []
        bad enabled ["setting_changed"]
        off requested ["converted"]
    "#]].assert_eq(&webhooks.collect::<String>());
    let jobs = jobs::list(db, None, i64::MAX, 10).unwrap().into_iter().map(|job| {
        let outcomes = jobs::outcome_counts(db, job.row).unwrap();
        let outcomes = outcomes.iter().map(|tally| format!(" {} {}", tally.items, tally.outcome));
        format!("{} of {:?}:{}\n", job.state, job.began.from_dry_run, outcomes.collect::<String>())
    });
    expect![[r#"
        done of Some(1): 1 carried_out 2 skipped
        done of None: 1 carried_out 2 refused 1 unknown
        done of None: 1 planned 1 refused 1 unknown
    "#]]
    .assert_eq(&jobs.collect::<String>());
}

#[test]
fn a_copy_of_the_old_database_is_kept_and_never_overwritten() {
    let folder = old();
    let (path, kept) = (folder.path("perennial.db"), folder.path("perennial.db.v3.backup"));
    let before = dump(&path);
    std::fs::write(&kept, "somebody else's").unwrap();
    let migration = store::migrate(&path).unwrap().unwrap();
    assert_eq!((migration.from, migration.to), (3, SCHEMA_VERSION));
    assert_eq!(migration.backup, folder.path("perennial.db.v3.backup.2"));
    assert_eq!(std::fs::read(&kept).unwrap(), b"somebody else's");
    assert_eq!(dump(&migration.backup), before);
    assert_eq!(store::migrate(&path).unwrap(), None);
    #[cfg(unix)]
    {
        let mode = std::fs::metadata(&migration.backup).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777, 0o600);
    }
}

#[test]
fn a_migration_that_fails_leaves_the_database_as_it_was() {
    let folder = old();
    let path = folder.path("perennial.db");
    // A table in the way of one that the last statements would rename to it.
    RawDatabase::open(&path).unwrap().inspect().run("create table used_signature (other)").unwrap();
    let before = dump(&path);
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Migration { to: 4, .. }), "{error:?}");
    let words = error.to_string();
    assert!(words.contains("is as it was") && words.contains("perennial.db.v3.backup"), "{words}");
    assert_eq!(dump(&path), before);
    assert_eq!(dump(&folder.path("perennial.db.v3.backup")), before);
    RawDatabase::open(&path).unwrap().inspect().run("drop table used_signature").unwrap();
    assert_eq!(schema(Store::open(&path).unwrap().db().inspect()), new_schema());
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
        std::thread::sleep(Duration::from_millis(delay));
        migrating.kill().unwrap();
        migrating.wait().unwrap();
        let found = dump(&path);
        assert!(found == before || found.starts_with(&new_schema()), "half a migration after {delay} ms");
        let store = Store::open(&path).unwrap();
        assert_eq!(schema(store.db().inspect()), new_schema());
    }
}

#[test]
fn databases_from_the_future_and_from_before_schema_3_are_refused() {
    for (version, words) in
        [(SCHEMA_VERSION + 1, ["has schema 5", "up to 4"]), (2, ["has schema 2", "schema 3 and later"])]
    {
        let folder = old();
        let path = folder.path("perennial.db");
        let db = RawDatabase::open(&path).unwrap();
        db.inspect().run(&format!("pragma user_version = {version}")).unwrap();
        drop(db);
        let before = dump(&path);
        for error in [Store::open(&path).unwrap_err(), ReadTx::open(&path).unwrap_err()] {
            let error = error.to_string();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        }
        assert!(migrations::check(&path).is_err());
        assert_eq!(dump(&path), before);
        assert!(!folder.path(&format!("perennial.db.v{version}.backup")).exists());
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
        `perennial.db` would be migrated from schema 3 to 4:
          4: tables, columns and stored words get the names of the industry
        run `perennial db migrate` while no host runs; a copy of the database is kept beside it
    "#]]
    .assert_eq(&checked.stdout());
    assert_eq!(dump(&folder.path("perennial.db")), dump(Path::new(OLD)));
    expect![[r#"
        migrated `perennial.db` from schema 3 to 4; the database as it was is kept as `perennial.db.v3.backup`
    "#]]
    .assert_eq(&folder.run(&["db", "migrate"]).succeeded().stdout());
    expect![[r#"
        `perennial.db` has schema 4, the one of this version; there is nothing to do
    "#]]
    .assert_eq(&folder.run(&["db", "migrate", "--check"]).succeeded().stdout());
    assert!(folder.run(&["resources"]).succeeded().stdout().contains("lark-database"));
}

#[test]
fn a_database_is_backed_up_while_a_host_works_on_it() {
    let folder = Folder::new();
    let path = folder.path("perennial.db");
    let mut store = Store::open(&path).unwrap();
    store.write(|tx| store::clock::set_ticked_at(tx, "2026-01-01T00:00:00Z".parse().unwrap())).unwrap();
    expect![[r#"
        `copy.db` is a copy of `perennial.db`
    "#]]
    .assert_eq(&folder.run(&["db", "backup", "copy.db"]).succeeded().stdout());
    let copied = ReadTx::open(&folder.path("copy.db")).unwrap();
    assert_eq!(store::clock::ticked_at(&copied).unwrap().unwrap().to_string(), "2026-01-01T00:00:00Z");
    let again = folder.run(&["db", "backup", "copy.db"]);
    assert_eq!(again.code(), 1);
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
    .assert_eq(&folder.run(&["db", "restore", "perennial.db.v3.backup"]).succeeded().stdout());
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
    drop(RawDatabase::open(&folder.path("empty")).unwrap());
    RawDatabase::open(&folder.path("other")).unwrap().inspect().run("create table a (b)").unwrap();
    for file in ["text", "cut", "empty", "other"] {
        let ran = folder.run(&["db", "restore", file]);
        assert_eq!(ran.code(), 1, "{file}: {}", ran.stderr());
        assert!(ran.stderr().contains(&format!("`{file}`")), "{file}: {}", ran.stderr());
    }
    assert_eq!(folder.run(&["db", "restore", "nothing"]).code(), 2);
    assert_eq!(dump(&folder.path("perennial.db")), before);
    assert!(!folder.path("perennial.db.before-restore").exists());
}
