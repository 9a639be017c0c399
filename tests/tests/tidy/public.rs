//! That `pub` means something: a public item of a crate is used by another one.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::source::Source;
use crate::source::declared;

/// Public items that no other crate names, and why they are public all the same.
const ALLOWED: [(&str, &str); 0] = [];

/// The public items of shipped crates whose names occur in no other crate, nor in what another public item shows.
pub fn unused(sources: &[Source]) -> Vec<String> {
    let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut shown: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let package = source.package().unwrap_or_default();
        for (_, line) in source.lines() {
            // A line such as `pub fn f(a: A) -> B`, a public field or an argument shows the types that it names.
            let shows = !line.trim_start().starts_with("use ") && !line.trim_start().starts_with("pub use ");
            for word in identifiers(line) {
                uses.entry(word).or_default().insert(package_of_tests(source, package));
                if shows
                    && declared(line).is_none_or(|(_, name)| name != word)
                    && word.starts_with(char::is_uppercase)
                {
                    shown.entry(word).or_default().insert(package);
                }
            }
        }
    }
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| source.is_shipped() && source.is_rust()) {
        let package = source.package().unwrap_or_default();
        for (number, line) in source.lines() {
            if line.trim() == "#[cfg(test)]" {
                break;
            }
            let Some((kind, name)) = declared(line).filter(|_| line.trim_start().starts_with("pub ")) else {
                continue;
            };
            let elsewhere =
                uses.get(name).is_some_and(|packages| packages.iter().any(|other| *other != package));
            let is_type = matches!(kind, "struct" | "enum" | "trait" | "type");
            let is_shown = is_type && shown.get(name).is_some_and(|packages| packages.contains(package));
            let is_allowed = ALLOWED.iter().any(|(allowed, _)| *allowed == name);
            if !elsewhere && !is_shown && !is_allowed {
                violations.push(format!(
                    "{}:{number}: no other crate uses `{name}`; make it pub(crate)",
                    source.path
                ));
            }
        }
    }
    violations
}

/// Integration tests and benchmarks use a crate from outside.
fn package_of_tests<'a>(source: &'a Source, package: &'a str) -> &'a str {
    if source.path.contains("/src/") { package } else { &source.path }
}

fn identifiers(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or_default();
    code.split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .filter(|word| !word.is_empty())
}
