//! The picture: what happened to accounts and their resources, kept as figures and drawn as HTML and SVG.
//!
//! A [`History`] is fed every event in order and keeps what reports and pictures need; [`html`] draws it. Knows nothing of
//! files, databases, plugins or routes, and never asks what time it is. Start with [`history`].

pub mod account;
pub mod attachments;
pub mod event_category;
pub mod history;
pub mod html;
pub mod months;
pub mod resource_track;
mod severity;

pub use history::Detail;
pub use history::History;

#[cfg(test)]
extern crate self as perennial_picture;
#[cfg(test)]
#[path = "../tests/support/sample.rs"]
mod sample;
#[cfg(test)]
mod tests;
