//! Events as rows: what happened, to what, and its fields in words. Knows no page.

use maud::Markup;
use maud::html;
use perennial_formats::dates;
use serde_json::Value;

use crate::console::frame::Frame;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::plain;
use crate::console::texts as t;
use crate::console::words;

/// The fields that have columns of their own, or say nothing to people.
const COLUMNS: [&str; 5] = ["id", "at", "account", "resource", "type"];

/// Whether an event is bad news.
pub(super) fn is_trouble(event: &Value) -> bool {
    let bad = [
        "renewal_declined",
        "renewal_in_doubt",
        "command_in_doubt",
        "connection_failed",
        "sending_late",
        "approval_requested",
        "approval_expired",
        "command_refused",
        "plugin_failed",
        "bundle_parked",
        "breaker_opened",
        "package_depleted",
        "usage_uncovered",
        "order_expired",
        "host_resumed",
    ];
    let kind = plain(event, "type");
    bad.contains(&kind)
        // What a policy beside the others ruled changes nothing.
        || kind == "policy_ruled" && event["shadow"] != true && plain(event, "ruling") != "amended"
        || kind == "stage_changed" && ["grace", "retention", "released"].contains(&plain(event, "to"))
}

/// A table of events, in the order that they are given.
pub(super) fn table<'a>(frame: &Frame, caption: &str, events: impl Iterator<Item = &'a Value>) -> Markup {
    let rows = events.map(|event| {
        vec![
            frame.time(&event["at"], None),
            html! { span class=[is_trouble(event).then_some("bad")] { (frame.word(plain(event, "type"))) } },
            parts::resource(&event["resource"]),
            parts::account(&event["account"]),
            details(frame, event),
        ]
    });
    let columns = [
        Column::Words(t::WHEN),
        Column::Words(t::WHAT),
        Column::Words(t::RESOURCE),
        Column::Words(t::ACCOUNT),
        Column::Words(t::DETAILS),
    ];
    parts::table(frame, caption, &columns, rows.collect())
}

/// The fields of an event in a line.
fn details(frame: &Frame, event: &Value) -> Markup {
    let fields = event.as_object().into_iter().flatten();
    let says_something = |value: &Value| {
        !value.is_null() && *value != 0 && value.as_array().is_none_or(|list| !list.is_empty())
    };
    let fields = fields.filter(|(name, value)| !COLUMNS.contains(&name.as_str()) && says_something(value));
    html! {
        span.fields {
            @for (name, value) in fields {
                span { i { (frame.word(name)) } " " (field(frame, name, value)) } " "
            }
        }
    }
}

/// The value of a field: words of the API's are translated, what people wrote stays as it is.
fn field(frame: &Frame, name: &str, value: &Value) -> Markup {
    match value {
        Value::String(_)
            if name.ends_with("_at") || ["until", "down_since", "expires_before"].contains(&name) =>
        {
            frame.time(value, None)
        }
        Value::String(text) if ["approval"].contains(&name) => {
            parts::link("/approvals/{}", &Value::from(text.as_str()))
        }
        Value::String(text) if ["amount", "balance", "cost", "left", "quota", "refund"].contains(&name) => {
            html! { (parts::micros(value).map_or_else(|| text.clone(), dates::amount)) }
        }
        Value::String(text)
            if [
                "from", "to", "class", "cause", "decision", "ruling", "command", "setting", "scope", "kind",
                "mode", "reason",
            ]
            .contains(&name) =>
        {
            // What people wrote as a reason is no word of the API.
            html! { (words::find(text).map_or(text.as_str(), |word| frame.say(word))) }
        }
        Value::Bool(is_so) => html! { (frame.say(if *is_so { t::YES } else { t::NO })) },
        Value::Object(_) if !frame.term(value).starts_with('–') => html! { (frame.term(value)) },
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            parts::text(value)
        }
    }
}
