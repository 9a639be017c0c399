//! A plugin's provider API: the calls, with domain values as arguments and results.
//!
//! A client wrote the request and the plugin wrote the answer; neither is trusted. Every answer is checked here.

mod decode;
mod encode;

use crate::provider::bindings::provider_api as wit;
use crate::provider::bindings::provider_api::ProviderWithApiPre;
use crate::provider::plugin::Plugin;
use crate::runtime::call::StoreLimits;
use crate::runtime::error::PluginError;
use perennial_domain::provider_api::Authentication;
use perennial_domain::provider_api::Context;
use perennial_domain::provider_api::Failure;
use perennial_domain::provider_api::NextStep;
use perennial_domain::provider_api::Request;
use perennial_domain::provider_api::Response;
use perennial_domain::timestamp::Timestamp;

/// A plugin that answers its provider's own API.
#[derive(Clone, Copy)]
pub struct ProviderApi<'a> {
    plugin: &'a Plugin,
    functions: &'a ProviderWithApiPre<StoreLimits>,
}

impl Plugin {
    /// The plugin's provider API; `None` when it has none.
    pub fn provider_api(&self) -> Option<ProviderApi<'_>> {
        Some(ProviderApi { plugin: self, functions: self.provider_api_functions()? })
    }
}

impl ProviderApi<'_> {
    /// The sender that a request claims, with what proves it; or the response to a request that names no sender.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] when the plugin gives no usable answer.
    pub fn identify(
        &self,
        at: Timestamp,
        request: &Request,
    ) -> Result<Result<Authentication, Response>, PluginError> {
        let headers = encode::headers(request);
        let record = encode::encode_request(request, &headers);
        let answer = self.plugin.call_provider_api(
            self.functions,
            "identify",
            encode::size(request),
            |store, provider| {
                provider.perennial_provider_provider_api().call_identify(store, at.as_second(), record)
            },
        )?;
        let received = match answer {
            Ok(answer) => decode::authentication(answer).map(Ok),
            Err(answer) => decode::response(answer).map(Err),
        };
        received.map_err(|problem| self.nonsense("identify", problem))
    }

    /// The next step of a request: queries, a transaction, or the response.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] when the plugin gives no usable answer.
    pub fn handle(&self, context: &Context<'_>) -> Result<NextStep, PluginError> {
        let headers = encode::headers(context.request);
        let settings = super::encode::pairs(&context.account.settings).collect::<Vec<_>>();
        let (attributes, tags) =
            (encode::pairs_of(context, |it| &it.attributes), encode::pairs_of(context, |it| &it.tags));
        let lists = encode::OutcomeLists::of(context, &attributes, &tags);
        let outcomes =
            context.outcomes.iter().enumerate().map(|(index, one)| encode::outcome(one, index, &lists));
        let outcomes = outcomes.collect::<Vec<_>>();
        let items = encode::size(context.request) + context.outcomes.iter().map(encode::items).sum::<usize>();
        let context_record = wit::Context {
            at: context.at.as_second(),
            request: encode::encode_request(context.request, &headers),
            account: wit::Account { id: &context.account.id, settings: &settings },
            outcomes: &outcomes,
        };
        let answer = self.plugin.call_provider_api(self.functions, "handle", items, |store, provider| {
            provider.perennial_provider_provider_api().call_handle(store, context_record)
        })?;
        decode::next_step(answer).map_err(|problem| self.nonsense("handle", problem))
    }

    /// The response to a request that the host gives up.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] when the plugin gives no usable answer.
    pub fn fail(&self, at: Timestamp, request: &Request, failure: Failure) -> Result<Response, PluginError> {
        let headers = encode::headers(request);
        let record = encode::encode_request(request, &headers);
        let why = match failure {
            Failure::UnknownAccessKey => wit::Failure::UnknownAccessKey,
            Failure::WrongCredentials => wit::Failure::WrongCredentials,
            Failure::InvalidToken => wit::Failure::InvalidToken,
            Failure::Replayed => wit::Failure::Replayed,
            Failure::Malformed => wit::Failure::Malformed,
            Failure::TooLarge(bytes) => wit::Failure::TooLarge(bytes),
            Failure::TimedOut => wit::Failure::TimedOut,
            Failure::Busy(seconds) => wit::Failure::Busy(seconds),
            Failure::Internal => wit::Failure::Internal,
        };
        let answer = self.plugin.call_provider_api(
            self.functions,
            "fail",
            encode::size(request),
            |store, provider| {
                provider.perennial_provider_provider_api().call_fail(store, at.as_second(), record, why)
            },
        )?;
        decode::response(answer).map_err(|problem| self.nonsense("fail", problem))
    }

    fn nonsense(&self, function: &'static str, problem: String) -> PluginError {
        PluginError::Nonsense { plugin: self.plugin.manifest().id.clone(), function, problem }
    }
}
