//! The events of a simulation: every field of every type is as FORMATS.md says.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sample::folder;
use crate::sample::simulate;

/// What the fields of an event's type may be.
#[derive(Clone, Copy, Debug)]
enum Is {
    Text,
    Instant,
    Amount,
    Count,
    Term,
    TextOrNull,
    InstantOrNull,
    OneOf(&'static [&'static str]),
}

const STAGES: &[&str] = &["active", "grace", "retention", "released", "unsubscribed", "converted"];

const ORDER_KINDS: Is = Is::OneOf(&["renewal", "purchase", "upgrade", "downgrade"]);

/// The table of "Events" in the description of the formats.
fn fields_of(kind: &str) -> Option<&'static [(&'static str, Is)]> {
    let fields: &[(&str, Is)] = match kind {
        "stage_changed" => &[("from", Is::OneOf(STAGES)), ("to", Is::OneOf(STAGES))],
        "renewal_settled" => &[
            ("cost", Is::Amount),
            ("expires_before", Is::Instant),
            ("expires_at", Is::Instant),
            ("term", Is::Term),
            ("cause", Is::OneOf(&["auto", "command"])),
            ("primary", Is::TextOrNull),
            ("attempt", Is::Text),
        ],
        "renewal_declined" => &[
            ("code", Is::Text),
            ("message", Is::Text),
            ("class", Is::OneOf(&["money", "rule", "throttled", "provider"])),
            ("next_try_at", Is::InstantOrNull),
        ],
        "renewal_in_doubt" => &[("attempt", Is::Text), ("code", Is::Text)],
        "sending_late" => &[("deadline", Is::Instant), ("renewals", Is::Count), ("safe_start", Is::Instant)],
        "command_in_doubt" => &[("command", Is::Text), ("code", Is::Text)],
        "command_refused" => &[("command", Is::Text), ("code", Is::Text), ("message", Is::Text)],
        "setting_changed" => &[("setting", Is::Text), ("value", Is::TextOrNull)],
        "unsubscribed" => &[("refund", Is::Amount), ("original_order", Is::TextOrNull)],
        "converted" => &[],
        "order_created" => &[
            ("order", Is::Text),
            ("kind", ORDER_KINDS),
            ("cost", Is::Amount),
            ("pay_until", Is::InstantOrNull),
        ],
        "order_paid" | "order_cancelled" | "order_expired" => {
            &[("order", Is::Text), ("kind", ORDER_KINDS), ("cost", Is::Amount)]
        }
        "balance_changed" => &[("amount", Is::Amount), ("balance", Is::Amount), ("reason", Is::Text)],
        "package_bought" => {
            &[("effective_at", Is::Instant), ("expires_at", Is::Instant), ("quota", Is::Amount)]
        }
        "package_used" => &[("amount", Is::Amount), ("left", Is::Amount)],
        "package_low" | "package_depleted" => &[("left", Is::Amount)],
        "usage_uncovered" => &[("amount", Is::Amount), ("resource_type", Is::Text)],
        "host_resumed" => &[("down_since", Is::Instant)],
        _ => return None,
    };
    Some(fields)
}

fn is(value: &Value, what: Is) -> bool {
    let instant = |text: &str| text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
    let amount = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        digits.split_once('.').is_some_and(|(units, rest)| {
            !units.is_empty()
                && rest.len() >= 2
                && digits.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit())
        })
    };
    match (what, value) {
        (Is::TextOrNull | Is::InstantOrNull, Value::Null) => true,
        (Is::Text | Is::TextOrNull, Value::String(_)) => true,
        (Is::Instant | Is::InstantOrNull, Value::String(text)) => instant(text),
        (Is::Amount, Value::String(text)) => amount(text),
        (Is::Count, Value::Number(number)) => number.is_u64(),
        (Is::OneOf(words), Value::String(text)) => words.contains(&text.as_str()),
        (Is::Term, Value::Object(term)) => {
            term.len() == 2
                && term["count"].as_u64().is_some_and(|count| count > 0)
                && ["day", "month", "year"].map(Some).contains(&term["unit"].as_str())
        }
        _ => false,
    }
}

#[test]
fn simulate_writes_events_exactly_as_the_formats_say_in_their_order() {
    let folder = folder();
    let written = folder.run(&simulate(&["--format", "jsonl"])).succeeded().stdout();
    let mut seen = BTreeMap::<String, u32>::new();
    let mut last = None;
    for line in written.lines() {
        let event = serde_json::from_str::<Value>(line).unwrap();
        let kind = event["type"].as_str().unwrap().to_owned();
        assert!(is(&event["at"], Is::Instant) && is(&event["account"], Is::TextOrNull), "{line}");
        assert!(event.get("resource").is_some_and(|resource| is(resource, Is::TextOrNull)), "{line}");
        for (name, what) in fields_of(&kind).unwrap_or_default() {
            assert!(
                event.get(name).is_some_and(|value| is(value, *what)),
                "`{name}` is not {what:?} in {line}"
            );
        }
        let place =
            ["at", "account", "resource"].map(|name| event[name].as_str().unwrap_or_default().to_owned());
        assert!(last.as_ref().is_none_or(|last| *last <= place), "out of order: {line}");
        last = Some(place);
        *seen.entry(kind).or_default() += 1;
    }
    for kind in [
        "stage_changed",
        "renewal_settled",
        "renewal_declined",
        "command_refused",
        "setting_changed",
        "unsubscribed",
        "converted",
        "balance_changed",
        "package_bought",
        "package_used",
        "package_low",
        "package_depleted",
        "usage_uncovered",
        "host_resumed",
    ] {
        assert!(seen.contains_key(kind), "the scenario was to make one `{kind}`; there are {seen:?}");
    }
}
