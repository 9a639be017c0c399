//! Databases of older schemas: migrated, refused, kept as they were.
//!
//! `tests/fixtures/schema-3` has a database that the release with schema 3 wrote, and what is in it. That of
//! `tests/fixtures/schema-4` is the same one, migrated by the release with schema 4 and worked with by it for six weeks. That of
//! `tests/fixtures/schema-5` is that one, a week later, with orders of each kind and state. That of `tests/fixtures/schema-8` is
//! small: an account with a budget and a limit, a renewal, an approval that waits, and two tokens of different people.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use expect_test::expect;
use perennial_domain::connected::protocol::State;
use perennial_domain::connected::record::Slot;
use perennial_domain::connector::SyncScope;
use perennial_domain::plan::Cause;
use perennial_domain::provider_api::OrderFilter;
use perennial_formats::decision;
use perennial_formats::event;
use perennial_store as store;
use perennial_store::ReadTx;
use perennial_store::SCHEMA_VERSION;
use perennial_store::Store;
use perennial_store::accounts;
use perennial_store::api_tokens;
use perennial_store::approvals;
use perennial_store::calls::listing;
use perennial_store::calls::listing::CallFilter;
use perennial_store::decisions;
use perennial_store::error::StoreError;
use perennial_store::events;
use perennial_store::integrity;
use perennial_store::jobs;
use perennial_store::keys::ResourceKey;
use perennial_store::keys::RowKey;
use perennial_store::ledger;
use perennial_store::migrations;
use perennial_store::plugin_breakers;
use perennial_store::plugin_failures;
use perennial_store::policies;
use perennial_store::policies::StoredPolicies;
use perennial_store::provider_views;
use perennial_store::syncs;
use perennial_store::testing::dump;
use perennial_store::testing::schema;
use perennial_store::webhooks;
use rusqlite::Connection;
use tempfile::TempDir;

const OLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/schema-3/year.db");
/// The databases of the schemas between that and the present one.
const LATER: [&str; 3] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/schema-4/year.db"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/schema-5/year.db"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/schema-8/small.db"),
];
/// One of schema 5 with a token whose token made a third.
const TOKENS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/schema-5/tokens.db");
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

/// A folder that goes away with its test.
struct Folder(TempDir);

impl Folder {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// A folder with a copy of the old database, `perennial.db`.
fn old() -> Folder {
    let folder = Folder(TempDir::new().unwrap());
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
fn counts(path: &Path, sql: &str) -> BTreeMap<String, String> {
    let db = Connection::open(path).unwrap();
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        let name = row.get_ref(0)?;
        let name = name.as_str().map_or_else(|_| name.as_i64().unwrap().to_string(), str::to_owned);
        Ok((name, row.get::<_, i64>(1)?.to_string()))
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// A new database's tables and indexes.
fn new_schema() -> String {
    let folder = TempDir::new().unwrap();
    schema(Store::open(&folder.path().join("new.db")).unwrap().db())
}

#[test]
fn a_migrated_schema_equals_a_new_one() {
    let folder = old();
    let store = Store::open(&folder.path("perennial.db")).unwrap();
    assert_eq!(schema(store.db()), new_schema());
    let raw = Connection::open(folder.path("perennial.db")).unwrap();
    let check: String = raw.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let broken = counts(
        &folder.path("perennial.db"),
        "select \"table\", count(*) from pragma_foreign_key_check group by 1",
    );
    assert_eq!(broken, BTreeMap::new());
}

#[test]
fn a_database_of_a_later_schema_keeps_every_row() {
    for later in LATER {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("perennial.db");
        std::fs::copy(later, &path).unwrap();
        let rows = |path: &Path| {
            let tables = counts(
                path,
                "select name, 0 from sqlite_master where type = 'table' and name not like 'sqlite%'",
            );
            let count = |table: &String| counts(path, &format!("select '{table}', count(*) from {table}"));
            tables.keys().flat_map(count).collect::<BTreeMap<_, _>>()
        };
        let before = rows(&path);
        let store = Store::open(&path).unwrap();
        assert_eq!(schema(store.db()), new_schema());
        assert_eq!(integrity::check(store.db()).unwrap(), []);
        drop(store);
        let after = rows(&path);
        // What it said of providers is said of their accounts since schema 14.
        for (table, count) in before.iter().filter(|(table, _)| *table != "scheduling_revision") {
            assert_eq!(&after[table], count, "rows of `{table}` of {later}");
        }
        let outcomes = "select distinct outcome, 0 from job_item where outcome in ('applied', 'carried_out')";
        // The small one has no jobs.
        let expected = if later == LATER[2] { Vec::new() } else { vec!["applied".to_owned()] };
        assert_eq!(counts(&path, outcomes).into_keys().collect::<Vec<_>>(), expected, "{later}");
    }
}

#[test]
fn a_refund_of_before_says_nothing_of_its_fee() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("perennial.db");
    std::fs::copy(LATER[1], &path).unwrap();
    let store = Store::open(&path).unwrap();
    let mut refunds = 0;
    for stored in accounts::list(store.db()).unwrap() {
        let every = OrderFilter { limit: 1_000, ..OrderFilter::default() };
        for order in provider_views::orders(store.db(), stored.row, &every).unwrap().1 {
            refunds += u32::from(order.refund.is_some());
            assert_eq!(order.refund.and_then(|refund| refund.fee), None, "{order:?}");
        }
    }
    assert!(refunds > 2, "{refunds} refunds");
}

#[test]
fn tokens_belong_to_whoever_made_them_back_to_the_command_line() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("perennial.db");
    std::fs::copy(TOKENS, &path).unwrap();
    let store = Store::open(&path).unwrap();
    let tokens = api_tokens::list(store.db()).unwrap();
    let of = |name: &str| tokens.iter().rev().find(|token| token.name == name).unwrap();
    for made in ["ops", "friend", "friend-of-friend"] {
        assert_eq!(of(made).owner, of("ops").id, "{made}");
    }
    assert!(tokens.iter().filter(|token| token.created_by == "cli").all(|token| token.owner == token.id));
}

#[test]
fn a_database_older_than_policies_keeps_its_approvals_and_tokens() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("perennial.db");
    std::fs::copy(LATER[2], &path).unwrap();
    let store = Store::open(&path).unwrap();
    let db = store.db();
    assert_eq!(policies::set_digest(db).unwrap(), "");
    assert_eq!(policies::all(db).unwrap(), StoredPolicies::default());
    assert!(api_tokens::list(db).unwrap().iter().all(|token| token.approves.is_empty()));
    let waits = approvals::get(db, "ecs-1~1").unwrap().unwrap();
    let required = waits.required.iter().map(|one| (one.policy.as_str(), one.given_by.as_deref()));
    assert_eq!(required.collect::<Vec<_>>(), [("approval_above", None)]);
}

#[test]
fn plans_of_dry_runs_are_shown_in_the_present_words() {
    let folder = old();
    drop(Store::open(&folder.path("perennial.db")).unwrap());
    let sql = "select iif(plan like '%\"skipped\":%', 'new', 'old'), count(*) from job_item where plan is not null group by 1";
    let plans = counts(&folder.path("perennial.db"), sql);
    assert!(plans.contains_key("new") && !plans.contains_key("old"), "{plans:?}");
}

/// What leads from schema 3 to schema 16, step by step.
const UP_TO_16: [&str; 13] = [
    include_str!("../src/migrations/0004_standard_words.sql"),
    include_str!("../src/migrations/0005_orders_and_clocks.sql"),
    include_str!("../src/migrations/0006_policies.sql"),
    include_str!("../src/migrations/0007_fees_and_revisions.sql"),
    include_str!("../src/migrations/0008_people.sql"),
    include_str!("../src/migrations/0009_running_policies.sql"),
    include_str!("../src/migrations/0010_packed_decisions.sql"),
    include_str!("../src/migrations/0011_refund_numbers.sql"),
    include_str!("../src/migrations/0012_connected_accounts.sql"),
    include_str!("../src/migrations/0013_calls.sql"),
    include_str!("../src/migrations/0014_plugin_revisions.sql"),
    include_str!("../src/migrations/0015_channels.sql"),
    include_str!("../src/migrations/0016_driven_accounts.sql"),
];

/// A database of schema 3 that was brought to schema 16, and a connection to it.
fn in_schema_16() -> (Folder, Connection) {
    let folder = old();
    let raw = Connection::open(folder.path("perennial.db")).unwrap();
    raw.execute_batch("pragma foreign_keys = off").unwrap();
    for step in UP_TO_16 {
        raw.execute_batch(step).unwrap();
    }
    raw.pragma_update(None, "user_version", 16).unwrap();
    (folder, raw)
}

#[test]
fn renewals_that_were_under_way_before_commands_were_sent_go_on() {
    let (folder, raw) = in_schema_16();
    let path = folder.path("perennial.db");
    raw.execute_batch(
        "insert into call (account, resource, expires_before, term_count, term_unit, state, declines, called_at, queries,
             act_at, deadline, options, orders, said_code, said_message)
         select account, row, 1000, 1, 1, 5, 2, 900, 3, 950, 1000, '{\"a\":\"b\"}', '[\"CS1\"]', 'CBC.0999', 'why'
         from resource order by row limit 1;
         insert into call_extension select 1, 0, resource, 1000, 2000, 5000000, 1 from call;
         insert into call_step (call, at, state) values (1, 900, 5);",
    )
    .unwrap();
    drop(raw);
    let store = Store::open(&path).unwrap();
    assert_eq!(schema(store.db()), new_schema());
    let calls = listing::calls(store.db(), &CallFilter::default(), RowKey::before_all(), 10).unwrap();
    let [listed] = &calls[..] else { panic!("{calls:?}") };
    let record = &listed.call.record;
    assert_eq!((record.state, record.declines, record.queries), (State::InDoubt, 2, 3));
    assert_eq!((record.slot(), record.cause), (Slot::Period, Cause::Command));
    let renewal = record.renewal().unwrap();
    assert_eq!((renewal.term.to_string(), renewal.options["a"].as_str()), ("1 month".to_owned(), "b"));
    assert_eq!(listed.call.orders, ["CS1"]);
    assert_eq!(listing::steps(store.db(), listed.row).unwrap().len(), 1);
    assert!(listed.call.locks_its_keys(), "nobody pays for the period meanwhile");
}

#[test]
fn every_row_of_schema_3_is_there_after_the_migration() {
    let folder = old();
    drop(Store::open(&folder.path("perennial.db")).unwrap());
    for (table, count) in section("rows of each table") {
        let renamed = RENAMED.iter().find(|(old, _)| *old == table).map(|(_, new)| *new);
        let table = renamed.unwrap_or(&table);
        let found = counts(&folder.path("perennial.db"), &format!("select '{table}', count(*) from {table}"));
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
    assert_eq!(counts(&folder.path("perennial.db"), "select type, count(*) from event group by 1"), types);
    let states = [("open", "pending"), ("lapsed", "expired")];
    let states = renamed(section("approvals by state"), &states);
    assert_eq!(
        counts(&folder.path("perennial.db"), "select state, count(*) from approval group by 1"),
        states
    );
    let outcomes = renamed(section("audit by outcome"), &[("looked_at", "dry_run")]);
    assert_eq!(
        counts(&folder.path("perennial.db"), "select outcome, count(*) from audit group by 1"),
        outcomes
    );
    let stages = section("stages of resources");
    assert_eq!(
        counts(&folder.path("perennial.db"), "select stage, count(*) from schedule group by 1"),
        stages
    );
    let attempts = section("attempts by state");
    assert_eq!(
        counts(&folder.path("perennial.db"), "select state, count(*) from attempt group by 1"),
        attempts
    );
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
    let kept = decisions::list(db, RowKey::before_all(), 100_000).unwrap();
    let planned = kept.iter().filter(|kept| {
        assert_eq!(kept.contract, "0.1");
        decision::read_request(kept.request.as_ref().unwrap(), &kept.contract).unwrap();
        decision::read_answer(kept.response.as_ref().unwrap(), &kept.contract).unwrap().is_ok()
    });
    assert_eq!((planned.count(), kept.len()), (204, 234), "plans and refusals are read back");
    for approval in approvals::list(db, &approvals::Filter::default(), RowKey::before_all(), 1_000).unwrap() {
        assert_eq!(approval.priced.contract, "0.1");
        decision::read_request(&approval.priced.request, &approval.priced.contract).unwrap();
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
    let jobs = jobs::list(db, None, RowKey::after_all(), 10).unwrap().into_iter().map(|job| {
        let outcomes = jobs::outcome_counts(db, job.row).unwrap();
        let outcomes = outcomes.iter().map(|tally| format!(" {} {}", tally.items, tally.outcome));
        format!(
            "{} of {:?}:{}\n",
            job.state,
            job.began.from_dry_run.map(RowKey::number),
            outcomes.collect::<String>()
        )
    });
    expect![[r#"
        done of Some(1): 1 applied 2 skipped
        done of None: 1 applied 2 refused 1 unknown
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
    Connection::open(&path).unwrap().execute_batch("create table used_signature (other)").unwrap();
    let before = dump(&path);
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Migration { to: 4, .. }), "{error:?}");
    let words = error.to_string();
    assert!(words.contains("is as it was") && words.contains("perennial.db.v3.backup"), "{words}");
    assert_eq!(dump(&path), before);
    assert_eq!(dump(&folder.path("perennial.db.v3.backup")), before);
    Connection::open(&path).unwrap().execute_batch("drop table used_signature").unwrap();
    assert_eq!(schema(Store::open(&path).unwrap().db()), new_schema());
}

#[test]
fn databases_from_the_future_and_from_before_schema_3_are_refused() {
    let (next, newest) = (format!("has schema {}", SCHEMA_VERSION + 1), format!("up to {SCHEMA_VERSION}"));
    for (version, words) in [
        (SCHEMA_VERSION + 1, [next.as_str(), &newest]),
        (2, ["has schema 2", "schema 3 and later"]),
        (-1, ["has schema -1", "schema 3 and later"]),
    ] {
        let folder = old();
        let path = folder.path("perennial.db");
        let db = Connection::open(&path).unwrap();
        db.pragma_update(None, "user_version", version).unwrap();
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
fn a_file_that_is_no_database_of_this_program_is_named_and_stays() {
    let folder = Folder(TempDir::new().unwrap());
    let (text, foreign, empty) = (folder.path("text.db"), folder.path("foreign.db"), folder.path("empty.db"));
    std::fs::write(&text, "{\"accounts\": [], \"resources\": []}").unwrap();
    Connection::open(&foreign).unwrap().execute_batch("create table bookmark (url)").unwrap();
    std::fs::write(&empty, "").unwrap();
    for (path, reason) in [(&text, "file is not a database"), (&foreign, "none of this program's tables")] {
        let before = std::fs::read(path).unwrap();
        for error in [Store::open(path).unwrap_err(), ReadTx::open(path).unwrap_err()] {
            let said = error.to_string();
            assert!(said.contains(path.to_str().unwrap()) && said.contains(reason), "{said}");
        }
        assert_eq!(std::fs::read(path).unwrap(), before);
    }
    let said = ReadTx::open(&empty).unwrap_err().to_string();
    assert!(said.contains("empty.db") && said.contains("none of this program's tables"), "{said}");
    assert!(migrations::check(&text).unwrap_err().to_string().contains("text.db"));
    // An empty file is a database that nothing was written to yet.
    drop(Store::open(&empty).unwrap());
}

#[test]
fn a_copy_of_a_database_that_was_cut_off_is_refused_and_says_why() {
    let folder = old();
    let (whole, cut) = (folder.path("whole.db"), folder.path("cut.db"));
    drop(Store::open(&whole).unwrap());
    let bytes = std::fs::read(&whole).unwrap();
    let half = bytes.len() / 2 / 4096 * 4096;
    for length in [50, 4096, half, bytes.len() - 4096] {
        std::fs::write(&cut, &bytes[..length]).unwrap();
        for error in [Store::open(&cut).unwrap_err(), ReadTx::open(&cut).unwrap_err()] {
            let said = error.to_string();
            assert!(said.contains("cut.db` cannot be used as a database"), "{length}: {said}");
        }
        assert_eq!(std::fs::read(&cut).unwrap(), &bytes[..length], "it stays as it is");
    }
}

#[test]
fn what_a_plugin_failed_over_in_schema_16_is_not_parked() {
    let (folder, raw) = in_schema_16();
    let path = folder.path("perennial.db");
    raw.execute_batch(
        "insert or replace into plugin_failure (bundle, at, message)
         select row, 60, 'it crashed' from resource where attached_to is null order by row limit 1",
    )
    .unwrap();
    drop(raw);
    let store = Store::open(&path).unwrap();
    assert_eq!(schema(store.db()), new_schema());
    let parked =
        plugin_failures::parked(store.db(), (None, None, None), ResourceKey::before_all(), 10).unwrap();
    assert_eq!((parked, plugin_failures::count_parked(store.db()).unwrap()), (Vec::new(), 0));
    assert_eq!(plugin_breakers::list(store.db()).unwrap(), []);
    drop(store);
    let message = "select message from plugin_failure where at = 60";
    let kept = Connection::open(&path).unwrap().query_row(message, (), |row| row.get::<_, String>(0));
    assert_eq!(kept.unwrap(), "it crashed");
}

#[test]
fn what_a_plugin_failed_over_in_schema_21_was_changed_by_no_inventory() {
    let folder = old();
    let path = folder.path("perennial.db");
    drop(Store::open(&path).unwrap());
    let raw = Connection::open(&path).unwrap();
    // As it was before.
    raw.execute_batch(
        "alter table sync drop column changes_since;
         alter table sync drop column expires_until;
         alter table sync drop column requests;
         drop table renewal_author;
         drop table ended_session;
         alter table audit drop column revision;
         alter table plugin_failure drop column is_changed;
         alter table plugin_binding_change drop column is_roll_back;
         pragma user_version = 21;
         insert into plugin_binding_change (at, provider, accounts, mode, before, after, changed_by) values
             (1, 'p', '*', 0, null, 'a', 'ops'), (2, 'p', 'acme', 0, null, 'x', 'ops'), (3, 'p', '*', 0, 'a', 'b', 'ops'),
             (4, 'p', '*', 0, 'b', 'a', 'ops'), (5, 'p', '*', 0, 'a', 'c', 'ops');
         insert or replace into plugin_failure (bundle, at, message)
         select row, 60, 'it crashed' from resource where attached_to is null order by row limit 1",
    )
    .unwrap();
    drop(raw);
    let store = Store::open(&path).unwrap();
    assert_eq!(schema(store.db()), new_schema());
    drop(store);
    let kept = "select message || is_changed from plugin_failure where at = 60";
    let kept = Connection::open(&path).unwrap().query_row(kept, (), |row| row.get::<_, String>(0));
    assert_eq!(kept.unwrap(), "it crashed0");
    let gone_back = "select group_concat(at) from plugin_binding_change where is_roll_back";
    let gone_back = Connection::open(&path).unwrap().query_row(gone_back, (), |row| row.get::<_, String>(0));
    assert_eq!(gone_back.unwrap(), "4");
}

#[test]
fn what_was_read_in_schema_16_was_read_whole() {
    let (folder, raw) = in_schema_16();
    let path = folder.path("perennial.db");
    raw.execute_batch(
        "insert into sync (account, state, listed, started_at, changed_at, is_first, unknown)
         select row, 'done', 7, 60, 120, 1, '[]' from account order by row limit 1",
    )
    .unwrap();
    drop(raw);
    let store = Store::open(&path).unwrap();
    assert_eq!(schema(store.db()), new_schema());
    let account = accounts::list(store.db()).unwrap()[0].row;
    let full = syncs::newest_full(store.db(), account).unwrap().unwrap();
    assert_eq!((full.scope, full.listed, full.requests), (SyncScope::Full, 7, 0));
    let read_at = syncs::orders_read_at(store.db(), account).unwrap();
    assert_eq!(read_at, Some(full.started_at), "an incremental sync goes on from there");
}
