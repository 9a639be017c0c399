//! Renewals of instances, disks and addresses.
//!
//! Documents: "Instance Renewal" (BCC), "Disk Renewal" (CDS), renewal (EIP). Knows parameters and replies; how far a
//! renewal reaches is in `crate::renewal`, and the host remembers the tokens.

use plugin_sdk::Attributes;
use plugin_sdk::Command;
use plugin_sdk::Renewal;
use plugin_sdk::Term;
use plugin_sdk::provider_api::NextStep;
use plugin_sdk::provider_api::ResourceView;
use serde::Deserialize;
use serde::Serialize;

use crate::kinds::Kind;
use crate::options::CDS_CUSTOM_PERIOD;
use crate::options::CLIENT_TOKEN;
use crate::options::CustomPeriod;
use crate::options::RELATED_RENEW_FLAG;
use crate::provider_api::answers;
use crate::provider_api::bodies;
use crate::provider_api::bodies::Billing;
use crate::provider_api::bodies::Count;
use crate::provider_api::bodies::Object;
use crate::provider_api::bodies::required;
use crate::provider_api::changes;
use crate::provider_api::faults::Fault;
use crate::provider_api::found;
use crate::provider_api::found::check_id;
use crate::provider_api::found::found;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::request_context::TransactionResult;

/// The most disks that get a length of their own in one request.
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
    period: Option<Count>,
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
struct Reply {
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
}

/// `PUT /v2/instance/{id}?purchaseReserved`.
pub fn instance(asked: &RequestContext, id: &str) -> Result<NextStep, Fault> {
    let body = bodies::read::<InstanceRenewal>(&asked.context.request)?;
    let term = Billing::required_length(body.billing)?;
    let mut options = options(asked)?;
    let flag = asked.parameters.get(RELATED_RENEW_FLAG)?.or(body.related_renew_flag.as_deref());
    options.extend(flag.map(|flag| (RELATED_RENEW_FLAG.to_owned(), flag.to_owned())));
    let periods = body.cds_custom_period.unwrap_or_default();
    if !periods.is_empty() {
        options.push((CDS_CUSTOM_PERIOD.to_owned(), custom_periods(periods)?));
    }
    let subject = found!(found::by_id(asked, Kind::Bcc, id));
    renew(asked, subject, Some(term), options)
}

/// `PUT /v2/volume/{id}?purchaseReserved`. Without a length the disk is aligned with the instance that it is attached
/// to; another one could only be asked for by Baidu itself.
pub fn disk(asked: &RequestContext, id: &str) -> Result<NextStep, Fault> {
    let body = bodies::read::<DiskRenewal>(&asked.context.request)?;
    let term = match &body.billing {
        Some(Object(billing)) => billing.length()?,
        None => None,
    };
    let options = options(asked)?;
    let subject = found!(found::by_id(asked, Kind::Cds, id));
    if term.is_none() {
        match (&subject.attached_to, &body.instance_id) {
            (None, None) => {
                return Err(Fault::bad_request(format!(
                    "`{id}` is attached to no instance to be aligned with; name a length"
                )));
            }
            (attached, Some(wanted)) if attached.as_ref() != Some(wanted) => {
                return Err(Fault::new(
                    "OperationDenied",
                    format!(
                        "`{id}` can only be aligned with the instance that it is attached to; name a length"
                    ),
                ));
            }
            (Some(_), _) | (None, Some(_)) => {}
        }
    }
    renew(asked, subject, term, options)
}

/// `PUT /v1/eip/{eip}?purchaseReserved`.
pub fn address(asked: &RequestContext, name: &str) -> Result<NextStep, Fault> {
    let body = bodies::read::<AddressRenewal>(&asked.context.request)?;
    let term = Billing::required_length(body.billing)?;
    let options = options(asked)?;
    let subject = found!(found::address(asked, name));
    renew(asked, subject, Some(term), options)
}

/// With a token a renewal is answered as often as it is sent, since the host remembers it. Without one nothing tells a
/// second renewal from the first sent twice, so a signature is good for one.
fn renew(
    asked: &RequestContext,
    subject: &ResourceView,
    term: Option<Term>,
    options: Attributes,
) -> Result<NextStep, Fault> {
    match asked.transaction_result()? {
        None => {
            let renewal = Renewal { term, automatic: false, options };
            let has_token = asked.parameters.token()?.is_some();
            asked.carry_out(vec![changes::command(&subject.id, Command::Renew(renewal))], !has_token)
        }
        Some(TransactionResult::Refused(refusal)) => Err(Fault::from(refusal)),
        Some(TransactionResult::Applied(orders)) if asked.settings.replies_with_order => {
            let order_id = (!orders.is_empty()).then(|| orders.join(","));
            Ok(answers::object(asked.id(), &Reply { order_id }))
        }
        Some(TransactionResult::Applied(_)) => Ok(answers::empty(asked.id())),
    }
}

fn options(asked: &RequestContext) -> Result<Attributes, Fault> {
    let token = asked.parameters.token()?;
    Ok(token.map(|token| (CLIENT_TOKEN.to_owned(), token.to_owned())).into_iter().collect())
}

/// `cdsCustomPeriod` as the option has it, without whatever else the body says of a disk.
fn custom_periods(periods: Vec<Object<DiskPeriod>>) -> Result<String, Fault> {
    if periods.len() > CUSTOM_PERIODS_MAX {
        return Err(Fault::bad_request(format!(
            "`{CDS_CUSTOM_PERIOD}` names {} disks; a request names up to {CUSTOM_PERIODS_MAX}",
            periods.len()
        )));
    }
    let custom_period = |Object(disk): Object<DiskPeriod>| {
        let volume_id = required("cdsCustomPeriod.volumeId", disk.volume_id)?;
        check_id(&volume_id)?;
        let Count(period) = required("cdsCustomPeriod.period", disk.period)?;
        let period = u32::try_from(period)
            .map_err(|_| Fault::bad_request("`cdsCustomPeriod.period` is a number of months"))?;
        Ok(CustomPeriod { volume_id, period })
    };
    let periods = periods.into_iter().map(custom_period).collect::<Result<Vec<_>, Fault>>()?;
    Ok(serde_json::to_string(&periods).expect("text and numbers can be written as JSON"))
}
