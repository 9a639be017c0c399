//! The instances, disks and addresses of an account, region by region and page by page.
//!
//! Documents: "Query the instance list", "Query the disk list" (BCC), "Query EIP List" (EIP), and their details.

use plugin_sdk::Charging;
use plugin_sdk::OnExpiry;
use plugin_sdk::Refusal;
use plugin_sdk::Stage;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;
use plugin_sdk::connector::CallContext;
use plugin_sdk::connector::CloudResource;
use plugin_sdk::connector::FindQuery;
use plugin_sdk::connector::ListQuery;
use plugin_sdk::connector::QueryFailure;
use plugin_sdk::connector::ReceivedResponse;
use plugin_sdk::connector::ResourcePage;
use plugin_sdk::connector::Target;
use plugin_sdk::connector::UnsignedRequest;
use plugin_sdk::connector::response;
use plugin_sdk::provider_api::request::encode;
use plugin_sdk::provider_api::rfc3339;
use serde::Deserialize;

use crate::connector::call;
use crate::connector::call::Operation;
use crate::connector::capabilities::REGIONS;
use crate::connector::capabilities::Service;
use crate::connector::codes;
use crate::kinds::Kind;
use crate::provider_api::shapes;
use crate::refusals::Code;

/// The resources of a page.
const MAX_KEYS: u32 = 1_000;

/// The kinds that are listed, in their order: what others are attached to comes first.
const KINDS: [Kind; 3] = [Kind::Bcc, Kind::Cds, Kind::Eip];

/// Where a list goes on: the place of a kind, that of a region, and the marker of a page.
struct Place {
    kind: usize,
    region: usize,
    marker: String,
}

impl Place {
    fn of(cursor: Option<&str>) -> Option<Place> {
        let Some(cursor) = cursor else { return Some(Place { kind: 0, region: 0, marker: String::new() }) };
        let (kind, rest) = cursor.split_once('/')?;
        let (region, marker) = rest.split_once('/')?;
        let place =
            Place { kind: kind.parse().ok()?, region: region.parse().ok()?, marker: marker.to_owned() };
        (place.kind < KINDS.len() && place.region < REGIONS.len()).then_some(place)
    }

    /// The place after the last page of this one's region; `None` at the end. An endpoint of the operator's has every region.
    fn next(&self, has_regions: bool) -> Option<String> {
        let regions = if has_regions { REGIONS.len() } else { 1 };
        let (kind, region) =
            if self.region + 1 < regions { (self.kind, self.region + 1) } else { (self.kind + 1, 0) };
        (kind < KINDS.len()).then(|| format!("{kind}/{region}/"))
    }
}

/// The API of a kind, and the path of its list.
fn list_of(kind: Kind) -> (Service, &'static str) {
    match kind {
        Kind::Cds => (Service::Bcc, "/v2/volume"),
        Kind::Eip => (Service::Eip, "/v1/eip"),
        Kind::Bcc | Kind::Bbc | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
            (Service::Bcc, "/v2/instance")
        }
    }
}

/// The request for a page.
pub(super) fn list(context: &CallContext, list: &ListQuery) -> Result<UnsignedRequest, Refusal> {
    let place = Place::of(list.cursor.as_deref());
    let place = place.ok_or_else(|| Code::BadRequest.because("the list does not go on there"))?;
    let (service, path) = list_of(KINDS[place.kind]);
    let marker = match place.marker.as_str() {
        "" => String::new(),
        marker => format!("marker={}&", encode(marker, "")),
    };
    let operation = Operation {
        service,
        region: REGIONS[place.region].to_owned(),
        method: "GET",
        path: path.to_owned(),
        query: format!("{marker}maxKeys={MAX_KEYS}"),
    };
    Ok(call::request(context, operation, Vec::new()))
}

/// The request for one resource.
pub(super) fn find(context: &CallContext, find: &FindQuery) -> Result<UnsignedRequest, Refusal> {
    let [target] = &*find.targets else {
        return Err(Code::BadRequest.because("one resource is looked for at a time"));
    };
    let kind = listed_kind(target)?;
    let (service, path) = list_of(kind);
    let id = encode(&target.id, "");
    let (path, query) = match kind {
        Kind::Eip => (path.to_owned(), format!("eipIds={id}")),
        Kind::Bcc | Kind::Cds | Kind::Bbc | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
            (format!("{path}/{id}"), String::new())
        }
    };
    let operation = Operation { service, region: region_of(target), method: "GET", path, query };
    Ok(call::request(context, operation, Vec::new()))
}

/// The kind of a target that this API lists.
pub(super) fn listed_kind(target: &Target) -> Result<Kind, Refusal> {
    let kind = KINDS.into_iter().find(|kind| kind.name() == target.kind);
    kind.ok_or_else(|| Code::BadRequest.because(format!("`{}` is not called by this API", target.kind)))
}

/// The region of a target's host; the first one where nobody said.
pub(super) fn region_of(target: &Target) -> String {
    let known = REGIONS.into_iter().find(|region| *region == target.region);
    known.unwrap_or(REGIONS[0]).to_owned()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    is_truncated: bool,
    next_marker: Option<String>,
    instances: Option<Vec<Row>>,
    volumes: Option<Vec<Row>>,
    eip_list: Option<Vec<Row>>,
}

#[derive(Deserialize)]
struct One {
    instance: Option<Row>,
    volume: Option<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(alias = "eipId")]
    id: Option<String>,
    name: Option<String>,
    status: Option<String>,
    payment_timing: String,
    create_time: Option<String>,
    expire_time: Option<String>,
    auto_renew: Option<bool>,
    enable_auto_renew: Option<bool>,
    auto_renew_time: Option<u32>,
    is_system_volume: Option<bool>,
    attachments: Option<Vec<Attachment>>,
    instance_id: Option<String>,
    eip: Option<String>,
    tags: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attachment {
    instance_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tag {
    tag_key: String,
    tag_value: Option<String>,
}

/// The page in a response.
pub(super) fn page(
    context: &CallContext,
    list: &ListQuery,
    response: &ReceivedResponse,
) -> Result<ResourcePage, QueryFailure> {
    codes::check(response)?;
    let unreadable = |problem: &str| response::unreadable(problem, response);
    let place = Place::of(list.cursor.as_deref()).ok_or_else(|| unreadable("no page was asked for"))?;
    let kind = KINDS[place.kind];
    let page = response::json::<Page>(response).ok_or_else(|| unreadable("no list"))?;
    let rows = match kind {
        Kind::Cds => page.volumes,
        Kind::Eip => page.eip_list,
        Kind::Bcc | Kind::Bbc | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => page.instances,
    };
    let rows = rows.ok_or_else(|| unreadable("no list of this kind"))?;
    let next = match (page.is_truncated, page.next_marker) {
        (true, Some(marker)) if !marker.is_empty() => {
            Some(format!("{}/{}/{marker}", place.kind, place.region))
        }
        (true, _) => return Err(unreadable("a page that goes on nowhere")),
        (false, _) => place.next(context.endpoint.is_none()),
    };
    let region = REGIONS[place.region];
    let resources = rows.into_iter().filter_map(|row| resource(kind, region, row).transpose());
    let resources = resources.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    let until = list.expires_until.unwrap_or(Timestamp::MAX);
    let resources = resources.into_iter().filter(|it| it.expires_at.is_none_or(|at| at <= until)).collect();
    Ok(ResourcePage { resources, unknown: Vec::new(), total: None, next })
}

/// The resource in a response; nothing when there is no such one.
pub(super) fn found(
    _: &CallContext,
    find: &FindQuery,
    response: &ReceivedResponse,
) -> Result<ResourcePage, QueryFailure> {
    let unreadable = |problem: &str| response::unreadable(problem, response);
    let target = find.targets.first().ok_or_else(|| unreadable("nothing was asked for"))?;
    let kind = listed_kind(target).map_err(|_| unreadable("nothing of a known kind was asked for"))?;
    let is_absent = codes::refusal(response).is_some_and(|refusal| refusal.code == codes::NO_SUCH_OBJECT);
    let rows = if is_absent {
        Vec::new()
    } else {
        codes::check(response)?;
        let no_resource = || unreadable("no resource");
        match kind {
            Kind::Eip => {
                response::json::<Page>(response).and_then(|page| page.eip_list).ok_or_else(no_resource)?
            }
            Kind::Bcc | Kind::Cds | Kind::Bbc | Kind::Mkt | Kind::Scs | Kind::Rds | Kind::Et => {
                let one = response::json::<One>(response).ok_or_else(no_resource)?;
                vec![one.instance.or(one.volume).ok_or_else(no_resource)?]
            }
        }
    };
    let region = region_of(target);
    let resources = rows.into_iter().filter_map(|row| resource(kind, &region, row).transpose());
    let resources = resources.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    Ok(ResourcePage { resources, unknown: Vec::new(), total: None, next: None })
}

/// A resource; `None` for what goes with its instance or is over.
fn resource(kind: Kind, region: &str, row: Row) -> Result<Option<CloudResource>, &'static str> {
    let Some(stage) = stage(row.status.as_deref().unwrap_or_default()) else { return Ok(None) };
    if row.is_system_volume == Some(true) {
        return Ok(None);
    }
    let charging = match row.payment_timing.to_ascii_lowercase().as_str() {
        "prepaid" => Charging::Prepaid,
        "postpaid" => Charging::Postpaid,
        _ => return Err("a way to pay that the documents do not have"),
    };
    let renews = row.auto_renew.or(row.enable_auto_renew);
    let attached = row.attachments.and_then(|list| list.into_iter().find_map(|one| one.instance_id));
    let attributes = [(shapes::ADDRESS, row.eip), (shapes::NAME, row.name.clone())];
    let attributes = attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let tags = row.tags.unwrap_or_default().into_iter();
    Ok(Some(CloudResource {
        id: row.id.filter(|id| !id.is_empty()).ok_or("a resource without an id")?,
        kind: kind.name().to_owned(),
        name: row.name.unwrap_or_default(),
        attached_to: attached.or(row.instance_id).filter(|id| !id.is_empty()),
        region: region.to_owned(),
        charging,
        stage,
        started_at: instant(row.create_time.as_deref())?,
        expires_at: instant(row.expire_time.as_deref())?.filter(|_| charging == Charging::Prepaid),
        term: None,
        on_expiry: renews.map(|renews| if renews { OnExpiry::Renew } else { OnExpiry::Lapse }),
        renewals_left: None,
        renewal_term: row
            .auto_renew_time
            .filter(|months| *months > 0)
            .map(|count| Term { count, unit: TermUnit::Month }),
        price: None,
        has_unpaid_order: None,
        attributes: attributes.collect(),
        tags: tags.map(|tag| (tag.tag_key, tag.tag_value.unwrap_or_default())).collect(),
    }))
}

/// The stage of a status; `None` for what is over. `paused` is that of an address that expired.
fn stage(status: &str) -> Option<Stage> {
    match status {
        "Expired" | "paused" => Some(Stage::Retention),
        "Deleted" | "Recycled" => None,
        _ => Some(Stage::Active),
    }
}

fn instant(text: Option<&str>) -> Result<Option<Timestamp>, &'static str> {
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| rfc3339::read(text).ok_or("an instant that cannot be read")).transpose()
}
