//! `perennial db`: migrations, checks, backups and restores of the database file.

use std::fmt;
use std::fs::File;
use std::io;
use std::io::IsTerminal;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::confirm::EndArguments;
use crate::cli::input::is_standard;
use crate::cli::output;
use crate::cli::output::Output;
use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::ListFormat;
use crate::report::listing::Listing;
use crate::report::listing::Row;
use crate::report::style::Tone;
use perennial_formats::time_zone::TimeZone;
use perennial_store as store;
use perennial_store::ReadTx;
use perennial_store::copies;
use perennial_store::error::StoreError;
use perennial_store::integrity;
use perennial_store::integrity::Violation;
use perennial_store::lock::Lock;
use perennial_store::migrations;
use perennial_store::migrations::Step;

/// Migrates the database to the schema of this version, checks it, backs it up, and restores it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial db migrate --check
  perennial db migrate
  perennial db check
  perennial db check --format json
  perennial db backup /var/backups/perennial-2026-03-01.db
  perennial db restore /var/backups/perennial-2026-03-01.db

Every command that writes migrates an older database by itself; `db migrate` does so without starting anything. The database
before a migration is kept beside it as FILE.v3.backup, 3 being its schema, and is never overwritten. To go back to the
version before, stop the host and restore that file with `perennial db restore`.

Copy a database with `db backup` and put one back with `db restore`. While a program has it open, what was written last is
in FILE-wal and FILE-shm beside it: a copy of FILE alone lacks that, and those of another database break the one that they
are put beside. After the last program has ended in order, FILE is the whole database.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Brings the database to the schema of this version, in one transaction, and keeps a copy of it as it was.
    ///
    /// Stop the host first. If anything fails, the database is as it was.
    Migrate {
        /// Only print what would be done, also while a host runs. Exit code 3 if something would be done, 0 if nothing.
        #[arg(long)]
        check: bool,
    },
    /// Checks that the database keeps what the host promises, also while a host runs.
    ///
    /// Every balance is the sum of its entries, no period is paid for twice, every live bundle has a wake, approvals and
    /// attempts agree, and the file is whole. Exit code 1 if anything is violated; each violation is listed.
    Check {
        /// How the violations are written.
        #[arg(long, value_enum, default_value_t = ListFormat::Table)]
        format: ListFormat,
    },
    /// Writes a copy of the database to a new file, also while a host runs.
    ///
    /// The copy is one consistent moment, and only its owner can read it: the secrets of webhooks are in it. Keep the
    /// secrets key elsewhere; it is not in the database.
    Backup {
        /// The file to write; it must not exist. `-` is the standard output.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Replaces the database by a backup, and keeps the present one beside it as FILE.before-restore.
    ///
    /// Stop the host first. The backup itself stays where it is. One of an older schema is migrated when it is next opened for
    /// writing.
    Restore {
        /// The backup. `-` is the standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        end: EndArguments,
    },
}

/// A migration would do something: exit code 3.
#[derive(Debug, thiserror::Error)]
pub(super) struct MigrationPending {
    db: PathBuf,
    from: i64,
    steps: &'static [Step],
}

impl fmt::Display for MigrationPending {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = self.steps.last().map_or(self.from, |step| step.to);
        write!(out, "`{}` would be migrated from schema {} to {to}:", self.db.display(), self.from)?;
        for step in self.steps {
            write!(out, "\n  {}: {}", step.to, step.summary)?;
        }
        write!(
            out,
            "\nrun `perennial db migrate` while no host runs; a copy of the database is kept beside it"
        )
    }
}

/// A database breaks promises: exit code 1.
#[derive(Debug, thiserror::Error)]
struct BrokenPromises {
    db: PathBuf,
    count: usize,
}

impl fmt::Display for BrokenPromises {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.count == 1 { "promise is violated" } else { "promises are violated" };
        writeln!(out, "`{}`: {} {noun}", self.db.display(), self.count)?;
        write!(out, "restore a backup with `perennial db restore FILE`, and check that one first")
    }
}

const VIOLATION_COLUMNS: [Column; 2] =
    [Column::sentence("promise", "promise"), Column::sentence("found", "what violates it")];

pub(super) fn db(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.action {
        Action::Migrate { check: true } => preview_migration(context),
        Action::Migrate { check: false } => migrate(context),
        Action::Check { format } => check(context, *format),
        Action::Backup { file } => {
            if is_standard(file) {
                return backup_to_output(&context.db);
            }
            copies::copy(&context.db, file)?;
            let (file, db) = (file.display(), context.db.display());
            output::done(format_args!("`{file}` is a copy of `{db}`"))
        }
        Action::Restore { file, end } => restore(context, file, *end),
    }
}

fn check(context: &Context, format: ListFormat) -> anyhow::Result<()> {
    let checked = ReadTx::open(&context.db).and_then(|db| integrity::check(&db));
    let violations = checked.map_err(|error| {
        // What is not about the contents is not mended by a backup.
        let is_damaged = !matches!(
            error,
            StoreError::Forbidden { .. }
                | StoreError::Missing { .. }
                | StoreError::SchemaOld { .. }
                | StoreError::SchemaTooNew { .. }
                | StoreError::SchemaTooOld { .. }
        );
        let error = anyhow::Error::from(error);
        if !is_damaged {
            return error;
        }
        error.context(format!(
            "`{}` cannot be read whole; restore a backup with `perennial db restore FILE`, and check that one first",
            context.db.display()
        ))
    })?;
    let count = violations.len();
    let row = |violation: Violation| Row {
        zone: TimeZone::UTC,
        cells: vec![Cell::new(violation.promise), Cell::new(violation.found).tone(Tone::Bad)],
    };
    let rows = violations.into_iter().map(row).collect();
    let nothing = format!("`{}` keeps every promise", context.db.display());
    context.write_list(&Listing { columns: &VIOLATION_COLUMNS, rows }, format, &nothing)?;
    if count > 0 {
        return Err(BrokenPromises { db: context.db.clone(), count }.into());
    }
    Ok(())
}

fn preview_migration(context: &Context) -> anyhow::Result<()> {
    let (from, steps) = migrations::check(&context.db)?;
    if !steps.is_empty() {
        return Err(MigrationPending { db: context.db.clone(), from, steps }.into());
    }
    let db = context.db.display();
    let line = format!("`{db}` has schema {from}, the one of this version; there is nothing to do");
    Ok(output::line(line)?)
}

fn migrate(context: &Context) -> anyhow::Result<()> {
    let db = context.db.display();
    let line = match store::migrate(&context.db)? {
        Some(migration) => format!(
            "migrated `{db}` from schema {} to {}; the database as it was is kept as `{}`",
            migration.from,
            migration.to,
            migration.backup.display()
        ),
        None => format!("`{db}` has the schema of this version; there is nothing to do"),
    };
    output::done(line)
}

/// Writes a copy to the standard output, once it is whole.
fn backup_to_output(db: &Path) -> anyhow::Result<()> {
    if io::stdout().is_terminal() {
        let message = "a database is not for a terminal; name a file, or send the output to a program";
        return Err(UserError::Argument(message.to_owned()).into());
    }
    let folder = tempfile::Builder::new().prefix("perennial-").tempdir()?;
    let copy = folder.path().join("backup.db");
    copies::copy(db, &copy)?;
    let mut out = Output::standard();
    io::copy(&mut File::open(&copy)?, &mut out)?;
    Ok(out.finish()?)
}

fn restore(context: &Context, file: &Path, end: EndArguments) -> anyhow::Result<()> {
    if !is_standard(file) {
        return restore_from(context, file, &format!("`{}`", file.display()), end);
    }
    let folder = tempfile::Builder::new().prefix("perennial-").tempdir()?;
    let copy = folder.path().join("the standard input");
    io::copy(&mut io::stdin().lock(), &mut File::create(&copy)?)?;
    restore_from(context, &copy, "the standard input", end)
}

/// Whether both names lead to one file.
fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn restore_from(context: &Context, file: &Path, name: &str, end: EndArguments) -> anyhow::Result<()> {
    if !file.exists() {
        return Err(UserError::Argument(format!("there is no file {name} to restore")).into());
    }
    if file.is_dir() {
        let message = format!("{name} is a folder; name the file of a backup in it");
        return Err(UserError::Argument(message).into());
    }
    if is_same_file(file, &context.db) {
        let message = format!("{name} is the database itself; name a backup of it");
        return Err(UserError::Argument(message).into());
    }
    let schema = migrations::verify(file).map_err(|error| {
        UserError::Argument(format!(
            "nothing was restored: {:#}; name the file of a backup",
            anyhow::Error::from(error)
        ))
    })?;
    let _lock = Lock::take(&context.db)?;
    let line = format!("`{}` would be restored from {name}, which has schema {schema}", context.db.display());
    if !end.agree(&[line], "Put the backup in its place?")? {
        return Ok(());
    }
    let kept = copies::restore(file, &context.db)?;
    let mut lines =
        vec![format!("restored `{}` from {name}, which has schema {schema}", context.db.display())];
    lines.extend(kept.map(|kept| format!("the database as it was is kept as `{}`", kept.display())));
    if schema < store::SCHEMA_VERSION {
        let later = "it is migrated when it is next opened for writing; see `perennial db migrate --check`";
        lines.push(later.to_owned());
    }
    output::done(lines.join("\n"))
}
