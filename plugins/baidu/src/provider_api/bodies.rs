//! The bodies of requests: what is read of them, in which types, and the lengths that they give.
//!
//! A field that there is not is passed over, as "Error Return" (BCC) asks for; one that is `null` counts as not sent,
//! because the SDK sends what is unset that way. Knows fields and types; not which values a rule accepts.

use std::fmt;
use std::marker::PhantomData;

use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::provider_api::Request;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde::de::Error;
use serde::de::MapAccess;
use serde::de::Visitor;
use serde::de::value::MapAccessDeserializer;
use serde_json::error::Category;

use crate::provider_api::faults::Fault;

/// The object that a request has as its body. No body is an object without fields: the SDK sends none where it has
/// nothing to say.
///
/// # Errors
///
/// `MalformedJSON` when it is not JSON in UTF-8, `InappropriateJSON` when it is not an object or a field has another
/// type.
pub fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Fault> {
    let body = if request.body.trim_ascii().is_empty() { b"{}" } else { &*request.body };
    match serde_json::from_slice::<Object<T>>(body) {
        Ok(Object(body)) => Ok(body),
        Err(error) => {
            let code = match error.classify() {
                Category::Data => "InappropriateJSON",
                Category::Syntax | Category::Eof | Category::Io => "MalformedJSON",
            };
            Err(Fault::new(code, format!("the body cannot be used: {error}")))
        }
    }
}

/// The value of a field that has to be there.
///
/// # Errors
///
/// `InappropriateJSON` when it is not.
pub fn required<T>(name: &str, value: Option<T>) -> Result<T, Fault> {
    value.ok_or_else(|| Fault::new("InappropriateJSON", format!("`{name}` is missing")))
}

/// Something that is written as an object. By itself a structure would also be read from a list of its values.
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

/// A whole number, also one that is written as text, as the SDK's documentation has it for a disk's `renewTime`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(pub i64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Count, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Count;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("a whole number")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Count, E> {
                Ok(Count(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Count, E> {
                Ok(Count(i64::try_from(number).unwrap_or(i64::MAX)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Count, E> {
                text.parse().map(Count).map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(Number)
    }
}

/// Order details: how long is paid for.
#[derive(Debug, Deserialize)]
pub struct Billing {
    reservation: Option<Object<Reservation>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reservation {
    reservation_length: Option<Count>,
    reservation_time_unit: Option<String>,
}

impl Billing {
    /// The length; `None` when there is none, or it is 0.
    ///
    /// # Errors
    ///
    /// `BadRequest` for a unit other than months, or a length below 0.
    pub fn length(&self) -> Result<Option<Term>, Fault> {
        let Some(Object(reservation)) = &self.reservation else { return Ok(None) };
        let unit = reservation.reservation_time_unit.as_deref().unwrap_or("Month");
        if !unit.eq_ignore_ascii_case("month") {
            return Err(Fault::bad_request("`reservationTimeUnit` is `Month`"));
        }
        match reservation.reservation_length {
            None | Some(Count(0)) => Ok(None),
            Some(Count(length)) => match u32::try_from(length) {
                Ok(count) => Ok(Some(Term { count, unit: TermUnit::Month })),
                Err(_) => Err(Fault::bad_request("`reservationLength` is a number of months")),
            },
        }
    }

    /// The length, which has to be there.
    ///
    /// # Errors
    ///
    /// `InappropriateJSON` when it is not; else as [`Billing::length`].
    pub fn required_length(billing: Option<Object<Billing>>) -> Result<Term, Fault> {
        let Object(billing) = required("billing", billing)?;
        let reservation = "billing.reservation.reservationLength";
        match (&billing.reservation, billing.length()?) {
            (_, Some(term)) => Ok(term),
            (Some(Object(Reservation { reservation_length: Some(_), .. })), None) => {
                Err(Fault::bad_request("`reservationLength` is 0; nothing would be renewed"))
            }
            (_, None) => required(reservation, None),
        }
    }
}

/// The term of an auto-renew rule: 1 to 9 months or 1 to 3 years, a month where nothing is said, as in the SDK.
///
/// # Errors
///
/// `BadRequest` for any other.
pub fn rule_term(unit: Option<&str>, count: Option<Count>) -> Result<Term, Fault> {
    let unit = unit.unwrap_or("month");
    let Count(count) = count.unwrap_or(Count(1));
    let is_year = unit.eq_ignore_ascii_case("year");
    let most = if is_year { 3 } else { 9 };
    if !is_year && !unit.eq_ignore_ascii_case("month") {
        return Err(Fault::bad_request("the unit of an auto-renew rule is `month` or `year`"));
    }
    match u32::try_from(count).ok().filter(|count| (1..=most).contains(count)) {
        Some(count) => Ok(Term { count, unit: if is_year { TermUnit::Year } else { TermUnit::Month } }),
        None => Err(Fault::bad_request("an auto-renew rule renews by 1 to 9 months or 1 to 3 years")),
    }
}
