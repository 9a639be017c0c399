//! `perennial plugin backtest`: what another revision of a plugin would have planned otherwise, over the plans of the past.

use clap::ArgGroup;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::revision_backtest;
use perennial_engine::revision_backtest::OtherPlan;
use perennial_sandbox::PluginFile;
use perennial_store::ReadTx;
use perennial_store::revision_differences::RevisionTotal;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::database;
use crate::cli::input;
use crate::cli::list::ListArguments;
use crate::cli::plugin::backtest_ahead;
use crate::cli::plugin::backtest_ahead::AheadArguments;
use crate::cli::validate;
use crate::config;
use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::Listing;
use crate::report::listing::Row;
use crate::report::listing::Value;

/// A plugin that is asked about the plans that a database keeps, or plays the time ahead.
///
/// With `--since`, each plan of the past is asked about as it was; what another answer would have changed for the plans behind it is
/// not played on. With `--until`, the time ahead is played twice, with what is bound and with this plugin, and what differs is
/// listed: renewals and money by account and month, and what lapses. What the database has is played with money enough, as in a
/// forecast; an inventory is played with the balances that it says. Approvals are given in both.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("time").required(true).args(["since", "until"]))]
pub(super) struct Arguments {
    /// The component or the table; FILE@sha256:DIGEST takes no other revision. With `--server`, the digest of a revision that is
    /// installed there, or its beginning.
    #[arg(value_parser = config::plugin_file)]
    pub(super) plugin: PluginFile,
    /// Asks about the plans that were made from this instant on, in RFC 3339; a date alone is midnight UTC.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    pub(super) since: Option<Timestamp>,
    #[command(flatten)]
    pub(super) ahead: AheadArguments,
    /// Only of this account.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Each plan, and not only the totals by kind; of a running host, the first hundred.
    #[arg(long, conflicts_with = "until")]
    pub(super) each: bool,
    #[command(flatten)]
    pub(super) list: ListArguments,
}

impl Arguments {
    /// The argument that is about the database or files of this machine, if one is given.
    pub(super) fn of_database(&self) -> Option<&'static str> {
        let account = self.account.is_some().then_some("--account");
        let inventory = self.ahead.has_inventory().then_some("--inventory");
        account.or(inventory)
    }
}

const TOTALS: [Column; 5] = [
    Column::new("kind", "difference"),
    Column::number("plans", "plans"),
    Column::new("followed_cost", "done"),
    Column::new("cost", "would be"),
    Column::new("currency", ""),
];

const PLANS: [Column; 9] = [
    Column::new("at", "at"),
    Column::new("account", "account"),
    Column::new("resource", "resource"),
    Column::new("command", "command"),
    Column::new("kind", "difference"),
    Column::new("followed_cost", "done"),
    Column::new("cost", "would be"),
    Column::sentence("followed_answer", "answer followed"),
    Column::sentence("answer", "answer of the other"),
];

/// Lists what the plugin would have planned otherwise.
pub(super) fn backtest(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let plugin = context.load_plugin("backtest", &arguments.plugin)?;
    let Some(since) = arguments.since else {
        let until = arguments.ahead.until.unwrap_or(Timestamp::MIN);
        let (account, format) = (arguments.account.as_deref(), arguments.list.format);
        return backtest_ahead::backtest(context, (&arguments.ahead, until), plugin, account, format);
    };
    let db = ReadTx::open(&context.db)?;
    let now = database::now(&db)?;
    if since > now {
        let message = format!(
            "`--since {since}` lies ahead: it is {now} by the clock of the database; name an instant that has passed"
        );
        return Err(UserError::Argument(message).into());
    }
    validate::check_account(&db, arguments.account.as_deref())?;
    let zone = context.zones(arguments.list.zone.time_zone)?.of(Some(&plugin.manifest().id));
    let (mut totals, mut rows) = (Vec::<RevisionTotal>::new(), Vec::new());
    let account = arguments.account.as_deref();
    let tally = revision_backtest::run(&db, plugin.as_ref(), since, account, &mut |other| {
        revision_backtest::add_total(&mut totals, &other.total);
        if arguments.each {
            rows.push(Row { zone, cells: plan_cells(&other).into() });
        }
        Ok::<_, anyhow::Error>(())
    })?;
    if tally.skipped > 0 {
        tracing::warn!(
            plans = tally.skipped,
            "plans of another contract, or damaged ones, were not asked about"
        );
    }
    let nothing = format!("of {} plans none would have been another", tally.asked);
    if !arguments.each {
        rows = totals.iter().map(|total| Row { zone, cells: total_cells(total).into() }).collect();
        return context.write_list(&Listing { columns: &TOTALS, rows }, arguments.list.format, &nothing);
    }
    context.write_list(&Listing { columns: &PLANS, rows }, arguments.list.format, &nothing)
}

fn total_cells(total: &RevisionTotal) -> [Cell; TOTALS.len()] {
    [
        Cell::new(total.kind.name()),
        Cell::new(Value::Count(usize::try_from(total.questions).unwrap_or(usize::MAX))),
        Cell::new(Value::Amount(total.followed_cost, Some(total.currency.clone()))),
        Cell::new(Value::Amount(total.cost, Some(total.currency.clone()))),
        Cell::new(total.currency.as_str()),
    ]
}

fn plan_cells(other: &OtherPlan) -> [Cell; PLANS.len()] {
    [
        Cell::new(Value::Instant(other.at)),
        Cell::new(other.account.as_str()),
        Cell::new(other.resource.as_str()),
        Cell::new(other.command),
        Cell::new(other.total.kind.name()),
        Cell::new(Value::Amount(other.total.followed_cost, Some(other.total.currency.clone()))),
        Cell::new(Value::Amount(other.total.cost, Some(other.total.currency.clone()))),
        Cell::new(other.followed_answer.replace('\n', "; ")),
        Cell::new(other.answer.replace('\n', "; ")),
    ]
}
