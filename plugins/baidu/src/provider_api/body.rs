//! The bodies of requests, and the terms that they name.
//!
//! Unknown fields are ignored, as "Error Return" (BCC) asks for. A field that is `null` counts as absent, because the
//! SDK sends unset fields that way.

use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::body;
use plugin_sdk::provider_api::body::Object;
use plugin_sdk::provider_api::body::WholeNumber;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::provider_api::problem::Problem;

/// Reads the body of a request, which is an object. An empty body is an object without fields: the SDK sends no body
/// when no field is set.
///
/// # Errors
///
/// `MalformedJSON` when it is not JSON in UTF-8, `InappropriateJSON` when it is not an object or a field has another
/// type.
pub fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    let Object(fields) = body::read::<Object<T>>(&request.body)?;
    Ok(fields)
}

/// The value of a required field.
///
/// # Errors
///
/// `InappropriateJSON` when it is absent.
pub fn required<T>(name: &'static str, value: Option<T>) -> Result<T, Problem> {
    Ok(body::required(name, value)?)
}

/// The order details of a renewal: the length to pay for.
#[derive(Debug, Deserialize)]
pub struct Billing {
    reservation: Option<Object<Reservation>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reservation {
    reservation_length: Option<WholeNumber>,
    reservation_time_unit: Option<String>,
}

impl Billing {
    /// The length of a renewal; `None` when it is absent.
    ///
    /// # Errors
    ///
    /// `BadRequest` for a unit other than months, or a length that is not above 0.
    pub fn length(&self) -> Result<Option<Term>, Problem> {
        match self.months()? {
            None => Ok(None),
            Some(0) => Err(Problem::bad_request("`reservationLength` is 0, which is no length")),
            Some(count) => Ok(Some(Term { count, unit: TermUnit::Month })),
        }
    }

    /// The length of a disk's purchase; `None` when it is absent or 0, which there stands for its instance's expiry.
    ///
    /// # Errors
    ///
    /// `BadRequest` for a unit other than months, or a length below 0.
    pub(crate) fn purchase_length(&self) -> Result<Option<Term>, Problem> {
        let months = self.months()?.filter(|count| *count > 0);
        Ok(months.map(|count| Term { count, unit: TermUnit::Month }))
    }

    /// The months of the length; `None` when it is absent.
    fn months(&self) -> Result<Option<u32>, Problem> {
        let Some(Object(reservation)) = &self.reservation else { return Ok(None) };
        let unit = reservation.reservation_time_unit.as_deref().unwrap_or("Month");
        if !unit.eq_ignore_ascii_case("month") {
            return Err(Problem::bad_request("`reservationTimeUnit` is `Month`"));
        }
        let months = reservation.reservation_length.map(|WholeNumber(length)| u32::try_from(length));
        months.transpose().map_err(|_| Problem::bad_request("`reservationLength` is a number of months"))
    }

    /// The length, which is required.
    ///
    /// # Errors
    ///
    /// `InappropriateJSON` when it is absent; otherwise as [`Billing::length`].
    pub(crate) fn required_length(billing: Option<Object<Billing>>) -> Result<Term, Problem> {
        let Object(billing) = required("billing", billing)?;
        required("billing.reservation.reservationLength", billing.length()?)
    }
}

/// The term of an auto-renew rule: 1 to 9 months or 1 to 3 years; by default a month, as in the SDK.
///
/// # Errors
///
/// `BadRequest` for any other.
pub(crate) fn rule_term(unit: Option<&str>, count: Option<WholeNumber>) -> Result<Term, Problem> {
    let unit = unit.unwrap_or("month");
    let WholeNumber(count) = count.unwrap_or(WholeNumber(1));
    let is_year = unit.eq_ignore_ascii_case("year");
    let most = if is_year { 3 } else { 9 };
    if !is_year && !unit.eq_ignore_ascii_case("month") {
        return Err(Problem::bad_request("the unit of an auto-renew rule is `month` or `year`"));
    }
    match u32::try_from(count).ok().filter(|count| (1..=most).contains(count)) {
        Some(count) => Ok(Term { count, unit: if is_year { TermUnit::Year } else { TermUnit::Month } }),
        None => Err(Problem::bad_request("an auto-renew rule renews by 1 to 9 months or 1 to 3 years")),
    }
}
