//! What requests say, in their bodies and queries: read strictly, and nothing taken for granted.
//!
//! Unknown fields are passed over, as the provider does. A field that is `null` is as good as absent, which is how the
//! newer documents have it.

use std::marker::PhantomData;

use plugin_sdk::provider_api::Request;
use plugin_sdk::request::{decode, pairs, value};
use plugin_sdk::{Term, TermUnit};
use serde::Deserialize;
use serde::Deserializer;
use serde::de::SeqAccess;
use serde::de::Visitor;

use crate::provider_api::problem::Problem;

/// The most characters of the id of a resource.
const ID_MAX: usize = 64;

/// The most characters of the id of an order: the host's own name a resource and a period.
const ORDER_MAX: usize = 255;

/// How much is said of what is wrong with a body, in characters: it may name a value of any length.
const WHAT_MAX: usize = 160;

/// The body, read; a body that is empty or `null` has no fields.
pub fn read<'a, Body: Deserialize<'a> + Default>(request: &'a Request) -> Result<Body, Problem> {
    match request.body.trim_ascii() {
        [] => return Ok(Body::default()),
        // A list would be read as the fields in their order.
        [b'[', ..] => return Err(Problem::parameter("The body is not as it should be: it is a list.")),
        [_, ..] => {}
    }
    let read = serde_json::from_slice::<Option<Body>>(&request.body);
    read.map(Option::unwrap_or_default).map_err(|error| {
        let what = error.to_string().chars().take(WHAT_MAX).collect::<String>();
        Problem::parameter(format!("The body is not as it should be: {what}."))
    })
}

/// The decoded value of a parameter of the query, if it is there. Twice is a mistake.
pub fn parameter(request: &Request, name: &str) -> Result<Option<String>, Problem> {
    let is_it = |(known, _): &(&str, &str)| decode(known, true).as_deref() == Some(name);
    if pairs(&request.query).filter(is_it).count() > 1 {
        return Err(Problem::parameter(format!("{name} is there more than once.")));
    }
    Ok(value(&request.query, name))
}

/// A whole number of the query, if it is there and not empty.
pub fn number(request: &Request, name: &str) -> Result<Option<i64>, Problem> {
    let Some(text) = parameter(request, name)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    let not_one = |_| Problem::parameter(format!("{name} is not a whole number."));
    text.parse().map(Some).map_err(not_one)
}

/// A number from `least` to `most`, or `default` where there is none.
pub fn within(name: &str, number: Option<i64>, default: u32, least: u32, most: u32) -> Result<u32, Problem> {
    let Some(number) = number else { return Ok(default) };
    let fits = u32::try_from(number).ok().filter(|number| (least..=most).contains(number));
    fits.ok_or_else(|| Problem::parameter(format!("{name} is not a whole number from {least} to {most}.")))
}

/// The id of a resource: 1 to 64 characters of ASCII.
pub fn id<'a>(name: &str, id: &'a str) -> Result<&'a str, Problem> {
    ascii(name, id, ID_MAX)
}

/// The id of an order.
pub fn order<'a>(name: &str, id: &'a str) -> Result<&'a str, Problem> {
    ascii(name, id, ORDER_MAX)
}

fn ascii<'a>(name: &str, id: &'a str, most: usize) -> Result<&'a str, Problem> {
    let fits = (1..=most).contains(&id.len()) && id.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let wrong = || Problem::parameter(format!("{name} is not 1 to {most} printable ASCII characters."));
    fits.then_some(id).ok_or_else(wrong)
}

/// Ids that have to be there: at least one, each well-formed, none of them twice.
pub fn ids(name: &str, sent: Option<Vec<String>>) -> Result<Vec<String>, Problem> {
    let sent = sent.filter(|ids| !ids.is_empty());
    let ids = sent.ok_or_else(|| Problem::parameter(format!("{name} is missing or empty.")))?;
    for one in &ids {
        id(name, one)?;
    }
    match has_duplicates(&ids) {
        true => Err(Problem::parameter(format!("{name} has an id twice."))),
        false => Ok(ids),
    }
}

/// Whether an id is there twice.
pub fn has_duplicates(ids: &[String]) -> bool {
    ids.iter().enumerate().any(|(index, id)| ids[..index].contains(id))
}

/// A list of at most `MAX` values: what is longer is not even read to its end.
pub fn at_most<'de, D, Value, const MAX: usize>(from: D) -> Result<Option<Vec<Value>>, D::Error>
where
    D: Deserializer<'de>,
    Value: Deserialize<'de>,
{
    struct Few<Value, const MAX: usize>(PhantomData<Value>);

    impl<'de, Value: Deserialize<'de>, const MAX: usize> Visitor<'de> for Few<Value, MAX> {
        type Value = Option<Vec<Value>>;

        fn expecting(&self, form: &mut std::fmt::Formatter) -> std::fmt::Result {
            write!(form, "a list of at most {MAX}")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Self::Value, S::Error> {
            let mut values = Vec::new();
            while let Some(value) = list.next_element()? {
                if values.len() == MAX {
                    return Err(serde::de::Error::invalid_length(MAX + 1, &self));
                }
                values.push(value);
            }
            Ok(Some(values))
        }
    }
    from.deserialize_any(Few::<Value, MAX>(PhantomData))
}

/// The term that `period_type` (2 is months, 3 years) and `period_num` give: 1 to 11 months, or 1 to 3 years.
pub fn term(period_type: Option<i64>, period_num: Option<i64>) -> Result<Term, Problem> {
    let (unit, most) = match period_type {
        Some(2) => (TermUnit::Month, 11),
        Some(3) => (TermUnit::Year, 3),
        Some(_) | None => return Err(Problem::parameter("period_type is neither 2 (months) nor 3 (years).")),
    };
    if period_num.is_none() {
        return Err(Problem::parameter("period_num is missing."));
    }
    Ok(Term { count: within("period_num", period_num, 1, 1, most)?, unit })
}
