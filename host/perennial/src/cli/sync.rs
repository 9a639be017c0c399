//! `perennial sync`: reads what a connected account has, and says what will become of it.

use std::io::Write;

use perennial_formats::dates;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::connection;
use crate::cli::list::ListArguments;
use crate::cli::output::Output;
use crate::cli::target::TargetArguments;
use crate::client::Request;
use crate::report::listing::ListFormat;

/// Reads what a connected account has, compares it with what was known, and says what renews by itself, what will lapse, and
/// what twelve months will cost. What was read is kept: after a failure it goes on where it stopped. A running host does the
/// same by itself: everything every six hours, and what can have changed every fifteen minutes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial sync acme
  perennial sync acme --incremental
  perennial sync acme --format json
  perennial drift

An answer that lacks half of what was known is suspicious, and deletes nothing; where it is right, say `--accept-missing`.
What `--incremental` does not find is not gone: that, and what was switched or moved on things that expire later, is for a
full sync to tell.")]
pub(super) struct Arguments {
    /// The ID of the account.
    id: String,
    /// Read what can have changed since the last sync: what was ordered since, where the provider says that, and what expires
    /// within ten days or has expired.
    #[arg(long, conflicts_with = "accept_missing")]
    incremental: bool,
    /// As much is missing as it seems: somebody looked.
    #[arg(long)]
    accept_missing: bool,
    #[command(flatten)]
    list: ListArguments,
    #[command(flatten)]
    target: TargetArguments,
}

pub(super) fn sync(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let client = context.client(&arguments.target)?;
    let id = arguments.id.as_str();
    let progress = context.count("reading");
    let read = loop {
        let request =
            Request::new("POST", "/v1/connections/{id}:sync", &[id]).to(format!("sync `{id}`")).body(
                json!({ "incremental": arguments.incremental, "accept_missing": arguments.accept_missing }),
            );
        let read = client.send(&request)?.json()?;
        let sync = &read["sync"];
        progress.reach(
            count(&sync["listed"]),
            count(&sync["total"]),
            sync["state"].as_str().unwrap_or_default(),
        );
        if ["done", "suspicious"].iter().any(|end| sync["state"] == *end) {
            break read;
        }
    };
    progress.finish();
    if read["sync"]["state"] == "suspicious" {
        anyhow::bail!("{}", read["sync"]["problem"].as_str().unwrap_or("the answer is suspicious"));
    }
    if arguments.list.format != ListFormat::Json {
        write_scope(&read["sync"], arguments.incremental)?;
    }
    connection::write_summary(&client, &read, arguments.list.format)
}

/// Says what of the account was read, where that was or could have been a part.
fn write_scope(sync: &Value, incremental: bool) -> anyhow::Result<()> {
    let mut out = Output::standard();
    let until = sync["expires_until"].as_str();
    let requests = dates::counted(usize::try_from(count(&sync["requests"]))?, "request");
    match (until, sync["changes_since"].as_str()) {
        (Some(until), Some(since)) => writeln!(
            out,
            "read what was ordered since {since} and what expires by {until}, in {requests}; whether anything else has \
             changed, a full sync says"
        )?,
        (Some(until), None) => writeln!(
            out,
            "read what is known to expire by {until}, in {requests}; the provider, or this key, does not say what was \
             ordered; whether anything else has changed, a full sync says"
        )?,
        (None, _) if incremental => writeln!(
            out,
            "read everything, in {requests}: nothing was read whole before, a full sync was under way, or too much had changed"
        )?,
        (None, _) => {}
    }
    Ok(out.finish()?)
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}
