//! The write-ahead log of a host that did not end in order, written once more before it is read.
//!
//! A sync that fails may leave bytes that are in the system's cache and not on the disk, and that the system takes for
//! written: no later sync says anything of them. A host that starts after one that failed so finds a whole log in the cache,
//! goes on from it, and would lose what it acknowledges with the next loss of power, because the log on the disk has a hole.
//! Written again, the bytes are there. Knows files; not what is in them.

use std::fs::File;
use std::io::Read;
use std::io::Seek;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use crate::error::StoreError;

/// Bytes that are written at a time.
const CHUNK: usize = 1 << 20;

/// Writes the log beside the database at `path` once more, if there is one; the caller has the lock of the database.
///
/// # Errors
///
/// [`StoreError::Log`] when it cannot be read or written.
pub(crate) fn rewrite(path: &Path) -> Result<(), StoreError> {
    let log = log_path(path);
    match std::fs::metadata(&log) {
        Ok(metadata) if metadata.len() > 0 => {}
        Ok(_) | Err(_) => return Ok(()),
    }
    write_again(&log).map_err(|source| StoreError::Log { path: log.clone(), source })?;
    #[cfg(feature = "testing")]
    crate::testing::note_rewritten(&log);
    Ok(())
}

/// In its place, with what it has: others may be reading it.
fn write_again(log: &Path) -> std::io::Result<()> {
    let mut file = File::options().read(true).write(true).open(log)?;
    let mut chunk = vec![0; CHUNK];
    let mut offset = 0;
    loop {
        let length = file.read(&mut chunk)?;
        if length == 0 {
            return file.sync_all();
        }
        file.seek(std::io::SeekFrom::Start(offset))?;
        file.write_all(&chunk[..length])?;
        offset += u64::try_from(length).map_err(std::io::Error::other)?;
    }
}

fn log_path(path: &Path) -> PathBuf {
    let database = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = database.into_os_string();
    name.push("-wal");
    PathBuf::from(name)
}
