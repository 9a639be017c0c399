//! Changes of the billing mode: what becomes pay-as-you-go, and when.
//!
//! Documents: the change of several instances (BCC: cloud.baidu.com/doc/BCC/s/ilfkrtkvj), "Change the Disk Billing Mode"
//! (CDS: Qjwvyo38j). Knows parameters and responses; `crate::conversion` decides when a change is refused and what comes
//! back. `prepaid` has the changes in the other direction.

use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::body::Object;
use plugin_sdk::provider_api::mutation;
use serde::Deserialize;

use crate::kinds::Kind;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::Stop;
use crate::provider_api::body;
use crate::provider_api::body::Billing;
use crate::provider_api::body::required;
use crate::provider_api::changes;
use crate::provider_api::changes::InPlace;
use crate::provider_api::changes::TransactionResult;
use crate::provider_api::charging_batch;
use crate::provider_api::charging_batch::ChangeResponse;
use crate::provider_api::charging_batch::is_postpaid;
use crate::provider_api::lookup;
use crate::provider_api::prepaid;
use crate::provider_api::problem::Problem;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::response;

#[derive(Deserialize)]
struct Batch {
    config: Option<Vec<Object<Change>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    instance_id: Option<String>,
    relation_cds: Option<bool>,
    cds_list: Option<Vec<String>>,
    effective_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DiskChange {
    effective_type: Option<String>,
    billing: Option<Object<Billing>>,
}

/// When a resource becomes pay-as-you-go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ConversionTime {
    AtOnce,
    AfterExpiration,
}

impl ConversionTime {
    fn of(effective_type: Option<&str>, default: ConversionTime) -> Result<ConversionTime, Problem> {
        match effective_type {
            None => Ok(default),
            Some("AtOnce") => Ok(ConversionTime::AtOnce),
            Some("AfterExpiration") => Ok(ConversionTime::AfterExpiration),
            Some(_) => Err(Problem::bad_request("`effectiveType` is `AfterExpiration` or `AtOnce`")),
        }
    }

    fn command(self) -> Command {
        match self {
            ConversionTime::AtOnce => Command::ConvertNow,
            ConversionTime::AfterExpiration => Command::ConvertOnExpiry,
        }
    }

    /// Whether the resource is what the change makes of it already.
    fn is_in_place(self, resource: &ResourceView) -> bool {
        match self {
            ConversionTime::AtOnce => is_postpaid(resource),
            ConversionTime::AfterExpiration => resource.on_expiry == OnExpiry::Convert,
        }
    }
}

/// `POST /v2/instance/batch/charging?toPostpay`. Disks come before their instance: the instance's command may take disks
/// along, and skips those already changed. Without a token, what is in place already is refused.
pub(crate) fn to_postpaid(context: &RequestContext, replay: &mut Replay) -> OperationResult {
    let batch = body::read::<Batch>(context.request)?;
    let changes = required("config", batch.config)?;
    let ids =
        charging_batch::instance_ids(changes.iter().map(|Object(change)| change.instance_id.as_deref()))?;
    let default = if context.settings.converts_at_once {
        ConversionTime::AtOnce
    } else {
        ConversionTime::AfterExpiration
    };
    let effective = |change: &Change| ConversionTime::of(change.effective_type.as_deref(), default);
    for Object(change) in &changes {
        effective(change)?;
    }
    let page = charging_batch::find(replay, &ids)?;
    let instances = charging_batch::find_instances(page, &ids)?;
    let has_token = context.parameters.token()?.is_some();
    let (mut ended, mut mutations) = (Vec::new(), Vec::new());
    for (instance, Object(change)) in instances.iter().copied().zip(&changes) {
        let effective = effective(change)?;
        // Sent again, the request names every disk once more, so that the response has their orders.
        let is_named = |disk: &ResourceView| match effective {
            ConversionTime::AtOnce => has_token || !is_postpaid(disk),
            ConversionTime::AfterExpiration => !is_postpaid(disk) && !effective.is_in_place(disk),
        };
        let named = change.cds_list.as_deref().unwrap_or_default();
        let mut resources =
            charging_batch::disks(page, instance, change.relation_cds == Some(true), named, is_named)?;
        resources.push(instance);
        for resource in resources {
            if effective == ConversionTime::AtOnce {
                ended.push(resource.id.clone());
            }
            if !(has_token && effective.is_in_place(resource)) {
                mutations.push(mutation::command(&resource.id, effective.command()));
            }
        }
    }
    match changes::execute(replay, changes::all_or_nothing(mutations))? {
        TransactionResult::Refused(refusal) => Err(Stop::from(Problem::from(refusal))),
        // A change that waits for the expiry makes no order, so the id is empty.
        TransactionResult::Applied(_) => {
            let order_id = ended_orders(replay, ended)?;
            Ok(response::object(context.id(), &ChangeResponse { order_id }))
        }
    }
}

/// `PUT /v2/volume/{id}?modifyChargeType`: to the billing mode that the disk does not have. A request with an
/// `effectiveType` asks for pay-as-you-go, even when the disk already is pay-as-you-go.
pub fn disk(context: &RequestContext, replay: &mut Replay, id: &str) -> OperationResult {
    let change = body::read::<DiskChange>(context.request)?;
    let effective = ConversionTime::of(change.effective_type.as_deref(), ConversionTime::AfterExpiration)?;
    let resource = lookup::by_id(replay, Kind::Cds, id)?;
    if is_postpaid(resource) && change.effective_type.is_none() {
        return prepaid::disk(context, replay, resource, change.billing);
    }
    let in_place = InPlace::from(effective.is_in_place(resource));
    changes::change(context, replay, in_place, vec![mutation::command(&resource.id, effective.command())])
}

/// The orders of these resources that ended last, separated by commas. So a request that is sent again has the same
/// response.
fn ended_orders(replay: &mut Replay, resources: Vec<String>) -> Result<String, Stop> {
    charging_batch::latest_orders(replay, resources, |order| order.refund.map(|refund| refund.at))
}
