//! Files of databases that this process opened beside SQLite, known by their inodes. Knows nothing of what is in them.
//!
//! SQLite's locks are the process's: the system gives all of them back when *any* descriptor of the file is closed. So a
//! descriptor that was opened beside SQLite stays open while the file has a name, and is used again.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// What a file is, whatever it is called: its device and its inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

/// The descriptors of one file that this process opened beside SQLite.
#[derive(Debug)]
pub(crate) struct Descriptors {
    /// The first has the lock, if anybody holds it; the others must not be closed either.
    pub(crate) files: Vec<File>,
    pub(crate) is_locked: bool,
}

/// Every file that was locked and still has a name.
static OPEN: Mutex<BTreeMap<FileId, Descriptors>> = Mutex::new(BTreeMap::new());

/// The files, without those that have no name: nobody else can reach such a one, so nobody meets SQLite's locks of it.
pub(crate) fn open_files() -> MutexGuard<'static, BTreeMap<FileId, Descriptors>> {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|_, descriptors| descriptors.is_locked || descriptors.files.iter().any(has_name));
    open
}

/// The file at `path` in `open`, opened if it was not yet.
///
/// # Errors
///
/// What the system says when it is not there or may not be read.
pub(crate) fn keep_open(open: &mut BTreeMap<FileId, Descriptors>, path: &Path) -> std::io::Result<FileId> {
    let id = id_at(path)?;
    if open.contains_key(&id) {
        return Ok(id);
    }
    let file = File::open(path)?;
    // Another process may have put another file there meanwhile.
    let id = file.metadata().map_or(id, |metadata| id_of(&metadata));
    open.entry(id).or_insert(Descriptors { files: Vec::new(), is_locked: false }).files.push(file);
    Ok(id)
}

/// Whether this process may not read the file at `path`.
pub(crate) fn is_forbidden(path: &Path) -> bool {
    let found = keep_open(&mut open_files(), path);
    found.is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
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
