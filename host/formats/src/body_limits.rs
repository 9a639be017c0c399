//! How much one value of a request's body may hold, whatever it means: what is kept is shown again, and goes to plugins.
//!
//! The host says how long a whole body may be, and each reader what its fields may say. Files have no such limits: their
//! authors run the host.

use crate::diagnostics::Diagnostics;
use crate::diagnostics::Path;
use crate::json_tree::Json;
use crate::json_tree::Node;

/// How much one value of a body may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// The longest text, in bytes.
    pub text_bytes_max: usize,
    /// The longest name of a field, in bytes.
    pub name_bytes_max: usize,
    /// The most fields of an object.
    pub fields_max: usize,
}

impl BodyLimits {
    /// The limits without configuration. A text is as long as an attribute that a plugin sets may be.
    pub const DEFAULT: BodyLimits =
        BodyLimits { text_bytes_max: 4_096, name_bytes_max: 128, fields_max: 256 };
}

/// Notes every value of a body that holds too much.
pub(crate) fn check(node: &Node<'_>, path: Path<'_>, limits: BodyLimits, diagnostics: &Diagnostics) {
    if diagnostics.is_full() {
        return;
    }
    let note = |what: &str, found: usize, most: usize, key: &str| {
        if found > most {
            let detail = format!("{what}: {found}; a request has at most {most} (`limits.{key}`)");
            diagnostics.add(node.position, path, detail);
        }
    };
    match &node.json {
        Json::Text(text) => note("bytes of text", text.len(), limits.text_bytes_max, "body_text_bytes_max"),
        Json::Object(fields) => {
            note("fields", fields.len(), limits.fields_max, "body_fields_max");
            for (name, value) in fields {
                note("bytes of a field's name", name.len(), limits.name_bytes_max, "body_name_bytes_max");
                check(value, Path::Member(&path, name), limits, diagnostics);
            }
        }
        Json::List(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, item)| check(item, Path::Item(&path, index), limits, diagnostics));
        }
        Json::Null | Json::Flag(_) | Json::Number(_) => {}
    }
}
