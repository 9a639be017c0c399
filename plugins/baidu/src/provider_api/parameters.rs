//! The query of a request, decoded once.
//!
//! The signature and the operations use the same decoded values, and a `+` is a `+`. Knows the parameters that every
//! operation has in common, `clientToken` among them.

use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::request;

use crate::options::CLIENT_TOKEN;
use crate::options::is_client_token;
use crate::provider_api::problem::Problem;

/// The parameter with the authorization of a pre-signed request; it is never signed.
pub const AUTHORIZATION: &str = "authorization";

/// Names with their values, in the order in which they were sent.
#[derive(Debug)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The parameters of a request.
    ///
    /// # Errors
    ///
    /// `InvalidURI` when one is not percent-encoded UTF-8.
    pub fn of(request: &Request) -> Result<Parameters, Problem> {
        let parameters = request::decoded_pairs(&request.query, false).map(Parameters);
        parameters.ok_or_else(|| Problem::new("InvalidURI", "the query is not percent-encoded UTF-8"))
    }

    /// The value of a parameter; `None` when it is absent.
    ///
    /// # Errors
    ///
    /// `BadRequest` when it was sent more than once: no document says which value is valid.
    pub fn get(&self, name: &str) -> Result<Option<&str>, Problem> {
        let values = self.pairs().filter(|(known, _)| *known == name).map(|(_, value)| value);
        let repeated = |_| Problem::bad_request(format!("`{name}` was sent more than once"));
        request::only(values).map_err(repeated)
    }

    /// The value of a parameter; `None` when it is absent or empty.
    ///
    /// # Errors
    ///
    /// As [`Parameters::get`].
    pub fn filled(&self, name: &str) -> Result<Option<&str>, Problem> {
        Ok(self.get(name)?.filter(|value| !value.is_empty()))
    }

    /// Whether a parameter was sent, with a value or without one.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// The authorization of a pre-signed request.
    pub fn authorization(&self) -> Option<&str> {
        let named = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(AUTHORIZATION);
        self.0.iter().find(named).map(|(_, value)| value.as_str())
    }

    /// The client token, by which the provider recognises a request that is sent again.
    ///
    /// # Errors
    ///
    /// `BadRequest` for one that is not 1 to 64 ASCII characters.
    pub fn token(&self) -> Result<Option<&str>, Problem> {
        match self.filled(CLIENT_TOKEN)? {
            Some(token) if !is_client_token(token) => {
                Err(Problem::bad_request(format!("`{CLIENT_TOKEN}` is up to 64 ASCII characters")))
            }
            token => Ok(token),
        }
    }

    /// Names and values, in the order in which they were sent.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
