//! Reports for people at a terminal: tables, months and lists.
//!
//! [`table`] and [`months`] write down a history of `perennial_picture`, which also draws it. Knows nothing of files,
//! databases or plugins, and never asks what time it is.

pub(crate) mod columns;
pub(crate) mod event_tone;
pub(crate) mod import;
pub(crate) mod listing;
pub mod months;
pub(crate) mod style;
pub mod table;
pub(crate) mod text;

pub(crate) use style::Style;

#[cfg(test)]
#[path = "../../../picture/tests/support/sample.rs"]
mod sample;
#[cfg(test)]
mod tests;
