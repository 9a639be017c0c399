//! `perennial approvals`: plans that need an approval, and the decisions on them.

use std::collections::BTreeMap;

use perennial_domain::approval::ExpiryReason;
use perennial_domain::approval::State;
use perennial_domain::policy::chain::RequiredApproval;

use crate::cli::Context;
use crate::cli::choice::Choice;
use crate::cli::confirm::EndArguments;
use crate::cli::input;
use crate::cli::items;
use crate::cli::list;
use crate::cli::list::ListArguments;
use crate::cli::list::Zones;
use crate::cli::on_host::approvals as on_host;
use crate::cli::target::TargetArguments;
use crate::cli::validate;
use crate::client::Client;
use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::Listing;
use crate::report::listing::Row;
use crate::report::listing::Value;
use crate::report::style::Tone;
use perennial_store::ReadTx;
use perennial_store::approvals;
use perennial_store::approvals::Filter;
use perennial_store::approvals::StoredApproval;
use perennial_store::keys::RowKey;

/// The states that `--state` takes.
const STATE: Choice<State> = Choice { what: "state", all: &State::ALL, name: State::name };

/// Lists the plans that cost more than their account may spend without an approval, and decides on them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial approvals list --state pending
  perennial approvals show ecs-1~1
  perennial approvals approve ecs-1~1 --dry-run
  perennial approvals approve ecs-1~1
  perennial approvals reject ecs-1~1 --reason 'it is to be replaced'

While `perennial serve` works on the database, decisions are made through it, with `--server`.
A decision is made at the present instant of the database: where its clock stands, if that is a virtual one.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Lists them, oldest first, also while `perennial run` works on the database.
    List(Conditions),
    /// Shows an approval and its plan, also while `perennial run` works on the database.
    Show {
        /// The approval's id.
        id: String,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Approves a plan and applies it: shows it as it is at present, asks, and carries out exactly that one.
    Approve {
        /// The approval's id.
        id: String,
        #[command(flatten)]
        how: on_host::ApproveArguments,
    },
    /// Rejects a plan.
    Reject {
        /// The approval's id.
        id: String,
        #[command(flatten)]
        end: EndArguments,
        /// The reason, which the audit log keeps.
        #[arg(long)]
        reason: Option<String>,
    },
}

/// Which approvals are listed, and how.
#[derive(Debug, clap::Args)]
struct Conditions {
    /// Only of this account.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Only in this state.
    #[arg(long, value_parser = STATE)]
    state: Option<State>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = input::whole::<u32>(1..))]
    limit: u32,
    #[command(flatten)]
    list: ListArguments,
}

const COLUMNS: [Column; 15] = [
    Column::new("id", "id"),
    Column::new("state", "state"),
    Column::new("account", "account"),
    Column::new("resource", "resource"),
    Column::new("cause", "cause"),
    Column::number("cost", "cost"),
    Column::new("currency", ""),
    Column::new("requested_at", ""),
    Column::new("expires_at", "expires"),
    Column::new("requested_by", "requested by"),
    Column::sentence("required", "required by"),
    Column::new("closed_at", ""),
    Column::new("decided_by", ""),
    Column::new("reason", ""),
    Column::new("expiry_reason", ""),
];

pub(super) fn approvals(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let target = &arguments.target;
    match &arguments.action {
        Action::List(conditions) => match context.host_client(target)? {
            Some(client) => list_on_host(context, &client, conditions),
            None => list(context, conditions),
        },
        Action::Show { id, list } => on_host::show(context, &context.client(target)?, id, list),
        Action::Approve { id, how } => on_host::approve(context, &context.client(target)?, id, how),
        Action::Reject { id, end, reason } => {
            on_host::reject(context, &context.client(target)?, id, (*end, reason.as_deref()))
        }
    }
}

fn list_on_host(context: &Context, client: &Client, conditions: &Conditions) -> anyhow::Result<()> {
    let Conditions { account, state, limit, list } = conditions;
    let (account, state) = (account.as_deref(), state.map(State::name));
    let nothing = nothing(account.is_some() || state.is_some());
    let conditions = on_host::Conditions { account, state, limit: *limit };
    on_host::list(context, client, &conditions, list, nothing)
}

fn nothing(has_conditions: bool) -> &'static str {
    list::nothing(has_conditions, "no plan has waited for an approval yet")
}

fn list(context: &Context, conditions: &Conditions) -> anyhow::Result<()> {
    let Conditions { account, state, limit, list } = conditions;
    let db = ReadTx::open(&context.db)?;
    validate::check_account(&db, account.as_deref())?;
    let filter = Filter { account: account.clone(), state: *state, ..Filter::default() };
    let mut listed = approvals::list(&db, &filter, RowKey::before_all(), limit.saturating_add(1))?;
    list::cut_off(&mut listed, *limit);
    let facts = list::account_facts(&db)?;
    let zones = context.zones(list.zone.time_zone)?;
    let rows = listed.into_iter().map(|stored| row(stored, &facts, &zones)).collect();
    let nothing = nothing(account.is_some() || state.is_some());
    context.write_list(&Listing { columns: &COLUMNS, rows }, list.format, nothing)
}

fn row(stored: StoredApproval, facts: &BTreeMap<String, (String, String)>, zones: &Zones) -> Row {
    let facts = facts.get(&stored.account_id).cloned();
    let (provider, currency) = facts.unzip();
    let closing = stored.closing;
    let expiry_reason = closing.as_ref().and_then(|closing| closing.expiry_reason);
    let cells: [Cell; COLUMNS.len()] = [
        Cell::new(stored.id),
        Cell::new(stored.state.name()).tone(match stored.state {
            State::Pending => Tone::Warning,
            State::Approved | State::Rejected | State::Expired => Tone::Plain,
        }),
        Cell::new(stored.account_id),
        Cell::new(stored.resource_id),
        Cell::new(stored.cause.name()),
        Cell::new(Value::Amount(stored.priced.cost, currency.clone())),
        Cell::new(currency),
        Cell::new(stored.requested_at),
        Cell::new(stored.expires_at),
        Cell::new(stored.requested_by).or("the clock"),
        Cell::new(Value::Texts(stored.required.iter().map(required_text).collect())),
        Cell::new(closing.as_ref().map(|closing| closing.at)),
        Cell::new(closing.as_ref().and_then(|closing| closing.by.clone())),
        Cell::new(closing.as_ref().and_then(|closing| closing.reason.clone())),
        Cell::new(expiry_reason.map(ExpiryReason::name)),
    ];
    Row { zone: zones.of(provider.as_deref()), cells: cells.into() }
}

fn required_text(required: &RequiredApproval) -> String {
    items::requirement(&required.policy, required.by.as_deref(), &required.reason)
}
