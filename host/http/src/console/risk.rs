//! What is at risk: resources that are lost next if nobody does anything, the greatest loss first. Reads the lists of the
//! API; shows nothing.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::micros::Micros;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;
use perennial_domain::timestamp::Timestamp;
use serde_json::Value;

use crate::console::address::Address;
use crate::console::danger::Danger;
use crate::console::danger::WEEK;
use crate::console::failure::Failure;
use crate::console::parts::items;
use crate::console::parts::micros;
use crate::console::parts::plain;
use crate::console::setbacks;
use crate::console::visit::LIST_MAX;
use crate::console::visit::Visit;

/// As many resources as a page shows of those that are at risk.
pub(super) const ROWS_MAX: usize = 25;
/// How many resources beyond those of this week are looked up because of an approval of theirs.
const LOOKED_UP_MAX: usize = 50;
/// How many resources one address names; the longest IDs, escaped, stay below the most bytes that an address may have.
const ADDRESS_IDS_MAX: usize = 50;
/// How many bundles are looked up that are parked: whatever is due of them waits, however far away their expiry is.
const PARKED_MAX: usize = 100;

/// What is at risk, and what is due this week.
#[derive(Debug)]
pub(super) struct Watch {
    /// Each resource at risk, once, with the worst of its dangers.
    pub(super) at_risk: Vec<(Danger, Value)>,
    /// What expires this week, the soonest first.
    pub(super) due: Vec<Value>,
    /// Those whose warnings somebody has acknowledged.
    pub(super) acknowledged: Vec<(Danger, Value)>,
    /// Whether there are more at risk than were read; those that were have the highest prices of their stage.
    pub(super) has_more: bool,
    /// Whether more is due than was looked at, which is what expires the soonest.
    pub(super) has_more_due: bool,
}

/// What is found to be at risk: each resource once, with the worst of its dangers.
#[derive(Default)]
struct RiskList(BTreeMap<String, (Danger, Value)>);

impl RiskList {
    fn add(&mut self, danger: Danger, resource: &Value) {
        let id = plain(resource, "id").to_owned();
        let known = self.0.entry(id).or_insert_with(|| (danger, resource.clone()));
        known.0 = known.0.min(danger);
    }

    fn danger(&self, resource: &Value) -> Option<Danger> {
        self.0.get(plain(resource, "id")).map(|(danger, _)| *danger)
    }
}

/// Looks at everything that expires this week or has expired; `accounts` and `approvals`, the pending ones, are the API's
/// lists of them.
pub(super) async fn watch(visit: &Visit, accounts: &Value, approvals: &Value) -> Result<Watch, Failure> {
    let acknowledged = visit.get("/v1/acknowledgements").await?;
    let acknowledged = items(&acknowledged, "items").iter().map(|one| plain(one, "resource"));
    let acknowledged = acknowledged.collect::<BTreeSet<_>>();
    let resources = Address::new("/v1/resources", &[]);
    // What is put aside stands beside the rows that are shown.
    let most = (ROWS_MAX + acknowledged.len()).min(LIST_MAX);
    let of_stage = |stage: &str| {
        let list = resources.clone().with("stage", Some(stage)).with("sort", Some("price"));
        list.with("limit", Some(most)).text()
    };
    let (retention, grace) = (visit.get(&of_stage("retention")).await?, visit.get(&of_stage("grace")).await?);
    let due = resources.clone().with("stage", Some("active")).with("sort", Some("expires_at"));
    let due = due.with("expires_before", Some(visit.frame.now + WEEK)).with("limit", Some(LIST_MAX));
    let mut due = visit.get(&due.text()).await?;
    let has_more_due = due["next_cursor"].is_string();
    let due = due["items"].take().as_array_mut().map(std::mem::take).unwrap_or_default();
    let mut found = RiskList::default();
    items(&retention, "items").iter().for_each(|resource| found.add(Danger::Retention, resource));
    items(&grace, "items").iter().for_each(|resource| found.add(Danger::Grace, resource));
    let setbacks = setbacks::of(visit, &due).await?;
    for resource in &due {
        let danger = setbacks.get(plain(resource, "id")).copied();
        if let Some(danger) = danger.or_else(|| danger_of(resource)) {
            found.add(danger, resource);
        }
    }
    add_held(visit, &due, approvals, &mut found).await?;
    add_parked(visit, &mut found).await?;
    let pays = |resource: &&Value| !found.danger(resource).is_some_and(Danger::keeps_from_paying);
    let short = short_of_money(due.iter().filter(pays), items(accounts, "items"));
    short.into_iter().for_each(|resource| found.add(Danger::ShortOfMoney, resource));
    let in_doubt = visit.get("/v1/attempts?state=in_doubt&limit=100").await?;
    let in_doubt = looked_up(visit, items(&in_doubt, "items")).await?;
    in_doubt.iter().for_each(|resource| found.add(Danger::InDoubt, resource));
    let has_more = [&retention, &grace].into_iter().any(|page| page["next_cursor"].is_string());
    let mut all = found.0.into_values().collect::<Vec<_>>();
    all.sort_by_key(|(danger, resource)| {
        (Reverse(price(resource)), *danger, plain(resource, "expires_at").to_owned())
    });
    let (acknowledged, at_risk) =
        all.into_iter().partition(|(_, resource)| acknowledged.contains(plain(resource, "id")));
    Ok(Watch { at_risk, acknowledged, due, has_more, has_more_due })
}

/// Adds what expires this week while its renewal waits for an approval, also beyond what was read of this week.
async fn add_held(
    visit: &Visit,
    due: &[Value],
    approvals: &Value,
    found: &mut RiskList,
) -> Result<(), Failure> {
    let due = due.iter().map(|resource| (plain(resource, "id"), resource)).collect::<BTreeMap<_, _>>();
    let renewals = items(approvals, "items").iter().filter(|approval| plain(approval, "command") == "renew");
    let mut others = Vec::new();
    for approval in renewals {
        match due.get(plain(approval, "resource")) {
            Some(resource) => found.add(Danger::Held, resource),
            None => others.push(approval),
        }
    }
    others.sort_by_key(|approval| Reverse(micros(&approval["cost"])));
    for resource in looked_up(visit, others.into_iter().take(LOOKED_UP_MAX)).await? {
        let expires_at = plain(&resource, "expires_at").parse::<Timestamp>().ok();
        if plain(&resource, "stage") == "active" && expires_at.is_some_and(|at| at < visit.frame.now + WEEK) {
            found.add(Danger::Held, &resource);
        }
    }
    Ok(())
}

/// Adds the bundles that are parked.
async fn add_parked(visit: &Visit, found: &mut RiskList) -> Result<(), Failure> {
    let parked = Address::new("/v1/plugins/parked", &[]).with("limit", Some(PARKED_MAX));
    let parked = visit.get(&parked.text()).await?;
    let parked = looked_up(visit, items(&parked, "items")).await?;
    parked.iter().for_each(|resource| found.add(Danger::PluginFailing, resource));
    Ok(())
}

/// The resources that some items of the API's lists are about, looked up together.
async fn looked_up<'v>(
    visit: &Visit,
    items_of_a_list: impl IntoIterator<Item = &'v Value>,
) -> Result<Vec<Value>, Failure> {
    let ids = items_of_a_list.into_iter().map(|item| plain(item, "resource")).collect::<BTreeSet<_>>();
    let mut resources = Vec::new();
    for ids in ids.into_iter().collect::<Vec<_>>().chunks(ADDRESS_IDS_MAX) {
        let list = Address::new("/v1/resources", &[]).with("limit", Some(ADDRESS_IDS_MAX));
        let list = ids.iter().fold(list, |list, id| list.with("id", Some(id)));
        let mut found = visit.get(&list.text()).await?;
        resources.append(found["items"].as_array_mut().unwrap_or(&mut Vec::new()));
    }
    Ok(resources)
}

/// The danger of a resource that is active and expires this week, and whose renewal met with nothing yet.
fn danger_of(resource: &Value) -> Option<Danger> {
    if resource["problem"].is_string() {
        return Some(Danger::PluginFailing);
    }
    // What is attached is renewed with what it is attached to; a package ends when it is used up.
    let is_own = resource["attached_to"].is_null() && resource["package"].is_null();
    (is_own && plain(resource, "on_expiry") == "lapse").then_some(Danger::Unprotected)
}

/// Those of `due`, the soonest first, whose renewal the balance of their account does not cover once those before them are
/// paid. What a renewal of a connected account costs is paid elsewhere.
fn short_of_money<'a>(due: impl Iterator<Item = &'a Value>, accounts: &'a [Value]) -> Vec<&'a Value> {
    let managed = accounts.iter().filter(|account| plain(account, "mode") == "managed");
    let mut left = managed
        .filter_map(|account| Some((plain(account, "id"), micros(&account["balance"])?)))
        .collect::<BTreeMap<_, _>>();
    let is_short = |resource: &&Value| {
        let Some(left) = left.get_mut(plain(resource, "account")) else { return false };
        let cost = renewal_cost(resource);
        // What does not get its money leaves it to those after it.
        let is_covered = cost <= *left;
        if is_covered {
            *left -= cost;
        }
        !is_covered
    };
    due.filter(|resource| plain(resource, "on_expiry") == "renew").filter(is_short).collect()
}

/// What the next renewal of a resource costs, as `GET /v1/prices` counts it.
fn renewal_cost(resource: &Value) -> Micros {
    let (bought, renewed) = (term(&resource["term"]), term(&resource["renewal_term"]));
    match (bought, renewed) {
        (Some(bought), Some(renewed)) => renewed.price(price(resource), bought, 0),
        (_, _) => price(resource),
    }
}

fn term(value: &Value) -> Option<Term> {
    let unit = TermUnit::ALL.into_iter().find(|unit| plain(value, "unit") == unit.name())?;
    Term::new(u32::try_from(value["count"].as_u64()?).ok()?, unit)
}

fn price(resource: &Value) -> Micros {
    micros(&resource["price"]).unwrap_or_default()
}
