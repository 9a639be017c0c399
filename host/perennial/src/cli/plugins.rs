//! `perennial plugins`: lists the providers that have rules, and the settings of their plugins.

use std::io::Write;

use perennial_domain::plugin_limits::PluginLimits;
use perennial_formats::dates;
use perennial_formats::package::PackageManifest;
use perennial_formats::time_zone::TimeZone;
use perennial_formats::time_zone::ZoneChoice;
use serde_json::json;

use crate::cli::Context;
use crate::cli::items;
use crate::cli::items::Field;
use crate::cli::list::ListArguments;
use crate::cli::list::ZoneArguments;
use crate::cli::output::Output;
use crate::cli::target::TargetArguments;
use crate::client::Request;
use crate::report::Style;
use crate::report::columns;
use crate::report::listing::Cell;
use crate::report::listing::Column;
use crate::report::listing::ListFormat;
use crate::report::listing::Listing;
use crate::report::listing::Row;
use crate::report::listing::Value;
use crate::report::style::Tone;
use perennial_sandbox::Plugin;

/// Lists the plugins that are loaded: what they are, where they come from and what their accounts can be set to.
///
/// A plugin that cannot be loaded is an error that says what it has and what was expected.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial plugins
  perennial --plugin acme.wasm plugins
  perennial plugins --format json")]
pub(super) struct Arguments {
    /// What to write.
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    format: ListFormat,
    #[command(flatten)]
    target: TargetArguments,
}

const COLUMNS: [Column; 13] = [
    Column::new("id", ""),
    Column::new("name", ""),
    Column::new("origin", ""),
    Column::number("size_bytes", ""),
    Column::new("revision", ""),
    Column::new("exports", ""),
    Column::new("imports", ""),
    Column::new("asked", ""),
    Column::new("granted", ""),
    Column::new("utc_offset_minutes", ""),
    Column::new("kinds", ""),
    Column::new("settings", ""),
    Column::new("breaker", ""),
];

/// What a host says of its plugins, under the same names. Where a file is, how large it is and what is in it is not said.
const ON_HOST: [Field; 13] = [
    Field::text("id", "plugin"),
    Field::text("name", "name"),
    Field::text("origin", ""),
    Field::number("size_bytes", ""),
    Field::text("revision", "revision"),
    Field::texts("exports", ""),
    Field::texts("imports", ""),
    Field::text("asked", "asks for"),
    Field::text("granted", "granted"),
    Field::number("utc_offset_minutes", ""),
    Field::json("kinds", ""),
    Field::json("settings", ""),
    Field::text("breaker", "breaker").at("/breaker/state"),
];

pub(super) fn plugins(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(client) = context.host_client(&arguments.target)? {
        let found = items::whole(&client, &Request::new("GET", "/v1/plugins", &[]).to("list plugins"))?;
        let list =
            ListArguments { format: arguments.format, zone: ZoneArguments { time_zone: ZoneChoice::UTC } };
        return context.write_items(&client, &ON_HOST, &found, &list, "the host has no plugins");
    }
    let plugins = context.load_plugins()?;
    if arguments.format != ListFormat::Table {
        let rows = plugins.iter().map(|plugin| row(plugin)).collect();
        return context.write_list(&Listing { columns: &COLUMNS, rows }, arguments.format, "");
    }
    let mut out = Output::standard();
    for (number, plugin) in plugins.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        describe(plugin, context.stdout_style(), &mut out)?;
    }
    Ok(out.finish()?)
}

/// Prints what one plugin describes.
pub(super) fn describe_one(context: &Context, plugin: &Plugin) -> anyhow::Result<()> {
    let mut out = Output::standard();
    describe(plugin, context.stdout_style(), &mut out)?;
    Ok(out.finish()?)
}

fn row(plugin: &Plugin) -> Row {
    let manifest = plugin.manifest();
    let kinds = manifest.kinds.iter().map(|(name, kind)| {
        let described =
            json!({ "label": kind.label, "attaches_to": kind.attaches_to, "is_package": kind.is_package });
        (name.clone(), described)
    });
    let settings = manifest
        .settings
        .iter()
        .map(|setting| json!({ "name": setting.name, "label": setting.label, "default": setting.default }));
    let cells: [Cell; COLUMNS.len()] = [
        Cell::new(manifest.id.as_str()),
        Cell::new(manifest.name.as_str()),
        Cell::new(plugin.origin().to_string().replace('`', "")),
        Cell::new(Value::Count(plugin.parts().size_bytes())),
        Cell::new(plugin.digest()),
        Cell::new(Value::Texts(plugin.interfaces().exports.clone())),
        Cell::new(Value::Texts(plugin.interfaces().imports.clone())),
        Cell::new(written(asked(plugin)).unwrap_or_default()),
        Cell::new(written(plugin.parts().granted).unwrap_or_default()),
        Cell::new(Value::Json(manifest.utc_offset_minutes.into())),
        Cell::new(Value::Json(kinds.collect::<serde_json::Map<_, _>>().into())),
        Cell::new(Value::Json(settings.collect::<Vec<_>>().into())),
        Cell::new(""),
    ];
    Row { zone: TimeZone::UTC, cells: cells.into() }
}

fn describe(plugin: &Plugin, style: Style, out: &mut dyn Write) -> std::io::Result<()> {
    let manifest = plugin.manifest();
    writeln!(out, "{}  {}", style.paint(Tone::Strong, &manifest.id), manifest.name)?;
    let facts = [
        ("from", format!("{}, {} bytes", plugin.origin(), dates::whole(plugin.parts().size_bytes()))),
        ("revision", plugin.digest().to_owned()),
        ("exports", listed(&plugin.interfaces().exports)),
        ("imports", listed(&plugin.interfaces().imports)),
    ];
    let asked = written(asked(plugin)).map(|asked| ("asks for", asked));
    let granted = written(plugin.parts().granted).map(|granted| ("granted", granted));
    for (name, fact) in facts.into_iter().chain(asked).chain(granted) {
        columns::paragraph(&fact, (&format!("  {name:<8}  "), FACT), Tone::Plain, style, out)?;
    }
    writeln!(out, "  kinds")?;
    let column = names_column(manifest.kinds.keys());
    for (name, kind) in &manifest.kinds {
        let attaches_to = match kind.attaches_to.is_empty() {
            true => String::new(),
            false => format!("; attaches to {}", kind.attaches_to.join(", ")),
        };
        item((name, column), &format!("{}{attaches_to}", kind.label), style, out)?;
    }
    writeln!(out, "  settings")?;
    let column = names_column(manifest.settings.iter().map(|setting| &setting.name));
    for setting in &manifest.settings {
        let default =
            setting.default.as_ref().map(|default| format!("; default `{default}`")).unwrap_or_default();
        item((&setting.name, column), &format!("{}{default}", setting.label), style, out)?;
    }
    Ok(())
}

/// What a plugin asks for beyond every plugin; a table asks for nothing.
fn asked(plugin: &Plugin) -> PluginLimits {
    match plugin.is_table() {
        true => PluginLimits::NONE,
        false => PackageManifest::read(plugin.parts().written(), false).0.limits,
    }
}

/// Limits as they are written, if there are any.
fn written(limits: PluginLimits) -> Option<String> {
    (!limits.is_none()).then(|| limits.to_string())
}

/// What is behind the name of a fact.
const FACT: &str = "            ";

/// The narrowest column of names.
const NAMES_MIN: usize = 20;

/// How wide the column of these names is.
fn names_column<'a>(names: impl Iterator<Item = &'a String>) -> usize {
    names.map(|name| name.chars().count()).max().unwrap_or(0).max(NAMES_MIN)
}

fn item((name, column): (&str, usize), what: &str, style: Style, out: &mut dyn Write) -> std::io::Result<()> {
    let first = format!("    {name:<column$} ");
    columns::paragraph(what, (&first, &" ".repeat(column + 5)), Tone::Plain, style, out)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
