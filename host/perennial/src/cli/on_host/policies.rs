//! Policies of a running host, and the calendars that they look at.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use perennial_domain::timestamp::Timestamp;
use perennial_formats::time_zone::TimeZone;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::confirm::EndArguments;
use crate::cli::confirm::WouldChange;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::named;
use crate::cli::output::Output;
use crate::client::Client;
use crate::client::Request;
use crate::report::listing::ListFormat;
use crate::report::text::printable;

/// The most examples of one kind that follow its total.
const EXAMPLES_MAX: usize = 3;

const POLICY: [Field; 13] = [
    Field::number("order", "order"),
    Field::text("name", "name"),
    Field::text("mode", "mode"),
    Field::texts("accounts", "accounts").or("all"),
    Field::texts("providers", ""),
    Field::texts("kinds", "kinds").or("all"),
    Field::texts("tags", "tags"),
    Field::texts("commands", "commands").or("all"),
    Field::text("on_failure", ""),
    Field::text("script", ""),
    Field::text("digest", ""),
    Field::instant("installed_at", "installed"),
    Field::text("installed_by", "by"),
];

const CHANGES: [Field; 6] = [
    Field::instant("at", "at"),
    Field::text("changed_by", "by"),
    Field::text("reason", "reason"),
    Field::instant("confirmed_at", "confirmed"),
    Field::text("confirmed_by", "confirmed by"),
    Field::text("script_difference", "difference"),
];

const CALENDAR_CHANGES: [Field; 7] = [
    Field::instant("at", "at"),
    Field::text("changed_by", "by"),
    Field::text("reason", "reason"),
    Field::instant("confirmed_at", "confirmed"),
    Field::text("confirmed_by", "confirmed by"),
    Field::texts("before", "before"),
    Field::texts("after", "after"),
];

const CALENDAR: [Field; 4] = [
    Field::text("name", "calendar"),
    Field::texts("days", "days"),
    Field::instant("installed_at", "installed"),
    Field::text("installed_by", "by"),
];

const TOTALS: [Field; 7] = [
    Field::text("followed", "done"),
    Field::text("ruling", "would be"),
    Field::number("plans", "plans"),
    Field::amount("cost", "cost", "/currency"),
    Field::amount("amended_cost", "amended", "/currency"),
    Field::text("currency", ""),
    Field::sentence("examples", "examples"),
];

const DIFFERENCES: [Field; 14] = [
    Field::instant("last_at", "at"),
    Field::text("account", "account"),
    Field::text("resource", "resource"),
    Field::text("command", "command"),
    Field::text("cause", ""),
    Field::text("followed", "done"),
    Field::text("ruling", "would be"),
    Field::instant("until", ""),
    Field::amount("cost", "cost", "/currency"),
    Field::amount("amended_cost", "amended", "/currency"),
    Field::text("currency", ""),
    Field::text("digest", ""),
    Field::number("times", ""),
    Field::sentence("reason", "reason"),
];

pub(in crate::cli) fn list(context: &Context, client: &Client, list: &ListArguments) -> anyhow::Result<()> {
    let found = items::whole(client, &Request::new("GET", "/v1/policies", &[]).to("list policies"))?;
    let nothing = "no policy holds; install some with `perennial policy install policies.toml`";
    context.write_items(client, &POLICY, &found, list, nothing)
}

/// People read how it is bound and its script; programs get the whole of it or, as CSV, how it is bound.
pub(in crate::cli) fn show(
    context: &Context,
    client: &Client,
    name: &str,
    list: &ListArguments,
) -> anyhow::Result<()> {
    let request = Request::new("GET", "/v1/policies/{name}", &[name]).to(format!("show the policy `{name}`"));
    let found = client.send(&request)?.json()?;
    let policy = &found["policy"];
    if list.format != ListFormat::Table {
        let shown = if list.format == ListFormat::Json { &found } else { policy };
        return context.write_item(client, &POLICY, shown, list);
    }
    let zone = context.item_zones(client, list.zone.time_zone)?.of(policy);
    let text = |field: &str| policy[field].as_str().unwrap_or_default();
    let mut out = Output::standard();
    writeln!(out, "{name}: order {}, {}, `{}`", policy["order"], text("mode"), text("script"))?;
    writeln!(out, "version {}", text("digest"))?;
    let installed_at = items::instant(&policy["installed_at"]).map(|at| zone.minute(at)).unwrap_or_default();
    writeln!(out, "installed {installed_at} by {}", text("installed_by"))?;
    for field in ["accounts", "providers", "kinds", "tags", "commands"] {
        let named =
            policy[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
        if !named.is_empty() {
            writeln!(out, "{field}: {}", named.join(", "))?;
        }
    }
    writeln!(out, "on failure: {}", text("on_failure"))?;
    writeln!(out, "\n{}", found["source"].as_str().unwrap_or_default().trim_end())?;
    Ok(out.finish()?)
}

/// People read the lines that differ below each change; programs get them as one of its fields.
pub(in crate::cli) fn history(
    context: &Context,
    client: &Client,
    name: &str,
    list: &ListArguments,
) -> anyhow::Result<()> {
    let request = Request::new("GET", "/v1/policies/{name}/history", &[name])
        .to(format!("list the changes of the policy `{name}`"));
    let changes = items::pages(client, &request, u32::MAX)?;
    if list.format != ListFormat::Table {
        return context.write_items(client, &CHANGES, &changes, list, "");
    }
    let zones = context.item_zones(client, list.zone.time_zone)?;
    let mut out = Output::standard();
    for change in changes {
        writeln!(out, "{}", printable(&change_words(&change, zones.of(&change))))?;
        for line in change["script_difference"].as_str().unwrap_or_default().lines() {
            writeln!(out, "    {}", printable(line))?;
        }
    }
    Ok(out.finish()?)
}

fn change_words(change: &Value, zone: TimeZone) -> String {
    let minute = |text: &str| text.parse::<Timestamp>().map_or(text.to_owned(), |at| zone.minute(at));
    let text = |field: &str| change[field].as_str();
    let what = match (change["before"].is_null(), change["after"].is_null()) {
        (_, true) => "removed",
        (true, false) => "added",
        (false, false) => "replaced",
    };
    let why = text("reason").map(|reason| format!(": {reason}")).unwrap_or_default();
    let confirmed = text("confirmed_at").zip(text("confirmed_by"));
    let confirmed =
        confirmed.map(|(at, by)| format!("; confirmed {} by {by}", minute(at))).unwrap_or_default();
    let (at, by) = (text("at").unwrap_or_default(), text("changed_by").unwrap_or_default());
    format!("{}  {what} by {by}{why}{confirmed}", minute(at))
}

/// How a policy file is installed.
pub(in crate::cli) struct Installation<'a> {
    /// Its name, for messages.
    pub(in crate::cli) file: &'a Path,
    pub(in crate::cli) text: &'a str,
    /// The text of each script, by the name that the file has for it.
    pub(in crate::cli) scripts: BTreeMap<String, String>,
    pub(in crate::cli) replace: bool,
    pub(in crate::cli) dry_run: bool,
    pub(in crate::cli) reason: Option<&'a str>,
}

pub(in crate::cli) fn install(client: &Client, installation: &Installation<'_>) -> anyhow::Result<()> {
    let Installation { file, text, scripts, replace, dry_run, reason } = installation;
    let request = Request::new("POST", "/v1/policies", &[])
        .to(format!("install `{}`", file.display()))
        .body(json!({
            "file": text,
            "scripts": scripts,
            "replace": replace,
            "dry_run": dry_run,
        }))
        .reason(*reason);
    let request = if *dry_run { request.look().alone() } else { request };
    tell(&client.send(&request)?.json()?, *dry_run)
}

pub(in crate::cli) fn remove(
    client: &Client,
    name: &str,
    end: EndArguments,
    reason: Option<&str>,
) -> anyhow::Result<()> {
    let what = format!("remove the policy `{name}`");
    client.send(&Request::new("GET", "/v1/policies/{name}", &[name]).to(&what))?;
    if !end.agree(&[format!("policy {name}: would be removed")], "Remove it?")? {
        return Ok(());
    }
    let request = Request::new("DELETE", "/v1/policies/{name}", &[name]).to(&what).reason(reason);
    tell(&client.send(&request)?.json()?, false)
}

/// A line for each policy and calendar, and what became of it.
fn tell(result: &Value, is_dry_run: bool) -> anyhow::Result<()> {
    let mut out = Output::standard();
    let is_changed = |change: &Value| change["change"] != "unchanged";
    for change in result["changes"].as_array().into_iter().flatten() {
        let text = |field: &str| change[field].as_str().unwrap_or_default();
        let would = if is_dry_run && is_changed(change) { "would be " } else { "" };
        writeln!(out, "{} {}: {would}{}", text("subject"), printable(text("name")), text("change"))?;
    }
    for warning in result["warnings"].as_array().into_iter().flatten() {
        let text = |field: &str| warning[field].as_str().unwrap_or_default();
        let (line, column) = (&warning["line"], &warning["column"]);
        tracing::warn!("{}:{line}:{column}: {}", text("script"), text("message"));
    }
    out.finish()?;
    let would_change = result["changes"].as_array().into_iter().flatten().any(is_changed);
    WouldChange::check(is_dry_run && would_change)
}

pub(in crate::cli) fn differences(
    context: &Context,
    client: &Client,
    (name, digest, totals): (&str, Option<&str>, bool),
    list: &ListArguments,
) -> anyhow::Result<()> {
    let request = Request::new("GET", "/v1/policies/{name}/differences", &[name])
        .to(format!("list what `{name}` would have done otherwise"))
        .query("digest", digest);
    let nothing = format!("`{name}` would have done nothing otherwise, as far as it was asked in shadow");
    let found = items::pages(client, &request, u32::MAX)?;
    if totals {
        let first = client.send(&request.query("limit", Some(1)))?.json()?;
        let mut totals = first["totals"].as_array().cloned().unwrap_or_default();
        totals.iter_mut().for_each(|total| total["examples"] = examples(&found, total).into());
        return context.write_items(client, &TOTALS, &totals, list, &nothing);
    }
    context.write_items(client, &DIFFERENCES, &found, list, &nothing)
}

/// Some of the resources that a total is about.
fn examples(all: &[Value], total: &Value) -> String {
    let is_of =
        |one: &&Value| ["ruling", "followed", "currency"].iter().all(|name| one[*name] == total[*name]);
    let found = all.iter().filter(is_of).filter_map(|one| one["resource"].as_str()).collect::<Vec<_>>();
    let shown = found.iter().take(EXAMPLES_MAX).copied().collect::<Vec<_>>().join(", ");
    match found.len().saturating_sub(EXAMPLES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The calendars that policies look at.
pub(in crate::cli) fn calendars(
    context: &Context,
    client: &Client,
    list: &ListArguments,
) -> anyhow::Result<()> {
    let request = Request::new("GET", "/v1/policy-calendars", &[]).to("list the calendars of policies");
    let found = items::whole(client, &request)?;
    context.write_items(client, &CALENDAR, &found, list, "policies have no calendars")
}

/// People read the days below each change; programs get those of before and after as fields of it.
pub(in crate::cli) fn calendar_history(
    context: &Context,
    client: &Client,
    name: &str,
    list: &ListArguments,
) -> anyhow::Result<()> {
    let request = Request::new("GET", "/v1/policy-calendars/{name}/history", &[name])
        .to(format!("list the changes of the calendar `{name}`"));
    let changes = items::pages(client, &request, u32::MAX)?;
    if list.format != ListFormat::Table {
        return context.write_items(client, &CALENDAR_CHANGES, &changes, list, "");
    }
    let zones = context.item_zones(client, list.zone.time_zone)?;
    let mut out = Output::standard();
    for change in changes {
        writeln!(out, "{}", printable(&change_words(&change, zones.of(&change))))?;
        let days = change["after"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let days = days.collect::<Vec<_>>().join(", ");
        if !days.is_empty() {
            writeln!(out, "    {}", printable(&days))?;
        }
    }
    Ok(out.finish()?)
}

pub(in crate::cli) fn remove_calendar(
    client: &Client,
    name: &str,
    end: EndArguments,
    reason: Option<&str>,
) -> anyhow::Result<()> {
    let what = format!("remove the calendar `{name}`");
    let calendars = Request::new("GET", "/v1/policy-calendars", &[]).to(&what);
    named::in_list(items::whole(client, &calendars)?, ("name", "calendar"), name, &what)?;
    if !end.agree(&[format!("calendar {name}: would be removed")], "Remove it?")? {
        return Ok(());
    }
    let request = Request::new("DELETE", "/v1/policy-calendars/{name}", &[name]).to(&what).reason(reason);
    tell(&client.send(&request)?.json()?, false)
}
