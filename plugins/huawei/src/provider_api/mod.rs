//! Huawei Cloud's own API, as its documents and official SDKs have it: requests become questions and commands of the
//! host, and what comes back becomes the provider's answers.
//!
//! Start with `routes.rs`, the table of paths; `replay.rs` says how an operation asks; each operation is a file of its
//! own. The rules themselves are not here: a renewal asked for in this way is decided on by `renewal.rs`, like any other.

pub mod answer;
pub mod auto_renewal;
pub mod balance;
pub mod body;
pub mod catalogue;
pub mod configuration;
pub mod conversion;
pub mod instant;
pub mod json;
pub mod listing;
pub mod mutations;
pub mod price;
pub mod problem;
pub mod query;
pub mod refund;
pub mod renew;
pub mod replay;
pub mod routes;
pub mod signature;
pub mod token;
pub mod types;
pub mod unsubscribe;

use plugin_sdk::provider_api::{Authentication, Context, Failure, Guest, NextStep, Request, Response};
use plugin_sdk::request::header;
use plugin_sdk::{Account, Timestamp};

use crate::Huawei;
use crate::provider_api::json::Json;
use crate::provider_api::problem::Dialect;
use crate::provider_api::problem::Problem;
use crate::provider_api::replay::OperationResult;
use crate::provider_api::replay::Replay;
use crate::provider_api::replay::Stop;
use crate::provider_api::routes::Operation;
use crate::provider_api::routes::Route;

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
    fn identify(at: Timestamp, request: Request) -> Result<Authentication, Response> {
        let authentication = match routes::find(&request.method, &request.path) {
            Ok(route) if route.operation == Operation::Token => token::authentication(at, &request),
            Ok(_) => signature::authentication(at, &request),
            Err(problem) => Err(problem),
        };
        authentication.map_err(|problem| problem.response(&request.id))
    }

    fn handle(context: Context) -> NextStep {
        match handled(&context) {
            Ok(response) => NextStep::Respond(response),
            Err(Stop::Ask(step)) => step,
            Err(Stop::Problem(problem)) => NextStep::Respond(problem.response(&context.request.id)),
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

fn handled(context: &Context) -> OperationResult {
    let route = routes::find(&context.request.method, &context.request.path)?;
    let call = Call { at: context.at, request: &context.request, account: &context.account, route: &route };
    call.check_domain()?;
    let replay = &mut Replay::new(&context.outcomes);
    match route.operation {
        Operation::Token => token::issue(&call, replay),
        Operation::Domains => catalogue::domains(&call),
        Operation::ServiceTypes => catalogue::service_types(&call),
        Operation::ResourceTypes => catalogue::resource_types(&call),
        Operation::Query => query::resources(&call, replay),
        Operation::Renew => renew::renew(&call, replay),
        Operation::Unsubscribe => unsubscribe::unsubscribe(&call, replay),
        Operation::SetAutoRenewal => auto_renewal::set(&call, replay),
        Operation::CancelAutoRenewal => auto_renewal::cancel(&call, replay),
        Operation::Convert => conversion::convert(&call, replay),
        Operation::Configure => configuration::configure(&call, replay),
        Operation::Price => price::price(&call, replay),
        Operation::Refund => refund::refund(&call, replay),
        Operation::Balance => balance::balance(&call, replay),
    }
}

impl Call<'_> {
    /// The answer with these fields; on the old API, after its code of success.
    pub fn answered(&self, fields: Vec<(&'static str, Json)>) -> OperationResult {
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
        Failure::UnknownAccessKey | Failure::WrongCredentials if asks_for_token => Problem::wrong_password(),
        Failure::UnknownAccessKey => Problem::unauthenticated("Get secretKey failed,err:ak not exist"),
        Failure::WrongCredentials => Problem::unauthenticated("verify aksk signature fail"),
        Failure::InvalidToken => Problem::unauthenticated("decrypt token fail"),
        Failure::Replayed => {
            Problem::unauthenticated("the signature was used before; sign each request anew, a second apart")
        }
        Failure::Malformed => Problem::unreadable("it is no request of HTTP that can be read"),
        Failure::TooLarge(bytes) => Problem::too_large(bytes),
        Failure::TimedOut => Problem::too_slow(),
        Failure::Busy(seconds) => Problem::throttled(seconds),
        Failure::Internal => Problem::internal(),
    }
}
