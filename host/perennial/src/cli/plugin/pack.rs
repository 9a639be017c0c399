//! `perennial plugin pack`: a package of a plugin, which says what it is and what it asks for.

use std::path::Path;
use std::path::PathBuf;

use perennial_domain::plugin_limits::PluginLimits;
use perennial_formats::package::PackageManifest;
use perennial_sandbox::PluginFile;
use wasm_metadata::AddMetadata;
use wasm_metadata::AddMetadataField;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::output;
use crate::cli::plugin::package_file;
use crate::config;

/// A plugin to make a package of.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The component or the table; FILE@sha256:DIGEST takes no other revision. A `Cargo.toml` beside it says what is not said here.
    #[arg(value_parser = config::plugin_file)]
    plugin: PluginFile,
    /// The version of the package, such as `1.0.0`.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Who made it, such as `Ann Bee <ann@example.com>`; may be given again.
    #[arg(long = "author", value_name = "TEXT")]
    authors: Vec<String>,
    /// The address of its source.
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// Its licence, as an SPDX expression such as `Apache-2.0`.
    #[arg(long, value_name = "SPDX")]
    license: Option<String>,
    /// Ask for more than every plugin has, such as `fuel-per-item=300000,memory=64MiB,size=32MiB,wasi`; what the component asks for
    /// already otherwise.
    #[arg(long, value_name = "LIMITS", value_parser = limits)]
    ask: Option<PluginLimits>,
    /// The file that is written; NAME-VERSION.wasm beside the plugin otherwise, or NAME-VERSION.toml.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn limits(text: &str) -> Result<PluginLimits, String> {
    PluginLimits::read(text).map_err(|problems| problems.join("; "))
}

/// Writes the package.
pub(super) fn pack(context: &Context, arguments: &Arguments) -> anyhow::Result<()> {
    let plugin = context.load_plugin("pack", &arguments.plugin)?;
    let (path, bytes) = (&arguments.plugin.path, plugin.parts().written());
    let is_table = plugin.is_table();
    let (found, mut problems) = PackageManifest::read(bytes, is_table);
    if found.is_package() {
        problems.push(
            "it is a package already; pack the component that `perennial plugin build` wrote, or the table without `[package]`"
                .to_owned(),
        );
    }
    let mut manifest = said(arguments, &beside(path)?);
    manifest.name = Some(plugin.manifest().id.clone());
    manifest.contract = found.contract_of_exports(is_table);
    manifest.limits = arguments.ask.unwrap_or(found.limits);
    problems
        .extend(manifest.missing().into_iter().map(|problem| format!("{problem}; say it with an option")));
    if is_table && !manifest.limits.is_none() {
        problems.push("a table asks for nothing: it has the limits of its interpreter".to_owned());
    }
    let packed = match is_table {
        true => table(&manifest, bytes),
        false => component(&manifest, bytes, &mut problems),
    };
    let (manifest, wrong) = PackageManifest::read(&packed, is_table);
    problems.extend(wrong.into_iter().filter(|problem| !problems.contains(problem)).collect::<Vec<_>>());
    if !problems.is_empty() {
        return Err(package_file::wrong(path, &problems).into());
    }
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let extension = if is_table { "toml" } else { "wasm" };
    let file = format!("{}-{}.{extension}", text(&manifest.name), text(&manifest.version));
    let output = arguments.output.clone().unwrap_or_else(|| path.with_file_name(file));
    package_file::write(&output, &packed, None)?;
    let digest = package_file::digest(&packed);
    output::done(format_args!("wrote {}, {} bytes, {digest}", output.display(), packed.len()))?;
    output::done(format_args!("next: perennial plugin sign {} --key FILE", output.display()))
}

/// What the arguments say and, where they say nothing, the `Cargo.toml` beside the plugin.
fn said(arguments: &Arguments, beside: &toml::Table) -> PackageManifest {
    let text = |key: &str| beside.get(key)?.as_str().map(str::to_owned);
    let authors = match arguments.authors.as_slice() {
        [] => beside
            .get("authors")
            .and_then(toml::Value::as_array)
            .map(|authors| authors.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(", ")),
        authors => Some(authors.join(", ")),
    };
    PackageManifest {
        version: arguments.version.clone().or_else(|| text("version")),
        authors: authors.filter(|authors| !authors.is_empty()),
        source: arguments.source.clone().or_else(|| text("repository")),
        license: arguments.license.clone().or_else(|| text("license")),
        ..PackageManifest::default()
    }
}

/// The section `[package]` of the `Cargo.toml` beside a plugin; empty when there is none.
fn beside(plugin: &Path) -> Result<toml::Table, UserError> {
    let path = plugin.with_file_name("Cargo.toml");
    if !path.is_file() {
        return Ok(toml::Table::new());
    }
    let wrong = |error: toml::de::Error| {
        UserError::Argument(format!("`{}` cannot be used: {}", path.display(), error.message()))
    };
    let manifest = crate::cli::input::read(&path)?.parse::<toml::Table>().map_err(wrong)?;
    Ok(manifest.get("package").and_then(toml::Value::as_table).cloned().unwrap_or_default())
}

fn table(manifest: &PackageManifest, bytes: &[u8]) -> Vec<u8> {
    manifest.append_to_table(&String::from_utf8_lossy(bytes)).into_bytes()
}

fn component(manifest: &PackageManifest, bytes: &[u8], problems: &mut Vec<String>) -> Vec<u8> {
    let mut add = AddMetadata::default();
    add.name = manifest.name.clone().map_or(AddMetadataField::Clear, AddMetadataField::Set);
    match add.to_wasm(bytes) {
        Ok(bytes) => manifest.append_to(&bytes),
        Err(error) => {
            problems.push(format!("its name cannot be written: {error:#}"));
            manifest.append_to(bytes)
        }
    }
}
