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
    /// JavaScript, with the kit of this program and the engine QuickJS.
    Javascript,
    /// Python, with the kit of this program and its interpreter.
    Python,
}

/// The cases are the same, whatever the language is.
const CASES: &str = include_str!("templates/cases.toml");

/// The contract, which plugins in languages without a kit of bindings are built with.
const WIT: [(&str, &str); 2] = [
    ("wit/provider.wit", include_str!("../../../../../plugins/sdk/wit/provider.wit")),
    ("wit/connector.wit", include_str!("../../../../../plugins/sdk/wit/connector.wit")),
];

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
        Language::Javascript => {
            let own = [
                ("package.json", include_str!("templates/javascript/package.json.txt")),
                ("provider.js", include_str!("templates/javascript/provider.js")),
                ("provider.test.js", include_str!("templates/javascript/provider.test.js")),
                ("perennial.js", include_str!("templates/javascript/perennial.js")),
                ("limits.json", include_str!("templates/javascript/limits.json.txt")),
                ("README.md", include_str!("templates/javascript/README.md.txt")),
                (".gitignore", "/node_modules\n/NAME.wasm\n"),
            ];
            own.into_iter().chain(WIT).for_each(|(path, text)| add(path.to_owned(), text));
        }
        Language::Python => {
            let own = [
                ("requirements.txt", include_str!("templates/python/requirements.txt")),
                ("rules.py", include_str!("templates/python/rules.py")),
                ("test_rules.py", include_str!("templates/python/test_rules.py")),
                ("app.py", include_str!("templates/python/app.py")),
                ("perennial.py", include_str!("templates/python/perennial.py")),
                ("limits.json", include_str!("templates/python/limits.json.txt")),
                ("README.md", include_str!("templates/python/README.md.txt")),
                (".gitignore", "/.venv\n/bindings\n__pycache__\n/NAME.wasm\n"),
            ];
            own.into_iter().chain(WIT).for_each(|(path, text)| add(path.to_owned(), text));
        }
    }
    files
}
