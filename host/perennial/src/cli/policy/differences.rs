//! `perennial policy differences`: what a shadow policy would have done otherwise. Reads only, also while a host runs.

use perennial_store::ReadTx;
use perennial_store::keys::RowKey;
use perennial_store::policy_changes;
use perennial_store::policy_changes::Subject;
use perennial_store::policy_differences;
use perennial_store::policy_differences::DifferenceTotal;
use perennial_store::policy_differences::PolicyDifference;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::list::ListArguments;
use crate::cli::on_host::policies as host;
use crate::client::Client;
use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::Listing;
use crate::report::listing::Row;
use crate::report::listing::Value;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The policy's name.
    name: String,
    /// Only of this version of its script, by its digest.
    #[arg(long)]
    digest: Option<String>,
    /// Only the totals by kind.
    #[arg(long)]
    totals: bool,
    #[command(flatten)]
    list: ListArguments,
}

impl Arguments {
    /// The same on a running host.
    pub(super) fn ask(&self, context: &Context, client: &Client) -> anyhow::Result<()> {
        let Arguments { name, digest, totals, list } = self;
        host::differences(context, client, (name, digest.as_deref(), *totals), list)
    }
}

/// The most examples of one kind that follow its total.
const EXAMPLES_MAX: usize = 3;

const TOTALS: [Column; 6] = [
    Column::new("followed", "done"),
    Column::new("ruling", "would be"),
    Column::new("plans", "plans"),
    Column::new("cost", "cost"),
    Column::new("amended_cost", "amended"),
    Column::sentence("examples", "examples"),
];

const COLUMNS: [Column; 14] = [
    Column::new("last_at", "at"),
    Column::new("account", "account"),
    Column::new("resource", "resource"),
    Column::new("command", "command"),
    Column::new("cause", ""),
    Column::new("followed", "done"),
    Column::new("ruling", "would be"),
    Column::new("until", ""),
    Column::new("cost", "cost"),
    Column::new("amended_cost", "amended"),
    Column::new("currency", ""),
    Column::new("digest", ""),
    Column::new("times", ""),
    Column::sentence("reason", "reason"),
];

/// The plans on which the policy would have ruled otherwise or, with `--totals`, how many of each kind there are.
pub(super) fn differences(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let db = ReadTx::open(&context.db)?;
    let Arguments { name, digest, totals, list } = arguments;
    if policy_changes::last(&db, Subject::Policy, name)?.is_none() {
        let message = format!("there is no policy `{name}`; see `perennial policy list`");
        return Err(UserError::Argument(message).into());
    }
    let of = (None, digest.as_deref());
    let all = policy_differences::list(&db, name, of, RowKey::before_all(), u32::MAX)?;
    let zone = context.zones(list.zone.time_zone)?.of(None);
    let nothing = format!("`{name}` would have done nothing otherwise, as far as it was asked in shadow");
    if *totals {
        let rows = policy_differences::totals(&db, name, of)?.into_iter().map(|total| {
            let examples = examples(&all, &total);
            let cells: [Cell; TOTALS.len()] = [
                Cell::new(total.followed.name()),
                Cell::new(total.ruling.name()),
                Cell::new(Value::Count(plans(total.plans))),
                Cell::new(Value::Amount(total.cost, Some(total.currency.clone()))),
                Cell::new(Value::Amount(total.amended_cost, Some(total.currency))),
                Cell::new(examples),
            ];
            Row { zone, cells: cells.into() }
        });
        return context.write_list(
            &Listing { columns: &TOTALS, rows: rows.collect() },
            list.format,
            &nothing,
        );
    }
    let row = |one: PolicyDifference| {
        let amount = |amount: Option<_>| {
            amount.map_or(Value::None, |it| Value::Amount(it, Some(one.currency.clone())))
        };
        let cells: [Cell; COLUMNS.len()] = [
            Cell::new(one.last_at),
            Cell::new(one.account_id.clone()),
            Cell::new(one.resource_id.clone()),
            Cell::new(one.command.clone()),
            Cell::new(one.cause.name()),
            Cell::new(one.followed.name()),
            Cell::new(one.ruling.name()),
            Cell::new(one.until),
            Cell::new(amount(one.cost)),
            Cell::new(amount(one.amended_cost)),
            Cell::new(one.currency.clone()),
            Cell::new(one.digest.clone()),
            Cell::new(Value::Count(plans(one.times))),
            Cell::new(one.reason.clone()),
        ];
        Row { zone, cells: cells.into() }
    };
    let rows = all.into_iter().map(row).collect();
    context.write_list(&Listing { columns: &COLUMNS, rows }, list.format, &nothing)
}

/// Some of the resources that a total is about.
fn examples(all: &[PolicyDifference], total: &DifferenceTotal) -> String {
    let is_of = |one: &&PolicyDifference| {
        one.ruling == total.ruling && one.followed == total.followed && one.currency == total.currency
    };
    let found = all.iter().filter(is_of).map(|one| one.resource_id.as_str()).collect::<Vec<_>>();
    let shown = found.iter().take(EXAMPLES_MAX).copied().collect::<Vec<_>>().join(", ");
    match found.len().saturating_sub(EXAMPLES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn plans(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
