//! Checks what conditions of lists name against what a host or a database has, so that nobody takes an empty list for an answer
//! about what is not there.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cli::UserError;
use crate::cli::items;
use crate::cli::list;
use crate::client::Client;
use crate::client::Request;
use perennial_formats::wording;

/// How many names an error lists.
const LISTED_MAX: usize = 20;

/// Refuses an account that there is not.
pub(super) fn check_account(client: &Client, account: Option<&str>) -> anyhow::Result<()> {
    exists(client, "/v1/accounts/{id}", "account", account)
}

/// Refuses a resource that there is not.
pub(super) fn check_resource(client: &Client, resource: Option<&str>) -> anyhow::Result<()> {
    exists(client, "/v1/resources/{id}", "resource", resource)
}

fn exists(client: &Client, route: &'static str, what: &str, id: Option<&str>) -> anyhow::Result<()> {
    if let Some(id) = id {
        client.send(&Request::new("GET", route, &[id]).to(format!("look for the {what} `{id}`")))?;
    }
    Ok(())
}

/// The item of a list that a field calls `name`, such as the calendar with this id, on which `act` is to be done.
///
/// # Errors
///
/// [`UserError`] when there is none, with what there is.
pub(super) fn in_list(
    items: Vec<Value>,
    (field, what): (&str, &str),
    name: &str,
    act: &str,
) -> Result<Value, UserError> {
    let names = items.iter().filter_map(|item| item[field].as_str()).map(str::to_owned);
    let there = names.collect::<BTreeSet<_>>();
    let found = items.into_iter().find(|item| item[field] == name);
    found.ok_or_else(|| UserError::Argument(format!("cannot {act}: {}", not_there((what, name), &there))))
}

fn not_there((what, name): (&str, &str), there: &BTreeSet<String>) -> String {
    let meant = wording::did_you_mean(name, there.iter().map(String::as_str));
    let listed = there.iter().take(LISTED_MAX).cloned().collect::<Vec<_>>().join(", ");
    let listed = if listed.is_empty() { "there are none".to_owned() } else { format!("there are {listed}") };
    let more = match there.len().saturating_sub(LISTED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("there is no {what} `{name}`{meant}; {listed}{more}")
}

/// Refuses a provider that no plugin and no account has.
pub(super) fn check_provider(client: &Client, provider: Option<&str>) -> anyhow::Result<()> {
    let Some(provider) = provider else { return Ok(()) };
    let plugins = plugins(client)?;
    let there =
        plugins.iter().filter_map(|plugin| plugin["id"].as_str()).map(str::to_owned).collect::<BTreeSet<_>>();
    check(client, ("provider", provider), "/v1/accounts", &there)
}

/// What people read when nothing of `provider` is `found`: `none` without one, and that nothing matches with one that there is.
///
/// # Errors
///
/// When nothing is found, and no plugin and no account has the provider.
pub(super) fn nothing_of(
    client: &Client,
    provider: Option<&str>,
    found: &[Value],
    none: &'static str,
) -> anyhow::Result<&'static str> {
    if found.is_empty() {
        check_provider(client, provider)?;
    }
    Ok(list::nothing(provider.is_some(), none))
}

/// Refuses a kind that no plugin and no resource has.
pub(super) fn check_kind(client: &Client, kind: Option<&str>) -> anyhow::Result<()> {
    let Some(kind) = kind else { return Ok(()) };
    let plugins = plugins(client)?;
    let kinds = plugins.iter().filter_map(|plugin| plugin["kinds"].as_object());
    let there = kinds.flat_map(|kinds| kinds.keys().cloned()).collect::<BTreeSet<_>>();
    check(client, ("kind", kind), "/v1/resources", &there)
}

fn plugins(client: &Client) -> anyhow::Result<Vec<Value>> {
    items::whole(client, &Request::new("GET", "/v1/plugins", &[]).to("list plugins"))
}

/// Whether the name is `there`, or something in the list of `route` has it.
fn check(
    client: &Client,
    (what, name): (&'static str, &str),
    route: &'static str,
    there: &BTreeSet<String>,
) -> anyhow::Result<()> {
    if there.contains(name) {
        return Ok(());
    }
    let request = Request::new("GET", route, &[]).to(format!("look for the {what} `{name}`"));
    if !items::whole(client, &request.query(what, Some(name)).query("limit", Some(1)))?.is_empty() {
        return Ok(());
    }
    Err(UserError::Argument(not_there((what, name), there)).into())
}
