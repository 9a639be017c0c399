//! Writes other answers into a file of cases; everything else of it stays as it is, comments too.

use std::collections::BTreeMap;

use toml::de::DeTable;

/// The text of a file of cases in which the cases with these names have these answers. What is no case of that name, or has
/// no answer to replace, stays as it is.
pub fn with_answers(text: &str, answers: &BTreeMap<String, Vec<String>>) -> String {
    let Ok(document) = DeTable::parse(text) else { return text.to_owned() };
    let cases = document.get_ref().iter().find(|(name, _)| name.get_ref() == "case");
    let cases = cases.and_then(|(_, cases)| cases.get_ref().as_array());
    let mut changes = Vec::new();
    for case in cases.into_iter().flat_map(|cases| cases.iter()) {
        let Some(case) = case.get_ref().as_table() else { continue };
        let value = |key: &str| case.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value);
        let name = value("name").and_then(|name| name.get_ref().as_str());
        let (Some(lines), Some(old)) = (name.and_then(|name| answers.get(name)), value("answer")) else {
            continue;
        };
        changes.push((old.span(), written(lines)));
    }
    changes.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut blessed = text.to_owned();
    for (span, answer) in changes {
        blessed.replace_range(span, &answer);
    }
    blessed
}

/// An answer as TOML has texts of several lines.
pub(super) fn written(lines: &[String]) -> String {
    let escaped = |line: &String| line.replace('\\', "\\\\").replace("\"\"\"", "\"\"\\\"");
    let body = lines.iter().map(|line| format!("{}\n", escaped(line))).collect::<String>();
    format!("\"\"\"\n{body}\"\"\"")
}
