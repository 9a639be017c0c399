//! `perennial explain`: why a resource is where it is, what comes next, and what was decided last.

use std::io;
use std::io::Write;

use clap::ValueEnum;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::clock;
use perennial_engine::explanation;
use perennial_formats::explanation::ExplanationView;
use perennial_formats::explanation::SettingReasonView;
use perennial_service::lookup;
use perennial_store::ReadTx;
use perennial_store::clock::ClockKind;
use perennial_store::clock::ClockState;
use perennial_store::clock::state;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::list::ZoneArguments;
use crate::cli::output::Output;
use crate::report::Style;
use crate::report::columns;
use crate::report::style::Tone;
use crate::report::text::printable;

/// Explains a resource in words: where it is and why, what comes next and why, and what was decided last; also while
/// `perennial run` works on the database.
///
/// A setting is named where another value of it would move the instant.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial explain ecs-1
  perennial explain ecs-1 --time-zone provider
  perennial explain ecs-1 --format json")]
pub(super) struct Arguments {
    /// The resource to explain.
    #[arg(value_name = "RESOURCE")]
    resource: String,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    zone: ZoneArguments,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Sentences for people.
    Text,
    /// The object that the admin API answers.
    Json,
}

/// What stands before what belongs to the paragraph above it.
const SET_IN: &str = "      ";

pub(super) fn explain(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { resource, format, zone } = arguments;
    let db = ReadTx::open(&context.db)?;
    let unknown = || {
        let message =
            format!("there is no resource `{resource}`; `perennial resources` lists those that there are");
        UserError::Argument(message)
    };
    let found = lookup::find_resource(&db, resource)?.ok_or_else(unknown)?;
    let zone = context.zones(zone.time_zone)?.of(Some(&found.account.account.provider));
    let providers = context.providers_with_policies()?;
    let at = present(&db)?;
    let explained = db.snapshot(|db| explanation::explain(db, &providers, resource, at, zone))??;
    let explained = explained.ok_or_else(unknown)?;
    let mut out = Output::standard();
    match format {
        Format::Text => write_text(&explained, context.stdout_style(), &mut out)?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&explained)?)?,
    }
    Ok(out.finish()?)
}

/// What time it is where the database lives.
fn present(db: &ReadTx) -> anyhow::Result<Timestamp> {
    Ok(match state(db)? {
        ClockState { ticked_at: Some(ticked_at), kind: Some(ClockKind::Virtual) } => ticked_at + 1,
        ClockState { .. } => clock::now(),
    })
}

fn write_text(explained: &ExplanationView, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let facts =
        format!("{}, {}: {}", explained.account, explained.stage, explained.situation.replace('_', " "));
    writeln!(out, "{}  {}", style.paint(Tone::Strong, &printable(&explained.resource)), printable(&facts))?;
    paragraph(explained.text.first().map_or("", String::as_str), style, out)?;
    for reason in &explained.reasons {
        paragraph(&reason.text, style, out)?;
        settings(&reason.settings, style, out)?;
    }
    if !explained.next.is_empty() {
        writeln!(out, "next")?;
    }
    for step in &explained.next {
        paragraph(&step.text, style, out)?;
        settings(&step.settings, style, out)?;
    }
    let decided = explained.last_decision.as_ref().map(|last| &last.text);
    let last =
        decided.into_iter().chain(explained.last_ruling.as_ref().map(|last| &last.text)).collect::<Vec<_>>();
    if !last.is_empty() {
        writeln!(out, "last")?;
    }
    last.into_iter().try_for_each(|text| paragraph(text, style, out))
}

fn paragraph(text: &str, style: Style, out: &mut dyn Write) -> io::Result<()> {
    columns::paragraph(&printable(text), ("  ", "  "), Tone::Plain, style, out)
}

/// The settings that it is so by, each with the rule that it is part of.
fn settings(settings: &[SettingReasonView], style: Style, out: &mut dyn Write) -> io::Result<()> {
    for setting in settings {
        let value = match (&setting.value, setting.is_default) {
            (None, _) => "not set".to_owned(),
            (Some(value), true) => format!("{value}, the default"),
            (Some(value), false) => value.clone(),
        };
        let document = setting.document.as_ref().map(|document| format!(" [{document}]")).unwrap_or_default();
        let line = printable(&format!("{} = {value}: {}{document}", setting.name, setting.rule));
        columns::paragraph(&line, ("    ", SET_IN), Tone::Faint, style, out)?;
    }
    Ok(())
}
