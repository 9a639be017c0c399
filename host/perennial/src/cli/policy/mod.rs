//! `perennial policy`: writes, checks, tests and tries policies, and has them hold for a database.

mod backtest;
mod check;
mod compare;
mod differences;
mod install;
mod load;
mod new;
mod run;
mod test;

use std::path::PathBuf;

use clap::Subcommand;

use crate::cli::Context;
use crate::cli::confirm::EndArguments;
use crate::cli::list::ListArguments;
use crate::cli::on_host::policies as on_host;
use crate::cli::target::TargetArguments;

pub(super) use load::LoadedPolicies;

/// Policies: scripts that rule on what is renewed, bought and given back.
///
/// A policy file names scripts and the plans that each of them is asked about; docs/policies.md is the guide. `new`, `check`,
/// `test`, `run`, `compare` and `backtest` look at the file: they change nothing that runs. The others are about the policies that hold
/// for the database.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: TargetArguments,
}

const EXAMPLES: &str = "Examples:
  perennial policy new approve-large
  perennial policy check policies.toml
  perennial policy test policies.toml
  perennial policy run policies.toml --plan plan.toml
  perennial policy run policies.toml --resource ecs-1
  perennial policy backtest policies.toml --since 2026-01-01
  perennial policy compare policies.toml --months 12
  perennial policy install policies.toml
  perennial policy differences approve-large
  perennial policy list --server http://127.0.0.1:8420 --token-file token

While `perennial serve` runs, policies are installed and removed through it, with `--server`.

Settings of every account (in an inventory, and with `PATCH /v1/accounts/{id}`; `on_…` and codes are in `settings`):
  on_policy_failure  what the failure of a policy comes to that says nothing itself: `approve`, `deny`,
                     `require_approval`, or `default`, which approves what keeps a resource alive (renew,
                     set_auto_renew, cancel_conversion, buy_again) and requires an approval of everything else
  budget             what may be spent in a calendar month of the provider; policies see it, nothing else heeds it
  approval_above     plans that cost more need an approval: the first policy of every account that has it
  on_undecided       what becomes of an automatic renewal whose approval nobody decides on in time: `lapse`
                     (the default) or `renew`
and, of Huawei Cloud and Baidu AI Cloud:
  policy_denied_code, policy_deferred_code
                     the code with which the provider's own API refuses what a policy denies, or does not allow before
                     an instant

Exit codes: 0 done, 1 a case of `test` does not hold, 2 wrong input (every problem is listed).";

#[derive(Debug, Subcommand)]
enum Action {
    /// Writes a new policy: a script, its tests, and its entry in the policy file, which is made if it is not there.
    New {
        /// Its name: lower case letters, digits and dashes.
        name: String,
        /// The policy file; the script is put beside it.
        #[arg(long, value_name = "FILE", default_value = "policies.toml")]
        file: PathBuf,
    },
    /// Compiles the scripts of a policy file, and lists what is wrong and what may fail.
    Check {
        /// The policy file, or a script alone.
        file: PathBuf,
    },
    /// Runs the tests that stand beside the scripts of a policy file, and says which lines they reach.
    Test {
        /// The policy file, or a script alone.
        file: PathBuf,
    },
    /// Asks the policies of a file about one plan, and prints what each of them rules and what that comes to.
    Run(run::Arguments),
    /// Lists what the policies of a file would have ruled otherwise on the plans that the database keeps.
    Backtest(backtest::Arguments),
    /// Lists what the policies of a file would do differently from those that hold, over the months to come.
    Compare(compare::Arguments),
    /// Installs the policies of a file, all or none: they rule on every plan from now on.
    Install(install::Arguments),
    /// Lists the policies that hold for the database, in the order in which they are asked.
    List(ListArguments),
    /// Prints a policy that holds: how it is bound, and its script.
    Show {
        /// The name of the policy.
        name: String,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Lists who changed a policy when, with the lines of its script that differ.
    History {
        /// Its name, also of one that was removed.
        name: String,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Removes a policy. What it had put off is asked about again.
    Remove {
        /// The name of the policy.
        name: String,
        #[command(flatten)]
        end: EndArguments,
        /// Why, for the audit log.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Lists what a shadow policy would have done otherwise than was done, by kind and in money.
    Differences(differences::Arguments),
    /// Lists the calendars that policies look at.
    Calendars(ListArguments),
    /// Lists who changed a calendar of policies when.
    CalendarHistory {
        /// Its name, also of one that was removed.
        name: String,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Removes a calendar that no policy looks at.
    RemoveCalendar {
        /// The name of the calendar.
        name: String,
        #[command(flatten)]
        end: EndArguments,
        /// Why, for the audit log.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

impl Action {
    /// Whether it looks at files, and at most at the database beside them.
    fn asks_no_host(&self) -> bool {
        matches!(self, Action::New { .. } | Action::Check { .. } | Action::Test { .. } | Action::Backtest(_))
            || matches!(self, Action::Run(arguments) if !arguments.reads_database())
    }

    /// Whether it asks no host and reads a database beside its files.
    fn reads_database(&self) -> bool {
        match self {
            Action::Run(arguments) => arguments.reads_database(),
            Action::Backtest(_) => true,
            Action::New { .. }
            | Action::Check { .. }
            | Action::Test { .. }
            | Action::Compare(_)
            | Action::Install(_)
            | Action::List(_)
            | Action::Show { .. }
            | Action::History { .. }
            | Action::Remove { .. }
            | Action::Differences(_)
            | Action::Calendars(_)
            | Action::CalendarHistory { .. }
            | Action::RemoveCalendar { .. } => false,
        }
    }
}

/// Such as `1 case` or `2 cases`.
fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Has nobody take what a command reads in files, or in the database beside them, for what a host has.
fn refuse_host(context: &Context, target: &TargetArguments, action: &Action) -> anyhow::Result<()> {
    if action.asks_no_host() {
        target.refuse_host()?;
        if action.reads_database() {
            context.refuse_host_of_environment()?;
        }
    }
    Ok(())
}

pub(super) fn policy(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let (target, action) = (&arguments.target, &arguments.action);
    refuse_host(context, target, action)?;
    match action {
        Action::New { name, file } => new::new(context, name, file),
        Action::Check { file } => check::check(context, file),
        Action::Test { file } => test::test(context, file),
        Action::Backtest(arguments) => backtest::backtest(context, arguments),
        Action::Run(arguments) if arguments.reads_database() => {
            arguments.ask(context, &context.client(target)?)
        }
        Action::Run(arguments) => arguments.run(context),
        Action::Install(arguments) => arguments.install(context, &context.client(target)?),
        Action::Remove { name, end, reason } => {
            on_host::remove(&context.client(target)?, name, *end, reason.as_deref())
        }
        Action::Differences(arguments) => arguments.ask(context, &context.client(target)?),
        Action::Compare(arguments) => compare::compare(context, &context.client(target)?, arguments),
        Action::List(list) => on_host::list(context, &context.client(target)?, list),
        Action::Show { name, list } => on_host::show(context, &context.client(target)?, name, list),
        Action::History { name, list } => on_host::history(context, &context.client(target)?, name, list),
        Action::Calendars(list) => on_host::calendars(context, &context.client(target)?, list),
        Action::CalendarHistory { name, list } => {
            on_host::calendar_history(context, &context.client(target)?, name, list)
        }
        Action::RemoveCalendar { name, end, reason } => {
            on_host::remove_calendar(&context.client(target)?, name, *end, reason.as_deref())
        }
    }
}
