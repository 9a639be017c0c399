//! Reading the JSON body of a request into a structure.
//!
//! Unknown fields are ignored unless the structure denies them. A field that is `null` counts as absent where its type
//! is an `Option`. Which fields there are, and how an error is answered, is the plugin's.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Unexpected;
use serde::de::Visitor;
use serde::de::value::MapAccessDeserializer;
use serde_json::error::Category;

/// Why a body cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is not JSON in UTF-8: the message of the parser.
    NotJson(String),
    /// It is JSON, and a value has another type or form: the message of the parser.
    WrongType(String),
    /// This field is required and absent.
    Missing(&'static str),
}

/// Reads the body. An empty body is read as an object without fields.
///
/// # Errors
///
/// [`BodyError::NotJson`] or [`BodyError::WrongType`].
pub fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, BodyError> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => BodyError::WrongType(error.to_string()),
        Category::Syntax | Category::Eof | Category::Io => BodyError::NotJson(error.to_string()),
    })
}

/// The value of a required field.
///
/// # Errors
///
/// [`BodyError::Missing`] when it is absent.
pub fn required<T>(name: &'static str, value: Option<T>) -> Result<T, BodyError> {
    value.ok_or(BodyError::Missing(name))
}

/// A structure that is written as an object. serde by itself would also read a structure from a list of its values.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<T>, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Object<T>, M::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// A whole number, or a text with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WholeNumber(pub i64);

impl<'de> Deserialize<'de> for WholeNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WholeNumber, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = WholeNumber;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("a whole number")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<WholeNumber, E> {
                Ok(WholeNumber(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<WholeNumber, E> {
                Ok(WholeNumber(i64::try_from(number).unwrap_or(i64::MAX)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<WholeNumber, E> {
                text.parse().map(WholeNumber).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(Number)
    }
}

/// A list of at most `MAX` values, or `null`: the rest of a longer list is not read. For `deserialize_with`.
///
/// # Errors
///
/// The parser's error for any other type, and for a longer list.
pub fn at_most<'de, D, T, const MAX: usize>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct ShortList<T, const MAX: usize>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for ShortList<T, MAX> {
        type Value = Option<Vec<T>>;

        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            write!(formatter, "a list of at most {MAX}")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Self::Value, S::Error> {
            let mut values = Vec::new();
            while let Some(value) = list.next_element()? {
                if values.len() == MAX {
                    return Err(S::Error::invalid_length(MAX + 1, &self));
                }
                values.push(value);
            }
            Ok(Some(values))
        }
    }
    deserializer.deserialize_any(ShortList::<T, MAX>(PhantomData))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Deserializer;

    use crate::provider_api::body::BodyError;
    use crate::provider_api::body::Object;
    use crate::provider_api::body::WholeNumber;
    use crate::provider_api::body::at_most;
    use crate::provider_api::body::read;
    use crate::provider_api::body::required;

    type Fields = Object<BTreeMap<String, WholeNumber>>;

    fn fields(body: &str) -> Result<Vec<(String, i64)>, BodyError> {
        let Object(fields) = read::<Fields>(body.as_bytes())?;
        Ok(fields.into_iter().map(|(name, WholeNumber(number))| (name, number)).collect())
    }

    #[test]
    fn an_empty_body_is_an_object_without_fields() {
        assert_eq!(fields(""), Ok(Vec::new()));
        assert_eq!(fields(" \n"), Ok(Vec::new()));
    }

    #[test]
    fn whole_numbers_are_numbers_or_texts() {
        let read = fields(r#"{"a": 1, "b": "-2", "c": 18446744073709551615}"#).unwrap();
        assert_eq!(read, [("a".to_owned(), 1), ("b".to_owned(), -2), ("c".to_owned(), i64::MAX)]);
    }

    #[test]
    fn text_that_is_not_json_differs_from_a_wrong_type() {
        for body in ["{", "{]", "{\"a\": 1} x", "\u{1}"] {
            assert!(matches!(fields(body), Err(BodyError::NotJson(_))), "{body}");
        }
        for body in ["[]", "null", "7", r#"{"a": 1.5}"#, r#"{"a": "x"}"#, r#"{"a": null}"#] {
            assert!(matches!(fields(body), Err(BodyError::WrongType(_))), "{body}");
        }
    }

    #[test]
    fn a_list_is_read_up_to_its_bound() {
        let list =
            |text| at_most::<_, u8, 2>(&mut Deserializer::from_str(text)).map_err(|error| error.to_string());
        assert_eq!(list("[1, 2]"), Ok(Some(vec![1, 2])));
        assert_eq!(list("null"), Ok(None));
        assert!(list("[1, 2, 3]").unwrap_err().contains("a list of at most 2"));
        assert!(list("7").is_err());
    }

    #[test]
    fn a_required_field_is_named_when_it_is_absent() {
        assert_eq!(required("id", Some(1)), Ok(1));
        assert_eq!(required::<u8>("id", None), Err(BodyError::Missing("id")));
    }
}
