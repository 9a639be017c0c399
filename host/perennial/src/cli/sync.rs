//! `perennial sync`: reads what a connected account has, and says what will become of it.

use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::connection;
use crate::cli::list::ListArguments;
use crate::cli::target::TargetArguments;
use crate::client::Request;

/// Reads what a connected account has, compares it with what was known, and says what renews by itself, what will lapse, and
/// what twelve months will cost. What was read is kept: after a failure it goes on where it stopped.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial sync acme
  perennial sync acme --format json
  perennial drift

An answer that lacks half of what was known is suspicious, and deletes nothing; where it is right, say `--accept-missing`.")]
pub(super) struct Arguments {
    /// The ID of the account.
    id: String,
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
        let request = Request::new("POST", "/v1/connections/{id}:sync", &[id])
            .to(format!("sync `{id}`"))
            .body(json!({ "accept_missing": arguments.accept_missing }));
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
    connection::write_summary(&client, &read, arguments.list.format)
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}
