//! Reads a table from TOML: all of it, with every problem and its line, or nothing.
//!
//! Knows the sections of the file and what contradicts what. FORMATS.md describes them; keep the two alike.

mod kinds;
mod notices;
mod refusals;
mod section;

use plugin_sdk::Refusal;
use toml::de::DeTable;

use crate::read::section::Findings;
use crate::read::section::Section;
use crate::table::Idempotency;
use crate::table::Refunds;
use crate::table::Table;
use crate::values::LateStart;
use crate::values::SettingName;
use crate::values::Values;
use crate::words;
use crate::words::quoted;

/// The version of the format that this reads.
const VERSION: i64 = 1;

/// Something that is wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1.
    pub line: u32,
    /// What is wrong there.
    pub message: String,
}

impl Table {
    /// Reads a table.
    ///
    /// # Errors
    ///
    /// Every problem, in the order of their lines; those of TOML alone while there are some.
    pub fn read(text: &str) -> Result<Table, Vec<Problem>> {
        let (document, errors) = DeTable::parse_recoverable(text);
        let findings = Findings::default();
        let mut table = None;
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start);
            findings.say(at, format!("it is not TOML: {}", error.message()));
        }
        if errors.is_empty() {
            table = Some(document_of(Section::of("the file", 0, document.get_ref(), &findings), &findings));
        }
        let mut problems = findings.into_inner();
        problems.sort_by_key(|finding| finding.at);
        match (table.flatten(), problems.is_empty()) {
            (Some(table), true) => Ok(table),
            _ => {
                Err(problems.into_iter().map(|finding| problem(text, finding.at, finding.message)).collect())
            }
        }
    }
}

fn problem(text: &str, at: usize, message: String) -> Problem {
    let before = text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
    Problem { line: u32::try_from(before + 1).unwrap_or(u32::MAX), message }
}

fn document_of(mut file: Section<'_>, findings: &Findings) -> Option<Table> {
    file.require("table");
    file.whole("table", VERSION..=VERSION);
    let provider = provider(&mut file);
    let values = values(&mut file);
    let kinds = kinds::read(&mut file, findings);
    let notices = notices::read(&mut file, findings);
    let (ignored_options, values) = renewals(&mut file, values);
    let (refunds, values) = refunds(&mut file, values);
    let converts_on_expiry = file.section("conversion").and_then(|mut section| {
        let converts = section.flag("on_expiry");
        section.finish();
        converts
    });
    let refusals = refusals::read(&mut file);
    let idempotency = idempotency(&mut file);
    let settings = settings(&mut file, findings);
    package(&mut file);
    file.finish();
    let (id, name, utc_offset_minutes) = provider?;
    Some(Table {
        id,
        name,
        utc_offset_minutes,
        kinds,
        values,
        settings,
        notices,
        ignored_options,
        refunds,
        converts_on_expiry: converts_on_expiry.unwrap_or(false),
        idempotency,
        refusals: refusals?,
    })
}

fn provider(file: &mut Section<'_>) -> Option<(String, String, i16)> {
    file.require("provider");
    let mut section = file.section("provider")?;
    section.require("id");
    let id = section.read("id", |id| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match id.len() <= 64 && id.bytes().all(fits) {
            true => Ok(id.to_owned()),
            false => Err(format!("`{id}` is no id: one has 1 to 64 lower case letters, digits and dashes")),
        }
    });
    let name = section.required_text("name").map(|name| name.text.to_owned());
    section.require("utc_offset");
    let offset = section.read("utc_offset", words::offset);
    section.finish();
    Some((id?, name?, offset?))
}

/// The tries and the stages.
fn values(file: &mut Section<'_>) -> Values {
    let mut values = Values::DEFAULT;
    if let Some(mut section) = file.section("tries") {
        section.require("days");
        values.try_days = section.wholes("days", words::check_days).unwrap_or_default();
        values.try_hour = section.whole("hour", 0..=23).and_then(|hour| u8::try_from(hour).ok());
        section.finish();
    }
    file.require("stages");
    if let Some(mut section) = file.section("stages") {
        section.require("grace");
        section.require("retention");
        values.grace = section.read("grace", words::length).unwrap_or_default();
        values.retention = section.read("retention", words::length).unwrap_or_default();
        section.finish();
    }
    values
}

fn renewals(file: &mut Section<'_>, mut values: Values) -> (Vec<String>, Values) {
    let Some(mut section) = file.section("renewals") else { return (Vec::new(), values) };
    values.grace_renewal = section.choice("grace_counts_from", &LateStart::ALL).unwrap_or(LateStart::Expiry);
    values.retention_renewal =
        section.choice("retention_counts_from", &LateStart::ALL).unwrap_or(LateStart::Expiry);
    let ignored = section.texts("ignored_options").into_iter().map(|option| option.text.to_owned()).collect();
    section.finish();
    (ignored, values)
}

fn refunds(file: &mut Section<'_>, mut values: Values) -> (Option<Refunds>, Values) {
    let Some(mut section) = file.section("refunds") else { return (None, values) };
    values.refund_within = section.read("within", words::length);
    values.fee_percent = section.whole("fee_percent", 0..=100).unwrap_or(0);
    let full_within = section.read("full_within", words::length);
    let when_expired = section.flag("when_expired").unwrap_or(false);
    section.finish();
    (Some(Refunds { full_within, when_expired }), values)
}

fn idempotency(file: &mut Section<'_>) -> Option<Idempotency> {
    let mut section = file.section("idempotency")?;
    let option = section.required_name("option").map(|option| option.text.to_owned());
    section.require("valid");
    let valid = section.read("valid", |text| match words::length(text)? {
        0 => Err("it is longer than nothing".to_owned()),
        seconds => Ok(u32::try_from(seconds).unwrap_or(u32::MAX)),
    });
    let code = section.required_text("mismatch").map(|code| code.text.to_owned());
    section.finish();
    let message = "the client token was sent before with another command or other options; take a new one";
    let mismatch = Refusal { code: code?, message: message.to_owned() };
    Some(Idempotency { option: option?, valid_seconds: valid?, mismatch })
}

/// What the table says of itself as a package. No rule depends on it, so it is only looked at.
fn package(file: &mut Section<'_>) {
    let Some(mut section) = file.section("package") else { return };
    section.require("version");
    for key in ["version", "contract", "authors", "source", "license"] {
        section.text(key);
    }
    section.finish();
}

/// What accounts may set otherwise, in the order of the names.
fn settings(file: &mut Section<'_>, findings: &Findings) -> Vec<(SettingName, String)> {
    let Some(section) = file.section("settings") else { return Vec::new() };
    let mut settings = Vec::new();
    for (key, value) in section.entries() {
        let label = value.get_ref().as_str().filter(|label| !label.is_empty() && label.len() <= 1_000);
        match (SettingName::of(key.text), label) {
            (Some(name), Some(label)) => settings.push((name, label.to_owned())),
            (None, _) => {
                let known = quoted(SettingName::ALL.map(SettingName::name));
                findings.say(
                    key.at,
                    format!("`{}` is nothing that an account can set; there are {known}", key.text),
                );
            }
            (Some(_), None) => {
                let message =
                    format!("`{}` of [settings]: it is a label for people, of 1 to 1000 bytes", key.text);
                findings.say(key.at, message);
            }
        }
    }
    settings
}
