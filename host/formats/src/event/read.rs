//! Reads events from lines that [`super::line`] wrote.

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;

use crate::Problems;
use crate::diagnostics::Diagnostics;
use crate::diagnostics::Path;
use crate::fields::Fields;
use crate::json_cursor::JsonCursor;
use crate::json_tree;
use crate::stored_fields::StoredFields;
use crate::wording;

/// The fields that every event has.
const COMMON_FIELDS: [&str; 4] = ["at", "account", "resource", "type"];

/// Reads a line: the account that the event is about, if any, and the event.
///
/// # Errors
///
/// Every problem of the line, each with its path.
pub fn read(line: &str) -> Result<(Option<String>, Event), Problems> {
    let problems = Diagnostics::default();
    let root = json_tree::parse(line, &problems)?;
    let found = read_line(JsonCursor { node: &root, path: Path::Root, diagnostics: &problems });
    problems.finish(found)
}

fn read_line(root: JsonCursor<'_, '_>) -> Option<(Option<String>, Event)> {
    let fields = root.any_object()?;
    let at = fields.required("at", |cursor| cursor.instant());
    let account = fields.required("account", |_| Some(())).and_then(|()| text_or_none(&fields, "account"));
    let resource = fields.required("resource", |_| Some(())).and_then(|()| text_or_none(&fields, "resource"));
    let what = fields.required("type", |cursor| Some((cursor.text()?, cursor)));
    let what = what.and_then(|(name, cursor)| read_kind(name, cursor, &fields, &COMMON_FIELDS));
    Some((account?, Event { at: at?, resource: resource?, what: what? }))
}

/// Reads back what [`super::body`] gives, `body` being the fields as JSON.
///
/// # Errors
///
/// Every problem of the body, each with its path.
pub fn read_body(name: &str, body: &str) -> Result<EventKind, Problems> {
    let problems = Diagnostics::default();
    let root = json_tree::parse(body, &problems)?;
    let root = JsonCursor { node: &root, path: Path::Root, diagnostics: &problems };
    let what = root.any_object().and_then(|fields| read_kind(name, root, &fields, &[]));
    problems.finish(what)
}

fn text_or_none(fields: &Fields<'_, '_>, name: &str) -> Option<Option<String>> {
    fields.optional(name, |cursor| cursor.text().map(str::to_owned)).option()
}

/// Reads the event of the type called `name`; `cursor` is at that name, and `common` are the fields that every type has.
fn read_kind(
    name: &str,
    cursor: JsonCursor<'_, '_>,
    fields: &Fields<'_, '_>,
    common: &[&str],
) -> Option<EventKind> {
    if !EventKind::TYPES.contains(&name) {
        cursor.report(format!("there is no event of type {}", wording::quote(name)));
        return None;
    }
    let what = EventKind::read(name, &mut StoredFields { fields })?;
    let mut known = Vec::new();
    what.visit_fields(|name, _| known.push(name));
    for (name, field) in fields.all() {
        if !common.contains(&name) && !known.contains(&name) {
            field.report(format!("an event of this type has no field {}", wording::quote(name)));
        }
    }
    Some(what)
}
