//! How much one answer of a plugin may say: everything of it is kept, shown and told again.
//!
//! Knows sizes; not what makes sense.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::plan::Refusal;

/// The longest code of a refusal, in bytes. Those of the clouds have up to 40.
pub const CODE_BYTES_MAX: usize = 128;
/// The longest message of a refusal, and the longest reason for leaving a member out, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 4_096;
/// The longest name of an attribute that a plugin sets, in bytes.
pub const ATTRIBUTE_NAME_BYTES_MAX: usize = 128;
/// The longest value of an attribute that a plugin sets, in bytes.
pub const ATTRIBUTE_BYTES_MAX: usize = 4_096;
/// The most attributes that a resource may have once a plugin has added one. An inventory may bring more.
pub const ATTRIBUTES_MAX: usize = 256;
/// The most steps of a plan, for each member of its bundle. The clouds' longest plans have three.
pub const STEPS_PER_MEMBER_MAX: usize = 64;
/// The most reasons why members are left out, for each member of the bundle.
pub const SKIPPED_PER_MEMBER_MAX: usize = 4;

/// The most instants within an hour at which something may happen to a bundle, for each of its members: in one timeline, and
/// from answer to answer, as the engine counts its wakes. The clouds' rules have two.
pub const WAKES_PER_HOUR_MAX: usize = 60;

/// Why a text is too long, in words; `None` when it is not.
pub(crate) fn text_problem(what: &str, text: &str, bytes_max: usize) -> Option<String> {
    let found = text.len();
    (found > bytes_max).then(|| format!("{what} of {found} bytes; at most {bytes_max} are accepted"))
}

/// A text for people, cut off where it is too long: it is shown, and nobody counts on it.
pub fn shorten(mut text: String) -> String {
    if text.len() > MESSAGE_BYTES_MAX {
        text.truncate(text.floor_char_boundary(MESSAGE_BYTES_MAX));
        text.push('…');
    }
    text
}

/// Why there are too many of something, in words; `None` when there are not.
pub(crate) fn count_problem(what: &str, found: usize, most: usize) -> Option<String> {
    (found > most).then(|| format!("{found} {what}; at most {most} are accepted"))
}

/// Why a refusal says too much, in words; `None` when it does not.
pub fn refusal_problem(refusal: &Refusal) -> Option<String> {
    let problem = text_problem("its refusal has a code", &refusal.code, CODE_BYTES_MAX);
    problem.or_else(|| text_problem("its refusal has a message", &refusal.message, MESSAGE_BYTES_MAX))
}

/// The attributes that an answer sets on one resource.
#[derive(Default)]
pub(crate) struct NewAttributes<'a> {
    names: BTreeSet<&'a str>,
}

impl<'a> NewAttributes<'a> {
    /// Adds one, and says in words why it is too long, or one too many beside those that the resource has.
    pub(crate) fn add(
        &mut self,
        present: &BTreeMap<String, String>,
        name: &'a str,
        value: &str,
    ) -> Option<String> {
        if !present.contains_key(name) {
            self.names.insert(name);
        }
        // What an inventory brought stays, and what is there may be changed.
        let count = if self.names.is_empty() { 0 } else { present.len() + self.names.len() };
        text_problem("it sets an attribute with a name", name, ATTRIBUTE_NAME_BYTES_MAX)
            .or_else(|| text_problem("it sets an attribute to a value", value, ATTRIBUTE_BYTES_MAX))
            .or_else(|| count_problem("attributes", count, ATTRIBUTES_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_may_be_as_long_as_the_limits_and_no_longer() {
        let refusal =
            |code: usize, message: usize| Refusal { code: "c".repeat(code), message: "m".repeat(message) };
        assert_eq!(refusal_problem(&refusal(CODE_BYTES_MAX, MESSAGE_BYTES_MAX)), None);
        assert_eq!(
            refusal_problem(&refusal(CODE_BYTES_MAX + 1, 0)).unwrap(),
            "its refusal has a code of 129 bytes; at most 128 are accepted"
        );
        assert!(refusal_problem(&refusal(0, MESSAGE_BYTES_MAX + 1)).unwrap().contains("4097 bytes"));
    }

    #[test]
    fn a_text_for_people_is_cut_between_two_characters() {
        assert_eq!(shorten("short".to_owned()), "short");
        let cut = shorten("é".repeat(MESSAGE_BYTES_MAX));
        assert_eq!(cut, format!("{}…", "é".repeat(MESSAGE_BYTES_MAX / 2)));
    }

    #[test]
    fn attributes_are_counted_with_those_that_are_there() {
        let present = (0..ATTRIBUTES_MAX - 1).map(|number| (number.to_string(), String::new())).collect();
        let mut new = NewAttributes::default();
        assert_eq!(new.add(&present, "0", "changed"), None);
        assert_eq!(new.add(&present, "a", ""), None);
        assert_eq!(new.add(&present, "a", "again"), None);
        assert_eq!(new.add(&present, "b", "").unwrap(), "257 attributes; at most 256 are accepted");
        let crowded = (0..1_000).map(|number| (number.to_string(), String::new())).collect();
        assert_eq!(NewAttributes::default().add(&crowded, "7", "changed"), None, "an inventory brought them");
    }
}
