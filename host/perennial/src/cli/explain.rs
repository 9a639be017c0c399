//! `perennial explain`: why a resource is where it is, what comes next, and what was decided last.

use std::io;
use std::io::Write;

use clap::ValueEnum;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::clock;
use perennial_engine::explanation;
use perennial_engine::explanation::Reader;
use perennial_formats::language::Language;
use perennial_formats::language::Text;
use perennial_formats::time_zone::ZoneChoice;
use perennial_service::lookup;
use perennial_store::ReadTx;
use perennial_store::clock::ClockKind;
use perennial_store::clock::ClockState;
use perennial_store::clock::state;
use serde_json::Value;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::choice::LANGUAGE;
use crate::cli::list::ZoneArguments;
use crate::cli::output::Output;
use crate::cli::target::TargetArguments;
use crate::client::Client;
use crate::client::Request;
use crate::report::Style;
use crate::report::columns;
use crate::report::style::Tone;
use crate::report::text::printable;

/// Explains a resource in words: where it is and why, what comes next and why, and what was decided last; also while
/// `perennial run` works on the database.
///
/// Names the settings that an instant depends on.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial explain ecs-1
  perennial explain ecs-1 --time-zone provider
  perennial explain ecs-1 --language zh-CN
  perennial explain ecs-1 --format json
  perennial explain ecs-1 --server http://127.0.0.1:8420 --token-file token")]
pub(super) struct Arguments {
    /// The resource to explain.
    #[arg(value_name = "RESOURCE")]
    resource: String,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The language of the sentences. What people, providers and plugins wrote stays as they wrote it.
    #[arg(long, value_parser = LANGUAGE, default_value = Language::English.tag())]
    language: Language,
    #[command(flatten)]
    zone: ZoneArguments,
    #[command(flatten)]
    target: TargetArguments,
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

/// What stands above what comes next, and above what was decided last.
const NEXT: Text = Text { english: "next", chinese: "接下来" };
const LAST: Text = Text { english: "last", chinese: "最近" };

pub(super) fn explain(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { resource, format, language, zone, target } = arguments;
    if let Some(client) = context.host_client(target)? {
        return on_host(context, &client, arguments);
    }
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
    let reader = Reader { zone, language: *language };
    let explained = db.snapshot(|db| explanation::explain(db, &providers, resource, at, reader))??;
    let explained = explained.ok_or_else(unknown)?;
    let mut out = Output::standard();
    match format {
        Format::Text => {
            let explained = serde_json::to_value(&explained)?;
            write_text(&explained, *language, context.stdout_style(), &mut out)?;
        }
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&explained)?)?,
    }
    Ok(out.finish()?)
}

/// The same on a running host.
fn on_host(context: &Context, client: &Client, arguments: &Arguments) -> anyhow::Result<()> {
    let resource = arguments.resource.as_str();
    let zone = Some(arguments.zone.time_zone).filter(|zone| *zone != ZoneChoice::UTC);
    let language = Some(arguments.language).filter(|language| *language != Language::English);
    let request = Request::new("GET", "/v1/resources/{id}/explanation", &[resource]).query("time_zone", zone);
    let request = request.query("language", language.map(Language::tag));
    let explained = client.send(&request.to(format!("explain `{resource}`")))?.json()?;
    let mut out = Output::standard();
    match arguments.format {
        Format::Text => write_text(&explained, arguments.language, context.stdout_style(), &mut out)?,
        Format::Json => writeln!(out, "{explained:#}")?,
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

fn write_text(explained: &Value, language: Language, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let situation = text(explained, "situation").replace('_', " ");
    let facts = format!("{}, {}: {situation}", text(explained, "account"), text(explained, "stage"));
    let resource = printable(&text(explained, "resource"));
    columns::heading(&resource, &printable(&facts), style, out)?;
    paragraph(explained["text"][0].as_str().unwrap_or_default(), style, out)?;
    for reason in list(explained, "reasons") {
        paragraph(&text(reason, "text"), style, out)?;
        settings(reason, style, out)?;
    }
    if list(explained, "next").next().is_some() {
        writeln!(out, "{}", NEXT.of(language))?;
    }
    for step in list(explained, "next") {
        paragraph(&text(step, "text"), style, out)?;
        settings(step, style, out)?;
    }
    let last = ["last_decision", "last_ruling"].map(|name| explained[name]["text"].as_str());
    let last = last.into_iter().flatten().collect::<Vec<_>>();
    if !last.is_empty() {
        writeln!(out, "{}", LAST.of(language))?;
    }
    last.into_iter().try_for_each(|text| paragraph(text, style, out))
}

fn list<'a>(object: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    object[name].as_array().into_iter().flatten()
}

fn paragraph(text: &str, style: Style, out: &mut dyn Write) -> io::Result<()> {
    columns::paragraph(&printable(text), ("  ", "  "), Tone::Plain, style, out)
}

/// The settings that it is so by, each with the rule that it is part of.
fn settings(reason: &Value, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for setting in list(reason, "settings") {
        let value = match (setting["value"].as_str(), setting["is_default"] == true) {
            (None, _) => "not set".to_owned(),
            (Some(value), true) => format!("{value}, the default"),
            (Some(value), false) => value.to_owned(),
        };
        let text = |name: &str| setting[name].as_str();
        let document = text("document").map(|document| format!(" [{document}]")).unwrap_or_default();
        let (name, rule) = (text("name").unwrap_or_default(), text("rule").unwrap_or_default());
        let line = printable(&format!("{name} = {value}: {rule}{document}"));
        columns::paragraph(&line, ("    ", SET_IN), Tone::Faint, style, out)?;
    }
    Ok(())
}
