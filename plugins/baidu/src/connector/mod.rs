//! Baidu AI Cloud's own API as a client calls it: instances, disks, addresses and the balance.
//!
//! Turns questions of the host into requests, and responses into answers. Start with `capabilities.rs`, the table of what is
//! sent; `codes.rs` says what each code proves. The canonical form is that of `provider_api`, which answers the same API.
//!
//! Sources: the documents that `provider_api/routes.rs` names, and the models of `baiducloud-python-sdk-bcc` 0.0.9 and
//! `-eip` 0.0.11.

mod balance;
mod call;
mod capabilities;
mod codes;
mod mutations;
mod resources;

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
use plugin_sdk::connector::response;

use crate::Baidu;
use crate::refusals::Code;

impl connector::Guest for Baidu {
    fn describe_connector() -> Capabilities {
        capabilities::capabilities()
    }

    fn encode_query(context: CallContext, query: Query) -> Result<UnsignedRequest, Refusal> {
        match &query {
            Query::List(list) => resources::list(&context, list),
            Query::Find(find) => resources::find(&context, find),
            Query::Balance => Ok(balance::request(&context)),
            // No list of this API is narrowed by an expiry or by what was ordered.
            Query::Changes(_) | Query::Orders(_) | Query::Quote(_) => {
                Err(Code::BadRequest.because("this API has no such question"))
            }
        }
    }

    fn decode_query(
        context: CallContext,
        query: Query,
        response: ReceivedResponse,
    ) -> Result<QueryAnswer, QueryFailure> {
        match &query {
            Query::List(list) => resources::page(&context, list, &response).map(QueryAnswer::Resources),
            Query::Find(find) => resources::found(&context, find, &response).map(QueryAnswer::Resources),
            Query::Balance => balance::balance(&response).map(QueryAnswer::Balance),
            Query::Changes(_) | Query::Orders(_) | Query::Quote(_) => {
                Err(response::unreadable("no such question was asked", &response))
            }
        }
    }

    fn encode_mutation(context: CallContext, mutation: Mutation) -> Result<UnsignedRequest, Refusal> {
        mutations::encode(&context, &mutation)
    }

    fn decode_mutation(_: CallContext, mutation: Mutation, response: ReceivedResponse) -> Vec<Outcome> {
        vec![mutations::decode(&mutation, &response); mutation.targets.len()]
    }
}
