//! What is at risk: resources that are lost next if nobody does anything, the greatest loss first. Reads the lists of the
//! API; shows nothing.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::micros::Micros;
use serde_json::Value;

use crate::console::address::Address;
use crate::console::failure::Failure;
use crate::console::parts::items;
use crate::console::parts::micros;
use crate::console::parts::plain;
use crate::console::texts as t;
use crate::console::visit::LIST_MAX;
use crate::console::visit::Visit;
use perennial_formats::language::Text;

/// How far ahead "this week" looks, in seconds: as far as the first try of a renewal is before an expiry, and a day.
const WEEK: i64 = 8 * 86_400;

/// Why a resource is at risk; the worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Danger {
    /// It is stopped, and released next.
    Retention,
    /// It has expired, and is stopped next.
    Grace,
    /// Nobody knows whether its renewal was applied.
    InDoubt,
    /// What should renew it failed or was declined.
    Problem,
    /// It expires soon, and nothing renews it.
    Unprotected,
}

impl Danger {
    /// The name of the danger on a page.
    pub(super) const fn text(self) -> Text {
        match self {
            Danger::Retention => t::RISK_RETENTION,
            Danger::Grace => t::RISK_GRACE,
            Danger::InDoubt => t::RISK_IN_DOUBT,
            Danger::Problem => t::RISK_PROBLEM,
            Danger::Unprotected => t::RISK_UNPROTECTED,
        }
    }
}

/// What is at risk, and what is due this week.
#[derive(Debug)]
pub(super) struct Watch {
    /// Each resource at risk, once, with the worst of its dangers.
    pub(super) at_risk: Vec<(Danger, Value)>,
    /// What expires this week, the soonest first.
    pub(super) due: Vec<Value>,
    /// Those whose warnings somebody has acknowledged.
    pub(super) acknowledged: Vec<(Danger, Value)>,
    /// Whether there is more than the lists of the API have on one page.
    pub(super) has_more: bool,
}

/// Looks at everything that expires this week or has expired.
pub(super) async fn watch(visit: &Visit) -> Result<Watch, Failure> {
    let limit = LIST_MAX;
    let list = |address: Address| address.with("limit", Some(limit)).text();
    let of_stage = |stage: &str| list(Address::new("/v1/resources", &[]).with("stage", Some(stage)));
    let soon = Address::new("/v1/resources", &[]).with("stage", Some("active"));
    let soon = list(soon.with("expires_before", Some(visit.frame.now + WEEK)));
    let (retention, grace) = (visit.get(&of_stage("retention")).await?, visit.get(&of_stage("grace")).await?);
    let mut due = visit.get(&soon).await?;
    let in_doubt = visit.get("/v1/attempts?state=in_doubt&limit=100").await?;
    let has_more = [&retention, &grace, &due].into_iter().any(|page| page["next_cursor"].is_string());
    let mut found = BTreeMap::<String, (Danger, Value)>::new();
    let mut add = |danger: Danger, resource: &Value| {
        let id = plain(resource, "id").to_owned();
        let known = found.entry(id).or_insert_with(|| (danger, resource.clone()));
        known.0 = known.0.min(danger);
    };
    items(&retention, "items").iter().for_each(|resource| add(Danger::Retention, resource));
    items(&grace, "items").iter().for_each(|resource| add(Danger::Grace, resource));
    for resource in items(&due, "items") {
        if let Some(danger) = danger_of(resource) {
            add(danger, resource);
        }
    }
    for attempt in items(&in_doubt, "items") {
        let path = Address::new("/v1/resources/{}", &[plain(attempt, "resource")]).text();
        if let Some(resource) = visit.try_get(&path).await? {
            add(Danger::InDoubt, &resource);
        }
    }
    let acknowledged = visit.get("/v1/acknowledgements").await?;
    let acknowledged = items(&acknowledged, "items").iter().map(|one| plain(one, "resource"));
    let acknowledged = acknowledged.collect::<BTreeSet<_>>();
    let mut all = found.into_values().collect::<Vec<_>>();
    all.sort_by_key(|(danger, resource)| {
        (*danger, Reverse(price(resource)), plain(resource, "expires_at").to_owned())
    });
    let mut due = due["items"].take().as_array_mut().map(std::mem::take).unwrap_or_default();
    due.sort_by_cached_key(|resource| plain(resource, "expires_at").to_owned());
    let (acknowledged, at_risk) =
        all.into_iter().partition(|(_, resource)| acknowledged.contains(plain(resource, "id")));
    Ok(Watch { at_risk, acknowledged, due, has_more })
}

/// The danger of a resource that is active and expires this week.
fn danger_of(resource: &Value) -> Option<Danger> {
    if resource["problem"].is_string() {
        return Some(Danger::Problem);
    }
    // What is attached is renewed with what it is attached to; a package ends when it is used up.
    let is_own = resource["attached_to"].is_null() && resource["package"].is_null();
    (is_own && plain(resource, "on_expiry") == "lapse").then_some(Danger::Unprotected)
}

fn price(resource: &Value) -> Micros {
    micros(&resource["price"]).unwrap_or_default()
}
