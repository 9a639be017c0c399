//! Renewals of instances, disks and addresses.
//!
//! Documents: "Instance Renewal" (BCC), "Disk Renewal" (CDS), renewal (EIP). Knows parameters and responses;
//! `crate::renewal` decides what is renewed along, and the host remembers the client tokens.

use plugin_sdk::Attributes;
use plugin_sdk::Command;
use plugin_sdk::Renewal;
use plugin_sdk::Term;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::Transaction;
use plugin_sdk::provider_api::body::Object;
use plugin_sdk::provider_api::body::WholeNumber;
use plugin_sdk::provider_api::mutation;
use serde::Deserialize;
use serde::Serialize;

use crate::kinds::Kind;
use crate::options::CDS_CUSTOM_PERIOD;
use crate::options::CLIENT_TOKEN;
use crate::options::CustomPeriod;
use crate::options::RELATED_RENEW_FLAG;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::Stop;
use crate::provider_api::body;
use crate::provider_api::body::Billing;
use crate::provider_api::body::required;
use crate::provider_api::changes;
use crate::provider_api::changes::TransactionResult;
use crate::provider_api::lookup;
use crate::provider_api::lookup::check_id;
use crate::provider_api::problem::Problem;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::response;

/// The most disks with a length of their own in one request.
const CUSTOM_PERIODS_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InstanceRenewal {
    billing: Option<Object<Billing>>,
    cds_custom_period: Option<Vec<Object<DiskPeriod>>>,
    /// `bce-sdk-go` sends it in the body.
    related_renew_flag: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DiskPeriod {
    volume_id: Option<String>,
    period: Option<WholeNumber>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DiskRenewal {
    billing: Option<Object<Billing>>,
    instance_id: Option<String>,
}

#[derive(Deserialize)]
struct AddressRenewal {
    billing: Option<Object<Billing>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RenewalResponse {
    order_id: String,
}

/// Handles `PUT /v2/instance/{id}?purchaseReserved`.
pub fn instance(context: &RequestContext, replay: &mut Replay, id: &str) -> OperationResult {
    let body = body::read::<InstanceRenewal>(context.request)?;
    let term = Billing::required_length(body.billing)?;
    let mut options = options(context)?;
    let flag = context.parameters.get(RELATED_RENEW_FLAG)?.or(body.related_renew_flag.as_deref());
    options.extend(flag.map(|flag| (RELATED_RENEW_FLAG.to_owned(), flag.to_owned())));
    let periods = body.cds_custom_period.unwrap_or_default();
    if !periods.is_empty() {
        options.push((CDS_CUSTOM_PERIOD.to_owned(), custom_periods(periods)?));
    }
    let resource = lookup::by_id(replay, Kind::Bcc, id)?;
    renew(context, replay, resource, Some(term), options)
}

/// `PUT /v2/volume/{id}?purchaseReserved`. Without a length, the disk is aligned with the instance that it is attached
/// to; only Baidu itself could align it with another one.
pub fn disk(context: &RequestContext, replay: &mut Replay, id: &str) -> OperationResult {
    let body = body::read::<DiskRenewal>(context.request)?;
    let term = match &body.billing {
        Some(Object(billing)) => billing.length()?,
        None => None,
    };
    let options = options(context)?;
    let resource = lookup::by_id(replay, Kind::Cds, id)?;
    if term.is_none() {
        match (&resource.attached_to, &body.instance_id) {
            (None, None) => {
                return Err(Stop::from(Problem::bad_request(format!(
                    "`{id}` is attached to no instance to be aligned with; name a length"
                ))));
            }
            (attached, Some(wanted)) if attached.as_ref() != Some(wanted) => {
                return Err(Stop::from(Problem::new(
                    "OperationDenied",
                    format!(
                        "`{id}` can only be aligned with the instance that it is attached to; name a length"
                    ),
                )));
            }
            (Some(_), _) | (None, Some(_)) => {}
        }
    }
    renew(context, replay, resource, term, options)
}

/// Handles `PUT /v1/eip/{eip}?purchaseReserved`.
pub fn address(context: &RequestContext, replay: &mut Replay, name: &str) -> OperationResult {
    let body = body::read::<AddressRenewal>(context.request)?;
    let term = Billing::required_length(body.billing)?;
    let options = options(context)?;
    let resource = lookup::address(replay, name)?;
    renew(context, replay, resource, Some(term), options)
}

/// Renews the resource. With a client token, the renewal is answered as often as it is sent, because the host remembers
/// the token. Without one, nothing distinguishes a second renewal from a request that is sent again, so the transaction
/// rejects replays.
fn renew(
    context: &RequestContext,
    replay: &mut Replay,
    resource: &ResourceView,
    term: Option<Term>,
    options: Attributes,
) -> OperationResult {
    let renewal = Renewal { term, automatic: false, options };
    let mutations = vec![mutation::command(&resource.id, Command::Renew(renewal))];
    let has_token = context.parameters.token()?.is_some();
    let transaction = Transaction {
        reject_replay: !has_token,
        omit_orders: !context.settings.replies_with_order,
        ..changes::all_or_nothing(mutations)
    };
    match changes::execute(replay, transaction)? {
        TransactionResult::Refused(refusal) => Err(Stop::from(Problem::from(refusal))),
        // Also when a client token comes again: its first answer named none, whatever the setting is now.
        TransactionResult::Applied(orders) if orders.is_empty() => Ok(response::empty(context.id())),
        TransactionResult::Applied(orders) => {
            Ok(response::object(context.id(), &RenewalResponse { order_id: orders.join(",") }))
        }
    }
}

/// The options that every renewal has: the client token, which the present documents require. The newer SDK family has
/// none for instances and disks, so the account's setting decides.
fn options(context: &RequestContext) -> Result<Attributes, Problem> {
    let token = context.parameters.token()?;
    if token.is_none() && context.settings.requires_client_token {
        return Err(Problem::bad_request(format!(
            "`{CLIENT_TOKEN}` is missing or empty; send one, so that the renewal happens once, however often it is sent"
        )));
    }
    Ok(token.map(|token| (CLIENT_TOKEN.to_owned(), token.to_owned())).into_iter().collect())
}

/// The value of the option `cdsCustomPeriod`, without the other fields that the body has for a disk.
fn custom_periods(periods: Vec<Object<DiskPeriod>>) -> Result<String, Problem> {
    if periods.len() > CUSTOM_PERIODS_MAX {
        return Err(Problem::bad_request(format!(
            "`{CDS_CUSTOM_PERIOD}` names {} disks; a request names up to {CUSTOM_PERIODS_MAX}",
            periods.len()
        )));
    }
    let custom_period = |Object(disk): Object<DiskPeriod>| {
        let volume_id = required("cdsCustomPeriod.volumeId", disk.volume_id)?;
        check_id(&volume_id)?;
        let WholeNumber(period) = required("cdsCustomPeriod.period", disk.period)?;
        let period = u32::try_from(period)
            .map_err(|_| Problem::bad_request("`cdsCustomPeriod.period` is a number of months"))?;
        Ok(CustomPeriod { volume_id, period })
    };
    let periods = periods.into_iter().map(custom_period).collect::<Result<Vec<_>, Problem>>()?;
    Ok(serde_json::to_string(&periods).expect("text and numbers can be written as JSON"))
}
