//! An inventory for a running host.

use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::cli::confirm::WouldChange;
use crate::cli::confirm::confirm;
use crate::cli::input;
use crate::cli::input::InventoryFile;
use crate::cli::output::Output;
use crate::client::Client;
use crate::client::Request;
use crate::report::text::printable;
use perennial_formats::dates;
use perennial_formats::inventory::ImportOptions;

/// Takes the inventory of a file into the database of a host, or says what would come of that.
pub(in crate::cli) fn import(
    client: &Client,
    inventory: &InventoryFile,
    options: ImportOptions,
    yes: bool,
) -> anyhow::Result<()> {
    let mut body = inventory.to_json()?;
    body["accept_expired"] = json!(options.accept_expired);
    body["update"] = json!(options.update);
    let request = |dry_run: bool| {
        let mut body = body.clone();
        body["dry_run"] = json!(dry_run);
        Request::new("POST", "/v1/resources:import", &[])
            .to(format!("import {}", input::shown(inventory.path())))
            .body(body)
    };
    if options.dry_run || options.update {
        let report = client.send(&request(true).look())?.json()?;
        show(&report, "would import")?;
        if options.dry_run {
            let is_nothing = ["accounts", "resources"].iter().all(|name| report[name] == 0);
            let changes = report["changes"].as_array().is_some_and(|changes| !changes.is_empty());
            return if is_nothing && !changes { Ok(()) } else { Err(WouldChange::ForPeople.into()) };
        }
        confirm("Change this?", yes)?;
    }
    let report = client.send(&request(false))?.json()?;
    show(&report, "imported")
}

fn show(report: &Value, verb: &str) -> anyhow::Result<()> {
    let mut out = Output::standard();
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    for change in report["changes"].as_array().into_iter().flatten() {
        let about = change["resource"].as_str().map(|resource| format!("/{resource}")).unwrap_or_default();
        let (account, field) = (text(&change["account"]), text(&change["field"]));
        let line =
            format!("~ {account}{about} {field}: {} -> {}", text(&change["from"]), text(&change["to"]));
        writeln!(out, "{}", printable(&line))?;
    }
    for expired in report["expired"].as_array().into_iter().flatten() {
        let line = format!("! {}/{} had expired", text(&expired["account"]), text(&expired["resource"]));
        writeln!(out, "{}", printable(&line))?;
    }
    let count = |name: &str| report[name].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    let (accounts, resources) = (count("accounts"), count("resources"));
    let changes = report["changes"].as_array().map_or(0, Vec::len);
    writeln!(
        out,
        "{verb} {} and {}, with {}",
        dates::counted(accounts, "account"),
        dates::counted(resources, "resource"),
        dates::counted(changes, "change"),
    )?;
    Ok(out.finish()?)
}
