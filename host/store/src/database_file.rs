//! The file that a database is in, whatever its names are: known by its inode. Knows nothing of what is in it.
//!
//! SQLite's locks are the process's: the system gives all of them back when *any* descriptor of the file is closed. So a
//! descriptor that was opened beside SQLite stays open while the file has a name, and is used again.

use std::collections::BTreeMap;
use std::fs::File;
use std::fs::TryLockError;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::error::StoreError;

/// What a file is, whatever it is called: its device and its inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

/// The descriptors of one file that this process opened beside SQLite.
#[derive(Debug)]
struct Descriptors {
    /// The first has the lock, if anybody holds it; the others must not be closed either.
    files: Vec<File>,
    is_locked: bool,
}

/// Every file that was locked and still has a name.
static OPEN: Mutex<BTreeMap<FileId, Descriptors>> = Mutex::new(BTreeMap::new());

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
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody else can reach a file without a name, so nobody meets SQLite's locks of it.
        open.retain(|_, descriptors| descriptors.is_locked || descriptors.files.iter().any(has_name));
        let mut id = id_at(path).map_err(failed)?;
        if !open.contains_key(&id) {
            let file = File::open(path).map_err(failed)?;
            id = id_of(&file.metadata().map_err(failed)?);
            let descriptors = Descriptors { files: Vec::new(), is_locked: false };
            open.entry(id).or_insert(descriptors).files.push(file);
        }
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
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
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

#[cfg(unix)]
fn id_of(metadata: &std::fs::Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    FileId { device: metadata.dev(), inode: metadata.ino() }
}

#[cfg(not(unix))]
fn id_of(_: &std::fs::Metadata) -> FileId {
    FileId { device: 0, inode: 0 }
}

pub(crate) fn id_at(path: &Path) -> std::io::Result<FileId> {
    Ok(id_of(&std::fs::metadata(path)?))
}

#[cfg(unix)]
fn has_name(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| std::os::unix::fs::MetadataExt::nlink(&metadata) > 0)
}

#[cfg(not(unix))]
fn has_name(_: &File) -> bool {
    true
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
