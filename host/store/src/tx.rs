//! What reads and what writes the database: two types, so that a function that writes cannot be given a reader.

pub(crate) mod page_marks;

use std::cell::RefCell;
use std::cell::RefMut;
use std::ops::Deref;
use std::path::Path;

use rusqlite::Connection;

use crate::error::StoreError;
use crate::keys::RowKey;
use crate::tx::page_marks::PageMarks;

/// The room that the end of a transaction takes, in bytes, and more: a page of 4 KiB or two, once they are written, and what the log
/// keeps beside them.
const COMMIT_BYTES: i64 = 128 << 10;

/// Reads the database.
///
/// Lent by [`Store::db`](crate::Store::db), it sees what is committed and what the transaction under way has written.
/// Opened by itself with [`ReadTx::open`], it sees what is committed, also while another process writes.
#[derive(Debug)]
pub struct ReadTx {
    connection: Connection,
    page_marks: RefCell<PageMarks>,
}

/// Reads and writes the database, within the transaction of [`Store::write`](crate::Store::write).
#[derive(Debug)]
pub struct WriteTx {
    read: ReadTx,
}

impl ReadTx {
    /// Opens the database at `path` for reading only, also while another process runs the clock on it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] when there is none, [`StoreError::SchemaOld`] when it has to be migrated first; other
    /// variants when it cannot be read.
    pub fn open(path: &Path) -> Result<ReadTx, StoreError> {
        Ok(ReadTx::new(crate::open_for_reading(path)?))
    }

    /// Runs `work` on one snapshot: nothing that is committed meanwhile is seen. If `work` panics, the snapshot ends with
    /// it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] when the snapshot cannot be begun or ended.
    pub fn snapshot<T>(&self, work: impl FnOnce(&ReadTx) -> T) -> Result<T, StoreError> {
        let run = |sql| self.connection.prepare_cached(sql)?.execute([]);
        run("begin")?;
        let guard = Rollback { connection: &self.connection };
        let result = work(self);
        // A read that failed has ended the snapshot already, and is what there is to say.
        if !self.connection.is_autocommit() {
            run("commit")?;
        }
        drop(guard);
        Ok(result)
    }

    #[cfg(feature = "testing")]
    pub(crate) fn raw(connection: Connection) -> ReadTx {
        ReadTx::new(connection)
    }

    fn new(connection: Connection) -> ReadTx {
        ReadTx { connection, page_marks: RefCell::default() }
    }

    /// Where the numbered pages end that this connection has read.
    pub(crate) fn page_marks(&self) -> RefMut<'_, PageMarks> {
        self.page_marks.borrow_mut()
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl WriteTx {
    pub(crate) fn new(connection: Connection) -> WriteTx {
        WriteTx { read: ReadTx::new(connection) }
    }

    /// The key of the row that was inserted last; the caller knows of which table.
    pub(crate) fn last_key<K: RowKey>(&self) -> K {
        K::from_number(self.connection().last_insert_rowid())
    }

    /// Writes down what the transaction changed so far, and makes sure of the room that its end takes, so that a full disk is found
    /// before it ends: what is written then goes where the filler of that room was. It can still be undone.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or its disk has no room; then the transaction has to be undone.
    pub fn flush(&self) -> Result<(), StoreError> {
        let connection = self.connection();
        connection.execute_batch("savepoint room; create table room (filler);")?;
        connection.execute("insert into room values (zeroblob(?1))", [COMMIT_BYTES])?;
        connection.cache_flush()?;
        Ok(connection.execute_batch("rollback to room; release room;")?)
    }
}

impl Deref for WriteTx {
    type Target = ReadTx;

    fn deref(&self) -> &ReadTx {
        &self.read
    }
}

/// Ends the snapshot that is still open when this is dropped: its reader panicked.
struct Rollback<'c> {
    connection: &'c Connection,
}

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("rollback")
        {
            tracing::error!(%error, "a reader could not end its snapshot");
        }
    }
}
