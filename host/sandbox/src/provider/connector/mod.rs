//! A plugin's connector: the calls, with domain values as arguments and results.
//!
//! A provider wrote the response and the plugin wrote the answer; neither is trusted. Every answer is checked here.

mod decode;
mod encode;

use std::fmt;
use std::sync::Arc;

use perennial_domain::connector;
use perennial_domain::connector::CallContext;
use perennial_domain::connector::Capabilities;
use perennial_domain::connector::Mutation;
use perennial_domain::connector::Outcome;
use perennial_domain::connector::Query;
use perennial_domain::connector::QueryAnswer;
use perennial_domain::connector::QueryFailure;
use perennial_domain::connector::ReceivedResponse;
use perennial_domain::connector::UnsignedRequest;
use perennial_domain::plan::Refusal;
use wasmtime::Store;

use crate::provider::bindings::connector as wit;
use crate::provider::bindings::connector::ProviderWithConnector;
use crate::provider::bindings::connector::ProviderWithConnectorPre;
use crate::runtime::call;
use crate::runtime::call::StoreLimits;
use crate::runtime::engine::Runtime;
use crate::runtime::error::LoadError;
use crate::runtime::error::PluginError;
use crate::runtime::limits::Limits;

/// A plugin's translation to its provider's API, ready to be asked.
pub struct PluginConnector {
    runtime: Arc<Runtime>,
    limits: Limits,
    pre: ProviderWithConnectorPre<StoreLimits>,
    plugin: String,
    capabilities: Capabilities,
}

impl fmt::Debug for PluginConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PluginConnector of {}", self.plugin)
    }
}

impl PluginConnector {
    /// Asks a plugin's connector what it can translate.
    ///
    /// # Errors
    ///
    /// [`LoadError`] when it does not say, or says what no host can use.
    pub(super) fn load(
        runtime: Arc<Runtime>,
        limits: Limits,
        pre: ProviderWithConnectorPre<StoreLimits>,
        (origin, plugin): (&str, &str),
    ) -> Result<PluginConnector, LoadError> {
        let described = call::invoke(&runtime, &limits, (plugin, "describe-connector"), 0, |store| {
            let provider = pre.instantiate(&mut *store)?;
            provider.perennial_provider_connector().call_describe_connector(store)
        });
        let (described, _) = described
            .map_err(|failure| LoadError::Silent { origin: origin.to_owned(), source: failure.error })?;
        let capabilities = decode::capabilities(described);
        connector::check_capabilities(&capabilities).map_err(|problems| LoadError::WrongManifest {
            origin: origin.to_owned(),
            problems: problems.join("; "),
        })?;
        Ok(PluginConnector { runtime, limits, pre, plugin: plugin.to_owned(), capabilities })
    }

    /// What it can translate.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The request that asks a query, or why there is none.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] when the plugin gives no usable answer.
    pub fn encode_query(
        &self,
        context: &CallContext<'_>,
        query: &Query,
    ) -> Result<Result<UnsignedRequest, Refusal>, PluginError> {
        let settings = encode::settings(context);
        let lists = encode::TargetLists::of(encode::targets_of(query));
        let records = lists.records();
        let orders = encode::orders_of(query);
        let answer = self.call("encode-query", records.len(), |store, provider| {
            let query = encode::query(query, &records, &orders);
            let context = encode::context(context, &settings);
            provider.perennial_provider_connector().call_encode_query(store, context, query)
        })?;
        self.request("encode-query", context, answer)
    }

    /// What a response says to a query.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] when the plugin gives no usable answer.
    pub fn decode_query(
        &self,
        context: &CallContext<'_>,
        query: &Query,
        response: &ReceivedResponse,
    ) -> Result<Result<QueryAnswer, QueryFailure>, PluginError> {
        let settings = encode::settings(context);
        let lists = encode::TargetLists::of(encode::targets_of(query));
        let records = lists.records();
        let (orders, headers) = (encode::orders_of(query), encode::headers(response));
        let items = records.len() + encode::size(response);
        let answer = self.call("decode-query", items, |store, provider| {
            let wit_query = encode::query(query, &records, &orders);
            let context = encode::context(context, &settings);
            let response = encode::response(response, &headers);
            provider.perennial_provider_connector().call_decode_query(store, context, wit_query, response)
        })?;
        let nonsense = |problem| self.nonsense("decode-query", problem);
        match answer {
            Ok(answer) => {
                let answer = decode::answer(answer).map_err(nonsense)?;
                connector::check_query_answer(query, &answer).map_err(nonsense)?;
                Ok(Ok(answer))
            }
            Err(failure) => decode::query_failure(failure).map(Err).map_err(nonsense),
        }
    }

    /// The request that makes a change, or why there is none.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] when the plugin gives no usable answer.
    pub fn encode_mutation(
        &self,
        context: &CallContext<'_>,
        mutation: &Mutation,
    ) -> Result<Result<UnsignedRequest, Refusal>, PluginError> {
        let settings = encode::settings(context);
        let lists = [&mutation.targets, &mutation.along].map(|list| encode::TargetLists::of(list));
        let [targets, along] = [lists[0].records(), lists[1].records()];
        let options = encode::options(mutation);
        let answer = self.call("encode-mutation", targets.len() + along.len(), |store, provider| {
            let mutation = encode::mutation(mutation, (&targets, &along), &options);
            let context = encode::context(context, &settings);
            provider.perennial_provider_connector().call_encode_mutation(store, context, mutation)
        })?;
        self.request("encode-mutation", context, answer)
    }

    /// What became of a mutation, one outcome for each target.
    ///
    /// # Errors
    ///
    /// A [`PluginError`] when the plugin gives no usable answer.
    pub fn decode_mutation(
        &self,
        context: &CallContext<'_>,
        mutation: &Mutation,
        response: &ReceivedResponse,
    ) -> Result<Vec<Outcome>, PluginError> {
        let settings = encode::settings(context);
        let lists = [&mutation.targets, &mutation.along].map(|list| encode::TargetLists::of(list));
        let [targets, along] = [lists[0].records(), lists[1].records()];
        let options = encode::options(mutation);
        let headers = encode::headers(response);
        let items = targets.len() + along.len() + encode::size(response);
        let answer = self.call("decode-mutation", items, |store, provider| {
            let record = encode::mutation(mutation, (&targets, &along), &options);
            let context = encode::context(context, &settings);
            let response = encode::response(response, &headers);
            provider.perennial_provider_connector().call_decode_mutation(store, context, record, response)
        })?;
        let outcomes = answer.into_iter().map(decode::outcome).collect::<Vec<_>>();
        connector::check_outcomes(mutation, &outcomes)
            .map_err(|problem| self.nonsense("decode-mutation", problem))?;
        Ok(outcomes)
    }

    fn call<A>(
        &self,
        function: &'static str,
        items: usize,
        call: impl FnOnce(&mut Store<StoreLimits>, &ProviderWithConnector) -> wasmtime::Result<A>,
    ) -> Result<A, PluginError> {
        let answered = call::invoke(&self.runtime, &self.limits, (&self.plugin, function), items, |store| {
            let provider = self.pre.instantiate(&mut *store)?;
            call(store, &provider)
        });
        answered.map(|(answer, _)| answer).map_err(|failure| failure.error)
    }

    fn request(
        &self,
        function: &'static str,
        context: &CallContext<'_>,
        answer: Result<wit::UnsignedRequest, wit::types::Refusal>,
    ) -> Result<Result<UnsignedRequest, Refusal>, PluginError> {
        let nonsense = |problem| self.nonsense(function, problem);
        match answer {
            Ok(request) => {
                let request = decode::request(request);
                connector::check_request(&self.capabilities, context, &request).map_err(nonsense)?;
                Ok(Ok(request))
            }
            Err(refusal) => decode::refusal(refusal).map(Err).map_err(nonsense),
        }
    }

    fn nonsense(&self, function: &'static str, problem: String) -> PluginError {
        PluginError::Nonsense { plugin: self.plugin.clone(), function, problem }
    }
}
