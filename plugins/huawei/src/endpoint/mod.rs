//! Huawei Cloud's own API, as its documents and official SDKs have it: requests become questions and commands of the
//! host, and what comes back becomes the provider's answers.
//!
//! Start with `routes.rs`, the table of paths; `conversation.rs` says how an operation asks; each operation is a file of its
//! own. The rules themselves are not here: a renewal asked for in this way is decided on by `renewal.rs`, like any other.

pub mod answer;
pub mod auto_renewal;
pub mod balance;
pub mod body;
pub mod catalogue;
pub mod configuration;
pub mod conversation;
pub mod conversion;
pub mod deeds;
pub mod instant;
pub mod json;
pub mod listing;
pub mod price;
pub mod problem;
pub mod query;
pub mod refund;
pub mod renew;
pub mod routes;
pub mod signature;
pub mod token;
pub mod types;
pub mod unsubscribe;

use plugin_sdk::endpoint::{Claim, Failure, Guest, Request, Response, Step, Turn};
use plugin_sdk::request::header;
use plugin_sdk::{Account, Timestamp};

use crate::Huawei;
use crate::endpoint::conversation::Conversation;
use crate::endpoint::conversation::Ran;
use crate::endpoint::conversation::Stop;
use crate::endpoint::json::Json;
use crate::endpoint::problem::Dialect;
use crate::endpoint::problem::Problem;
use crate::endpoint::routes::Operation;
use crate::endpoint::routes::Route;

/// A request of an account, and what it asks for.
#[derive(Debug)]
pub struct Call<'a> {
    /// Now.
    pub at: Timestamp,
    /// The request.
    pub request: &'a Request,
    /// Who sent it.
    pub account: &'a Account,
    /// What it asks for.
    pub route: &'a Route,
}

impl Guest for Huawei {
    fn identify(at: Timestamp, request: Request) -> Result<Claim, Response> {
        let claim = match routes::find(&request.method, &request.path) {
            Ok(route) if route.operation == Operation::Token => token::claim(at, &request),
            Ok(_) => signature::claim(at, &request),
            Err(problem) => Err(problem),
        };
        claim.map_err(|problem| problem.response(&request.id))
    }

    fn handle(turn: Turn) -> Step {
        match handled(&turn) {
            Ok(response) => Step::Answer(response),
            Err(Stop::Ask(step)) => step,
            Err(Stop::Problem(problem)) => Step::Answer(problem.response(&turn.request.id)),
        }
    }

    fn fail(_at: Timestamp, request: Request, failure: Failure) -> Response {
        let asks_for_token = routes::find(&request.method, &request.path)
            .is_ok_and(|route| route.operation == Operation::Token);
        let problem = failed(failure, asks_for_token);
        let problem = if asks_for_token { problem.for_iam() } else { problem };
        problem.response(&request.id)
    }
}

fn handled(turn: &Turn) -> Ran {
    let route = routes::find(&turn.request.method, &turn.request.path)?;
    let call = Call { at: turn.at, request: &turn.request, account: &turn.account, route: &route };
    call.check_domain()?;
    let conversation = &mut Conversation::new(&turn.outcomes);
    match route.operation {
        Operation::Token => token::issue(&call, conversation),
        Operation::Domains => catalogue::domains(&call),
        Operation::ServiceTypes => catalogue::service_types(&call),
        Operation::ResourceTypes => catalogue::resource_types(&call),
        Operation::Query => query::resources(&call, conversation),
        Operation::Renew => renew::renew(&call, conversation),
        Operation::Unsubscribe => unsubscribe::unsubscribe(&call, conversation),
        Operation::SetAutoRenewal => auto_renewal::set(&call, conversation),
        Operation::CancelAutoRenewal => auto_renewal::cancel(&call, conversation),
        Operation::Convert => conversion::convert(&call, conversation),
        Operation::Configure => configuration::configure(&call, conversation),
        Operation::Price => price::price(&call, conversation),
        Operation::Refund => refund::refund(&call, conversation),
        Operation::Balance => balance::balance(&call, conversation),
    }
}

impl Call<'_> {
    /// The answer with these fields; on the old API, after its code of success.
    pub fn answered(&self, fields: Vec<(&'static str, Json)>) -> Ran {
        let fields = match self.route.dialect {
            Dialect::Present => fields,
            Dialect::Old => answer::success().into_iter().chain(fields).collect(),
        };
        Ok(answer::answer(&self.request.id, 200, &Json::Object(fields)))
    }

    /// The resource in the path.
    pub fn resource(&self) -> Result<&str, Problem> {
        body::id("resource_id", self.route.resource.as_deref().unwrap_or_default())
    }

    /// That the account named is the caller's own: partners, who name their customers, are not served here.
    pub fn check_account(&self, name: &str, account: Option<&str>) -> Result<(), Problem> {
        match account {
            Some(id) if !id.is_empty() && id != self.account.id => {
                Err(Problem::denied(format!("Access denied: {name} is not the account of the caller.")))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_domain(&self) -> Result<(), Problem> {
        self.check_account("domain_id", self.route.domain.as_deref())?;
        self.check_account("X-Domain-Id", header(self.request, "x-domain-id").map(str::trim))
    }
}

/// What is said when the host does not ask, or does not go on.
fn failed(failure: Failure, asks_for_token: bool) -> Problem {
    match failure {
        Failure::UnknownKey | Failure::WrongProof if asks_for_token => Problem::wrong_password(),
        Failure::UnknownKey => Problem::unauthenticated("Get secretKey failed,err:ak not exist"),
        Failure::WrongProof => Problem::unauthenticated("verify aksk signature fail"),
        Failure::UnknownToken => Problem::unauthenticated("decrypt token fail"),
        Failure::Repeated => {
            Problem::unauthenticated("the signature was used before; sign each request anew, a second apart")
        }
        Failure::Malformed => Problem::unreadable("it is no request of HTTP that can be read"),
        Failure::TooLarge(bytes) => Problem::too_large(bytes),
        Failure::TooSlow => Problem::too_slow(),
        Failure::Busy(seconds) => Problem::throttled(seconds),
        Failure::Internal => Problem::internal(),
    }
}
