//! `perennial account`: accounts, their settings and their money.

use std::io::Write;

use clap::Subcommand;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::act::ActArguments;
use crate::cli::confirm::WouldChange;
use crate::cli::confirm::confirm;
use crate::cli::connection;
use crate::cli::database;
use crate::cli::driving;
use crate::cli::event_lines;
use crate::cli::input;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list;
use crate::cli::list::ListArguments;
use crate::cli::output::Output;
use crate::cli::target::TargetArguments;
use crate::client::Client;
use crate::client::Request;
use crate::client::Response;
use crate::report::listing::ListFormat;
use perennial_formats::dates;

/// Lists, shows, makes and changes accounts, and pays money into them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial account list
  perennial account show acme-hw
  perennial account create acme-hw --provider huawei --currency CNY --balance 500.00
  perennial account set acme-hw --approval-above 50.00 --setting on_undecided=renew
  perennial account connect acme --provider huawei --access-key AK0123
  perennial account drive acme host
  perennial account pause --all
  perennial account top-up acme-hw 500.00 --reason 'invoice 4711'
  perennial account ledger acme-hw --format csv

A higher limit of approvals, or none, takes two people: it waits until another person says the same.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists accounts and their balances.
    List(ListConditions),
    /// Shows what is known of an account.
    Show {
        /// The ID of the account.
        id: String,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Makes an account.
    Create(Create),
    /// Changes limits and settings of an account.
    Set(Set),
    /// Connects an account that its provider keeps: what it has can be read then, and nothing is changed.
    Connect(connection::Connect),
    /// Lists connected accounts.
    Connections {
        #[command(flatten)]
        list: ListArguments,
    },
    /// Shows how an account is connected.
    Connection {
        /// The ID of the account.
        id: String,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Replaces the key of a connected account, after the new one was proven.
    Rotate(connection::Rotate),
    /// Grants reads of a connected account.
    Grant(connection::Grant),
    /// Says who renews what a connected account has.
    Drive(driving::Drive),
    /// Stops sending for a connected account, or for all of them.
    Pause(driving::Whose),
    /// Sends for a connected account again, or for all of them.
    Resume(driving::Whose),
    /// Sets the most that renewals of a connected account may cost within an hour.
    LimitSpending(driving::LimitSpending),
    /// Writes down that money was paid into an account.
    TopUp(TopUp),
    /// Lists every entry of an account's ledger, oldest first.
    Ledger {
        /// The ID of the account.
        id: String,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        #[command(flatten)]
        list: ListArguments,
    },
}

#[derive(Debug, clap::Args)]
struct ListConditions {
    /// Only of this provider.
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    list: ListArguments,
}

#[derive(Debug, clap::Args)]
struct Create {
    /// The ID that the provider gave the account.
    id: String,
    /// The ID of its provider.
    #[arg(long, value_name = "ID")]
    provider: String,
    /// Its currency, such as CNY.
    #[arg(long)]
    currency: String,
    /// The balance that the account begins with.
    #[arg(long, value_name = "AMOUNT", value_parser = input::amount, default_value = "0.00")]
    balance: String,
    #[command(flatten)]
    limits: Limits,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    list: ListArguments,
}

/// What an account is made with, and can be changed.
#[derive(Debug, clap::Args)]
struct Limits {
    /// What costs more than this needs an approval.
    #[arg(long, value_name = "AMOUNT", value_parser = input::amount)]
    approval_above: Option<String>,
    /// What may be spent in a month of the provider's, for policies to look at.
    #[arg(long, value_name = "AMOUNT", value_parser = input::amount)]
    budget: Option<String>,
    /// A setting of the provider's rules or the host's own; may be given again.
    #[arg(long = "setting", value_name = "NAME=VALUE", value_parser = input::pair)]
    settings: Vec<(String, String)>,
}

#[derive(Debug, clap::Args)]
struct Set {
    /// The ID of the account.
    id: String,
    #[command(flatten)]
    limits: Limits,
    /// Remove the limit above which a plan needs an approval.
    #[arg(long, conflicts_with = "approval_above")]
    no_approval_above: bool,
    /// Remove the budget.
    #[arg(long, conflicts_with = "budget")]
    no_budget: bool,
    /// A setting that gets its default; may be given again.
    #[arg(long, value_name = "NAME")]
    default: Vec<String>,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    list: ListArguments,
}

#[derive(Debug, clap::Args)]
struct TopUp {
    /// The ID of the account.
    id: String,
    /// How much, such as `500.00`.
    #[arg(value_name = "AMOUNT", value_parser = input::amount)]
    amount: String,
    #[command(flatten)]
    act: ActArguments,
    #[command(flatten)]
    list: ListArguments,
}

const ACCOUNT: [Field; 10] = [
    Field::text("id", "account"),
    Field::text("provider", "provider"),
    Field::text("mode", "mode"),
    Field::amount("balance", "balance", "/currency").or("unknown"),
    Field::amount("held", "held", "/currency"),
    Field::text("currency", ""),
    Field::amount("approval_above", "approval above", "/currency"),
    Field::worded("limit_raise", "limit raise", limit_raise_text),
    Field::amount("budget", "budget", "/currency"),
    Field::json("settings", "settings"),
];

/// A raise of a limit that waits for a second person.
fn limit_raise_text(raise: &Value) -> String {
    let limit = match items::amount(&raise["approval_above"]) {
        Some(limit) => format!("to {}", dates::amount(limit)),
        None => "to no limit".to_owned(),
    };
    let by = raise["requested_by"].as_str().unwrap_or("somebody");
    format!("{limit}, which {by} requested, waits for a second person")
}

/// What a top-up comes to.
const PREVIEW: [Field; 5] = [
    Field::text("account", "account"),
    Field::amount("balance_before", "balance", "/currency"),
    Field::amount("amount", "paid in", "/currency"),
    Field::amount("balance_after", "balance then", "/currency"),
    Field::text("currency", ""),
];

const ENTRIES: [Field; 7] = [
    Field::instant("at", "at"),
    Field::text("reason", "reason"),
    Field::amount("amount", "amount", "/currency"),
    Field::text("from", "from"),
    Field::text("to", "to"),
    Field::text("resource", "resource"),
    Field::text("reference", "reference"),
];

pub(super) fn account(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let client = context.client(&arguments.target)?;
    match &arguments.action {
        Action::List(listed) => list_accounts(context, &client, listed),
        Action::Show { id, list } => context.write_item(&client, &ACCOUNT, &get(&client, id)?, list),
        Action::Create(create) => make(context, &client, create),
        Action::Set(set) => change(context, &client, set),
        Action::Connect(arguments) => {
            if !client.is_host() {
                database::ensure(context)?;
            }
            connection::connect(context, &client, arguments)
        }
        Action::Connections { list } => connection::list(context, &client, list),
        Action::Connection { id, list } => connection::show(context, &client, id, list),
        Action::Rotate(arguments) => connection::rotate(context, &client, arguments),
        Action::Grant(arguments) => connection::grant(context, &client, arguments),
        Action::Drive(arguments) => driving::drive(context, &client, arguments),
        Action::Pause(arguments) => driving::pause(context, &client, arguments),
        Action::Resume(arguments) => driving::resume(context, &client, arguments),
        Action::LimitSpending(arguments) => driving::limit_spending(context, &client, arguments),
        Action::TopUp(top_up) => pay_in(context, &client, top_up),
        Action::Ledger { id, limit, list } => ledger(context, &client, id, *limit, list),
    }
}

fn list_accounts(context: &Context, client: &Client, listed: &ListConditions) -> anyhow::Result<()> {
    let request = Request::new("GET", "/v1/accounts", &[]).to("list accounts");
    let found = items::pages(client, &request.query("provider", listed.provider.as_ref()), listed.limit)?;
    let none = "there are no accounts yet; make one with `perennial account create`";
    let nothing = list::nothing(listed.provider.is_some(), none);
    context.write_items(client, &ACCOUNT, &found, &listed.list, nothing)
}

fn get(client: &Client, id: &str) -> anyhow::Result<Value> {
    let request = Request::new("GET", "/v1/accounts/{id}", &[id]).to(format!("show the account `{id}`"));
    client.send(&request)?.json()
}

fn make(context: &Context, client: &Client, create: &Create) -> anyhow::Result<()> {
    let Create { id, provider, currency, balance, limits, reason, list } = create;
    let mut body = limits.body();
    for (name, value) in [("id", id), ("provider", provider), ("currency", currency), ("balance", balance)] {
        body.insert(name.to_owned(), json!(value));
    }
    let request = Request::new("POST", "/v1/accounts", &[])
        .to(format!("make the account `{id}`"))
        .body(body.into())
        .reason(reason.as_deref());
    let made = client.send(&request)?.json()?;
    context.write_item(client, &ACCOUNT, &made, list)
}

impl Limits {
    fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        for (name, value) in [("approval_above", &self.approval_above), ("budget", &self.budget)] {
            if let Some(value) = value {
                body.insert(name.to_owned(), json!(value));
            }
        }
        if !self.settings.is_empty() {
            let settings = self.settings.iter().map(|(name, value)| (name.clone(), json!(value)));
            body.insert("settings".to_owned(), settings.collect::<Map<_, _>>().into());
        }
        body
    }
}

fn change(context: &Context, client: &Client, set: &Set) -> anyhow::Result<()> {
    let Set { id, limits, no_approval_above, no_budget, default, reason, list } = set;
    let mut body = limits.body();
    for (name, is_none) in [("approval_above", no_approval_above), ("budget", no_budget)] {
        if *is_none {
            body.insert(name.to_owned(), Value::Null);
        }
    }
    if !default.is_empty() {
        let settings = body.entry("settings").or_insert_with(|| json!({}));
        default.iter().for_each(|name| settings[name] = Value::Null);
    }
    if body.is_empty() {
        let message = "name something to set, such as `--approval-above 50.00` or `--setting NAME=VALUE`";
        return Err(UserError::Argument(message.to_owned()).into());
    }
    let request = Request::new("PATCH", "/v1/accounts/{id}", &[id])
        .to(format!("change the account `{id}`"))
        .body(body.into())
        .reason(reason.as_deref());
    let response = client.send(&request)?;
    tell(context, client, &response, list)?;
    if response.is_accepted() {
        tracing::warn!("the limit of approvals is raised once another person says the same");
    }
    Ok(())
}

/// What became of an account: its events and, for programs, the whole answer.
fn tell(context: &Context, client: &Client, response: &Response, list: &ListArguments) -> anyhow::Result<()> {
    let changed = response.json()?;
    let account = &changed["account"];
    if list.format != ListFormat::Table {
        return context.write_item(client, &ACCOUNT, account, list);
    }
    let zone = context.item_zones(client, list.zone.time_zone)?.of(account);
    let mut out = Output::standard();
    let currency = account["currency"].as_str().unwrap_or_default();
    for event in changed["events"].as_array().into_iter().flatten() {
        event_lines::write(event, currency, zone, context.stdout_style(), &mut out)?;
    }
    if changed["events"].as_array().is_none_or(Vec::is_empty) {
        writeln!(out, "nothing has changed")?;
    }
    Ok(out.finish()?)
}

fn pay_in(context: &Context, client: &Client, top_up: &TopUp) -> anyhow::Result<()> {
    let TopUp { id, amount, act, list } = top_up;
    let before = get(client, id)?;
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
    let request = Request::new("POST", "/v1/accounts/{id}:top-up", &[id])
        .to(format!("top up `{id}` by {amount}"))
        .body(json!({ "amount": amount }))
        .once(&act.key()?)
        .reason(act.reason.as_deref());
    let response = client.send(&request)?;
    tell(context, client, &response, list)
}

fn ledger(
    context: &Context,
    client: &Client,
    id: &str,
    limit: u32,
    list: &ListArguments,
) -> anyhow::Result<()> {
    let account = get(client, id)?;
    let request =
        Request::new("GET", "/v1/accounts/{id}/ledger", &[id]).to(format!("list the ledger of `{id}`"));
    let mut entries = items::pages(client, &request, limit)?;
    for entry in &mut entries {
        entry["currency"] = account["currency"].clone();
        entry["provider"] = account["provider"].clone();
    }
    context.write_items(client, &ENTRIES, &entries, list, "the ledger has no entries")
}
