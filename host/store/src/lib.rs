//! The store: SQLite, one writer. Nothing here decides, waits or knows what time it is. One module a table, one function a
//! statement; the caller owns the transaction. [`schema.sql`](schema.sql) has the tables.

pub mod accounts;
pub mod acknowledgements;
pub mod api_tokens;
pub mod approvals;
pub mod attempts;
pub mod audit;
#[cfg(feature = "bench")]
pub mod bench;
pub mod bundles;
pub mod calendars;
pub mod calls;
pub mod change;
pub mod channel_deliveries;
pub mod channels;
pub mod client_tokens;
pub mod clock;
mod codec;
pub mod connections;
pub mod content_digests;
pub mod copies;
pub mod copy;
pub mod cursor;
mod database_file;
pub mod decisions;
pub mod deferrals;
pub mod deliveries;
pub mod ended_sessions;
pub mod engine_store;
pub mod error;
pub mod events;
pub mod generation;
pub mod idempotency_keys;
pub mod imports;
pub mod integrity;
pub mod jobs;
pub mod keys;
pub mod kinds_in_use;
pub mod ledger;
pub mod list_queries;
pub mod lock;
mod log_files;
mod log_rewrite;
pub mod memory;
pub mod migrations;
mod open_files;
pub mod order_list;
pub mod orders;
pub mod packages;
pub mod people;
pub mod plugin_bindings;
pub mod plugin_breakers;
pub mod plugin_failures;
pub mod plugin_revisions;
pub mod policies;
pub mod policy_changes;
pub mod policy_differences;
pub mod provider_keys;
pub mod provider_views;
pub mod quotas;
mod required_approvals;
pub mod resource_query;
pub mod revision_differences;
pub mod scheduling_revision;
mod sqlite;
mod sqlite_reads;
pub mod stats;
pub mod syncs;
#[cfg(feature = "testing")]
pub mod testing;
mod tx;
pub mod webhooks;

use std::path::Path;

use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;

use crate::error::StoreError;
use crate::generation::Generation;
use crate::lock::Lock;
use crate::log_files::LogFiles;
use crate::migrations::Migration;

pub use crate::tx::ReadTx;
pub use crate::tx::WriteTx;

const SCHEMA: &str = include_str!("schema.sql");

/// The number of the schema above, kept in the database's `user_version`.
pub const SCHEMA_VERSION: i64 = migrations::NEWEST;

/// A database, open for writing, and the right to be the only one who does.
#[derive(Debug)]
pub struct Store {
    tx: WriteTx,
    /// How many [`Store::write`] are under way, one within another.
    savepoint_depth: u32,
    lock: Option<Lock>,
    /// What SQLite keeps beside it; none of a database that is thrown away.
    log_files: Option<LogFiles>,
    is_new: bool,
    /// How far it had come; none of a database that is thrown away.
    generation: Option<Generation>,
}

impl Store {
    /// Opens the database at `path` for writing, which must be there; otherwise as [`Store::open`], which says what is wrong.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::Empty`] when the file has no bytes, and those of [`Store::open`].
    pub fn open_existing(path: &Path) -> Result<Store, StoreError> {
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.len() == 0 => Err(StoreError::Empty { path: path.to_owned() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(StoreError::Missing { path: path.to_owned() })
            }
            Ok(_) | Err(_) => Store::open(path),
        }
    }

    /// Says beside the database that a host has it, so that commands are told to go through that.
    pub fn say_host(&self) {
        self.lock.iter().for_each(Lock::say_host);
    }

    /// Opens the database at `path` for writing, making it if there is none, and keeps others from it. One of an older
    /// schema is migrated first; see [`migrations`].
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] when another process has it; other variants when it cannot be read or migrated.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        let (store, migration) = Store::open_migrated(path)?;
        if let Some(migration) = migration {
            let (from, to, backup) = (migration.from, migration.to, migration.backup.display());
            tracing::info!(db = %path.display(), from, to, %backup, "the database was migrated");
        }
        Ok(store)
    }

    /// The same, with the migration that was carried out; `None` when there was nothing to do.
    fn open_migrated(path: &Path) -> Result<(Store, Option<Migration>), StoreError> {
        let mut lock = Lock::take(path)?;
        let is_new = database_file::make_private(path);
        if is_new {
            lock.hold_database(path)?;
        }
        log_rewrite::rewrite(path)?;
        let connection = open_own(path).map_err(|error| error.while_opening(path))?;
        let migration = migrations::migrate(&connection, path)?;
        let tx = WriteTx::new(connection);
        let generation = Some(Generation::open(path, &tx, is_new)?);
        let log_files = Some(LogFiles::beside(path));
        let store = Store { tx, savepoint_depth: 0, lock: Some(lock), log_files, is_new, generation };
        Ok((store, migration))
    }

    /// A database for one simulation, at `path`, which is thrown away afterwards: nothing of it has to survive.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be made.
    pub fn scratch(path: &Path) -> Result<Store, StoreError> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "pragma journal_mode = off; pragma synchronous = off; pragma locking_mode = exclusive;",
        )?;
        prepare(&connection)?;
        let tx = WriteTx::new(connection);
        Ok(Store { tx, savepoint_depth: 0, lock: None, log_files: None, is_new: true, generation: None })
    }

    /// Runs `work` in one transaction: all of it is written, or none.
    ///
    /// # Errors
    ///
    /// Those of `work`, and [`StoreError::Sqlite`] when the transaction cannot be begun or committed.
    pub fn write<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&WriteTx) -> Result<T, E>,
    ) -> Result<T, E> {
        self.begin()?;
        self.end(work(&self.tx))
    }

    /// Begins a transaction or, within one, a part of it that can be undone alone. [`Store::end`] ends it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] when it cannot be begun.
    pub fn begin(&mut self) -> Result<(), StoreError> {
        let begin = if self.savepoint_depth == 0 {
            "begin immediate".to_owned()
        } else {
            format!("savepoint part{}", self.savepoint_depth)
        };
        self.tx.connection().execute_batch(&begin)?;
        self.savepoint_depth += 1;
        Ok(())
    }

    /// Ends what [`Store::begin`] began: writes it if `result` is well, else undoes it.
    ///
    /// # Errors
    ///
    /// That of `result`, [`StoreError::Moved`] when the database's file was moved, deleted or replaced,
    /// [`StoreError::LogMoved`] when a file beside it was, and [`StoreError::Sqlite`] when it cannot be written.
    pub fn end<T, E: From<StoreError>>(&mut self, result: Result<T, E>) -> Result<T, E> {
        self.savepoint_depth -= 1;
        let part = self.savepoint_depth;
        let commit = if part == 0 { "commit".to_owned() } else { format!("release part{part}") };
        let mut is_log_moved = false;
        let written = result.and_then(|value| {
            if part == 0 {
                let in_place = self.check_in_place();
                is_log_moved = in_place.as_ref().is_err_and(StoreError::is_log_moved);
                in_place?;
            }
            self.tx
                .connection()
                .execute_batch(&commit)
                .map_err(|error| E::from(StoreError::Sqlite(error)))?;
            Ok(value)
        });
        match (&written, &mut self.generation) {
            (Ok(_), Some(generation)) if part == 0 => generation.note_commit(&self.tx),
            (Ok(_), _) => {}
            (Err(_), _) => self.roll_back(),
        }
        if is_log_moved {
            log_files::rescue(self.tx.connection());
        }
        written
    }

    /// Whether what is acknowledged from here on is found where it is looked for.
    fn check_in_place(&self) -> Result<(), StoreError> {
        self.lock.as_ref().map_or(Ok(()), Lock::check_in_place)?;
        self.log_files.as_ref().map_or(Ok(()), LogFiles::check_in_place)
    }

    /// Undoes what [`Store::begin`] began, whatever came of it.
    pub fn undo(&mut self) {
        self.savepoint_depth -= 1;
        self.roll_back();
    }

    /// Undoes the transaction, or the part of it, that is ending. A failure leaves it open; the next one to begin says so.
    fn roll_back(&self) {
        let part = self.savepoint_depth;
        let undo = match part {
            0 => "rollback".to_owned(),
            _ => format!("rollback to part{part}; release part{part}"),
        };
        if !self.tx.connection().is_autocommit()
            && let Err(error) = self.tx.connection().execute_batch(&undo)
        {
            tracing::error!(%error, "a transaction could not be undone");
        }
    }

    /// Whether [`Store::open`] made the database.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// For reading: what is committed, and what the transaction under way has written.
    pub fn db(&self) -> &ReadTx {
        &self.tx
    }

    /// For writing in the transaction that [`Store::begin`] began.
    pub fn tx(&self) -> &WriteTx {
        &self.tx
    }
}

impl Drop for Store {
    /// Notes how far the database has come, and moves what is in its log into the database itself, so that its file is
    /// whole by itself also where another connection keeps the log there.
    fn drop(&mut self) {
        self.note_progress();
        if self.lock.is_some() {
            settle(self.tx.connection());
        }
    }
}

/// Moves what is in the log of a database into the database itself, and empties the log. What cannot be moved, because a
/// reader needs it or the disk is full, stays in the log and is read from there.
fn settle(connection: &Connection) {
    let settled = connection
        .execute_batch(&format!("pragma busy_timeout = {SETTLE_MILLISECONDS};"))
        .and_then(|()| connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())));
    if let Err(error) = settled {
        tracing::debug!(%error, "the database keeps its log");
    }
}

/// How long a database that is closed waits for its readers.
const SETTLE_MILLISECONDS: u32 = 1_000;

/// Migrates the database at `path` to the present schema, and returns what was done; `None` when it has that already.
///
/// # Errors
///
/// [`StoreError::Missing`] when there is no database, [`StoreError::InUse`] when another process has it, and those of
/// [`migrations::migrate`].
pub fn migrate(path: &Path) -> Result<Option<Migration>, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    Ok(Store::open_migrated(path)?.1)
}

/// Opens the database at `path` for writing, and makes the tables of one that is new.
fn open_own(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    // Before anything is written: the database of another program stays as it is.
    if migrations::version(&connection)? == 0 && has_tables(&connection)? {
        return Err(StoreError::Unusable { path: path.to_owned(), reason: FOREIGN.to_owned() });
    }
    // Full: what was committed survives the loss of power, too. Batches are large, so it costs next to nothing.
    // Without the right to write, SQLite opens files for reading, and would say so at the first write only.
    let begun = connection
        .execute_batch("pragma journal_mode = wal; pragma synchronous = full; begin immediate; rollback;");
    let read_only = || StoreError::ReadOnly { path: path.to_owned() };
    begun.map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ReadOnly) => read_only(),
        Some(_) | None => StoreError::from(error),
    })?;
    if connection.is_readonly("main")? {
        return Err(read_only());
    }
    prepare(&connection)?;
    Ok(connection)
}

/// What is wrong with a file that has none of this program's tables.
const FOREIGN: &str = "it has none of this program's tables";

fn has_tables(connection: &Connection) -> Result<bool, StoreError> {
    Ok(connection.query_row("select exists (select 1 from sqlite_master)", [], |row| row.get(0))?)
}

/// Opens the database at `path` for reading only, if it has the present schema.
fn open_for_reading(path: &Path) -> Result<Connection, StoreError> {
    let connection = open_read_only(path)?;
    let checked = check_version(&connection, path).and_then(|()| tune(&connection));
    checked.map_err(|error| error.while_opening(path))?;
    Ok(connection)
}

/// The same, of whatever schema.
fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags)
        .and_then(|connection| connection.execute_batch("pragma busy_timeout = 10000;").map(|()| connection));
    opened.map_err(|error| StoreError::from(error).while_opening(path))
}

/// Makes the tables in a database that has none.
fn prepare(connection: &Connection) -> Result<(), StoreError> {
    tune(connection)?;
    if migrations::version(connection)? == 0 {
        connection
            .execute_batch(&format!("begin; {SCHEMA} pragma user_version = {SCHEMA_VERSION}; commit;"))?;
    }
    Ok(())
}

fn tune(connection: &Connection) -> Result<(), StoreError> {
    connection.set_prepared_statement_cache_capacity(128);
    // Else a statement is compiled anew whenever something else is bound to it, for partial indexes that nothing here needs.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // 64 MiB of pages; temporary sorting in memory; a reader waits for a writer rather than failing.
    connection.execute_batch(
        "pragma cache_size = -65536; pragma temp_store = memory; pragma foreign_keys = off; pragma busy_timeout = 10000;",
    )?;
    Ok(())
}

fn check_version(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found = migrations::version(connection)?;
    if found == 0 {
        return Err(StoreError::Unusable { path: path.to_owned(), reason: FOREIGN.to_owned() });
    }
    match migrations::pending(found, path)?.is_empty() {
        true => Ok(()),
        false => Err(StoreError::SchemaOld { path: path.to_owned(), found, wanted: SCHEMA_VERSION }),
    }
}
