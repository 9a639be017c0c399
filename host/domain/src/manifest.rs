//! A plugin's manifest: its kinds of resource, its settings, its notices, and the commands that it supports.

use std::collections::BTreeMap;

use crate::plan::Command;
use crate::plan::Refusal;
use crate::term::Term;

/// A plugin's description of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// What accounts call the provider by.
    pub id: String,
    /// The provider's name, for people.
    pub name: String,
    /// The kinds of resource it has rules for, by name.
    pub kinds: BTreeMap<String, Kind>,
    /// What an account can be set to.
    pub settings: Vec<Setting>,
    /// What owners are told ahead of time; occurrences name these by place.
    pub notices: Vec<Notice>,
    /// The attributes that the rules read.
    pub reads: Vec<String>,
    /// The provider's days, in minutes ahead of UTC, -720 to 840.
    pub utc_offset_minutes: i16,
    /// What the provider answers when the balance does not suffice.
    pub insufficient_balance: Refusal,
    /// What the provider answers to a command on a resource that does not exist.
    pub unknown_resource: Refusal,
    /// That answer for the commands that have another one, by [`Command::name`].
    pub unknown_resource_of: BTreeMap<&'static str, Refusal>,
    /// What the provider's own API answers when a policy of the operator's denies a command ...
    pub policy_denied: PolicyRefusal,
    /// ... and when one does not allow it before an instant, which the message names.
    pub policy_deferred: PolicyRefusal,
    /// How the provider recognises a command that is sent again, if it does.
    pub idempotency: Option<Idempotency>,
}

/// What a provider's own API answers when the operator's policies are against a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRefusal {
    /// The code, and what it means.
    pub refusal: Refusal,
    /// The setting of an account whose value is the code instead, if there is one.
    pub code_setting: Option<String>,
}

impl PolicyRefusal {
    /// The refusal for an account with these settings; `why` is what the policy says.
    pub fn of(&self, settings: &BTreeMap<String, String>, why: &str) -> Refusal {
        let set = self.code_setting.as_ref().and_then(|name| settings.get(name));
        let Refusal { code, message } = &self.refusal;
        Refusal { code: set.unwrap_or(code).clone(), message: format!("{message}: {why}") }
    }
}

impl Manifest {
    /// What the provider answers to this command on a resource that does not exist.
    pub fn unknown_resource_for(&self, command: &Command) -> &Refusal {
        self.unknown_resource_of.get(command.name()).unwrap_or(&self.unknown_resource)
    }
}

/// A kind of resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The kind's name, for people.
    pub label: String,
    /// Kinds it can be attached to; empty when it is always a primary.
    pub attaches_to: Vec<String>,
    /// Terms that can be bought; empty is any.
    pub terms: Vec<Term>,
    /// Whether it is a resource package.
    pub is_package: bool,
}

/// Something an account can be set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The setting's name in an account.
    pub name: String,
    /// What it does, for people; at its end, in square brackets, the document that the rule is from.
    pub label: String,
    /// The value of an account that does not say, if there is a single one.
    pub default: Option<String>,
}

impl Setting {
    /// What it does, for people, without the document.
    pub fn rule(&self) -> &str {
        self.split_label().map_or(self.label.as_str(), |(rule, _)| rule)
    }

    /// The document that the rule is from, if the label names one.
    pub fn document(&self) -> Option<&str> {
        self.split_label().map(|(_, document)| document)
    }

    fn split_label(&self) -> Option<(&str, &str)> {
        let (rule, document) = self.label.strip_suffix(']')?.rsplit_once(" [")?;
        (!document.is_empty()).then_some((rule, document))
    }
}

/// Something that owners are told ahead of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The notice's name in events.
    pub name: String,
    /// What the notice says, for people.
    pub label: String,
}

/// How a provider recognises a command that is sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The option that carries the token.
    pub option_name: String,
    /// How long after it was last seen a token is remembered, in seconds.
    pub valid_seconds: u32,
    /// What the same token with another command is answered.
    pub mismatch: Refusal,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_may_end_with_the_document_of_its_rule() {
        for (label, rule, document) in [
            ("Days, 0 to 365 [topic 4711]", "Days, 0 to 365", Some("topic 4711")),
            ("Days, 0 to 365", "Days, 0 to 365", None),
            ("a list such as [1, 2]", "a list such as", Some("1, 2")),
            ("[all of it]", "[all of it]", None),
            ("nothing []", "nothing []", None),
        ] {
            let setting = Setting { name: "s".to_owned(), label: label.to_owned(), default: None };
            assert_eq!((setting.rule(), setting.document()), (rule, document), "{label}");
        }
    }
}
