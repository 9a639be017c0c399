//! Policy files: which scripts rule on which plans, and the calendars that they ask for.
//!
//! Knows the file as a whole; a script is text here. What tests of a policy look like is in [`case`], the plan that they
//! are about in [`plan`].

pub mod binding;
mod calendar;
pub mod case;
pub mod plan;
mod rulings;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::manifest::Manifest;
use perennial_domain::policy::OnFailure;
use perennial_domain::policy::Policy;
use perennial_domain::policy::PolicyMode;
use perennial_domain::policy::PolicySet;
use perennial_domain::policy::RANK_DEFAULT;
use perennial_domain::policy::selector::Selector;
use perennial_domain::policy::selector::TagPattern;

use super::Problems;
use super::command;
use super::diagnostics::Diagnostics;
use super::diagnostics::Path;
use super::fields::Fields;
use super::json_cursor::JsonCursor;
use super::json_tree;
use super::json_tree::Json;
use super::toml_text;
use super::wording;

pub use rulings::ruling_text;
pub use rulings::step_text;

/// Reads the text of a script that the file names, or says why it cannot be read.
pub type ReadScript<'r> = dyn Fn(&str) -> Result<String, String> + 'r;

/// Reads a policy file; `manifests` are those of the loaded plugins, by provider id.
///
/// # Errors
///
/// Every problem of the file, each with its path. What is wrong within a script is not among them.
pub fn read(
    text: &str,
    manifests: &BTreeMap<String, &Manifest>,
    read_script: &ReadScript<'_>,
) -> Result<PolicySet, Problems> {
    let json = toml_text::to_json(text)?;
    let problems = Diagnostics::default();
    let root = json_tree::parse(&json, &problems)?;
    let set = Reader { manifests, read_script }.set(JsonCursor {
        node: &root,
        path: Path::Root,
        diagnostics: &problems,
    });
    problems.finish(set)
}

struct Reader<'r> {
    manifests: &'r BTreeMap<String, &'r Manifest>,
    read_script: &'r ReadScript<'r>,
}

impl Reader<'_> {
    fn set(&self, root: JsonCursor<'_, '_>) -> Option<PolicySet> {
        let fields = root.object(&["policy", "calendar"])?;
        let mut names = BTreeSet::new();
        let policies =
            fields.optional("policy", |list| list.list(|_, cursor| self.policy(cursor, &mut names)));
        let mut names = BTreeSet::new();
        let calendars = fields.optional("calendar", |list| {
            list.list(|_, cursor| {
                calendar::read(cursor, |cursor| unique(cursor, cursor.id()?, &mut names, "calendar"))
            })
        });
        let mut policies = policies.or(Vec::new())?;
        policies.sort_by(|one, other| (one.rank, &one.name).cmp(&(other.rank, &other.name)));
        Some(PolicySet { policies, calendars: calendars.or(Vec::new())? })
    }

    fn policy(&self, cursor: JsonCursor<'_, '_>, names: &mut BTreeSet<String>) -> Option<Policy> {
        let fields = cursor.object(&[
            "name",
            "script",
            "order",
            "mode",
            "accounts",
            "providers",
            "kinds",
            "tags",
            "commands",
            "on_failure",
        ])?;
        let name = fields.required("name", |cursor| policy_name(cursor, names));
        let script = fields.required("script", |cursor| self.script(cursor));
        let order = fields.optional("order", order).or(RANK_DEFAULT);
        let mode = fields.optional("mode", |cursor| cursor.one_of(&PolicyMode::ALL, PolicyMode::name));
        let on_failure =
            fields.optional("on_failure", |cursor| cursor.one_of(&OnFailure::ALL, OnFailure::name));
        let selector = self.selector(&fields);
        let (script, text) = script?;
        Some(Policy {
            name: name?,
            script,
            text,
            rank: order?,
            mode: mode.or(PolicyMode::Active)?,
            selector: selector?,
            on_failure: on_failure.or(OnFailure::Default)?,
        })
    }

    fn script(&self, cursor: JsonCursor<'_, '_>) -> Option<(String, String)> {
        let name = cursor.name()?;
        match (self.read_script)(name) {
            Ok(text) => Some((name.to_owned(), text)),
            Err(why) => {
                cursor.report(format!("cannot read the script {}: {why}", wording::quote(name)));
                None
            }
        }
    }

    fn selector(&self, fields: &Fields<'_, '_>) -> Option<Selector> {
        let accounts = names(fields, "accounts", |cursor| cursor.name().map(str::to_owned));
        let ids = || self.manifests.keys().map(String::as_str);
        let providers = names(fields, "providers", |cursor| existing_name(cursor, "provider", ids()));
        let of_policy = providers.as_deref().unwrap_or_default();
        let is_concerned = |id: &String| of_policy.is_empty() || of_policy.contains(id);
        let manifests = self.manifests.iter().filter(|(id, _)| is_concerned(id));
        let kinds = manifests.flat_map(|(_, manifest)| manifest.kinds.keys().map(String::as_str));
        let kinds = kinds.collect::<BTreeSet<_>>();
        let kinds = names(fields, "kinds", |cursor| existing_name(cursor, "kind", kinds.iter().copied()));
        let tags = names(fields, "tags", |cursor| {
            let tag = TagPattern::parse(cursor.name()?);
            if tag.name.is_empty() {
                cursor.report("the tag has no name; write `name` or `name=value`");
                return None;
            }
            Some(tag)
        });
        let commands = names(fields, "commands", |cursor| existing_name(cursor, "command", command::names()));
        Some(Selector {
            accounts: accounts?,
            providers: providers?,
            kinds: kinds?,
            tags: tags?,
            commands: commands?,
        })
    }
}

/// A name of lower case letters, digits and dashes that the file has once.
fn policy_name(cursor: JsonCursor<'_, '_>, names: &mut BTreeSet<String>) -> Option<String> {
    let name = cursor.id()?;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !name.bytes().all(is_plain) {
        let name = wording::quote(name);
        cursor.report(format!("the name {name} is not one of lower case letters, digits and dashes"));
        return None;
    }
    unique(cursor, name, names, "policy")
}

/// A name that the file has once.
fn unique(
    cursor: JsonCursor<'_, '_>,
    name: &str,
    names: &mut BTreeSet<String>,
    what: &str,
) -> Option<String> {
    if !names.insert(name.to_owned()) {
        cursor.report(format!("there is another {what} {}; a name is given once", wording::quote(name)));
        return None;
    }
    Some(name.to_owned())
}

fn order(cursor: JsonCursor<'_, '_>) -> Option<i64> {
    let number = if let Json::Number(number) = &cursor.node.json { number.as_i64() } else { None };
    number.or_else(|| cursor.report_type("a whole number"))
}

/// A list that is not empty, or nothing for a list that is left out.
fn names<T>(
    fields: &Fields<'_, '_>,
    name: &'static str,
    read: impl Fn(JsonCursor<'_, '_>) -> Option<T>,
) -> Option<Vec<T>> {
    let list = fields.optional(name, |cursor| {
        if matches!(&cursor.node.json, Json::List(items) if items.is_empty()) {
            cursor.report("the list is empty, so the policy would never be asked; leave it out to match all");
            return None;
        }
        cursor.list(|_, cursor| read(cursor))
    });
    list.or(Vec::new())
}

/// One of the names that there are.
fn existing_name<'k>(
    cursor: JsonCursor<'_, '_>,
    what: &str,
    there: impl Iterator<Item = &'k str> + Clone,
) -> Option<String> {
    let name = cursor.name()?;
    if there.clone().any(|known| known == name) {
        return Some(name.to_owned());
    }
    let meant = wording::did_you_mean(name, there.clone());
    let expected = wording::list_names(there);
    cursor.report(format!("there is no {what} {}{meant}; expected {expected}", wording::quote(name)));
    None
}

#[cfg(test)]
mod tests;
