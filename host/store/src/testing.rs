//! What tests read of a database and change in it behind the host's back. Nothing else does either.
//!
//! Rows come as text with their columns in order, `-` for none, so that two databases can be compared.

use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;

use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;

use crate::keys::DecisionKey;
use crate::tx::ReadTx;
use rusqlite::types::ValueRef;

/// The logs that were written once more, until somebody asks.
static REWRITTEN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Notes that a log was written once more.
pub(crate) fn note_rewritten(log: &Path) {
    REWRITTEN.lock().unwrap().push(log.to_owned());
}

/// Whether this log was written once more since somebody asked.
pub fn was_rewritten(log: &Path) -> bool {
    let mut rewritten = REWRITTEN.lock().unwrap();
    let before = rewritten.len();
    rewritten.retain(|other| other != log);
    rewritten.len() < before
}

/// Everything that a host keeps about accounts and resources, without the numbers of rows.
const STATE: [&str; 8] = [
    "select 'account', id, available, held from account order by id",
    "select 'resource', r.id, r.anchor_day, r.term_count, r.price, r.renewal_term_count, r.attributes, h.charging,
         h.stage, h.expires_at, h.on_expiry, h.renewals_left, h.wake_at, h.consecutive_failures
     from resource r join schedule h on h.resource = r.row order by r.id",
    "select 'package', r.id, p.used, p.quota, p.bought_at from package p join resource r on r.row = p.resource
     order by r.id",
    "select 'order', r.id, o.id, o.starts_at, o.ends_at, o.state, o.cost, o.paid_at, o.refunded_at
     from orders o join resource r on r.row = o.resource order by r.id, o.starts_at, o.refunded_at, o.paid_at",
    "select 'attempt', r.id, a.expires_before, a.term_count, a.term_unit, a.state, a.decline_class, a.changed_at, a.tries
     from attempt a join resource r on r.row = a.resource order by r.id, a.expires_before, a.term_count, a.state",
    "select 'entry', a.id, e.at, e.from_book, e.to_book, e.amount, e.reason, e.resource
     from ledger_entry e join account a on a.row = e.account order by a.id, e.at, e.resource, e.amount, e.from_book",
    "select 'approval', p.id, p.state, p.cause, p.command, p.plan_hash, p.cost, p.available, p.expires_before, p.requested_at,
         p.expires_at, p.closed_at, p.expiry_reason
     from approval p order by p.id",
    "select 'deferred', r.id, d.pay_at, d.effective_at
     from deferred_purchase d join resource r on r.row = d.resource order by r.id, d.pay_at",
];

/// The same without the instants at which tries were made, which differ after an outage.
const OUTCOME: [&str; 5] = [
    "select id, available, held from account order by id",
    "select r.id, h.stage, h.charging, h.expires_at, h.on_expiry, h.wake_at, h.consecutive_failures, r.attributes
     from resource r join schedule h on h.resource = r.row order by r.id",
    "select r.id, o.id, o.starts_at, o.ends_at, o.cost from orders o join resource r on r.row = o.resource
     order by r.id, o.starts_at",
    "select r.id, a.expires_before, a.state, a.decline_class, a.tries from attempt a join resource r on r.row = a.resource
     order by r.id, a.expires_before",
    "select a.id, e.from_book, e.to_book, e.amount, e.reason, e.resource, e.reference
     from ledger_entry e join account a on a.row = e.account order by a.id, e.resource, e.reference",
];

/// Every row about accounts and resources.
pub fn state(db: &ReadTx) -> Vec<String> {
    STATE.iter().flat_map(|sql| rows(db, sql)).collect()
}

/// Every row about accounts and resources, without the instants at which tries were made.
pub fn outcome(db: &ReadTx) -> Vec<String> {
    OUTCOME.iter().flat_map(|sql| rows(db, sql)).collect()
}

/// Id, available and held amount of each account.
pub fn balances(db: &ReadTx) -> Vec<String> {
    rows(db, "select id, available, held from account order by id")
}

/// Each resource with its stage and what is still to come.
pub fn schedules(db: &ReadTx) -> Vec<String> {
    let sql = "select r.id, h.stage, h.charging, h.expires_at, h.on_expiry, h.renewals_left, h.wake_at, r.attributes
        from resource r join schedule h on h.resource = r.row order by r.id";
    rows(db, sql)
}

/// Each period that was paid for: resource, start, end, amount and when it was refunded.
pub fn periods(db: &ReadTx) -> Vec<String> {
    let sql = "select r.id, o.starts_at, o.ends_at, o.cost, o.refunded_at
        from orders o join resource r on r.row = o.resource order by r.id, o.starts_at";
    rows(db, sql)
}

/// The resources of which a period was refunded, one for each.
pub fn refunded(db: &ReadTx) -> Vec<String> {
    rows(
        db,
        "select r.id from orders o join resource r on r.row = o.resource where o.refunded_at is not null",
    )
}

/// Each resource with the primary of its bundle.
pub fn members(db: &ReadTx) -> Vec<(String, String)> {
    let sql = "select r.id, p.id from resource r join schedule h on h.resource = r.row join resource p on p.row = h.bundle";
    pairs(db, sql)
}

/// Each prepaid resource that has an expiry, with that, in seconds.
pub fn expiries(db: &ReadTx) -> Vec<(String, String)> {
    let sql = "select r.id, printf('%d', h.expires_at) from schedule h join resource r on r.row = h.resource
        where h.expires_at is not null and h.charging = 0";
    pairs(db, sql)
}

/// The primaries that are in grace, in retention or released; with `renewing`, only those set to be renewed.
pub fn lapsed_primaries(db: &ReadTx, renewing: bool) -> Vec<String> {
    let only = if renewing { "and h.on_expiry = 1" } else { "" };
    let sql = format!(
        "select r.id from schedule h join resource r on r.row = h.resource
         where h.stage in (1, 2, 3) and h.resource = h.bundle {only} order by r.id"
    );
    rows(db, &sql)
}

/// The primaries whose plugin failed at the last call, as their schedule has it.
pub fn failing(db: &ReadTx) -> Vec<String> {
    let sql =
        "select r.id from schedule h join resource r on r.row = h.resource where h.consecutive_failures > 0
        order by r.id";
    rows(db, sql)
}

/// The primaries whose plugin failed at the last call, each with what is shown of it.
pub fn plugin_failures(db: &ReadTx) -> Vec<(String, String)> {
    pairs(
        db,
        "select r.id, p.message from plugin_failure p join resource r on r.row = p.bundle order by r.id",
    )
}

/// Each resource about which a decision is kept, with the instant in seconds.
pub fn decided(db: &ReadTx) -> Vec<String> {
    rows(db, "select distinct r.id, d.at from decision d join resource r on r.row = d.resource")
}

/// Each attempt in order: its state and how often it was tried.
pub fn attempts(db: &ReadTx) -> Vec<String> {
    rows(db, "select state, tries from attempt order by row")
}

/// Each approval in order: its id and its state.
pub fn approvals(db: &ReadTx) -> Vec<String> {
    rows(db, "select id, state from approval order by row")
}

/// What was paid for renewals and for packages that were bought again, and what the ledger spent.
pub fn paid_and_spent(db: &ReadTx) -> (i64, i64) {
    let paid = "select coalesce(sum(cost), 0) from orders where state = 1 and kind <> 3 and (kind > 0 or id like 'purchase/package-%.%' or id like '%/purchase%')";
    let spent = "select coalesce(sum(amount), 0) from ledger_entry where from_book = 1 and to_book = 3";
    (number(db, paid), number(db, spent))
}

/// The payments above an account's limit that no approved plan explains: resource, instant and amount.
pub fn paid_without_approval(db: &ReadTx) -> Vec<String> {
    let sql = "select e.resource, e.at, e.amount, a.approval_above
        from ledger_entry e join account a on a.row = e.account
        where e.to_book = 3 and e.amount > a.approval_above and not exists
            (select 1 from approval p where p.account = a.row and p.state = 'approved' and p.cost = e.amount)";
    rows(db, sql)
}

/// Every event in the order in which it was written, without those of a restart.
pub fn events(db: &ReadTx) -> Vec<String> {
    rows(db, "select at, account, resource, type, body from event where type <> 'host_resumed' order by row")
}

/// Every event by resource, without its instant and without those of a restart.
pub fn events_by_resource(db: &ReadTx) -> Vec<String> {
    let sql =
        "select account, resource, type, body from event where type <> 'host_resumed' order by resource, row";
    rows(db, sql)
}

/// How many events there are; those of a restart do not count.
pub fn event_count(db: &ReadTx) -> i64 {
    number(db, "select count(*) from event where type <> 'host_resumed'")
}

/// How many rows a table has.
pub fn row_count(db: &ReadTx, table: &str) -> i64 {
    number(db, &format!("select count(*) from {table}"))
}

/// The hashes of the tokens that were issued to providers' keys.
pub fn token_hashes(db: &ReadTx) -> Vec<Vec<u8>> {
    let mut statement = db.connection().prepare("select token_hash from provider_token").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Puts every account with another provider.
pub fn set_provider(db: &ReadTx, provider: &str) {
    db.connection().execute("update account set provider = ?1", [provider]).unwrap();
}

/// Gives every resource this price.
pub fn set_price(db: &ReadTx, price: Micros) {
    db.connection().execute("update resource set price = ?1", [price.as_micros()]).unwrap();
}

/// Sets an account's available amount, whatever its entries say.
pub fn set_available(db: &ReadTx, account: &str, available: Micros) {
    db.connection()
        .execute("update account set available = ?2 where id = ?1", (account, available.as_micros()))
        .unwrap();
}

/// Sets the cursor and the wake of every bundle that has a wake.
pub fn set_schedule(db: &ReadTx, cursor: Timestamp, wake: Timestamp) {
    let sql = "update schedule set cursor_at = ?1, wake_at = ?2 where wake_at is not null";
    db.connection().execute(sql, (cursor.as_second(), wake.as_second())).unwrap();
}

/// Takes the wake of every bundle away.
pub fn clear_wakes(db: &ReadTx) {
    db.connection().execute("update schedule set wake_at = null", []).unwrap();
}

/// Adds each order once more, for a period that begins a second later.
pub fn double_orders(db: &ReadTx) {
    db.connection().execute(
        "insert into orders (id, resource, kind, state, starts_at, ends_at, cost, created_at, paid_at, ended_auto_renew)
         select id || '-again', resource, 0, 1, starts_at + 1, ends_at, cost, created_at, paid_at, 0 from orders
         where refunded_at is null",
        [],
    )
    .unwrap();
}

/// Adds each settled attempt once more, for a term that is longer by one.
pub fn double_attempts(db: &ReadTx) {
    let added =
        "insert into attempt (resource, expires_before, term_count, term_unit, state, changed_at, tries)
        select resource, expires_before, term_count + 1, term_unit, state, changed_at, tries from attempt
        where state = 'settled'";
    db.connection().execute(added, []).unwrap();
}

/// Makes every approval pending again, without touching its attempt or when it was closed.
pub fn reopen_approvals(db: &ReadTx) {
    db.connection().execute("update approval set state = 'pending'", []).unwrap();
}

/// Takes every account away, and nothing that refers to one.
pub fn remove_accounts(db: &ReadTx) {
    db.connection().execute("delete from account", []).unwrap();
}

/// Opens the database at `path`, also while a host works on it, with the right to change it.
pub fn open(path: &Path) -> ReadTx {
    ReadTx::raw(Connection::open(path).unwrap())
}

/// Makes every write of a new package fail, until [`accept_packages`].
pub fn refuse_packages(db: &ReadTx) {
    let stop = "create trigger stop before insert on package begin select raise(abort, 'stopped'); end";
    db.connection().execute_batch(stop).unwrap();
}

/// Lets packages be written again.
pub fn accept_packages(db: &ReadTx) {
    db.connection().execute_batch("drop trigger stop").unwrap();
}

/// Says that the clock has come to `at`, also when it was further.
pub fn set_ticked_at(db: &ReadTx, at: Timestamp) {
    db.connection().execute("update clock set ticked_at = ?1", [at.as_second()]).unwrap();
}

/// Takes the clock's table away.
pub fn remove_clock(db: &ReadTx) {
    db.connection().execute_batch("alter table clock rename to gone").unwrap();
}

/// Lets the database grow no further, as on a full disk, or as far as it likes.
pub fn fill_disk(db: &ReadTx, is_full: bool) {
    let pages = if is_full { number(db, "pragma page_count") } else { 4_294_967_294 };
    number(db, &format!("pragma max_page_count = {pages}"));
}

/// Moves the log into the database whenever it has so many pages.
pub fn checkpoint_every(db: &ReadTx, pages: u32) {
    number(db, &format!("pragma wal_autocheckpoint = {pages}"));
}

/// What the SQLite behind the store was built from.
pub fn sqlite_source_id(db: &ReadTx) -> String {
    rows(db, "select sqlite_source_id()").concat()
}

/// Makes a database at `path` that is none of this program's: it has these tables, and nothing in them.
pub fn make_foreign(path: &Path, tables: &[&str]) {
    let db = open(path);
    for table in tables {
        db.connection().execute_batch(&format!("create table {table} (a)")).unwrap();
    }
}

/// Every table and index, without comments, quotes and white space.
pub fn schema(db: &ReadTx) -> String {
    let sql = "select type || ' ' || name, sql from sqlite_master where name not like 'sqlite_%' order by 1";
    let mut statement = db.connection().prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    let mut schema = String::new();
    for (name, sql) in rows.unwrap().map(Result::unwrap) {
        let lines = sql.lines().map(|line| line.split("--").next().unwrap());
        let bare = lines.collect::<String>().replace([' ', '"'], "");
        writeln!(schema, "{name}: {bare}").unwrap();
    }
    schema
}

/// Has the decisions of a plugin made by another revision.
pub fn set_revisions(db: &ReadTx, plugin: &str, digest: &str) {
    db.connection().execute("update revision set digest = ?2 where plugin = ?1", (plugin, digest)).unwrap();
}

/// The response of a decision, as it is kept.
pub fn response(db: &ReadTx, decision: DecisionKey) -> Vec<u8> {
    let sql = "select response from decision where row = ?1";
    db.connection().query_row(sql, [decision], |row| row.get(0)).unwrap()
}

/// Replaces the response of a decision.
pub fn set_response(db: &ReadTx, decision: DecisionKey, response: &[u8]) {
    let sql = "update decision set response = ?2 where row = ?1";
    db.connection().execute(sql, (decision, response)).unwrap();
}

/// Replaces what is kept of every script of a policy.
pub fn set_scripts(db: &ReadTx, source: &str) {
    db.connection().execute("update policy_script set source = ?1", [source]).unwrap();
}

/// Everything in the database at `path`, as text.
pub fn dump(path: &Path) -> String {
    contents(&open(path))
}

/// Everything in a database, as text.
pub fn contents(db: &ReadTx) -> String {
    let mut dump = schema(db);
    let version: i64 = db.connection().query_row("pragma user_version", [], |row| row.get(0)).unwrap();
    writeln!(dump, "schema {version}").unwrap();
    let mut tables =
        db.connection().prepare("select name from sqlite_master where type = 'table' order by name").unwrap();
    for table in tables.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap) {
        let mut statement = db.connection().prepare(&format!("select * from {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values = (0..columns).map(|column| format!("{:?}", row.get_ref(column).unwrap()));
            writeln!(dump, "{table} {}", values.collect::<Vec<_>>().join(" ")).unwrap();
        }
    }
    dump
}

fn number(db: &ReadTx, sql: &str) -> i64 {
    db.connection().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn pairs(db: &ReadTx, sql: &str) -> Vec<(String, String)> {
    let mut statement = db.connection().prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The rows of a query, one line each.
fn rows(db: &ReadTx, sql: &str) -> Vec<String> {
    let mut statement = db.connection().prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells = (0..columns).map(|column| Ok(cell(row.get_ref(column)?)));
        Ok(cells.collect::<Result<Vec<_>, rusqlite::Error>>()?.join(" "))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn cell(value: ValueRef<'_>) -> String {
    match value.as_str() {
        Ok(text) => text.to_owned(),
        Err(_) => value
            .as_i64_or_null()
            .expect("every column is text or a whole number")
            .map_or("-".to_owned(), |number| number.to_string()),
    }
}
