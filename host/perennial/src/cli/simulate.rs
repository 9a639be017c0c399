//! `perennial simulate`: runs an inventory or a copy of a database on virtual time.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use perennial_domain::timestamp::Timestamp;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::choice::LANGUAGE;
use crate::cli::compare;
use crate::cli::compare::Sides;
use crate::cli::input;
use crate::cli::inventory_file::InventoryFile;
use crate::cli::list::ZoneArguments;
use crate::cli::list::Zones;
use crate::cli::output::Output;
use crate::cli::playing;
use crate::cli::plugin_failures::PluginFailures;
use crate::cli::plugin_loading;
use crate::cli::policy::LoadedPolicies;
use crate::cli::scenario_warnings;
use crate::report;
use crate::report::listing::ListFormat;
use crate::report::style::Style;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::parallel;
use perennial_engine::policies::Policies;
use perennial_engine::policy_comparison::Outcome;
use perennial_engine::rules::Providers;
use perennial_engine::simulation::parts::Play;
use perennial_formats::event;
use perennial_formats::inventory::ImportOptions;
use perennial_formats::inventory::Inventory;
use perennial_formats::inventory::NoRecords;
use perennial_formats::language::Language;
use perennial_formats::scenario::ScenarioEntry;
use perennial_formats::time_zone::ZoneChoice;
use perennial_picture::Detail;
use perennial_picture::History;
use perennial_picture::history::Frame;
use perennial_picture::history::TRACKS_MAX;
use perennial_picture::html;
use perennial_store::memory::MemoryStore;

/// Plays what would happen to an inventory between two instants, both included, over a copy: nothing is kept.
///
/// The same engine and plugins as in `perennial run` decide, on virtual time. A scenario says what people and the world
/// do meanwhile.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The accounts and resources to begin with, in JSON or CSV; `-` is the standard input.
    #[arg(long, value_name = "FILE")]
    inventory: PathBuf,
    /// The accounts of an inventory in CSV: a table with an account a line.
    #[arg(long, value_name = "FILE")]
    accounts: Option<PathBuf>,
    /// What people and the world do, in JSON; `-` is the standard input.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// A policy file in TOML: its scripts rule on every plan before it meets the money.
    #[arg(long, value_name = "FILE")]
    policies: Option<PathBuf>,
    /// Another policy file: the same is played with it, and what is written is what it does differently, in renewals and
    /// money by account and month, and in what lapses.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// What becomes of plans that wait for an approval; by default nobody decides on them.
    #[arg(long, value_enum, value_name = "WHAT")]
    approvals: Option<Approvals>,
    /// The first instant, in RFC 3339; a date alone is midnight UTC.
    #[arg(long, value_name = "T", value_parser = input::clock_instant)]
    from: Timestamp,
    /// The last instant, in RFC 3339; a date alone is midnight UTC.
    #[arg(long, value_name = "T", value_parser = input::clock_instant)]
    until: Timestamp,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The language of the page of `--format html`. What people, providers and plugins wrote stays as they wrote it.
    #[arg(long, value_parser = LANGUAGE, default_value = Language::English.tag())]
    language: Language,
    /// Where to write it; by default, and for `-`, to the standard output.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    #[command(flatten)]
    zone: ZoneArguments,
}

const EXAMPLES: &str = "Examples:
  perennial simulate --inventory inventory.json --from 2026-01-01 --until 2026-12-31T23:59:59Z
  perennial simulate --inventory inventory.json --scenario scenario.json \\
      --from 2026-01-01 --until 2026-03-31 --format jsonl --out events.jsonl
  perennial simulate --inventory inventory.json --from 2026-01-01 --until 2026-06-30 \\
      --format html --language zh-CN --out picture.html
  perennial simulate --inventory inventory.json --policies policies.toml --approvals granted \\
      --from 2026-01-01 --until 2026-12-31T23:59:59Z
  perennial simulate --inventory inventory.json --policies policies.toml --compare stricter.toml \\
      --from 2026-01-01 --until 2026-12-31T23:59:59Z

Exit code 2 on wrong input, with every problem listed; 1 if a plugin failed meanwhile: what it failed at is said at the
end, and what was written shows what happens while it fails.";

/// What becomes of plans that wait for an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Approvals {
    /// Every approval is given as soon as it is requested.
    Granted,
}

/// What a simulation writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A summary of each account and resource.
    Table,
    /// An array with an object for each resource as it is at the end.
    Json,
    /// The same as comma-separated values.
    Csv,
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
    /// Whether every approval is given as soon as it is requested.
    pub(super) grants_approvals: bool,
    /// Where its report writes instants.
    pub(super) zone: ZoneChoice,
    /// The language of its picture.
    pub(super) language: Language,
}

pub(super) fn simulate(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    check(arguments)?;
    let inventory = InventoryFile::read(&arguments.inventory, arguments.accounts.as_deref())?;
    let scenario_text = arguments.scenario.as_deref().map(input::read).transpose()?;
    let providers = providers(context, arguments.policies.as_deref())?;
    let inventory = inventory.document(ImportOptions::default(), &providers, &NoRecords)?.inventory;
    let scenario = match (&arguments.scenario, &scenario_text) {
        (Some(path), Some(text)) => input::scenario(path, text, &inventory)?,
        (None, _) | (_, None) => Vec::new(),
    };
    scenario_warnings::warn(&scenario, &inventory, (arguments.from, arguments.until));
    let Arguments { accounts, scenario: scenario_file, policies, compare, out, .. } = arguments;
    let inputs = [
        Some(&arguments.inventory),
        accounts.as_ref(),
        scenario_file.as_ref(),
        policies.as_ref(),
        compare.as_ref(),
    ];
    let mut out = Output::open_beside(out.as_deref(), inputs.into_iter().flatten().map(PathBuf::as_path))?;
    let play = SimulationRun {
        inventory: &inventory,
        scenario: &scenario,
        from: arguments.from,
        until: arguments.until,
        grants_approvals: arguments.approvals == Some(Approvals::Granted),
        zone: arguments.zone.time_zone,
        language: arguments.language,
    };
    if let Some(file) = &arguments.compare {
        let other = self::providers(context, Some(file))?;
        return play.compare(context, [providers, other], arguments, out);
    }
    let format = match arguments.format {
        Format::Table => ListFormat::Table,
        Format::Json => ListFormat::Json,
        Format::Csv => ListFormat::Csv,
        Format::Jsonl => {
            let failures = play.events(context, providers, &mut out)?;
            out.finish()?;
            return failures.check();
        }
        Format::Html => {
            let (history, failures) = play.history(context, providers, Detail::Picture)?;
            html::write(&history, &mut out)?;
            out.finish()?;
            return failures.check();
        }
    };
    let (history, failures) = play.history(context, providers, Detail::Totals)?;
    let style = style(context, arguments);
    report::table::write(&history, format, style, &mut out)?;
    out.finish()?;
    failures.check()
}

/// The rules of every provider, with the policies of `file`.
fn providers(context: &Context, file: Option<&Path>) -> anyhow::Result<Providers> {
    let Some(file) = file else { return context.providers() };
    let LoadedPolicies { set, interpreter, plugins, .. } =
        LoadedPolicies::read_for(context.load_plugins()?, file)?;
    Ok(plugin_loading::rules_of(&plugins).with_policies(Arc::new(Policies::fixed(interpreter, set))))
}

/// How a table is set where it is written to.
fn style(context: &Context, arguments: &Arguments) -> Style {
    let is_file = arguments.out.as_deref().is_some_and(|path| !input::is_standard(path));
    if is_file { context.file_style() } else { context.stdout_style() }
}

fn check(arguments: &Arguments) -> Result<(), UserError> {
    let Arguments { from, until, inventory, scenario, format, zone, compare, .. } = arguments;
    let mut problems = Vec::new();
    if until < from {
        problems.push(format!("`--until {until}` is before `--from {from}`"));
    }
    if input::is_standard(inventory) && scenario.as_deref().is_some_and(input::is_standard) {
        problems.push(
            "`--inventory -` and `--scenario -`: the standard input is one file, and can be one of them"
                .to_owned(),
        );
    }
    if matches!(format, Format::Jsonl | Format::Html) && zone.time_zone != ZoneChoice::UTC {
        problems.push(
            "events and the picture are in UTC; `--time-zone` is for the formats `table`, `json` and `csv`"
                .to_owned(),
        );
    }
    if compare.is_some() && matches!(format, Format::Jsonl | Format::Html) {
        problems.push("`--compare` writes a list: its formats are `table`, `json` and `csv`".to_owned());
    }
    if problems.is_empty() { Ok(()) } else { Err(UserError::Argument(problems.join("\n"))) }
}

impl SimulationRun<'_> {
    /// Plays it, and writes every event as a line of JSON.
    fn events(
        &self,
        context: &Context,
        providers: Providers,
        out: &mut impl Write,
    ) -> anyhow::Result<PluginFailures> {
        let mut written = Ok(());
        let failures = self.run(context, providers, &mut |account, event| {
            if written.is_ok() {
                written = event::write_line(out, account, event);
            }
        })?;
        written?;
        Ok(failures)
    }

    /// Plays it with two sets of policies, and writes what the second does differently.
    fn compare(
        &self,
        context: &Context,
        providers: [Providers; 2],
        arguments: &Arguments,
        mut out: Output,
    ) -> anyhow::Result<()> {
        let mut played = Vec::new();
        for providers in providers {
            let mut outcome = Outcome::default();
            let failures =
                self.run(context, providers, &mut |account, event| outcome.record(account, event))?;
            played.push((outcome, failures));
        }
        let accounts = self.inventory.accounts.iter();
        let currencies = accounts.map(|account| (account.id.as_str(), account.currency.as_str())).collect();
        let format = match arguments.format {
            Format::Json => ListFormat::Json,
            Format::Csv => ListFormat::Csv,
            Format::Table | Format::Jsonl | Format::Html => ListFormat::Table,
        };
        if let [(one, failures), (other, more)] = &played[..] {
            let nothing = "nothing: the same is renewed and paid with both";
            let sides = Sides::Policies { has_first: arguments.policies.is_some() };
            compare::listing(sides, one, other, &currencies).write(
                format,
                nothing,
                style(context, arguments),
                &mut out,
            )?;
            out.finish()?;
            failures.check()?;
            more.check()?;
        }
        Ok(())
    }

    /// Plays it, and keeps what a report needs. If a picture has no room for all resources, it is played twice: only at
    /// the end is it known which fare worst, and those are drawn.
    pub(super) fn history(
        &self,
        context: &Context,
        providers: Providers,
        detail: Detail,
    ) -> anyhow::Result<(History, PluginFailures)> {
        let resources =
            self.inventory.bundles.iter().map(|imported| imported.bundle.members.len()).sum::<usize>();
        let mut drawn = None;
        if detail == Detail::Picture && resources > TRACKS_MAX {
            let (totals, _) = self.play(context, providers.clone(), Detail::Totals, None)?;
            drawn = totals.worst(TRACKS_MAX);
        }
        self.play(context, providers, detail, drawn.as_ref())
    }

    fn play(
        &self,
        context: &Context,
        providers: Providers,
        detail: Detail,
        drawn: Option<&BTreeSet<usize>>,
    ) -> anyhow::Result<(History, PluginFailures)> {
        let bundles =
            self.inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
        let manifests = || providers.values().map(|rules| rules.manifest());
        let accounts = &self.inventory.accounts;
        let frame = Frame { from: self.from, until: self.until, detail, tracks_max: TRACKS_MAX, drawn };
        let mut history = History::new(frame, accounts, bundles, manifests());
        let offsets = manifests().map(|manifest| (manifest.id.as_str(), manifest.utc_offset_minutes));
        let zones = Zones::new(self.zone, offsets);
        let provider_of = accounts.iter().map(|account| (account.id.as_str(), account.provider.as_str()));
        let provider_of = provider_of.collect::<BTreeMap<_, _>>();
        history.set_language(self.language);
        history.set_zones(|account| zones.of(provider_of.get(account).copied()));
        let failures = self.run(context, providers, &mut |account, event| {
            if let Some(account) = account {
                history.record(account, event);
            }
        })?;
        Ok((history, failures))
    }

    fn run(
        &self,
        context: &Context,
        providers: Providers,
        observe: &mut dyn FnMut(Option<&str>, &perennial_domain::event::Event),
    ) -> anyhow::Result<PluginFailures> {
        let mut engine = Engine::new(MemoryStore::default(), providers.clone(), Retention::State);
        let bundles =
            self.inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
        engine.import(self.from, &self.inventory.accounts, bundles)?;
        let play = Play {
            providers: &providers,
            scenario: self.scenario,
            from: self.from,
            until: self.until,
            cores: parallel::cores(),
            grants_approvals: self.grants_approvals,
        };
        playing::play(context, &play, engine.into_store(), observe)
    }
}
