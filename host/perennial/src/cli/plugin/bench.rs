//! `perennial plugin bench`: the fuel, the memory and the time of a timeline and of a plan, and how they changed.
//!
//! Fuel and memory are the same on every machine, so more of them ends with exit code 1; time is only shown.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::time::Instant;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::plan::Command;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::Plugin;
use perennial_sandbox::PluginFile;
use perennial_sandbox::TimelineRequest;
use perennial_sandbox::samples;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::input;
use crate::cli::output;
use crate::cli::output::Output;
use crate::config;

/// How many bundles are asked about together.
const BATCH: usize = 256;
/// How often it is measured; the fastest counts.
const ROUNDS: usize = 5;
/// By how many percent fuel and memory may grow before they are said to be worse.
const TOLERANCE_PERCENT: u64 = 5;

/// The arguments of `bench`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The component or the table; FILE@sha256:DIGEST takes no other revision.
    #[arg(value_parser = config::plugin_file)]
    plugin: PluginFile,
    /// The figures of before, in a file that is made if it is not there; more than 5 % more fuel or memory ends with exit code 1.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
}

/// What grew: exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("{0} than the baseline allows; delete its line in the baseline to accept that")]
struct Grown(String);

/// What one question of a batch takes.
#[derive(Clone, Copy)]
struct Figure {
    fuel: u64,
    nanoseconds: u64,
    /// The most memory that a call had, whatever it asked together.
    memory_bytes: u64,
    /// How many bundles the call asked about.
    bundles: u64,
}

impl Figure {
    /// Its numbers, by what stands behind the question's name in a baseline and in messages, and whether they may not grow.
    fn numbers(self) -> [(&'static str, &'static str, u64, bool); 3] {
        [
            ("", "fuel", self.fuel, true),
            ("_memory_bytes", "memory", self.memory_bytes, true),
            ("_nanoseconds", "time", self.nanoseconds, false),
        ]
    }
}

pub(super) fn bench(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(path) = &arguments.baseline {
        input::refuse_standard(path, "`--baseline`", "is read and written")?;
    }
    let start = Instant::now();
    let plugin = context.load_plugin("bench", &arguments.plugin)?;
    let loaded = start.elapsed();
    let account = samples::account(plugin.manifest());
    let bundles = samples::bundles(plugin.manifest());
    let batch = bundles.iter().cycle().take(BATCH).collect::<Vec<_>>();
    let nothing = BTreeMap::new();
    let start = || drop(plugin.check_settings(&nothing));
    let figures = [
        ("start", measured_alone(&plugin, start)),
        ("timeline", measured(&plugin, || timelines(&plugin, &account, &batch))),
        ("plan", measured(&plugin, || plans(&plugin, &account, &batch))),
        ("timeline_alone", measured_alone(&plugin, || timelines(&plugin, &account, &batch[..1]))),
    ];
    let before = arguments.baseline.as_deref().map(read).transpose()?.unwrap_or_default();
    let mut out = Output::standard();
    writeln!(out, "{} bytes, loaded in {} ms", plugin.parts().size_bytes(), loaded.as_millis())?;
    writeln!(
        out,
        "{BATCH} bundles in one call, and one alone: fuel and time are a bundle's, memory is the call's"
    )?;
    let (mut after, mut worse) = (before.clone(), Vec::new());
    for (what, figure) in &figures {
        let mut shown = Vec::new();
        for (suffix, name, number, may_not_grow) in figure.numbers() {
            let key = format!("{what}{suffix}");
            let old = before.get(&key).copied();
            if may_not_grow
                && old.is_some_and(|old| number > old.saturating_add(old / 100 * TOLERANCE_PERCENT))
            {
                worse.push(format!("{what} took more {name}"));
            }
            after.entry(key).or_insert(number);
            shown.push(text(name, number, old));
        }
        if figure.bundles > 1 {
            shown.push(format!("memory a bundle {} bytes", figure.memory_bytes / figure.bundles));
        }
        writeln!(out, "{what:<16} {}", shown.join("; "))?;
    }
    out.finish()?;
    if let Some(path) = &arguments.baseline {
        let text = format!("{}\n", serde_json::to_string_pretty(&after)?);
        output::write_file(path, text.as_bytes())?;
    }
    if worse.is_empty() { Ok(()) } else { Err(Grown(worse.join(", ")).into()) }
}

/// A number with its unit and, if it is known, what it was before.
fn text(name: &str, number: u64, before: Option<u64>) -> String {
    let unit = |number: u64| match name {
        "memory" => format!("{} KiB", number >> 10),
        "time" => format!("{}.{} µs", number / 1_000, number / 100 % 10),
        _ => number.to_string(),
    };
    let before = before.map(|before| format!(", {} before", unit(before))).unwrap_or_default();
    format!("{name} {}{before}", unit(number))
}

/// The baseline; nothing when there is none yet.
fn read(path: &Path) -> anyhow::Result<BTreeMap<String, u64>> {
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let text = input::read(path)?;
    let wrong = |error| {
        let path = path.display();
        UserError::Argument(format!("`{path}` is no baseline: {error}; delete it, and a new one is made"))
    };
    Ok(serde_json::from_str(&text).map_err(wrong)?)
}

/// The figure of one of the questions that `ask` asks together.
fn measured(plugin: &Plugin, ask: impl Fn()) -> Figure {
    let all = measured_alone(plugin, ask);
    let bundles = BATCH as u64;
    Figure { fuel: all.fuel / bundles, nanoseconds: all.nanoseconds / bundles, bundles, ..all }
}

fn measured_alone(plugin: &Plugin, ask: impl Fn()) -> Figure {
    let mut best = Figure { fuel: u64::MAX, nanoseconds: u64::MAX, memory_bytes: 0, bundles: 1 };
    for _ in 0..ROUNDS {
        plugin.take_memory_peak_bytes();
        let (fuel, start) = (plugin.fuel_used(), Instant::now());
        ask();
        let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        best.nanoseconds = best.nanoseconds.min(nanoseconds);
        best.fuel = best.fuel.min(plugin.fuel_used() - fuel);
        best.memory_bytes = plugin.take_memory_peak_bytes() as u64;
    }
    best
}

fn timelines(plugin: &Plugin, account: &Account, bundles: &[&Bundle]) {
    let after = samples::instants()[1];
    let request = |bundle| TimelineRequest { after, account: AccountIndex::new(0), bundle };
    let requests = bundles.iter().map(|bundle| request(*bundle)).collect::<Vec<_>>();
    drop(plugin.timelines(&[account], &requests));
}

fn plans(plugin: &Plugin, account: &Account, bundles: &[&Bundle]) {
    let commands = samples::commands();
    let Some(command) = commands.first() else { return };
    let requests = bundles.iter().map(|bundle| plan_request(command, bundle)).collect::<Vec<_>>();
    drop(plugin.make_plans(&[account], &requests));
}

fn plan_request<'a>(command: &'a Command, bundle: &'a Bundle) -> PlanRequest<'a> {
    let (at, member) = (samples::instants()[1], MemberIndex::PRIMARY);
    PlanRequest { at, account: AccountIndex::new(0), command, member, bundle, orders: &[] }
}
