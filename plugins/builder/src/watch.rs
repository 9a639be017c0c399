//! The sources of a plugin: the files that make a build script run again when they change.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use anyhow::Result;

/// Every file of the workspace that went into `module`: those that the compiler read (it lists them beside the
/// module), the `Cargo.toml` of each one's package, and the files of `workspace` that hold for every package.
pub fn inputs(module: &Path, workspace: &Path) -> Result<BTreeSet<PathBuf>> {
    let list = module.with_extension("d");
    let text = std::fs::read_to_string(&list).with_context(|| format!("cannot read `{}`", list.display()))?;
    let mut inputs = prerequisites(&text);
    let manifests = inputs.iter().filter_map(|file| manifest_of(file)).collect::<BTreeSet<_>>();
    inputs.extend(manifests);
    let shared = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo/config.toml"];
    inputs.extend(shared.map(|name| workspace.join(name)).into_iter().filter(|file| file.exists()));
    Ok(inputs)
}

/// The prerequisites of a make rule `target: prerequisite prerequisite`; a space within a path is written `\ `.
fn prerequisites(rules: &str) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for rule in rules.lines() {
        let Some((_, list)) = rule.split_once(": ") else { continue };
        let whole = list.replace("\\ ", "\0");
        files.extend(whole.split_whitespace().map(|path| PathBuf::from(path.replace('\0', " "))));
    }
    files
}

fn manifest_of(source: &Path) -> Option<PathBuf> {
    source.ancestors().skip(1).map(|folder| folder.join("Cargo.toml")).find(|manifest| manifest.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_its_prerequisites_even_with_spaces() {
        let files = prerequisites("/t/a.wasm: /w/src/lib.rs /w/with\\ space/b.rs\n\n/t/b.wasm: /w/c.wit\n");
        let expected = ["/w/c.wit", "/w/src/lib.rs", "/w/with space/b.rs"].map(PathBuf::from);
        assert_eq!(files, BTreeSet::from(expected));
    }

    #[test]
    fn a_source_belongs_to_the_nearest_manifest_above_it() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(manifest_of(&here.join("src/watch.rs")), Some(here.join("Cargo.toml")));
    }
}
