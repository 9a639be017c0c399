//! The file that a database is in, whatever its names are: its lock. Knows nothing of what is in it.

use std::fs::File;
use std::fs::TryLockError;
use std::path::Path;
use std::path::PathBuf;

use crate::error::StoreError;
use crate::open_files::FileId;
use crate::open_files::id_at;
use crate::open_files::keep_open;
use crate::open_files::open_files;

/// The lock of a database's file. It is given back when this is dropped, or when the process ends.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    id: FileId,
}

impl DatabaseFile {
    /// Locks the file at `path`, which is there.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] when it is locked, under whatever name, and [`StoreError::Lock`] when it cannot be opened.
    pub(crate) fn lock(path: &Path) -> Result<DatabaseFile, StoreError> {
        let failed = |source| StoreError::Lock { path: path.to_owned(), source };
        let in_use = || StoreError::InUse { path: path.to_owned(), holder: String::new(), is_host: false };
        let mut open = open_files();
        let id = keep_open(&mut open, path).map_err(failed)?;
        let descriptors = open.get_mut(&id).expect("it was just put there");
        if descriptors.is_locked {
            return Err(in_use());
        }
        match try_lock(&descriptors.files[0]) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use()),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        descriptors.is_locked = true;
        drop(open);
        let locked = DatabaseFile { path: path.to_owned(), id };
        // Another process may have put another file there meanwhile.
        locked.check_in_place()?;
        Ok(locked)
    }

    /// Whether the file still has the name that it was locked by.
    ///
    /// # Errors
    ///
    /// [`StoreError::Moved`] when it was moved, deleted or replaced.
    pub(crate) fn check_in_place(&self) -> Result<(), StoreError> {
        match id_at(&self.path) {
            Ok(found) if found == self.id => Ok(()),
            Ok(_) | Err(_) => Err(StoreError::Moved { path: self.path.clone() }),
        }
    }
}

impl Drop for DatabaseFile {
    fn drop(&mut self) {
        let mut open = open_files();
        if let Some(descriptors) = open.get_mut(&self.id) {
            descriptors.is_locked = false;
            if let Err(error) = descriptors.files[0].unlock() {
                tracing::error!(db = %self.path.display(), %error, "the lock of the database cannot be given back");
            }
        }
    }
}

/// On Linux this lock and SQLite's do not meet. Elsewhere they do, or may, and the lock of the file beside the database has
/// to do.
fn try_lock(file: &File) -> Result<(), TryLockError> {
    if cfg!(target_os = "linux") { file.try_lock() } else { Ok(()) }
}

/// Makes an empty file, which SQLite takes for a new database, if there is none: one that only its owner reads, because
/// what webhooks sign with is in it. Files that SQLite puts beside it are like it. Whether it was made; if it cannot be,
/// SQLite says why.
pub(crate) fn make_private(path: &Path) -> bool {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).is_ok()
}
