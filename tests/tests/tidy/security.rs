//! That SECURITY.md names tests that there are.

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
