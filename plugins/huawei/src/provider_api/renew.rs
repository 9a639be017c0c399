//! Renews one to ten main resources by hand, all of them or none.
//!
//! Source: Renewing Subscriptions to Yearly/Monthly Resources (api_order_00018) and its (Old) page
//! (zh-cn_topic_0082522029).

use plugin_sdk::Command;
use plugin_sdk::Refusal;
use plugin_sdk::Renewal;
use plugin_sdk::Stage;
use plugin_sdk::provider_api::Atomicity;
use plugin_sdk::provider_api::body::at_most;
use plugin_sdk::provider_api::filter;
use plugin_sdk::provider_api::mutation::MutationResult;
use serde::Deserialize;

use crate::payment::IS_AUTO_PAY;
use crate::provider_api::Call;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::Stop;
use crate::provider_api::body;
use crate::provider_api::json::Json;
use crate::provider_api::mutations;
use crate::provider_api::problem::Dialect;
use crate::provider_api::problem::Problem;
use crate::refusals::DELETED;
use crate::refusals::GONE;
use crate::refusals::UNKNOWN;

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
    if let Some((resource, refusal)) = mutations::first_refused(&resources, &results) {
        return Err(refused(call, replay, resource, refusal)?.into());
    }
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

/// The problem of a refusal. The present API has one code for a resource that expired, was unsubscribed from or never
/// was; the old one tells them apart, and names one that expired in a field of its own.
fn refused(call: &Call, replay: &mut Replay, resource: &str, refusal: &Refusal) -> Result<Problem, Stop> {
    let dialect = call.route.dialect;
    if dialect == Dialect::Present || refusal.code != DELETED.code {
        return Ok(Problem::refused(dialect, resource, refusal));
    }
    let found = replay.resources(filter::by_ids(vec![resource.to_owned()]))?;
    Ok(match found.resources.first().map(|one| one.stage) {
        None => Problem::refused(dialect, resource, &UNKNOWN.refusal()),
        Some(Stage::Unsubscribed) => Problem::refused(dialect, resource, &GONE.refusal()),
        Some(Stage::Active | Stage::Grace | Stage::Retention | Stage::Released | Stage::Converted) => {
            Problem::refused(dialect, resource, refusal)
                .with("expiredResourceIds", mutations::texts([resource]))
        }
    })
}
