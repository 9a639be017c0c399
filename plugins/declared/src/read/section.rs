//! Reads the keys of one section of a TOML file, and collects every problem with its place.
//!
//! Knows TOML and types of values; knows no rule. A key that nobody asked for is a problem, too.

use std::cell::RefCell;
use std::ops::Range;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use crate::words::quoted;

/// The longest text of a value, in bytes.
const TEXT_MAX_BYTES: usize = 1_000;
/// The longest name, in bytes.
const NAME_MAX_BYTES: usize = 64;

/// Something that is wrong, and where it begins.
#[derive(Debug)]
pub(crate) struct Finding {
    /// In bytes from the start of the text.
    pub(crate) at: usize,
    pub(crate) message: String,
}

/// What is wrong with a text, as far as it was read.
#[derive(Debug, Default)]
pub(crate) struct Findings(RefCell<Vec<Finding>>);

impl Findings {
    pub(crate) fn say(&self, at: usize, message: impl Into<String>) {
        self.0.borrow_mut().push(Finding { at, message: message.into() });
    }

    pub(crate) fn into_inner(self) -> Vec<Finding> {
        self.0.into_inner()
    }
}

/// A section while it is read.
pub(crate) struct Section<'t> {
    /// As messages name it, such as `[kinds.disk]`.
    name: String,
    at: usize,
    keys: &'t DeTable<'t>,
    asked: Vec<&'static str>,
    findings: &'t Findings,
}

/// A text with its place.
#[derive(Clone, Copy)]
pub(crate) struct Place<'t> {
    pub(crate) text: &'t str,
    pub(crate) at: usize,
}

impl<'t> Section<'t> {
    pub(crate) fn of(name: &str, at: usize, keys: &'t DeTable<'t>, findings: &'t Findings) -> Section<'t> {
        Section { name: name.to_owned(), at, keys, asked: Vec::new(), findings }
    }

    /// Where it begins.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    fn value(&mut self, key: &'static str) -> Option<(&'t DeValue<'t>, Range<usize>)> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let found = self.keys.iter().find(|(name, _)| name.get_ref() == key);
        found.map(|(_, value)| (value.get_ref(), value.span()))
    }

    fn wrong(&self, at: usize, key: &str, message: impl AsRef<str>) {
        self.findings.say(at, format!("`{key}` of {}: {}", self.name, message.as_ref()));
    }

    /// The text of a key; `None` when it is not there.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<Place<'t>> {
        let (value, span) = self.value(key)?;
        let text = value.as_str();
        if text.is_none_or(|text| text.is_empty() || text.len() > TEXT_MAX_BYTES) {
            self.wrong(span.start, key, format!("it is a text of 1 to {TEXT_MAX_BYTES} bytes"));
            return None;
        }
        text.map(|text| Place { text, at: span.start })
    }

    /// The text of a key that has to be there.
    pub(crate) fn required_text(&mut self, key: &'static str) -> Option<Place<'t>> {
        self.require(key);
        self.text(key)
    }

    /// Says so when a key is not there.
    pub(crate) fn require(&mut self, key: &'static str) {
        if self.value(key).is_none() {
            self.findings.say(self.at, format!("{} has no `{key}`, which it needs", self.name));
        }
    }

    /// The text of a key, as `read` understands it.
    pub(crate) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let place = self.text(key)?;
        read(place.text).map_err(|problem| self.wrong(place.at, key, problem)).ok()
    }

    /// A name: a text that is short.
    pub(crate) fn required_name(&mut self, key: &'static str) -> Option<Place<'t>> {
        let place = self.required_text(key)?;
        match is_name(place.text) {
            true => Some(place),
            false => {
                self.wrong(place.at, key, format!("a name has at most {NAME_MAX_BYTES} bytes"));
                None
            }
        }
    }

    pub(crate) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let (value, span) = self.value(key)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.wrong(span.start, key, "it is `true` or `false`");
        }
        flag
    }

    pub(crate) fn whole(&mut self, key: &'static str, range: RangeInclusive<i64>) -> Option<i64> {
        let (value, span) = self.value(key)?;
        let number = whole(value).filter(|number| range.contains(number));
        if number.is_none() {
            let problem = match range.into_inner() {
                (least, most) if least == most => format!("it is {least}"),
                (least, most) => format!("it is a whole number from {least} to {most}"),
            };
            self.wrong(span.start, key, problem);
        }
        number
    }

    /// A list of whole numbers, which `check` looks at.
    pub(crate) fn wholes(
        &mut self,
        key: &'static str,
        check: impl FnOnce(&[i64]) -> Result<(), String>,
    ) -> Option<Vec<i64>> {
        let (value, span) = self.value(key)?;
        let items = value.as_array().map(|items| items.iter().map(|item| whole(item.get_ref())));
        let Some(numbers) = items.and_then(|items| items.collect::<Option<Vec<_>>>()) else {
            self.wrong(span.start, key, "it is a list of whole numbers, such as `[7, 3, 1]`");
            return None;
        };
        check(&numbers).map_err(|problem| self.wrong(span.start, key, problem)).ok()?;
        Some(numbers)
    }

    /// A list of texts, each with its place; empty when it is not there.
    pub(crate) fn texts(&mut self, key: &'static str) -> Vec<Place<'t>> {
        let Some((value, span)) = self.value(key) else { return Vec::new() };
        let Some(items) = value.as_array() else {
            self.wrong(span.start, key, "it is a list of texts");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_str().filter(|text| is_name(text)) {
                Some(text) => texts.push(Place { text, at: item.span().start }),
                None => {
                    let problem = format!("each item is a text of 1 to {NAME_MAX_BYTES} bytes");
                    self.wrong(item.span().start, key, problem);
                }
            }
        }
        texts
    }

    /// One of some words.
    pub(crate) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let place = self.text(key)?;
        let found = choices.iter().find(|(name, _)| *name == place.text);
        if found.is_none() {
            let names = quoted(choices.iter().map(|(name, _)| *name));
            self.wrong(place.at, key, format!("`{}` is none of {names}", place.text));
        }
        found.map(|(_, choice)| *choice)
    }

    /// Whether a key is there, whatever it says.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|(name, _)| name.get_ref() == key)
    }

    /// Whether a key has a section, rather than a value or nothing.
    pub(crate) fn is_section(&self, key: &str) -> bool {
        self.keys.iter().any(|(name, value)| name.get_ref() == key && value.get_ref().is_table())
    }

    /// The section below a key.
    pub(crate) fn section(&mut self, key: &'static str) -> Option<Section<'t>> {
        let (value, span) = self.value(key)?;
        let name = match self.name.as_str() {
            "the file" => format!("[{key}]"),
            name => format!("[{}.{key}]", name.trim_matches(['[', ']'])),
        };
        match value.as_table() {
            Some(keys) => Some(Section::of(&name, span.start, keys, self.findings)),
            None => {
                self.wrong(span.start, key, format!("it is a section, {name}"));
                None
            }
        }
    }

    /// The sections of a list, `[[key]]`.
    pub(crate) fn sections(&mut self, key: &'static str) -> Vec<Section<'t>> {
        let Some((value, span)) = self.value(key) else { return Vec::new() };
        let tables =
            value.as_array().map(|items| items.iter().map(|item| (item.get_ref().as_table(), item.span())));
        let Some(tables) = tables else {
            self.wrong(span.start, key, format!("it is a list of sections, [[{key}]]"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (keys, span) in tables {
            match keys {
                Some(keys) => {
                    sections.push(Section::of(&format!("[[{key}]]"), span.start, keys, self.findings));
                }
                None => self.wrong(span.start, key, format!("it is a list of sections, [[{key}]]")),
            }
        }
        sections
    }

    /// Every key with a section of its own below this one, such as the kinds; each is a name.
    pub(crate) fn named_sections(&mut self) -> Vec<(&'t str, Section<'t>)> {
        let mut sections = Vec::new();
        for (key, value) in self.keys {
            let (name, at) = (key.get_ref().as_ref(), key.span().start);
            if !is_name(name) {
                self.findings.say(at, format!("`{name}` is no name: one has 1 to {NAME_MAX_BYTES} bytes"));
            }
            let whole = format!("[{}.{name}]", self.name.trim_matches(['[', ']']));
            match value.get_ref().as_table() {
                Some(keys) => sections.push((name, Section::of(&whole, at, keys, self.findings))),
                None => self.findings.say(at, format!("`{name}` of {} is a section, {whole}", self.name)),
            }
        }
        sections
    }

    /// Every key with its value.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Place<'t>, &'t Spanned<DeValue<'t>>)> + use<'t> {
        self.keys.iter().map(|(key, value)| (Place { text: key.get_ref(), at: key.span().start }, value))
    }

    /// Says which keys there are that nobody asked for.
    pub(crate) fn finish(self) {
        for (key, _) in self.keys {
            let name: &str = key.get_ref();
            if !self.asked.contains(&name) {
                let known = quoted(self.asked.iter().copied());
                let message = format!("`{name}` is no key of {}; there are {known}", self.name);
                self.findings.say(key.span().start, message);
            }
        }
    }
}

/// Whether a text can be a name.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=NAME_MAX_BYTES).contains(&text.len())
}

fn whole(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
