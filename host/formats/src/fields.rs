//! The fields of an object: reads present ones and reports missing and unknown ones. Knows no format.

use std::borrow::Cow;

use super::diagnostics::Diagnostics;
use super::diagnostics::Path;
use super::json_cursor::JsonCursor;
use super::json_tree::Json;
use super::json_tree::Node;
use super::wording;

/// The fields of an object of the file.
#[derive(Clone, Copy)]
pub struct Fields<'n, 'p> {
    /// As they stand there.
    pub members: &'n [(Cow<'n, str>, Node<'n>)],
    /// The object's place in the file.
    pub position: u32,
    /// The way to the object.
    pub path: Path<'p>,
    /// Collects the problems that are found.
    pub diagnostics: &'p Diagnostics,
}

/// What an optional field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldValue<T> {
    /// It is left out, or null.
    Absent,
    /// It cannot be read, and the problem is noted.
    Invalid,
    /// The value that stands there.
    Present(T),
}

impl<T> FieldValue<T> {
    /// The value, or `default` when the field is left out; `None` when it cannot be read.
    pub fn or(self, default: T) -> Option<T> {
        match self {
            FieldValue::Absent => Some(default),
            FieldValue::Invalid => None,
            FieldValue::Present(value) => Some(value),
        }
    }

    /// The value, if the field has one; `None` when it cannot be read.
    pub fn option(self) -> Option<Option<T>> {
        match self {
            FieldValue::Absent => Some(None),
            FieldValue::Invalid => None,
            FieldValue::Present(value) => Some(Some(value)),
        }
    }

    /// The value, if there is one that can be read.
    pub fn value(self) -> Option<T> {
        match self {
            FieldValue::Absent | FieldValue::Invalid => None,
            FieldValue::Present(value) => Some(value),
        }
    }
}

impl<'n, 'p> Fields<'n, 'p> {
    /// Notes every field that is not one of `names`.
    pub fn allow(&self, names: &'static [&'static str]) {
        for (name, member) in self.members {
            if self.diagnostics.is_full() {
                return self.diagnostics.stop();
            }
            if !names.contains(&name.as_ref()) {
                let meant = match wording::did_you_mean(name, names.iter().copied()) {
                    meant if meant.is_empty() => {
                        format!("; expected {}", wording::list_names(names.iter().copied()))
                    }
                    meant => meant,
                };
                let path = Path::Member(&self.path, name);
                self.diagnostics.add(
                    member.position,
                    path,
                    format!("unknown field {}{meant}", wording::quote(name)),
                );
            }
        }
    }

    /// Every field, in the order of the file.
    pub fn all(&self) -> impl Iterator<Item = (&'n str, JsonCursor<'n, '_>)> {
        self.members.iter().map(|(name, node)| {
            let path = Path::Member(&self.path, name);
            (name.as_ref(), JsonCursor { node, path, diagnostics: self.diagnostics })
        })
    }

    /// A field, if it is there, also when it is null.
    pub fn get<'s>(&'s self, name: &'s str) -> Option<JsonCursor<'n, 's>> {
        let (_, node) = self.members.iter().find(|(found, _)| found == name)?;
        Some(JsonCursor { node, path: Path::Member(&self.path, name), diagnostics: self.diagnostics })
    }

    /// Whether a field is left out, or null.
    pub(crate) fn is_absent(&self, name: &str) -> bool {
        self.get(name).is_none_or(|cursor| matches!(cursor.node.json, Json::Null))
    }

    /// A field that may be left out or null.
    pub fn optional<'s, T>(
        &'s self,
        name: &'s str,
        read: impl FnOnce(JsonCursor<'n, 's>) -> Option<T>,
    ) -> FieldValue<T> {
        match self.get(name) {
            None => FieldValue::Absent,
            Some(cursor) if matches!(cursor.node.json, Json::Null) => FieldValue::Absent,
            Some(cursor) => read(cursor).map_or(FieldValue::Invalid, FieldValue::Present),
        }
    }

    /// A field that must be there.
    pub fn required<'s, T>(
        &'s self,
        name: &'s str,
        read: impl FnOnce(JsonCursor<'n, 's>) -> Option<T>,
    ) -> Option<T> {
        self.required_because(name, "", read)
    }

    /// A field that must be there, for a reason that follows the word "missing".
    pub(crate) fn required_because<'s, T>(
        &'s self,
        name: &'s str,
        reason: &str,
        read: impl FnOnce(JsonCursor<'n, 's>) -> Option<T>,
    ) -> Option<T> {
        match self.get(name) {
            Some(cursor) => read(cursor),
            None => {
                self.report_missing(name, reason);
                None
            }
        }
    }

    /// Notes that a field is missing.
    pub(crate) fn report_missing(&self, name: &str, reason: &str) {
        self.diagnostics.add(
            self.position,
            Path::Member(&self.path, name),
            format!("the field is missing{reason}"),
        );
    }

    /// Notes that something is wrong with a field, or with the object when the field is not there.
    pub fn report(&self, name: &str, message: impl Into<String>) {
        match self.get(name) {
            Some(cursor) => cursor.report(message),
            None => self.diagnostics.add(self.position, Path::Member(&self.path, name), message),
        }
    }
}
