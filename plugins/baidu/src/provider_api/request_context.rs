//! A request with its parameters decoded and its account's settings read, once for every operation.

use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::Context;
use plugin_sdk::provider_api::Request;

use crate::provider_api::digest;
use crate::provider_api::parameters::Parameters;
use crate::provider_api::problem::Problem;
use crate::provider_api::signature;
use crate::settings::Settings;

/// A request, with what every operation needs to know about it.
pub struct RequestContext<'a> {
    /// The present instant.
    pub at: Timestamp,
    /// The request as the client sent it.
    pub request: &'a Request,
    /// The query, decoded.
    pub parameters: Parameters,
    /// The id of the account.
    pub account: &'a str,
    /// The settings of the account.
    pub settings: Settings,
}

impl<'a> RequestContext<'a> {
    /// The request of a context.
    ///
    /// # Errors
    ///
    /// `InvalidURI` when its query cannot be decoded, and `BadRequest` for a body without a digest where one is required.
    pub fn of(context: &'a Context) -> Result<RequestContext<'a>, Problem> {
        let request = &context.request;
        let settings = Settings::of(&context.account.settings);
        let account = context.account.id.as_str();
        let parameters = Parameters::of(request)?;
        if settings.requires_content_digest {
            digest::require(request, signature::signed_headers(request, &parameters)?)?;
        }
        Ok(RequestContext { at: context.at, request, parameters, account, settings })
    }

    /// The host's id of the request.
    pub fn id(&self) -> &'a str {
        &self.request.id
    }
}
