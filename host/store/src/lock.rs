//! The lock that keeps two processes from running the clock on one database. Knows files; not SQLite.

use std::fs::File;
use std::fs::TryLockError;
use std::io::Read;
use std::io::Seek;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use crate::error::StoreError;

/// Held as long as it lives; the system gives it back when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Locks the database at `path`, by a file of the same name with `.lock` behind it that says who holds it.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] when another process has it, [`StoreError::Lock`] when the file cannot be made.
    pub fn take(path: &Path) -> Result<Lock, StoreError> {
        let lock_path = PathBuf::from(format!("{}.lock", path.display()));
        let failed = |source| StoreError::Lock { path: lock_path.clone(), source };
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let read = file.read_to_string(&mut holder);
                let holder = match read {
                    Ok(1..) => format!(" (process {})", holder.trim()),
                    Ok(0) | Err(_) => String::new(),
                };
                return Err(StoreError::InUse { path: path.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write(&mut file).map_err(failed)?;
        Ok(Lock { _file: file })
    }
}
