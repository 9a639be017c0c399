//! Unsubscribes from resources, and names the refunds.
//!
//! Source: Unsubscribing from Yearly/Monthly Resources (api_order_00019) and its (Old) page (zh-cn_topic_0082522030).
//! A later request shows the records of a refund by its name (`refund.rs`), and the plugin has no memory: so the name
//! contains the instant of the refund, and a digest of the resource's id and of the refund's number at that instant.

use plugin_sdk::Command;
use plugin_sdk::Scope;
use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::Atomicity;
use plugin_sdk::provider_api::OrderFilter;
use plugin_sdk::provider_api::OrderView;
use plugin_sdk::provider_api::ResourceFilter;
use plugin_sdk::provider_api::body::at_most;
use plugin_sdk::provider_api::filter;
use plugin_sdk::provider_api::mutation::MutationResult;
use plugin_sdk::provider_api::request::hexadecimal;
use serde::Deserialize;
use sha2::Digest;
use sha2::Sha256;

use crate::provider_api::Call;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::Stop;
use crate::provider_api::body;
use crate::provider_api::json::Json;
use crate::provider_api::listing::ResourcesById;
use crate::provider_api::listing::above;
use crate::provider_api::listing::is_live;
use crate::provider_api::mutations;
use crate::provider_api::problem::Dialect;
use crate::provider_api::problem::Problem;

/// The most resources of one request.
const IDS_MAX: usize = 10;

/// The prefix of a refund's name, and the numbers of digits of its instant and of its digest.
const PREFIX: &str = "CS";
const SECONDS_DIGITS: usize = 11;
const DIGEST_DIGITS: usize = 16;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(alias = "resourceIds", deserialize_with = "at_most::<_, _, IDS_MAX>")]
    resource_ids: Option<Vec<String>>,
    #[serde(alias = "unSubType")]
    unsubscribe_type: Option<i64>,
    #[serde(alias = "unsubscribeReasonType")]
    unsubscribe_reason_type: Option<i64>,
}

/// Unsubscribes from the resources that the request names, all of them or none.
pub fn unsubscribe(call: &Call, replay: &mut Replay) -> OperationResult {
    let body = body::read::<Body>(call.request)?;
    let named = body::ids("resource_ids", body.resource_ids)?;
    let scope = match body.unsubscribe_type {
        Some(1) => Scope::Everything,
        Some(2) => Scope::FuturePeriods,
        Some(_) | None => {
            return Err(Problem::parameter("unsubscribe_type is neither 1 nor 2.").into());
        }
    };
    body::within("unsubscribe_reason_type", body.unsubscribe_reason_type, 5, 1, 5)?;
    let resources = without_attached(replay, named)?;
    let command = Command::Unsubscribe(scope);
    let results = replay.execute(mutations::commands(&resources, &command, Atomicity::AllOrNothing))?;
    mutations::check(call.route.dialect, &resources, &results)?;
    let names = names(call, replay, &resources, &results)?;
    let mut fields = vec![("order_ids", mutations::texts(names.iter().map(String::as_str)))];
    if call.route.dialect == Dialect::Present {
        fields.push(("fail_resource_infos", Json::List(Vec::new())));
    }
    call.answered(fields)
}

/// The named resources without those attached to another named one, which are unsubscribed together with it.
fn without_attached(replay: &mut Replay, named: Vec<String>) -> Result<Vec<String>, Stop> {
    if named.len() == 1 {
        return Ok(named);
    }
    let selection = ResourceFilter { with_attached: true, ..filter::by_ids(named.clone()) };
    let listing = replay.resources(selection)?;
    let known = listing.resources.iter().map(|one| (one.id.as_str(), one)).collect::<ResourcesById>();
    let goes_along = |id: &str| {
        let subject = known.get(id).copied();
        let above = subject.into_iter().flat_map(|subject| above(&known, subject));
        above.filter(|above| is_live(above)).any(|above| named.contains(&above.id))
    };
    Ok(named.iter().filter(|id| !goes_along(id)).cloned().collect())
}

/// The name of each resource's refund. For a plan that needs approval, it is the id of the approval.
fn names(
    call: &Call,
    replay: &mut Replay,
    resources: &[String],
    results: &[MutationResult],
) -> Result<Vec<String>, Stop> {
    let refunded = results.iter().flat_map(MutationResult::orders).cloned().collect::<Vec<_>>();
    let orders = match refunded.is_empty() {
        true => &[],
        false => replay.orders(OrderFilter { ids: refunded, ..filter::paid_orders() })?,
    };
    let name = |(resource, result): (&String, &MutationResult)| match *result {
        MutationResult::Applied(receipt) => Some(refund_name(call, orders, &receipt.orders, resource)),
        MutationResult::Pending(id) => Some(id.to_owned()),
        MutationResult::Refused(_) | MutationResult::Aborted => None,
    };
    Ok(resources.iter().zip(results).filter_map(name).collect())
}

/// The name of the latest refund of these orders; where none is refunded, that of the first one at the instant of the call.
fn refund_name(call: &Call, orders: &[OrderView], of: &[String], resource: &str) -> String {
    let refunds = orders.iter().filter(|order| of.contains(&order.id)).filter_map(|order| order.refund);
    let latest = refunds.map(|refund| (refund.at, refund.number)).max();
    let (at, number) = latest.unwrap_or((call.at, 1));
    name(at, number, resource)
}

/// The name of the refund of a resource with this number at an instant: 29 letters and digits.
pub fn name(at: Timestamp, number: u32, resource: &str) -> String {
    format!("{PREFIX}{:0SECONDS_DIGITS$}{}", at.clamp(0, 99_999_999_999), digest(resource, number))
}

/// The instant and the digest in the name of a refund; `None` for any other text.
pub fn named(name: &str) -> Option<(Timestamp, &str)> {
    let rest = name.strip_prefix(PREFIX).filter(|rest| rest.len() == SECONDS_DIGITS + DIGEST_DIGITS)?;
    let (seconds, digest) = rest.split_at_checked(SECONDS_DIGITS)?;
    let is_digest = digest.bytes().all(|digit| digit.is_ascii_digit() || (b'A'..=b'F').contains(&digit));
    let is_number = seconds.bytes().all(|digit| digit.is_ascii_digit());
    if is_digest && is_number { Some((seconds.parse().ok()?, digest)) } else { None }
}

/// The digest of a resource's id and of the number of a refund. The first one's is that of the id alone.
pub fn digest(resource: &str, number: u32) -> String {
    let digest = match number {
        0 | 1 => Sha256::digest(resource),
        number => Sha256::digest(format!("{resource}\n{number}")),
    };
    hexadecimal(&digest[..DIGEST_DIGITS / 2]).to_uppercase()
}
