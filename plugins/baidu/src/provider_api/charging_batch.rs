//! What changes of the billing mode share in both directions: the instances and disks that a request names, and the orders
//! in its response.

use plugin_sdk::Charging;
use plugin_sdk::Stage;
use plugin_sdk::provider_api::OrderFilter;
use plugin_sdk::provider_api::OrderView;
use plugin_sdk::provider_api::ResourceFilter;
use plugin_sdk::provider_api::ResourcePage;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::filter;
use serde::Serialize;

use crate::kinds::Kind;
use crate::provider_api::Replay;
use crate::provider_api::Stop;
use crate::provider_api::body::required;
use crate::provider_api::lookup::check_id;
use crate::provider_api::lookup::is_there;
use crate::provider_api::problem::Problem;

/// The most instances of one request.
const INSTANCES_MAX: usize = 20;

/// The item of `cdsList` that names every disk of the instance.
const ALL: &str = "all";

/// The answer of a change of instances: the ids of its orders, separated by commas.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangeResponse {
    pub(crate) order_id: String,
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
