//! Events: one JSON object per line, as outside programs read them and as the store keeps them.
//!
//! Knows what each event is called and which fields it has, in their order; not when events happen or who looks.

mod read;

#[cfg(test)]
mod tests;

use std::io;

use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::micros::Micros;
use perennial_domain::order::OrderKind;
use serde::Serializer;

use super::json_value;
use super::json_value::JsonValue;

pub use read::read;
pub use read::read_body;

/// An event's fields beside `at`, `account`, `resource` and `type`, in their order.
type Fields<'a> = Vec<(&'a str, JsonValue<'a>)>;

/// The event as one line of JSON, without the line's end.
///
/// `account` is `None` for what happens to the host itself.
pub fn line(account: Option<&str>, event: &Event) -> String {
    let mut line = Vec::new();
    write_object(&mut line, account, event).expect("a list of bytes takes any text");
    String::from_utf8(line).expect("JSON is text")
}

/// Writes the event as one line of JSON, with the line's end.
///
/// # Errors
///
/// Whatever `out` fails with.
pub fn write_line(out: &mut impl io::Write, account: Option<&str>, event: &Event) -> io::Result<()> {
    write_object(out, account, event)?;
    out.write_all(b"\n")
}

fn write_object(out: &mut impl io::Write, account: Option<&str>, event: &Event) -> io::Result<()> {
    let (name, fields) = parts(&event.what);
    let about = [
        ("at", event.at.into()),
        ("account", account.into()),
        ("resource", event.resource.as_deref().into()),
        ("type", name.into()),
    ];
    let mut serializer = serde_json::Serializer::new(out);
    serializer.collect_map(about.into_iter().chain(fields)).map_err(io::Error::from)
}

/// What the event is called, and an object of the fields beside `at`, `account`, `resource` and `type`.
pub fn body(event: &Event) -> (&'static str, JsonValue<'_>) {
    let (name, fields) = parts(&event.what);
    (name, JsonValue::Object(fields))
}

/// The names of all types of event.
pub const TYPES: [&str; EventKind::TYPES.len()] = EventKind::TYPES;

/// The name of an event's type in every format.
pub fn name(what: &EventKind) -> &'static str {
    what.name()
}

fn parts(what: &EventKind) -> (&'static str, Fields<'_>) {
    let fields = match what {
        EventKind::StageChanged { from, to } => {
            vec![("from", from.name().into()), ("to", to.name().into())]
        }
        EventKind::RenewalSettled {
            cost,
            expires_before,
            expires_at,
            term,
            extra_days,
            cause,
            primary,
            attempt,
        } => vec![
            ("cost", cost.into()),
            ("expires_before", expires_before.into()),
            ("expires_at", expires_at.into()),
            ("term", (*term).into()),
            ("cause", cause.name().into()),
            ("primary", primary.as_deref().into()),
            ("attempt", attempt.into()),
            ("extra_days", (*extra_days).into()),
        ],
        EventKind::RenewalDeclined { code, message, class, next_try_at } => vec![
            ("code", code.into()),
            ("message", message.into()),
            ("class", class.name().into()),
            ("next_try_at", (*next_try_at).into()),
        ],
        EventKind::RenewalInDoubt { attempt, code } => {
            vec![("attempt", attempt.into()), ("code", code.into())]
        }
        EventKind::ApprovalRequested {
            approval,
            command,
            cause,
            requested_by,
            cost,
            expires_at,
            attempt,
        } => {
            vec![
                ("approval", approval.into()),
                ("command", command.into()),
                ("cause", cause.name().into()),
                ("requested_by", requested_by.as_deref().into()),
                ("cost", cost.into()),
                ("expires_at", expires_at.into()),
                ("attempt", attempt.as_deref().into()),
            ]
        }
        EventKind::ApprovalDecided { approval, decision, decided_by, reason, will_retry } => vec![
            ("approval", approval.into()),
            ("decision", decision.name().into()),
            ("decided_by", decided_by.into()),
            ("reason", reason.as_deref().into()),
            ("will_retry", (*will_retry).into()),
        ],
        EventKind::ApprovalExpired { approval, reason, will_retry } => vec![
            ("approval", approval.into()),
            ("reason", reason.name().into()),
            ("will_retry", (*will_retry).into()),
        ],
        EventKind::CommandRefused { command, code, message } => {
            vec![("command", command.into()), ("code", code.into()), ("message", message.into())]
        }
        EventKind::SettingChanged { setting, value } => {
            vec![("setting", setting.into()), ("value", value.as_deref().into())]
        }
        EventKind::Unsubscribed { scope, expires_at, refund, original_order, refunds } => vec![
            ("refund", refund.into()),
            ("original_order", original_order.as_deref().into()),
            ("scope", scope.name().into()),
            ("expires_at", (*expires_at).into()),
            ("refunds", refunds.iter().map(refunded).collect()),
        ],
        EventKind::Converted => vec![],
        EventKind::OrderCreated { order, kind, cost, pay_until } => {
            let mut fields = order_fields(order, *kind, cost);
            fields.push(("pay_until", (*pay_until).into()));
            fields
        }
        EventKind::OrderPaid { order, kind, cost, refunds } => {
            let mut fields = order_fields(order, *kind, cost);
            fields.push(("refunds", refunds.iter().map(refunded).collect()));
            fields
        }
        EventKind::OrderCancelled { order, kind, cost } | EventKind::OrderExpired { order, kind, cost } => {
            order_fields(order, *kind, cost)
        }
        EventKind::BalanceChanged { amount, balance, reason } => {
            vec![("amount", amount.into()), ("balance", balance.into()), ("reason", reason.name().into())]
        }
        EventKind::PackageOrdered { pay_at, effective_at } => {
            vec![("pay_at", pay_at.into()), ("effective_at", effective_at.into())]
        }
        EventKind::PackageBought { effective_at, expires_at, quota, cost, like } => vec![
            ("effective_at", effective_at.into()),
            ("expires_at", expires_at.into()),
            ("quota", quota.into()),
            ("cost", cost.into()),
            ("like", like.into()),
        ],
        EventKind::PackageUsed { amount, left } => {
            vec![("amount", amount.into()), ("left", left.into())]
        }
        EventKind::PackageRefilled { left }
        | EventKind::PackageLow { left }
        | EventKind::PackageDepleted { left } => vec![("left", left.into())],
        EventKind::UsageUncovered { amount, resource_type } => {
            vec![("amount", amount.into()), ("resource_type", resource_type.into())]
        }
        EventKind::Notice { notice } => vec![("notice", notice.into())],
        EventKind::PluginFailed { message, next_try_at } => {
            vec![("message", message.into()), ("next_try_at", next_try_at.into())]
        }
        EventKind::HostResumed { down_since } => vec![("down_since", down_since.into())],
    };
    (what.name(), fields)
}

fn order_fields<'a>(order: &'a str, kind: OrderKind, cost: &'a Micros) -> Fields<'a> {
    vec![("order", order.into()), ("kind", kind.name().into()), ("cost", cost.into())]
}

fn refunded((order, amount): &(String, Micros)) -> JsonValue<'_> {
    json_value::object([("order", order.as_str().into()), ("amount", amount.into())])
}
