//! The renewals of every kind, as Finance lists them, and the making of auto-renew rules there.
//!
//! Document: "Automatic Renewal API" (Finance: cloud.baidu.com/doc/Finance/s/Pmckgkjnt). Knows the kinds by the names
//! that Finance has for them; `crate::auto_renewal` decides what a rule covers.

use plugin_sdk::Charging;
use plugin_sdk::Stage;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::calendar::DAY;
use plugin_sdk::provider_api::ResourceFilter;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::body::WholeNumber;
use plugin_sdk::provider_api::filter::LIMIT_MAX;
use plugin_sdk::provider_api::filter::Pages;
use plugin_sdk::provider_api::mutation;
use plugin_sdk::provider_api::rfc3339;
use serde::Deserialize;
use serde::Serialize;

use crate::kinds::Kind;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::Stop;
use crate::provider_api::auto_renewals;
use crate::provider_api::body;
use crate::provider_api::body::required;
use crate::provider_api::body::rule_term;
use crate::provider_api::changes;
use crate::provider_api::changes::InPlace;
use crate::provider_api::filters::VALUES_MAX;
use crate::provider_api::lookup;
use crate::provider_api::lookup::PAGES_MAX;
use crate::provider_api::lookup::check_id;
use crate::provider_api::lookup::of_kind;
use crate::provider_api::problem::Problem;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::response;
use crate::provider_api::views::VisibleResource;

/// What stands for a member account that the account is not.
const NO_MEMBER: &str = "/";

/// The most days ahead of an expiry.
const EXPIRED_DAYS_MAX: i64 = 90;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Query {
    query_account_id: Option<String>,
    service_type: Option<String>,
    region: Option<String>,
    expired_days: Option<WholeNumber>,
    short_or_instance_ids: Option<Vec<String>>,
    page_no: Option<WholeNumber>,
    page_size: Option<WholeNumber>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    account_id: Option<String>,
    service_type: Option<String>,
    region: Option<String>,
    instance_id: Option<String>,
    renew_time_unit: Option<String>,
    renew_time: Option<WholeNumber>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    account_id: &'a str,
    login_name: &'a str,
    sub_account_id: &'static str,
    sub_login_name: &'static str,
    ou_name: &'static str,
    page_no: u32,
    page_size: u32,
    total_count: u32,
    resources: Vec<Renewal<'a>>,
}

/// A resource with its rule: `RenewResource`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Renewal<'a> {
    service_type: String,
    region: &'a str,
    short_id: &'a str,
    account_id: &'a str,
    instance_id: &'a str,
    expire_time: Option<String>,
    /// False for system disks only, which are not known here.
    alone_renew_enable: bool,
    already_renew_set: bool,
    renew_time_unit: Option<&'static str>,
    renew_time: Option<String>,
}

/// Handles `POST /v1/renew/resource/list`.
pub(crate) fn list(context: &RequestContext, replay: &mut Replay) -> OperationResult {
    let query = body::read::<Query>(context.request)?;
    check_account(context, query.query_account_id.as_deref())?;
    let kind = kind(query.service_type.as_deref())?;
    let ids = query.short_or_instance_ids.unwrap_or_default();
    if ids.len() > VALUES_MAX {
        let message = format!("`shortOrInstanceIds` names up to {VALUES_MAX} resources");
        return Err(Problem::bad_request(message).into());
    }
    ids.iter().try_for_each(|id| check_id(id))?;
    let page_no = number("pageNo", query.page_no, 1, 1, i64::from(u32::MAX))?;
    let page_size = number("pageSize", query.page_size, 100, 1, i64::from(LIMIT_MAX))?;
    let days = query.expired_days.map(|days| number("expiredDays", Some(days), 0, 0, EXPIRED_DAYS_MAX));
    let days = days.transpose()?;
    let region = query.region.filter(|region| !region.is_empty());
    let filter = ResourceFilter {
        ids,
        charging: Some(Charging::Prepaid),
        stages: vec![Stage::Active, Stage::Grace, Stage::Retention],
        expires_until: days.map(|days| context.at.saturating_add(i64::from(days) * DAY)),
        offset: (page_no - 1).saturating_mul(page_size),
        limit: page_size,
        ..of_kind(kind)
    };
    let (total_count, resources) = match region {
        None => {
            let page = replay.resources(filter)?;
            (page.total, page.resources.iter().collect::<Vec<_>>())
        }
        Some(region) => in_region(replay, filter, &region)?,
    };
    let page = Page {
        account_id: context.account,
        login_name: context.account,
        sub_account_id: NO_MEMBER,
        sub_login_name: NO_MEMBER,
        ou_name: NO_MEMBER,
        page_no,
        page_size,
        total_count,
        resources: resources.into_iter().map(|resource| Renewal::of(context, kind, resource)).collect(),
    };
    Ok(response::object(context.id(), &page))
}

/// Handles `POST /v1/renew/resource/rule/create`.
pub(crate) fn create_rule(context: &RequestContext, replay: &mut Replay) -> OperationResult {
    let rule = body::read::<Rule>(context.request)?;
    check_account(context, rule.account_id.as_deref())?;
    let kind = kind(rule.service_type.as_deref())?;
    let region = required("region", rule.region)?;
    let id = required("instanceId", rule.instance_id)?;
    required("renewTimeUnit", rule.renew_time_unit.as_ref())?;
    required("renewTime", rule.renew_time)?;
    let term = rule_term(rule.renew_time_unit.as_deref(), rule.renew_time)?;
    let resource = lookup::by_id(replay, kind, &id)?;
    if resource.region != region {
        return Err(Problem::no_such_object(&format!("{} in `{region}`", kind.name()), &id).into());
    }
    let in_place = InPlace::from(auto_renewals::has_rule(resource, term));
    let command = mutation::command(&resource.id, auto_renewals::create_command(term));
    changes::change(context, replay, in_place, vec![command])
}

/// Checks that the account asks about itself: no account is the main account of another one here.
fn check_account(context: &RequestContext, account: Option<&str>) -> Result<(), Problem> {
    match account {
        None | Some("") => Ok(()),
        Some(account) if account == context.account => Ok(()),
        Some(account) => {
            Err(Problem::new("AccessDenied", format!("`{account}` is not the account of this access key")))
        }
    }
}

/// The kind that Finance calls by its name in capital letters, such as `BCC`.
fn kind(service_type: Option<&str>) -> Result<Kind, Problem> {
    let name = required("serviceType", service_type)?;
    let named = Kind::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name));
    named.ok_or_else(|| {
        let known = Kind::ALL.map(|kind| format!("`{}`", kind.name().to_uppercase())).join(", ");
        Problem::bad_request(format!("`serviceType` is `{name}`; it is one of {known}"))
    })
}

fn number(
    name: &str,
    number: Option<WholeNumber>,
    default: u32,
    least: i64,
    most: i64,
) -> Result<u32, Problem> {
    let Some(WholeNumber(number)) = number else { return Ok(default) };
    let number = u32::try_from(number).ok().filter(|number| (least..=most).contains(&i64::from(*number)));
    number.ok_or_else(|| Problem::bad_request(format!("`{name}` is {least} to {most}")))
}

/// The resources of a region on the page that the filter asks for, and how many there are. The host does not know
/// regions, so this reads every resource of the kind, up to [`PAGES_MAX`] pages of them.
fn in_region<'a>(
    replay: &mut Replay<'a>,
    filter: ResourceFilter,
    region: &str,
) -> Result<(u32, Vec<&'a ResourceView>), Stop> {
    let (offset, limit) = (filter.offset as usize, filter.limit as usize);
    let mut pages = Pages::new(ResourceFilter { offset: 0, limit: LIMIT_MAX, ..filter }, PAGES_MAX);
    let mut found = Vec::new();
    while let Some(page) = pages.next(replay)? {
        found.extend(page.resources.iter().filter(|resource| resource.region == region));
    }
    let total = u32::try_from(found.len()).unwrap_or(u32::MAX);
    Ok((total, found.into_iter().skip(offset).take(limit).collect()))
}

impl<'a> Renewal<'a> {
    fn of(context: &RequestContext<'a>, kind: Kind, resource: &'a ResourceView) -> Renewal<'a> {
        let visible = VisibleResource::of(context, resource);
        let term = resource.renewal_term.or(resource.term).filter(|_| visible.renews());
        // No rule renews by days: that of what was imported with such a term is refused, and has no unit here.
        let said = term.and_then(|term| Some((unit(term)?, term.count.to_string())));
        Renewal {
            service_type: kind.name().to_uppercase(),
            region: &resource.region,
            short_id: &resource.id,
            account_id: context.account,
            instance_id: &resource.id,
            expire_time: visible.expires_at.map(rfc3339::write),
            alone_renew_enable: true,
            already_renew_set: visible.renews(),
            renew_time_unit: said.as_ref().map(|(unit, _)| *unit),
            renew_time: said.map(|(_, count)| count),
        }
    }
}

/// The unit of a rule's term; `None` of days.
fn unit(term: Term) -> Option<&'static str> {
    match term.unit {
        TermUnit::Day => None,
        TermUnit::Month => Some("month"),
        TermUnit::Year => Some("year"),
    }
}
