//! Reads the bodies and queries of requests, and checks the values that several operations have in common.
//!
//! Unknown fields are ignored, as the provider does. A field that is `null` counts as absent, as in the newer
//! documents.

use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::body;
use plugin_sdk::provider_api::body::BodyError;
use plugin_sdk::provider_api::request::RepeatedPart;
use plugin_sdk::provider_api::request::decode;
use plugin_sdk::provider_api::request::only;
use plugin_sdk::provider_api::request::pairs;
use serde::Deserialize;

use crate::provider_api::problem::Problem;

/// The most characters of the id of a resource.
const ID_MAX: usize = 64;

/// The most characters of the id of an order: the host's ids contain a resource and a period.
const ORDER_MAX: usize = 255;

/// The longest error of a body, in characters: the parser may repeat a value of any length.
const ERROR_MAX: usize = 160;

/// Reads the body of a request. An empty body and `null` are objects without fields.
pub fn read<'a, Body: Deserialize<'a> + Default>(request: &'a Request) -> Result<Body, Problem> {
    // serde would read the fields from a list, in their order.
    if request.body.trim_ascii().starts_with(b"[") {
        return Err(Problem::parameter("The body is not as it should be: it is a list."));
    }
    match body::read::<Option<Body>>(&request.body) {
        Ok(body) => Ok(body.unwrap_or_default()),
        Err(BodyError::Missing(name)) => Err(Problem::parameter(format!("{name} is missing."))),
        Err(BodyError::NotJson(error) | BodyError::WrongType(error)) => {
            let error = error.chars().take(ERROR_MAX).collect::<String>();
            Err(Problem::parameter(format!("The body is not as it should be: {error}.")))
        }
    }
}

/// The decoded value of a parameter of the query; `None` when it is absent. No parameter may be sent twice.
pub fn parameter(request: &Request, name: &str) -> Result<Option<String>, Problem> {
    let is_named = |(known, _): &(&str, &str)| decode(known, true).as_deref() == Some(name);
    match only(pairs(&request.query).filter(is_named)) {
        Ok(parameter) => Ok(parameter.and_then(|(_, value)| decode(value, true))),
        Err(RepeatedPart) => Err(Problem::parameter(format!("{name} is there more than once."))),
    }
}

/// A whole number of the query; `None` when it is absent or empty.
pub fn number(request: &Request, name: &str) -> Result<Option<i64>, Problem> {
    let Some(text) = parameter(request, name)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    let not_one = |_| Problem::parameter(format!("{name} is not a whole number."));
    text.parse().map(Some).map_err(not_one)
}

/// A number from `least` to `most`; `default` when it is absent.
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

/// A required list of ids: at least one, each well-formed, none of them twice.
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

/// Whether the list contains an id twice.
pub(crate) fn has_duplicates(ids: &[String]) -> bool {
    ids.iter().enumerate().any(|(index, id)| ids[..index].contains(id))
}

/// The term of `period_type` (2 is months, 3 is years) and `period_num`: 1 to 11 months, or 1 to 3 years.
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
