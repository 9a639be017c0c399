//! What the policies in the editor would rule on a resource, and what they would do differently over the months to come.

use maud::Markup;
use maud::html;
use serde_json::Value;

use crate::console::frame::Frame;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::texts as t;

/// What each policy rules on the renewal of a resource, and what that comes to. Rulings are in the words of scripts.
pub(super) fn rulings(frame: &Frame, trial: &Value) -> Markup {
    let rows = items(trial, "policies").iter().map(|policy| {
        vec![
            html! { code { (plain(policy, "name")) } },
            parts::badge(frame, plain(policy, "mode")),
            html! {
                @if policy["ruling"].is_string() { (plain(policy, "ruling")) } @else { (frame.say(t::NOT_ASKED)) }
                @if policy["failure"].is_string() { " " span.bad { (plain(policy, "failure")) } }
            },
            html! { @for note in items(policy, "notes") { p { (parts::text(note)) } } },
        ]
    });
    let columns =
        [Column::Words(t::POLICY), Column::Words(t::MODE), Column::Words(t::RULING), Column::Words(t::NOTES)];
    let refusal = &trial["refusal"];
    html! {
        section.titled id="trial" aria-labelledby="trial-title" {
            h3 id="trial-title" {
                (frame.say(t::RENEWAL_NOW)) " " (parts::resource(&trial["resource"])) " "
                (parts::amount(&trial["cost"], &trial["currency"]))
            }
            @if refusal.is_object() {
                p.problem { (frame.say(t::PROVIDER_REFUSES)) " " (plain(refusal, "message")) " (" code { (plain(refusal, "code")) } ")" }
            } @else {
                p.done role="status" { (frame.say(t::TOGETHER)) " " (parts::text(&trial["together"])) }
                (parts::table(frame, frame.say(t::RULINGS), &columns, rows.collect()))
            }
        }
    }
}

/// What is not the same with the policies in the editor as with those that hold.
pub(super) fn comparison(frame: &Frame, comparison: &Value) -> Markup {
    let rows = items(comparison, "items").iter().map(|item| {
        let figure = |name: &str| match plain(item, "what") {
            "paid" => parts::amount(&item[name], &item["currency"]),
            "lapsed" => frame.time(&item[name], None),
            _ => parts::text(&item[name]),
        };
        vec![
            html! { (frame.word(plain(item, "what"))) },
            parts::account(&item["account"]),
            html! {
                @if item["resource"].is_string() { (parts::resource(&item["resource"])) }
                @else { (parts::text(&item["month"])) }
            },
            figure("held"),
            figure("compared"),
        ]
    });
    let columns = [
        Column::Words(t::WHAT),
        Column::Words(t::ACCOUNT),
        Column::Words(t::MONTH_OR_RESOURCE),
        Column::Figures(t::AS_IT_IS),
        Column::Figures(t::WITH_THE_EDITOR),
    ];
    let months = comparison["months"].to_string();
    html! {
        section.titled id="comparison" aria-labelledby="comparison-title" {
            h3 id="comparison-title" { (frame.fill(t::COMPARED_MONTHS, &[&months])) }
            p.note { (frame.say(t::COMPARED_LEAD)) }
            @if items(comparison, "items").is_empty() {
                p.done role="status" { (frame.say(t::COMPARED_SAME)) }
            } @else {
                (parts::table(frame, frame.say(t::DIFFERENCES), &columns, rows.collect()))
            }
        }
    }
}
