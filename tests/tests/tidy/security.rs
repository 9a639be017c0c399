//! That SECURITY.md names tests that there are, and limits as they are.

use std::collections::BTreeSet;

use crate::source::Source;

/// The names of tests in a document's backticks that no test has. A name of a test has four words or more.
pub fn missing_tests(document: &str, sources: &[Source]) -> Vec<String> {
    let quoted = document.split('`').skip(1).step_by(2);
    let is_name = |text: &&str| {
        let is_plain =
            text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit());
        is_plain && text.matches('_').count() > 3
    };
    let functions = sources.iter().filter(|source| source.is_rust()).flat_map(|source| source.lines());
    let functions =
        functions.filter_map(|(_, line)| line.trim_start().strip_prefix("fn ")?.split('(').next());
    let functions = functions.collect::<BTreeSet<_>>();
    let missing = quoted.filter(is_name).filter(|name| !functions.contains(name));
    missing.map(|name| format!("SECURITY.md names the test `{name}`, which there is not")).collect()
}

/// The constants of the admin API and the console whose names end in `_MAX` that no row of the table of limits has.
pub fn unlisted_limits(document: &str, sources: &[Source]) -> Vec<String> {
    let table = document.split("### Limits that are not configuration").nth(1).unwrap_or_default();
    let folders = ["admin/", "console/", "write/", "console.rs", "page.rs", "state.rs", "write.rs"];
    let is_listed = |name: &str, path: &str| {
        let (limit, file) = (format!("`{name}: "), format!("`{path}`"));
        table.lines().any(|row| row.contains(&limit) && row.contains(&file))
    };
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let Some(inner) = source.path.strip_prefix("host/http/src/") else { continue };
        if !folders.iter().any(|folder| inner.starts_with(folder)) {
            continue;
        }
        let constants = source.text.lines().filter_map(|line| line.split_once("const ")?.1.split_once(": "));
        let limits = constants.map(|(name, _)| name).filter(|name| name.ends_with("_MAX"));
        let unlisted = limits.filter(|name| !is_listed(name, &source.path));
        violations.extend(unlisted.map(|name| {
            let path = &source.path;
            format!("`{name}` of `{path}` is a limit that SECURITY.md does not list: list it, or make it configuration")
        }));
    }
    violations
}

/// The rows of the table of limits whose file does not have the constant, or the field, with that value.
pub fn stale_limits(document: &str, sources: &[Source]) -> Vec<String> {
    let table = document.split("### Limits that are not configuration").nth(1).unwrap_or_default();
    let rows =
        table.lines().skip_while(|line| !line.starts_with("| ")).take_while(|line| line.starts_with('|'));
    let mut violations = Vec::new();
    for row in rows.skip(2) {
        let cells = row.split('`').collect::<Vec<_>>();
        let [_, limit, _, path, _] = cells.as_slice() else {
            violations.push(format!("SECURITY.md: no limit and no file in `{row}`"));
            continue;
        };
        let is_said = |line: &str| {
            let line = line.trim();
            line.split_once("const ").is_some_and(|(_, rest)| rest.strip_suffix(';') == Some(limit))
                || line.strip_suffix(',') == Some(limit)
        };
        let source = sources.iter().find(|source| source.path == *path);
        if !source.is_some_and(|source| source.text.lines().any(is_said)) {
            violations.push(format!("SECURITY.md says `{limit}`, and `{path}` does not"));
        }
    }
    violations
}
