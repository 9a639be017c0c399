//! The cases of a plugin: what it is asked, and what it answers. Reads them and compares; asks nobody.
//!
//! A case states what matters; everything else of a resource has a default, in `resources`. How answers are written is in
//! `answer`, how a file gets new ones in `bless`, and how it gets what a host decided in `record`. FORMATS.md describes the file.

mod answer;
mod bless;
mod record;
mod resources;

use std::collections::BTreeSet;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::index::MemberIndex;
use perennial_domain::manifest::Manifest;
use perennial_domain::order;
use perennial_domain::order::Order;
use perennial_domain::order::OrderKind;
use perennial_domain::order::Undo;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::timestamp::Timestamp;

use super::Problems;
use super::command;
use super::command::Writer;
use super::diagnostics::Diagnostics;
use super::diagnostics::Path;
use super::fields::Fields;
use super::inventory::CheckSettings;
use super::json_cursor::JsonCursor;
use super::json_tree;
use super::toml_text;

pub use answer::plan_lines;
pub use answer::timeline_lines;
pub use bless::with_answers;
pub use record::recorded;

/// The fields of a case.
const FIELDS: &[&str] =
    &["name", "settings", "resources", "after", "at", "resource", "command", "automatic", "orders", "answer"];

/// One question to a plugin, with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The name: what the rules promise.
    pub name: String,
    /// The account that the bundle belongs to.
    pub account: Account,
    /// The bundle that is asked about.
    pub bundle: Bundle,
    /// What is asked about it.
    pub question: CaseRequest,
    answer: Vec<String>,
}

/// What a plugin is asked about a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseRequest {
    /// What happens to it strictly after an instant.
    Timeline {
        /// The instant after which it is asked.
        after: Timestamp,
    },
    /// What a command would do.
    Plan {
        /// When it is asked.
        at: Timestamp,
        /// The member that the command names.
        member: MemberIndex,
        /// The command itself.
        command: Command,
        /// What was paid for the members, where the command needs it.
        orders: Vec<Order>,
    },
}

/// Reads a file of cases for the plugin of this manifest.
///
/// # Errors
///
/// Every problem of it, each with its path.
pub fn read(text: &str, manifest: &Manifest, check: &CheckSettings<'_>) -> Result<Vec<Case>, Problems> {
    let json = toml_text::to_json(text)?;
    let value = resources::document(&json)?;
    let problems = Diagnostics::default();
    let root = json_tree::parse(&json, &problems)?;
    let cursor = JsonCursor { node: &root, path: Path::Root, diagnostics: &problems };
    let cases = cursor.object(&["case"]).and_then(|fields| {
        let mut names = BTreeSet::new();
        fields.required("case", |list| {
            list.list(|place, cursor| {
                let given = &value["case"][place];
                let world = resources::world(given, &cursor, manifest, check);
                case(cursor, world, &mut names)
            })
        })
    });
    problems.finish(cases)
}

fn case(
    cursor: JsonCursor<'_, '_>,
    world: Option<(Account, Bundle)>,
    names: &mut BTreeSet<String>,
) -> Option<Case> {
    let fields = cursor.object(FIELDS)?;
    let name = fields.required("name", |cursor| {
        let name = cursor.name()?;
        if !names.insert(name.to_owned()) {
            cursor.report("another case has this name; a failure would not say which of them it is");
            return None;
        }
        Some(name.to_owned())
    });
    let answer = fields.required("answer", |cursor| cursor.text().map(lines));
    let (account, bundle) = world?;
    let question = question(&fields, &bundle);
    Some(Case { name: name?, account, bundle, question: question?, answer: answer? })
}

/// The lines of an answer that say something.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn question(fields: &Fields<'_, '_>, bundle: &Bundle) -> Option<CaseRequest> {
    const BOTH: &str =
        "a case asks for a timeline, with `after`, or for the plan of a command, with `at` and `command`";
    if fields.get("after").is_some() {
        for name in ["at", "command", "automatic", "resource", "orders"] {
            if fields.get(name).is_some() {
                fields.report(name, BOTH);
                return None;
            }
        }
        let after = fields.required("after", |cursor| cursor.given_instant())?;
        return Some(CaseRequest::Timeline { after });
    }
    let at = fields.required_because("at", &format!("; {BOTH}"), |cursor| cursor.given_instant());
    let command = fields.required("command", |cursor| command::read(cursor, Writer::Outside));
    let is_automatic = fields.optional("automatic", |cursor| cursor.flag()).or(false);
    let member = fields.optional("resource", |cursor| member(cursor, bundle)).or(MemberIndex::new(0));
    let given = fields.optional("orders", |list| list.list(|index, cursor| order(cursor, index, bundle)));
    let given = given.option();
    let command = match (command?, is_automatic?) {
        (Command::Renew(renewal), true) => {
            Command::Renew(perennial_domain::plan::Renewal { cause: Cause::Auto, ..renewal })
        }
        (_, true) => {
            fields.report("automatic", "only a renewal is automatic");
            return None;
        }
        (command, false) => command,
    };
    let orders = match given? {
        Some(orders) => orders,
        None if takes_orders(&command) => openings(bundle),
        None => Vec::new(),
    };
    Some(CaseRequest::Plan { at: at?, member: member?, command, orders })
}

fn member(cursor: JsonCursor<'_, '_>, bundle: &Bundle) -> Option<MemberIndex> {
    let id = cursor.id()?;
    let found = bundle.position(id);
    if found.is_none() {
        cursor.report(format!("there is no resource `{id}` in this case"));
    }
    found
}

/// Whether the rules are told what was paid.
fn takes_orders(command: &Command) -> bool {
    matches!(command, Command::Unsubscribe(_) | Command::Change(_) | Command::ConvertNow)
}

/// The orders of resources whose history is not known, as an import has them.
fn openings(bundle: &Bundle) -> Vec<Order> {
    bundle.iter().filter_map(|(member, resource)| order::opening(resource, member, 0)).collect()
}

fn order(cursor: JsonCursor<'_, '_>, index: usize, bundle: &Bundle) -> Option<Order> {
    let fields = cursor.object(&["resource", "kind", "starts_at", "ends_at", "paid", "paid_at"])?;
    let member = fields.optional("resource", |cursor| member(cursor, bundle)).or(MemberIndex::new(0));
    let paying = [OrderKind::Purchase, OrderKind::Renewal, OrderKind::Upgrade];
    let kind = fields.required("kind", |cursor| cursor.one_of(&paying, OrderKind::name));
    let starts_at = fields.required("starts_at", |cursor| cursor.given_instant());
    let ends_at = fields.required("ends_at", |cursor| cursor.given_instant());
    let paid = fields.required("paid", |cursor| cursor.amount());
    let paid_at = fields.optional("paid_at", |cursor| cursor.given_instant()).option();
    if starts_at.zip(ends_at).is_some_and(|(starts_at, ends_at)| ends_at <= starts_at) {
        fields.report("ends_at", "it is not after `starts_at`");
        return None;
    }
    Some(Order {
        id: format!("order-{}", index + 1),
        member: member?,
        kind: kind?,
        starts_at: starts_at?,
        ends_at: ends_at?,
        paid: paid?,
        paid_at: paid_at?.or(starts_at)?,
        reduces: None,
        undo: Undo::default(),
    })
}

impl Case {
    /// What is different between what the case says and the lines of an answer; `None` when nothing is.
    ///
    /// A line of the case that ends with a refusal's code holds for every message.
    pub fn difference(&self, found: &[String]) -> Option<String> {
        let is_met = |(expected, found): (&String, &String)| expected == found || is_code_of(expected, found);
        if self.answer.len() == found.len() && self.answer.iter().zip(found).all(is_met) {
            return None;
        }
        Some(super::policy::binding::line_difference(&self.answer.join("\n"), &found.join("\n")))
    }
}

/// Whether a line says a refusal's code and no message, and the other one the same with a message.
fn is_code_of(expected: &str, found: &str) -> bool {
    let is_refusal = expected.starts_with("refused ") || expected.contains(" left out ");
    is_refusal && found.strip_prefix(expected).is_some_and(|rest| rest.starts_with(": "))
}

#[cfg(test)]
mod tests;
