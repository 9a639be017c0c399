//! `perennial account`: accounts, their settings and their money.

use clap::Subcommand;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::account_money as money;
use crate::cli::account_view as view;
use crate::cli::confirm::EndArguments;
use crate::cli::connection;
use crate::cli::database;
use crate::cli::driving;
use crate::cli::input;
use crate::cli::items;
use crate::cli::ledger;
use crate::cli::list;
use crate::cli::list::ListArguments;
use crate::cli::named;
use crate::cli::target::TargetArguments;
use crate::client::Client;
use crate::client::Request;

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
  perennial account ledger acme-hw --newest --limit 20
  perennial account balances acme-hw --days 90 --format csv

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
    TopUp(money::TopUp),
    /// Lists every entry of an account's ledger, oldest first.
    Ledger(ledger::Ledger),
    /// Lists an account's balance at the end of each day on which something moved.
    Balances(ledger::Balances),
}

#[derive(Debug, clap::Args)]
struct ListConditions {
    /// Only of this provider.
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = input::whole::<u32>(1..))]
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
    #[command(flatten)]
    end: EndArguments,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    list: ListArguments,
}

pub(super) fn account(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let client = context.client(&arguments.target)?;
    match &arguments.action {
        Action::List(listed) => list_accounts(context, &client, listed),
        Action::Show { id, list } => {
            context.write_item(&client, &view::ACCOUNT, &view::get(&client, id)?, list)
        }
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
        Action::TopUp(top_up) => money::pay_in(context, &client, top_up),
        Action::Ledger(arguments) => ledger::entries(
            context,
            &client,
            &view::get_to(&client, &arguments.id, &format!("list the ledger of `{}`", arguments.id))?,
            arguments,
        ),
        Action::Balances(arguments) => ledger::balances(
            context,
            &client,
            &view::get_to(&client, &arguments.id, &format!("list the ledger of `{}`", arguments.id))?,
            arguments,
        ),
    }
}

fn list_accounts(context: &Context, client: &Client, listed: &ListConditions) -> anyhow::Result<()> {
    let request = Request::new("GET", "/v1/accounts", &[]).to("list accounts");
    named::check_provider(client, listed.provider.as_deref())?;
    let found = items::pages(client, &request.query("provider", listed.provider.as_ref()), listed.limit)?;
    let none = "there are no accounts yet; make one with `perennial account create`";
    let nothing = list::nothing(listed.provider.is_some(), none);
    context.write_items(client, &view::LISTED, &found, &listed.list, nothing)
}

fn make(context: &Context, client: &Client, create: &Create) -> anyhow::Result<()> {
    let Create { id, provider, currency, balance, limits, reason, list } = create;
    let mut body = limits.body()?;
    for (name, value) in [("id", id), ("provider", provider), ("currency", currency), ("balance", balance)] {
        body.insert(name.to_owned(), json!(value));
    }
    let request = Request::new("POST", "/v1/accounts", &[])
        .to(format!("make the account `{id}`"))
        .body(body.into())
        .reason(reason.as_deref());
    let made = client.send(&request)?.json()?;
    context.write_item(client, &view::ACCOUNT, &made, list)
}

impl Limits {
    fn body(&self) -> Result<Map<String, Value>, UserError> {
        input::check_once("setting", self.settings.iter().map(|(name, _)| name.as_str()))?;
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
        Ok(body)
    }
}

fn change(context: &Context, client: &Client, set: &Set) -> anyhow::Result<()> {
    let Set { id, limits, no_approval_above, no_budget, default, end, reason, list } = set;
    let mut body = limits.body()?;
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
    let what = format!("change the account `{id}`");
    let mut before = view::get_to(client, id, &what)?;
    let request = |body: &Map<String, Value>| {
        Request::new("PATCH", "/v1/accounts/{id}", &[id]).to(&what).body(body.clone().into())
    };
    let lines = view::differences(&before, &body);
    // What would be refused is refused before anybody is asked.
    let mut dry_run = body.clone();
    dry_run.insert("dry_run".to_owned(), true.into());
    client.send(&request(&dry_run).look())?;
    if !end.agree(&lines, "Change this?")? {
        return Ok(());
    }
    let request = request(&body).reason(reason.as_deref());
    let pending = before["limit_raise"].take();
    let response = client.send(&request)?;
    view::tell(context, client, &response, list)?;
    if response.is_accepted() {
        let waits = response.json()?["account"]["limit_raise"].take();
        let before = if pending.is_null() || pending == waits {
            String::new()
        } else {
            format!("; it takes the place of the one {}", view::limit_raise_text(&pending))
        };
        tracing::warn!(
            "the limit of approvals is raised once another person says the same{before}; `perennial account show {id}` shows it"
        );
    }
    Ok(())
}
