//! Huawei Cloud's own API as a client calls it: the business support system, version 2.
//!
//! Turns questions of the host into requests, and responses into answers. Start with `capabilities.rs`, the table of what is
//! sent; `codes.rs` says what each code proves. The paths, the signature and the types of resources are those of
//! `provider_api`, which answers the same API.
//!
//! Sources: the documents that each file names, and the fields of `huaweicloudsdkbss` 3.1.219.

pub(crate) mod call;
pub mod capabilities;
pub(crate) mod changes;
pub mod codes;
pub(crate) mod money;
pub(crate) mod mutations;
pub(crate) mod orders;
pub(crate) mod resources;

use plugin_sdk::Refusal;
use plugin_sdk::connector;
use plugin_sdk::connector::CallContext;
use plugin_sdk::connector::Capabilities;
use plugin_sdk::connector::Mutation;
use plugin_sdk::connector::Outcome;
use plugin_sdk::connector::Query;
use plugin_sdk::connector::QueryAnswer;
use plugin_sdk::connector::QueryFailure;
use plugin_sdk::connector::ReceivedResponse;
use plugin_sdk::connector::UnsignedRequest;

use crate::Huawei;

impl connector::Guest for Huawei {
    fn describe_connector() -> Capabilities {
        capabilities::capabilities()
    }

    fn encode_query(context: CallContext, query: Query) -> Result<UnsignedRequest, Refusal> {
        encode_query(&context, &query)
    }

    fn decode_query(
        _context: CallContext,
        query: Query,
        response: ReceivedResponse,
    ) -> Result<QueryAnswer, QueryFailure> {
        decode_query(&query, &response)
    }

    fn encode_mutation(context: CallContext, mutation: Mutation) -> Result<UnsignedRequest, Refusal> {
        mutations::encode(&context, &mutation)
    }

    fn decode_mutation(
        _context: CallContext,
        mutation: Mutation,
        response: ReceivedResponse,
    ) -> Vec<Outcome> {
        mutations::decode(&mutation, &response)
    }
}

/// The request that asks a query.
pub fn encode_query(context: &CallContext, query: &Query) -> Result<UnsignedRequest, Refusal> {
    match query {
        Query::List(list) => resources::list(context, list),
        Query::Find(find) => resources::find(context, find),
        Query::Changes(asked) => changes::request(context, asked),
        Query::Orders(asked) => orders::list(context, asked),
        Query::Quote(asked) => money::quote(context, asked),
        Query::Balance => Ok(money::balance(context)),
    }
}

/// What a response says to a query.
pub fn decode_query(query: &Query, response: &ReceivedResponse) -> Result<QueryAnswer, QueryFailure> {
    codes::check(response)?;
    match query {
        Query::List(list) => resources::page(list.cursor.as_deref(), response).map(QueryAnswer::Resources),
        Query::Find(find) => resources::page(find.cursor.as_deref(), response).map(QueryAnswer::Resources),
        Query::Changes(asked) => changes::page(asked, response).map(QueryAnswer::Resources),
        Query::Orders(asked) => orders::page(asked, response).map(QueryAnswer::Orders),
        Query::Quote(_) => money::quotes(response).map(QueryAnswer::Quotes),
        Query::Balance => money::balances(response).map(QueryAnswer::Balance),
    }
}
