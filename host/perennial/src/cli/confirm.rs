//! What a command asks before it changes something, and how a dry run ends that would change something.

use std::io::IsTerminal;
use std::io::Write;

use serde_json::Map;
use serde_json::Value;

use crate::cli::UserError;
use crate::cli::items;
use crate::cli::output::Output;
use crate::report::listing::ListFormat;
use crate::report::text::printable;

/// A dry run that found something to do: exit code 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing was written: this was a dry run")]
pub(super) enum WouldChange {
    /// People read the output, and are told.
    ForPeople,
    /// A program reads the output, which has nothing else in it than it asked for.
    ForPrograms,
}

impl WouldChange {
    /// The end of a dry run that people read, which found something to do or not.
    ///
    /// # Errors
    ///
    /// [`WouldChange::ForPeople`] when something would change.
    pub(super) fn check(would_change: bool) -> anyhow::Result<()> {
        if would_change { Err(WouldChange::ForPeople.into()) } else { Ok(()) }
    }

    /// The end of a dry run whose output has this format.
    pub(super) fn with(format: ListFormat) -> WouldChange {
        match format {
            ListFormat::Table => WouldChange::ForPeople,
            ListFormat::Json | ListFormat::Csv => WouldChange::ForPrograms,
        }
    }
}

/// How a command that ends something, or changes it for good, is carried out.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct EndArguments {
    /// Only say what would become of it; exit code 3 when something would change.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
}

impl EndArguments {
    /// Whether nothing is to be done.
    pub(super) fn is_dry_run(self) -> bool {
        self.dry_run
    }

    /// Says what would become of what, a line each, and asks `question`; returns whether it is to be done. Where nothing would
    /// change nobody is asked, and a dry run is at its end.
    ///
    /// # Errors
    ///
    /// [`WouldChange`] at the end of a dry run that found something; [`UserError`] when the answer is no, or nobody can be asked.
    pub(super) fn agree(self, lines: &[String], question: &str) -> anyhow::Result<bool> {
        if self.dry_run {
            let mut out = Output::standard();
            lines.iter().try_for_each(|line| writeln!(out, "{}", printable(line)))?;
            out.finish()?;
            WouldChange::check(!lines.is_empty())?;
            return Ok(false);
        }
        if !lines.is_empty() && !self.yes {
            let said = lines.iter().try_for_each(|line| writeln!(std::io::stderr(), "{}", printable(line)));
            said.map_err(|error| {
                UserError::Argument(format!("nothing was changed: it cannot be shown: {error}"))
            })?;
            confirm(question, false)?;
        }
        Ok(true)
    }
}

/// What a change of `before` would change, a line each.
pub(super) fn differences(before: &Value, change: &Map<String, Value>) -> Vec<String> {
    let said = |value: &Value| match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            items::plain(other)
        }
    };
    let changed = change.iter().filter(|(name, after)| before[name.as_str()] != **after);
    let line = |(name, after): (&String, &Value)| {
        format!("{name}: from {} to {}", said(&before[name.as_str()]), said(after))
    };
    changed.map(line).collect()
}

/// Asks `question`, unless `yes` says that nobody has to.
///
/// # Errors
///
/// [`UserError`] when the answer is no, or nobody can be asked.
pub(super) fn confirm(question: &str, yes: bool) -> Result<(), UserError> {
    if yes {
        return Ok(());
    }
    let refused = |why: &str| Err(UserError::Argument(format!("nothing was changed: {why}")));
    if !std::io::stdin().is_terminal() {
        return refused(
            "nobody can be asked here; look at what would change with `--dry-run`, then say `--yes`",
        );
    }
    // If that cannot be said, the answer is no.
    let asked = write!(std::io::stderr(), "{question} [y/N] ");
    if let Err(error) = asked {
        return refused(&format!("it cannot be asked: {error}"));
    }
    let mut answer = String::new();
    match std::io::stdin().read_line(&mut answer) {
        Ok(_) if ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()) => Ok(()),
        Ok(_) => refused("the answer was no"),
        Err(error) => refused(&format!("the answer cannot be read: {error}")),
    }
}
