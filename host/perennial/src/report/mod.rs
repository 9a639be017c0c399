//! Reports for people, made from events: tables, months and the picture.
//!
//! A [`History`] is fed every event in order and keeps what the outputs need; [`table`], [`months`] and [`html`] write
//! it down. Knows nothing of files, databases or plugins, and never asks what time it is. Start with [`history`].

mod account;
pub(crate) mod columns;
mod event_category;
pub(crate) mod event_tone;
pub mod history;
pub mod html;
pub(crate) mod import;
pub(crate) mod listing;
pub mod months;
mod resource_track;
mod severity;
pub(crate) mod style;
pub mod table;
pub(crate) mod text;

pub use history::Detail;
pub use history::History;
pub(crate) use style::Style;

#[cfg(test)]
#[path = "../../tests/support/report_sample.rs"]
mod sample;
#[cfg(test)]
mod tests;
