//! How values look in every format: amounts and instants as text, terms as objects. Knows no format.

use std::collections::BTreeMap;
use std::fmt::Display;

use perennial_domain::term::Term;
use serde_json::Map;
use serde_json::Value;

/// Amounts, instants and ids: as they are shown.
pub(super) fn text(value: impl Display) -> Value {
    Value::String(value.to_string())
}

/// The same, or null.
pub(super) fn text_or_null(value: Option<impl Display>) -> Value {
    value.map_or(Value::Null, text)
}

/// Such as `{"count": 1, "unit": "month"}`.
pub(super) fn term(term: Term) -> Value {
    object([("count", term.count.get().into()), ("unit", term.unit.name().into())])
}

/// The same, or null.
pub(super) fn term_or_null(value: Option<Term>) -> Value {
    value.map_or(Value::Null, term)
}

/// Names with values.
pub(super) fn texts(named: &BTreeMap<String, String>) -> Value {
    named.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
}

/// An object of these fields.
pub(super) fn object<const N: usize>(fields: [(&'static str, Value); N]) -> Value {
    Value::Object(map(fields))
}

/// The same, for adding to.
pub(super) fn map(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
