//! What can go wrong between the host and its database.

use std::path::PathBuf;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process runs the clock on this database.
    #[error(
        "the database `{path}` is in use by another process{holder}; stop that one first, or name another database with `--db`",
        path = path.display()
    )]
    InUse {
        /// The database.
        path: PathBuf,
        /// Such as ` (process 4711)`; empty when it is not known.
        holder: String,
    },
    /// The lock file cannot be made.
    #[error("cannot lock `{path}`: {source}; is its folder there and writable?", path = path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is no database, and this is not the command that makes one.
    #[error("there is no database at `{path}`; make one with `perennial import FILE`", path = path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// It was written by another version.
    #[error(
        "the database `{path}` has schema {found}; this host reads schema {wanted}",
        path = path.display()
    )]
    OtherSchema {
        /// The database.
        path: PathBuf,
        /// What it has.
        found: i64,
        /// What this host has.
        wanted: i64,
    },
    /// It says something that this host never writes.
    #[error("the database has {found} where {what} was expected; restore it from a backup")]
    Damaged {
        /// What should be there.
        what: &'static str,
        /// What is there.
        found: String,
    },
    /// A period would be paid for twice. Nothing was written.
    #[error("`{resource}` has been paid for from {starts_at} on already; nothing was written")]
    PaidTwice {
        /// The resource.
        resource: String,
        /// When the period begins.
        starts_at: String,
    },
    /// SQLite says no.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A column that holds JSON does not.
    #[error("the database has a column that is not JSON: {0}; restore it from a backup")]
    Json(#[from] serde_json::Error),
}
