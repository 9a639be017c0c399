//! Scenarios: the commands, payments, usage and failures of a simulation.
//!
//! Knows the file, its order and its accounts. Does not know resources: whether one exists is found out at run time.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use perennial_domain::micros::Micros;
use perennial_domain::plan::Command;
use perennial_domain::timestamp::Timestamp;

use super::Problems;
use super::command;
use super::command::Writer;
use super::diagnostics::Diagnostics;
use super::diagnostics::Path;
use super::fields::Fields;
use super::json_cursor::JsonCursor;
use super::json_tree;
use super::value_lines;
use super::wording;

/// One action of a scenario and its instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioEntry {
    /// Its instant; not before that of the entry before it.
    pub at: Timestamp,
    /// What people or the world do then.
    pub action: ScenarioAction,
}

/// An action of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScenarioAction {
    /// The customer pays money into an account.
    TopUp {
        /// The id of the account.
        account: String,
        /// The amount, above zero.
        amount: Micros,
    },
    /// A command for a resource.
    Command {
        /// The id of the account, for a resource that may not exist; `None` for the resource's own account.
        account: Option<String>,
        /// The id of the resource.
        resource: String,
        /// The command that a person gives.
        command: Command,
    },
    /// An attribute gets a new value.
    SetAttribute {
        /// The id of the resource.
        resource: String,
        /// The name of the attribute.
        name: String,
        /// The new value of the attribute.
        value: String,
    },
    /// Something is used that a package may cover.
    Use {
        /// The account that uses it.
        account: String,
        /// Of this resource type.
        resource_type: String,
        /// The amount, above zero.
        amount: Micros,
    },
    /// The host does not run.
    Outage {
        /// It starts again here, after the entry's own time.
        until: Timestamp,
    },
}

/// What an entry can do, by name.
const ACTIONS: [&str; 5] = ["top_up", "command", "set_attribute", "use", "outage"];

/// Reads a scenario for a simulation that has these accounts.
///
/// # Errors
///
/// Every problem of the file, each with its path.
pub fn read(text: &str, accounts: &BTreeSet<&str>) -> Result<Vec<ScenarioEntry>, Problems> {
    let problems = Diagnostics::default();
    let root = json_tree::parse(text, &problems)?;
    let mut course = ScenarioReader { accounts, last: None, down_until: None };
    let cursor = JsonCursor { node: &root, path: Path::Root, diagnostics: &problems };
    let entries = cursor.list(|index, cursor| course.entry(index, cursor));
    problems.finish(entries).map_err(|problems| {
        let lines = value_lines::of(text);
        problems.located(|problem| format!("line {}", value_lines::line(&lines, problem.position())))
    })
}

/// How far the reading of a scenario has come.
struct ScenarioReader<'c> {
    accounts: &'c BTreeSet<&'c str>,
    /// The place and time of the last entry that says when.
    last: Option<(usize, Timestamp)>,
    /// The place of the last outage, and when it ends.
    down_until: Option<(usize, Timestamp)>,
}

impl ScenarioReader<'_> {
    fn entry(&mut self, index: usize, cursor: JsonCursor<'_, '_>) -> Option<ScenarioEntry> {
        let fields = cursor.any_object()?;
        let act = fields.required("do", |cursor| cursor.one_of(&ACTIONS, |name| name));
        let at = fields.required("at", |cursor| cursor.given_instant());
        if let Some(at) = at {
            self.advance(index, at, &fields);
        }
        let what = match act? {
            "top_up" => self.top_up(&fields),
            "command" => self.command(&fields),
            "set_attribute" => set_attribute(&fields),
            "use" => self.usage(&fields),
            "outage" => self.outage(index, at, &fields),
            other => unreachable!("`{other}` is not in the list"),
        };
        Some(ScenarioEntry { at: at?, action: what? })
    }

    /// Notes an entry that is earlier than the one before it.
    fn advance(&mut self, index: usize, at: Timestamp, fields: &Fields<'_, '_>) {
        match self.last {
            Some((earlier, last)) if at < last => fields.report(
                "at",
                format!("{at} is before `[{earlier}]`, which is at {last}; entries stand in time order"),
            ),
            Some(_) | None => self.last = Some((index, at)),
        }
    }

    fn account<'n>(&self, cursor: JsonCursor<'n, '_>) -> Option<&'n str> {
        let account = cursor.id()?;
        if !self.accounts.contains(account) {
            let names = || self.accounts.iter().copied();
            let meant = wording::did_you_mean(account, names());
            let there = wording::list_names(names());
            cursor
                .report(format!("there is no account {}{meant}; there is {there}", wording::quote(account)));
            return None;
        }
        Some(account)
    }

    fn top_up(&self, fields: &Fields<'_, '_>) -> Option<ScenarioAction> {
        fields.allow(&["at", "do", "account", "amount"]);
        let account = fields.required("account", |cursor| self.account(cursor));
        let amount = fields.required("amount", |cursor| cursor.amount_above_zero());
        Some(ScenarioAction::TopUp { account: account?.to_owned(), amount: amount? })
    }

    fn command(&self, fields: &Fields<'_, '_>) -> Option<ScenarioAction> {
        fields.allow(&["at", "do", "account", "resource", "command"]);
        let account = fields.optional("account", |cursor| self.account(cursor)).option();
        let resource = fields.required("resource", |cursor| cursor.id());
        let command = fields.required("command", |cursor| command::read(cursor, Writer::Outside));
        Some(ScenarioAction::Command {
            account: account?.map(str::to_owned),
            resource: resource?.to_owned(),
            command: command?,
        })
    }

    fn usage(&self, fields: &Fields<'_, '_>) -> Option<ScenarioAction> {
        fields.allow(&["at", "do", "account", "resource_type", "amount"]);
        let account = fields.required("account", |cursor| self.account(cursor));
        let resource_type = fields.required("resource_type", |cursor| cursor.name());
        let amount = fields.required("amount", |cursor| cursor.amount_above_zero());
        Some(ScenarioAction::Use {
            account: account?.to_owned(),
            resource_type: resource_type?.to_owned(),
            amount: amount?,
        })
    }

    fn outage(
        &mut self,
        index: usize,
        at: Option<Timestamp>,
        fields: &Fields<'_, '_>,
    ) -> Option<ScenarioAction> {
        fields.allow(&["at", "do", "until"]);
        let until = fields.required("until", |cursor| cursor.given_instant())?;
        let at = at?;
        if until <= at {
            fields.report("until", format!("{until} is not after `at`, which is {at}"));
            return None;
        }
        if let Some((earlier, end)) = self.down_until
            && at < end
        {
            let message = format!("the host is still down then: the outage of `[{earlier}]` ends at {end}");
            fields.report("at", message);
        }
        if self.down_until.is_none_or(|(_, end)| end < until) {
            self.down_until = Some((index, until));
        }
        Some(ScenarioAction::Outage { until })
    }
}

fn set_attribute(fields: &Fields<'_, '_>) -> Option<ScenarioAction> {
    fields.allow(&["at", "do", "resource", "name", "value"]);
    let resource = fields.required("resource", |cursor| cursor.id());
    let name = fields.required("name", |cursor| cursor.name());
    let value = fields.required("value", |cursor| cursor.text());
    Some(ScenarioAction::SetAttribute {
        resource: resource?.to_owned(),
        name: name?.to_owned(),
        value: value?.to_owned(),
    })
}
