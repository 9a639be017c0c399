//! A plan as people look at it before it is carried out: what it does to which resource, and what it costs.

use maud::Markup;
use maud::html;
use serde_json::Value;

use crate::console::frame::Frame;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::texts as t;

/// A plan of the API's; `provider` is whose days it counts in.
pub(super) fn show(frame: &Frame, plan: &Value, provider: Option<&str>) -> Markup {
    let currency = &plan["currency"];
    let rows = items(plan, "steps").iter().map(|step| {
        vec![
            parts::resource(&step["resource"]),
            html! {
                (frame.word(plain(step, "operation")))
                @for (name, value) in step["details"].as_object().into_iter().flatten() {
                    @if name != "effective_at" && name != "pay_at" {
                        " " small { (frame.word(name)) " " (parts::text(value)) }
                    }
                }
            },
            frame.time(&step["expires_before"], provider),
            frame.time(&step["expires_at"], provider),
            parts::amount(&step["cost"], currency),
        ]
    });
    let columns = [
        Column::Words(t::RESOURCE),
        Column::Words(t::OPERATION),
        Column::Words(t::EXPIRES_NOW),
        Column::Words(t::EXPIRES_THEN),
        Column::Figures(t::COST),
    ];
    let refusal = &plan["refusal"];
    html! {
        @if refusal.is_object() {
            div.problem role="alert" {
                p { (frame.say(t::PROVIDER_REFUSES)) " " code { (plain(refusal, "code")) } " " (parts::quoting(plain(refusal, "message"))) }
            }
        } @else {
            (parts::table(frame, frame.say(t::STEPS), &columns, rows.collect()))
            (parts::facts(&[
                (frame.say(t::COST), parts::amount(&plan["cost"], currency)),
                (frame.say(t::REFUND), parts::amount(&plan["refund"], currency)),
                (frame.say(t::BALANCE_BEFORE), parts::amount(&plan["balance_before"], currency)),
                (frame.say(t::BALANCE_AFTER), parts::amount(&plan["balance_after"], currency)),
            ]))
            @if plain(plan, "balance_after").starts_with('-') {
                p.problem { (frame.say(t::TOO_LITTLE_MONEY)) }
            }
            (skipped(frame, plan))
            (required(frame, plan))
        }
    }
}

fn skipped(frame: &Frame, plan: &Value) -> Markup {
    html! {
        @for skipped in items(plan, "skipped") {
            p.note {
                (frame.say(t::LEFT_OUT)) " " (parts::resource(&skipped["resource"])) ": "
                (parts::quoting(plain(skipped, "reason")))
            }
        }
    }
}

/// The approvals that a plan takes.
pub(super) fn required(frame: &Frame, plan: &Value) -> Markup {
    html! {
        @for required in items(plan, "required") {
            p.note {
                (frame.fill(t::NEEDS_APPROVAL, &[plain(required, "policy")]))
                @if let Some(by) = required["by"].as_str() { " (" (by) ")" }
                @if !plain(required, "reason").is_empty() { ": " (plain(required, "reason")) }
                @if let Some(by) = required["given_by"].as_str() { " · " (frame.say(t::GIVEN_BY)) " " (by) }
            }
        }
    }
}
