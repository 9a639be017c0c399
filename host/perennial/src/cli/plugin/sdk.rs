//! The kit of Rust plugins, whole, with the contract in it: `new` writes it into a folder, which then takes nothing of this
//! project.
//!
//! Its manifest is that of `plugins/sdk`, with what it inherits from the workspace written out.

/// What the manifest inherits from.
const WORKSPACE: &str = include_str!("../../../../../Cargo.toml");
/// The manifest in the workspace.
const MANIFEST: &str = include_str!("../../../../../plugins/sdk/Cargo.toml");

/// A list of files of the kit with their texts.
macro_rules! sources {
    ($($path:literal),+ $(,)?) => {
        [$(($path, include_str!(concat!("../../../../../plugins/sdk/", $path)))),+]
    };
}

/// Every source file of the kit, and the contract.
const SOURCES: [(&str, &str); 32] = sources![
    "src/allocator.rs",
    "src/answer.rs",
    "src/calendar.rs",
    "src/connector/amount.rs",
    "src/connector/codes.rs",
    "src/connector/cursor.rs",
    "src/connector/mod.rs",
    "src/connector/response.rs",
    "src/crossing/arrival.rs",
    "src/crossing/departure.rs",
    "src/crossing/mod.rs",
    "src/left_out.rs",
    "src/lib.rs",
    "src/panic_message.rs",
    "src/periods.rs",
    "src/provider_api/amount.rs",
    "src/provider_api/body.rs",
    "src/provider_api/error.rs",
    "src/provider_api/filter.rs",
    "src/provider_api/mod.rs",
    "src/provider_api/mutation.rs",
    "src/provider_api/replay.rs",
    "src/provider_api/request.rs",
    "src/provider_api/rfc3339.rs",
    "src/request.rs",
    "src/resource.rs",
    "src/rules.rs",
    "src/settings.rs",
    "src/testing.rs",
    "wit/connector.wit",
    "wit/provider.wit",
    "README.md",
];

/// The files of the kit, by their paths in it.
pub(super) fn files() -> Vec<(String, String)> {
    let sources = SOURCES.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let manifest = ("Cargo.toml".to_owned(), standalone(MANIFEST, WORKSPACE));
    std::iter::once(manifest).chain(sources).collect()
}

/// A manifest without what it inherits: each `key.workspace = true` becomes what the workspace says of the key. Tests and
/// lints, which are the workspace's own, are left out.
fn standalone(manifest: &str, workspace: &str) -> String {
    let mut text = String::new();
    let mut is_left_out = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_left_out = matches!(line, "[lints]" | "[dev-dependencies]");
        }
        if is_left_out {
            continue;
        }
        let inherited = line.strip_suffix(".workspace = true");
        let inherits = |key: &str| workspace.lines().find(|line| line.starts_with(&format!("{key} = ")));
        match inherited.map(inherits) {
            Some(Some(line)) => text.push_str(line),
            Some(None) | None => text.push_str(line),
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_kit_is_in_the_program() {
        let kit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/sdk");
        let mut found = BTreeSet::from(["README.md".to_owned()]);
        let mut folders = vec!["src".to_owned(), "wit".to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(kit.join(&folder)).unwrap() {
                let entry = entry.unwrap();
                let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
                if entry.path().is_dir() {
                    folders.push(path);
                } else if !path.ends_with("/tests.rs") {
                    assert!(found.insert(path));
                }
            }
        }
        assert_eq!(SOURCES.map(|(path, _)| path.to_owned()).into_iter().collect::<BTreeSet<_>>(), found);
    }

    #[test]
    fn the_manifest_inherits_nothing() {
        let manifest = standalone(MANIFEST, WORKSPACE);
        assert!(!manifest.contains("workspace"), "{manifest}");
        let manifest = manifest.parse::<toml::Table>().unwrap();
        assert_eq!(manifest["package"]["edition"].as_str(), Some("2024"));
        assert!(manifest["dependencies"]["wit-bindgen"]["version"].is_str());
    }
}
