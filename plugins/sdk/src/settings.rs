//! Reads an account's settings and a resource's attributes, and lists every problem of the settings.

use std::ops::RangeInclusive;
use std::str::FromStr;

/// The value under `name`, if there is one: of an account's settings or of a resource's attributes.
pub fn get<'a>(values: &'a [(impl AsRef<str>, impl AsRef<str>)], name: &str) -> Option<&'a str> {
    values.iter().find(|(key, _)| key.as_ref() == name).map(|(_, value)| value.as_ref())
}

/// The number under `name`; `default` when it is absent or no number. `check-settings` reports a setting that is no
/// number before it is stored.
pub fn number<N: FromStr>(values: &[(String, String)], name: &str, default: N) -> N {
    get(values, name).and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// The numbers under `name`, separated by commas, or those of `default`; an item that is no number is left out.
pub fn numbers<N: FromStr>(values: &[(String, String)], name: &str, default: &str) -> Vec<N> {
    get(values, name).unwrap_or(default).split(',').filter_map(|number| number.trim().parse().ok()).collect()
}

/// Collects the problems of an account's settings.
#[derive(Debug)]
pub struct Check<'a> {
    settings: &'a [(String, String)],
    known: Vec<&'static str>,
    problems: Vec<String>,
}

impl<'a> Check<'a> {
    /// A check of these settings.
    pub fn of(settings: &'a [(String, String)]) -> Check<'a> {
        Check { settings, known: Vec::new(), problems: Vec::new() }
    }

    /// `name` may be any of `choices`.
    pub fn choice(mut self, name: &'static str, choices: &[&str]) -> Check<'a> {
        self.known.push(name);
        if let Some(value) = get(self.settings, name).filter(|value| !choices.contains(value)) {
            self.problems.push(format!("`{name}` is `{value}`; it is one of {}", quoted(choices)));
        }
        self
    }

    /// `name` may be a whole number in `range`, or one of `others`.
    pub fn whole(mut self, name: &'static str, range: RangeInclusive<i64>, others: &[i64]) -> Check<'a> {
        self.known.push(name);
        if let Some(value) = get(self.settings, name) {
            let fits =
                value.parse::<i64>().is_ok_and(|number| range.contains(&number) || others.contains(&number));
            if !fits {
                let or = others.iter().map(|other| format!(" or {other}")).collect::<String>();
                let (least, most) = range.into_inner();
                self.problems
                    .push(format!("`{name}` is `{value}`; it is a whole number from {least} to {most}{or}"));
            }
        }
        self
    }

    /// `name` may be a whole number in `range`, or `word`.
    pub fn whole_or_word(mut self, name: &'static str, range: RangeInclusive<i64>, word: &str) -> Check<'a> {
        self.known.push(name);
        if let Some(value) = get(self.settings, name)
            && value != word
            && !value.parse::<i64>().is_ok_and(|number| range.contains(&number))
        {
            let (least, most) = range.into_inner();
            self.problems.push(format!(
                "`{name}` is `{value}`; it is a whole number from {least} to {most}, or `{word}`"
            ));
        }
        self
    }

    /// `name` may be a list of different whole numbers in `range`, separated by commas; an empty list is fine.
    pub fn list(mut self, name: &'static str, range: RangeInclusive<i64>) -> Check<'a> {
        self.known.push(name);
        let Some(value) = get(self.settings, name) else { return self };
        let mut seen = Vec::new();
        let fits = value.trim().is_empty()
            || value.split(',').all(|item| {
                let number = item.trim().parse::<i64>();
                let fresh =
                    number.as_ref().is_ok_and(|number| range.contains(number) && !seen.contains(number));
                seen.extend(number);
                fresh
            });
        if !fits {
            let (least, most) = range.into_inner();
            self.problems.push(format!(
                "`{name}` is `{value}`; it is a list of different whole numbers from {least} to {most}, such as `7,3,1`"
            ));
        }
        self
    }

    /// Every problem found, in the order of the checks, then the names that no check knows.
    pub fn problems(mut self) -> Vec<String> {
        for (name, _) in self.settings {
            if !self.known.contains(&name.as_str()) {
                self.problems.push(format!("`{name}` is not a setting; there are {}", quoted(&self.known)));
            }
        }
        self.problems
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
