//! `perennial plugin new`: a folder with a small provider that holds its own cases.

use std::path::Path;
use std::path::PathBuf;

use crate::cli::UserError;
use crate::cli::output;
use crate::cli::plugin::templates;
use crate::cli::plugin::templates::Language;

/// The arguments of `new`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The provider's id, and the name of the folder: lower case letters, digits and dashes.
    name: String,
    /// The language of the plugin.
    #[arg(long, value_enum, default_value_t = Language::Table)]
    language: Language,
}

/// Writes the folder. Nothing that is there is overwritten.
pub(super) fn new(arguments: &Arguments) -> anyhow::Result<()> {
    let (name, language) = (&arguments.name, arguments.language);
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    if !starts_well || name.len() > 64 || !name.bytes().all(is_plain) {
        let message = format!(
            "`{name}` is no id of a provider: use lower case letters, digits and dashes, a letter first, 64 at most"
        );
        return Err(UserError::Argument(message).into());
    }
    let folder = PathBuf::from(name);
    if folder.exists() {
        let message = format!("`{name}` is there already; choose another name, or another folder to be in");
        return Err(UserError::Argument(message).into());
    }
    let written = templates::files(language, name)
        .into_iter()
        .try_for_each(|(path, text)| write(&folder.join(path), text.as_bytes()));
    if written.is_err() {
        // Nothing was there before, and what is left would be in the way of the next attempt.
        drop(std::fs::remove_dir_all(&folder));
    }
    written?;
    let (what, next) = match language {
        Language::Table => (format!("{name}.toml"), format!("perennial plugin test {name}/{name}.toml")),
        Language::Rust => ("src/lib.rs".to_owned(), format!("perennial plugin build {name}")),
        Language::Javascript => ("provider.js".to_owned(), format!("(cd {name} && npm install)")),
        Language::Python => (
            "rules.py".to_owned(),
            format!(
                "python3 -m venv {name}/.venv && {name}/.venv/bin/pip install -r {name}/requirements.txt"
            ),
        ),
    };
    output::done(format_args!("wrote the folder {name}: its rules are in {what}, its cases in cases.toml"))?;
    output::done(format_args!("next: {next}"))?;
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder).map_err(|error| output::cannot_write(folder, &error))?;
    output::write_new(path, bytes, false)
}
