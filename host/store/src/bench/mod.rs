//! What benchmarks compare the host with: the same reads and writes of the same tables, and nothing in between.

pub mod read;
pub mod renewal;
pub mod tick;

use std::path::Path;

use rusqlite::Connection;

use crate::error::StoreError;

/// Writes a copy of the database at `db` as it is now to `copy`.
pub fn snapshot(db: &Path, copy: &Path) -> Result<(), StoreError> {
    Connection::open(db)?.execute("vacuum into ?1", [text(copy)?])?;
    Ok(())
}

/// The database at `db` with the one at `before` attached as `before`.
fn attached(db: &Path, before: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(db)?;
    connection.execute("attach ?1 as before", [text(before)?])?;
    Ok(connection)
}

fn text(path: &Path) -> Result<&str, StoreError> {
    path.to_str().ok_or_else(|| damaged("a path that is text", path.display().to_string()))
}

fn damaged(what: &'static str, found: String) -> StoreError {
    StoreError::Damaged { what, found }
}
