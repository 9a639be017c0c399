//! The calls to its provider that changed, or are to change, a resource of an account that a cloud keeps. Part of its page.

use maud::Markup;
use maud::html;
use serde_json::Value;

use crate::console::frame::Frame;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::plain;
use crate::console::texts as t;

/// The newest calls that are shown; the command line has all of them.
const ROWS_MAX: usize = 20;

/// The section, the newest call first; nothing where nothing was ever sent.
pub(super) fn section(frame: &Frame, resource: &Value, calls: &[Value]) -> Markup {
    if calls.is_empty() {
        return Markup::default();
    }
    html! {
        section.titled id="calls" data-live="calls" aria-labelledby="calls-title" {
            h2 id="calls-title" { (frame.say(t::CALLS)) }
            (table(frame, resource, calls))
        }
    }
}

fn table(frame: &Frame, resource: &Value, calls: &[Value]) -> Markup {
    let provider = resource["provider"].as_str();
    let rows = calls.iter().rev().take(ROWS_MAX).map(|call| {
        let said = &call["said"];
        vec![
            parts::text(&call["id"]),
            html! { (frame.word(plain(call, "change"))) },
            parts::badge(frame, plain(call, "state")),
            frame.time(&call["since"], provider),
            parts::amount(&call["cost"], &resource["currency"]),
            html! { (parts::text(&said["code"])) @if said["message"].is_string() { " " (plain(said, "message")) } },
            frame.time(&call["act_at"], provider),
        ]
    });
    let columns = [
        Column::Words(t::CALL),
        Column::Words(t::CALLED_FOR),
        Column::Words(t::STATE),
        Column::Words(t::SINCE),
        Column::Figures(t::COST),
        Column::Words(t::PROVIDER_SAID),
        Column::Words(t::NEXT_STEP),
    ];
    parts::table(frame, frame.say(t::CALLS), &columns, rows.collect())
}
