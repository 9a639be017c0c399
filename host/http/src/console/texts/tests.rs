//! That every text is one, in both languages.

use super::*;
use crate::console::words;

/// What is called the same in both languages.
const SAME: [&str; 4] = ["COMMAND_ON", "WEBHOOK", "WEBHOOKS", "ZONE_UTC"];

/// The texts of every table that has names.
fn named() -> impl Iterator<Item = &'static (&'static str, Text)> {
    let tables =
        [ALL_TEXTS, accounts::ALL_TEXTS, calendar::ALL_TEXTS, plugins::ALL_TEXTS, policies::ALL_TEXTS];
    tables.into_iter().chain([forms::ALL_TEXTS, risk::ALL_TEXTS]).flatten()
}

#[test]
fn every_text_has_both_languages() {
    let all = named().chain(&DONE).chain(words::all());
    for (name, text) in all {
        assert!(!text.english.is_empty() && text.english.is_ascii(), "{name} in English: {}", text.english);
        let is_chinese = text.chinese.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
        assert!(is_chinese || SAME.contains(name), "{name} in Chinese: {}", text.chinese);
    }
}

#[test]
fn both_languages_have_places_for_the_same_parts() {
    for (name, text) in named() {
        assert_eq!(text.english.matches("{}").count(), text.chinese.matches("{}").count(), "{name}");
    }
}
