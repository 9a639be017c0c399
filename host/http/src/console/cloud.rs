//! What a connected account is beside its money: who drives it, whether its key is in order, what is unclear about calls to
//! its cloud, and where the cloud and this host differed. A part of the account's page.

use axum::extract::Path;
use axum::http::Method;
use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_service::admin_tokens::Role;
use serde_json::Value;
use serde_json::json;

use crate::console::address;
use crate::console::address::Address;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::texts as t;
use crate::console::visit::LIST_MAX;
use crate::console::visit::Visit;

/// The most differences and calls that are shown.
const ROWS_MAX: usize = 25;
/// The states of calls that are not at an end, those that a person has to look at first.
const UNDER_WAY: [&str; 5] = ["in_doubt", "with_person", "reserved", "calling", "submitted"];

/// The part of the page of a connected account; nothing for a managed one.
pub(super) async fn part(visit: &Visit, account: &Value) -> Result<Markup, Failure> {
    let id = plain(account, "id");
    if plain(account, "mode") != "connected" {
        return Ok(html! {});
    }
    let connection = visit.try_get(&address::to("/v1/connections/{}", &[id])).await?;
    let Some(connection) = connection else { return Ok(html! {}) };
    let mut unclear = Vec::new();
    for state in UNDER_WAY {
        let calls = Address::new("/v1/calls", &[]).with("account", Some(id)).with("state", Some(state));
        unclear.extend(visit.list(&calls, 1).await?.0);
    }
    let drift = visit.get(&format!("/v1/drift?limit={LIST_MAX}")).await?;
    let drift = items(&drift, "items").iter().filter(|drift| plain(drift, "account") == id);
    let frame = &visit.frame;
    Ok(html! {
        section id="cloud" data-live="cloud" aria-labelledby="cloud-title" {
            h2 id="cloud-title" { (frame.say(t::AT_THE_PROVIDER)) }
            (health(frame, &connection))
            (facts(frame, account, &connection))
            (reads(frame, &connection))
        }
        section.titled id="calls" data-live="calls" aria-labelledby="calls-title" {
            h2 id="calls-title" { (frame.say(t::CALLS_IN_DOUBT)) }
            (call_table(frame, account, &unclear))
        }
        section.titled id="drift" data-live="drift" aria-labelledby="drift-title" {
            h2 id="drift-title" { (frame.say(t::DRIFT)) }
            (drift_table(frame, account, drift.take(ROWS_MAX)))
        }
    })
}

/// What keeps the account from being read or renewed, in a line each.
fn health(frame: &Frame, connection: &Value) -> Markup {
    let (sync, summary) = (&connection["sync"], &connection["summary"]);
    let unprotected = summary["unprotected"].as_u64().unwrap_or_default();
    let orphans = summary["orphans"].as_u64().unwrap_or_default();
    html! {
        @if let Some(problem) = sync["problem"].as_str() {
            p.problem { (frame.say(t::READING_FAILED)) " " (frame.time(&sync["changed_at"], None)) ": " span lang="en" { (problem) } }
        }
        @if sync.is_null() { p.note { (frame.say(t::NEVER_READ)) } }
        @for (name, text) in [("paused_at", t::PAUSED_SINCE), ("all_paused_at", t::ALL_PAUSED_SINCE)] {
            @if connection[name].is_string() { p.problem { (frame.say(text)) " " (frame.time(&connection[name], None)) } }
        }
        @if unprotected > 0 { p.problem { (frame.fill(t::UNPROTECTED_THERE, &[&unprotected.to_string()])) } }
        @if orphans > 0 { p.problem { (frame.fill(t::ORPHANS_THERE, &[&orphans.to_string()])) } }
    }
}

fn facts(frame: &Frame, account: &Value, connection: &Value) -> Markup {
    let (sync, summary) = (&connection["sync"], &connection["summary"]);
    let since = if connection["rotated_at"].is_null() { "created_at" } else { "rotated_at" };
    parts::facts(&[
        (frame.say(t::DRIVER), html! { (frame.word(plain(connection, "driver"))) }),
        (
            frame.say(t::ACCESS_KEY),
            html! {
                code { (plain(connection, "access_key")) } " "
                (frame.say(t::SINCE)) " " (frame.time(&connection[since], None))
            },
        ),
        (frame.say(t::SECRET_FROM), html! { (frame.word(plain(connection, "secret_source"))) }),
        (
            frame.say(t::LAST_READING),
            html! {
                @if sync.is_object() {
                    (frame.word(plain(sync, "state"))) ", " (frame.time(&sync["changed_at"], None))
                } @else { "–" }
            },
        ),
        (
            frame.say(t::BALANCE_SAID),
            html! {
                (parts::amount(&connection["balance"], &account["currency"])) " "
                @if connection["balance_at"].is_string() { (frame.time(&connection["balance_at"], None)) }
            },
        ),
        (
            frame.say(t::SPENDING_PER_HOUR),
            parts::amount(&connection["spending_per_hour"], &account["currency"]),
        ),
        (
            frame.say(t::RESOURCES),
            html! {
                @let list = Address::new("/resources", &[]).with("account", account["id"].as_str());
                a href=(list.text()) { (parts::text(&summary["resources"])) } ", "
                (frame.fill(t::RENEWING_THERE, &[&summary["renewing"].to_string()]))
            },
        ),
    ])
}

/// What the key may read: a call that is not granted is not made.
fn reads(frame: &Frame, connection: &Value) -> Markup {
    let reads = items(connection, "reads");
    let granted = reads.iter().filter(|read| read["granted"] == true).count();
    let rows = reads.iter().map(|read| {
        let is_granted = if read["granted"] == true { t::YES } else { t::NO };
        vec![
            html! { code { (plain(read, "name")) } },
            html! { span lang="en" { (plain(read, "label")) } },
            html! { (frame.say(is_granted)) },
        ]
    });
    let columns = [Column::Words(t::NAME), Column::Words(t::MEANING), Column::Words(t::GRANTED)];
    let summary = frame.fill(t::READS_GRANTED, &[&granted.to_string(), &reads.len().to_string()]);
    html! {
        details {
            summary { (summary) }
            (parts::table(frame, frame.say(t::READS), &columns, rows.collect()))
        }
    }
}

/// Calls that are not at an end, each with what a person can say of it.
fn call_table(frame: &Frame, account: &Value, calls: &[Value]) -> Markup {
    let provider = account["provider"].as_str();
    let may_resolve = frame.may(Role::Operator);
    let rows = calls.iter().take(ROWS_MAX).map(|call| {
        let mut row = vec![
            html! { code { (plain(call, "id")) } },
            parts::resource(&call["resource"]),
            parts::badge(frame, plain(call, "state")),
            frame.time(&call["since"], provider),
            parts::amount(&call["cost"], &account["currency"]),
            html! {
                @if call["said"].is_object() {
                    code { (parts::text(&call["said"]["code"])) } " " (parts::text(&call["said"]["message"]))
                }
            },
        ];
        if may_resolve {
            row.push(resolve_form(frame, account, call));
        }
        row
    });
    let mut columns = vec![
        Column::Words(t::NUMBER),
        Column::Words(t::RESOURCE),
        Column::Words(t::STATE),
        Column::Words(t::SINCE),
        Column::Figures(t::COST),
        Column::Words(t::SAID),
    ];
    if may_resolve {
        columns.push(Column::Words(t::OPERATION));
    }
    html! {
        @if calls.iter().any(|call| !decisions(call).is_empty()) { p.note { (frame.say(t::RESOLVE_LEAD)) } }
        (parts::table(frame, frame.say(t::CALLS_IN_DOUBT), &columns, rows.collect()))
    }
}

/// What a person can say of a call.
fn decisions(call: &Value) -> &'static [&'static str] {
    match plain(call, "state") {
        "in_doubt" | "with_person" => &["applied", "not_applied"],
        "reserved" => &["give_up"],
        _ => &[],
    }
}

fn resolve_form(frame: &Frame, account: &Value, call: &Value) -> Markup {
    let decisions = decisions(call);
    if decisions.is_empty() {
        return html! {};
    }
    html! {
        form.act method="post" action=(address::to("/calls/{}/resolve", &[plain(call, "id")])) {
            (frame.proof())
            input type="hidden" name="account" value=(plain(account, "id"));
            (parts::field(frame, t::REASON, "reason", ""))
            @for decision in decisions {
                button.quiet type="submit" name="decision" value=(decision) { (frame.word(decision)) }
            }
        }
    }
}

fn drift_table<'a>(frame: &Frame, account: &Value, drift: impl Iterator<Item = &'a Value>) -> Markup {
    let provider = account["provider"].as_str();
    let rows = drift.map(|drift| {
        vec![
            frame.time(&drift["found_at"], provider),
            parts::resource(&drift["resource"]),
            html! { (frame.word(plain(drift, "kind"))) },
            parts::text(&drift["here"]),
            parts::text(&drift["there"]),
        ]
    });
    let columns = [
        Column::Words(t::WHEN),
        Column::Words(t::RESOURCE),
        Column::Words(t::DIFFERENCE),
        Column::Words(t::HERE),
        Column::Words(t::THERE),
    ];
    parts::table(frame, frame.say(t::DRIFT), &columns, rows.collect())
}

/// `POST /calls/{id}/resolve`: what a person found out about a call in doubt.
pub(super) async fn resolve(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let form = &visit.form;
    let body = json!({ "decision": form.get("decision").unwrap_or_default() });
    let path = format!("{}:resolve", address::to("/v1/calls/{}", &[&id]));
    visit.send(Method::POST, &path, &body).await?;
    let account = form.get("account").unwrap_or_default();
    Ok(visit.go(Address::new("/accounts/{}", &[account]), "saved"))
}
