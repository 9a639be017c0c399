//! An option with values that are fixed: what it takes, what is said of anything else, and what a shell completes.

use std::ffi::OsStr;

use clap::Arg;
use clap::Command;
use clap::builder::PossibleValue;
use clap::builder::TypedValueParser;
use perennial_formats::language::Language;

/// The values of an option.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<T: 'static> {
    /// What a value is, such as `stage`.
    pub(super) what: &'static str,
    /// Every value that the option takes.
    pub(super) all: &'static [T],
    /// What a value is called.
    pub(super) name: fn(T) -> &'static str,
}

/// The languages in which people are told things.
pub(super) const LANGUAGE: Choice<Language> =
    Choice { what: "language", all: &Language::ALL, name: Language::tag };

impl<T: Copy + Send + Sync + 'static> Choice<T> {
    fn names(self) -> impl Iterator<Item = &'static str> {
        self.all.iter().map(move |choice| (self.name)(*choice))
    }

    fn find(self, text: &str) -> Result<T, String> {
        let found = self.all.iter().copied().find(|choice| (self.name)(*choice) == text);
        let there = || self.names().collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| format!("there is no such {}; there are {}", self.what, there()))
    }
}

impl<T: Copy + Send + Sync + 'static> TypedValueParser for Choice<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        let choice = *self;
        (move |text: &str| choice.find(text)).parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names().map(PossibleValue::new)))
    }
}
