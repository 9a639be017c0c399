//! JSON as the file has it: fields in their order, with duplicates, and the position of every value.
//!
//! Text without escapes is borrowed from the file, so that a large file is not copied, and the number of values has a bound
//! that grows with the file, so that what a file takes in memory is a stated multiple of its size. Knows JSON; no format.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::Serialize;
use serde::de;

use super::diagnostics::Diagnostics;
use super::diagnostics::Path;
use super::diagnostics::Problems;

/// How many values any file may have.
const VALUES_FREE: usize = 10_000;

/// How many bytes a file has for each value beyond those, at least. What makes sense has about 15; brackets alone have 2,
/// and a value takes up to 40 bytes of memory, 80 while its list grows. So a file takes at most ten times its size.
const BYTES_PER_VALUE: usize = 8;

/// A value of the file.
#[derive(Debug)]
pub struct Node<'a> {
    /// How many values begin before it.
    pub position: u32,
    /// The value that stands there.
    pub json: Json<'a>,
}

/// The kinds of JSON values.
#[derive(Debug)]
pub enum Json<'a> {
    /// The value `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number, as written.
    Number(serde_json::Number),
    /// A string without its escapes.
    Text(Cow<'a, str>),
    /// A list of values.
    List(Vec<Node<'a>>),
    /// An object, with every field as often as it stands there.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl Node<'_> {
    /// The value without its places, the last one of each doubled field.
    pub(crate) fn to_value(&self) -> serde_json::Value {
        match &self.json {
            Json::Null => serde_json::Value::Null,
            Json::Flag(flag) => (*flag).into(),
            Json::Number(number) => number.clone().into(),
            Json::Text(text) => text.as_ref().into(),
            Json::List(items) => items.iter().map(Node::to_value).collect(),
            Json::Object(fields) => {
                fields.iter().map(|(name, node)| (name.to_string(), node.to_value())).collect()
            }
        }
    }
}

/// Reads a file as JSON; doubled fields are noted in `problems`.
///
/// # Errors
///
/// Where the file is not JSON.
pub fn parse<'a>(text: &'a str, problems: &Diagnostics) -> Result<Node<'a>, Problems> {
    // Editors on Windows may begin a file with a byte order mark, which serde_json does not skip.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_ascii().is_empty() {
        return Err(Problems::unreadable(
            "line 1".to_owned(),
            "there is nothing in it; expected JSON".to_owned(),
        ));
    }
    let mut input = serde_json::Deserializer::from_str(text);
    let places = Cell::new(0);
    let values_max = u32::try_from(VALUES_FREE + text.len() / BYTES_PER_VALUE).unwrap_or(u32::MAX);
    let root = de::DeserializeSeed::deserialize(Seed { counter: &places, values_max }, &mut input)
        .and_then(|root| input.end().map(|()| root))
        .map_err(|error| match places.get() > values_max {
            true => overfull(&error, text.len(), values_max),
            false => unreadable(&error),
        })?;
    check_duplicate_fields(&root, Path::Root, problems);
    Ok(root)
}

fn unreadable(error: &serde_json::Error) -> Problems {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let suffix = format!(" at line {line} column {column}");
    let what = message.strip_suffix(&suffix).unwrap_or(&message);
    Problems::unreadable(format!("line {line}, column {column}"), format!("this is not JSON: {what}"))
}

fn overfull(error: &serde_json::Error, bytes: usize, values_max: u32) -> Problems {
    let message =
        format!("{bytes} bytes may have {values_max} values, and here is one more; send fewer at once");
    Problems::unreadable(format!("line {}, column {}", error.line(), error.column()), message)
}

/// Notes fields that an object has more than once: whichever of them counted, the other would be lost silently.
fn check_duplicate_fields(node: &Node<'_>, path: Path<'_>, problems: &Diagnostics) {
    if problems.is_full() {
        problems.stop();
        return;
    }
    match &node.json {
        Json::Null | Json::Flag(_) | Json::Number(_) | Json::Text(_) => {}
        Json::List(items) => {
            for (position, item) in items.iter().enumerate() {
                check_duplicate_fields(item, Path::Item(&path, position), problems);
            }
        }
        Json::Object(members) => {
            let mut seen = BTreeSet::new();
            for (position, (name, member)) in members.iter().enumerate() {
                let path = Path::Member(&path, name);
                // Comparing with the few fields before it is much cheaper than a set; tags may be many.
                let is_doubled = if members.len() <= 24 {
                    members[..position].iter().any(|(earlier, _)| earlier == name)
                } else {
                    !seen.insert(name.as_ref())
                };
                if is_doubled {
                    problems.add(member.position, path, "the field is written twice in one object; keep one");
                }
                check_duplicate_fields(member, path, problems);
            }
        }
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Flag(flag) => serializer.serialize_bool(*flag),
            Json::Number(number) => number.serialize(serializer),
            Json::Text(text) => serializer.serialize_str(text),
            Json::List(items) => serializer.collect_seq(items.iter().map(|item| &item.json)),
            Json::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, member)| (name, &member.json)))
            }
        }
    }
}

/// A field's name, borrowed where it can be.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads one value and counts it.
#[derive(Clone, Copy)]
struct Seed<'c> {
    counter: &'c Cell<u32>,
    /// More values than this are not read.
    values_max: u32,
}

impl<'de> de::DeserializeSeed<'de> for Seed<'_> {
    type Value = Node<'de>;

    fn deserialize<D: de::Deserializer<'de>>(self, input: D) -> Result<Node<'de>, D::Error> {
        let position = self.counter.get();
        self.counter.set(position.saturating_add(1));
        if position >= self.values_max {
            return Err(de::Error::custom("too many values"));
        }
        Ok(Node { position, json: input.deserialize_any(self)? })
    }
}

impl<'de> de::Visitor<'de> for Seed<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json<'de>, E> {
        Ok(Json::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Json<'de>, E> {
        let number = serde_json::Number::from_f64(number);
        number.map(Json::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let mut object = Vec::new();
        while let Some(Name(name)) = members.next_key()? {
            object.push((name, members.next_value_seed(self)?));
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(), String> {
        parse(text, &Diagnostics::default()).map(drop).map_err(|problems| problems.to_string())
    }

    #[test]
    fn the_number_of_values_is_bounded_by_the_size_of_the_file() {
        let brackets = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
        // A file of 3 bytes a value may have 10,000 and an eighth of its bytes: 16,000 of these.
        assert_eq!(read(&brackets(15_000)), Ok(()));
        let error = read(&brackets(300_000)).unwrap_err();
        assert!(error.contains("900001 bytes may have 122500 values, and here is one more"), "{error}");
        let ids = format!("[{}]", vec!["\"resource-1234\""; 300_000].join(","));
        assert_eq!(read(&ids), Ok(()));
    }
}
