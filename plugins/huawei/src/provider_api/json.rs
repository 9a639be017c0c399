//! The JSON of responses: fields in their documented order, and amounts as exact numbers.
//!
//! Written by hand because amounts are millionths of any size, which a floating-point number would round.

use std::fmt::Write;

use plugin_sdk::Micros;
use plugin_sdk::provider_api::amount::decimal;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// The value `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A number with at most six decimals, and no trailing zeros.
    Amount(Micros),
    /// A string, without its escapes.
    Text(String),
    /// A list of values.
    List(Vec<Json>),
    /// An object: names with values, in this order.
    Object(Vec<(&'static str, Json)>),
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::Text(text)
    }
}

impl From<i64> for Json {
    fn from(number: i64) -> Json {
        Json::Whole(number)
    }
}

impl<V: Into<Json>> From<Option<V>> for Json {
    fn from(value: Option<V>) -> Json {
        value.map_or(Json::Null, V::into)
    }
}

impl Json {
    /// The value as JSON text.
    pub fn bytes(&self) -> Vec<u8> {
        let mut text = String::new();
        self.write(&mut text);
        text.into_bytes()
    }

    fn write(&self, text: &mut String) {
        match self {
            Json::Null => text.push_str("null"),
            Json::Flag(flag) => text.push_str(if *flag { "true" } else { "false" }),
            Json::Whole(number) => append(text, format_args!("{number}")),
            Json::Amount(amount) => text.push_str(&decimal(*amount)),
            Json::Text(value) => quoted(text, value),
            Json::List(values) => {
                text.push('[');
                separated(text, values, |text, value| value.write(text));
                text.push(']');
            }
            Json::Object(fields) => {
                text.push('{');
                separated(text, fields, |text, (name, value)| {
                    quoted(text, name);
                    text.push(':');
                    value.write(text);
                });
                text.push('}');
            }
        }
    }
}

fn separated<V>(text: &mut String, values: &[V], mut write: impl FnMut(&mut String, &V)) {
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write(text, value);
    }
}

fn quoted(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\u{0}'..='\u{1f}' | '\u{7f}' => append(text, format_args!("\\u{:04x}", u32::from(character))),
            character => text.push(character),
        }
    }
    text.push('"');
}

fn append(text: &mut String, what: std::fmt::Arguments) {
    text.write_fmt(what).expect("text can always be written to");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_read_again_as_it_was(text in "[\\x00-\\x7f]*|.*") {
            let bytes = Json::List(vec![Json::from(text.as_str()), Json::Null]).bytes();
            let read: (String, ()) = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(read.0, text);
        }

        #[test]
        fn any_amount_is_a_number_and_exact(amount in any::<Micros>()) {
            let text = decimal(amount);
            prop_assert!(serde_json::from_str::<f64>(&text).is_ok(), "{}", text);
            let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
            let digits = format!("{whole}{decimals:0<6}");
            prop_assert_eq!(digits.parse::<i128>().unwrap(), i128::from(amount));
        }
    }
}
