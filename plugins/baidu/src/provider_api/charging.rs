//! Changes of the billing mode: what becomes pay-as-you-go, and when.
//!
//! Documents: the change of several instances (BCC: cloud.baidu.com/doc/BCC/s/ilfkrtkvj), "Change the Disk Billing Mode"
//! (CDS: Qjwvyo38j). Knows parameters and responses; `crate::conversion` decides when a change is refused and what comes
//! back. `prepaid` has the changes in the other direction.

use plugin_sdk::Charging;
use plugin_sdk::Command;
use plugin_sdk::OnExpiry;
use plugin_sdk::Stage;
use plugin_sdk::provider_api::OrderFilter;
use plugin_sdk::provider_api::OrderView;
use plugin_sdk::provider_api::ResourceFilter;
use plugin_sdk::provider_api::ResourcePage;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::body::Object;
use plugin_sdk::provider_api::filter;
use plugin_sdk::provider_api::mutation;
use serde::Deserialize;
use serde::Serialize;

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
use crate::provider_api::lookup;
use crate::provider_api::lookup::check_id;
use crate::provider_api::lookup::is_there;
use crate::provider_api::prepaid;
use crate::provider_api::problem::Problem;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::response;

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
#[serde(rename_all = "camelCase")]
struct DiskChange {
    effective_type: Option<String>,
    billing: Option<Object<Billing>>,
}

/// The answer of a change of instances: the ids of its orders, separated by commas.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reply {
    pub(crate) order_id: String,
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
    let ids = instance_ids(changes.iter().map(|Object(change)| change.instance_id.as_deref()))?;
    let default = if context.settings.converts_at_once {
        ConversionTime::AtOnce
    } else {
        ConversionTime::AfterExpiration
    };
    let effective = |change: &Change| ConversionTime::of(change.effective_type.as_deref(), default);
    for Object(change) in &changes {
        effective(change)?;
    }
    let page = find(replay, &ids)?;
    let instances = find_instances(page, &ids)?;
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
        let mut resources = disks(page, instance, change.relation_cds == Some(true), named, is_named)?;
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
    match changes::execute(replay, mutations, true)? {
        TransactionResult::Refused(refusal) => Err(Stop::from(Problem::from(refusal))),
        // A change that waits for the expiry makes no order, so the id is empty.
        TransactionResult::Applied(_) => {
            let order_id = ended_orders(replay, ended)?;
            Ok(response::object(context.id(), &Reply { order_id }))
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

/// The ids of a batch, each once.
///
/// # Errors
///
/// `BadRequest` when there are none, too many, or one twice.
pub(crate) fn instance_ids<'a>(
    named: impl ExactSizeIterator<Item = Option<&'a str>>,
) -> Result<Vec<String>, Problem> {
    if !(1..=INSTANCES_MAX).contains(&named.len()) {
        return Err(Problem::bad_request(format!("`config` has 1 to {INSTANCES_MAX} instances")));
    }
    let mut ids = Vec::<String>::new();
    for id in named {
        let id = required("config.instanceId", id)?;
        check_id(id)?;
        if ids.iter().any(|known| known == id) {
            return Err(Problem::bad_request(format!("`config` names `{id}` twice")));
        }
        ids.push(id.to_owned());
    }
    Ok(ids)
}

/// The instances of a batch with what is attached to them.
pub(crate) fn find<'a>(replay: &mut Replay<'a>, ids: &[String]) -> Result<&'a ResourcePage, Stop> {
    replay.resources(ResourceFilter { with_attached: true, ..filter::by_ids(ids.to_vec()) })
}

/// Each of the instances.
///
/// # Errors
///
/// `NoSuchObject` for the first that there is not.
pub(crate) fn find_instances<'a>(
    page: &'a ResourcePage,
    ids: &[String],
) -> Result<Vec<&'a ResourceView>, Problem> {
    let find = |id: &String| {
        let instance = |resource: &&ResourceView| resource.id == *id && is_there(resource, Kind::Bcc);
        page.resources.iter().find(instance).ok_or_else(|| Problem::no_such_object("instance", id))
    };
    ids.iter().map(find).collect()
}

/// The disks of an instance that change along with it: those that are named, or all that `changes`.
///
/// # Errors
///
/// `NoSuchObject` for one that is not attached, `BadRequest` for one that is named twice.
pub(crate) fn disks<'a>(
    page: &'a ResourcePage,
    instance: &ResourceView,
    is_every: bool,
    named: &[String],
    changes: impl Fn(&ResourceView) -> bool,
) -> Result<Vec<&'a ResourceView>, Problem> {
    let is_attached = |resource: &&ResourceView| {
        is_there(resource, Kind::Cds) && resource.attached_to.as_deref() == Some(&*instance.id)
    };
    let attached = page.resources.iter().filter(is_attached);
    if is_every || named.iter().any(|id| id == ALL) {
        return Ok(attached.filter(|disk| changes(disk)).collect());
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

pub(crate) fn is_postpaid(resource: &ResourceView) -> bool {
    resource.charging == Charging::Postpaid || resource.stage == Stage::Converted
}

/// The orders of these resources that ended last, separated by commas. So a request that is sent again has the same
/// response.
fn ended_orders(replay: &mut Replay, resources: Vec<String>) -> Result<String, Stop> {
    latest_orders(replay, resources, |order| order.refund.map(|refund| refund.at))
}

/// The ids of the latest of each resource's orders, each once and separated by commas: those with the greatest of the
/// instants that `at` gives.
pub(crate) fn latest_orders(
    replay: &mut Replay,
    resources: Vec<String>,
    at: impl Fn(&OrderView) -> Option<i64>,
) -> Result<String, Stop> {
    if resources.is_empty() {
        return Ok(String::new());
    }
    let orders = replay.orders(OrderFilter { resources: resources.clone(), ..filter::all_orders() })?;
    let mut ids = Vec::<&str>::new();
    for resource in &resources {
        let own = || orders.iter().filter(|order| order.resource == *resource);
        let latest = own().filter_map(&at).max();
        for order in own().filter(|order| latest.is_some() && at(order) == latest) {
            if !ids.contains(&&*order.id) {
                ids.push(&order.id);
            }
        }
    }
    Ok(ids.join(","))
}
