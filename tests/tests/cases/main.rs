//! Small inputs from reports and manuals, each with the events that it has to lead to, and properties of their kinds.
//!
//! The inputs are `tests/cases/*.json`; FORMATS.md has the shape of what they contain. `why` says what is right.

mod case;
mod files;
mod paths;
mod refunds;
mod worlds;
