//! Words that do not come back: home-made names in signatures, and sentences that must be read twice.

use crate::source::Source;
use crate::source::declared;
use crate::source::words_of;

/// Words that no declared name has, with what the field says instead.
const HOME_MADE: [(&str, &str); 24] = [
    ("carried", "effects, result"),
    ("conversation", "request"),
    ("deed", "mutation"),
    ("desk", "context, planner"),
    ("errand", "task"),
    ("fate", "result"),
    ("happening", "action"),
    ("manner", "atomicity, limits"),
    ("minted", "created"),
    ("nudge", "wake"),
    ("occasion", "context"),
    ("outlook", "timeline request"),
    ("pen", "writer"),
    ("pulse", "publisher"),
    ("rations", "limits"),
    ("rounds", "job runner"),
    ("sealer", "secret box, encryptor"),
    ("seen", "existing"),
    ("spot", "cursor"),
    ("standing", "stats"),
    ("subjects", "resources"),
    ("told", "published"),
    ("unasked", "without policies"),
    ("wanted", "pending, required"),
];

/// What a comment does not say, because it must be read twice or says nothing.
const RIDDLES: [&str; 7] = [
    "as it is by now",
    "what it is asked about",
    "who says to",
    "likewise",
    "whoever",
    "whatever is the case",
    "is to be asked",
];

/// Past participles that are no name of a type, beside those that end in `ed`: a type is a thing.
const PARTICIPLES: [&str; 14] = [
    "Broken", "Done", "Drawn", "Found", "Given", "Held", "Kept", "Known", "Made", "Paid", "Seen", "Sent",
    "Sold", "Told",
];

/// What has fewer words says nothing that the name does not: `/// Its id.`, `/// When.`
const DOCUMENT_WORDS_MIN: usize = 3;

pub fn signatures(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| source.is_shipped() || !source.is_rust()) {
        for (number, line) in source.lines() {
            if line.trim() == "#[cfg(test)]" {
                break;
            }
            let Some((_, name)) = declared(line) else { continue };
            for word in words_of(name) {
                if let Some((_, instead)) = HOME_MADE.iter().find(|(home_made, _)| *home_made == word) {
                    violations.push(format!("{}:{number}: `{name}`; say {instead}", source.path));
                }
            }
        }
    }
    violations
}

/// The types whose whole name is a past participle, such as `Wanted` or `Kept`.
pub fn participles(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| source.is_shipped() && source.is_rust()) {
        for (number, line) in source.lines() {
            let Some((kind, name)) = declared(line) else { continue };
            let is_type = ["struct", "enum", "trait", "type"].contains(&kind);
            let is_participle = name.ends_with("ed") && !name.ends_with("eed") || PARTICIPLES.contains(&name);
            if is_type && is_participle && words_of(name).len() == 1 {
                violations.push(format!(
                    "{}:{number}: `{name}`; say what is {}",
                    source.path,
                    name.to_lowercase()
                ));
            }
        }
    }
    violations
}

pub fn comments(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources.iter().filter(|source| source.is_shipped() || !source.is_rust()) {
        for (number, line) in source.lines() {
            let Some(comment) = line.trim_start().strip_prefix("//") else { continue };
            let comment = comment.trim_start_matches(['/', '!']).trim();
            let lower = comment.to_lowercase();
            if let Some(phrase) = RIDDLES.iter().find(|riddle| lower.contains(*riddle)) {
                violations.push(format!("{}:{number}: \"{phrase}\"; say who does what", source.path));
            }
        }
    }
    violations
}

/// The documents of items that are too short to say a meaning, a unit, a bound or a source.
pub fn short_documents(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources {
        let mut words = Vec::new();
        for (number, line) in source.lines() {
            if let Some(more) = line.trim_start().strip_prefix("///") {
                words.extend(more.split_whitespace());
                continue;
            }
            let said = std::mem::take(&mut words);
            if !said.is_empty() && said.len() < DOCUMENT_WORDS_MIN {
                let document = said.join(" ");
                violations.push(format!(
                    "{}:{}: \"{document}\"; say more than the name",
                    source.path,
                    number - 1
                ));
            }
        }
    }
    violations
}
