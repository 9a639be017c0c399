//! Stored decisions: a plugin's input and its answer, so that the decision can be replayed years later.
//!
//! Knows how questions and answers are written and read back; not who asks.

mod answer;
mod contract;
pub mod packed;
pub mod ruling;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use perennial_domain::bundle::Bundle;
use perennial_domain::index::MemberIndex;
use perennial_domain::order::Order;
use perennial_domain::order::OrderKind;
use perennial_domain::order::PaidPeriod;
use perennial_domain::order::Undo;
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
use super::json_value;
use super::json_value::JsonValue;
use super::resource;
use super::wording;

pub use answer::answer;
pub use answer::read_answer;
pub use contract::CONTRACT;

/// What a plugin was asked: what a command, or a try that is due, would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRequest {
    /// When it was asked.
    pub at: Timestamp,
    /// The account's id.
    pub account: String,
    /// The account's settings.
    pub settings: BTreeMap<String, String>,
    /// What is asked of the resource.
    pub command: Command,
    /// The member that the command names.
    pub member: MemberIndex,
    /// What is decided on.
    pub bundle: Bundle,
    /// Paid periods of its members, oldest first; empty for commands that end or change none.
    pub orders: Vec<Order>,
}

/// The same, borrowed: what is kept of a question.
#[derive(Clone, Copy, Debug)]
pub struct DecisionInput<'a> {
    /// When it is asked.
    pub at: Timestamp,
    /// The account's id.
    pub account: &'a str,
    /// The account's settings.
    pub settings: &'a BTreeMap<String, String>,
    /// What is asked of the resource.
    pub command: &'a Command,
    /// The member that the command names.
    pub member: MemberIndex,
    /// What is decided on.
    pub bundle: &'a Bundle,
    /// Paid periods of its members, oldest first; empty for commands that end or change none.
    pub orders: &'a [Order],
}

impl DecisionRequest {
    /// The question, to be kept.
    pub fn as_input(&self) -> DecisionInput<'_> {
        DecisionInput {
            at: self.at,
            account: &self.account,
            settings: &self.settings,
            command: &self.command,
            member: self.member,
            bundle: &self.bundle,
            orders: &self.orders,
        }
    }
}

/// A command as it is kept: equal text for equal commands.
pub fn command(command: &Command) -> JsonValue<'_> {
    command::value(command)
}

/// Reads back what [`command()`] gives, as JSON.
///
/// # Errors
///
/// Every problem of the text, each with its path.
pub fn read_command(text: &str) -> Result<Command, Problems> {
    let problems = Diagnostics::default();
    let root = json_tree::parse(text, &problems)?;
    let command =
        command::read(JsonCursor { node: &root, path: Path::Root, diagnostics: &problems }, Writer::Host);
    problems.finish(command)
}

/// The question as it is kept.
pub fn question<'a>(input: &DecisionInput<'a>) -> JsonValue<'a> {
    json_value::object([
        ("at", input.at.into()),
        ("account", input.account.into()),
        ("settings", input.settings.into()),
        ("command", command::value(input.command)),
        ("member", input.member.get().into()),
        ("bundle", input.bundle.members.iter().map(resource::stored_value).collect()),
        ("orders", input.orders.iter().map(order).collect()),
    ])
}

/// What a plugin was asked about a bundle's future, in the words of [`question`]: everything after `after`.
pub fn timeline_request<'a>(
    after: Timestamp,
    account: &'a str,
    settings: &'a BTreeMap<String, String>,
    bundle: &'a Bundle,
) -> JsonValue<'a> {
    json_value::object([
        ("after", after.into()),
        ("account", account.into()),
        ("settings", settings.into()),
        ("bundle", bundle.members.iter().map(resource::stored_value).collect()),
    ])
}

fn order(order: &Order) -> JsonValue<'_> {
    json_value::object([
        ("id", (&order.id).into()),
        ("member", order.member.get().into()),
        ("starts_at", order.starts_at.into()),
        ("ends_at", order.ends_at.into()),
        ("paid", order.paid.into()),
        ("paid_at", order.paid_at.into()),
        ("kind", order.kind.name().into()),
        ("reduces", order.reduces.as_ref().map(period).into()),
    ])
}

fn period(period: &PaidPeriod) -> JsonValue<'_> {
    json_value::object([("order", (&period.order).into()), ("starts_at", period.starts_at.into())])
}

/// Reads back what [`question`] gives, as JSON, from a decision that was kept under `contract`.
///
/// # Errors
///
/// Every problem of the text, each with its path, or that the contract is unknown.
pub fn read_request(text: &str, contract: &str) -> Result<DecisionRequest, Problems> {
    let problems = Diagnostics::default();
    let mut root = json_tree::parse(text, &problems)?;
    let is_known = contract::rename(&mut root, contract, &contract::QUESTION);
    let root = JsonCursor { node: &root, path: Path::Root, diagnostics: &problems };
    let question = if is_known { read_root(root) } else { unknown_contract(root, contract) };
    problems.finish(question)
}

fn unknown_contract<T>(root: JsonCursor<'_, '_>, contract: &str) -> Option<T> {
    root.report(format!(
        "it was kept under contract {}, which this host does not know",
        wording::quote(contract)
    ));
    None
}

fn read_root(root: JsonCursor<'_, '_>) -> Option<DecisionRequest> {
    let fields = root.object(&["at", "account", "settings", "command", "member", "bundle", "orders"])?;
    let question = DecisionRequest {
        at: fields.required("at", |cursor| cursor.instant())?,
        account: fields.required("account", |cursor| cursor.text())?.to_owned(),
        settings: fields.required("settings", |cursor| cursor.texts())?,
        command: fields.required("command", |cursor| command::read(cursor, Writer::Host))?,
        member: fields.required("member", |cursor| cursor.member())?,
        bundle: fields.required("bundle", |cursor| read_bundle(cursor))?,
        orders: fields.required("orders", |cursor| cursor.list(|_, order| read_order(order)))?,
    };
    let members = question.bundle.members.len();
    if question.bundle.get(question.member).is_none() {
        fields.report("member", format!("member {} of {members} is not there", question.member));
    }
    Some(question)
}

fn read_bundle(cursor: JsonCursor<'_, '_>) -> Option<Bundle> {
    let members = cursor.list(|_, member| resource::read_stored(&member.object(resource::STORED_FIELDS)?))?;
    if members.is_empty() {
        cursor.report("a bundle has at least one member; this one has none");
        return None;
    }
    Some(Bundle { members })
}

fn read_order(cursor: JsonCursor<'_, '_>) -> Option<Order> {
    let fields = cursor.object(&[
        "id",
        "member",
        "starts_at",
        "ends_at",
        "paid",
        "paid_at",
        "is_renewal",
        "kind",
        "reduces",
    ])?;
    Some(Order {
        id: fields.required("id", |cursor| cursor.text())?.to_owned(),
        member: fields.required("member", |cursor| cursor.member())?,
        kind: read_order_kind(&fields)?,
        starts_at: fields.required("starts_at", |cursor| cursor.instant())?,
        ends_at: fields.required("ends_at", |cursor| cursor.instant())?,
        paid: fields.required("paid", |cursor| cursor.stored_amount())?,
        paid_at: fields.required("paid_at", |cursor| cursor.instant())?,
        reduces: fields.optional("reduces", read_period).option()?,
        // No rule reads it.
        undo: Undo::default(),
    })
}

/// Decisions that were kept before there were changes of specification say whether the order was a renewal.
fn read_order_kind(fields: &Fields<'_, '_>) -> Option<OrderKind> {
    match fields.get("is_renewal") {
        Some(is_renewal) => Some(if is_renewal.flag()? { OrderKind::Renewal } else { OrderKind::Purchase }),
        None => fields.required("kind", |cursor| cursor.one_of(&OrderKind::ALL, OrderKind::name)),
    }
}

fn read_period(cursor: JsonCursor<'_, '_>) -> Option<PaidPeriod> {
    let fields = cursor.object(&["order", "starts_at"])?;
    Some(PaidPeriod {
        order: fields.required("order", |cursor| cursor.text())?.to_owned(),
        starts_at: fields.required("starts_at", |cursor| cursor.instant())?,
    })
}
