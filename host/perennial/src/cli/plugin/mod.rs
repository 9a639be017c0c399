//! `perennial plugin`: writes, builds, checks, tests and asks one plugin, before it has anything to decide.

mod ask;
mod bench;
mod build;
mod check;
mod new;
mod samples;
mod sdk;
mod templates;
mod test;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use perennial_formats::plugin_case;
use perennial_formats::plugin_case::Case;
use perennial_sandbox::Plugin;
use perennial_sandbox::PluginFile;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::input;
use crate::cli::plugins;
use crate::config;

/// Plugins for their authors: from an empty folder to a provider with tests.
///
/// A plugin is a component (`.wasm`) or a table (`.toml`); docs/plugins.md is the guide. What is loaded on a host is listed by
/// `perennial plugins`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "Examples:
  perennial plugin new nimbus
  perennial plugin new nimbus --language rust
  perennial plugin build nimbus
  perennial plugin check nimbus/nimbus.toml
  perennial plugin test nimbus/nimbus.toml
  perennial plugin test nimbus/nimbus.toml --bless
  perennial plugin ask nimbus/nimbus.toml --case \"a renewal counts from the expiry\"
  perennial plugin bench nimbus/nimbus.toml --baseline bench.json

Exit codes: 0 done, 1 a check or a case does not hold or a build fails, 2 wrong input (every problem is listed).";

#[derive(Debug, Subcommand)]
enum Action {
    /// Writes a folder with a small provider, its cases, and whatever it takes to build it.
    New(new::Arguments),
    /// Builds the component of a folder that `new` wrote, and puts it there.
    Build {
        /// The folder that `new` wrote.
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Asks a plugin hundreds of questions, and says what of its answers is against the contract.
    Check {
        /// The component or the table; FILE@sha256:DIGEST takes no other revision.
        #[arg(value_parser = config::plugin_file)]
        plugin: PluginFile,
    },
    /// Asks a plugin the cases of a file, and shows where its answers differ.
    Test(test::Arguments),
    /// Asks a plugin the question of one case, and prints its answer and the fuel that it took.
    Ask(ask::Arguments),
    /// Measures fuel and time of a timeline and of a plan, and compares them with those that were measured before.
    Bench(bench::Arguments),
    /// Prints what a plugin says of itself, its contract and its revision.
    Inspect {
        /// The component or the table; FILE@sha256:DIGEST takes no other revision.
        #[arg(value_parser = config::plugin_file)]
        plugin: PluginFile,
    },
}

pub(super) fn plugin(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.action {
        Action::New(arguments) => new::new(arguments),
        Action::Build { folder } => build::build(folder),
        Action::Check { plugin } => check::check(context.load_plugin(plugin)?.as_ref()),
        Action::Test(arguments) => test::test(context, arguments),
        Action::Ask(arguments) => ask::ask(context, arguments),
        Action::Bench(arguments) => bench::bench(context, arguments),
        Action::Inspect { plugin } => plugins::inspect(context, context.load_plugin(plugin)?.as_ref()),
    }
}

/// A plugin and a file of cases for it.
#[derive(Debug, clap::Args)]
struct CaseArguments {
    /// The component or the table; FILE@sha256:DIGEST takes no other revision.
    #[arg(value_parser = config::plugin_file)]
    plugin: PluginFile,
    /// The file of cases; `cases.toml` beside the plugin otherwise.
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
}

impl CaseArguments {
    /// The plugin, the file of cases, its text, and the cases.
    fn read(&self, context: &Context) -> anyhow::Result<(Arc<Plugin>, PathBuf, String, Vec<Case>)> {
        let plugin = context.load_plugin(&self.plugin)?;
        let folder = self.plugin.path.parent().unwrap_or(Path::new(""));
        let path = self.cases.clone().unwrap_or_else(|| folder.join("cases.toml"));
        let text = input::read(&path)?;
        let check =
            |_: &str, settings: &_| plugin.check_settings(settings).map_err(|error| error.to_string());
        let cases = plugin_case::read(&text, plugin.manifest(), &check)
            .map_err(|problems| UserError::File { path: path.clone(), problems })?;
        Ok((plugin, path, text, cases))
    }
}
