//! How files begin, how they import, and how tests are called.

use crate::source::Source;

/// The most characters of a test's name.
const TEST_NAME_MAX: usize = 69;

/// Files that do not open by saying what they know.
pub fn missing_headers(sources: &[Source]) -> Vec<String> {
    let lacks = |source: &&Source| source.is_rust() && !source.text.starts_with("//!");
    sources.iter().filter(lacks).map(|source| format!("{}: no `//!` at its top", source.path)).collect()
}

/// Imports with braces. What a crate shows under other names, with `pub use`, may be a list.
pub fn imports_with_braces(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        for (number, line) in source.lines() {
            if line.trim_start().starts_with("use ") && line.contains('{') {
                violations.push(format!("{}:{number}: one `use` a line, without braces", source.path));
            }
        }
    }
    violations
}

/// Tests whose names are no promise that one reads at once.
pub fn long_test_names(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let mut is_test = false;
        for (number, line) in source.lines() {
            let line = line.trim_start();
            if line == "#[test]" || line.starts_with("#[tokio::test") {
                is_test = true;
            } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
                let length = rest.find('(').unwrap_or(rest.len());
                if length > TEST_NAME_MAX {
                    violations.push(format!("{}:{number}: {length} characters", source.path));
                }
                is_test = false;
            }
        }
    }
    violations
}
