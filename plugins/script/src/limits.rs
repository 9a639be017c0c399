//! The limits of a script, with the reason of each number. The interpreter counts them, so that it can name the line.

/// Operations of one ruling: a rule takes some fifty, and one that looks at a thousand members some ten thousand.
pub(crate) const OPERATIONS_MAX: u64 = 20_000;
/// Items of a list or map that count as an operation when they are looked at together: a copy of them takes as long.
pub(crate) const ITEMS_PER_OPERATION: u64 = 16;
/// As many items counts one for which a function is called: measured, twenty times what a copy takes.
pub(crate) const CALLS_PER_ITEM: usize = 24;
/// Bytes of a text that count as one item.
pub(crate) const BYTES_PER_ITEM: usize = 4;
/// Calls within calls: rules are flat, and each call takes some kilobytes of the sandbox's stack.
pub(crate) const CALLS_MAX: usize = 24;
/// Expressions within expressions.
pub(crate) const DEPTH_MAX: usize = 48;
/// Bytes of a text: a long reason has a hundred.
pub const TEXT_MAX_BYTES: usize = 4_096;
/// Items of a list: more than a bundle has members.
pub const LIST_MAX: usize = 4_000;
/// Names of a map.
pub(crate) const MAP_MAX: usize = 1_000;
/// Variables at once.
pub(crate) const VARIABLES_MAX: usize = 200;
/// Functions of a script.
pub(crate) const FUNCTIONS_MAX: usize = 100;
/// Bytes of a script.
pub(crate) const SCRIPT_MAX_BYTES: usize = 100_000;
/// Notes of one ruling that are kept: each is an event.
pub(crate) const NOTES_MAX: usize = 100;
/// Bytes of all of them together: what a tick writes for a thousand plans stays below 20 MB.
pub(crate) const NOTES_MAX_BYTES: usize = 20_000;
/// Bytes of a note or a reason: what fits on a page. What is longer is shortened.
pub(crate) const REASON_MAX_BYTES: usize = 1_000;
/// Bytes of the label of a required approval: as many as a token's label has.
pub(crate) const LABEL_MAX_BYTES: usize = 64;
/// Days that `next_working_day` looks ahead: ten years.
pub(crate) const WORKING_DAY_SEARCH_MAX: i32 = 3_660;
