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

use crate::provider_api::Call;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::body;
use crate::provider_api::json::Json;
use crate::provider_api::mutations;
use crate::provider_api::problem::Dialect;
use crate::provider_api::problem::Problem;
use crate::refusals::DELETED;
use crate::settings::Settings;
use crate::settings::UnpaidOrders;

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
    may_be_paid(call, name, is_auto_pay)?;
    let command = Command::Renew(Renewal { term: Some(term), automatic: false, options: Vec::new() });
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

/// Checks that the order is to be paid at once, or that the account's settings allow to pay it at once: this host has
/// no unpaid orders.
fn may_be_paid(call: &Call, name: &str, is_auto_pay: Option<i64>) -> Result<(), Problem> {
    let pays = body::within(name, is_auto_pay, 0, 0, 1)? == 1;
    match Settings::of(&call.account.settings).unpaid_orders {
        UnpaidOrders::Refuse if !pays => Err(Problem::parameter(format!(
            "{name} is not 1, and orders that wait to be paid are not kept here; send 1 to pay at once, \
             or let the operator set unpaid_orders to pay."
        ))),
        UnpaidOrders::Refuse | UnpaidOrders::Pay => Ok(()),
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
