//! Commands of the host, and what became of them, for every operation that changes something.

use plugin_sdk::provider_api::{CommandRequest, Mutation, Outcome};
use plugin_sdk::{Command, Refusal};

use crate::provider_api::json::Json;
use crate::provider_api::problem::Dialect;
use crate::provider_api::problem::Problem;

/// The result of a mutation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MutationResult<'a> {
    /// It was applied, and led to these orders.
    Applied(&'a [String]),
    /// Somebody has to approve it first: an order that waits for approval, under the host's name for it.
    Pending(&'a str),
    /// The rules say no.
    Refused(&'a Refusal),
    /// Another one was refused, and all of them with it.
    Aborted,
}

/// The mutations that carry out the same command on each of these resources.
pub fn commands(resources: &[String], command: &Command) -> Vec<Mutation> {
    let mutation = |resource: &String| {
        Mutation::Command(CommandRequest { resource: resource.clone(), command: command.clone() })
    };
    resources.iter().map(mutation).collect()
}

/// What became of each mutation.
pub fn results(outcomes: &[Outcome]) -> Result<Vec<MutationResult<'_>>, Problem> {
    outcomes.iter().map(result).collect()
}

fn result(outcome: &Outcome) -> Result<MutationResult<'_>, Problem> {
    match outcome {
        Outcome::Applied(done) => Ok(MutationResult::Applied(&done.orders)),
        Outcome::Pending(id) => Ok(MutationResult::Pending(id)),
        Outcome::Refused(refusal) => Ok(MutationResult::Refused(refusal)),
        Outcome::Aborted => Ok(MutationResult::Aborted),
        Outcome::Resources(_)
        | Outcome::Orders(_)
        | Outcome::Balance(_)
        | Outcome::Proposal(_)
        | Outcome::Token(_) => Err(Problem::internal()),
    }
}

/// The first mutation that was refused, with its resource.
pub fn first_refused<'a>(
    resources: &'a [String],
    results: &[MutationResult<'a>],
) -> Option<(&'a str, &'a Refusal)> {
    resources.iter().zip(results).find_map(|(resource, result)| match result {
        MutationResult::Refused(refusal) => Some((resource.as_str(), *refusal)),
        MutationResult::Applied(_) | MutationResult::Pending(_) | MutationResult::Aborted => None,
    })
}

/// That none was refused.
pub fn check(dialect: Dialect, resources: &[String], results: &[MutationResult]) -> Result<(), Problem> {
    match first_refused(resources, results) {
        Some((resource, refusal)) => Err(Problem::refused(dialect, resource, refusal)),
        None => Ok(()),
    }
}

/// A list of texts.
pub fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Json {
    Json::List(texts.into_iter().map(Json::from).collect())
}

/// A resource of which something was refused, as lists of failures have it; `name` is what they call its id.
pub fn failure(name: &'static str, resource: &str, code: &str, message: &str) -> Json {
    Json::Object(vec![
        (name, Json::from(resource)),
        ("error_code", Json::from(code)),
        ("error_msg", Json::from(message)),
    ])
}
