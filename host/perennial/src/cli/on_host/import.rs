//! An inventory for a running host: asks what would come of it, and has it taken in. Shows nothing.

use perennial_domain::inventory_diff::FieldChange;
use perennial_domain::inventory_diff::KeptField;
use serde_json::Value;
use serde_json::json;

use crate::cli::input;
use crate::cli::inventory_file::InventoryFile;
use crate::cli::items;
use crate::client::Client;
use crate::client::Request;
use perennial_engine::import_report::Change;
use perennial_engine::import_report::FirstTickResource;
use perennial_engine::import_report::ImportReport;
use perennial_engine::import_report::KeptFieldEntry;
use perennial_engine::import_report::ResourceRef;
use perennial_formats::inventory::ImportOptions;
use perennial_formats::read_back;

/// The import of a file into the database of a host.
pub(in crate::cli) struct HostImport {
    what: String,
    body: Value,
}

impl HostImport {
    /// The import of the file's inventory.
    pub(in crate::cli) fn new(
        inventory: &InventoryFile,
        options: ImportOptions,
    ) -> anyhow::Result<HostImport> {
        let mut body = inventory.to_json()?;
        body["accept_expired"] = json!(options.accept_expired);
        body["update"] = json!(options.update);
        Ok(HostImport { what: format!("import {}", input::shown(inventory.path())), body })
    }

    /// What would come of it.
    pub(in crate::cli) fn look(&self, client: &Client) -> anyhow::Result<ImportReport> {
        Ok(report(&client.send(&self.request(true).look().alone())?.json()?))
    }

    /// Has it done: all of it or nothing.
    pub(in crate::cli) fn carry_out(&self, client: &Client) -> anyhow::Result<ImportReport> {
        Ok(report(&client.send(&self.request(false))?.json()?))
    }

    fn request(&self, dry_run: bool) -> Request {
        let mut body = self.body.clone();
        body["dry_run"] = json!(dry_run);
        Request::new("POST", "/v1/resources:import", &[]).to(self.what.clone()).body(body)
    }
}

/// The report of the API, as the engine has it.
fn report(view: &Value) -> ImportReport {
    let list = |name: &str| view[name].as_array().into_iter().flatten();
    let count = view["renewing_within_30_days"].as_u64();
    ImportReport {
        accounts: list("new_accounts").filter_map(Value::as_str).map(str::to_owned).collect(),
        resources: list("new_resources").map(named).collect(),
        changes: list("changes").map(change).collect(),
        kept: list("kept").map(kept).collect(),
        missing: list("missing").map(named).collect(),
        expired: list("expired").map(first_tick_resource).collect(),
        due: list("due").map(first_tick_resource).collect(),
        renewing_soon: count.and_then(|count| usize::try_from(count).ok()).unwrap_or(0),
        // The host has checked these against its limits.
        ..ImportReport::default()
    }
}

fn optional(view: &Value, name: &str) -> Option<String> {
    view[name].as_str().map(str::to_owned)
}

fn text(view: &Value, name: &str) -> String {
    optional(view, name).unwrap_or_default()
}

fn named(view: &Value) -> ResourceRef {
    ResourceRef { account: text(view, "account"), resource: text(view, "resource") }
}

fn change(view: &Value) -> Change {
    Change {
        account: text(view, "account"),
        resource: optional(view, "resource"),
        change: FieldChange {
            field: text(view, "field"),
            from: optional(view, "from"),
            to: optional(view, "to"),
        },
    }
}

fn kept(view: &Value) -> KeptFieldEntry {
    KeptFieldEntry {
        account: text(view, "account"),
        resource: optional(view, "resource"),
        field: KeptField {
            field: text(view, "field"),
            here: optional(view, "here"),
            there: optional(view, "there"),
            reason: text(view, "reason"),
        },
    }
}

fn first_tick_resource(view: &Value) -> FirstTickResource {
    let events = view["events"].as_array().into_iter().flatten();
    FirstTickResource {
        named: named(view),
        expires_at: items::instant(&view["expires_at"]),
        events: events.filter_map(|event| Some(read_back::event(event).ok()?.1)).collect(),
    }
}
