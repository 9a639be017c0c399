//! `perennial simulate`: runs an inventory or a copy of a database on virtual time.

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;
use perennial_domain::timestamp::Timestamp;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::input;
use crate::cli::input::InventoryFile;
use crate::cli::output;
use crate::report;
use crate::report::Detail;
use crate::report::History;
use crate::report::Style;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::rules::Providers;
use perennial_engine::simulation;
use perennial_formats::event;
use perennial_formats::inventory::ImportOptions;
use perennial_formats::inventory::Inventory;
use perennial_formats::inventory::NoRecords;
use perennial_formats::scenario::ScenarioEntry;
use perennial_store::Store;

/// Plays what would happen to an inventory between two instants, both included, over a copy: nothing is kept.
///
/// The same engine and plugins as in `perennial run` decide, on virtual time. A scenario says what people and the world
/// do meanwhile.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The accounts and resources to begin with, in JSON or CSV.
    #[arg(long, value_name = "FILE")]
    inventory: PathBuf,
    /// The accounts of an inventory in CSV: a table with an account a line.
    #[arg(long, value_name = "FILE")]
    accounts: Option<PathBuf>,
    /// What people and the world do, in JSON.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// The first instant, in RFC 3339.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    from: Timestamp,
    /// The last instant, in RFC 3339.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    until: Timestamp,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Where to write it; by default to the standard output.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  perennial simulate --inventory inventory.json --from 2026-01-01T00:00:00Z --until 2026-12-31T23:59:59Z
  perennial simulate --inventory inventory.json --scenario scenario.json \\
      --from 2026-01-01T00:00:00Z --until 2026-03-31T00:00:00Z --format jsonl --out events.jsonl
  perennial simulate --inventory inventory.json --from 2026-01-01T00:00:00Z --until 2026-06-30T00:00:00Z \\
      --format html --out picture.html";

/// What a simulation writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A summary of each account and resource.
    Table,
    /// Every event, one JSON object a line.
    Jsonl,
    /// A page with a picture of every resource's life and every account's balance.
    Html,
}

/// An inventory and what is played over it.
pub(super) struct SimulationRun<'a> {
    /// What there is to begin with.
    pub(super) inventory: &'a Inventory,
    /// What people and the world do.
    pub(super) scenario: &'a [ScenarioEntry],
    /// The first instant.
    pub(super) from: Timestamp,
    /// The last instant.
    pub(super) until: Timestamp,
}

pub(super) fn simulate(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.until < arguments.from {
        let message = format!("`--until {}` is before `--from {}`", arguments.until, arguments.from);
        return Err(UserError::Argument(message).into());
    }
    let inventory = InventoryFile::read(&arguments.inventory, arguments.accounts.as_deref())?;
    let scenario_text = arguments.scenario.as_deref().map(input::read).transpose()?;
    let providers = context.providers()?;
    let inventory = inventory.document(ImportOptions::default(), &providers, &NoRecords)?.inventory;
    let scenario = match (&arguments.scenario, &scenario_text) {
        (Some(path), Some(text)) => input::scenario(path, text, &inventory)?,
        (None, _) | (_, None) => Vec::new(),
    };
    warn_about_entries_outside(&scenario, arguments);
    let mut out = output::writer(arguments.out.as_deref())?;
    let play = SimulationRun {
        inventory: &inventory,
        scenario: &scenario,
        from: arguments.from,
        until: arguments.until,
    };
    match arguments.format {
        Format::Jsonl => play.events(context, providers, &mut out)?,
        Format::Table => {
            let history = play.history(context, providers, Detail::Totals)?;
            let style = if arguments.out.is_some() { Style::PLAIN } else { context.stdout_style() };
            report::table::write(&history, style, &mut out)?;
        }
        Format::Html => {
            let history = play.history(context, providers, Detail::Picture)?;
            report::html::write(&history, &mut out)?;
        }
    }
    out.flush()?;
    Ok(())
}

fn warn_about_entries_outside(scenario: &[ScenarioEntry], arguments: &Arguments) {
    let window = arguments.from..=arguments.until;
    let outside = scenario.iter().filter(|entry| !window.contains(&entry.at)).count();
    if outside > 0 {
        tracing::warn!(
            outside,
            "entries of the scenario are not between `--from` and `--until`; they are not played"
        );
    }
}

impl SimulationRun<'_> {
    /// Plays it, and writes every event as a line of JSON.
    fn events(&self, context: &Context, providers: Providers, out: &mut impl Write) -> anyhow::Result<()> {
        let mut written = Ok(());
        self.run(context, providers, &mut |account, event| {
            if written.is_ok() {
                written = event::write_line(out, account, event);
            }
        })?;
        Ok(written?)
    }

    /// Plays it, and keeps what a report needs.
    pub(super) fn history(
        &self,
        context: &Context,
        providers: Providers,
        detail: Detail,
    ) -> anyhow::Result<History> {
        let bundles =
            self.inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
        let manifests = providers.values().map(|rules| rules.manifest());
        let mut history =
            History::new(self.from, self.until, detail, &self.inventory.accounts, bundles, manifests);
        self.run(context, providers, &mut |account, event| {
            if let Some(account) = account {
                history.record(account, event);
            }
        })?;
        Ok(history)
    }

    fn run(
        &self,
        context: &Context,
        providers: Providers,
        observe: &mut dyn FnMut(Option<&str>, &perennial_domain::event::Event),
    ) -> anyhow::Result<()> {
        let folder = tempfile::Builder::new().prefix("perennial-").tempdir()?;
        let store = Store::scratch(&folder.path().join("simulation.db"))?;
        let mut engine = Engine::new(store, providers, Retention::State);
        let bundles =
            self.inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
        engine.import(self.from, &self.inventory.accounts, bundles)?;
        let mut progress = context.progress("simulating", self.from, self.until);
        simulation::run_scenario(&mut engine, self.scenario, self.from, self.until, &mut |recorded| {
            progress.reach(recorded.event.at);
            observe(recorded.account.as_deref(), &recorded.event);
        })?;
        progress.finish();
        Ok(())
    }
}
