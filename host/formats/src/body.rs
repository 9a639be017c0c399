//! Request bodies: reads their JSON as files are read. The crate that serves a route defines its body.
//!
//! Knows how a body begins and ends; the values in between are read as in every format.

use perennial_domain::plan::Command;

use super::Problems;
use super::body_limits;
use super::body_limits::BodyLimits;
use super::command;
use super::command::Writer;
use super::diagnostics::Diagnostics;
use super::diagnostics::Path;
use super::json_tree;

pub use super::fields::FieldValue;
pub use super::fields::Fields;
pub use super::json_cursor::ID_MAX;
pub use super::json_cursor::JsonCursor;
pub use super::json_cursor::LATEST;

/// Why a body could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is not JSON.
    NotJson(Problems),
    /// It does not make sense.
    Wrong(Problems),
}

/// Reads a body with `read`; no value of it holds more than `limits` say.
///
/// # Errors
///
/// Every problem of it, each with its path.
pub fn read<T>(
    text: &str,
    limits: BodyLimits,
    read: impl FnOnce(JsonCursor<'_, '_>) -> Option<T>,
) -> Result<T, Failure> {
    read_root("the body", text, Some(limits), read)
}

/// Reads a file that is called `whole`, as a body is read, but for the limits of bodies.
///
/// # Errors
///
/// Every problem of it, each with its path.
pub fn read_as<T>(
    whole: &'static str,
    text: &str,
    read: impl FnOnce(JsonCursor<'_, '_>) -> Option<T>,
) -> Result<T, Failure> {
    read_root(whole, text, None, read)
}

fn read_root<T>(
    whole: &'static str,
    text: &str,
    limits: Option<BodyLimits>,
    read: impl FnOnce(JsonCursor<'_, '_>) -> Option<T>,
) -> Result<T, Failure> {
    let problems = Diagnostics::new(whole);
    let root = json_tree::parse(text, &problems).map_err(Failure::NotJson)?;
    if let Some(limits) = limits {
        body_limits::check(&root, Path::Root, limits, &problems);
    }
    let value = read(JsonCursor { node: &root, path: Path::Root, diagnostics: &problems });
    problems.finish(value).map_err(Failure::Wrong)
}

/// Reads a command, as scenarios have it.
pub fn command(cursor: JsonCursor<'_, '_>) -> Option<Command> {
    command::read(cursor, Writer::Outside)
}
