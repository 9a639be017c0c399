//! Whole copies of a database: for backups, and to put one back. Knows files; not what is in them.
//!
//! A copy has a name of its own until it is whole and on the disk, so that no half of one is ever taken for a backup.

use std::fs::File;
use std::path::Path;
use std::path::PathBuf;

use rusqlite::Connection;

use crate::database_file::make_private;
use crate::error::StoreError;
use crate::open_read_only;

/// Copies the database at `from` to `to`, which must not exist; also while another process writes to it. Only the owner
/// can read the copy.
///
/// # Errors
///
/// [`StoreError::Missing`] when there is no database, [`StoreError::Exists`] when `to` exists, and [`StoreError::Backup`]
/// when the copy cannot be made.
pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    if !from.exists() {
        return Err(StoreError::Missing { path: from.to_owned() });
    }
    if to.exists() {
        return Err(StoreError::Exists { path: to.to_owned() });
    }
    let failed =
        |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Backup { path: to.to_owned(), source };
    let partial = with_suffix(to, "partial");
    remove(&partial).map_err(|error| failed(error.into()))?;
    if !make_private(&partial) {
        return Err(failed(format!("`{}` cannot be made", partial.display()).into()));
    }
    let written = vacuum_into(from, &partial).map_err(|error| {
        // What cannot be read cannot be copied, and the copy is not to blame.
        if is_of_source(&error) { error.while_opening(from) } else { failed(error.into()) }
    });
    let kept = written.and_then(|()| keep(&partial, to).map_err(|error| failed(error.into())));
    if kept.is_err() {
        // What is left of a copy that failed only takes up space; the failure itself is what is reported.
        drop(remove(&partial));
        drop(remove(&beside(&partial, "-journal")));
    }
    kept
}

fn is_of_source(error: &StoreError) -> bool {
    let is_damage = |error: &rusqlite::Error| {
        let code = error.sqlite_error_code();
        matches!(code, Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase))
    };
    matches!(error, StoreError::Unusable { .. } | StoreError::Forbidden { .. })
        || matches!(error, StoreError::Sqlite(error) if is_damage(error))
}

fn vacuum_into(from: &Path, to: &Path) -> Result<(), StoreError> {
    let connection = open_read_only(from)?;
    connection.execute("vacuum into ?1", [to.to_string_lossy()])?;
    Ok(())
}

/// Gives a finished copy its name, once it is on the disk.
fn keep(partial: &Path, to: &Path) -> std::io::Result<()> {
    File::open(partial)?.sync_all()?;
    std::fs::rename(partial, to)?;
    sync_folder(to)
}

/// Puts the copy at `from` in the place of the database at `path`, and returns where the present database is kept now;
/// `None` when there was none. The caller holds the lock of the database, and no connection to it.
///
/// # Errors
///
/// Those of [`copy`], and [`StoreError::Restore`] when files cannot be moved; the database is as it was then.
pub fn restore(from: &Path, path: &Path) -> Result<Option<PathBuf>, StoreError> {
    let restored = free_name(path, "restored");
    copy(from, &restored)?;
    let exchanged = exchange(&restored, path);
    if exchanged.is_err() {
        // As above.
        drop(remove(&restored));
    }
    exchanged.map_err(|source| StoreError::Restore { path: path.to_owned(), source })
}

fn exchange(restored: &Path, path: &Path) -> std::io::Result<Option<PathBuf>> {
    let kept = path.exists().then(|| free_name(path, "before-restore"));
    if let Some(kept) = &kept {
        settle_present(path);
        // The log first: a database without its log can be put together again, another one with it cannot.
        let wal = beside(path, "-wal");
        if wal.exists() {
            std::fs::rename(&wal, beside(kept, "-wal"))?;
        }
        remove(&beside(path, "-shm"))?;
        std::fs::rename(path, kept)?;
    }
    std::fs::rename(restored, path)?;
    sync_folder(path)?;
    Ok(kept)
}

/// Moves what is in the database's log into the database itself. One that cannot be opened any more keeps its log.
fn settle_present(path: &Path) {
    let settled =
        Connection::open(path).and_then(|db| db.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())));
    if let Err(error) = settled {
        tracing::warn!(db = %path.display(), %error, "the present database cannot be read; it is kept with its log");
    }
}

/// The first name that is free of `PATH.suffix`, `PATH.suffix.2`, `PATH.suffix.3` and so on.
pub(crate) fn free_name(path: &Path, suffix: &str) -> PathBuf {
    let first = with_suffix(path, suffix);
    let others = (2_u32..).map(|number| with_suffix(path, &format!("{suffix}.{number}")));
    let mut names = std::iter::once(first.clone()).chain(others);
    names.find(|name| !name.exists()).unwrap_or(first)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    beside(path, &format!(".{suffix}"))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Has the system write a folder's names to the disk.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
