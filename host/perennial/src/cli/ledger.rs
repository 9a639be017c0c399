//! `perennial account ledger` and `perennial account balances`: the money of an account, entry by entry and day by day.

use crate::cli::Context;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::client::Client;
use crate::client::Request;
use serde_json::Value;

/// What `account ledger` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Ledger {
    /// The ID of the account.
    pub(super) id: String,
    /// The newest entry first.
    #[arg(long)]
    newest: bool,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = input::whole::<u32>(1..))]
    limit: u32,
    #[command(flatten)]
    list: ListArguments,
}

/// What `account balances` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Balances {
    /// The ID of the account.
    pub(super) id: String,
    /// How many days to look back.
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = input::whole::<u32>(1..=1100))]
    days: u32,
    #[command(flatten)]
    list: ListArguments,
}

const ENTRIES: [Field; 7] = [
    Field::instant("at", "at"),
    Field::text("reason", "reason"),
    Field::amount("amount", "amount", "/currency"),
    Field::text("from", "from"),
    Field::text("to", "to"),
    Field::text("resource", "resource"),
    Field::text("reference", "reference"),
];

const DAYS: [Field; 5] = [
    Field::day("day", "day (UTC)"),
    Field::amount("paid_in", "paid in", "/currency"),
    Field::amount("paid_out", "paid out", "/currency"),
    Field::amount("balance", "balance", "/currency"),
    Field::text("currency", ""),
];

/// Lists the entries of `account`, as the API shows it.
pub(super) fn entries(
    context: &Context,
    client: &Client,
    account: &Value,
    arguments: &Ledger,
) -> anyhow::Result<()> {
    let Ledger { id, newest, limit, list } = arguments;
    let request =
        Request::new("GET", "/v1/accounts/{id}/ledger", &[id]).to(format!("list the ledger of `{id}`"));
    let request = request.query("order", newest.then_some("newest"));
    let mut entries = items::pages(client, &request, *limit)?;
    for entry in &mut entries {
        entry["currency"] = account["currency"].clone();
        entry["provider"] = account["provider"].clone();
    }
    context.write_items(client, &ENTRIES, &entries, list, "the ledger has no entries")
}

/// Lists the balances of `account`, as the API shows it.
pub(super) fn balances(
    context: &Context,
    client: &Client,
    account: &Value,
    arguments: &Balances,
) -> anyhow::Result<()> {
    let Balances { id, days, list } = arguments;
    let request =
        Request::new("GET", "/v1/accounts/{id}/balances", &[id]).to(format!("list the balances of `{id}`"));
    let mut found = items::whole(client, &request.query("days", Some(days)))?;
    for day in &mut found {
        day["currency"] = account["currency"].clone();
    }
    context.write_items(client, &DAYS, &found, list, "nothing moved in that time")
}
