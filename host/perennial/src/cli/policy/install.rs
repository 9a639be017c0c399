//! `perennial policy install` and `perennial policy remove`: changes of the policies that hold, while no server runs.

use std::io::Write;
use std::path::PathBuf;

use perennial_engine::Engine;
use perennial_engine::EngineTx;
use perennial_engine::Retention;
use perennial_engine::clock;
use perennial_engine::error::EngineError;
use perennial_engine::policy_changes::PolicyAuthor;
use perennial_engine::policy_changes::PolicyChanges;
use perennial_store::audit;
use perennial_store::clock as ticks;
use perennial_store::clock::ClockKind;
use perennial_store::policies;
use perennial_store::quotas;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::audit_record;
use crate::cli::audit_record::CLI;
use crate::cli::confirm::WouldChange;
use crate::cli::database;
use crate::cli::input;
use crate::cli::on_host::policies as host;
use crate::cli::on_host::policies::Installation;
use crate::cli::output::Output;
use crate::cli::policy::load;
use crate::cli::policy::load::LoadedPolicies;
use crate::client::Client;

/// What to do instead when a server has the database.
const WHILE_IT_SERVES: &str = "while `perennial serve` runs, policies are installed and removed through it: name it with \
                               `--server`, and with `--token-file` a token of the role `admin`";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The policy file.
    file: PathBuf,
    /// Also remove the policies and calendars that are not in the file.
    #[arg(long)]
    replace: bool,
    /// Only say what would change; exit code 3 when something would.
    #[arg(long)]
    dry_run: bool,
    /// Why, for the audit log.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Arguments {
    /// Installs the file on a running host.
    pub(super) fn install_on(&self, context: &Context, client: &Client) -> anyhow::Result<()> {
        let loaded = LoadedPolicies::read(context, &self.file)?;
        let Arguments { file, replace, dry_run, reason } = self;
        let scripts = loaded.set.policies.iter().map(|policy| (policy.script.clone(), policy.text.clone()));
        let (text, scripts) = (loaded.text(), scripts.collect());
        let (replace, dry_run, reason) = (*replace, *dry_run, reason.as_deref());
        host::install(client, &Installation { file, text, scripts, replace, dry_run, reason })
    }
}

/// Installs a policy file that `policy check` finds no problem with.
pub(super) fn install(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let loaded = LoadedPolicies::read(context, &arguments.file)?;
    let mut engine = open(context, &loaded)?;
    check_beside_others(&engine, &loaded, arguments.replace)?;
    let at = now(&engine)?;
    let author = PolicyAuthor { id: CLI, reason: arguments.reason.as_deref() };
    let limits = &context.config()?.limits;
    let install = |engine: &mut EngineTx<'_>| {
        let changes = engine.install_policies(at, &loaded.set, arguments.replace, author)?;
        match limits.policy_problem(quotas::policies(engine.db())?) {
            None => Ok(changes),
            Some(problem) => Err(anyhow::Error::from(UserError::Argument(problem))),
        }
    };
    let changes = match arguments.dry_run {
        true => engine.preview(install)?,
        false => engine.in_transaction(|engine| {
            let changes = install(engine)?;
            let operation = format!("policy install {}", arguments.file.display());
            audit::insert(engine.tx(), &audit_record::with_reason(at, &operation, author.reason))?;
            Ok::<_, anyhow::Error>(changes)
        })?,
    };
    print(&changes, arguments.dry_run)
}

/// Removes a policy.
pub(super) fn remove(context: &Context, name: &str, reason: Option<&str>) -> anyhow::Result<()> {
    let store = database::open_existing(context, WHILE_IT_SERVES)?;
    let mut engine = Engine::new(store, context.providers()?, Retention::Everything);
    let at = now(&engine)?;
    let changes = engine.in_transaction(|engine| {
        let changes = engine.remove_policy(at, name, PolicyAuthor { id: CLI, reason })?;
        if changes.is_some() {
            let operation = format!("policy remove {name}");
            audit::insert(engine.tx(), &audit_record::with_reason(at, &operation, reason))?;
        }
        Ok::<_, EngineError>(changes)
    })?;
    match changes {
        Some(changes) => print(&changes, false),
        None => {
            let message = format!("there is no policy `{name}`; see `perennial policy list`");
            Err(UserError::Argument(message).into())
        }
    }
}

fn open(context: &Context, loaded: &LoadedPolicies) -> anyhow::Result<Engine> {
    let store = database::open_existing(context, WHILE_IT_SERVES)?;
    Ok(Engine::new(store, input::rules_of(&loaded.plugins), Retention::Everything))
}

/// The present of the database: where its clock stands, if that is a virtual one.
fn now(engine: &Engine) -> anyhow::Result<perennial_domain::timestamp::Timestamp> {
    let state = ticks::state(engine.db())?;
    Ok(match (state.kind, state.ticked_at) {
        (Some(ClockKind::Virtual), Some(ticked_at)) => ticked_at + 1,
        _ => clock::now(),
    })
}

/// Checks the scripts again with the calendars that hold beside those of the file, and those of policies that stay with the
/// calendars that the file changes.
fn check_beside_others(engine: &Engine, loaded: &LoadedPolicies, replace: bool) -> anyhow::Result<()> {
    if replace {
        return Ok(());
    }
    let mut whole = loaded.set.clone();
    for held in policies::calendars(engine.db())? {
        if !whole.calendars.iter().any(|calendar| calendar.name == held.calendar.name) {
            whole.calendars.push(held.calendar);
        }
    }
    let reports = loaded.interpreter.check(&whole);
    let problems = loaded.set.policies.iter().zip(reports).flat_map(|(policy, report)| {
        report.problems.into_iter().map(|problem| load::finding(&loaded.script_path(policy), &problem))
    });
    let problems = problems.collect::<Vec<_>>();
    if problems.is_empty() { Ok(()) } else { Err(UserError::Argument(problems.join("\n")).into()) }
}

/// A line for each policy and calendar, and what became of it.
fn print(changes: &PolicyChanges, is_dry_run: bool) -> anyhow::Result<()> {
    let mut out = Output::standard();
    let would = if is_dry_run { "would be " } else { "" };
    for change in &changes.changes {
        let (subject, name, kind) = (change.subject.name(), &change.name, change.kind.name());
        writeln!(out, "{subject} {name}: {would}{kind}")?;
    }
    out.finish()?;
    WouldChange::check(is_dry_run && !changes.changes.is_empty())
}
