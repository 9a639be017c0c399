//! The writes of one renewal, repeated for any resource: as many rows of the same sizes in the same tables, in one
//! transaction, with no rules, no plugins and no API.
//!
//! The rows are those that one renewal through the server left; each further one gets keys of its own.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::params_from_iter;
use rusqlite::types::Value;

use crate::Store;
use crate::bench::attached;
use crate::bench::read;
use crate::error::StoreError;

/// The tables that a renewal adds rows to, with the column that makes a row unlike every other: a number, or the digits
/// of one.
const TABLES: [(&str, Option<&str>); 8] = [
    ("attempt", Some("expires_before")),
    ("orders", Some("starts_at")),
    ("ledger_entry", None),
    ("event", None),
    ("decision", None),
    ("audit", None),
    ("used_signature", Some("digest")),
    ("client_token", Some("token")),
];

/// Rows of one table.
struct Rows {
    insert: String,
    rows: Vec<Vec<Value>>,
    /// The place of the column that is different each time.
    unlike: Option<usize>,
    /// The place of the column that names a resource by its row.
    resource: Option<usize>,
}

/// The rows that one renewal writes.
pub struct Sample {
    tables: Vec<Rows>,
    /// The row of the server that was renewed, and how many are in its bundle.
    primary: i64,
    members: i64,
}

impl Sample {
    /// What has come to the database at `db` since `before`, when the server called `id` was renewed.
    pub fn of(db: &Path, before: &Path, id: &str) -> Result<Sample, StoreError> {
        let db = attached(db, before)?;
        let mut tables = Vec::new();
        for (table, unlike) in TABLES {
            let mut statement =
                db.prepare(&format!("select * from main.{table} except select * from before.{table}"))?;
            let columns = statement.column_names().map(str::to_owned).collect::<Vec<_>>();
            let place = |name: &str| columns.iter().position(|column| column == name);
            let found = statement.query_map([], |row| (0..columns.len()).map(|at| row.get(at)).collect())?;
            let mut rows = found.collect::<rusqlite::Result<Vec<Vec<Value>>>>()?;
            if let Some(row) = place("row") {
                rows.iter_mut().for_each(|values| values[row] = Value::Null);
            }
            let values = vec!["?"; columns.len()].join(", ");
            tables.push(Rows {
                insert: format!("insert into {table} values ({values})"),
                rows,
                unlike: unlike.and_then(place),
                resource: place("resource").filter(|_| ["attempt", "orders", "decision"].contains(&table)),
            });
        }
        let primary = db.query_row("select row from resource where id = ?1", [id], |row| row.get(0))?;
        let count = "select count(*) from schedule where bundle = ?1";
        let members = db.query_row(count, [primary], |row| row.get(0))?;
        Ok(Sample { tables, primary, members })
    }

    /// How many rows a renewal adds.
    pub fn rows(&self) -> usize {
        self.tables.iter().map(|table| table.rows.len()).sum()
    }

    /// Reads the bundle of the resource called `id` and writes the rows of renewal `number` for it, in one transaction.
    /// Returns whether there is such a resource.
    pub fn renew(&self, store: &mut Store, id: &str, number: i64) -> Result<bool, StoreError> {
        store.write(|tx| {
            if read::resource(tx, id)?.is_none() {
                return Ok(false);
            }
            let mut row = tx.connection().prepare_cached("select row from resource where id = ?1")?;
            let primary = row.query_row([id], |row| row.get(0))?;
            self.write(tx.connection(), primary, number)?;
            Ok(true)
        })
    }

    fn write(&self, tx: &Connection, primary: i64, number: i64) -> rusqlite::Result<()> {
        for table in &self.tables {
            let mut statement = tx.prepare_cached(&table.insert)?;
            for (place, row) in table.rows.iter().enumerate() {
                let mut row = row.clone();
                if let Some(unlike) = table.unlike {
                    let number = number * 16 + i64::try_from(place).unwrap_or_default();
                    row[unlike] = match &row[unlike] {
                        Value::Blob(_) => Value::Blob([number.to_be_bytes(); 4].concat()),
                        Value::Text(_) => Value::Text(format!("t{number}")),
                        Value::Integer(_) | Value::Null | Value::Real(_) => Value::Integer(number),
                    };
                }
                if let Some(resource) = table.resource
                    && let Value::Integer(sampled) = row[resource]
                {
                    row[resource] = Value::Integer(sampled - self.primary + primary);
                }
                statement.execute(params_from_iter(row))?;
            }
        }
        let mut renew = tx.prepare_cached(
            "update schedule set charging = ?2, stage = ?3, expires_at = expires_at + ?4, on_expiry = ?5, renewals_left = ?6,
                 cursor_at = cursor_at + 1, wake_at = wake_at + ?4, consecutive_failures = 0
             where resource = ?1",
        )?;
        for member in primary..primary + self.members {
            renew.execute((member, 0, 0, 2_678_400, 0, None::<i64>))?;
        }
        let spend = "update account set available = available - 1, held = 0
            where row = (select account from resource where row = ?1)";
        tx.prepare_cached(spend)?.execute([primary])?;
        Ok(())
    }
}
