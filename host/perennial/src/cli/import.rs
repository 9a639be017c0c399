//! `perennial import`: takes an inventory into the database, all of it or nothing, or says what would come of that.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use perennial_domain::manifest::Manifest;
use perennial_domain::timestamp::Timestamp;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::audit_record::CLI;
use crate::cli::audit_record::audit_record;
use crate::cli::confirm::WouldChange;
use crate::cli::confirm::confirm;
use crate::cli::database;
use crate::cli::input;
use crate::cli::inventory_file::InventoryFile;
use crate::cli::on_host::import::HostImport;
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::target::TargetArguments;
use crate::client::Client;
use crate::report;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_engine::clock;
use perennial_engine::error::EngineError;
use perennial_engine::import_report::ImportReport;
use perennial_engine::rules::Providers;
use perennial_formats::dates;
use perennial_formats::inventory::Document;
use perennial_formats::inventory::ExistingRecords;
use perennial_formats::inventory::ImportOptions;
use perennial_formats::inventory::NoRecords;
use perennial_store::ReadTx;
use perennial_store::Store;
use perennial_store::accounts;
use perennial_store::audit;
use perennial_store::bundles;
use perennial_store::clock as ticks;
use perennial_store::clock::ClockKind;
use perennial_store::copy;
use perennial_store::error::StoreError;

/// What to do instead when a host has the database.
const WHILE_IT_RUNS: &str = "a host works on the database, and imports go through it: name it with `--server`, and with \
                             `--token-file` a token of the role `admin`";

/// Takes the accounts and resources of a file into the database, all of them or, if anything is wrong, none.
///
/// The file is JSON or, when its name ends in `.csv` or it is the standard input beside `--accounts`, a table with a resource a line. What had expired before is shown
/// with what the first tick of the clock will do to it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial import inventory.json
  perennial import inventory.json --dry-run
  perennial import resources.csv --accounts accounts.csv
  perennial import newer.json --update
  perennial import inventory.json --server http://127.0.0.1:8420 --token-file token")]
pub(super) struct Arguments {
    /// The inventory, in JSON or CSV; `-` is the standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The accounts of an inventory in CSV: a table with an account a line.
    #[arg(long, value_name = "FILE")]
    accounts: Option<PathBuf>,
    /// Only say what would come of it; exit code 3 when something would change. Works while a host runs.
    #[arg(long)]
    dry_run: bool,
    /// Also import what is released or loses a stage at the first tick.
    #[arg(long)]
    accept_expired: bool,
    /// The file is a newer inventory: what exists is changed. What is not in the file stays, and an expiry never moves back.
    #[arg(long)]
    update: bool,
    /// Do not ask before an update.
    #[arg(long, requires = "update")]
    yes: bool,
    #[command(flatten)]
    target: TargetArguments,
}

impl Arguments {
    fn options(&self) -> ImportOptions {
        ImportOptions { dry_run: self.dry_run, accept_expired: self.accept_expired, update: self.update }
    }

    /// What the file holds. Its problems come with the option that does away with them, if there is one.
    fn document(
        &self,
        inventory: &InventoryFile,
        providers: &Providers,
        existing: &dyn ExistingRecords,
    ) -> Result<Document, UserError> {
        let error = match inventory.document(self.options(), providers, existing) {
            Ok(document) => return Ok(document),
            Err(error) => error,
        };
        let message = error.to_string();
        let mut advice = Vec::new();
        if !self.update && message.contains(" exists already;") {
            advice
                .push("if this is a newer inventory of what is in the database, take it in with `--update`");
        }
        if inventory.is_csv() && self.accounts.is_none() && message.contains("there is no account ") {
            advice.push("the accounts of a table are a table of their own: name that with `--accounts FILE`");
        }
        if advice.is_empty() {
            return Err(error);
        }
        Err(UserError::Argument(format!("{message}\n{}", advice.join("\n"))))
    }
}

pub(super) fn import(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(client) = context.host_client(&arguments.target)? {
        return import_on_host(context, arguments, &client);
    }
    let inventory = InventoryFile::read(&arguments.file, arguments.accounts.as_deref())?;
    let providers = context.providers_with_policies()?;
    if arguments.dry_run {
        return dry_run(context, arguments, &inventory, providers);
    }
    let is_new = !context.db.exists();
    if is_new {
        // Before there is a database, so that a file that cannot be used makes none.
        let document = arguments.document(&inventory, &providers, &NoRecords)?;
        let now = clock::now();
        let report = preview_without_database(&document, providers.clone(), now)?;
        show(context, arguments, &report)?;
        check_accepted(&report, arguments, Some(now))?;
        confirm_update(&report, arguments)?;
    }
    let imported = import_into(context, arguments, &inventory, providers, is_new);
    let is_of_another = |error: &anyhow::Error| {
        let mut stores = error.chain().filter_map(|cause| cause.downcast_ref::<StoreError>());
        stores.any(|error| matches!(error, StoreError::InUse { .. }))
    };
    if is_new && imported.as_ref().is_err_and(|error| !is_of_another(error)) {
        remove_new(&context.db);
    }
    let imported = imported.map_err(|error| {
        let is_input = error.is::<UserError>();
        let what = format!("cannot import {} into {}", input::shown(inventory.path()), name_of(context));
        if is_input { error } else { error.context(what) }
    })?;
    // Nothing is taken away any more when this cannot be said.
    let is_virtual =
        ReadTx::open(&context.db).and_then(|db| Ok(ticks::state(&db)?.kind))? == Some(ClockKind::Virtual);
    let host = if is_virtual { "perennial serve --virtual-clock" } else { "perennial run" };
    output::done(format_args!("{imported}; `{host}` takes care of them"))
}

/// Takes away a database that was made for an import which failed, and what is beside it; not one that somebody else has
/// imported something into meanwhile.
fn remove_new(db: &Path) {
    let accounts = ReadTx::open(db).and_then(|db| accounts::list(&db));
    if accounts.is_ok_and(|accounts| !accounts.is_empty()) {
        return;
    }
    for ending in ["", "-wal", "-shm", "-journal", ".lock", ".generation"] {
        let mut name = db.as_os_str().to_owned();
        name.push(ending);
        if let Err(error) = std::fs::remove_file(&name)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(file = %Path::new(&name).display(), %error, "what a failed import made is left behind");
        }
    }
}

/// Imports the inventory, and says what was taken in.
fn import_into(
    context: &Context,
    arguments: &Arguments,
    inventory: &InventoryFile,
    providers: Providers,
    is_new: bool,
) -> anyhow::Result<String> {
    let store = Store::open(&context.db).map_err(|error| database::explain(error, WHILE_IT_RUNS))?;
    let bound = providers.as_bound(store.db())?;
    let document = arguments.document(inventory, &bound, &StoredRecords(store.db(), &bound))?;
    let now = database::now(store.db())?;
    let people = context.config()?.limits.limit_raise_people;
    let mut engine = Engine::new(store, providers, Retention::Everything);
    if !is_new {
        let report = engine.preview_import(now, &document)?;
        show(context, arguments, &report)?;
        check_accepted(&report, arguments, Some(now))?;
        check_raises(&report, people)?;
        confirm_update(&report, arguments)?;
    }
    let (done, _) = engine.in_transaction(|engine| {
        let done = engine.import_document(now, &document, CLI)?;
        audit::insert(engine.tx(), &audit_record(now, "import", None))?;
        Ok::<_, EngineError>(done)
    })?;
    Ok(taken_in(&name_of(context), arguments, &done, ("imported", "changed")))
}

/// The same on a running host: the same plan, the same consent, and the same words.
fn import_on_host(context: &Context, arguments: &Arguments, client: &Client) -> anyhow::Result<()> {
    let inventory = InventoryFile::read(&arguments.file, arguments.accounts.as_deref())?;
    let import = HostImport::new(&inventory, arguments.options())?;
    let report = import.look(client)?;
    show(context, arguments, &report)?;
    let name = format!("`{}`", client.name());
    if arguments.dry_run {
        return end_dry_run(&name, arguments, &report);
    }
    check_accepted(&report, arguments, None)?;
    confirm_update(&report, arguments)?;
    let done = import.carry_out(client)?;
    let imported = taken_in(&name, arguments, &done, ("imported", "changed"));
    output::done(format_args!("{imported}; the host takes care of them"))
}

/// Asks before an update changes something.
fn confirm_update(report: &ImportReport, arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.update && report.changes_something() {
        confirm("Change this?", arguments.yes)?;
    }
    Ok(())
}

/// The database, for messages.
fn name_of(context: &Context) -> String {
    format!("`{}`", context.db.display())
}

/// How much an import takes in: `imported 2 accounts and 5 resources into …` or, as `verbs` have it, what it would.
fn taken_in(
    name: &str,
    arguments: &Arguments,
    report: &ImportReport,
    (import, change): (&str, &str),
) -> String {
    let (accounts, resources) = (report.accounts.len(), report.resources.len());
    let changed = format!(" and {change} {}", dates::counted(report.changes.len(), "field"));
    format!(
        "{import} {} and {} into {name}{}",
        dates::counted(accounts, "account"),
        dates::counted(resources, "resource"),
        if arguments.update { &changed } else { "" },
    )
}

/// Says what would come of an import. Reads the database beside a host that runs, and tries the import out on a copy.
fn dry_run(
    context: &Context,
    arguments: &Arguments,
    inventory: &InventoryFile,
    providers: Providers,
) -> anyhow::Result<()> {
    let report = if context.db.exists() {
        let db = ReadTx::open(&context.db)?;
        let bound = providers.as_bound(&db)?;
        let document = arguments.document(inventory, &bound, &StoredRecords(&db, &bound))?;
        let now = database::now(&db)?;
        on_scratch(providers, |mut engine| {
            let accounts = serde_json::to_string(&named_accounts(&document))?;
            engine.in_transaction(|engine| copy::copy(&db, engine.tx(), Some(&accounts)))?;
            Ok(engine.preview_import(now, &document)?)
        })?
    } else {
        let document = arguments.document(inventory, &providers, &NoRecords)?;
        preview_without_database(&document, providers, clock::now())?
    };
    show(context, arguments, &report)?;
    end_dry_run(&name_of(context), arguments, &report)
}

/// Says how much would be taken in, and with which consent.
fn end_dry_run(name: &str, arguments: &Arguments, report: &ImportReport) -> anyhow::Result<()> {
    let needs_consent = report.losing().next().is_some() && !arguments.accept_expired;
    let with = if needs_consent { ", with `--accept-expired`" } else { "" };
    output::line(format_args!("{}{with}", taken_in(name, arguments, report, ("would import", "change"))))?;
    WouldChange::check(report.changes_something())
}

fn preview_without_database(
    document: &Document,
    providers: Providers,
    now: Timestamp,
) -> anyhow::Result<ImportReport> {
    on_scratch(providers, |mut engine| Ok(engine.preview_import(now, document)?))
}

/// Works with an engine whose database is thrown away.
fn on_scratch<T>(providers: Providers, work: impl FnOnce(Engine) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let folder = tempfile::Builder::new().prefix("perennial-").tempdir()?;
    let store = Store::scratch(&folder.path().join("import.db"))?;
    work(Engine::new(store, providers, Retention::State))
}

/// The accounts that a document is about.
fn named_accounts(document: &Document) -> Vec<&str> {
    let accounts = document.inventory.accounts.iter().map(|account| account.id.as_str());
    accounts.chain(document.inventory.bundles.iter().map(|imported| imported.account.as_str())).collect()
}

/// Shows what would come of an import, unless it is more than the limits of the host allow.
fn show(context: &Context, arguments: &Arguments, report: &ImportReport) -> anyhow::Result<()> {
    if let Some(problem) = context.config()?.limits.import_problem(report) {
        return Err(UserError::Argument(problem).into());
    }
    let (mut out, style) = (Output::standard(), context.stdout_style());
    if arguments.update {
        report::import::write_diff(report, style, &mut out)?;
    }
    report::import::write_summary(report, arguments.update, style, &mut out)?;
    Ok(out.finish()?)
}

/// Refuses what is released or loses a stage at once, unless that was accepted.
///
/// `now` is the instant that the database is at; of a host it is not known here.
fn check_accepted(
    report: &ImportReport,
    arguments: &Arguments,
    now: Option<Timestamp>,
) -> Result<(), UserError> {
    let losing = report.losing().count();
    if losing == 0 || arguments.accept_expired {
        return Ok(());
    }
    let resources = match losing {
        1 => "1 resource is released or loses".to_owned(),
        losing => format!("{losing} resources are released or lose"),
    };
    let clock =
        now.map_or("the host's clock".to_owned(), |now| format!("the clock of {}", dates::minute(now)));
    Err(UserError::Argument(format!(
        "nothing was imported: {resources} a stage at the first tick, by {clock} (`--dry-run` shows which); correct the \
         expiry in the file, or the clock, or say `--accept-expired`"
    )))
}

/// Refuses to raise approval limits, if that takes more than one person.
fn check_raises(report: &ImportReport, people: usize) -> Result<(), UserError> {
    let raised = report.limit_raises().map(|account| format!("`{account}`")).collect::<Vec<_>>().join(", ");
    if people < 2 || raised.is_empty() {
        return Ok(());
    }
    Err(UserError::Argument(format!(
        "nothing was imported: `approval_above` would be raised for {raised}, and a higher limit takes two people; leave it out, and \
         have both say `perennial account set ID --approval-above`"
    )))
}

/// What is in the database already, with the providers as they are bound there. A database that cannot be read is found out when
/// it is written to.
struct StoredRecords<'a>(&'a ReadTx, &'a Providers);

impl ExistingRecords for StoredRecords<'_> {
    fn provider_of(&self, account: &str) -> Option<String> {
        accounts::get(self.0, account).ok().flatten().map(|stored| stored.account.provider)
    }

    fn manifest_of(&self, account: &str, provider: &str) -> Option<&Manifest> {
        self.1.manifest_apart(account, provider)
    }

    fn check_settings(
        &self,
        account: &str,
        provider: &str,
        settings: &BTreeMap<String, String>,
    ) -> Option<Result<Vec<String>, String>> {
        self.1.settings_problems_apart(account, provider, settings)
    }

    fn has_resource(&self, resource: &str) -> bool {
        bundles::exists(self.0, resource).unwrap_or(false)
    }

    fn account_of(&self, resource: &str) -> Option<String> {
        let (stored, _) = bundles::find_by_resource(self.0, resource).ok().flatten()?;
        accounts::get_by_row(self.0, stored.account).ok().map(|stored| stored.account.id)
    }
}
