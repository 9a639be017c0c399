//! The bare loop: reads what is due and writes given rows, with nothing in between.
//!
//! The rows are those in which a database after the engine's tick differs from the one before. They are made ready
//! beforehand, by bundle; the loop reads the same columns of the same bundles as the engine, in the same transactions,
//! through a connection that is set up the same way.

use std::collections::BTreeMap;
use std::path::Path;

use perennial_domain::timestamp::Timestamp;
use rusqlite::Connection;
use rusqlite::Statement;
use rusqlite::params_from_iter;
use rusqlite::types::Value;

use crate::Store;
use crate::bench::attached;
use crate::bench::damaged;
use crate::error::StoreError;

type Row = Vec<Value>;

/// The bundles that are due, with all that the engine reads of them.
const DUE: &str = "
    with due as materialized (
        select resource as due_row from schedule where wake_at <= ?1 order by wake_at, resource limit ?2
    )
    select h.bundle, r.account, h.*, r.*, p.*
    from due cross join schedule h join resource r on r.row = h.resource left join package p on p.resource = h.resource
    where h.bundle = due.due_row";

/// Tables whose rows belong to bundles: the name, and how to find a row's bundle.
const TABLES: [(&str, &str); 7] = [
    ("schedule", "new.bundle"),
    ("resource", "(select bundle from main.schedule where resource = new.row)"),
    ("attempt", "(select bundle from main.schedule where resource = new.resource)"),
    ("orders", "(select bundle from main.schedule where resource = new.resource)"),
    (
        "ledger_entry",
        "(select h.bundle from main.resource r join main.schedule h on h.resource = r.row where r.id = new.resource)",
    ),
    ("decision", "(select bundle from main.schedule where resource = new.resource)"),
    (
        "event",
        "(select h.bundle from main.resource r join main.schedule h on h.resource = r.row where r.id = new.resource)",
    ),
];

/// Tables that a tick writes to once a batch, or once.
const OTHERS: [&str; 3] = ["account", "revision", "clock"];

/// The rows to write, of one table.
struct Rows {
    write: String,
    of_bundle: BTreeMap<i64, Vec<Row>>,
}

/// The rows that the bare loop writes.
pub struct Bare {
    tables: Vec<Rows>,
    accounts: BTreeMap<i64, Row>,
    revisions: Vec<Row>,
    clock: Vec<Row>,
}

impl Bare {
    /// The rows of `after` that `before` has not.
    pub fn of_difference(before: &Path, after: &Path) -> Result<Bare, StoreError> {
        let db = attached(after, before)?;
        let mut tables = Vec::new();
        for (table, bundle) in TABLES {
            let mut of_bundle = BTreeMap::<i64, Vec<Row>>::new();
            for mut row in difference(&db, table, bundle)? {
                let Some(Value::Integer(bundle)) = row.pop() else {
                    return Err(damaged("a row that belongs to a bundle", format!("{row:?} in `{table}`")));
                };
                of_bundle.entry(bundle).or_default().push(row);
            }
            tables.push(Rows { write: statement(&db, table)?, of_bundle });
        }
        let [accounts, revisions, clock] = OTHERS.map(|table| {
            let mut rows = difference(&db, table, "null")?;
            rows.iter_mut().for_each(|row| drop(row.pop()));
            Ok::<_, rusqlite::Error>(rows)
        });
        let mut by_row = BTreeMap::new();
        for account in accounts? {
            let Some(Value::Integer(row)) = account.first().cloned() else {
                return Err(damaged("an account's row", format!("{account:?}")));
            };
            by_row.insert(row, account);
        }
        Ok(Bare { tables, accounts: by_row, revisions: revisions?, clock: clock? })
    }

    /// The statements that have rows to write; none when both databases have the same rows.
    pub fn pending(&self) -> Vec<&str> {
        let tables = self.tables.iter().filter(|rows| !rows.of_bundle.is_empty());
        let mut pending = tables.map(|rows| rows.write.as_str()).collect::<Vec<_>>();
        let others = [
            (SET_BALANCE, self.accounts.len()),
            (INSERT_REVISION, self.revisions.len()),
            (REPLACE_CLOCK, self.clock.len()),
        ];
        pending.extend(others.iter().filter(|(_, rows)| *rows > 0).map(|(statement, _)| *statement));
        pending
    }

    /// Does what is due by `until`, at most `limit` bundles in one transaction.
    pub fn run(&self, store: &mut Store, until: Timestamp, limit: u32) -> Result<(), StoreError> {
        loop {
            let is_over =
                store.write(|tx| Ok::<bool, StoreError>(self.batch(tx.connection(), until, limit)?))?;
            if is_over {
                return store
                    .write(|tx| Ok(write(&mut tx.connection().prepare(REPLACE_CLOCK)?, &self.clock)?));
            }
        }
    }

    /// One transaction; returns whether nothing was due any more.
    fn batch(&self, tx: &Connection, until: Timestamp, limit: u32) -> rusqlite::Result<bool> {
        let due = due(tx, until, limit)?;
        let mut statements = self
            .tables
            .iter()
            .map(|rows| tx.prepare_cached(&rows.write))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        write(&mut tx.prepare(INSERT_REVISION)?, &self.revisions)?;
        let mut accounts = BTreeMap::new();
        for (bundle, (account, _)) in &due {
            for (statement, rows) in statements.iter_mut().zip(&self.tables) {
                write(statement, rows.of_bundle.get(bundle).map_or(&[], Vec::as_slice))?;
            }
            accounts.extend(self.accounts.get_key_value(account));
        }
        let mut set_balance = tx.prepare_cached(SET_BALANCE)?;
        for (row, account) in accounts {
            set_balance.execute((row, &account[AVAILABLE], &account[AVAILABLE + 1]))?;
        }
        Ok(due.is_empty())
    }
}

const SET_BALANCE: &str = "update account set available = ?2, held = ?3 where row = ?1";
const INSERT_REVISION: &str = "insert or ignore into revision values (?, ?, ?)";
const REPLACE_CLOCK: &str = "replace into clock values (?, ?, ?)";

/// The place of `available` among an account's columns; `held` comes next.
const AVAILABLE: usize = 5;

/// Reads what is due into memory: each bundle with its account and its members' columns.
fn due(db: &Connection, until: Timestamp, limit: u32) -> rusqlite::Result<BTreeMap<i64, (i64, Vec<Row>)>> {
    let mut statement = db.prepare_cached(DUE)?;
    let columns = statement.column_count();
    let mut rows = statement.query((until.as_second(), limit))?;
    let mut bundles = BTreeMap::<i64, (i64, Vec<Row>)>::new();
    while let Some(row) = rows.next()? {
        let columns = (2..columns).map(|column| row.get(column)).collect::<rusqlite::Result<Row>>()?;
        bundles.entry(row.get(0)?).or_insert((row.get(1)?, Vec::new())).1.push(columns);
    }
    Ok(bundles)
}

fn write(statement: &mut Statement<'_>, rows: &[Row]) -> rusqlite::Result<()> {
    for row in rows {
        statement.execute(params_from_iter(row))?;
    }
    Ok(())
}

/// The rows of a table that are new or different, in order; the last column is what `bundle` gives.
fn difference(db: &Connection, table: &str, bundle: &str) -> rusqlite::Result<Vec<Row>> {
    let mut statement = db.prepare(&format!(
        "select new.*, {bundle} from (select * from main.{table} except select * from before.{table}) new order by 1"
    ))?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect())?;
    rows.collect()
}

/// The statement that writes a row of `table`: an update of what the clock changes, or else an insertion.
fn statement(db: &Connection, table: &str) -> rusqlite::Result<String> {
    let columns = db.prepare(&format!("select * from {table}"))?;
    let columns = columns.column_names().collect::<Vec<_>>();
    if table == "schedule" || table == "resource" {
        let set = columns.iter().enumerate().skip(1).map(|(place, name)| format!("{name} = ?{}", place + 1));
        let set = set.collect::<Vec<_>>().join(", ");
        return Ok(format!("update {table} set {set} where {} = ?1", columns[0]));
    }
    let values = vec!["?"; columns.len()].join(", ");
    Ok(format!("insert into {table} values ({values})"))
}
