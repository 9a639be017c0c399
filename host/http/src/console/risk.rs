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
/// How many pages of the API are read of attempts that were declined.
const DECLINED_PAGES_MAX: usize = 10;

/// Why a resource is at risk; the worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Danger {
    /// It is stopped, and released next.
    Retention,
    /// It has expired, and is stopped next.
    Grace,
    /// Nobody knows whether its renewal was applied.
    InDoubt,
    /// There is not enough money for its renewal, or was not when that was tried.
    ShortOfMoney,
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
            Danger::ShortOfMoney => t::RISK_SHORT_OF_MONEY,
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

/// Looks at everything that expires this week or has expired; `accounts` is the API's list of them.
pub(super) async fn watch(visit: &Visit, accounts: &Value) -> Result<Watch, Failure> {
    let limit = LIST_MAX;
    let list = |address: Address| address.with("limit", Some(limit)).text();
    let of_stage = |stage: &str| list(Address::new("/v1/resources", &[]).with("stage", Some(stage)));
    let soon = Address::new("/v1/resources", &[]).with("stage", Some("active"));
    let end = visit.frame.now + WEEK;
    let soon = list(soon.with("expires_before", Some(end)));
    let (retention, grace) = (visit.get(&of_stage("retention")).await?, visit.get(&of_stage("grace")).await?);
    let mut due = visit.get(&soon).await?;
    let in_doubt = visit.get("/v1/attempts?state=in_doubt&limit=100").await?;
    let declined = Address::new("/v1/attempts", &[]).with("state", Some("declined"));
    let (declined, is_whole) = visit.list(&declined, DECLINED_PAGES_MAX).await?;
    let prices =
        Address::new("/v1/prices", &[]).with("stage", Some("active")).with("expires_before", Some(end));
    let prices = visit.get(&list(prices)).await?;
    let has_more =
        !is_whole || [&retention, &grace, &due].into_iter().any(|page| page["next_cursor"].is_string());
    let mut found = BTreeMap::<String, (Danger, Value)>::new();
    let mut add = |danger: Danger, resource: &Value| {
        let id = plain(resource, "id").to_owned();
        let known = found.entry(id).or_insert_with(|| (danger, resource.clone()));
        known.0 = known.0.min(danger);
    };
    items(&retention, "items").iter().for_each(|resource| add(Danger::Retention, resource));
    items(&grace, "items").iter().for_each(|resource| add(Danger::Grace, resource));
    let mut due = due["items"].take().as_array_mut().map(std::mem::take).unwrap_or_default();
    due.sort_by_cached_key(|resource| plain(resource, "expires_at").to_owned());
    for resource in &due {
        if let Some(danger) = danger_of(resource, &declined) {
            add(danger, resource);
        }
    }
    for resource in short_of_money(&due, items(&prices, "items"), items(accounts, "items")) {
        add(Danger::ShortOfMoney, resource);
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
        (Reverse(price(resource)), *danger, plain(resource, "expires_at").to_owned())
    });
    let (acknowledged, at_risk) =
        all.into_iter().partition(|(_, resource)| acknowledged.contains(plain(resource, "id")));
    Ok(Watch { at_risk, acknowledged, due, has_more })
}

/// The danger of a resource that is active and expires this week, where these attempts were declined.
fn danger_of(resource: &Value, declined: &[Value]) -> Option<Danger> {
    let is_of_this_expiry = |attempt: &&Value| {
        attempt["resource"] == resource["id"] && attempt["expires_before"] == resource["expires_at"]
    };
    let classes = declined.iter().filter(is_of_this_expiry).map(|attempt| plain(attempt, "class"));
    let tried = classes.map(|class| if class == "money" { Danger::ShortOfMoney } else { Danger::Problem });
    if let Some(danger) = tried.min() {
        return Some(danger);
    }
    if resource["problem"].is_string() {
        return Some(Danger::Problem);
    }
    // What is attached is renewed with what it is attached to; a package ends when it is used up.
    let is_own = resource["attached_to"].is_null() && resource["package"].is_null();
    (is_own && plain(resource, "on_expiry") == "lapse").then_some(Danger::Unprotected)
}

/// Those of `due`, the soonest first, whose renewal the balance of their account does not cover once those before them are
/// paid. What a renewal of a connected account costs is paid elsewhere.
fn short_of_money<'a>(due: &'a [Value], prices: &[Value], accounts: &[Value]) -> Vec<&'a Value> {
    let managed = accounts.iter().filter(|account| plain(account, "mode") == "managed");
    let mut left = managed
        .filter_map(|account| Some((plain(account, "id"), micros(&account["balance"])?)))
        .collect::<BTreeMap<_, _>>();
    let costs = prices
        .iter()
        .filter_map(|price| Some((plain(price, "resource"), micros(&price["renewal_cost"])?)))
        .collect::<BTreeMap<_, _>>();
    let is_short = |resource: &&Value| {
        let Some(left) = left.get_mut(plain(resource, "account")) else { return false };
        let cost = costs.get(plain(resource, "id")).copied().unwrap_or_default();
        // What does not get its money leaves it to those after it.
        let is_covered = cost <= *left;
        if is_covered {
            *left -= cost;
        }
        !is_covered
    };
    due.iter().filter(|resource| plain(resource, "on_expiry") == "renew").filter(is_short).collect()
}

fn price(resource: &Value) -> Micros {
    micros(&resource["price"]).unwrap_or_default()
}
