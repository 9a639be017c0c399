//! `perennial account top-up` and `perennial account ledger`: the money of an account that this host keeps.

use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::account_view as view;
use crate::cli::act::ActArguments;
use crate::cli::confirm::WouldChange;
use crate::cli::confirm::confirm;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::client::Client;
use crate::client::Request;
use crate::report::listing::ListFormat;

#[derive(Debug, clap::Args)]
pub(super) struct TopUp {
    /// The ID of the account.
    id: String,
    /// How much, such as `500.00`.
    #[arg(value_name = "AMOUNT", value_parser = input::amount_above_zero)]
    amount: String,
    #[command(flatten)]
    act: ActArguments,
    #[command(flatten)]
    list: ListArguments,
}

/// What a top-up comes to.
const PREVIEW: [Field; 5] = [
    Field::text("account", "account"),
    Field::amount("balance_before", "balance", "/currency"),
    Field::amount("amount", "paid in", "/currency"),
    Field::amount("balance_after", "balance then", "/currency"),
    Field::text("currency", ""),
];

pub(super) fn pay_in(context: &Context, client: &Client, top_up: &TopUp) -> anyhow::Result<()> {
    let TopUp { id, amount, act, list } = top_up;
    let request = Request::new("POST", "/v1/accounts/{id}:top-up", &[id])
        .to(format!("top up `{id}` by {amount}"))
        .body(json!({ "amount": amount }))
        .reason(act.reason.as_deref());
    if let Some(answered) = act.answered(client, &request)? {
        return view::tell(context, client, &answered, list);
    }
    let before = view::get_to(client, id, &format!("top up `{id}`"))?;
    if before["mode"] == "connected" {
        let message = format!("`{id}` is connected: its provider keeps its balance; pay money in there");
        return Err(UserError::Argument(message).into());
    }
    let paid = items::amount(&json!(amount)).unwrap_or_default();
    let balance = items::amount(&before["balance"]).unwrap_or_default();
    let preview = json!({
        "account": id, "balance_before": before["balance"], "amount": amount, "balance_after": (balance + paid).to_string(),
        "currency": before["currency"],
    });
    if act.dry_run {
        context.write_item(client, &PREVIEW, &preview, list)?;
        return Err(WouldChange::with(list.format).into());
    }
    if list.format == ListFormat::Table {
        context.write_item(client, &PREVIEW, &preview, list)?;
    }
    confirm("Write this down?", act.yes)?;
    let response = client.send(&request.once(&act.key()?))?;
    view::tell(context, client, &response, list)
}
