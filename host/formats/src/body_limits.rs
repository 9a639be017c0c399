//! How much one value of a request's body may hold, whatever it means: what is kept is shown again, and goes to plugins.
//!
//! The host says how long a whole body may be, and each reader what its fields may say. Files have no such limits: their
//! authors run the host.

use crate::diagnostics::Diagnostics;
use crate::diagnostics::Path;
use crate::json_tree::Json;
use crate::json_tree::Node;

/// The longest text, in bytes: as long as an attribute that a plugin sets may be.
pub const TEXT_BYTES_MAX: usize = 4_096;
/// The longest name of a field, in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// The most fields of an object.
pub const FIELDS_MAX: usize = 256;

/// Notes every value of a body that holds too much.
pub(crate) fn check(node: &Node<'_>, path: Path<'_>, diagnostics: &Diagnostics) {
    if diagnostics.is_full() {
        return;
    }
    let note = |what: &str, found: usize, most: usize| {
        diagnostics.add(node.position, path, format!("{what}: {found}; a request has at most {most}"));
    };
    match &node.json {
        Json::Text(text) if text.len() > TEXT_BYTES_MAX => note("bytes of text", text.len(), TEXT_BYTES_MAX),
        Json::Object(fields) => {
            if fields.len() > FIELDS_MAX {
                note("fields", fields.len(), FIELDS_MAX);
            }
            for (name, value) in fields {
                if name.len() > NAME_BYTES_MAX {
                    note("bytes of a field's name", name.len(), NAME_BYTES_MAX);
                }
                check(value, Path::Member(&path, name), diagnostics);
            }
        }
        Json::List(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, item)| check(item, Path::Item(&path, index), diagnostics));
        }
        Json::Null | Json::Flag(_) | Json::Number(_) | Json::Text(_) => {}
    }
}
