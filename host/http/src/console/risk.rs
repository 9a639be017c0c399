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
use crate::console::ahead;
use crate::console::danger::Danger;
use crate::console::danger::WEEK;
use crate::console::failure::Failure;
use crate::console::package_risk;
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
/// How many timelines are read to see whether something that seems lost is renewed in time, or when its renewal is tried. What
/// has the highest price is looked at; the rest is taken for lost.
const TIMELINES_MAX: usize = 50;
/// How many bundles are looked up that are parked: whatever is due of them waits, however far away their expiry is.
const PARKED_MAX: usize = 100;

/// A resource at risk.
#[derive(Debug)]
pub(super) struct Risk {
    /// The worst of its dangers.
    pub(super) danger: Danger,
    /// The resource, as the API lists it.
    pub(super) resource: Value,
    /// When what has expired is stopped or released, as the API writes instants; null for what has not, or is not shown.
    pub(super) next_stage_at: Value,
    /// The acknowledgement of its warnings, as the API lists it; null if nobody has acknowledged them.
    pub(super) acknowledgement: Value,
}

/// What is at risk, and what is due this week.
#[derive(Debug)]
pub(super) struct Watch {
    /// Each resource at risk, once, the greatest loss first.
    pub(super) at_risk: Vec<Risk>,
    /// What expires this week, the soonest first.
    pub(super) due: Vec<Value>,
    /// Those whose warnings somebody has acknowledged.
    pub(super) acknowledged: Vec<Risk>,
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

    /// All of them, the greatest loss first; `acknowledged` are the acknowledgements by their resources.
    fn into_risks(self, acknowledged: &BTreeMap<&str, &Value>) -> Vec<Risk> {
        let risk = |(danger, resource): (Danger, Value)| {
            let acknowledgement =
                acknowledged.get(plain(&resource, "id")).map_or(Value::Null, |one| (*one).clone());
            Risk { danger, resource, next_stage_at: Value::Null, acknowledgement }
        };
        let mut all = self.0.into_values().map(risk).collect::<Vec<_>>();
        all.sort_by_key(|risk| {
            (Reverse(price(&risk.resource)), risk.danger, plain(&risk.resource, "expires_at").to_owned())
        });
        all
    }
}

/// Looks at everything that expires this week, is paid for this week or has expired; `accounts` and `approvals`, the pending
/// ones, are the API's lists of them.
pub(super) async fn watch(visit: &Visit, accounts: &Value, approvals: &Value) -> Result<Watch, Failure> {
    let acknowledged = visit.get("/v1/acknowledgements").await?;
    let acknowledged = items(&acknowledged, "items").iter().map(|one| (plain(one, "resource"), one));
    let acknowledged = acknowledged.collect::<BTreeMap<_, _>>();
    // What is put aside stands beside the rows that are shown.
    let most = (ROWS_MAX + acknowledged.len()).min(LIST_MAX);
    let of_stage = |stage: &str| {
        let list = Address::new("/v1/resources", &[]).with("stage", Some(stage)).with("sort", Some("price"));
        list.with("limit", Some(most)).text()
    };
    let (retention, grace) = (visit.get(&of_stage("retention")).await?, visit.get(&of_stage("grace")).await?);
    let (due, later, has_more_due) = due(visit).await?;
    let mut found = RiskList::default();
    items(&retention, "items").iter().for_each(|resource| found.add(Danger::Retention, resource));
    items(&grace, "items").iter().for_each(|resource| found.add(Danger::Grace, resource));
    let setbacks = setbacks::of(visit, &due).await?;
    for resource in &due {
        let failing = resource["problem"].is_string().then_some(Danger::PluginFailing);
        if let Some(danger) = setbacks.get(plain(resource, "id")).copied().or(failing) {
            found.add(danger, resource);
        }
    }
    let has_more_lapsing = add_unprotected(visit, &mut found).await?;
    let packages =
        Address::new("/v1/packages", &[]).with("stage", Some("active")).with("limit", Some(LIST_MAX));
    let packages = visit.get(&packages.text()).await?;
    package_risk::of(items(&packages, "items"), visit.frame.now)
        .for_each(|(danger, package)| found.add(danger, package));
    add_held(visit, &due, approvals, &mut found).await?;
    add_parked(visit, &mut found).await?;
    add_short_of_money(visit, (&due, &later), accounts, &mut found).await?;
    let in_doubt = visit.get("/v1/attempts?state=in_doubt&limit=100").await?;
    let in_doubt = looked_up(visit, ids(items(&in_doubt, "items"), "resource")).await?;
    in_doubt.iter().for_each(|resource| found.add(Danger::InDoubt, resource));
    let has_more = has_more_lapsing || [&retention, &grace, &packages].into_iter().any(has_next);
    let (acknowledged, at_risk) = found
        .into_risks(&acknowledged)
        .into_iter()
        .partition::<Vec<_>, _>(|risk| risk.acknowledgement.is_object());
    let [at_risk, acknowledged] = [at_risk, acknowledged].map(|risks| with_next_stages(visit, risks));
    Ok(Watch { at_risk: at_risk.await, acknowledged: acknowledged.await, due, has_more, has_more_due })
}

/// Whether a list of the API goes on behind this page of it.
fn has_next(page: &Value) -> bool {
    page["next_cursor"].is_string()
}

/// What expires this week, and what expires so soon afterwards that its renewal may be tried this week, the soonest first; and
/// whether more expires this week than was read.
async fn due(visit: &Visit) -> Result<(Vec<Value>, Vec<Value>, bool), Failure> {
    let ends = visit.frame.now + WEEK;
    let list =
        Address::new("/v1/resources", &[]).with("stage", Some("active")).with("sort", Some("expires_at"));
    let list = list.with("expires_before", Some(ends + WEEK)).with("limit", Some(LIST_MAX));
    let mut page = visit.get(&list.text()).await?;
    let mut due = page["items"].take().as_array_mut().map(std::mem::take).unwrap_or_default();
    let is_due =
        |resource: &Value| plain(resource, "expires_at").parse::<Timestamp>().is_ok_and(|at| at < ends);
    let later = due.split_off(due.partition_point(is_due));
    let has_more = has_next(&page) && later.is_empty();
    Ok((due, later, has_more))
}

/// Says of what is shown of those that have expired when they are stopped or released.
async fn with_next_stages(visit: &Visit, mut risks: Vec<Risk>) -> Vec<Risk> {
    for risk in risks.iter_mut().take(ROWS_MAX) {
        if matches!(risk.danger, Danger::Retention | Danger::Grace) {
            risk.next_stage_at = ahead::next_stage(visit, &risk.resource).await;
        }
    }
    risks
}

/// Adds what lapses this week and has no renewal path; true if there is more than was read, which has the highest prices.
async fn add_unprotected(visit: &Visit, found: &mut RiskList) -> Result<bool, Failure> {
    let list =
        Address::new("/v1/resources", &[]).with("risk", Some("unprotected")).with("stage", Some("active"));
    let list = list.with("expires_before", Some(visit.frame.now + WEEK)).with("sort", Some("price"));
    let page = visit.get(&list.with("limit", Some(LIST_MAX)).text()).await?;
    // A package ends when it is used up, too: that is looked at elsewhere.
    let lapses = |one: &&Value| plain(one, "on_expiry") == "lapse" && one["package"].is_null();
    let lapsing = items(&page, "items").iter().filter(lapses).collect::<Vec<_>>();
    let primaries = looked_up(visit, ids(lapsing.iter().copied(), "attached_to")).await?;
    // What goes on by itself may take along what expires before it.
    let may_take = |one: &&Value| plain(one, "on_expiry") == "renew" || one["attached_to"].is_string();
    let primaries = primaries.iter().filter(may_take).map(|one| plain(one, "id")).collect::<BTreeSet<_>>();
    let mut looked_at = 0;
    for resource in lapsing {
        let may_be_taken = primaries.contains(plain(resource, "attached_to")) && looked_at < TIMELINES_MAX;
        looked_at += usize::from(may_be_taken);
        let is_taken = may_be_taken && {
            let expires_at = plain(resource, "expires_at").parse::<Timestamp>().ok();
            ahead::next_try(visit, resource).await.is_some_and(|at| Some(at) <= expires_at)
        };
        if !is_taken {
            found.add(Danger::Unprotected, resource);
        }
    }
    Ok(has_next(&page))
}

/// Adds what expires this week, or is tried this week, and whose renewal the balance of its account does not cover.
async fn add_short_of_money(
    visit: &Visit,
    (due, later): (&[Value], &[Value]),
    accounts: &Value,
    found: &mut RiskList,
) -> Result<(), Failure> {
    let pays = |resource: &&Value| !found.danger(resource).is_some_and(Danger::keeps_from_paying);
    let mut short = short_of_money(due.iter().chain(later).filter(pays), items(accounts, "items"));
    short.sort_by_key(|resource| Reverse(price(resource)));
    let ends = visit.frame.now + WEEK;
    let mut looked_at = 0;
    for resource in short {
        let is_due = plain(resource, "expires_at").parse::<Timestamp>().is_ok_and(|at| at < ends);
        if !is_due {
            looked_at += 1;
            if looked_at > TIMELINES_MAX || ahead::next_try(visit, resource).await.is_none_or(|at| at >= ends)
            {
                continue;
            }
        }
        found.add(Danger::ShortOfMoney, resource);
    }
    Ok(())
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
    for resource in looked_up(visit, ids(others.into_iter().take(LOOKED_UP_MAX), "resource")).await? {
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
    let parked = looked_up(visit, ids(items(&parked, "items"), "resource")).await?;
    parked.iter().for_each(|resource| found.add(Danger::PluginFailing, resource));
    Ok(())
}

/// What the field `name` of each item says, once.
fn ids<'v>(items: impl IntoIterator<Item = &'v Value>, name: &str) -> BTreeSet<&'v str> {
    items.into_iter().filter_map(|item| item[name].as_str()).collect()
}

/// Resources by their IDs.
async fn looked_up(visit: &Visit, ids: BTreeSet<&str>) -> Result<Vec<Value>, Failure> {
    let mut resources = Vec::new();
    for ids in ids.into_iter().collect::<Vec<_>>().chunks(ADDRESS_IDS_MAX) {
        let list = Address::new("/v1/resources", &[]).with("limit", Some(ADDRESS_IDS_MAX));
        let list = ids.iter().fold(list, |list, id| list.with("id", Some(id)));
        let mut found = visit.get(&list.text()).await?;
        resources.append(found["items"].as_array_mut().unwrap_or(&mut Vec::new()));
    }
    Ok(resources)
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
