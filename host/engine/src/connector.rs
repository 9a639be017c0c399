//! What the host asks of a provider's connector. The sandbox answers; so can a connector that was compiled natively.

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
use perennial_sandbox::PluginConnector;
use perennial_sandbox::PluginError;

/// A provider's API in words of the contract. Every answer was checked: it is within bounds, and a request goes to a host
/// that the capabilities name. Several threads may call at once, and the same call gives the same answer.
///
/// A connector that fails proves nothing: a mutation whose response it could not read is in doubt.
pub trait Connector: Send + Sync {
    /// What it can translate. Called at any time; the same for as long as the connector is loaded.
    fn capabilities(&self) -> &Capabilities;
    /// The request that asks a query, or why the provider's API has no such question. Called before each page is asked for,
    /// and each time anew when a query is repeated: the request's date is the context's instant.
    ///
    /// # Errors
    ///
    /// [`PluginError`] when the plugin gave no usable answer.
    fn encode_query(
        &self,
        context: &CallContext<'_>,
        query: &Query,
    ) -> Result<Result<UnsignedRequest, Refusal>, PluginError>;
    /// What a response says to a query. Called once a response to it is there.
    ///
    /// # Errors
    ///
    /// [`PluginError`] when the plugin gave no usable answer.
    fn decode_query(
        &self,
        context: &CallContext<'_>,
        query: &Query,
        response: &ReceivedResponse,
    ) -> Result<Result<QueryAnswer, QueryFailure>, PluginError>;
    /// The request that makes a change, or why there is none. Called after the call was stored and before it is sent, with
    /// the same client token for as long as no proof of a decline is there.
    ///
    /// # Errors
    ///
    /// [`PluginError`] when the plugin gave no usable answer: nothing was sent.
    fn encode_mutation(
        &self,
        context: &CallContext<'_>,
        mutation: &Mutation,
    ) -> Result<Result<UnsignedRequest, Refusal>, PluginError>;
    /// What became of a mutation, one outcome for each target. Called once a response to it is there.
    ///
    /// # Errors
    ///
    /// [`PluginError`] when the plugin gave no usable answer: the mutation is in doubt.
    fn decode_mutation(
        &self,
        context: &CallContext<'_>,
        mutation: &Mutation,
        response: &ReceivedResponse,
    ) -> Result<Vec<Outcome>, PluginError>;
}

impl Connector for PluginConnector {
    fn capabilities(&self) -> &Capabilities {
        self.capabilities()
    }

    fn encode_query(
        &self,
        context: &CallContext<'_>,
        query: &Query,
    ) -> Result<Result<UnsignedRequest, Refusal>, PluginError> {
        self.encode_query(context, query)
    }

    fn decode_query(
        &self,
        context: &CallContext<'_>,
        query: &Query,
        response: &ReceivedResponse,
    ) -> Result<Result<QueryAnswer, QueryFailure>, PluginError> {
        self.decode_query(context, query, response)
    }

    fn encode_mutation(
        &self,
        context: &CallContext<'_>,
        mutation: &Mutation,
    ) -> Result<Result<UnsignedRequest, Refusal>, PluginError> {
        self.encode_mutation(context, mutation)
    }

    fn decode_mutation(
        &self,
        context: &CallContext<'_>,
        mutation: &Mutation,
        response: &ReceivedResponse,
    ) -> Result<Vec<Outcome>, PluginError> {
        self.decode_mutation(context, mutation, response)
    }
}
