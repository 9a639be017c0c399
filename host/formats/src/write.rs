//! How values look in every format: amounts and instants as text, terms as objects. Knows no format.
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
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Number(u64),
    /// Text.
    Text(&'a str),
    /// An instant, as text.
    At(Timestamp),
    /// An amount, as text.
    Amount(Micros),
    /// Values in order.
    List(Vec<Value<'a>>),
    /// Fields in order.
    Object(Vec<(&'a str, Value<'a>)>),
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Flag(flag) => serializer.serialize_bool(*flag),
            Value::Number(number) => serializer.serialize_u64(*number),
            Value::Text(text) => serializer.serialize_str(text),
            Value::At(at) => serializer.collect_str(at),
            Value::Amount(amount) => serializer.collect_str(amount),
            Value::List(values) => serializer.collect_seq(values),
            Value::Object(fields) => serializer.collect_map(fields.iter().map(|(name, value)| (name, value))),
        }
    }
}

impl fmt::Display for Value<'_> {
    /// As JSON on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl Value<'_> {
    /// As JSON on one line.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("names are text, and text takes any JSON")
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Value<'a> {
        Value::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Value<'a> {
        Value::Text(text)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Value::Flag(flag)
    }
}

impl From<u8> for Value<'_> {
    fn from(number: u8) -> Self {
        Value::Number(number.into())
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Value::Number(number.into())
    }
}

impl From<usize> for Value<'_> {
    fn from(number: usize) -> Self {
        Value::Number(u64::try_from(number).expect("no host has more than 64 bits"))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(at: Timestamp) -> Self {
        Value::At(at)
    }
}

impl From<&Timestamp> for Value<'_> {
    fn from(at: &Timestamp) -> Self {
        Value::At(*at)
    }
}

impl From<Micros> for Value<'_> {
    fn from(amount: Micros) -> Self {
        Value::Amount(amount)
    }
}

impl From<&Micros> for Value<'_> {
    fn from(amount: &Micros) -> Self {
        Value::Amount(*amount)
    }
}

impl From<Term> for Value<'_> {
    /// Such as `{"count": 1, "unit": "month"}`.
    fn from(term: Term) -> Self {
        object([("count", term.count.get().into()), ("unit", term.unit.name().into())])
    }
}

impl<'a> From<&'a BTreeMap<String, String>> for Value<'a> {
    fn from(named: &'a BTreeMap<String, String>) -> Value<'a> {
        Value::Object(named.iter().map(|(name, value)| (name.as_str(), value.into())).collect())
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Value<'a> {
        value.map_or(Value::Null, T::into)
    }
}

impl<'a> FromIterator<Value<'a>> for Value<'a> {
    fn from_iter<I: IntoIterator<Item = Value<'a>>>(values: I) -> Value<'a> {
        Value::List(values.into_iter().collect())
    }
}

/// An object of these fields.
pub(super) fn object<'a, const N: usize>(fields: [(&'a str, Value<'a>); N]) -> Value<'a> {
    Value::Object(fields.into())
}
