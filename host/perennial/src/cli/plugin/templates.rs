//! The files that `perennial plugin new` writes, by language. `NAME` in them stands for the provider.

use clap::ValueEnum;

use crate::cli::plugin::sdk;

/// What a provider is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// A table in TOML: no code and nothing to build.
    Table,
    /// Rust, with the kit of this program.
    Rust,
}

/// The cases are the same, whatever the language is.
const CASES: &str = include_str!("templates/cases.toml");

/// The files of a new provider, by their paths in its folder.
pub(super) fn files(language: Language, name: &str) -> Vec<(String, String)> {
    let mut files = vec![("cases.toml".to_owned(), CASES.replace("NAME", name))];
    let mut add = |path: String, text: &str| files.push((path, text.replace("NAME", name)));
    match language {
        Language::Table => {
            add(format!("{name}.toml"), include_str!("templates/table/provider.toml"));
            add("README.md".to_owned(), include_str!("templates/table/README.md.txt"));
        }
        Language::Rust => {
            add("Cargo.toml".to_owned(), include_str!("templates/rust/Cargo.toml.txt"));
            add(".cargo/config.toml".to_owned(), include_str!("templates/rust/config.toml.txt"));
            add(".gitignore".to_owned(), "/target\n/NAME.wasm\n");
            add("src/lib.rs".to_owned(), include_str!("templates/rust/lib.rs.txt"));
            add("README.md".to_owned(), include_str!("templates/rust/README.md.txt"));
            let kit = sdk::files().into_iter();
            files.extend(kit.map(|(path, text)| (format!("plugin-sdk/{path}"), text)));
        }
    }
    files
}
