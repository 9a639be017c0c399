//! `perennial plugin inspect`: everything that a file says of itself, and what of it is not true, without running it.

use std::io::Write;
use std::path::Path;

use perennial_formats::dates;
use perennial_sandbox::PluginFile;
use perennial_sandbox::PublicKey;
use perennial_sandbox::Trust;

use crate::cli::Context;
use crate::cli::output::Output;
use crate::cli::plugin::package_file;
use crate::cli::plugin::package_file::PackageFile;
use crate::cli::plugin_error;
use crate::cli::plugins;
use crate::config;
use crate::report::columns;
use crate::report::style::Tone;
use crate::report::text::printable;

/// A plugin or a package that is looked at.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The component or the table; FILE@sha256:DIGEST takes no other revision. Its signature is FILE.sig, if there is one.
    #[arg(value_parser = config::plugin_file)]
    plugin: PluginFile,
    /// A key whose signature is looked for, beside those of `[trust] keys`; may be given again.
    #[arg(long = "key", value_name = "KEY", value_parser = PublicKey::read)]
    keys: Vec<PublicKey>,
    /// Also run it, in the sandbox, and print its kinds and settings as it describes them.
    #[arg(long)]
    describe: bool,
}

/// Prints everything, and then what is wrong.
pub(super) fn inspect(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let path = &arguments.plugin.path;
    let file = PackageFile::open("inspect", path)?;
    if let Some(why) = file.not_a_plugin() {
        return Err(plugin_error::no_plugin("inspect", path, &why).into());
    }
    let (mut problems, mut found_wrong) = (file.problems.clone(), Vec::new());
    if let Some(expected) = file.other_digest(&arguments.plugin) {
        found_wrong.push(format!("it has the digest {}, and sha256:{expected} was asked for", file.digest()));
    }
    if file.package.manifest.is_package() {
        problems.extend(file.package.manifest.missing());
    }
    let mut trust = context.config()?.trust.clone();
    trust.keys.extend(arguments.keys.iter().copied());
    let signature = signature_text(path, &file, &trust);
    let signature = signature.unwrap_or_else(|problem| {
        found_wrong.push(format!("its signature does not count: {problem}"));
        "one that does not count".to_owned()
    });
    write(context, path, &file, &signature)?;
    if !problems.is_empty() {
        problems.extend(found_wrong);
        return Err(package_file::wrong(path, &problems).into());
    }
    if !found_wrong.is_empty() {
        anyhow::bail!(package_file::wrong_text(path, &found_wrong));
    }
    if arguments.describe {
        plugins::describe_one(context, context.load_plugin("inspect", &arguments.plugin)?.as_ref())?;
    }
    Ok(())
}

fn write(context: &Context, path: &Path, file: &PackageFile, signature: &str) -> anyhow::Result<()> {
    let style = context.stdout_style();
    let mut out = Output::standard();
    let (package, manifest) = (&file.package, &file.package.manifest);
    let what = match (manifest.is_package(), package.is_table) {
        (true, true) => "a package of a table",
        (true, false) => "a package of a component",
        (false, true) => "a table, and no package",
        (false, false) => "a component, and no package",
    };
    let bytes = dates::whole(package.bytes.len());
    writeln!(out, "{}", style.paint(Tone::Strong, &format!("{}  {what}, {bytes} bytes", path.display())))?;
    let contract = manifest.contract.clone().or_else(|| manifest.contract_of_exports(package.is_table));
    let texts = manifest.texts().into_iter().map(|(what, text)| match what {
        "contract" => (what, contract.clone()),
        _ => (what, text.map(str::to_owned)),
    });
    let texts = texts.filter_map(|(what, text)| Some((what, printable(&text?))));
    let asked = match manifest.limits.is_none() {
        true => "nothing beyond what every plugin has".to_owned(),
        false => manifest.limits.to_string(),
    };
    let facts = [
        ("digest", file.digest()),
        ("signature", signature.to_owned()),
        ("exports", listed(&manifest.exports)),
        ("imports", listed(&manifest.imports)),
        ("asks for", asked),
    ];
    for (what, fact) in texts.chain(facts) {
        let first = format!("  {what:<10} ");
        columns::paragraph(&fact, (&first, &" ".repeat(13)), Tone::Plain, style, &mut out)?;
    }
    Ok(out.finish()?)
}

/// Whether a signature is there, and whose; why it does not count otherwise.
fn signature_text(path: &Path, file: &PackageFile, trust: &Trust) -> Result<String, String> {
    let Some(signature) = &file.package.signature else { return Ok("none".to_owned()) };
    if trust.keys.is_empty() {
        return Ok("there is one; name keys with `--key` to see whose it is".to_owned());
    }
    let origin = format!("`{}`", path.display());
    let key = trust.check(&origin, &file.package.bytes, Some(signature.as_bytes()));
    let key = key.map_err(|error| error.to_string())?;
    Ok(format!("by {}", key.map(|key| key.to_string()).unwrap_or_default()))
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { printable(&names.join(", ")) }
}
