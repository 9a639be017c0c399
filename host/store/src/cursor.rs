//! Cursors: opaque text for a place in a list or in the events.
//!
//! Inside is the row after which the next page begins. There is one writer, so rows are numbered in the order in which they
//! are committed: pages neither repeat nor skip anything, whatever is added meanwhile. A store with several writers has to
//! number what lists and webhooks read in commit order itself; this file is the only one that relies on it.

use crate::keys::RowKey;

/// The cursor of what comes after a row.
pub fn cursor(row: impl RowKey) -> String {
    format!("c{:x}", row.number())
}

/// The row that a cursor is of. The caller knows in which list.
pub fn row_of<K: RowKey>(cursor: &str) -> Option<K> {
    Cursor::parse(cursor).map(Cursor::key)
}

/// A cursor that was read before it is known of which list it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(i64);

impl Cursor {
    /// Reads what [`cursor`] writes.
    pub fn parse(text: &str) -> Option<Cursor> {
        let number = i64::from_str_radix(text.strip_prefix('c')?, 16).ok()?;
        (number >= 0).then_some(Cursor(number))
    }

    /// The row that it is of. The caller knows in which list.
    pub fn key<K: RowKey>(self) -> K {
        K::from_number(self.0)
    }
}
