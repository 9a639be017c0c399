//! Renewals, automatic renewal, unsubscription, the change to pay-per-use, and the payment of orders.
//!
//! Sources: api_order_00018, api_order_00019, api_order_00022 to api_order_00024, and api_order_00016. There is no
//! idempotency token: what has no proof in its response is in doubt.

use plugin_sdk::Refusal;
use plugin_sdk::Scope;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::connector::CallContext;
use plugin_sdk::connector::Change;
use plugin_sdk::connector::Mutation;
use plugin_sdk::connector::Outcome;
use plugin_sdk::connector::Receipt;
use plugin_sdk::connector::ReceivedResponse;
use plugin_sdk::connector::Target;
use plugin_sdk::connector::UnsignedRequest;
use plugin_sdk::connector::codes as meanings;
use plugin_sdk::connector::response;
use plugin_sdk::provider_api::request::encode as percent_encode;
use serde::Deserialize;
use serde::Serialize;

use crate::connector::call;
use crate::connector::call::Operation;
use crate::connector::capabilities::SUBSCRIPTIONS_API;
use crate::connector::codes;
use crate::connector::codes::MEANINGS;
use crate::payment::IS_AUTO_PAY;
use crate::refusals::BAD_PARAMETER;
use crate::refusals::TERM_NOT_SOLD;

const RENEW: &str = "/v2/orders/subscriptions/resources/renew";
const UNSUBSCRIBE: &str = "/v2/orders/subscriptions/resources/unsubscribe";
const AUTO_RENEW: &str = "/v2/orders/subscriptions/resources/autorenew";
const CONVERT: &str = "/v2/orders/subscriptions/resources/to-on-demand";
const PAY: &str = "/v3/orders/customer-orders/pay";
const CANCEL: &str = "/v2/orders/customer-orders/cancel";

/// The most automatic renewals that can be set.
const TIMES_MAX: u32 = 99;
/// `unsubscribe_reason_type`: another reason.
const OTHER_REASON: i64 = 5;

#[derive(Serialize)]
struct Renewal<'a> {
    resource_ids: Vec<&'a str>,
    period_type: i64,
    period_num: u32,
    is_auto_pay: i64,
}

#[derive(Serialize)]
struct Unsubscription<'a> {
    resource_ids: Vec<&'a str>,
    unsubscribe_type: i64,
    unsubscribe_reason_type: i64,
}

#[derive(Serialize)]
struct AutoRenewal {
    // Left out, it changes no limit that there is; 0 is without limit.
    auto_renew_times: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    period_type: Option<&'static str>,
}

#[derive(Serialize)]
struct Conversion<'a> {
    operation: &'static str,
    resource_ids: Vec<&'a str>,
}

#[derive(Serialize)]
struct Payment<'a> {
    order_id: &'a str,
    use_coupon: &'static str,
    use_discount: &'static str,
}

#[derive(Serialize)]
struct OrderOnly<'a> {
    order_id: &'a str,
}

/// The request for a mutation.
pub(crate) fn encode(context: &CallContext, mutation: &Mutation) -> Result<UnsignedRequest, Refusal> {
    let resource_ids = mutation.targets.iter().map(|target| target.id.as_str()).collect::<Vec<_>>();
    let post = |path| Operation { api: SUBSCRIPTIONS_API, method: "POST", path };
    Ok(match &mutation.change {
        Change::Renew(renewal) => {
            // The order is always paid at once: an unpaid one would keep the resource from being renewed.
            let others = renewal.options.iter().any(|(name, value)| name != IS_AUTO_PAY || value != "1");
            let (period_type, period_num) = period(renewal.term)?;
            if others {
                return Err(BAD_PARAMETER.refusal());
            }
            call::with_body(
                context,
                post(RENEW),
                &Renewal { resource_ids, period_type, period_num, is_auto_pay: 1 },
            )
        }
        Change::SetAutoRenew(wanted) => {
            let path = auto_renew_path(&mutation.targets)?;
            let body = auto_renewal(wanted.term, wanted.renewals)?;
            call::with_body(context, post(&path), &body)
        }
        Change::CancelAutoRenew => {
            let path = auto_renew_path(&mutation.targets)?;
            let operation = Operation { api: SUBSCRIPTIONS_API, method: "DELETE", path: &path };
            call::without_body(context, operation, String::new())
        }
        Change::Unsubscribe(scope) => {
            let unsubscribe_type = match scope {
                Scope::Everything => 1,
                Scope::FuturePeriods => 2,
            };
            let body =
                Unsubscription { resource_ids, unsubscribe_type, unsubscribe_reason_type: OTHER_REASON };
            call::with_body(context, post(UNSUBSCRIBE), &body)
        }
        Change::ConvertOnExpiry => {
            call::with_body(context, post(CONVERT), &Conversion { operation: "SET_UP", resource_ids })
        }
        Change::CancelConversion => {
            call::with_body(context, post(CONVERT), &Conversion { operation: "CANCEL", resource_ids })
        }
        Change::PayOrder(order_id) => {
            let body = Payment { order_id, use_coupon: "NO", use_discount: "NO" };
            call::with_body(context, post(PAY), &body)
        }
        Change::CancelOrder(order_id) => {
            let operation = Operation { api: SUBSCRIPTIONS_API, method: "PUT", path: CANCEL };
            call::with_body(context, operation, &OrderOnly { order_id })
        }
    })
}

/// `period_type` and `period_num` of a term: 1 to 11 months, or 1 to 3 years.
pub(crate) fn period(term: Term) -> Result<(i64, u32), Refusal> {
    match (term.unit, term.count) {
        (TermUnit::Month, count @ 1..=11) => Ok((2, count)),
        (TermUnit::Month, count @ (12 | 24 | 36)) => Ok((3, count / 12)),
        (TermUnit::Year, count @ 1..=3) => Ok((3, count)),
        (TermUnit::Day | TermUnit::Month | TermUnit::Year, _) => Err(TERM_NOT_SOLD.refusal()),
    }
}

/// The path with the only resource in it.
fn auto_renew_path(targets: &[Target]) -> Result<String, Refusal> {
    match targets {
        [target] => Ok(format!("{AUTO_RENEW}/{}", percent_encode(&target.id, ""))),
        _ => Err(BAD_PARAMETER.refusal()),
    }
}

/// The API has a period of one month or one year, or the one that was bought last.
fn auto_renewal(term: Option<Term>, renewals: Option<u32>) -> Result<AutoRenewal, Refusal> {
    let period_type = match term {
        None => None,
        Some(Term { count: 1, unit: TermUnit::Month }) => Some("MONTH"),
        Some(Term { count: 1, unit: TermUnit::Year }) => Some("YEAR"),
        Some(_) => return Err(TERM_NOT_SOLD.refusal()),
    };
    let auto_renew_times = renewals.unwrap_or(0);
    if auto_renew_times > TIMES_MAX || renewals == Some(0) {
        return Err(BAD_PARAMETER.refusal());
    }
    Ok(AutoRenewal { auto_renew_times, period_type })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    order_ids: Vec<String>,
    fail_resource_infos: Vec<Failure>,
    error_details: Vec<Failure>,
}

/// A resource for which the request failed; the change to pay-per-use calls it `id`.
#[derive(Deserialize)]
struct Failure {
    #[serde(alias = "id")]
    resource_id: Option<String>,
    error_code: Option<String>,
    error_msg: Option<String>,
}

/// What became of each target.
pub(crate) fn decode(mutation: &Mutation, response: &ReceivedResponse) -> Vec<Outcome> {
    let of_all = |outcome: Outcome| mutation.targets.iter().map(|_| outcome.clone()).collect();
    let doubt = |problem: &str| Outcome::InDoubt(format!("{problem}: {}", response::shown(response)));
    let retry_after = response::retry_after(response);
    if let Some(refusal) = codes::refusal(response) {
        return of_all(refused(mutation, refusal, retry_after));
    }
    if !response::is_success(response) {
        return of_all(doubt("a failure without a code"));
    }
    let Some(body) = response::json::<Body>(response) else {
        return of_all(doubt("a response that cannot be read"));
    };
    let failures = body.fail_resource_infos.iter().chain(&body.error_details).collect::<Vec<_>>();
    let names_order = match &mutation.change {
        Change::Renew(_) | Change::Unsubscribe(_) => !body.order_ids.is_empty(),
        Change::SetAutoRenew(_)
        | Change::CancelAutoRenew
        | Change::ConvertOnExpiry
        | Change::CancelConversion
        | Change::PayOrder(_)
        | Change::CancelOrder(_) => true,
    };
    let of_target = |target: &Target| {
        let failure = failures.iter().find(|failure| failure.resource_id.as_deref() == Some(&target.id));
        match failure {
            Some(failure) => {
                let code = failure.error_code.clone().unwrap_or_default();
                let message = failure.error_msg.clone().unwrap_or_default();
                refused(mutation, Refusal { code, message }, retry_after)
            }
            None if names_order => done(&mutation.change, &body.order_ids),
            None => doubt("a success that names no order"),
        }
    };
    mutation.targets.iter().map(of_target).collect()
}

/// What a code proves of this mutation: that something is so already, only where that was asked for.
fn refused(mutation: &Mutation, refusal: Refusal, retry_after: Option<u32>) -> Outcome {
    let meaning = meanings::find(&MEANINGS, &refusal.code);
    let is_asked_for = match &mutation.change {
        Change::CancelAutoRenew | Change::Unsubscribe(Scope::Everything) => true,
        Change::Renew(_)
        | Change::SetAutoRenew(_)
        | Change::Unsubscribe(Scope::FuturePeriods)
        | Change::ConvertOnExpiry
        | Change::CancelConversion
        | Change::PayOrder(_)
        | Change::CancelOrder(_) => false,
    };
    let meaning = match meaning {
        Some(meanings::Meaning::Done) if !is_asked_for => {
            Some(meanings::Meaning::Declined(plugin_sdk::connector::DeclineClass::Rule))
        }
        meaning => meaning,
    };
    meanings::outcome(meaning, refusal, retry_after)
}

/// The outcome of a request that succeeded: orders are carried out later, settings are changed at once.
fn done(change: &Change, orders: &[String]) -> Outcome {
    let receipt = |orders: &[String]| Receipt { orders: orders.to_vec() };
    match change {
        Change::Renew(_) | Change::Unsubscribe(_) => Outcome::Submitted(receipt(orders)),
        Change::PayOrder(order) => Outcome::Submitted(receipt(std::slice::from_ref(order))),
        Change::SetAutoRenew(_)
        | Change::CancelAutoRenew
        | Change::ConvertOnExpiry
        | Change::CancelConversion
        | Change::CancelOrder(_) => Outcome::Applied(receipt(&[])),
    }
}
