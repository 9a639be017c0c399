//! `perennial plugin`: writes, builds, checks, tests, asks, packs and signs one plugin, and says which revision decides for whom.

mod ask;
mod backtest;
mod backtest_ahead;
mod backtest_on_host;
mod bench;
mod bindings;
mod build;
mod check;
mod evidence;
mod failures;
mod inspect;
mod limit_shares;
mod new;
mod pack;
mod package_file;
mod record;
mod revisions;
mod scripts;
mod sdk;
mod signing;
mod templates;
mod test;
mod transfer;

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
use crate::cli::list::ListArguments;
use crate::cli::target::TargetArguments;
use crate::config;

/// Plugins for their authors, from an empty folder to a provider with tests; and for operators, who install revisions of them,
/// try them in shadow, promote them and go back.
///
/// A plugin is a component (`.wasm`) or a table (`.toml`); docs/plugins.md is the guide. What is loaded on a host is listed by
/// `perennial plugins`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    target: TargetArguments,
}

const EXAMPLES: &str = "Examples:
  perennial plugin new nimbus
  perennial plugin new nimbus --language rust
  perennial plugin new nimbus --language python
  perennial plugin build nimbus
  perennial plugin check nimbus/nimbus.toml
  perennial plugin test nimbus/nimbus.toml
  perennial plugin test nimbus/nimbus.toml --bless
  perennial plugin test nimbus/nimbus.toml --record --server http://127.0.0.1:8420 --token-file token
  perennial plugin ask nimbus/nimbus.toml --case \"a renewal counts from the expiry\"
  perennial plugin bench nimbus/nimbus.toml --baseline bench.json
  perennial plugin pack nimbus/nimbus.toml --version 1.0.0 --author 'Ann Bee' --license Apache-2.0
  perennial plugin sign nimbus/nimbus-1.0.0.toml --key nimbus.key
  perennial plugin inspect nimbus/nimbus-1.0.0.toml
  perennial plugin push registry.example/acme/nimbus:1.0.0 nimbus/nimbus-1.0.0.toml
  perennial plugin pull registry.example/acme/nimbus:1.0.0
  perennial plugin backtest nimbus/nimbus.toml --since 2026-01-01
  perennial plugin backtest nimbus/nimbus.toml --until 2027-01-01
  perennial plugin install nimbus/nimbus.toml
  perennial plugin install nimbus.wasm --grant fuel-per-item=400000
  perennial plugin bind 3f9a1c2b --mode shadow --accounts 'acme-*'
  perennial plugin promote nimbus --accounts 'acme-*'
  perennial plugin roll-back nimbus --accounts 'acme-*'
  perennial plugin parked
  perennial plugin release ecs-1 --reason 'the table is repaired'

Exit codes: 0 done, 1 a check or a case does not hold, a build fails, or a plugin has another digest than the one that was
asked for or no signature that counts, 2 wrong input, such as a file that is not there or no plugin (every problem is listed),
3 a dry run found something to change.";

#[derive(Debug, Subcommand)]
enum Action {
    /// Writes a folder with a small provider, its cases, and whatever it takes to build it.
    New(new::Arguments),
    /// Builds the component of a folder that `new` wrote, and puts it there.
    Build {
        /// The folder that `new` wrote.
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// Leave WASI in a plugin in JavaScript or Python, so that a failure is told in the words of its language. The operator
        /// has to grant `wasi` then.
        #[arg(long)]
        wasi: bool,
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
    /// Says what would have been planned otherwise with a plugin, or comes otherwise in the time ahead, in money.
    Backtest(backtest::Arguments),
    /// Makes a private key to sign plugins with, and prints the public one, which operators trust.
    Keygen {
        /// The file that the private key is written to.
        file: PathBuf,
    },
    /// Signs a plugin: writes its signature beside it.
    Sign(signing::Sign),
    /// Says which key signed a plugin.
    Verify(signing::Verify),
    /// Installs a revision: keeps its bytes, so that it can be bound. It decides nothing until then.
    Install(revisions::Install),
    /// Lists the revisions that are kept.
    Revisions {
        /// Only those of this provider.
        #[arg(long, value_name = "ID")]
        provider: Option<String>,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Shows a revision.
    Revision {
        /// Its digest, or the beginning of it.
        revision: String,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Lists which revision decides for which accounts, and which is asked beside it.
    Bindings(ListArguments),
    /// Has a revision decide for accounts, or asked beside the one that does.
    Bind(bindings::Bind),
    /// Removes a binding: its accounts follow the next wider one.
    Unbind(bindings::Unbind),
    /// Has the revision decide that is asked in shadow, after it has shown what is known of it.
    Promote(bindings::Accounts),
    /// Has the revision decide again that decided before the last change.
    RollBack(bindings::Accounts),
    /// Lists what a revision answered otherwise in shadow, by kind and in money.
    Differences(revisions::Differences),
    /// Lists who bound what when.
    History(ListArguments),
    /// Makes a package of a plugin: says in it what it is, who made it, and what it asks for.
    Pack(pack::Arguments),
    /// Prints everything that a plugin or a package says of itself, without running it, and what of it is not true.
    Inspect(inspect::Arguments),
    /// Pushes a package with its signature to an OCI registry.
    Push(transfer::Push),
    /// Pulls a package with its signature from an OCI registry, if everything about it is as it should be.
    Pull(transfer::Pull),
    /// Lists the bundles that are parked, because their plugin fails over each of them alone.
    Parked {
        /// Only those of this provider.
        #[arg(long, value_name = "ID")]
        provider: Option<String>,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Lists the revisions that fail over everything, and until when they are not asked.
    Breakers(ListArguments),
    /// Has a parked bundle asked about again, or a revision whose breaker is open.
    Release(failures::Release),
}

impl Action {
    /// Whether it looks at files only.
    fn asks_no_host(&self) -> bool {
        match self {
            Action::Test(arguments) => arguments.asks_no_host(),
            Action::New(_)
            | Action::Build { .. }
            | Action::Check { .. }
            | Action::Ask(_)
            | Action::Bench(_)
            | Action::Keygen { .. }
            | Action::Sign(_)
            | Action::Verify(_)
            | Action::Pack(_)
            | Action::Inspect(_)
            | Action::Push(_)
            | Action::Pull(_) => true,
            Action::Install(_)
            | Action::Backtest(_)
            | Action::Revisions { .. }
            | Action::Revision { .. }
            | Action::Bindings(_)
            | Action::Bind(_)
            | Action::Unbind(_)
            | Action::Promote(_)
            | Action::RollBack(_)
            | Action::Differences(_)
            | Action::History(_)
            | Action::Parked { .. }
            | Action::Breakers(_)
            | Action::Release(_) => false,
        }
    }
}

pub(super) fn plugin(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let target = &arguments.target;
    if arguments.action.asks_no_host() {
        target.refuse_host()?;
    }
    match &arguments.action {
        Action::Backtest(arguments) => match context.host_client(target)? {
            Some(client) => backtest_on_host::backtest(context, &client, arguments),
            None => backtest::backtest(context, arguments),
        },
        Action::Keygen { file } => signing::keygen(file),
        Action::Sign(arguments) => signing::sign(arguments),
        Action::Verify(arguments) => signing::verify(context, arguments),
        Action::Install(arguments) => arguments.run(&context.client(target)?),
        Action::Revisions { provider, list } => {
            revisions::list(context, &context.client(target)?, provider.as_deref(), list)
        }
        Action::Revision { revision, list } => {
            revisions::show(context, &context.client(target)?, revision, list)
        }
        Action::Bindings(list) => bindings::list(context, &context.client(target)?, list),
        Action::Bind(arguments) => arguments.run(context, &context.client(target)?),
        Action::Unbind(arguments) => arguments.run(context, &context.client(target)?),
        Action::Promote(arguments) => arguments.promote(context, &context.client(target)?),
        Action::RollBack(arguments) => arguments.roll_back(context, &context.client(target)?),
        Action::Differences(arguments) => arguments.run(context, &context.client(target)?),
        Action::History(list) => bindings::history(context, &context.client(target)?, list),
        Action::Parked { provider, list } => {
            failures::parked(context, &context.client(target)?, provider.as_deref(), list)
        }
        Action::Breakers(list) => failures::breakers(context, &context.client(target)?, list),
        Action::Release(arguments) => arguments.run(context, &context.client(target)?),
        Action::New(arguments) => new::new(arguments),
        Action::Build { folder, wasi } => build::build(folder, *wasi),
        Action::Check { plugin } => check::check(context.load_plugin("check", plugin)?.as_ref()),
        Action::Test(arguments) => test::test(context, target, arguments),
        Action::Ask(arguments) => ask::ask(context, arguments),
        Action::Bench(arguments) => bench::bench(context, arguments),
        Action::Pack(arguments) => pack::pack(context, arguments),
        Action::Inspect(arguments) => inspect::inspect(context, arguments),
        Action::Push(arguments) => transfer::push(context, arguments),
        Action::Pull(arguments) => transfer::pull(context, arguments),
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
    /// The file of cases.
    fn path(&self) -> PathBuf {
        self.cases.clone().unwrap_or_else(|| self.plugin.path.with_file_name("cases.toml"))
    }

    /// The plugin, the file of cases, its text, and the cases, for what `verb` says in messages.
    fn read(
        &self,
        context: &Context,
        verb: &str,
    ) -> anyhow::Result<(Arc<Plugin>, PathBuf, String, Vec<Case>)> {
        let plugin = context.load_plugin(verb, &self.plugin)?;
        let path = self.path();
        let text = input::read(&path)?;
        let check =
            |_: &str, settings: &_| plugin.check_settings(settings).map_err(|error| error.to_string());
        let cases = plugin_case::read(&text, plugin.manifest(), &check)
            .map_err(|problems| UserError::File { path: path.clone(), problems })?;
        Ok((plugin, path, text, cases))
    }
}
