//! The locks that keep two processes from running the clock on one database. Knows files; not SQLite.
//!
//! One is of a file beside the database, which says who holds it. The other is of the database's own file, and so of every
//! name that it has: a link, or a lock file that somebody deleted, lets nobody in.

use std::fs::File;
use std::fs::OpenOptions;
use std::fs::TryLockError;
use std::io::Read;
use std::io::Seek;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use crate::database_file::DatabaseFile;
use crate::error::StoreError;

/// The word behind the process in a lock that a host has.
const HOST: &str = "host";
/// How much of a lock file is read, in bytes.
const HOLDER_MAX: u64 = 64;

/// Held as long as it lives; the system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    database: Option<DatabaseFile>,
    beside: File,
}

impl Drop for Lock {
    /// Gives both back, also where a process that is just being started has inherited the descriptors.
    fn drop(&mut self) {
        self.database = None;
        if let Err(error) = self.beside.unlock() {
            tracing::error!(%error, "the lock beside the database cannot be given back");
        }
    }
}

impl Lock {
    /// Locks the database at `path`, if there is one, and a file of the same name with `.lock` behind it that says who holds
    /// it. If `path` is a link, that file is beside what it leads to.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] when another process has it, under whatever name; [`StoreError::LockIsLink`] and
    /// [`StoreError::Lock`] when a lock cannot be made.
    pub fn take(path: &Path) -> Result<Lock, StoreError> {
        let mut lock = Lock { database: None, beside: lock_beside(path)? };
        if path.exists() {
            lock.hold_database(path)?;
        }
        lock.write_holder().map_err(|source| StoreError::Lock { path: lock_path(path), source })?;
        Ok(lock)
    }

    fn write_holder(&self) -> std::io::Result<()> {
        self.write(&std::process::id().to_string())
    }

    /// Says to a process that meets the lock that it is a host's, which has it until it is stopped.
    pub(crate) fn say_host(&self) {
        if let Err(error) = self.write(&format!("{} {HOST}", std::process::id())) {
            tracing::debug!(%error, "the lock does not say that it is a host's");
        }
    }

    fn write(&self, text: &str) -> std::io::Result<()> {
        let mut file = &self.beside;
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{text}")
    }

    /// Locks the file of the database, too, which is there now.
    ///
    /// # Errors
    ///
    /// Those of [`Lock::take`].
    pub(crate) fn hold_database(&mut self, path: &Path) -> Result<(), StoreError> {
        self.database = Some(DatabaseFile::lock(path)?);
        Ok(())
    }

    /// Whether the database still has its name.
    ///
    /// # Errors
    ///
    /// [`StoreError::Moved`] when it was moved, deleted or replaced.
    pub(crate) fn check_in_place(&self) -> Result<(), StoreError> {
        self.database.as_ref().map_or(Ok(()), DatabaseFile::check_in_place)
    }
}

fn lock_beside(path: &Path) -> Result<File, StoreError> {
    let lock_path = lock_path(path);
    if lock_path.is_symlink() {
        return Err(StoreError::LockIsLink { path: lock_path });
    }
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    refuse_links(&mut options);
    let mut file =
        options.open(&lock_path).map_err(|source| StoreError::Lock { path: lock_path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            if let Err(error) = Read::by_ref(&mut file).take(HOLDER_MAX).read_to_string(&mut holder) {
                tracing::debug!(%error, "nobody knows who has the lock");
            }
            let mut words = holder.split_whitespace();
            let process = words.next().map(|process| format!(" (process {process})")).unwrap_or_default();
            let is_host = words.next() == Some(HOST);
            Err(StoreError::InUse { path: path.to_owned(), holder: process, is_host })
        }
        Err(TryLockError::Error(source)) => Err(StoreError::Lock { path: lock_path, source }),
    }
}

/// The file beside the database, wherever `path` leads.
fn lock_path(path: &Path) -> PathBuf {
    let database = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = database.into_os_string();
    name.push(".lock");
    PathBuf::from(name)
}

/// A link that was put there a moment ago is not followed either.
fn refuse_links(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let _ = options;
}
