//! The transactions of the operations that change something, and the responses to their results.

use plugin_sdk::Command;
use plugin_sdk::Refusal;
use plugin_sdk::provider_api::Atomicity;
use plugin_sdk::provider_api::Mutation;
use plugin_sdk::provider_api::Transaction;
use plugin_sdk::provider_api::mutation;
use plugin_sdk::provider_api::mutation::MutationResult;

use crate::provider_api::json::Json;
use crate::provider_api::problem::Dialect;
use crate::provider_api::problem::Problem;

/// A transaction that rejects replays.
pub fn transaction(mutations: Vec<Mutation>, atomicity: Atomicity) -> Transaction {
    Transaction { mutations, atomicity, reject_replay: true, omit_orders: false }
}

/// A transaction with the same command on each of these resources.
pub fn commands(resources: &[String], command: &Command, atomicity: Atomicity) -> Transaction {
    let mutation = |resource: &String| mutation::command(resource, command.clone());
    transaction(resources.iter().map(mutation).collect(), atomicity)
}

/// The first mutation that was refused itself: its resource, and the refusal.
pub(crate) fn first_refused<'a>(
    resources: &'a [String],
    results: &[MutationResult<'a>],
) -> Option<(&'a str, &'a Refusal)> {
    let (index, refusal) = mutation::first_refusal(results)?;
    Some((resources.get(index)?, refusal))
}

/// Checks that no mutation was refused.
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

/// An item of a list of failures; `name` is the field with the resource's id.
pub fn failure(name: &'static str, resource: &str, code: &str, message: &str) -> Json {
    Json::Object(vec![
        (name, Json::from(resource)),
        ("error_code", Json::from(code)),
        ("error_msg", Json::from(message)),
    ])
}
