//! Which crate may use which, and that modules do not import each other in a circle.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::source::Source;
use crate::source::root;

/// The crates of the host that each of them may depend on: those below it.
const BELOW: [(&str, &[&str]); 9] = [
    ("domain", &[]),
    ("formats", &["domain"]),
    ("store", &["domain", "formats"]),
    ("sandbox", &["domain"]),
    ("engine", &["domain", "formats", "store", "sandbox"]),
    ("service", &["domain", "formats", "store", "sandbox", "engine"]),
    ("picture", &["domain", "formats"]),
    ("http", &["domain", "formats", "store", "sandbox", "engine", "service", "picture"]),
    ("perennial", &["domain", "formats", "store", "sandbox", "engine", "service", "picture", "http"]),
];

/// Dependencies that one crate has and no other, in any of its targets.
const PRIVATE: [(&str, &str); 3] =
    [("rusqlite", "host/store"), ("wasmtime", "host/sandbox"), ("axum", "host/http")];

/// Files of one crate that may import each other: a type and what reads, writes or runs it, in two files for their size.
const HARMLESS: [&[&str]; 4] = [
    &[
        "host/engine/src/connected/batch.rs",
        "host/engine/src/connected/effects.rs",
        "host/engine/src/connected/giving_back.rs",
    ],
    &["host/formats/src/fields.rs", "host/formats/src/json_cursor.rs"],
    &["host/sandbox/src/provider/load.rs", "host/sandbox/src/provider/plugin.rs"],
    &["plugins/huawei/src/lifecycle.rs", "plugins/huawei/src/notices.rs"],
];

/// What a `Cargo.toml` says.
pub struct Manifest {
    path: String,
    /// By the section that each stands in.
    dependencies: Vec<(String, String)>,
}

impl Manifest {
    pub fn new(path: &str, text: &str) -> Manifest {
        let (mut section, mut dependencies) = (String::new(), Vec::new());
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('[') {
                name.trim_end_matches(']').clone_into(&mut section);
            } else if section.ends_with("dependencies") && !section.starts_with("workspace") {
                let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
                if end > 0 && !line.starts_with('#') {
                    dependencies.push((section.clone(), line[..end].to_owned()));
                }
            }
        }
        Manifest { path: path.to_owned(), dependencies }
    }

    fn package(&self) -> &str {
        self.path.trim_end_matches("/Cargo.toml")
    }
}

/// Every manifest of the workspace, but for its root's.
pub fn manifests() -> Vec<Manifest> {
    let mut manifests = Vec::new();
    for folder in ["fuzz", "host", "plugins", "tests", "tests/guests"] {
        let entries = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        for path in entries.chain([root().join(folder)]) {
            let Ok(text) = std::fs::read_to_string(path.join("Cargo.toml")) else { continue };
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            manifests.push(Manifest::new(&format!("{name}/Cargo.toml"), &text));
        }
    }
    assert!(manifests.len() > 10, "the manifests were not found");
    manifests
}

pub fn crates(manifests: &[Manifest]) -> Vec<String> {
    let mut violations = Vec::new();
    for (name, below) in BELOW {
        let path = format!("host/{name}/Cargo.toml");
        for manifest in manifests.iter().filter(|manifest| manifest.path == path) {
            for (_, dependency) in
                manifest.dependencies.iter().filter(|(section, _)| section == "dependencies")
            {
                let ours = dependency.strip_prefix("perennial-");
                if ours.is_some_and(|ours| !below.contains(&ours)) {
                    violations.push(format!("{path}: `{name}` must not depend on `{dependency}`"));
                }
            }
        }
    }
    violations
}

pub fn private_dependencies(manifests: &[Manifest]) -> Vec<String> {
    let mut violations = Vec::new();
    for manifest in manifests {
        for (section, dependency) in &manifest.dependencies {
            if let Some((_, owner)) = PRIVATE.iter().find(|(name, _)| name == dependency)
                && manifest.package() != *owner
            {
                violations.push(format!(
                    "{}: [{section}] has `{dependency}`, which is {owner}'s alone",
                    manifest.path
                ));
            }
        }
    }
    violations
}

/// Every circle of imports between files of one crate.
pub fn circles(sources: &[Source]) -> Vec<String> {
    let mut crates: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in sources {
        crates.entry(source.package().unwrap_or_default()).or_default().push(source);
    }
    crates.into_values().flat_map(|sources| circles_of(&sources)).collect()
}

fn circles_of(sources: &[&Source]) -> Vec<String> {
    let modules = sources.iter().map(|source| (module(&source.path), *source)).collect::<BTreeMap<_, _>>();
    let imports = modules.iter().map(|(name, source)| (name.as_str(), imports(name, source, &modules)));
    let imports = imports.collect::<BTreeMap<_, _>>();
    let reaches = |from: &str| {
        let (mut reached, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(module) = next.pop() {
            for import in imports.get(module.as_str()).into_iter().flatten() {
                if reached.insert(import.clone()) {
                    next.push(import.clone());
                }
            }
        }
        reached
    };
    let reached = imports.keys().map(|name| (*name, reaches(name))).collect::<BTreeMap<_, _>>();
    let mut circles = BTreeSet::new();
    for (name, from_here) in &reached {
        if !from_here.contains(*name) {
            continue;
        }
        let members = from_here
            .iter()
            .filter(|other| reached.get(other.as_str()).is_some_and(|back| back.contains(*name)));
        let members = members.map(|other| modules[other].path.as_str()).collect::<Vec<_>>();
        if !HARMLESS.iter().any(|harmless| members.iter().all(|member| harmless.contains(member))) {
            circles.insert(format!("these import each other: {}", members.join(", ")));
        }
    }
    circles.into_iter().collect()
}

/// `host/store/src/tables/jobs.rs` is `tables::jobs`, a `lib.rs` the empty name.
fn module(path: &str) -> String {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside).trim_end_matches(".rs");
    let inside = inside.trim_end_matches("/mod");
    if inside == "lib" || inside == "main" || inside == "mod" {
        String::new()
    } else {
        inside.replace('/', "::")
    }
}

/// The modules that a file imports with `use crate::…` or `use super::…`: the deepest file that the path names.
fn imports(name: &str, source: &Source, modules: &BTreeMap<String, &Source>) -> Vec<String> {
    let mut imports = Vec::new();
    for (_, line) in source.lines() {
        // What a test module at the end of a file imports is no arrow of the code; its lines are indented.
        let Some(path) = line.strip_prefix("use ").and_then(|rest| rest.strip_suffix(';')) else { continue };
        let path = path.split_once(" as ").map_or(path, |(path, _)| path);
        let path = match (path.strip_prefix("crate::"), path.strip_prefix("super::")) {
            (Some(path), _) => path.to_owned(),
            (None, Some(path)) => match name.rsplit_once("::") {
                Some((parent, _)) => format!("{parent}::{path}"),
                None => path.to_owned(),
            },
            (None, None) => continue,
        };
        let mut path = path.as_str();
        loop {
            if modules.contains_key(path) {
                if path != name {
                    imports.push(path.to_owned());
                }
                break;
            }
            let Some((parent, _)) = path.rsplit_once("::") else { break };
            path = parent;
        }
    }
    imports
}
