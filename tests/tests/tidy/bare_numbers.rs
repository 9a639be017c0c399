//! Row keys and places in lists have types of their own: a bare number in a signature is taken for another one.

use crate::source::Source;

/// What is called like this is a row key or a place, and so is what ends like this after a `_`.
const NAMES: [&str; 18] = [
    "account", "approval", "attempt", "bundle", "calendar", "delivery", "entry", "event", "index", "job",
    "member", "notice", "order", "package", "place", "resource", "row", "webhook",
];

/// The types of bare numbers.
const NUMBERS: [&str; 4] = ["i64", "u32", "u64", "usize"];

/// The parameters and fields that other modules see and that are bare numbers. `key: AccountKey` is none.
pub fn in_signatures(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    let of_the_host =
        |source: &&Source| source.path.starts_with("host/") && source.is_rust() && source.is_shipped();
    for source in sources.iter().filter(of_the_host) {
        let mut is_signature = false;
        for (number, line) in source.lines() {
            if line.trim() == "#[cfg(test)]" {
                break;
            }
            let is_field = line.trim_start().starts_with("pub ") && !line.contains("fn ");
            is_signature |= line.trim_start().starts_with("pub ") && line.contains("fn ");
            if is_field || is_signature {
                for name in bare_numbers(line) {
                    violations
                        .push(format!("{}:{number}: `{name}` is a bare number; give it a type", source.path));
                }
            }
            is_signature &= !line.trim_end().ends_with(['{', ';', '}']);
        }
    }
    violations
}

/// The names in a line such as `row: i64, members: &[usize]` that stand for keys or places, with bare numbers as types.
fn bare_numbers(line: &str) -> Vec<&str> {
    let code = line.split("//").next().unwrap_or_default();
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut names = Vec::new();
    for (at, _) in code.match_indices(": ") {
        let name =
            &code[code[..at].rfind(|character| !is_word(character)).map_or(0, |before| before + 1)..at];
        let rest = &code[at + 2..];
        let r#type = &rest[..rest.find(": ").unwrap_or(rest.len())];
        let is_key = NAMES.contains(&name.rsplit('_').next().unwrap_or_default());
        let mut words = r#type
            .split([',', ')', '{', ';'])
            .next()
            .unwrap_or_default()
            .split(|character| !is_word(character));
        if is_key && words.any(|word| NUMBERS.contains(&word)) {
            names.push(name);
        }
    }
    names
}
