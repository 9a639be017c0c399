//! Whether the database can be written to, as the last write found it. Knows no thread.

use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering;

use perennial_store::error::StoreError;

/// Whether the database can be written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StorageState {
    /// The database can be written.
    #[default]
    Writable,
    /// The disk is full.
    Full,
    /// The database's file was moved, deleted or replaced.
    Moved,
    /// A file that SQLite keeps beside it was.
    LogMoved,
    /// The database can be written, and the file beside it that says how far it has come cannot.
    Unnoted,
}

impl StorageState {
    const ALL: [StorageState; 5] = [
        StorageState::Writable,
        StorageState::Full,
        StorageState::Moved,
        StorageState::LogMoved,
        StorageState::Unnoted,
    ];

    /// What an error says of it.
    pub fn of(error: &StoreError) -> StorageState {
        if error.is_storage_full() {
            StorageState::Full
        } else if error.is_moved() {
            StorageState::Moved
        } else if error.is_log_moved() {
            StorageState::LogMoved
        } else {
            StorageState::Writable
        }
    }

    /// What is wrong, and what to do; `None` when nothing is.
    pub const fn problem(self) -> Option<&'static str> {
        match self {
            StorageState::Writable => None,
            StorageState::Full => Some("the disk that the database is on is full: make space"),
            StorageState::Moved => {
                Some("the database's file was moved, deleted or replaced: put it back under its name")
            }
            StorageState::Unnoted => Some(
                "the file beside the database that says how far it has come, its name with `.generation`, cannot be written, so it \
                 would not be noticed if the database were set back: make space, or have the host write that file",
            ),
            StorageState::LogMoved => Some(
                "a file beside the database, its name with `-wal` or `-shm`, was moved, deleted or replaced: stop the host and \
                 start it again",
            ),
        }
    }
}

/// A state that threads share.
#[derive(Debug, Default)]
pub(crate) struct SharedState(AtomicU8);

impl SharedState {
    /// The state as it was last set.
    pub(crate) fn get(&self) -> StorageState {
        let code = usize::from(self.0.load(Ordering::Relaxed));
        StorageState::ALL.get(code).copied().unwrap_or_default()
    }

    /// Sets it, and returns what it was.
    pub(crate) fn set(&self, state: StorageState) -> StorageState {
        let before = self.get();
        let code = StorageState::ALL.iter().position(|one| *one == state).unwrap_or_default();
        self.0.store(u8::try_from(code).unwrap_or_default(), Ordering::Relaxed);
        before
    }
}
