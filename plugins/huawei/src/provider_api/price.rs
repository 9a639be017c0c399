//! The price of a renewal.
//!
//! Source: Querying the Renewal Amount of Yearly/Monthly Resources (renew-rate). It is the price of a
//! dry run: nothing is written.

use plugin_sdk::Command;
use plugin_sdk::Micros;
use plugin_sdk::Refusal;
use plugin_sdk::Renewal;
use plugin_sdk::provider_api::CommandRequest;
use plugin_sdk::provider_api::Proposal;
use plugin_sdk::provider_api::amount::decimal;
use plugin_sdk::provider_api::body::at_most;
use serde::Deserialize;

use crate::provider_api::Call;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::body;
use crate::provider_api::json::Json;
use crate::provider_api::mutations;
use crate::provider_api::problem::Problem;
use crate::provider_api::problem::known;
use crate::refusals::DELETED;
use crate::refusals::GONE;
use crate::refusals::NOT_PRIMARY;
use crate::refusals::NOT_RENEWABLE;
use crate::refusals::PROCESSING_ORDER;
use crate::refusals::TERM_NOT_SOLD;
use crate::refusals::UNKNOWN;
use crate::refusals::UNPAID_ORDER;

/// The most resources of one request.
const IDS_MAX: usize = 10;

/// The codes of refused renewals, each with the code that this query has for it.
pub const CODES: [(&str, &str); 8] = [
    (NOT_PRIMARY.code, "CBC.30050007"),
    (TERM_NOT_SOLD.code, "CBC.30050008"),
    (DELETED.code, "CBC.30050009"),
    (UNKNOWN.code, "CBC.30050009"),
    (UNPAID_ORDER.code, "CBC.30050010"),
    (GONE.code, "CBC.30050011"),
    (PROCESSING_ORDER.code, "CBC.30050011"),
    (NOT_RENEWABLE.code, "CBC.30050013"),
];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(deserialize_with = "at_most::<_, _, IDS_MAX>")]
    resource_ids: Option<Vec<String>>,
    period_type: Option<i64>,
    period_num: Option<i64>,
    /// Accepted without effect: attached resources are always renewed too, and nothing else is related.
    #[serde(rename = "include_relative_resources")]
    _include_relative_resources: Option<bool>,
}

/// The price for each resource that the request names, together with the resources attached to it.
pub fn price(call: &Call, replay: &mut Replay) -> OperationResult {
    let body = body::read::<Body>(call.request)?;
    if body.resource_ids.as_deref().is_some_and(body::has_duplicates) {
        return Err(Problem::code("CBC.30050012", "resource_ids has an id twice.").into());
    }
    let resources = body::ids("resource_ids", body.resource_ids)?;
    let term = body::term(body.period_type, body.period_num)?;
    let command = Command::Renew(Renewal { term: Some(term), automatic: false, options: Vec::new() });
    let command = |resource: &String| CommandRequest { resource: resource.clone(), command: command.clone() };
    let proposals = replay.proposals(resources.iter().map(command).collect())?;
    let (mut currency, mut prices, mut failures) = (None, Vec::new(), Vec::new());
    let mut total: Micros = 0;
    for (resource, proposal) in resources.iter().zip(proposals) {
        currency = Some(proposal.currency.as_str());
        match priced(proposal) {
            Ok(cost) => {
                total = total.saturating_add(cost);
                let fields = vec![("resource_id", Json::from(resource.as_str())), ("amount", text(cost))];
                prices.push(Json::Object(fields));
            }
            Err(refusal) => failures.push((resource, code(&refusal.code), refusal.message.as_str())),
        }
    }
    let first = failures.first().filter(|_| prices.is_empty()).copied();
    let failed = failures
        .iter()
        .map(|(resource, code, message)| mutations::failure("resource_id", resource, code, message));
    let mut fields = Vec::new();
    // The documents give these codes status 200; without a single price, the answer itself carries the first one.
    if let Some((resource, code, message)) = first {
        fields.push(("error_code", Json::from(code)));
        fields.push(("error_msg", Json::from(format!("{resource}: {message}"))));
    }
    let official = Json::Object(vec![("official_website_amount", text(total))]);
    fields.extend([
        ("currency", Json::from(currency)),
        ("renew_inquiry_results", Json::List(prices)),
        ("official_website_rating_result", official),
        ("optional_discount_rating_results", Json::List(Vec::new())),
        ("fail_resource_infos", Json::List(failed.collect())),
    ]);
    call.answered(fields)
}

/// The cost of all steps of a plan. An insufficient balance does not prevent a price.
fn priced(proposal: &Proposal) -> Result<Micros, &Refusal> {
    match &proposal.refusal {
        Some(refusal) if proposal.steps.is_empty() => Err(refusal),
        Some(_) | None => {
            Ok(proposal.steps.iter().fold(0, |sum: Micros, step| sum.saturating_add(step.cost)))
        }
    }
}

/// The code that this query has for a refused renewal.
fn code(refusal: &str) -> &str {
    CODES.iter().find(|(known, _)| *known == refusal).map_or_else(|| known(refusal), |(_, code)| code)
}

/// An amount as text, as this query has amounts.
fn text(amount: Micros) -> Json {
    Json::from(decimal(amount))
}
