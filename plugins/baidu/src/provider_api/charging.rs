//! Changes of the billing mode.
//!
//! Documents: the change of several instances (BCC: cloud.baidu.com/doc/BCC/s/ilfkrtkvj and Rlfkr70zl), "Billing
//! Change-Switch to Prepayment" (BCC), "Change the Disk Billing Mode" (CDS: Qjwvyo38j). Knows parameters; when a change
//! is refused is in `crate::conversion`. What this host cannot do, which is a change at once and one to prepaid, is
//! refused with `OperationDenied`.

use plugin_sdk::Charging;
use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::Stage;
use plugin_sdk::provider_api::NextStep;
use plugin_sdk::provider_api::ResourceFilter;
use plugin_sdk::provider_api::ResourcePage;
use plugin_sdk::provider_api::ResourceView;
use serde::Deserialize;
use serde::Serialize;

use crate::kinds::Kind;
use crate::provider_api::answers;
use crate::provider_api::bodies;
use crate::provider_api::bodies::Count;
use crate::provider_api::bodies::Object;
use crate::provider_api::bodies::required;
use crate::provider_api::changes;
use crate::provider_api::changes::Standing;
use crate::provider_api::faults::Fault;
use crate::provider_api::found;
use crate::provider_api::found::check_id;
use crate::provider_api::found::found;
use crate::provider_api::found::is_there;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::request_context::TransactionResult;
use crate::provider_api::routes::Target;

/// The most instances of one request.
const INSTANCES_MAX: usize = 20;

/// Every disk of the instance.
const ALL: &str = "all";

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
struct Purchase {
    duration: Option<Count>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DiskChange {
    effective_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    order_id: String,
}

/// `POST /v2/instance/batch/charging?toPostpay` and `?toPrepay`.
pub fn instances(asked: &RequestContext, target: Target) -> Result<NextStep, Fault> {
    let batch = bodies::read::<Batch>(&asked.context.request)?;
    let changes = required("config", batch.config)?;
    if !(1..=INSTANCES_MAX).contains(&changes.len()) {
        return Err(Fault::bad_request(format!("`config` has 1 to {INSTANCES_MAX} instances")));
    }
    let mut ids = Vec::new();
    for Object(change) in &changes {
        let id = required("config.instanceId", change.instance_id.as_ref())?;
        check_id(id)?;
        if ids.contains(id) {
            return Err(Fault::bad_request(format!("`config` names `{id}` twice")));
        }
        ids.push(id.clone());
        if target == Target::Postpaid {
            check_effective_type(change.effective_type.as_deref())?;
        }
    }
    let listings = asked.listings();
    let Some(listing) = listings.first() else {
        return Ok(found::look(ResourceFilter { ids, with_attached: true, ..found::everything() }));
    };
    let instances = ids.iter().map(|id| {
        let instance = |subject: &&ResourceView| subject.id == *id && is_there(subject, Kind::Bcc);
        listing.resources.iter().find(instance).ok_or_else(|| Fault::no_such_object("instance", id))
    });
    let instances = instances.collect::<Result<Vec<_>, Fault>>()?;
    match target {
        Target::Prepaid => Err(cannot_buy(instances[0])),
        Target::Postpaid => to_postpaid(asked, listing, &instances, &changes),
    }
}

/// `POST /v2/instance/{id}?toPrepay`.
pub fn make_prepaid(asked: &RequestContext, id: &str) -> Result<NextStep, Fault> {
    let purchase = bodies::read::<Purchase>(&asked.context.request)?;
    required("duration", purchase.duration)?;
    let subject = found!(found::by_id(asked, Kind::Bcc, id));
    Err(cannot_buy(subject))
}

/// `PUT /v2/volume/{id}?modifyChargeType`: to the other mode than the disk has. One that names a time to become
/// pay-as-you-go at asks for that, also when the disk is that already.
pub fn disk(asked: &RequestContext, id: &str) -> Result<NextStep, Fault> {
    let change = bodies::read::<DiskChange>(&asked.context.request)?;
    check_effective_type(change.effective_type.as_deref())?;
    let subject = found!(found::by_id(asked, Kind::Cds, id));
    if is_postpaid(subject) && change.effective_type.is_none() {
        return Err(cannot_buy(subject));
    }
    let mutations = vec![changes::command(&subject.id, Command::ConvertOnExpiry)];
    let is_there = subject.on_expiry == OnExpiry::Convert;
    changes::change(asked, if is_there { Standing::Given } else { Standing::Missing }, mutations)
}

/// Disks come before their instance: its command may take disks along, and what is set already is left out of that.
fn to_postpaid(
    asked: &RequestContext,
    listing: &ResourcePage,
    instances: &[&ResourceView],
    changes: &[Object<Change>],
) -> Result<NextStep, Fault> {
    match asked.transaction_result()? {
        None => {}
        Some(TransactionResult::Refused(refusal)) => return Err(Fault::from(refusal)),
        Some(TransactionResult::Applied(orders)) => return Ok(reply(asked, &orders)),
    }
    let mut resources = Vec::new();
    for (instance, Object(change)) in instances.iter().copied().zip(changes) {
        resources.extend(disks(listing, instance, change)?);
        resources.push(instance);
    }
    // With a token, what is set already was set by the request that is sent again.
    let is_sent_again = asked.parameters.token()?.is_some();
    resources.retain(|subject| !(is_sent_again && subject.on_expiry == OnExpiry::Convert));
    if resources.is_empty() {
        return Ok(reply(asked, &[]));
    }
    let convert = |subject: &&ResourceView| changes::command(&subject.id, Command::ConvertOnExpiry);
    asked.carry_out(resources.iter().map(convert).collect(), true)
}

/// The disks of an instance that change along with it.
fn disks<'a>(
    listing: &'a ResourcePage,
    instance: &ResourceView,
    change: &Change,
) -> Result<Vec<&'a ResourceView>, Fault> {
    let is_attached = |subject: &&ResourceView| {
        is_there(subject, Kind::Cds) && subject.attached_to.as_deref() == Some(&*instance.id)
    };
    let attached = listing.resources.iter().filter(is_attached);
    let named = change.cds_list.as_deref().unwrap_or_default();
    if change.relation_cds == Some(true) || named.iter().any(|id| id == ALL) {
        return Ok(attached
            .filter(|disk| !is_postpaid(disk) && disk.on_expiry != OnExpiry::Convert)
            .collect());
    }
    let mut disks = Vec::<&ResourceView>::new();
    for id in named {
        check_id(id)?;
        let disk = attached.clone().find(|disk| disk.id == *id);
        let disk = disk.ok_or_else(|| Fault::no_such_object("attached disk", id))?;
        if disks.iter().any(|known| known.id == disk.id) {
            return Err(Fault::bad_request(format!("`cdsList` names `{id}` twice")));
        }
        disks.push(disk);
    }
    Ok(disks)
}

/// A change that waits for the expiry makes no order, so its id is empty.
fn reply(asked: &RequestContext, orders: &[&str]) -> NextStep {
    answers::object(asked.id(), &Reply { order_id: orders.join(",") })
}

fn is_postpaid(subject: &ResourceView) -> bool {
    subject.charging == Charging::Postpaid || subject.stage == Stage::Converted
}

/// At the expiry is what happens where nothing is said; for disks that is documented, for instances it is not.
fn check_effective_type(effective_type: Option<&str>) -> Result<(), Fault> {
    match effective_type {
        None | Some("AfterExpiration") => Ok(()),
        Some("AtOnce") => Err(Fault::new(
            "OperationDenied",
            "the change is made when the paid period ends: `AfterExpiration`",
        )),
        Some(_) => Err(Fault::bad_request("`effectiveType` is `AfterExpiration` or `AtOnce`")),
    }
}

fn cannot_buy(subject: &ResourceView) -> Fault {
    let problem = if is_postpaid(subject) { "cannot be made prepaid here" } else { "is prepaid already" };
    Fault::new("OperationDenied", format!("`{}` {problem}", subject.id))
}
