//! `perennial events`: lists events.

use std::io::Write;

use clap::ValueEnum;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::timestamp::Timestamp;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::input;
use crate::cli::output;
use crate::report;
use perennial_formats::event;
use perennial_store::ReadTx;
use perennial_store::events;

/// Lists the events of the database, the last ones first cut off at `--limit`, also while `perennial run` works on it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial events
  perennial events --resource ecs-1
  perennial events --type renewal_declined --since 2026-11-01T00:00:00Z --format jsonl")]
pub(super) struct Arguments {
    /// Only of this account.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Only of this resource.
    #[arg(long, value_name = "ID")]
    resource: Option<String>,
    /// Only of this type, such as `renewal_settled`.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Not before this instant, in RFC 3339.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    since: Option<Timestamp>,
    /// Before this instant, in RFC 3339.
    #[arg(long, value_name = "T", value_parser = input::instant)]
    until: Option<Timestamp>,
    /// At most so many, the last ones.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// In words.
    Table,
    /// One JSON object a line.
    Jsonl,
}

pub(super) fn events(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(kind) = arguments.kind.as_deref().filter(|kind| !EventKind::TYPES.contains(kind)) {
        let known = EventKind::TYPES.join(", ");
        return Err(UserError::Argument(format!("there is no event type `{kind}`; there are {known}")).into());
    }
    let db = ReadTx::open(&context.db)?;
    let filter = events::Filter {
        account: arguments.account.clone(),
        resource: arguments.resource.clone(),
        kind: arguments.kind.clone(),
        since: arguments.since,
        until: arguments.until,
    };
    let mut listed = Vec::new();
    for stored in events::list(&db, &filter, arguments.limit)? {
        let what = event::read_body(&stored.kind, &stored.body)?;
        listed.push((stored.account, Event { at: stored.at, resource: stored.resource, what }));
    }
    let mut out = output::writer(None)?;
    match arguments.format {
        Format::Table => {
            let rows = listed.iter().map(|(account, event)| (account.as_deref().unwrap_or_default(), event));
            report::table::events(&rows.collect::<Vec<_>>(), context.stdout_style(), &mut out)?;
        }
        Format::Jsonl => {
            for (account, event) in &listed {
                event::write_line(&mut out, account.as_deref(), event)?;
            }
        }
    }
    out.flush()?;
    Ok(())
}
