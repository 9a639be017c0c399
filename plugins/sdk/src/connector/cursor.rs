//! Cursors of lists that a provider pages by a number.

/// The number that a cursor stands for; 0 at the start of a list. A cursor that no connector made is `None`.
pub fn number(cursor: Option<&str>) -> Option<u32> {
    cursor.map_or(Some(0), |cursor| cursor.parse().ok())
}
