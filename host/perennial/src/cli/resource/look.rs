//! What is known of one resource, and what will happen to it.

use perennial_formats::time_zone::ZoneChoice;

use crate::cli::Context;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::resource::Look;
use crate::cli::target::TargetArguments;
use crate::client::Request;
use crate::report::listing::ListFormat;

/// The fields of a resource.
pub(super) const RESOURCE: [Field; 22] = [
    Field::text("id", "resource"),
    Field::text("account", "account"),
    Field::text("provider", "provider"),
    Field::text("kind", "kind"),
    Field::text("region", "region"),
    Field::text("stage", "stage"),
    Field::text("attached_to", "attached to"),
    Field::text("charging", "charging"),
    Field::instant("started_at", "started"),
    Field::instant("expires_at", "expires"),
    Field::text("on_expiry", "on expiry"),
    Field::term("term", "term"),
    Field::amount("price", "price", "/currency"),
    Field::text("currency", ""),
    Field::term("renewal_term", "renewal term"),
    Field::number("renewals_left", "renewals left"),
    Field::number("anchor_day", "anchor day"),
    Field::instant("next_wake_at", "next"),
    Field::json("package", "package"),
    Field::json("attributes", "attributes"),
    Field::json("tags", "tags"),
    Field::sentence("problem", "problem"),
];

const WINDOW: [Field; 3] = [
    Field::instant("start", "from").at("/suggestedWindow/start"),
    Field::instant("end", "until").at("/suggestedWindow/end"),
    Field::text("explanationURL", "events"),
];

const OCCURRENCES: [Field; 7] = [
    Field::instant("at", "at"),
    Field::text("resource", "resource"),
    Field::text("action", ""),
    Field::text("stage", ""),
    Field::text("name", ""),
    Field::text("value", ""),
    Field::sentence("text", "what"),
];

/// The fields of an order.
pub(in crate::cli) const ORDERS: [Field; 15] = [
    Field::text("id", "order"),
    Field::text("account", ""),
    Field::text("resource", "resource"),
    Field::text("kind", "kind"),
    Field::text("state", "state"),
    Field::amount("cost", "cost", "/currency"),
    Field::text("currency", ""),
    Field::instant("created_at", "created"),
    Field::instant("pay_until", "pay until"),
    Field::instant("paid_at", "paid"),
    Field::instant("starts_at", "from"),
    Field::instant("ends_at", "until"),
    Field::amount("refund", "refund", "/currency"),
    Field::instant("refunded_at", ""),
    Field::text("reduces", ""),
];

const DECISIONS: [Field; 8] = [
    Field::text("id", "decision"),
    Field::instant("at", "at"),
    Field::text("resource", "resource"),
    Field::text("plugin", "plugin"),
    Field::text("contract", "contract"),
    Field::text("revision", ""),
    Field::json("request", ""),
    Field::json("response", ""),
];

fn get(look: &Look, route: &'static str, what: &str) -> Request {
    Request::new("GET", route, &[&look.id]).to(format!("{what} `{}`", look.id))
}

pub(super) fn show(context: &Context, target: &TargetArguments, look: &Look) -> anyhow::Result<()> {
    let client = context.client(target)?;
    let mut resource = client.send(&get(look, "/v1/resources/{id}", "show"))?.json()?;
    let is_unlimited = resource["on_expiry"] == "renew" && resource["renewals_left"].is_null();
    if look.list.format == ListFormat::Table && is_unlimited {
        resource["renewals_left"] = "without limit".into();
    }
    context.write_item(&client, &RESOURCE, &resource, &look.list)
}

pub(super) fn window(context: &Context, target: &TargetArguments, look: &Look) -> anyhow::Result<()> {
    let client = context.client(target)?;
    let request = get(look, "/v1/resources/{id}/renewal-window", "show the renewal window of");
    let window = client.send(&request)?.json()?;
    context.write_item(&client, &WINDOW, &window, &look.list)
}

pub(super) fn timeline(context: &Context, target: &TargetArguments, look: &Look) -> anyhow::Result<()> {
    let request = get(look, "/v1/resources/{id}/timeline", "show the timeline of");
    list(context, target, look, &request, &OCCURRENCES, "nothing will happen to it by itself")
}

pub(super) fn orders(context: &Context, target: &TargetArguments, look: &Look) -> anyhow::Result<()> {
    let request = get(look, "/v1/resources/{id}/orders", "list the orders of");
    list(context, target, look, &request, &ORDERS, "it has no orders")
}

pub(super) fn decisions(context: &Context, target: &TargetArguments, look: &Look) -> anyhow::Result<()> {
    let request = get(look, "/v1/resources/{id}/decisions", "list the decisions about");
    list(context, target, look, &request, &DECISIONS, "nothing was decided about it yet")
}

fn list(
    context: &Context,
    target: &TargetArguments,
    look: &Look,
    request: &Request,
    fields: &[Field],
    nothing: &str,
) -> anyhow::Result<()> {
    let client = context.client(target)?;
    let mut listed = items::pages(&client, request, look.limit)?;
    if look.list.zone.time_zone == ZoneChoice::Provider {
        // What is listed of a resource does not say whose days it lives by.
        let resource = client.send(&get(look, "/v1/resources/{id}", "show"))?.json()?;
        listed.iter_mut().for_each(|item| item["provider"] = resource["provider"].clone());
    }
    context.write_items(&client, fields, &listed, &look.list, nothing)
}
