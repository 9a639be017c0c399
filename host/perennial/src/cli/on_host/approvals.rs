//! Approvals of a running host: listed, shown with their plans, and decided on.

use std::io::Write;

use perennial_domain::approval::ExpiryReason;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::confirm::EndArguments;
use crate::cli::confirm::WouldChange;
use crate::cli::confirm::confirm;
use crate::cli::event_lines;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::plan;
use crate::client::Client;
use crate::client::Request;
use crate::report::listing::ListFormat;
use perennial_formats::event_text;
use perennial_formats::time_zone::TimeZone;
use perennial_formats::time_zone::ZoneChoice;

const APPROVAL: [Field; 15] = [
    Field::text("id", "id"),
    Field::text("state", "state"),
    Field::text("account", "account"),
    Field::text("resource", "resource"),
    Field::text("cause", "cause"),
    Field::amount("cost", "cost", "/currency"),
    Field::text("currency", ""),
    Field::instant("requested_at", ""),
    Field::instant("expires_at", "expires"),
    Field::text("requested_by", "requested by").or("the clock"),
    Field::requirements("required", "required by"),
    Field::instant("closed_at", ""),
    Field::text("decided_by", ""),
    Field::text("reason", ""),
    Field::text("expiry_reason", ""),
];

/// Which approvals are listed.
pub(in crate::cli) struct Conditions<'a> {
    pub(in crate::cli) account: Option<&'a str>,
    pub(in crate::cli) state: Option<&'static str>,
    pub(in crate::cli) limit: u32,
}

pub(in crate::cli) fn list(
    context: &Context,
    client: &Client,
    conditions: &Conditions<'_>,
    list: &ListArguments,
    nothing: &str,
) -> anyhow::Result<()> {
    // Those that are pending are plans, which the API has a list of.
    let request = match conditions.state {
        Some("pending") => Request::new("GET", "/v1/plans", &[]),
        state => Request::new("GET", "/v1/approvals", &[]).query("state", state),
    };
    let request = request.to("list approvals").query("account", conditions.account);
    named::check_account(client, conditions.account)?;
    let found = items::pages(client, &request, conditions.limit)?;
    context.write_items(client, &APPROVAL, &found, list, nothing)
}

fn get(client: &Client, id: &str, what: &str) -> anyhow::Result<Value> {
    client.send(&Request::new("GET", "/v1/approvals/{id}", &[id]).to(what))?.json()
}

/// An approval and its plan.
pub(in crate::cli) fn show(
    context: &Context,
    client: &Client,
    id: &str,
    list: &ListArguments,
) -> anyhow::Result<()> {
    let mut approval = get(client, id, &format!("show the approval `{id}`"))?;
    context.write_item(client, &APPROVAL, &approval, list)?;
    if list.format != ListFormat::Table {
        return Ok(());
    }
    let zones = context.item_zones(client, list.zone.time_zone)?;
    let mut out = Output::standard();
    if let Some(reason) = approval["expiry_reason"].as_str() {
        let known = ExpiryReason::ALL.into_iter().find(|known| known.name() == reason);
        let words = match known {
            Some(known) => event_text::expiry_words(known),
            None => reason,
        };
        writeln!(out, "it expired: {words}")?;
    }
    // Nobody is waited for any more.
    if approval["state"] != "pending" {
        approval["plan"]["needs_approval"] = json!(false);
    }
    plan::write(&approval["plan"], &zones, context.stdout_style(), &mut out)?;
    Ok(out.finish()?)
}

/// How a plan is approved.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ApproveArguments {
    /// The reason, which the audit log keeps.
    #[arg(long)]
    reason: Option<String>,
    /// Only show what would be done; exit code 3 when something would change.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
}

/// Approves the plan that an approval has at present, and no other: shows it and asks first.
pub(in crate::cli) fn approve(
    context: &Context,
    client: &Client,
    id: &str,
    how: &ApproveArguments,
) -> anyhow::Result<()> {
    let what = format!("approve `{id}`");
    let approval = get(client, id, &what)?;
    // What is closed is refused, and nobody is asked.
    if is_pending(&approval, &what, how.dry_run)? {
        let zones = context.item_zones(client, ZoneChoice::Zone(TimeZone::UTC))?;
        let mut out = Output::standard();
        plan::write(&approval["plan"], &zones, context.stdout_style(), &mut out)?;
        out.finish()?;
        if how.dry_run {
            return Err(WouldChange::ForPeople.into());
        }
        confirm("Approve of this?", how.yes)?;
    }
    let body = json!({ "reason": how.reason, "plan_hash": approval["plan"]["plan_hash"] });
    let request = Request::new("POST", "/v1/approvals/{id}:approve", &[id]).to(what);
    tell(context, client, &approval, &request.body(body))
}

/// Rejects the plan of an approval.
pub(in crate::cli) fn reject(
    context: &Context,
    client: &Client,
    id: &str,
    (end, reason): (EndArguments, Option<&str>),
) -> anyhow::Result<()> {
    let what = format!("reject `{id}`");
    let approval = get(client, id, &what)?;
    if is_pending(&approval, &what, end.is_dry_run())? {
        let text = |name: &str| approval[name].as_str().unwrap_or_default();
        let line = format!(
            "approval {id} of `{}`, {} {}: would be rejected",
            text("resource"),
            text("cost"),
            text("currency")
        );
        if !end.agree(&[line], "Reject it?")? {
            return Ok(());
        }
    }
    let request = Request::new("POST", "/v1/approvals/{id}:reject", &[id]).to(what);
    tell(context, client, &approval, &request.body(json!({ "reason": reason })))
}

/// Whether an approval waits for a decision. A dry run says that it does not; otherwise the host says so, and the audit log.
fn is_pending(approval: &Value, what: &str, is_dry_run: bool) -> Result<bool, UserError> {
    let state = approval["state"].as_str().unwrap_or_default();
    match state == "pending" {
        false if is_dry_run => Err(UserError::Argument(format!(
            "cannot {what}: it is {state} already; `perennial approvals list --state pending` lists what waits"
        ))),
        is_pending => Ok(is_pending),
    }
}

/// Sends a decision, and writes what it led to.
fn tell(context: &Context, client: &Client, approval: &Value, request: &Request) -> anyhow::Result<()> {
    let decided = client.send(request)?.json()?;
    let mut out = Output::standard();
    let currency = approval["currency"].as_str().unwrap_or_default();
    for event in decided["events"].as_array().into_iter().flatten() {
        event_lines::write(event, currency, Default::default(), context.stdout_style(), &mut out)?;
    }
    Ok(out.finish()?)
}
