//! What lies ahead of single resources, as the API's timelines have it: when a renewal is tried, and when a stage ends. Knows
//! no page.

use perennial_domain::timestamp::Timestamp;
use serde_json::Value;

use crate::console::address;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::visit::Visit;

/// As many occurrences as are looked at of one bundle; the first ones are what matters here.
const OCCURRENCES_MAX: usize = 200;

/// The timeline of the bundle of a resource, in time order; empty where its plugin says nothing.
async fn timeline(visit: &Visit, resource: &Value) -> Vec<Value> {
    let path = address::to("/v1/resources/{}/timeline", &[plain(resource, "id")]);
    let timeline = visit.get(&format!("{path}?limit={OCCURRENCES_MAX}")).await.unwrap_or_default();
    items(&timeline, "items").to_vec()
}

/// The next try that renews a resource: one of its own, or one of what it is attached to.
pub(super) async fn next_try(visit: &Visit, resource: &Value) -> Option<Timestamp> {
    let own = [&resource["id"], &resource["attached_to"]];
    let timeline = timeline(visit, resource).await;
    let next =
        timeline.iter().find(|one| plain(one, "action") == "try_renewal" && own.contains(&&one["resource"]));
    plain(next?, "at").parse().ok()
}

/// When a resource enters its next stage if nobody does anything, as the API writes instants; null if never.
pub(super) async fn next_stage(visit: &Visit, resource: &Value) -> Value {
    let timeline = timeline(visit, resource).await;
    let next =
        timeline.iter().find(|one| plain(one, "action") == "enter" && one["resource"] == resource["id"]);
    next.map_or(Value::Null, |next| next["at"].clone())
}
