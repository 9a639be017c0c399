//! `perennial plugins`: lists the providers that have rules, and the settings of their plugins.

use std::io::Write;

use crate::cli::Context;
use crate::cli::output;
use perennial_sandbox::Plugin;

/// Lists the plugins that are loaded: what they are, where they come from and what their accounts can be set to.
///
/// A plugin that cannot be loaded is an error that says what it has and what was expected.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  perennial plugins
  perennial --plugin acme.wasm plugins")]
pub(super) struct Arguments {}

pub(super) fn plugins(context: &Context, _: &Arguments) -> anyhow::Result<()> {
    let plugins = context.load_plugins()?;
    let mut out = output::writer(None)?;
    for (number, plugin) in plugins.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        describe(plugin, &mut out)?;
    }
    out.flush()?;
    Ok(())
}

fn describe(plugin: &Plugin, out: &mut dyn Write) -> std::io::Result<()> {
    let manifest = plugin.manifest();
    writeln!(out, "{}  {}", manifest.id, manifest.name)?;
    writeln!(out, "  from      {}, {} bytes", plugin.origin(), plugin.size_bytes())?;
    writeln!(out, "  revision  {}", plugin.digest())?;
    writeln!(out, "  exports   {}", listed(&plugin.interfaces().exports))?;
    writeln!(out, "  imports   {}", listed(&plugin.interfaces().imports))?;
    writeln!(out, "  kinds")?;
    for (name, kind) in &manifest.kinds {
        let attaches_to = match kind.attaches_to.is_empty() {
            true => String::new(),
            false => format!("; attaches to {}", kind.attaches_to.join(", ")),
        };
        writeln!(out, "    {name:<20} {}{attaches_to}", kind.label)?;
    }
    writeln!(out, "  settings")?;
    for setting in &manifest.settings {
        let default =
            setting.default.as_ref().map(|default| format!("; default `{default}`")).unwrap_or_default();
        writeln!(out, "    {:<20} {}{default}", setting.name, setting.label)?;
    }
    Ok(())
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
