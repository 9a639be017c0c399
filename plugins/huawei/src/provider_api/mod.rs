//! Huawei Cloud's own API, as its documents and official SDKs have it.
//!
//! Turns requests into queries and mutations of the host, and their outcomes into responses. Start with `routes.rs`,
//! the table of paths; each operation is a file of its own, and runs on the replay of `plugin_sdk::provider_api`. The
//! rules are not here: `renewal.rs` decides a renewal that this API requests, like every other renewal.

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
pub mod orders;
pub mod price;
pub mod problem;
pub mod query;
pub mod refund;
pub mod renew;
pub mod response;
pub mod routes;
pub mod signature;
pub mod token;
pub mod types;
pub mod unsubscribe;

use plugin_sdk::Account;
use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::Authentication;
use plugin_sdk::provider_api::Context;
use plugin_sdk::provider_api::Failure;
use plugin_sdk::provider_api::Guest;
use plugin_sdk::provider_api::NextStep;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::Response;
use plugin_sdk::provider_api::replay;
use plugin_sdk::provider_api::request::header;

use crate::Huawei;
use crate::provider_api::json::Json;
use crate::provider_api::problem::Dialect;
use crate::provider_api::problem::Problem;
use crate::provider_api::routes::Operation;
use crate::provider_api::routes::Route;

/// The most characters of the `domain_id` in a path of the old API: Enabling Automatic Subscription Renewal (Old).
const DOMAIN_MAX: usize = 64;

/// The outcomes of a request, for an operation that fails with a [`Problem`].
pub type Replay<'a> = replay::Replay<'a, Problem>;

/// Why an operation stops before its end.
pub type Stop = replay::Stop<Problem>;

/// The response of an operation, or why it stopped before.
pub type OperationResult = replay::OperationResult<Problem>;

/// A request of an account, with its route.
#[derive(Debug)]
pub struct Call<'a> {
    /// The present instant.
    pub at: Timestamp,
    /// The request as the client sent it.
    pub request: &'a Request,
    /// The account that the credentials belong to.
    pub account: &'a Account,
    /// The operation, and the parameters in the path.
    pub route: &'a Route,
}

impl Guest for Huawei {
    fn identify(at: Timestamp, request: Request) -> Result<Authentication, Response> {
        let authentication = match routes::find(&request.method, &request.path) {
            Ok(route) if route.operation == Operation::Token => token::authentication(at, &request),
            Ok(_) => signature::authentication(at, &request),
            Err(problem) => Err(problem),
        };
        authentication.map_err(|problem| response::in_dialect(&request, problem.response(&request.id)))
    }

    fn handle(context: Context) -> NextStep {
        let step = replay::run(&context.outcomes, |replay| operate(&context, replay));
        match step {
            Ok(NextStep::Respond(answer)) => {
                NextStep::Respond(response::in_dialect(&context.request, answer))
            }
            Ok(step @ (NextStep::Query(_) | NextStep::Execute(_))) => step,
            Err(problem) => {
                let answer = problem.response(&context.request.id);
                NextStep::Respond(response::in_dialect(&context.request, answer))
            }
        }
    }

    fn fail(_at: Timestamp, request: Request, failure: Failure) -> Response {
        let asks_for_token = routes::find(&request.method, &request.path)
            .is_ok_and(|route| route.operation == Operation::Token);
        let problem = of_failure(failure, asks_for_token);
        let problem = if asks_for_token { problem.for_iam() } else { problem };
        response::in_dialect(&request, problem.response(&request.id))
    }
}

fn operate(context: &Context, replay: &mut Replay) -> OperationResult {
    let route = routes::find(&context.request.method, &context.request.path)?;
    let call = Call { at: context.at, request: &context.request, account: &context.account, route: &route };
    call.check_domain()?;
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
        Operation::Orders => orders::list(&call, replay),
        Operation::OrderDetails => orders::details(&call, replay),
        Operation::PayOrder => orders::pay(&call, replay),
        Operation::CancelOrder => orders::cancel(&call, replay),
        Operation::Balance => balance::balance(&call, replay),
    }
}

impl Call<'_> {
    /// The response of success with these fields; on the old API, its code of success comes first.
    pub fn answered(&self, fields: Vec<(&'static str, Json)>) -> OperationResult {
        let fields = match self.route.dialect {
            Dialect::Present => fields,
            Dialect::Old => response::success().into_iter().chain(fields).collect(),
        };
        Ok(response::json(&self.request.id, 200, &Json::Object(fields)))
    }

    /// The resource in the path.
    pub fn resource(&self) -> Result<&str, Problem> {
        body::id("resource_id", self.route.resource.as_deref().unwrap_or_default())
    }

    /// Checks that the account named is the caller's own: this host does not serve partners, who name their customers.
    pub(crate) fn check_account(&self, name: &str, account: Option<&str>) -> Result<(), Problem> {
        match account {
            Some(id) if !id.is_empty() && id != self.account.id => {
                Err(Problem::denied(format!("Access denied: {name} is not the account of the caller.")))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_domain(&self) -> Result<(), Problem> {
        if self.route.domain.as_ref().is_some_and(|domain| domain.chars().count() > DOMAIN_MAX) {
            return Err(Problem::parameter(format!("domain_id has more than {DOMAIN_MAX} characters.")));
        }
        self.check_account("domain_id", self.route.domain.as_deref())?;
        self.check_account("X-Domain-Id", header(self.request, "x-domain-id").map(str::trim))
    }
}

/// The problem to respond with when the host cannot call `handle`, or cannot continue.
fn of_failure(failure: Failure, asks_for_token: bool) -> Problem {
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
