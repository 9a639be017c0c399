//! Lists yearly/monthly resources, with every filter and by pages, on the present API and on the old one.
//!
//! Sources: Querying Customers' Yearly/Monthly Resources (api_order_00021) and its (Old) page (zh-cn_topic_0084961226).

use std::collections::BTreeSet;

use plugin_sdk::Charging;
use plugin_sdk::Stage;
use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::OrderFilter;
use plugin_sdk::provider_api::OrderView;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::ResourceFilter;
use plugin_sdk::provider_api::ResourcePage;
use plugin_sdk::provider_api::body::at_most;
use plugin_sdk::provider_api::filter;
use plugin_sdk::provider_api::rfc3339;
use serde::Deserialize;

use crate::provider_api::Call;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::Stop;
use crate::provider_api::body;
use crate::provider_api::json::Json;
use crate::provider_api::listing;
use crate::provider_api::listing::ResourcesById;
use crate::provider_api::problem::Dialect;
use crate::provider_api::problem::Problem;
use crate::provider_api::types;
use crate::settings::Settings;

/// The most resources on a page, by the old documents; the present ones have no limit.
const LIMIT_MAX: u32 = 500;

/// The most ids of a request, and the most characters of their list on the old API.
const IDS_MAX: usize = 50;
const LIST_MAX: usize = 4_096;

/// The most statuses of a request.
const STATUSES_MAX: usize = 10;

/// The most queries for the resources above: an add-on is attached to a bandwidth, which is attached to a server's
/// address.
const CLIMBS_MAX: usize = 4;

/// The page of a filter that cannot match anything.
static NOTHING: ResourcePage = ResourcePage { total: 0, resources: Vec::new() };

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(deserialize_with = "at_most::<_, _, IDS_MAX>")]
    resource_ids: Option<Vec<String>>,
    order_id: Option<String>,
    only_main_resource: Option<i64>,
    #[serde(deserialize_with = "at_most::<_, _, STATUSES_MAX>")]
    status_list: Option<Vec<i64>>,
    offset: Option<i64>,
    limit: Option<i64>,
    expire_time_begin: Option<String>,
    expire_time_end: Option<String>,
    service_type_code: Option<String>,
    customer_id: Option<String>,
}

/// The query of either API.
struct ResourceQuery {
    order: Option<String>,
    /// `None` when it cannot match anything.
    selection: Option<ResourceFilter>,
}

/// Lists the resources that match the request.
pub fn resources(call: &Call, replay: &mut Replay) -> OperationResult {
    let body = match call.route.dialect {
        Dialect::Present => body::read::<Body>(call.request)?,
        Dialect::Old => old(call.request)?,
    };
    call.check_account("customer_id", body.customer_id.as_deref())?;
    let query = read_query(body)?;
    let Some(mut selection) = query.selection else { return respond(call, replay, &NOTHING) };
    if let Some(order) = query.order {
        let orders = OrderFilter { ids: vec![order], ..filter::paid_orders() };
        selection.ids = of_order(replay.orders(orders)?, &selection.ids);
        if selection.ids.is_empty() {
            return respond(call, replay, &NOTHING);
        }
        selection.with_attached = false;
    }
    let listing = replay.resources(selection)?;
    respond(call, replay, listing)
}

/// The response with these resources. It queries the resources that they are attached to, because a resource is a main
/// resource if those are in a final stage.
fn respond<'a>(call: &Call, replay: &mut Replay<'a>, listing: &'a ResourcePage) -> OperationResult {
    let mut known = listing.resources.iter().map(|one| (one.id.as_str(), one)).collect::<ResourcesById>();
    climb(replay, &mut known)?;
    let settings = Settings::of(&call.account.settings);
    let show = |subject| listing::shown(call.route.dialect, &settings, &known, subject);
    let data = listing.resources.iter().map(show).collect();
    call.answered(vec![("data", Json::List(data)), ("total_count", Json::Whole(i64::from(listing.total)))])
}

/// Adds to `known` the resources that the known ones are attached to, directly and through others.
pub(crate) fn climb<'a>(replay: &mut Replay<'a>, known: &mut ResourcesById<'a>) -> Result<(), Stop> {
    let mut asked = BTreeSet::new();
    for _ in 0..CLIMBS_MAX {
        let above = known.values().filter_map(|subject| subject.attached_to.as_deref());
        let missing =
            above.filter(|id| !known.contains_key(id) && !asked.contains(id)).collect::<BTreeSet<_>>();
        if missing.is_empty() {
            break;
        }
        let ids = missing.iter().map(|id| (*id).to_owned()).collect();
        asked.extend(missing);
        let found = &replay.resources(filter::by_ids(ids))?.resources;
        known.extend(found.iter().map(|one| (one.id.as_str(), one)));
    }
    Ok(())
}

/// The resources of an order; if ids are named, only those among them.
fn of_order(orders: &[OrderView], named: &[String]) -> Vec<String> {
    let fits = |id: &&str| named.is_empty() || named.iter().any(|known| known == id);
    let ids = orders.iter().map(|order| order.resource.as_str()).filter(fits).collect::<BTreeSet<_>>();
    ids.into_iter().map(str::to_owned).collect()
}

/// Reads the parameters of the old API from its query.
fn old(request: &Request) -> Result<Body, Problem> {
    let list = body::parameter(request, "resource_ids")?.filter(|list| !list.is_empty());
    if list.as_ref().is_some_and(|list| list.len() > LIST_MAX || list.split(',').count() > IDS_MAX) {
        return Err(Problem::parameter(format!(
            "resource_ids has more than {IDS_MAX} ids, or more than {LIST_MAX} characters."
        )));
    }
    let page_size = body::within("page_size", body::number(request, "page_size")?, 10, 1, LIMIT_MAX)?;
    let page = body::within("page_no", body::number(request, "page_no")?, 1, 1, u32::MAX / page_size)?;
    let statuses = body::parameter(request, "status_list")?.filter(|list| !list.is_empty());
    let number = |text: &str| text.trim().parse::<i64>();
    let statuses =
        statuses.map(|list| list.split(',').map(number).collect::<Result<Vec<_>, _>>()).transpose();
    Ok(Body {
        resource_ids: list.map(|list| list.split(',').map(str::to_owned).collect()),
        order_id: body::parameter(request, "order_id")?,
        only_main_resource: body::number(request, "only_main_resource")?,
        status_list: statuses.map_err(|_| Problem::parameter("status_list is no list of whole numbers."))?,
        offset: Some(i64::from(page - 1) * i64::from(page_size)),
        limit: Some(i64::from(page_size)),
        customer_id: body::parameter(request, "customer_id")?,
        ..Body::default()
    })
}

fn read_query(body: Body) -> Result<ResourceQuery, Problem> {
    let ids = body.resource_ids.unwrap_or_default();
    for id in &ids {
        body::id("resource_ids", id)?;
    }
    let order = body.order_id.filter(|order| !order.is_empty());
    if let Some(order) = &order {
        body::order("order_id", order)?;
    }
    let main_only = body::within("only_main_resource", body.only_main_resource, 0, 0, 1)? == 1;
    let offset = body::within("offset", body.offset, 0, 0, u32::MAX)?;
    let limit = body::within("limit", body.limit, 10, 1, LIMIT_MAX)?;
    let kinds = match body.service_type_code.as_deref() {
        None => None,
        Some("") => return Err(Problem::parameter("service_type_code is empty.")),
        Some(code) => Some(types::of_service(code)),
    };
    let is_hopeless = kinds.as_ref().is_some_and(Vec::is_empty);
    let selection = ResourceFilter {
        // Of a main resource that is named, also what is attached to it; what is attached and named stands for itself.
        with_attached: !main_only && !ids.is_empty(),
        only_primaries: main_only && ids.is_empty(),
        ids,
        kinds: kinds.unwrap_or_default(),
        stages: stages(&body.status_list.unwrap_or_default())?,
        charging: Some(Charging::Prepaid),
        expires_from: instant("expire_time_begin", body.expire_time_begin)?,
        expires_until: instant("expire_time_end", body.expire_time_end)?,
        ..filter::all(offset, limit)
    };
    Ok(ResourceQuery { order, selection: (!is_hopeless).then_some(selection) })
}

/// The stages of these statuses; by default every stage except the final ones.
fn stages(statuses: &[i64]) -> Result<Vec<Stage>, Problem> {
    if statuses.is_empty() {
        return Ok(vec![Stage::Active, Stage::Grace, Stage::Retention]);
    }
    let mut stages = Vec::new();
    for &status in statuses {
        let of = listing::stages(status);
        if of.is_empty() {
            return Err(Problem::parameter("status_list has something else than 2, 3, 4 and 5."));
        }
        let new = of.into_iter().filter(|stage| !stages.contains(stage)).collect::<Vec<_>>();
        stages.extend(new);
    }
    Ok(stages)
}

fn instant(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let wrong = || Problem::parameter(format!("{name} is not of the form 2019-05-06T08:05:01Z."));
    rfc3339::read_utc(&text).map(Some).ok_or_else(wrong)
}
