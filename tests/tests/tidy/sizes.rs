//! How large files and functions are.

use crate::source::Source;

/// The most lines of a file.
const FILE_MAX: usize = 400;
/// The most lines of a function, its signature and braces included.
const FUNCTION_MAX: usize = 60;

/// Files that are one table: an entry for each type of event, and a line for each text of the console.
const TABLE_FILES: [&str; 2] = ["host/domain/src/event.rs", "host/http/src/console/texts.rs"];

/// Functions that are tables: one line a route, or an event's words.
const TABLES: [&str; 4] = ["for_event", "of", "parts", "routes"];

/// Tests are tables of cases and stories; they grow with what is promised, so only code that is shipped is measured.
pub fn files(sources: &[Source]) -> Vec<String> {
    let is_code = |source: &Source| {
        source.is_rust() && source.is_shipped() && !TABLE_FILES.contains(&source.path.as_str())
    };
    let too_long = |source: &&Source| is_code(source) && source.text.lines().count() > FILE_MAX;
    let describe =
        |source: &Source| format!("{}: {} lines; split it", source.path, source.text.lines().count());
    sources.iter().filter(too_long).map(describe).collect()
}

/// Functions end at the line that closes the brace at the indentation at which they begin, as rustfmt writes it.
pub fn functions(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust() && source.is_shipped()) {
        let mut open: Option<(usize, usize, &str)> = None;
        for (number, line) in source.lines() {
            if line.trim() == "#[cfg(test)]" {
                break;
            }
            let indentation = line.len() - line.trim_start().len();
            if let Some((begun, at, name)) = open {
                let is_end = indentation == at && (line.trim() == "}" || line.trim_end().ends_with(';'));
                if is_end {
                    let length = number - begun + 1;
                    if length > FUNCTION_MAX && !TABLES.contains(&name) {
                        violations
                            .push(format!("{}:{begun}: `{name}` has {length} lines; split it", source.path));
                    }
                    open = None;
                }
            } else if let Some(("fn", name)) = crate::source::declared(line)
                && !line.trim_end().ends_with([';', '}'])
            {
                open = Some((number, indentation, name));
            }
        }
    }
    violations
}
