//! The files that SQLite keeps beside an open database, its log and the index of that, known by their inodes.
//!
//! SQLite goes on writing to a log that was deleted: whatever it acknowledges then is gone with the process, and another
//! process that opens the database sees none of it. Knows files; not what is in them.

use std::path::Path;
use std::path::PathBuf;

use rusqlite::Connection;

use crate::error::StoreError;
use crate::open_files;
use crate::open_files::FileId;

/// What SQLite puts behind the name of the database.
const ENDINGS: [&str; 2] = ["-wal", "-shm"];

/// The files beside one database, as they were when it was opened.
#[derive(Debug)]
pub(crate) struct LogFiles(Vec<(PathBuf, FileId)>);

impl LogFiles {
    /// Those beside the database at `path`, which SQLite has open. A file that is not there is not watched.
    pub(crate) fn beside(path: &Path) -> LogFiles {
        let database = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let files = ENDINGS.iter().filter_map(|ending| {
            let mut name = database.clone().into_os_string();
            name.push(ending);
            let path = PathBuf::from(name);
            let id = open_files::id_at(&path).ok()?;
            Some((path, id))
        });
        LogFiles(files.collect())
    }

    /// Whether each still has its name.
    ///
    /// # Errors
    ///
    /// [`StoreError::LogMoved`] when one was moved, deleted or replaced.
    pub(crate) fn check_in_place(&self) -> Result<(), StoreError> {
        let is_elsewhere =
            |(path, id): &&(PathBuf, FileId)| !open_files::id_at(path).is_ok_and(|found| found == *id);
        match self.0.iter().find(is_elsewhere) {
            Some((path, _)) => Err(StoreError::LogMoved { path: path.clone() }),
            None => Ok(()),
        }
    }
}

/// Moves what is committed from a log that nobody else finds into the database, as far as no reader needs it.
pub(crate) fn rescue(connection: &Connection) {
    let rescued = connection.query_row("pragma wal_checkpoint(passive)", [], |_| Ok(()));
    if let Err(error) = rescued {
        tracing::error!(%error, "what is in a log that lost its name cannot be moved into the database");
    }
}
