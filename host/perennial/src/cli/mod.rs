//! The command line: its arguments, its commands, its output and its exit status.
//!
//! One module a command. Exit codes: 0 when it did what it was asked, 1 when it could not, 2 when what it was given is wrong, 3
//! when `db migrate --check` finds a migration to do or a dry run something to change, and 141 when nobody reads the output.

mod account;
mod account_money;
mod account_view;
mod act;
mod approvals;
mod audit_record;
mod calendar;
mod calls;
mod channel;
mod choice;
mod clock;
mod compare;
mod completions;
mod confirm;
mod connection;
mod database;
mod db;
mod demo;
mod demo_connected;
mod demo_host;
mod demo_saved;
mod disk_space;
mod driving;
mod error_text;
mod event_lines;
mod events;
mod explain;
mod file_modes;
mod filter;
mod forecast;
mod host_process;
mod import;
mod input;
mod inventory_file;
mod items;
mod job;
mod key;
mod ledger;
mod list;
mod listeners;
mod lists;
mod lossy_log;
mod named;
mod on_host;
mod output;
mod package;
mod package_check;
mod plan;
mod playing;
mod plugin;
mod plugin_error;
mod plugin_failures;
mod plugin_loading;
mod plugins;
mod policy;
mod replay;
mod resource;
mod resources;
#[cfg(test)]
mod routes;
mod run;
mod safe_log;
mod sandbox;
mod scenario_warnings;
mod secret;
mod secrets_key;
mod serve;
mod simulate;
mod start;
mod sync;
mod target;
mod terminal;
mod token;
mod user_error;
mod validate;
mod warning;
mod webhook;

use std::cell::OnceCell;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory;
use clap::FromArgMatches;
use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;
use clap::ValueHint;
use clap::builder::OsStringValueParser;
use clap::builder::TypedValueParser as _;
use clap::parser::ValueSource;

use crate::cli::lossy_log::LossyLog;
use crate::cli::user_error::UserError;
use crate::client::LastWrite;
use crate::config;
use crate::config::Config;
use crate::config::LogFormat;
use perennial_sandbox::PluginFile;

/// Keeps prepaid cloud resources alive.
#[derive(Debug, Parser)]
#[command(name = "perennial", version, max_term_width = 100, after_help = EXAMPLES)]
struct Arguments {
    /// The database; it is made by `import`.
    #[arg(long, global = true, value_name = "FILE", default_value = "perennial.db", env = "PERENNIAL_DB",
        help_heading = GLOBAL)]
    db: PathBuf,
    /// The configuration, in TOML; `-` is the standard input. `[limits] readers` is PERENNIAL_LIMITS_READERS in the
    /// environment. Every command reads it, and refuses one whose text cannot be used; the files that it names are read by the
    /// commands that need them.
    #[arg(long, global = true, value_name = "FILE", env = "PERENNIAL_CONFIG", help_heading = GLOBAL,
        value_parser = OsStringValueParser::new().map(PathBuf::from), value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// A provider's plugin to load, beside or instead of the bundled one of the same id, and beside those of the
    /// configuration; FILE@sha256:DIGEST loads no other revision. May be given again.
    #[arg(long = "plugin", global = true, value_name = "FILE", value_parser = config::plugin_file,
        value_hint = ValueHint::FilePath,
        help_heading = GLOBAL)]
    plugins: Vec<PluginFile>,
    /// Where compiled plugins are kept, so that they are compiled once; by default a folder of your own.
    #[arg(long, global = true, value_name = "FOLDER", env = "PERENNIAL_CACHE", help_heading = GLOBAL)]
    cache: Option<PathBuf>,
    /// Whether to write colours and draw progress bars.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, help_heading = GLOBAL)]
    color: Colour,
    /// How many columns a line may take; by default those of the terminal, and any number where there is none.
    #[arg(long, global = true, value_name = "COLUMNS", help_heading = GLOBAL,
        value_parser = input::whole::<u16>(20..))]
    width: Option<u16>,
    #[command(subcommand)]
    command: Command,
}

/// The heading of the options that every command takes.
const GLOBAL: &str = "Global options";

const EXAMPLES: &str = "Examples:
  perennial demo
  perennial simulate --inventory inventory.json --from 2026-01-01 --until 2027-01-01
  perennial import inventory.json
  perennial run
  perennial serve
  perennial resources --stage grace
  perennial resource renew ecs-1

Wherever a file is named, `-` is the standard input or output.

Exit codes: 0 done, 1 could not, 2 wrong input (every problem is listed), 3 something would be done
(`db migrate --check`, `--dry-run`), 141 the reader of the output closed it before its end.";

/// When to write colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Colour {
    /// When the output is a terminal and `NO_COLOR` is not set.
    Auto,
    /// Colour everywhere, also in files.
    Always,
    /// No colour at all.
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Simulate(simulate::Arguments),
    Import(import::Arguments),
    Run(run::Arguments),
    Serve(serve::Arguments),
    Sandbox(sandbox::Arguments),
    Token(token::Arguments),
    Approvals(approvals::Arguments),
    Key(key::Arguments),
    Resources(resources::Arguments),
    Resource(resource::Arguments),
    Account(account::Arguments),
    Sync(sync::Arguments),
    Calls(calls::Arguments),
    Drift(lists::Drift),
    Job(job::Arguments),
    Orders(lists::Orders),
    Attempts(lists::Attempts),
    Prices(lists::Prices),
    Expiries(lists::Expiries),
    Forecast(forecast::Arguments),
    Package(package::Arguments),
    Events(events::Arguments),
    Explain(explain::Arguments),
    Plugins(plugins::Arguments),
    Plugin(plugin::Arguments),
    Policy(policy::Arguments),
    Replay(replay::Arguments),
    Webhook(webhook::Arguments),
    Channel(channel::Arguments),
    Warning(warning::Arguments),
    Calendar(calendar::Arguments),
    Clock(clock::Arguments),
    Audit(lists::Audit),
    Db(db::Arguments),
    Completions(completions::Arguments),
}

impl Command {
    /// Whether it goes through the routes of the admin API, also on a database.
    fn asks_routes(&self) -> bool {
        matches!(
            self,
            Command::Resource(_)
                | Command::Account(_)
                | Command::Sync(_)
                | Command::Calls(_)
                | Command::Drift(_)
                | Command::Job(_)
                | Command::Orders(_)
                | Command::Attempts(_)
                | Command::Prices(_)
                | Command::Expiries(_)
                | Command::Forecast(_)
                | Command::Package(_)
                | Command::Webhook(_)
                | Command::Channel(_)
                | Command::Warning(_)
                | Command::Calendar(_)
                | Command::Clock(_)
                | Command::Audit(_)
                | Command::Policy(_)
                | Command::Plugin(_)
                | Command::Token(_)
                | Command::Key(_)
                | Command::Approvals(_)
        )
    }
}

/// What every command may use.
struct Context {
    db: PathBuf,
    /// Whether the command line says which.
    is_db_named: bool,
    config: Option<PathBuf>,
    /// What the configuration says, once it was read: the standard input can be read once.
    settings: OnceCell<Config>,
    plugins: Vec<PluginFile>,
    cache: Option<PathBuf>,
    color: Colour,
    width: Option<usize>,
    /// What a command has done through the routes of the API.
    written: LastWrite,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let matches = match input::with_negative_numbers(Arguments::command()).try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return report_arguments(&error),
    };
    let is_db_named = matches.value_source("db") == Some(ValueSource::CommandLine);
    let is_config_named = matches.value_source("config") == Some(ValueSource::CommandLine);
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => return report_arguments(&error.format(&mut Arguments::command())),
    };
    let context = Context {
        db: arguments.db,
        is_db_named,
        // A variable that is empty names nothing, as everywhere.
        config: arguments.config.filter(|path| is_config_named || !path.as_os_str().is_empty()),
        settings: OnceCell::new(),
        plugins: arguments.plugins,
        cache: arguments.cache,
        color: arguments.color,
        width: arguments.width.map(usize::from),
        written: LastWrite::default(),
    };
    // `serve` says in its configuration how the log is written.
    let is_simulation = matches!(arguments.command, Command::Simulate(_) | Command::Demo(_));
    if !matches!(arguments.command, Command::Serve(_) | Command::Sandbox(_)) {
        // A plugin that fails in a simulation fails again and again; what it was asked is said only when it is wanted.
        let level = match (is_simulation, &arguments.command) {
            (true, _) => "info,plugin_question=off",
            // What the routes say of every request and event is for the log of a host.
            (false, command) if command.asks_routes() => "warn",
            (false, _) => "info",
        };
        context.log(LogFormat::Text, level);
    }
    let ended = run(&context, &arguments.command).map_err(|error| match context.written.what() {
        Some(what) if output::is_unwritable(&error) => output::unreported(error, &what),
        Some(_) | None => error,
    });
    LossyLog::standard().settle();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.downcast_ref() == Some(&confirm::WouldChange::ForPrograms) => ExitCode::from(3),
        Err(error) if error.is::<db::MigrationPending>() || error.is::<confirm::WouldChange>() => {
            match output::line(&error) {
                Ok(()) => ExitCode::from(3),
                Err(failure) => fail(&context, &failure.into()),
            }
        }
        Err(error) => fail(&context, &error),
    }
}

fn run(context: &Context, command: &Command) -> anyhow::Result<()> {
    if input::is_standard(&context.db) {
        let message = "`--db -`: a database is a file and cannot be read from the standard input";
        return Err(UserError::Argument(message.to_owned()).into());
    }
    if context.db.is_dir() {
        let message = format!(
            "`--db {0}` is a folder; name the file of a database, such as `{1}`",
            context.db.display(),
            context.db.join("perennial.db").display()
        );
        return Err(UserError::Argument(message).into());
    }
    // Also where nothing of it is used: a configuration that was named and cannot be read is a mistake.
    context.config()?;
    match command {
        Command::Demo(arguments) => demo::demo(context, arguments),
        Command::Simulate(arguments) => simulate::simulate(context, arguments),
        Command::Import(arguments) => import::import(context, arguments),
        Command::Run(arguments) => run::run(context, arguments),
        Command::Serve(arguments) => serve::serve(context, arguments),
        Command::Sandbox(arguments) => sandbox::sandbox(context, arguments),
        Command::Token(arguments) => token::token(context, arguments),
        Command::Approvals(arguments) => approvals::approvals(context, arguments),
        Command::Key(arguments) => key::key(context, arguments),
        Command::Resources(arguments) => resources::resources(context, arguments),
        Command::Resource(arguments) => resource::resource(context, arguments),
        Command::Account(arguments) => account::account(context, arguments),
        Command::Sync(arguments) => sync::sync(context, arguments),
        Command::Calls(arguments) => calls::calls(context, arguments),
        Command::Drift(arguments) => lists::drift(context, arguments),
        Command::Job(arguments) => job::job(context, arguments),
        Command::Orders(arguments) => lists::orders(context, arguments),
        Command::Attempts(arguments) => lists::attempts(context, arguments),
        Command::Prices(arguments) => lists::prices(context, arguments),
        Command::Expiries(arguments) => lists::expiries(context, arguments),
        Command::Forecast(arguments) => forecast::forecast(context, arguments),
        Command::Package(arguments) => package::package(context, arguments),
        Command::Webhook(arguments) => webhook::webhook(context, arguments),
        Command::Channel(arguments) => channel::channel(context, arguments),
        Command::Warning(arguments) => warning::warning(context, arguments),
        Command::Calendar(arguments) => calendar::calendar(context, arguments),
        Command::Clock(arguments) => clock::clock(context, arguments),
        Command::Audit(arguments) => lists::audit(context, arguments),
        Command::Events(arguments) => events::events(context, arguments),
        Command::Explain(arguments) => explain::explain(context, arguments),
        Command::Plugins(arguments) => plugins::plugins(context, arguments),
        Command::Plugin(arguments) => plugin::plugin(context, arguments),
        Command::Policy(arguments) => policy::policy(context, arguments),
        Command::Replay(arguments) => replay::replay(context, arguments),
        Command::Db(arguments) => db::db(context, arguments),
        Command::Completions(arguments) => completions::completions(arguments),
    }
}

/// Says what the arguments ask for without a command, such as help, or what is wrong with them.
fn report_arguments(arguments: &clap::Error) -> ExitCode {
    match arguments.print() {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::from(output::CLOSED),
        // What is wrong cannot be said, and the exit code says that something is.
        Err(_) if arguments.exit_code() != 0 => exit_code(arguments.exit_code()),
        Err(error) => {
            let context = Context {
                db: PathBuf::new(),
                is_db_named: false,
                config: None,
                settings: OnceCell::new(),
                plugins: Vec::new(),
                cache: None,
                color: Colour::Auto,
                width: None,
                written: LastWrite::default(),
            };
            fail(&context, &anyhow::Error::from(error).context("cannot write the standard output"))
        }
        Ok(()) => exit_code(arguments.exit_code()),
    }
}

fn exit_code(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// Says what failed. A reader that has seen enough, such as `head`, ends the program quietly, as it does others.
fn fail(context: &Context, error: &anyhow::Error) -> ExitCode {
    if output::is_closed(error) {
        return ExitCode::from(output::CLOSED);
    }
    context.complain(&error_text::of(error));
    ExitCode::from(if user_error::is_wrong_input(error) { 2 } else { 1 })
}
