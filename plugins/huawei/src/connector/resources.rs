//! The yearly/monthly resources of an account, page by page.
//!
//! Source: Querying Customers' Yearly/Monthly Resources (api_order_00021).

use plugin_sdk::Charging;
use plugin_sdk::OnExpiry;
use plugin_sdk::Refusal;
use plugin_sdk::Stage;
use plugin_sdk::Timestamp;
use plugin_sdk::connector::CallContext;
use plugin_sdk::connector::CloudResource;
use plugin_sdk::connector::FindQuery;
use plugin_sdk::connector::ListQuery;
use plugin_sdk::connector::QueryFailure;
use plugin_sdk::connector::ReceivedResponse;
use plugin_sdk::connector::ResourcePage;
use plugin_sdk::connector::UnknownResource;
use plugin_sdk::connector::UnsignedRequest;
use plugin_sdk::connector::amount::Amount;
use plugin_sdk::connector::cursor;
use plugin_sdk::connector::response;
use plugin_sdk::provider_api::rfc3339;
use serde::Deserialize;
use serde::Serialize;

use crate::connector::call;
use crate::connector::call::Operation;
use crate::connector::capabilities::RESOURCES;
use crate::connector::capabilities::RESOURCES_API;
use crate::provider_api::listing;
use crate::provider_api::types::TYPES;
use crate::refusals::BAD_PARAMETER;

/// The resources of a page. The documents have no limit; the provider's own tools ask for a hundred.
const LIMIT: u32 = 100;

/// In use, frozen, and expired; what is closed is gone.
const STATUSES: [i64; 3] = [2, 4, 5];

#[derive(Serialize)]
struct Body<'a> {
    // An empty list is no filter, and `null` is none for every field but this.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource_ids: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<&'a str>,
    only_main_resource: i64,
    status_list: [i64; 3],
    offset: u32,
    limit: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_time_end: Option<String>,
}

/// Which resources are asked for; what says nothing is no filter.
#[derive(Default)]
pub(crate) struct Filter<'a> {
    pub(crate) ids: Vec<&'a str>,
    /// Those that this order is about.
    pub(crate) order: Option<&'a str>,
    /// Those that expire at this instant or earlier.
    pub(crate) expires_until: Option<Timestamp>,
}

/// The request for a page of everything.
pub(crate) fn list(context: &CallContext, list: &ListQuery) -> Result<UnsignedRequest, Refusal> {
    let filter = Filter { expires_until: list.expires_until, ..Filter::default() };
    Ok(request(context, filter, offset(list.cursor.as_deref())?))
}

/// The request for a page of these resources, with what is attached to them.
pub(crate) fn find(context: &CallContext, find: &FindQuery) -> Result<UnsignedRequest, Refusal> {
    let ids = find.targets.iter().map(|target| target.id.as_str()).collect();
    Ok(request(context, Filter { ids, ..Filter::default() }, offset(find.cursor.as_deref())?))
}

fn offset(cursor: Option<&str>) -> Result<u32, Refusal> {
    cursor::number(cursor).ok_or_else(|| BAD_PARAMETER.refusal())
}

/// The request for the resources from `offset` on.
pub(crate) fn request(context: &CallContext, filter: Filter<'_>, offset: u32) -> UnsignedRequest {
    let Filter { ids: resource_ids, order: order_id, expires_until } = filter;
    let expire_time_end = expires_until.map(rfc3339::write);
    let (only_main_resource, status_list, limit) = (0, STATUSES, LIMIT);
    let body =
        Body { resource_ids, order_id, only_main_resource, status_list, offset, limit, expire_time_end };
    let operation = Operation { api: RESOURCES_API, method: "POST", path: RESOURCES };
    call::with_body(context, operation, &body)
}

#[derive(Deserialize)]
struct Page<'a> {
    total_count: u32,
    #[serde(borrow)]
    data: Vec<Row<'a>>,
}

#[derive(Deserialize)]
struct EnterpriseProject {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Row<'a> {
    resource_id: String,
    resource_name: Option<String>,
    region_code: Option<String>,
    resource_type_code: Option<String>,
    resource_spec_code: Option<String>,
    project_id: Option<String>,
    product_id: Option<String>,
    parent_resource_id: Option<String>,
    status: i64,
    effective_time: Option<String>,
    expire_time: Option<String>,
    expire_policy: Option<i64>,
    product_spec_desc: Option<String>,
    #[serde(borrow)]
    spec_size: Option<Amount<'a>>,
    spec_size_measure_id: Option<i64>,
    enterprise_project: Option<EnterpriseProject>,
}

/// The page in a response. A page without resources although there are more is no end of the list: it is unreadable.
pub(crate) fn page(from: Option<&str>, response: &ReceivedResponse) -> Result<ResourcePage, QueryFailure> {
    let unreadable = |problem: &str| response::unreadable(problem, response);
    let offset = cursor::number(from).unwrap_or_default();
    let page = response::json::<Page>(response).ok_or_else(|| unreadable("no list of resources"))?;
    let seen = offset.saturating_add(u32::try_from(page.data.len()).unwrap_or(u32::MAX));
    if page.data.is_empty() && seen < page.total_count {
        return Err(unreadable("an empty page, although there are more resources"));
    }
    let (mut resources, mut unknown) = (Vec::new(), Vec::new());
    for row in page.data {
        let code = row.resource_type_code.as_deref().unwrap_or_default();
        let expires_at = instant(row.expire_time.as_deref()).map_err(unreadable)?;
        match TYPES.iter().find(|known| known.resource == code) {
            Some(known) => resources.push(resource(known.kind, expires_at, row).map_err(unreadable)?),
            None => unknown.push(UnknownResource { id: row.resource_id, kind: code.to_owned(), expires_at }),
        }
    }
    let next = (seen < page.total_count).then(|| seen.to_string());
    Ok(ResourcePage { resources, unknown, total: Some(page.total_count), next })
}

fn resource(kind: &str, expires_at: Option<Timestamp>, row: Row) -> Result<CloudResource, &'static str> {
    let stages = listing::stages(row.status);
    let stage = *stages.first().ok_or("a status that the documents do not have")?;
    let on_expiry = match row.expire_policy {
        None => None,
        Some(0 | 4 | 5) => Some(OnExpiry::Lapse),
        Some(1) => Some(OnExpiry::Convert),
        Some(2) => Some(OnExpiry::Release),
        Some(3) => Some(OnExpiry::Renew),
        Some(_) => return Err("an action on expiry that the documents do not have"),
    };
    Ok(CloudResource {
        kind: kind.to_owned(),
        attached_to: row.parent_resource_id.clone().filter(|id| !id.is_empty() && *id != row.resource_id),
        region: row.region_code.clone().unwrap_or_default(),
        charging: Charging::Prepaid,
        stage: if stage == Stage::Released {
            return Err("a closed resource, which nobody asked for");
        } else {
            stage
        },
        started_at: instant(row.effective_time.as_deref())?,
        expires_at,
        term: None,
        on_expiry,
        renewals_left: None,
        renewal_term: None,
        price: None,
        has_unpaid_order: None,
        attributes: attributes(&row),
        tags: Vec::new(),
        name: row.resource_name.unwrap_or_default(),
        id: row.resource_id,
    })
}

/// What the API shows and the host keeps as attributes, by the names of `provider_api::types`.
fn attributes(row: &Row) -> Vec<(String, String)> {
    let project = row.enterprise_project.as_ref();
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let attributes = [
        ("name", text(&row.resource_name)),
        ("spec", text(&row.resource_spec_code)),
        ("spec_desc", text(&row.product_spec_desc)),
        ("spec_size", row.spec_size.and_then(Amount::text)),
        ("spec_size_measure_id", row.spec_size_measure_id.map(|unit| unit.to_string())),
        ("product_id", text(&row.product_id)),
        ("project_id", text(&row.project_id)),
        ("enterprise_project_id", project.and_then(|project| text(&project.id))),
        ("enterprise_project_name", project.and_then(|project| text(&project.name))),
    ];
    attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn instant(text: Option<&str>) -> Result<Option<Timestamp>, &'static str> {
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| rfc3339::read_utc(text).ok_or("an instant that cannot be read")).transpose()
}
