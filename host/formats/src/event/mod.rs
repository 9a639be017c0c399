//! Events: one JSON object per line, as outside programs read them and as the store keeps them.
//!
//! Knows how each kind of field is written and read. Which types of events there are, and which fields each has, is listed
//! in [`perennial_domain::event`].

mod read;

#[cfg(test)]
mod tests;

use std::io;

use perennial_domain::event::Event;
use perennial_domain::field::FieldValue;
use perennial_domain::micros::Micros;
use serde::Serializer;
use serde::ser::SerializeMap;

use super::json_value;
use super::json_value::JsonValue;

pub use read::read;
pub use read::read_body;

/// The event as one line of JSON, without the line's end.
///
/// `account` is `None` for what happens to the host itself.
pub fn line(account: Option<&str>, event: &Event) -> String {
    let mut line = Vec::new();
    write_object(&mut line, account, event).expect("a list of bytes takes any text");
    String::from_utf8(line).expect("JSON is text")
}

/// Writes the event as one line of JSON, with the line's end.
///
/// # Errors
///
/// Whatever `out` fails with.
pub fn write_line(out: &mut impl io::Write, account: Option<&str>, event: &Event) -> io::Result<()> {
    write_object(out, account, event)?;
    out.write_all(b"\n")
}

/// Field by field, as the event hands them over: a simulation writes millions of events, and needs no tree of each.
fn write_object(out: &mut impl io::Write, account: Option<&str>, event: &Event) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::new(out);
    let mut object = serializer.serialize_map(None)?;
    object.serialize_entry("at", &JsonValue::At(event.at))?;
    object.serialize_entry("account", &account)?;
    object.serialize_entry("resource", &event.resource)?;
    object.serialize_entry("type", event.what.name())?;
    let mut written = Ok(());
    event.what.visit_fields(|name, value| {
        if written.is_ok() {
            written = object.serialize_entry(name, &JsonValue::from(value));
        }
    });
    written?;
    Ok(object.end()?)
}

/// What the event is called, and an object of the fields beside `at`, `account`, `resource` and `type`.
pub fn body(event: &Event) -> (&'static str, JsonValue<'_>) {
    let mut fields = Vec::new();
    event.what.visit_fields(|name, value| fields.push((name, value.into())));
    (event.what.name(), JsonValue::Object(fields))
}

impl<'a> From<FieldValue<'a>> for JsonValue<'a> {
    fn from(value: FieldValue<'a>) -> JsonValue<'a> {
        match value {
            FieldValue::Nothing => JsonValue::Null,
            FieldValue::Text(text) => text.into(),
            FieldValue::Amount(amount) => amount.into(),
            FieldValue::Instant(at) => at.into(),
            FieldValue::Term(term) => term.into(),
            FieldValue::Count(count) => count.into(),
            FieldValue::Flag(flag) => flag.into(),
            FieldValue::Refunds(refunds) => refunds.iter().map(refunded).collect(),
        }
    }
}

fn refunded((order, amount): &(String, Micros)) -> JsonValue<'_> {
    json_value::object([("order", order.as_str().into()), ("amount", amount.into())])
}
