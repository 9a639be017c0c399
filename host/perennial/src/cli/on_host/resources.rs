//! Resources of a running host.

use crate::cli::Context;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::client::Client;
use crate::client::Request;

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
    let found = items::pages(client, request, limit)?;
    context.write_items(client, &RESOURCES, &found, list, nothing)
}
