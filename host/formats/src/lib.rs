//! The file formats that outside programs rely on: what they look like, and nothing else.
//!
//! Reading never stops at the first mistake: it answers with a value or with every problem and its path. Start with
//! [`inventory`] (what exists), [`scenario`] (what people and the world do) and [`event`] (what happened);
//! [`decision`] keeps what a plugin was asked and what it answered. Nothing here acts, or knows what day it is.

mod amount;
pub mod body;
mod command;
pub mod dates;
pub mod decision;
pub mod event;
pub mod event_text;
pub mod event_view;
mod fields;
pub mod icalendar;
pub mod inventory;
pub mod plan;
mod problems;
mod resource;
pub mod scenario;
mod spot;
mod tree;
mod words;
mod write;

pub use problems::Problem;
pub use problems::Problems;
pub use write::JsonValue;
