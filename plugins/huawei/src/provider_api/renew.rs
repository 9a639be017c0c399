//! Renews one to ten main resources by hand, all of them or none.
//!
//! Source: Renewing Subscriptions to Yearly/Monthly Resources (api_order_00018) and its (Old) page
//! (zh-cn_topic_0082522029).

use plugin_sdk::Command;
use plugin_sdk::Renewal;
use plugin_sdk::provider_api::Atomicity;
use plugin_sdk::provider_api::body::at_most;
use plugin_sdk::provider_api::mutation::MutationResult;
use serde::Deserialize;

use crate::payment::IS_AUTO_PAY;
use crate::provider_api::Call;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::body;
use crate::provider_api::json::Json;
use crate::provider_api::mutations;
use crate::provider_api::problem::Dialect;
use crate::provider_api::problem::Problem;
use crate::refusals::DELETED;

/// The most resources of one request.
const IDS_MAX: usize = 10;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(deserialize_with = "at_most::<_, _, IDS_MAX>")]
    resource_ids: Option<Vec<String>>,
    period_type: Option<i64>,
    period_num: Option<i64>,
    is_auto_pay: Option<i64>,
    /// The same field on the old API.
    #[serde(rename = "isAutoPay")]
    old_is_auto_pay: Option<i64>,
}

/// Renews the resources that the request names. The fields for the action on expiry (`expire_policy`, `expire_mode`)
/// are ignored, as the present documents have it.
pub fn renew(call: &Call, replay: &mut Replay) -> OperationResult {
    let body = body::read::<Body>(call.request)?;
    let resources = body::ids("resource_ids", body.resource_ids)?;
    let term = body::term(body.period_type, body.period_num)?;
    let (name, is_auto_pay) = match call.route.dialect {
        Dialect::Present => ("is_auto_pay", body.is_auto_pay),
        Dialect::Old => ("isAutoPay", body.old_is_auto_pay),
    };
    // The API's own default is an order that waits to be paid.
    let is_auto_pay = body::within(name, is_auto_pay, 0, 0, 1)?;
    let options = vec![(IS_AUTO_PAY.to_owned(), is_auto_pay.to_string())];
    let command = Command::Renew(Renewal { term: Some(term), automatic: false, options });
    let results = replay.execute(mutations::commands(&resources, &command, Atomicity::AllOrNothing))?;
    mutations::check(call.route.dialect, &resources, &results)
        .map_err(|problem| with_expired(call, &resources, &results, problem))?;
    let mut fields = vec![("order_ids", mutations::texts(results.iter().flat_map(orders)))];
    if call.route.dialect == Dialect::Present {
        fields.push(("fail_resource_infos", Json::List(Vec::new())));
    }
    call.answered(fields)
}

/// The orders of a renewal. For a plan that needs approval, the id of the approval stands for the order.
fn orders<'a>(result: &MutationResult<'a>) -> Vec<&'a str> {
    match result {
        MutationResult::Applied(receipt) => receipt.orders.iter().map(String::as_str).collect(),
        MutationResult::Pending(id) => vec![id],
        MutationResult::Refused(_) | MutationResult::Aborted => Vec::new(),
    }
}

/// The same problem; on the old API, the code of an expired resource comes with the resource's id.
fn with_expired(call: &Call, resources: &[String], results: &[MutationResult], problem: Problem) -> Problem {
    match mutations::first_refused(resources, results) {
        Some((resource, refusal)) if call.route.dialect == Dialect::Old && refusal.code == DELETED.code => {
            problem.with("expiredResourceIds", mutations::texts([resource]))
        }
        Some(_) | None => problem,
    }
}
