//! Renewals, auto-renew rules, early release, and the change to pay-as-you-go on expiry.
//!
//! Documents: "Instance Renewal" (BCC/yjwvyoakh), "Disk Renewal" (BCC/Tjwvyo25y), EIP/Yjwvz31ty, "Auto-renewal Rules"
//! (BCC/Slfrytifu), "Early Release of Prepaid Instances" (BCC/qlozpzy93), the change of several instances (BCC/ilfkrtkvj), and
//! "Change the Disk Billing Mode" (BCC/Qjwvyo38j). A renewal has the client token of its attempt.

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
use plugin_sdk::settings::get;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::connector::call;
use crate::connector::call::Operation;
use crate::connector::capabilities::Service;
use crate::connector::codes;
use crate::connector::resources::listed_kind;
use crate::connector::resources::region_of;
use crate::kinds::Kind;
use crate::options::RELATED_RENEW_FLAG;
use crate::provider_api::shapes;
use crate::refusals::Code;
use crate::related::RelatedFlag;

/// A request without its region: the API, method, path, query and body.
type Draft = (Service, &'static str, String, String, Value);

/// The request for a mutation.
pub(super) fn encode(context: &CallContext, mutation: &Mutation) -> Result<UnsignedRequest, Refusal> {
    let [target] = &*mutation.targets else {
        return Err(Code::BadRequest.because("one resource is changed at a time"));
    };
    let kind = listed_kind(target)?;
    let (service, method, path, query, body) = match &mutation.change {
        Change::Renew(renewal) => renew(kind, target, (renewal.term, &renewal.options), mutation)?,
        Change::SetAutoRenew(rule) => set_rule(kind, target, rule.term)?,
        Change::CancelAutoRenew => cancel_rule(kind, target),
        Change::Unsubscribe(Scope::Everything) => release(kind, target)?,
        Change::ConvertOnExpiry => convert(kind, target, &mutation.along)?,
        Change::Unsubscribe(Scope::FuturePeriods) => {
            return Err(undocumented("gives back periods that have not begun"));
        }
        Change::CancelConversion => {
            return Err(undocumented(
                "takes the change of an instance, disk or address to pay-as-you-go back",
            ));
        }
        Change::PayOrder(_) | Change::CancelOrder(_) => {
            return Err(undocumented("pays or cancels an order"));
        }
    };
    let body = serde_json::to_vec(&body).expect("texts and numbers are JSON");
    let operation = Operation { service, region: region_of(target), method, path, query };
    Ok(call::request(context, operation, body))
}

/// Why there is no request for a change.
fn undocumented(what: &str) -> Refusal {
    Code::BadRequest
        .because(format!("no document of Baidu AI Cloud has a call that {what}; do it in the console"))
}

/// An address is called by itself, not by its id.
fn address(target: &Target) -> String {
    percent_encode(get(&target.attributes, shapes::ADDRESS).unwrap_or(&target.id), "")
}

fn renew(
    kind: Kind,
    target: &Target,
    (term, options): (Term, &[(String, String)]),
    mutation: &Mutation,
) -> Result<Draft, Refusal> {
    let months = match term.unit {
        TermUnit::Month => term.count,
        TermUnit::Year => term.count.saturating_mul(12),
        TermUnit::Day => return Err(Code::BadRequest.because("renewals are for months or years")),
    };
    let token = format!("clientToken={}&purchaseReserved=", percent_encode(&mutation.client_token, ""));
    let body = json!({ "billing": { "reservation": {
        "reservationLength": months, "reservationTimeUnit": "Month" } } });
    let id = percent_encode(&target.id, "");
    let flag = options.iter().find(|(name, _)| name == RELATED_RENEW_FLAG);
    if options.iter().any(|(name, _)| name != RELATED_RENEW_FLAG) {
        return Err(Code::BadRequest.because("a renewal has the option `relatedRenewFlag` only"));
    }
    Ok(match kind {
        Kind::Cds => (Service::Bcc, "PUT", format!("/v2/volume/{id}"), token, body),
        Kind::Eip => (Service::Eip, "PUT", format!("/v1/eip/{}", address(target)), token, body),
        Kind::Bcc | Kind::Bbc | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
            let flag = flag.map_or_else(|| flag_of(&mutation.along), |(_, value)| value.as_str());
            let query = format!("{token}&{RELATED_RENEW_FLAG}={}", percent_encode(flag, ""));
            (Service::Bcc, "PUT", format!("/v2/instance/{id}"), query, body)
        }
    })
}

/// The flag that names what is renewed along: by its own rule, or because a person left it to the account's default.
fn flag_of(along: &[Target]) -> &'static str {
    RelatedFlag::naming(|kind| along.iter().any(|one| one.kind == kind.name())).flag
}

/// A rule of 1 to 9 months or 1 to 3 years; a month where nobody says.
fn set_rule(kind: Kind, target: &Target, term: Option<Term>) -> Result<Draft, Refusal> {
    let (unit, time) = match term {
        None => ("month", 1),
        Some(Term { count: count @ 1..=9, unit: TermUnit::Month }) => ("month", count),
        Some(Term { count: count @ 1..=3, unit: TermUnit::Year }) => ("year", count),
        Some(_) => return Err(Code::BadRequest.because("a rule is for 1 to 9 months or 1 to 3 years")),
    };
    let (id, none) = (target.id.as_str(), String::new());
    Ok(match kind {
        Kind::Cds => {
            let body = json!({ "volumeId": id, "renewTimeUnit": unit, "renewTime": time });
            (Service::Bcc, "POST", "/v2/volume/autoRenew".to_owned(), none, body)
        }
        Kind::Eip => {
            let body = json!({ "autoRenewTimeUnit": unit, "autoRenewTime": time });
            let path = format!("/v1/eip/{}", address(target));
            (Service::Eip, "PUT", path, "startAutoRenew=".to_owned(), body)
        }
        Kind::Bcc | Kind::Bbc | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
            let body = json!({ "instanceId": id, "renewTimeUnit": unit, "renewTime": time });
            (Service::Bcc, "POST", "/v2/instance/batchCreateAutoRenewRules".to_owned(), none, body)
        }
    })
}

fn cancel_rule(kind: Kind, target: &Target) -> Draft {
    let (id, none) = (target.id.as_str(), String::new());
    match kind {
        Kind::Cds => {
            let body = json!({ "volumeId": id });
            (Service::Bcc, "POST", "/v2/volume/cancelAutoRenew".to_owned(), none, body)
        }
        Kind::Eip => {
            let path = format!("/v1/eip/{}", address(target));
            (Service::Eip, "PUT", path, "stopAutoRenew=".to_owned(), json!({}))
        }
        Kind::Bcc | Kind::Bbc | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
            let body = json!({ "instanceId": id });
            (Service::Bcc, "POST", "/v2/instance/batchDeleteAutoRenewRules".to_owned(), none, body)
        }
    }
}

fn release(kind: Kind, target: &Target) -> Result<Draft, Refusal> {
    match kind {
        Kind::Eip => {
            let path = format!("/v1/eip/refund/{}", address(target));
            Ok((Service::Eip, "PUT", path, String::new(), json!({})))
        }
        Kind::Bcc => {
            let body = json!({ "instanceId": target.id, "relatedReleaseFlag": false,
                "deleteCdsSnapshotFlag": false });
            Ok((Service::Bcc, "POST", "/v2/instance/delete".to_owned(), String::new(), body))
        }
        Kind::Cds | Kind::Bbc | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
            Err(Code::BadRequest.because("a disk is released with its instance"))
        }
    }
}

/// The change to pay-as-you-go when the paid period ends. When is always said: an instance that is not told changes at once.
fn convert(kind: Kind, target: &Target, along: &[Target]) -> Result<Draft, Refusal> {
    let (id, when) = (target.id.as_str(), "AfterExpiration");
    match kind {
        Kind::Cds => {
            let path = format!("/v2/volume/{}", percent_encode(id, ""));
            let body = json!({ "effectiveType": when });
            Ok((Service::Bcc, "PUT", path, "modifyChargeType=".to_owned(), body))
        }
        Kind::Eip => Err(undocumented("has an address become pay-as-you-go")),
        Kind::Bcc | Kind::Bbc | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
            let disks = along.iter().filter(|one| one.kind == Kind::Cds.name()).map(|disk| disk.id.as_str());
            let disks = disks.collect::<Vec<_>>();
            let mut change = json!({ "instanceId": id, "effectiveType": when });
            if !disks.is_empty() {
                change["cdsList"] = json!(disks);
            }
            let path = "/v2/instance/batch/charging".to_owned();
            Ok((Service::Bcc, "POST", path, "toPostpay=".to_owned(), json!({ "config": [change] })))
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Body {
    order_id: Option<String>,
}

/// What became of the target. A success of a renewal is an order that is carried out later; older editions name none.
pub(super) fn decode(mutation: &Mutation, response: &ReceivedResponse) -> Outcome {
    if let Some(refusal) = codes::refusal(response) {
        let meaning = meanings::find(&codes::MEANINGS, &refusal.code);
        return meanings::outcome(meaning, refusal, response::retry_after(response));
    }
    let doubt = |problem: &str| Outcome::InDoubt(format!("{problem}: {}", response::shown(response)));
    if !response::is_success(response) {
        return doubt("a failure without a code");
    }
    let Some(body) = response::json::<Body>(response) else {
        return doubt("a response that cannot be read");
    };
    // A change of several things names several orders, and one that waits for the expiry may name none.
    let orders = body.order_id.iter().flat_map(|ids| ids.split(',')).map(str::trim);
    let receipt = Receipt { orders: orders.filter(|id| !id.is_empty()).map(str::to_owned).collect() };
    match &mutation.change {
        Change::Renew(_) | Change::Unsubscribe(_) => Outcome::Submitted(receipt),
        Change::SetAutoRenew(_)
        | Change::CancelAutoRenew
        | Change::ConvertOnExpiry
        | Change::CancelConversion
        | Change::PayOrder(_)
        | Change::CancelOrder(_) => Outcome::Applied(receipt),
    }
}
