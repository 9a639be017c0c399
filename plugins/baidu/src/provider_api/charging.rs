//! Changes of the billing mode.
//!
//! Documents: the change of several instances (BCC: cloud.baidu.com/doc/BCC/s/ilfkrtkvj and Rlfkr70zl), "Billing
//! Change-Switch to Prepayment" (BCC), "Change the Disk Billing Mode" (CDS: Qjwvyo38j). Knows parameters;
//! `crate::conversion` decides when a change is refused. A change at once and a change to prepaid are refused with
//! `OperationDenied`, because this host can do neither.

use plugin_sdk::Charging;
use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::Stage;
use plugin_sdk::provider_api::ResourceFilter;
use plugin_sdk::provider_api::ResourcePage;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::body::Object;
use plugin_sdk::provider_api::body::WholeNumber;
use plugin_sdk::provider_api::filter;
use plugin_sdk::provider_api::mutation;
use serde::Deserialize;
use serde::Serialize;

use crate::kinds::Kind;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::Stop;
use crate::provider_api::body;
use crate::provider_api::body::required;
use crate::provider_api::changes;
use crate::provider_api::changes::InPlace;
use crate::provider_api::changes::TransactionResult;
use crate::provider_api::lookup;
use crate::provider_api::lookup::check_id;
use crate::provider_api::lookup::is_there;
use crate::provider_api::problem::Problem;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::response;
use crate::provider_api::routes::Target;

/// The most instances of one request.
const INSTANCES_MAX: usize = 20;

/// The item of `cdsList` that names every disk of the instance.
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
    duration: Option<WholeNumber>,
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
pub fn instances(context: &RequestContext, replay: &mut Replay, target: Target) -> OperationResult {
    let batch = body::read::<Batch>(context.request)?;
    let changes = required("config", batch.config)?;
    if !(1..=INSTANCES_MAX).contains(&changes.len()) {
        let message = format!("`config` has 1 to {INSTANCES_MAX} instances");
        return Err(Stop::from(Problem::bad_request(message)));
    }
    let mut ids = Vec::new();
    for Object(change) in &changes {
        let id = required("config.instanceId", change.instance_id.as_ref())?;
        check_id(id)?;
        if ids.contains(id) {
            return Err(Stop::from(Problem::bad_request(format!("`config` names `{id}` twice"))));
        }
        ids.push(id.clone());
        if target == Target::Postpaid {
            check_effective_type(change.effective_type.as_deref())?;
        }
    }
    let filter = ResourceFilter { with_attached: true, ..filter::by_ids(ids.clone()) };
    let page = replay.resources(filter)?;
    let instances = ids.iter().map(|id| {
        let instance = |resource: &&ResourceView| resource.id == *id && is_there(resource, Kind::Bcc);
        page.resources.iter().find(instance).ok_or_else(|| Problem::no_such_object("instance", id))
    });
    let instances = instances.collect::<Result<Vec<_>, Problem>>()?;
    match target {
        Target::Prepaid => Err(Stop::from(cannot_buy(instances[0]))),
        Target::Postpaid => to_postpaid(context, replay, page, &instances, &changes),
    }
}

/// `POST /v2/instance/{id}?toPrepay`.
pub(crate) fn make_prepaid(context: &RequestContext, replay: &mut Replay, id: &str) -> OperationResult {
    let purchase = body::read::<Purchase>(context.request)?;
    required("duration", purchase.duration)?;
    let resource = lookup::by_id(replay, Kind::Bcc, id)?;
    Err(Stop::from(cannot_buy(resource)))
}

/// `PUT /v2/volume/{id}?modifyChargeType`: to the billing mode that the disk does not have. A request with an
/// `effectiveType` asks for pay-as-you-go, even when the disk already is pay-as-you-go.
pub fn disk(context: &RequestContext, replay: &mut Replay, id: &str) -> OperationResult {
    let change = body::read::<DiskChange>(context.request)?;
    check_effective_type(change.effective_type.as_deref())?;
    let resource = lookup::by_id(replay, Kind::Cds, id)?;
    if is_postpaid(resource) && change.effective_type.is_none() {
        return Err(Stop::from(cannot_buy(resource)));
    }
    let mutations = vec![mutation::command(&resource.id, Command::ConvertOnExpiry)];
    let in_place = InPlace::from(resource.on_expiry == OnExpiry::Convert);
    changes::change(context, replay, in_place, mutations)
}

/// Disks come before their instance: the instance's command may take disks along, and skips those already set.
fn to_postpaid(
    context: &RequestContext,
    replay: &mut Replay,
    page: &ResourcePage,
    instances: &[&ResourceView],
    changes: &[Object<Change>],
) -> OperationResult {
    let mut resources = Vec::new();
    for (instance, Object(change)) in instances.iter().copied().zip(changes) {
        resources.extend(disks(page, instance, change)?);
        resources.push(instance);
    }
    // With a token, resources that are set already were set by the same request, sent before.
    let has_token = context.parameters.token()?.is_some();
    resources.retain(|resource| !(has_token && resource.on_expiry == OnExpiry::Convert));
    let convert = |resource: &&ResourceView| mutation::command(&resource.id, Command::ConvertOnExpiry);
    match changes::execute(replay, resources.iter().map(convert).collect(), true)? {
        TransactionResult::Refused(refusal) => Err(Stop::from(Problem::from(refusal))),
        // A change that waits for the expiry makes no order, so the id is empty.
        TransactionResult::Applied(orders) => {
            Ok(response::object(context.id(), &Reply { order_id: orders.join(",") }))
        }
    }
}

/// The disks of an instance that change along with it.
fn disks<'a>(
    page: &'a ResourcePage,
    instance: &ResourceView,
    change: &Change,
) -> Result<Vec<&'a ResourceView>, Problem> {
    let is_attached = |resource: &&ResourceView| {
        is_there(resource, Kind::Cds) && resource.attached_to.as_deref() == Some(&*instance.id)
    };
    let attached = page.resources.iter().filter(is_attached);
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
        let disk = disk.ok_or_else(|| Problem::no_such_object("attached disk", id))?;
        if disks.iter().any(|known| known.id == disk.id) {
            return Err(Problem::bad_request(format!("`cdsList` names `{id}` twice")));
        }
        disks.push(disk);
    }
    Ok(disks)
}

fn is_postpaid(resource: &ResourceView) -> bool {
    resource.charging == Charging::Postpaid || resource.stage == Stage::Converted
}

/// The default is the expiry: documented for disks, and assumed for instances.
fn check_effective_type(effective_type: Option<&str>) -> Result<(), Problem> {
    match effective_type {
        None | Some("AfterExpiration") => Ok(()),
        Some("AtOnce") => Err(Problem::new(
            "OperationDenied",
            "the change is made when the paid period ends: `AfterExpiration`",
        )),
        Some(_) => Err(Problem::bad_request("`effectiveType` is `AfterExpiration` or `AtOnce`")),
    }
}

fn cannot_buy(resource: &ResourceView) -> Problem {
    let problem = if is_postpaid(resource) { "cannot be made prepaid here" } else { "is prepaid already" };
    Problem::new("OperationDenied", format!("`{}` {problem}", resource.id))
}
