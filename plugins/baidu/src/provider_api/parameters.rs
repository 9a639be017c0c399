//! The query of a request, decoded once for all that read it.
//!
//! What is signed is what is read: both go by the values decoded here, and a `+` is a `+`. Knows the parameters that
//! every operation has in common, `clientToken` among them.

use plugin_sdk::provider_api::Request;
use plugin_sdk::request;

use crate::options::CLIENT_TOKEN;
use crate::options::is_client_token;
use crate::provider_api::faults::Fault;

/// The name that a pre-signed request carries its authorization under; it is never signed.
pub const AUTHORIZATION: &str = "authorization";

/// Names with their values, in the order in which they were sent.
#[derive(Debug)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The parameters of a request.
    ///
    /// # Errors
    ///
    /// `InvalidURI` when one is not well encoded, or no text.
    pub fn of(request: &Request) -> Result<Parameters, Fault> {
        let decoded = |(name, value)| Some((request::decode(name, false)?, request::decode(value, false)?));
        match request::pairs(&request.query).map(decoded).collect() {
            Some(parameters) => Ok(Parameters(parameters)),
            None => Err(Fault::new("InvalidURI", "the query is not percent-encoded UTF-8")),
        }
    }

    /// The value of a parameter; `None` when it was not sent.
    ///
    /// # Errors
    ///
    /// `BadRequest` when it was sent more than once: no document says which counts.
    pub fn get(&self, name: &str) -> Result<Option<&str>, Fault> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(Fault::bad_request(format!("`{name}` was sent more than once"))),
        }
    }

    /// The value of a parameter that counts as not sent when it is empty.
    ///
    /// # Errors
    ///
    /// As [`Parameters::get`].
    pub fn filled(&self, name: &str) -> Result<Option<&str>, Fault> {
        Ok(self.get(name)?.filter(|value| !value.is_empty()))
    }

    /// Whether a parameter was sent, with a value or without one.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// What a pre-signed request is authorized with.
    pub fn authorization(&self) -> Option<&str> {
        let named = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(AUTHORIZATION);
        self.0.iter().find(named).map(|(_, value)| value.as_str())
    }

    /// The token that makes a request happen once.
    ///
    /// # Errors
    ///
    /// `BadRequest` for one that is not 1 to 64 ASCII characters.
    pub fn token(&self) -> Result<Option<&str>, Fault> {
        match self.filled(CLIENT_TOKEN)? {
            Some(token) if !is_client_token(token) => {
                Err(Fault::bad_request(format!("`{CLIENT_TOKEN}` is up to 64 ASCII characters")))
            }
            token => Ok(token),
        }
    }

    /// Names and values, in the order in which they were sent.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
