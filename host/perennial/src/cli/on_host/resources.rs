//! Resources of a running host.

use serde_json::Value;

use crate::cli::Context;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::client::Client;
use crate::client::Request;
use crate::report::listing::ListFormat;

const RESOURCES: [Field; 12] = [
    Field::text("account", "account"),
    Field::text("provider", ""),
    Field::text("id", "resource"),
    Field::text("attached_to", ""),
    Field::text("kind", "kind"),
    Field::text("stage", "stage"),
    Field::instant("expires_at", "expires"),
    Field::text("on_expiry", "on expiry"),
    Field::amount("price", "price", "/currency"),
    Field::text("currency", ""),
    Field::instant("next_wake_at", "next"),
    Field::sentence("problem", "problem").or(""),
];

pub(in crate::cli) fn list(
    context: &Context,
    client: &Client,
    request: &Request,
    limit: u32,
    list: &ListArguments,
    nothing: &str,
) -> anyhow::Result<()> {
    let mut found = items::pages(client, request, limit)?;
    // People read what is attached set in below what it is attached to, and no fate of what has no expiry.
    if list.format == ListFormat::Table {
        for resource in &mut found {
            if let (Some(_), Some(id)) = (resource["attached_to"].as_str(), resource["id"].as_str()) {
                resource["id"] = format!("  {id}").into();
            }
            if resource["expires_at"].is_null() {
                resource["on_expiry"] = Value::Null;
            }
        }
    }
    context.write_items(client, &RESOURCES, &found, list, nothing)
}
