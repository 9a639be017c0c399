//! Cursors: opaque text for a place in a list or in the events.
//!
//! Inside is the row after which the next page begins. There is one writer, so rows are numbered in the order in which they
//! are committed: pages neither repeat nor skip anything, whatever is added meanwhile. A store with several writers has to
//! number what lists and webhooks read in commit order itself; this file is the only one that relies on it.

/// The cursor of what comes after a row.
pub fn cursor(row: i64) -> String {
    format!("c{row:x}")
}

/// The row that a cursor is of.
pub fn row_of(cursor: &str) -> Option<i64> {
    i64::from_str_radix(cursor.strip_prefix('c')?, 16).ok().filter(|row| *row >= 0)
}
