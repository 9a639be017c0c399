//! Sets or cancels the change to pay-per-use on expiry, for up to a hundred main resources, each independently.
//!
//! Source: Enabling/Canceling the Change from Yearly/Monthly to Pay-per-Use upon Expiration (api_order_00024).

use plugin_sdk::Command;
use plugin_sdk::provider_api::Atomicity;
use plugin_sdk::provider_api::body::at_most;
use plugin_sdk::provider_api::mutation::MutationResult;
use serde::Deserialize;

use crate::provider_api::Call;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::body;
use crate::provider_api::json::Json;
use crate::provider_api::mutations;
use crate::provider_api::problem::Problem;
use crate::provider_api::problem::known;

/// The most resources of one request.
const IDS_MAX: usize = 100;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    operation: Option<String>,
    #[serde(deserialize_with = "at_most::<_, _, IDS_MAX>")]
    resource_ids: Option<Vec<String>>,
}

/// Sets or cancels the change, and lists the resources for which it was refused. If it was refused for all of them, the
/// response carries the code of the first one.
pub fn convert(call: &Call, replay: &mut Replay) -> OperationResult {
    let body = body::read::<Body>(call.request)?;
    let command = match body.operation.as_deref() {
        Some("SET_UP") => Command::ConvertOnExpiry,
        Some("CANCEL") => Command::CancelConversion,
        Some(_) | None => {
            return Err(Problem::parameter("operation is neither SET_UP nor CANCEL.").into());
        }
    };
    let resources = body::ids("resource_ids", body.resource_ids)?;
    let results = replay.execute(mutations::commands(&resources, &command, Atomicity::Independent))?;
    let refused = |(resource, result): (&String, &MutationResult)| {
        let refusal = result.refusal()?;
        Some(mutations::failure("id", resource, known(&refusal.code), &refusal.message))
    };
    let details = resources.iter().zip(&results).filter_map(refused).collect::<Vec<_>>();
    match mutations::first_refused(&resources, &results) {
        Some((resource, refusal)) if details.len() == resources.len() => {
            let problem = Problem::refused(call.route.dialect, resource, refusal);
            Err(problem.with("error_details", Json::List(details)).into())
        }
        Some(_) | None => call.answered(vec![("error_details", Json::List(details))]),
    }
}
