//! `perennial policy backtest`: what the policies of a file would have ruled on the plans that a database keeps. Reads only,
//! also while a host runs.

mod effects;
mod rows;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use perennial_domain::policy::PolicyMode;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::backtest;
use perennial_engine::backtest::TestedPlan;
use perennial_engine::policies::Policies;
use perennial_store::ReadTx;
use perennial_store::decisions;
use perennial_store::events;
use perennial_store::keys::RowKey;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::database;
use crate::cli::input;
use crate::cli::list::ListArguments;
use crate::cli::plugin_loading;
use crate::cli::policy::backtest::effects::Effects;
use crate::cli::policy::load::LoadedPolicies;
use crate::cli::validate;

/// Asks the policies of a file about every plan that the database keeps, and lists what they would have ruled otherwise than
/// was ruled: by kind, in renewals and money by account and month, and what would have lapsed.
///
/// Each plan is asked about as it was, with its resources, its price and the money that its account had then. What one
/// other ruling would have changed for the plans behind it is not played on: `perennial simulate --compare` does that.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial policy backtest policies.toml --since 2026-01-01
  perennial policy backtest stricter.toml --since 2026-01-01 --account acme --format csv

Plans are kept for `limits.decision_days`, 90 days unless it is set.")]
pub(super) struct Arguments {
    /// The policy file, or a script alone.
    file: PathBuf,
    /// The first instant, in RFC 3339; a date alone is midnight UTC.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    since: Timestamp,
    /// Only of this account.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    #[command(flatten)]
    list: ListArguments,
}

/// Lists what the policies of the file would have ruled otherwise.
pub(super) fn backtest(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let loaded = LoadedPolicies::read(context, &arguments.file)?;
    let db = ReadTx::open(&context.db)?;
    let now = database::now(&db)?;
    check(arguments, &loaded, now)?;
    validate::check_account(&db, arguments.account.as_deref())?;
    let LoadedPolicies { set, interpreter, plugins, .. } = loaded;
    let providers =
        plugin_loading::rules_of(&plugins).with_policies(Arc::new(Policies::fixed(interpreter, set)));
    let history = History::read(&db, arguments.since)?;
    let mut effects = Effects::default();
    let tally = backtest::run(&db, &providers, arguments.since, arguments.account.as_deref(), &mut |plan| {
        effects.add(&plan, history.was_done(&plan));
        Ok::<_, anyhow::Error>(())
    })?;
    warn_of_what_is_gone(&db, arguments.since)?;
    let zone = context.zones(arguments.list.zone.time_zone)?.of(None);
    let listing = rows::listing(&effects.changes(now), &tally, zone);
    context.write_list(&listing, arguments.list.format, "")
}

fn check(arguments: &Arguments, loaded: &LoadedPolicies, now: Timestamp) -> Result<(), UserError> {
    let mut problems = Vec::new();
    if arguments.since > now {
        problems.push(format!(
            "`--since {}` lies ahead: it is {now} by the clock of the database; name an instant that has passed",
            arguments.since
        ));
    }
    if loaded.set.policies.iter().all(|policy| policy.mode == PolicyMode::Shadow) {
        problems.push(format!(
            "every policy in {} is a shadow, whose rulings count for nothing; leave `mode = \"shadow\"` out to see what \
             they would have done",
            input::shown(&arguments.file)
        ));
    }
    if problems.is_empty() { Ok(()) } else { Err(UserError::Argument(problems.join("\n"))) }
}

/// Says so when plans of the asked time are not kept any more.
fn warn_of_what_is_gone(db: &ReadTx, since: Timestamp) -> anyhow::Result<()> {
    let oldest = decisions::list(db, RowKey::before_all(), 1)?.pop();
    match oldest {
        None => tracing::warn!("no plan is kept in this database; they are kept while a clock runs"),
        Some(oldest) if oldest.at > since && oldest.row.number() > 1 => tracing::warn!(
            oldest = %oldest.at,
            "plans before that are not kept any more; `limits.decision_days` says for how long they are"
        ),
        Some(_) => {}
    }
    Ok(())
}

/// What came of plans, by the events of their instants.
struct History {
    /// Renewals that were paid: the resource, and when.
    settled: BTreeSet<(String, Timestamp)>,
    /// Commands that were refused or wait for an approval.
    stopped: BTreeSet<(String, Timestamp)>,
}

impl History {
    fn read(db: &ReadTx, since: Timestamp) -> anyhow::Result<History> {
        let of = |kind: &str| {
            let filter = events::Filter {
                kind: Some(kind.to_owned()),
                since: Some(since),
                ..events::Filter::default()
            };
            let found = events::list(db, &filter, u32::MAX)?;
            Ok::<_, anyhow::Error>(found.into_iter().filter_map(|event| Some((event.resource?, event.at))))
        };
        Ok(History {
            settled: of("renewal_settled")?.collect(),
            stopped: of("command_refused")?.chain(of("approval_requested")?).collect(),
        })
    }

    /// Whether a plan was carried out.
    fn was_done(&self, plan: &TestedPlan) -> bool {
        let place = (plan.resource.clone(), plan.at);
        match plan.command.as_str() {
            "renew" => self.settled.contains(&place),
            _ => plan.was_allowed && !self.stopped.contains(&place),
        }
    }
}
