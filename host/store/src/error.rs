//! What can go wrong between the host and its database.

use std::path::Path;
use std::path::PathBuf;

use rusqlite::ffi;

use crate::open_files;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process runs the clock on this database.
    #[error(
        "the database `{path}` is in use by another process{holder}; stop that one first, or name another database with `--db`",
        path = path.display()
    )]
    InUse {
        /// The file of the database.
        path: PathBuf,
        /// Such as ` (process 4711)`; empty when it is not known.
        holder: String,
        /// Whether a host has it, which answers commands meanwhile, and not only another command.
        is_host: bool,
    },
    /// The lock file cannot be made.
    #[error("cannot lock `{path}`: {source}; is its folder there and writable?", path = path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The log of a host that did not end in order cannot be made sure of.
    #[error(
        "cannot write `{path}` once more, which a host that did not end in order left: {source}; the system's log says what its \
         disk fails at",
        path = path.display()
    )]
    Log {
        /// The file of the log.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// What should be the lock file is a link to another file.
    #[error(
        "cannot lock `{path}`: it is a symbolic link, and what it leads to would be overwritten; remove it",
        path = path.display()
    )]
    LockIsLink {
        /// The lock file.
        path: PathBuf,
    },
    /// The file was moved, deleted or replaced while it was open for writing. Nothing was written.
    #[error(
        "the database `{path}` was moved, deleted or replaced while it is in use, and nothing is written any more: put the \
         file back under this name, or stop the process first, which leaves all of it in the file that was moved",
        path = path.display()
    )]
    Moved {
        /// The path at which the file was.
        path: PathBuf,
    },
    /// The file, or what SQLite keeps beside it, may be read and not written.
    #[error(
        "the database `{path}` can only be read: give it, what is beside it and its folder to the user that this runs as (`chown`), \
         make them writable (`chmod u+w`), or name another database with `--db`",
        path = path.display()
    )]
    ReadOnly {
        /// The path of the database.
        path: PathBuf,
    },
    /// A file that SQLite keeps beside the database was moved, deleted or replaced while it is in use. Nothing was written.
    #[error(
        "`{path}` beside the database was moved, deleted or replaced while it is in use, and nothing is written any more: stop \
         the process and start it again; what was acknowledged is moved into the database itself",
        path = path.display()
    )]
    LogMoved {
        /// Where it was.
        path: PathBuf,
    },
    /// The file has no bytes, and this is not the command that makes a database.
    #[error(
        "`{path}` is an empty file and no database; put back a copy with `perennial db restore FILE`, or make a new one with \
         `perennial import FILE`",
        path = path.display()
    )]
    Empty {
        /// The file that is empty.
        path: PathBuf,
    },
    /// There is no database, and this is not the command that makes one.
    #[error(
        "there is no database at `{path}`; make one with `perennial import FILE` or `perennial account connect`",
        path = path.display()
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A newer version wrote it.
    #[error(
        "the database `{path}` has schema {found}, and this version reads schemas up to {newest}; use the version that \
         wrote it or a newer one, or put back an older copy with `perennial db restore FILE`",
        path = path.display()
    )]
    SchemaTooNew {
        /// The file of the database.
        path: PathBuf,
        /// The schema that it has.
        found: i64,
        /// The newest schema that this version knows.
        newest: i64,
    },
    /// It is older than the first schema that can be migrated.
    #[error(
        "the database `{path}` has schema {found}, and this version migrates schema {oldest} and later; it cannot be used",
        path = path.display()
    )]
    SchemaTooOld {
        /// The file of the database.
        path: PathBuf,
        /// The schema that it has.
        found: i64,
        /// The oldest schema that can be migrated.
        oldest: i64,
    },
    /// It was opened for reading, and has to be migrated first.
    #[error(
        "the database `{path}` has schema {found}, and this version works with schema {wanted}; run `perennial db migrate` \
         first, which keeps a copy of it",
        path = path.display()
    )]
    SchemaOld {
        /// The file of the database.
        path: PathBuf,
        /// The schema that it has.
        found: i64,
        /// The present schema.
        wanted: i64,
    },
    /// A step of a migration failed. The database is as it was.
    #[error(
        "the database `{path}` could not be migrated to schema {to} and is as it was: {source}; a copy is at `{backup}`",
        path = path.display(),
        backup = backup.display()
    )]
    Migration {
        /// The file of the database.
        path: PathBuf,
        /// The schema that the step leads to.
        to: i64,
        /// The copy that was made before.
        backup: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// A copy of the database could not be made.
    #[error("cannot write the copy `{path}`: {source}; is its folder there, writable, and large enough?", path = path.display())]
    Backup {
        /// The file of the copy.
        path: PathBuf,
        /// What the system or SQLite says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A copy of the database would overwrite a file.
    #[error("`{path}` exists already; name a file that does not", path = path.display())]
    Exists {
        /// The file that is there already.
        path: PathBuf,
    },
    /// A copy cannot be put in the place of the database.
    #[error("cannot replace `{path}`: {source}; the files beside it are the database and the copy", path = path.display())]
    Restore {
        /// The file of the database.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file that was to be restored is not a whole database of this program.
    #[error("`{path}` cannot be restored: {reason}", path = path.display())]
    NotADatabase {
        /// The file that is no database.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is there, and is no database of this program, or cannot be opened as one. Nothing was written.
    #[error("`{path}` cannot be used as a database: {reason}; name another with `--db`, or restore a backup", path = path.display())]
    Unusable {
        /// The file that cannot be used.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is there, and this process may not open it.
    #[error(
        "the database `{path}` may not be opened by this user{whose}: run this as its owner, or give it and what is beside it to \
         this user (`chown`) and make it readable and writable (`chmod u+rw`)",
        path = path.display()
    )]
    Forbidden {
        /// The file of the database.
        path: PathBuf,
        /// Such as `; it belongs to user 0 and has the mode 600`; empty where that is not known.
        whose: String,
    },
    /// It says something that this host never writes.
    #[error("the database has {found} where {what} was expected; restore it from a backup")]
    Damaged {
        /// The value that should be there.
        what: &'static str,
        /// The value that was found instead.
        found: String,
    },
    /// A period would be paid for twice. Nothing was written.
    #[error("`{resource}` has been paid for from {starts_at} on already; nothing was written")]
    PaidTwice {
        /// The id of the resource.
        resource: String,
        /// The instant at which the period begins.
        starts_at: String,
    },
    /// SQLite says no.
    #[error("the database failed: {reason}{advice}", reason = reason(.0), advice = advice(.0))]
    Sqlite(#[from] rusqlite::Error),
    /// A column that holds JSON does not.
    #[error("the database has a column that is not JSON: {0}; restore it from a backup")]
    Json(#[from] serde_json::Error),
}

impl StoreError {
    /// The same error, with the file that it is about: what SQLite says while it opens the database at `path`.
    pub(crate) fn while_opening(self, path: &Path) -> StoreError {
        if let StoreError::Sqlite(_) = &self
            && open_files::is_forbidden(path)
        {
            return StoreError::Forbidden { path: path.to_owned(), whose: whose(path) };
        }
        if let StoreError::Sqlite(error) = &self
            && advice(error).is_empty()
        {
            return StoreError::Unusable { path: path.to_owned(), reason: reason(error) };
        }
        self
    }

    /// Whether the database's file is no longer where it was. Nothing was written, and the same may be tried again once it
    /// is.
    pub fn is_moved(&self) -> bool {
        matches!(self, StoreError::Moved { .. })
    }

    /// Whether a file beside the database is no longer where it was. Nothing was written, and the same may be tried again
    /// once the database was opened anew.
    pub fn is_log_moved(&self) -> bool {
        matches!(self, StoreError::LogMoved { .. })
    }

    /// Whether there was no space to write to. Nothing was written, and the same may be tried again.
    pub fn is_storage_full(&self) -> bool {
        matches!(self, StoreError::Sqlite(error) if StoreError::is_full(error))
    }

    fn is_full(error: &rusqlite::Error) -> bool {
        error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) || has_no_room_for_index(error)
    }
}

/// Whether SQLite found no room for its index of the log, a file beside the database that it maps into memory. It calls that a
/// failure of input or output; only the extended code tells.
fn has_no_room_for_index(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code.is_some_and(|code| [ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_IOERR_SHMMAP].contains(&code))
}

/// Whose a file is, and what its mode allows; empty where the system does not say.
fn whose(path: &Path) -> String {
    #[cfg(unix)]
    if let Ok(found) = std::fs::metadata(path) {
        use std::os::unix::fs::MetadataExt;
        return format!("; it belongs to user {} and has the mode {:o}", found.uid(), found.mode() & 0o7777);
    }
    let _ = path;
    String::new()
}

/// What to do about what SQLite says, where that is not about the file alone; else nothing.
fn advice(error: &rusqlite::Error) -> &'static str {
    if StoreError::is_full(error) {
        return "; make space on its disk";
    }
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::SystemIoFailure) => "; the system's log says what its disk fails at",
        Some(_) | None => "",
    }
}

/// What SQLite says, once: its errors repeat the text of their code.
fn reason(error: &rusqlite::Error) -> String {
    if has_no_room_for_index(error) {
        return "the disk is full: there is no room for the index of its log, the file with `-shm` in its name".to_owned();
    }
    let said = error.to_string();
    said.split_once(": Error code").map_or(said.as_str(), |(before, _)| before).to_owned()
}
