//! What a package says of itself: its name, version, contract, authors, source, licence, and the limits that it asks for.
//!
//! Reads it without running anything. A component has it in sections of its own: those that tools of WebAssembly know
//! (`component-name`, `version`, `authors`, `source`, `licenses`), and `perennial-package`, in JSON, whose limits are read by
//! [`mod@super::package_manifest`]. A table has it in `[package]`. Only the outermost component speaks for a package. Whether it is true is asked here as far as the bytes tell;
//! FORMATS.md describes it.

mod sections;
mod table;

use std::fmt::Write as _;

use perennial_domain::plugin_limits::PluginLimits;
use serde_json::Value;
use serde_json::json;

use crate::package_manifest;

/// The section of a component that says what it asks for, and which contract it is for.
pub const SECTION: &str = "perennial-package";
/// The contract that tables are for: that of the interpreter.
pub(crate) const TABLE_CONTRACT: &str = "perennial:table@0.1.0";
/// What the names of the contract's interfaces begin with.
const INTERFACES: &str = "perennial:provider/";
/// The longest text of each kind, in bytes.
const TEXT_MAX_BYTES: usize = 1_000;

/// A package in its own words, and what it exports and imports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageManifest {
    /// The provider's id.
    pub name: Option<String>,
    /// The version, such as `1.0.0`.
    pub version: Option<String>,
    /// Who made it, separated by commas.
    pub authors: Option<String>,
    /// The address of its source.
    pub source: Option<String>,
    /// An SPDX expression.
    pub license: Option<String>,
    /// The contract that it says to be for, such as `perennial:provider@0.2.0`.
    pub contract: Option<String>,
    /// What it asks for.
    pub limits: PluginLimits,
    /// The names that a component exports; of a table, none.
    pub exports: Vec<String>,
    /// The names that a component imports.
    pub imports: Vec<String>,
}

/// The component with one more section at its end, which asks for these limits and says nothing else.
pub fn asking_for(component: &[u8], limits: PluginLimits) -> Vec<u8> {
    sections::append(component, SECTION, &package_manifest::section(limits))
}

impl PackageManifest {
    /// What can be read of a component or a table, and everything that is wrong with it, one sentence each.
    pub fn read(bytes: &[u8], is_table: bool) -> (PackageManifest, Vec<String>) {
        let (manifest, mut problems) = if is_table { table::read(bytes) } else { sections::read(bytes) };
        for (what, text) in manifest.texts() {
            if let Some(problem) = text.and_then(|text| text_problem(what, text)) {
                problems.push(problem);
            }
        }
        if let (Some(said), Some(found)) = (&manifest.contract, manifest.contract_of_exports(is_table))
            && *said != found
        {
            problems.push(format!("it says that it is for the contract `{said}`, and it exports `{found}`"));
        }
        problems.extend(manifest.import_problem());
        (manifest, problems)
    }

    /// What a package imports and does not ask for, or nobody can grant, as one sentence.
    fn import_problem(&self) -> Option<String> {
        let is_asked = |import: &&String| !(self.limits.wasi && import.starts_with("wasi:"));
        let unasked = self.imports.iter().filter(is_asked).map(|import| format!("`{import}`"));
        let unasked = unasked.collect::<Vec<_>>().join(", ");
        let is_wrong = self.is_package() && !unasked.is_empty();
        is_wrong.then(|| {
            format!(
                "it imports {unasked} and does not ask for that; a package asks for `wasi`, and nothing else can be granted"
            )
        })
    }

    /// Whether somebody made a package of it.
    pub fn is_package(&self) -> bool {
        self.contract.is_some()
    }

    /// What every package says and this one does not, one sentence each.
    pub fn missing(&self) -> Vec<String> {
        let texts = self.texts().into_iter().filter(|(what, text)| *what != "source" && text.is_none());
        texts.map(|(what, _)| format!("it has no {what}, which every package has")).collect()
    }

    /// What it says of itself that the plugin of `provider` contradicts, one sentence each.
    pub fn contradictions(&self, provider: &str) -> Vec<String> {
        let other = self.name.as_deref().filter(|name| self.is_package() && *name != provider);
        let other = other
            .map(|name| format!("it says that its name is `{name}`, and its plugin describes `{provider}`"));
        other.into_iter().collect()
    }

    /// Its texts by what they are called, in the order in which they are shown.
    pub fn texts(&self) -> [(&'static str, Option<&str>); 6] {
        [
            ("name", self.name.as_deref()),
            ("version", self.version.as_deref()),
            ("contract", self.contract.as_deref()),
            ("authors", self.authors.as_deref()),
            ("source", self.source.as_deref()),
            ("license", self.license.as_deref()),
        ]
    }

    /// The contract that it is for by what it exports, such as `perennial:provider@0.2.0`; `None` when it exports none.
    pub fn contract_of_exports(&self, is_table: bool) -> Option<String> {
        if is_table {
            return Some(TABLE_CONTRACT.to_owned());
        }
        let export = self.exports.iter().find(|export| export.starts_with(INTERFACES))?;
        let version = export.rsplit_once('@').map_or("", |(_, version)| version);
        Some(format!("{}@{version}", INTERFACES.trim_end_matches('/')))
    }

    /// The component with sections that say what this manifest does, in the place of any others; all but its name.
    pub fn append_to(&self, component: &[u8]) -> Vec<u8> {
        let limits = package_manifest::limits_value(self.limits);
        let section = json!({ "contract": self.contract, "limits": limits }).to_string();
        let texts = [
            ("version", &self.version),
            ("authors", &self.authors),
            ("source", &self.source),
            ("licenses", &self.license),
        ];
        let texts = texts.into_iter().map(|(name, text)| (name, text.as_deref()));
        let mut bytes = component.to_vec();
        for (name, text) in texts.chain([(SECTION, Some(section.as_str()))]) {
            bytes = sections::without(&bytes, name);
            if let Some(text) = text {
                bytes = sections::append(&bytes, name, text.as_bytes());
            }
        }
        bytes
    }

    /// The table with a section `[package]` that says what this manifest does.
    pub fn append_to_table(&self, table: &str) -> String {
        let mut text = format!("{}\n\n[package]\n", table.trim_end());
        for (what, value) in self.texts().into_iter().filter(|(what, _)| *what != "name") {
            if let Some(value) = value {
                writeln!(text, "{what} = {}", Value::from(value)).expect("a text takes everything");
            }
        }
        text
    }
}

/// The contract that the section `perennial-package` names.
///
/// # Errors
///
/// What is wrong with it.
fn contract_of(section: &[u8]) -> Result<Option<String>, String> {
    let whole =
        serde_json::from_slice::<Value>(section).map_err(|error| format!("it is not JSON: {error}"))?;
    match &whole["contract"] {
        Value::Null => Ok(None),
        Value::String(contract) => Ok(Some(contract.clone())),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err("`contract` is no text".to_owned())
        }
    }
}

/// What is wrong with a text that people read.
fn text_problem(what: &str, text: &str) -> Option<String> {
    if text.is_empty() || text.len() > TEXT_MAX_BYTES || text.chars().any(char::is_control) {
        return Some(format!("its {what} is not a text of 1 to {TEXT_MAX_BYTES} bytes on one line"));
    }
    match what {
        "version" if !is_version(text) => {
            Some(format!("its version `{text}` is none; one is such as `1.0.0` or `1.0.0-beta.1`"))
        }
        "license" if !is_license(text) => {
            Some(format!("its license `{text}` is no SPDX expression; one is such as `MIT OR Apache-2.0`"))
        }
        "source" if !["https://", "http://"].iter().any(|scheme| text.starts_with(scheme)) => {
            Some(format!("its source `{text}` is no address; one begins with `https://`"))
        }
        _ => None,
    }
}

/// Whether it has the shape of an SPDX expression: names with AND, OR or WITH between, and brackets. Which names there are is not
/// looked at: the list grows.
fn is_license(text: &str) -> bool {
    let is_name = |word: &str| {
        let starts_well = word.starts_with(|first: char| first.is_ascii_alphanumeric());
        starts_well && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+:".contains(&byte))
    };
    let words = text.split([' ', '(', ')']).filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let is_right = |(place, word): (usize, &&str)| {
        let is_operator = ["AND", "OR", "WITH"].contains(word);
        if place % 2 == 0 { !is_operator && is_name(word) } else { is_operator }
    };
    words.len() % 2 == 1 && words.iter().enumerate().all(is_right)
}

/// Whether it is three numbers, and perhaps what a version before them is called.
fn is_version(text: &str) -> bool {
    let (numbers, before) =
        text.split_once('-').map_or((text, None), |(numbers, rest)| (numbers, Some(rest)));
    let is_number = |part: &str| {
        let digits = !part.is_empty() && part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits && (part == "0" || !part.starts_with('0'))
    };
    let is_word = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    numbers.split('.').count() == 3
        && numbers.split('.').all(is_number)
        && before.is_none_or(|before| before.len() <= 32 && before.split('.').all(is_word))
}

#[cfg(test)]
mod tests;
