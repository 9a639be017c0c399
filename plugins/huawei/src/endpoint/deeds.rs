//! Commands of the host, and what became of them, for every operation that changes something.

use plugin_sdk::endpoint::{Deed, Instruction, Outcome};
use plugin_sdk::{Command, Refusal};

use crate::endpoint::json::Json;
use crate::endpoint::problem::Dialect;
use crate::endpoint::problem::Problem;

/// The deeds that carry out the same command on each of these resources.
pub fn commands(resources: &[String], command: &Command) -> Vec<Deed> {
    let deed = |resource: &String| {
        Deed::Command(Instruction { resource: resource.clone(), command: command.clone() })
    };
    resources.iter().map(deed).collect()
}

/// The first deed that was refused, with its resource.
pub fn first_refused<'a>(resources: &'a [String], outcomes: &'a [Outcome]) -> Option<(&'a str, &'a Refusal)> {
    let refused = |(resource, outcome): (&'a String, &'a Outcome)| match outcome {
        Outcome::Refused(refusal) => Some((resource.as_str(), refusal)),
        _ => None,
    };
    resources.iter().zip(outcomes).find_map(refused)
}

/// The orders that the deeds led to, or what stood in their way. A plan that somebody has to approve first is an order
/// too, one that waits for approval, and the host's name for it is its id.
pub fn orders<'a>(
    dialect: Dialect,
    resources: &[String],
    outcomes: &'a [Outcome],
) -> Result<Vec<&'a str>, Problem> {
    if let Some((resource, refusal)) = first_refused(resources, outcomes) {
        return Err(Problem::refused(dialect, resource, refusal));
    }
    let mut orders = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Done(done) => orders.extend(done.orders.iter().map(String::as_str)),
            Outcome::Held(id) => orders.push(id),
            _ => return Err(Problem::internal()),
        }
    }
    Ok(orders)
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
