//! The file formats that outside programs rely on. Reads and writes them, and decides nothing.
//!
//! Reading never stops at the first mistake: it answers with a value or with every problem and its path. Start with
//! [`inventory`] (what exists), [`scenario`] (what people and the world do) and [`event`] (what happened);
//! [`decision`] keeps what a plugin was asked and what it answered. Nothing here acts, or knows what day it is.

pub mod amount;
pub mod body;
pub mod body_limits;
mod command;
pub mod dates;
pub mod decision;
mod diagnostics;
pub mod event;
pub mod event_text;
pub mod event_view;
pub mod explanation;
pub mod faults;
mod fields;
pub mod icalendar;
pub mod inventory;
mod json_cursor;
mod json_tree;
mod json_value;
pub mod language;
pub mod occurrence;
pub mod package;
pub mod package_manifest;
pub mod plan;
pub mod plugin_case;
pub mod policy;
pub mod read_back;
mod resource;
pub mod safe_text;
pub mod scenario;
mod stored_fields;
pub mod time_zone;
mod toml_text;
mod value_lines;
pub mod visible_id;
pub mod wording;

pub use diagnostics::PROBLEMS_MAX;
pub use diagnostics::Problem;
pub use diagnostics::Problems;
pub use json_value::JsonValue;
