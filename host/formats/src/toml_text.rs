//! TOML files, turned into JSON so that files of every format are read the same way, with the same words for problems.

use serde_json::Value;

use super::diagnostics::Problems;

/// The JSON of a TOML file.
///
/// # Errors
///
/// Where the file is not TOML.
pub(crate) fn to_json(text: &str) -> Result<String, Problems> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let table = text.parse::<toml::Table>().map_err(|error| unreadable(text, &error))?;
    Ok(json(toml::Value::Table(table)).to_string())
}

fn unreadable(text: &str, error: &toml::de::Error) -> Problems {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
    let message = error.message().lines().collect::<Vec<_>>().join("; ");
    Problems::unreadable(format!("line {line}, column {column}"), format!("this is not TOML: {message}"))
}

/// Dates become text, which is how every format has them.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(at) => Value::String(at.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(name, value)| (name, json(value))).collect())
        }
    }
}
