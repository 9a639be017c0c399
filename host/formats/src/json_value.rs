//! Values as every format writes them: amounts and instants as text, terms as objects. Knows no format.
//!
//! Values borrow what they show, because the clock writes thousands a second.

use std::collections::BTreeMap;
use std::fmt;

use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_domain::timestamp::Timestamp;
use serde::Serialize;
use serde::Serializer;

/// JSON on its way out. Fields come out in the order given.
#[derive(Clone, Debug)]
pub enum JsonValue<'a> {
    /// The value `null`.
    Null,
    /// The value `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(u64),
    /// Text, without its escapes.
    Text(&'a str),
    /// An instant, as text.
    At(Timestamp),
    /// An amount, as text.
    Amount(Micros),
    /// Values, in their order.
    List(Vec<JsonValue<'a>>),
    /// Fields, in their order.
    Object(Vec<(&'a str, JsonValue<'a>)>),
}

impl Serialize for JsonValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            JsonValue::Null => serializer.serialize_unit(),
            JsonValue::Flag(flag) => serializer.serialize_bool(*flag),
            JsonValue::Number(number) => serializer.serialize_u64(*number),
            JsonValue::Text(text) => serializer.serialize_str(text),
            JsonValue::At(at) => serializer.collect_str(at),
            JsonValue::Amount(amount) => serializer.collect_str(amount),
            JsonValue::List(values) => serializer.collect_seq(values),
            JsonValue::Object(fields) => {
                serializer.collect_map(fields.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}

impl fmt::Display for JsonValue<'_> {
    /// As JSON on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl JsonValue<'_> {
    /// As JSON on one line.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("names are text, and text takes any JSON")
    }
}

impl<'a> From<&'a str> for JsonValue<'a> {
    fn from(text: &'a str) -> JsonValue<'a> {
        JsonValue::Text(text)
    }
}

impl<'a> From<&'a String> for JsonValue<'a> {
    fn from(text: &'a String) -> JsonValue<'a> {
        JsonValue::Text(text)
    }
}

impl From<bool> for JsonValue<'_> {
    fn from(flag: bool) -> Self {
        JsonValue::Flag(flag)
    }
}

impl From<u8> for JsonValue<'_> {
    fn from(number: u8) -> Self {
        JsonValue::Number(number.into())
    }
}

impl From<u32> for JsonValue<'_> {
    fn from(number: u32) -> Self {
        JsonValue::Number(number.into())
    }
}

impl From<usize> for JsonValue<'_> {
    fn from(number: usize) -> Self {
        JsonValue::Number(u64::try_from(number).expect("no host has more than 64 bits"))
    }
}

impl From<Timestamp> for JsonValue<'_> {
    fn from(at: Timestamp) -> Self {
        JsonValue::At(at)
    }
}

impl From<&Timestamp> for JsonValue<'_> {
    fn from(at: &Timestamp) -> Self {
        JsonValue::At(*at)
    }
}

impl From<Micros> for JsonValue<'_> {
    fn from(amount: Micros) -> Self {
        JsonValue::Amount(amount)
    }
}

impl From<&Micros> for JsonValue<'_> {
    fn from(amount: &Micros) -> Self {
        JsonValue::Amount(*amount)
    }
}

impl From<Term> for JsonValue<'_> {
    /// Such as `{"count": 1, "unit": "month"}`.
    fn from(term: Term) -> Self {
        object([("count", term.count.get().into()), ("unit", term.unit.name().into())])
    }
}

impl<'a> From<&'a BTreeMap<String, String>> for JsonValue<'a> {
    fn from(named: &'a BTreeMap<String, String>) -> JsonValue<'a> {
        JsonValue::Object(named.iter().map(|(name, value)| (name.as_str(), value.into())).collect())
    }
}

impl<'a, T: Into<JsonValue<'a>>> From<Option<T>> for JsonValue<'a> {
    fn from(value: Option<T>) -> JsonValue<'a> {
        value.map_or(JsonValue::Null, T::into)
    }
}

impl<'a> FromIterator<JsonValue<'a>> for JsonValue<'a> {
    fn from_iter<I: IntoIterator<Item = JsonValue<'a>>>(values: I) -> JsonValue<'a> {
        JsonValue::List(values.into_iter().collect())
    }
}

/// An object of these fields.
pub(super) fn object<'a, const N: usize>(fields: [(&'a str, JsonValue<'a>); N]) -> JsonValue<'a> {
    JsonValue::Object(fields.into())
}
