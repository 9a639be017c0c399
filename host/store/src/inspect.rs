//! Raw SQL for the tests of other crates: to see what no function of this crate shows, and to break what none breaks.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::FromSql;
use rusqlite::types::Value;

use crate::error::StoreError;
use crate::tx::ReadTx;

/// A database file that is opened as it is: of any schema, without a lock, for reading and writing.
#[derive(Debug)]
pub struct RawDatabase {
    connection: Connection,
}

/// Runs raw SQL on a connection.
#[derive(Clone, Copy, Debug)]
pub struct Inspector<'c> {
    connection: &'c Connection,
}

impl RawDatabase {
    /// Opens the file at `path`; an empty database is made if there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] when it cannot be opened.
    pub fn open(path: &Path) -> Result<RawDatabase, StoreError> {
        Ok(RawDatabase { connection: Connection::open(path)? })
    }

    /// Runs raw SQL on it.
    pub fn inspect(&self) -> Inspector<'_> {
        Inspector { connection: &self.connection }
    }
}

impl ReadTx {
    /// Runs raw SQL, for tests.
    pub fn inspect(&self) -> Inspector<'_> {
        Inspector { connection: self.connection() }
    }
}

impl<'c> Inspector<'c> {
    /// The connection itself, for the benchmark's loop that writes rows with nothing in between.
    pub fn connection(self) -> &'c Connection {
        self.connection
    }

    /// The first column of the first row.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] when the statement fails, has no row, or its value is of another type.
    pub fn value<T: FromSql>(self, sql: &str) -> Result<T, StoreError> {
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// Every row, each column as text; null is `-`, bytes are in hexadecimal.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] when the statement fails.
    pub fn rows(self, sql: &str) -> Result<Vec<Vec<String>>, StoreError> {
        let mut statement = self.connection.prepare(sql)?;
        let columns = statement.column_count();
        let rows =
            statement.query_map([], |row| (0..columns).map(|column| row.get(column).map(text)).collect())?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Runs statements that give no rows.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] when one fails.
    pub fn run(self, sql: &str) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch(sql)?)
    }
}

fn text(value: Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text,
        Value::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}
