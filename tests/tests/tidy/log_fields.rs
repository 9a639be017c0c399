//! The log: in JSON, the fields of a line stand beside those that every line has, and a name that is taken stands there
//! twice.

use crate::source::Source;

/// What every line of the log has.
const TAKEN: [&str; 4] = ["level", "message", "target", "timestamp"];

/// Every line of the log with a field of its own that has a name which is taken.
pub fn taken_names(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| source.is_shipped()) {
        for (start, _) in source.text.match_indices("tracing::") {
            let fields = fields(&source.text[start..]);
            let taken = fields.iter().filter(|field| TAKEN.contains(&field.as_str()));
            let line = source.text[..start].matches('\n').count() + 1;
            violations.extend(taken.map(|field| format!("{}:{line}: `{field}`", source.path)));
        }
    }
    violations
}

/// The names of the fields of the macro that `text` begins with; none if it is something else.
fn fields(text: &str) -> Vec<String> {
    let Some((name, rest)) = text.split_once('!') else { return Vec::new() };
    if !name.trim_start_matches("tracing::").bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Vec::new();
    }
    // What it says is the first text; the fields stand before it.
    let fields = rest.trim_start_matches('(').split('"').next().unwrap_or_default();
    let names = fields.split(',').map(|field| field.split('=').next().unwrap_or_default());
    names.map(|name| name.trim().trim_start_matches(['%', '?']).to_owned()).collect()
}
