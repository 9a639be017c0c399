//! The recycle bin: the instances that have expired and whose data is kept.
//!
//! Document: "Query the list of instances in the recycle bin" (BCC: cloud.baidu.com/doc/BCC/s/8lfqgfr21). Knows the
//! fields of its request and its response; `lists` knows pages.

use plugin_sdk::Timestamp;
use plugin_sdk::calendar::DAY;
use plugin_sdk::provider_api::body::WholeNumber;
use plugin_sdk::provider_api::rfc3339;
use plugin_sdk::settings::get;
use serde::Deserialize;
use serde::Serialize;

use crate::kinds::Kind;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::body;
use crate::provider_api::filters::Filters;
use crate::provider_api::lists;
use crate::provider_api::lists::PageBounds;
use crate::provider_api::lookup::check_id;
use crate::provider_api::problem::Problem;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::views::VisibleResource;
use crate::settings::Settings;

/// The name of the service, as the API writes it.
const SERVICE_NAME: &str = "\u{4e91}\u{670d}\u{52a1}\u{5668}";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Query {
    marker: Option<String>,
    max_keys: Option<WholeNumber>,
    instance_id: Option<String>,
    name: Option<String>,
    payment_timing: Option<String>,
    recycle_begin: Option<String>,
    recycle_end: Option<String>,
}

#[derive(Serialize)]
struct RecycleBinPage<'a> {
    instances: Vec<Instance<'a>>,
}

/// An instance in the recycle bin: `ResourceBo`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Instance<'a> {
    id: &'a str,
    serial_number: &'a str,
    name: &'a str,
    recycle_time: Option<String>,
    delete_time: Option<String>,
    payment_timing: &'static str,
    service_name: &'static str,
    service_type: &'static str,
    config_item: ConfigItem<'a>,
    config_items: [&'static str; 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfigItem<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<u32>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    instance_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spec: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone_name: Option<&'a str>,
}

/// Handles `POST /v2/recycle/instance`.
pub(crate) fn instances(context: &RequestContext, replay: &mut Replay) -> OperationResult {
    let query = body::read::<Query>(context.request)?;
    let bounds = PageBounds::new(query.marker.as_deref(), query.max_keys.map(|WholeNumber(most)| most))?;
    let ids = query.instance_id.filter(|id| !id.is_empty());
    ids.iter().try_for_each(|id| check_id(id))?;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let filters = Filters::of_recycle_bin(
        filled(query.name),
        filled(query.payment_timing).map(|timing| payment_timing(&timing)).transpose()?,
        instant("recycleBegin", filled(query.recycle_begin))?,
        instant("recycleEnd", filled(query.recycle_end))?,
    );
    let ids = ids.map(|id| vec![id]);
    lists::list(context, replay, (Kind::Bcc, ids), bounds, &filters, |visible| RecycleBinPage {
        instances: visible.into_iter().map(|visible| Instance::of(&context.settings, visible)).collect(),
    })
}

/// The billing mode that the request names: the document writes it in one way, the SDK in another.
fn payment_timing(text: &str) -> Result<String, Problem> {
    for (timing, short) in [("Prepaid", "prepay"), ("Postpaid", "postpay")] {
        if text.eq_ignore_ascii_case(timing) || text.eq_ignore_ascii_case(short) {
            return Ok(timing.to_owned());
        }
    }
    Err(Problem::bad_request("`paymentTiming` is `Prepaid` or `Postpaid`"))
}

fn instant(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let at = rfc3339::read_utc(&text);
    let problem = || Problem::bad_request(format!("`{name}` is an instant such as `2026-03-01T00:00:00Z`"));
    at.map(Some).ok_or_else(problem)
}

impl<'a> Instance<'a> {
    /// An instance has no grace: it is put into the recycle bin at its expiry, and deleted at the end of its retention.
    fn of(settings: &Settings, visible: VisibleResource<'a>) -> Instance<'a> {
        let resource = visible.resource;
        let attribute = |name: &str| get(&resource.attributes, name);
        let number = |name: &str| attribute(name).and_then(|value| value.parse().ok());
        let kept = settings.retention_days(Kind::Bcc) * DAY;
        Instance {
            id: &resource.id,
            serial_number: attribute("serialNumber").unwrap_or(&resource.id),
            name: visible.name(),
            recycle_time: visible.expires_at.map(rfc3339::write),
            delete_time: visible.expires_at.map(|at| rfc3339::write(at.saturating_add(kept))),
            payment_timing: "prepay",
            service_name: SERVICE_NAME,
            service_type: "BCC",
            config_item: ConfigItem {
                cpu: number("cpuCount"),
                memory: number("memoryCapacityInGB"),
                instance_type: attribute("instanceType"),
                spec: attribute("spec"),
                zone_name: attribute("zoneName"),
            },
            config_items: [],
        }
    }
}
