//! What the renewals of this week met with: the last event of each resource that kept it from being renewed. Reads the
//! events of the API; shows nothing.

use std::collections::BTreeMap;

use perennial_domain::timestamp::Timestamp;
use serde_json::Value;

use crate::console::address;
use crate::console::address::Address;
use crate::console::danger::Danger;
use crate::console::danger::WEEK;
use crate::console::failure::Failure;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::visit::Visit;

/// How many pages of the API are read of each type of event.
const PAGES_MAX: usize = 10;
/// The types of event that say how a try of the clock ended.
const TYPES: [&str; 4] = ["renewal_declined", "policy_ruled", "approval_decided", "approval_expired"];

/// The last event that kept a resource from being renewed.
struct Setback<'e> {
    at: Timestamp,
    danger: Option<Danger>,
    event: &'e Value,
}

/// The danger of each of `due` whose last try failed or was not made, by its ID.
pub(super) async fn of(visit: &Visit, due: &[Value]) -> Result<BTreeMap<String, Danger>, Failure> {
    let mut events = Vec::new();
    for kind in TYPES {
        let of_kind = Address::new("/v1/events", &[]).with("type", Some(kind));
        let of_kind = of_kind.with("since", Some(visit.frame.now - WEEK));
        events.extend(visit.list(&of_kind, PAGES_MAX).await?.0);
    }
    let mut last = BTreeMap::<&str, Setback<'_>>::new();
    for event in events.iter().filter(|event| is_of_the_clock(event)) {
        let Ok(at) = plain(event, "at").parse::<Timestamp>() else { continue };
        let setback = Setback { at, danger: danger_of(event), event };
        match last.get_mut(plain(event, "resource")) {
            Some(known) if known.at > at => {}
            // Several policies rule on one plan, and the worst ruling is what follows.
            Some(known) if known.at == at && known.danger.is_some() => {
                let danger = setback.danger.map_or(known.danger, |danger| known.danger.min(Some(danger)));
                known.danger = danger;
            }
            _ => {
                last.insert(plain(event, "resource"), setback);
            }
        }
    }
    let mut found = BTreeMap::new();
    for resource in due {
        let id = plain(resource, "id");
        let Some(Setback { at, danger: Some(danger), event }) = last.get(id) else { continue };
        let counts = match danger {
            // Put off until a day before the expiry is no loss.
            Danger::Deferred => outlasts(event, resource),
            Danger::Rejected => is_of_an_automatic_renewal(visit, event).await?,
            Danger::Retention
            | Danger::Grace
            | Danger::InDoubt
            | Danger::PluginFailing
            | Danger::ShortOfMoney
            | Danger::Denied
            | Danger::Problem
            | Danger::Held
            | Danger::Unprotected
            | Danger::PackageEnding
            | Danger::PackageUsedUp => true,
        };
        if counts && !was_renewed_since(visit, resource, *at).await? {
            found.insert(id.to_owned(), *danger);
        }
    }
    Ok(found)
}

/// Whether an event says something of a try of the clock. What became of a command does not keep the clock from trying.
fn is_of_the_clock(event: &Value) -> bool {
    plain(event, "type") != "policy_ruled" || plain(event, "cause") == "auto" && event["shadow"] != true
}

/// What an event means for the resource, as far as the event itself says it.
fn danger_of(event: &Value) -> Option<Danger> {
    let will_retry = event["will_retry"] == true;
    match (plain(event, "type"), plain(event, "ruling")) {
        ("renewal_declined", _) if plain(event, "class") == "money" => Some(Danger::ShortOfMoney),
        ("renewal_declined", _) => Some(Danger::Problem),
        ("policy_ruled", "denied") => Some(Danger::Denied),
        ("policy_ruled", "deferred") => Some(Danger::Deferred),
        ("approval_decided", _) if plain(event, "decision") == "rejected" && !will_retry => {
            Some(Danger::Rejected)
        }
        ("approval_expired", _) if plain(event, "reason") == "undecided" && !will_retry => {
            Some(Danger::Rejected)
        }
        _ => None,
    }
}

/// Whether a renewal was put off until its resource has expired.
fn outlasts(event: &Value, resource: &Value) -> bool {
    let instant = |object: &Value, name: &str| plain(object, name).parse::<Timestamp>().ok();
    let (until, expires_at) = (instant(event, "until"), instant(resource, "expires_at"));
    until.is_some_and(|until| expires_at.is_some_and(|expires_at| until >= expires_at))
}

/// Whether the approval of an event was of the clock's renewal, and not of a command.
async fn is_of_an_automatic_renewal(visit: &Visit, event: &Value) -> Result<bool, Failure> {
    let approval = visit.try_get(&address::to("/v1/approvals/{}", &[plain(event, "approval")])).await?;
    Ok(approval.is_none_or(|approval| plain(&approval, "cause") == "auto"))
}

/// Whether a resource was renewed after `at`. A renewal by a month or more takes it out of this week.
async fn was_renewed_since(visit: &Visit, resource: &Value, at: Timestamp) -> Result<bool, Failure> {
    let is_by_days = |name: &str| plain(&resource[name], "unit") == "day";
    if !is_by_days("term") && !is_by_days("renewal_term") {
        return Ok(false);
    }
    let renewed = Address::new("/v1/events", &[]).with("resource", Some(plain(resource, "id")));
    let renewed = renewed.with("type", Some("renewal_settled")).with("since", Some(at + 1));
    Ok(!items(&visit.get(&renewed.with("limit", Some(1)).text()).await?, "items").is_empty())
}
