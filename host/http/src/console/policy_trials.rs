//! What the policies in the editor would rule on a resource, and what they would do differently over the months to come.

use maud::Markup;
use maud::html;
use perennial_formats::language::Language;
use serde_json::Value;

use crate::console::frame::Frame;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::templates;
use crate::console::texts as t;
use crate::console::texts::policies as of_policies;

/// Rulings, and what they come to, as the API says them, with their Chinese. The longer of those that begin alike come first.
const SAID: [(&str, &str); 17] = [
    ("approve", "批准"),
    ("deny: {}", "拒绝：{}"),
    ("require approval by `{}` until {}: {}", "要求 `{}` 审批，截止 {}：{}"),
    ("require approval by `{}`: {}", "要求 `{}` 审批：{}"),
    ("require approval until {}: {}", "要求审批，截止 {}：{}"),
    ("require approval: {}", "要求审批：{}"),
    ("defer to {}Z: {}", "推迟到 {}Z：{}"),
    ("amend to {}: {}", "修改为 {}：{}"),
    ("failed: {}", "出错：{}"),
    ("amended; the new plan is made and all are asked again", "已修改；将制定新计划并重新询问全部策略"),
    ("approved", "已批准"),
    ("denied by `{}`", "被 `{}` 拒绝"),
    ("deferred to {} by `{}`", "推迟到 {}（`{}`）"),
    (
        "waits for the approvals of {}, until {}, then deferred to {} by `{}`",
        "等待 {} 的审批，截止 {}，然后推迟到 {}（`{}`）",
    ),
    ("waits for the approvals of {}, then deferred to {} by `{}`", "等待 {} 的审批，然后推迟到 {}（`{}`）"),
    ("waits for the approvals of {}, until {}", "等待 {} 的审批，截止 {}"),
    ("waits for the approvals of {}", "等待 {} 的审批"),
];

/// A ruling in the reader's language; what a script says in it stays as it is.
fn said(frame: &Frame, english: &str) -> String {
    let chinese = match frame.language {
        Language::English => None,
        Language::Chinese => templates::chinese(&SAID, english),
    };
    chinese.unwrap_or_else(|| english.to_owned())
}

/// What each policy rules on the renewal of a resource, and what that comes to.
pub(super) fn rulings(frame: &Frame, trial: &Value) -> Markup {
    let rows = items(trial, "policies").iter().map(|policy| {
        vec![
            html! { code { (plain(policy, "name")) } },
            parts::badge(frame, plain(policy, "mode")),
            html! {
                @if policy["ruling"].is_string() { (parts::quoting(&said(frame, plain(policy, "ruling")))) } @else { (frame.say(t::NOT_ASKED)) }
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
                p.done role="status" { (frame.say(t::TOGETHER)) " " (parts::quoting(&said(frame, plain(trial, "together")))) }
                (parts::table(frame, frame.say(t::RULINGS), &columns, rows.collect()))
            }
        }
    }
}

/// What is not the same with the policies in the editor as with those that hold; shadows were compared as if they were active.
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
            figure("current"),
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
            @if !items(comparison, "shadows_played").is_empty() { p.note { (frame.say(of_policies::COMPARED_SHADOW)) } }
            @if items(comparison, "items").is_empty() {
                p.done role="status" { (frame.say(t::COMPARED_SAME)) }
            } @else {
                (parts::table(frame, frame.say(t::DIFFERENCES), &columns, rows.collect()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use perennial_domain::policy::Ruling;
    use perennial_formats::policy::ruling_text;

    use super::*;

    #[test]
    fn every_ruling_has_its_chinese() {
        let at = "2026-02-01T00:00:00Z".parse().unwrap();
        let reason = || "so: it is".to_owned();
        let required = |by: Option<&str>, expires_at| Ruling::RequireApproval {
            reason: reason(),
            by: by.map(str::to_owned),
            expires_at,
        };
        let said = [
            (Ruling::Approve, "批准"),
            (Ruling::Deny { reason: reason() }, "拒绝：so: it is"),
            (required(None, None), "要求审批：so: it is"),
            (required(Some("finance"), None), "要求 `finance` 审批：so: it is"),
            (Ruling::Defer { until: at, reason: reason() }, "推迟到 2026-02-01T00:00:00Z：so: it is"),
        ];
        for (ruling, chinese) in said {
            assert_eq!(templates::chinese(&SAID, &ruling_text(&ruling)).as_deref(), Some(chinese));
        }
    }
}
