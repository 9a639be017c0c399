//! `/`: what an operator looks at in the morning.

use std::collections::BTreeMap;

use axum::http::Method;
use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_formats::language::Text;
use perennial_service::admin_tokens::Role;
use serde_json::Value;
use serde_json::json;

use crate::console::address;
use crate::console::address::Address;
use crate::console::event_rows;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::problems;
use crate::console::risk;
use crate::console::risk::ROWS_MAX;
use crate::console::risk::Risk;
use crate::console::risk::Watch;
use crate::console::texts as t;
use crate::console::texts::risk as of_risk;
use crate::console::visit::Visit;

/// A day, in seconds: as far back as "last night" reaches.
const DAY: i64 = 86_400;
/// Seven days, in seconds.
const WEEK: i64 = 7 * DAY;
/// For how long a warning can be acknowledged, each by the name of its choice and in seconds; beside these, for good.
const SNOOZES: [(&str, i64, Text); 3] = [
    ("day", DAY, of_risk::ONE_DAY),
    ("week", WEEK, of_risk::ONE_WEEK),
    ("month", 30 * DAY, of_risk::THIRTY_DAYS),
];
/// What is chosen of them unless somebody chooses otherwise.
const SNOOZE_DEFAULT: &str = "week";
/// How many pages of the API are counted of that.
const NIGHT_PAGES_MAX: usize = 10;

/// `GET /`: at risk, due, awaiting a decision, runway, last night, the clock.
pub(super) async fn show(visit: Visit) -> Result<Response, Failure> {
    let frame = &visit.frame;
    let accounts = visit.get("/v1/accounts?limit=1000").await?;
    let approvals = visit.get("/v1/approvals?state=pending&limit=1000").await?;
    let watch = risk::watch(&visit, &accounts, &approvals).await?;
    let since = Address::new("/v1/events", &[]).with("since", Some(frame.now - DAY));
    let (night, is_whole) = visit.list(&since, NIGHT_PAGES_MAX).await?;
    let ready = visit.get("/readyz").await?;
    let content = html! {
        (at_risk(&visit, &watch))
        div.columns {
            (decisions(&visit, &approvals))
            (runway(&visit, &accounts))
            (clock(&visit, &ready))
        }
        (due(&visit, &watch))
        (last_night(&visit, &night, is_whole))
    };
    Ok(layout::page(frame, Section::Today, frame.say(t::TODAY), content))
}

fn at_risk(visit: &Visit, watch: &Watch) -> Markup {
    let frame = &visit.frame;
    let caption = if watch.has_more { t::AT_RISK_MORE_CAPTION } else { t::AT_RISK_CAPTION };
    let caption = frame.fill(caption, &[&watch.at_risk.len().to_string()]);
    html! {
        section id="at-risk" data-live="at-risk" aria-labelledby="at-risk-title" {
            h2 id="at-risk-title" { (frame.say(t::AT_RISK)) }
            @if watch.has_more_due { p.note { (frame.fill(t::ONLY_THE_SOONEST, &[&watch.due.len().to_string()])) } }
            // The first button is what Enter in a field presses, and that must not acknowledge the first row.
            button hidden disabled type="submit" form="warnings" {}
            (risk_table(frame, &caption, &watch.at_risk, ("acknowledge", t::ACKNOWLEDGE)))
            @if !watch.acknowledged.is_empty() {
                details {
                    summary { (frame.fill(t::ACKNOWLEDGED, &[&watch.acknowledged.len().to_string()])) }
                    (risk_table(frame, frame.say(t::ACKNOWLEDGED_CAPTION), &watch.acknowledged, ("recall", t::RECALL)))
                }
            }
            @if frame.may(Role::Operator) && !(watch.at_risk.is_empty() && watch.acknowledged.is_empty()) {
                form.act id="warnings" method="post" action="/warnings" {
                    (frame.proof())
                    label {
                        span { (frame.say(of_risk::ACKNOWLEDGE_FOR)) }
                        select name="for" {
                            @for (name, _, text) in SNOOZES {
                                option value=(name) selected[name == SNOOZE_DEFAULT] { (frame.say(text)) }
                            }
                            option value="good" { (frame.say(of_risk::FOR_GOOD)) }
                        }
                    }
                    (parts::field(frame, of_risk::SNOOZE_UNTIL, "until", ""))
                    (parts::field(frame, t::REASON, "reason", ""))
                }
            }
        }
    }
}

/// Why a resource is at risk, when it is lost next, and until when somebody has acknowledged that.
fn why(frame: &Frame, risk: &Risk) -> Markup {
    let provider = risk.resource["provider"].as_str();
    let until = &risk.acknowledgement["until"];
    html! {
        (frame.say(risk.danger.text()))
        @if risk.next_stage_at.is_string() { ": " (frame.time(&risk.next_stage_at, provider)) }
        @if let Some(problem) = risk.resource["problem"].as_str() { ": " (problem) }
        @if until.is_string() { " · " (frame.say(of_risk::ACKNOWLEDGED_UNTIL)) " " (frame.time(until, provider)) }
        @else if risk.acknowledgement.is_object() { " · " (frame.say(of_risk::ACKNOWLEDGED_FOR_GOOD)) }
    }
}

/// Resources at risk, each with a button that does something with its warnings.
fn risk_table(frame: &Frame, caption: &str, risks: &[Risk], (action, text): (&str, Text)) -> Markup {
    let may_act = frame.may(Role::Operator);
    let rows = risks.iter().take(ROWS_MAX).map(|risk| {
        let resource = &risk.resource;
        let provider = resource["provider"].as_str();
        let mut row = vec![
            parts::resource(&resource["id"]),
            why(frame, risk),
            parts::badge(frame, plain(resource, "stage")),
            parts::account(&resource["account"]),
            frame.time(&resource["expires_at"], provider),
            parts::amount(&resource["price"], &resource["currency"]),
        ];
        if may_act {
            row.push(html! {
                button.quiet type="submit" form="warnings" name=(action) value=(plain(resource, "id")) {
                    (frame.say(text))
                }
            });
        }
        row
    });
    let mut columns = vec![
        Column::Words(t::RESOURCE),
        Column::Words(t::WHY),
        Column::Words(t::STAGE),
        Column::Words(t::ACCOUNT),
        Column::Words(t::EXPIRES),
        Column::Figures(t::PRICE),
    ];
    if may_act {
        columns.push(Column::Controls(t::OPERATION));
    }
    parts::table(frame, caption, &columns, rows.collect())
}

/// `POST /warnings`: the warnings about a resource are acknowledged, for good or until an instant, or shown again.
pub(super) async fn warnings(visit: Visit) -> Result<Response, Failure> {
    let form = &visit.form;
    if let Some(resource) = form.get("recall") {
        let path = address::to("/v1/acknowledgements/{}", &[resource]);
        visit.send(Method::DELETE, &path, &json!({})).await?;
    } else {
        let resource = form.get("acknowledge").unwrap_or_default();
        let named = SNOOZES.iter().find(|(name, ..)| Some(*name) == form.get("for"));
        let seconds = named.map_or(WEEK, |(_, seconds, _)| *seconds);
        let until = match (form.instant("until"), form.get("for")) {
            (Some(until), _) => Some(until),
            (None, Some("good")) => None,
            (None, _) => Some((visit.frame.now + seconds).to_string()),
        };
        let body = json!({ "resource": resource, "until": until });
        visit.send(Method::POST, "/v1/acknowledgements", &body).await?;
    }
    Ok(visit.go(Address::new("/", &[]), "saved"))
}

fn due(visit: &Visit, watch: &Watch) -> Markup {
    let frame = &visit.frame;
    let rows = watch.due.iter().take(ROWS_MAX).map(|resource| {
        let provider = resource["provider"].as_str();
        vec![
            parts::resource(&resource["id"]),
            parts::badge(frame, plain(resource, "on_expiry")),
            frame.time(&resource["expires_at"], provider),
            frame.time(&resource["next_wake_at"], provider),
            parts::amount(&resource["price"], &resource["currency"]),
        ]
    });
    let columns = [
        Column::Words(t::RESOURCE),
        Column::Words(t::ON_EXPIRY),
        Column::Words(t::EXPIRES),
        Column::Words(t::NEXT_WAKE),
        Column::Figures(t::PRICE),
    ];
    let sums = parts::sums(watch.due.iter().map(|resource| (&resource["price"], &resource["currency"])));
    let caption = if watch.has_more_due { t::DUE_MORE_CAPTION } else { t::DUE_CAPTION };
    let caption = frame.fill(caption, &[&watch.due.len().to_string(), &sums]);
    html! {
        section id="due" data-live="due" aria-labelledby="due-title" {
            h2 id="due-title" { (frame.say(t::DUE_THIS_WEEK)) }
            (parts::table(frame, &caption, &columns, rows.collect()))
            p.more { a href="/renewals" { (frame.say(t::TO_RENEWALS)) } }
        }
    }
}

fn decisions(visit: &Visit, approvals: &Value) -> Markup {
    let frame = &visit.frame;
    // Who asked for a plan does not decide on it.
    let may_decide = frame.may(Role::Approver);
    let is_mine = |approval: &&Value| may_decide && approval["requested_by"] == *frame.caller.id;
    let pending = items(approvals, "items").iter().filter(|approval| !is_mine(approval)).collect::<Vec<_>>();
    let title = if may_decide { t::AWAITING_MINE } else { t::AWAITING_DECISION };
    let sums = parts::sums(pending.iter().map(|approval| (&approval["cost"], &approval["currency"])));
    html! {
        section.card id="decisions" data-live="decisions" aria-labelledby="decisions-title" {
            h2 id="decisions-title" { (frame.say(title)) }
            @if pending.is_empty() {
                p { (frame.say(t::NOTHING_AWAITS)) }
            } @else {
                p.large { a href="/approvals" { (frame.fill(t::PLANS_WAIT, &[&pending.len().to_string(), &sums])) } }
                ul.plain {
                    @for approval in pending.iter().take(5) {
                        li {
                            (parts::link("/approvals/{}", &approval["id"])) " "
                            (parts::amount(&approval["cost"], &approval["currency"])) ", "
                            (frame.say(t::UNTIL)) " " (frame.time(&approval["expires_at"], None))
                        }
                    }
                }
            }
        }
    }
}

fn runway(visit: &Visit, accounts: &Value) -> Markup {
    let frame = &visit.frame;
    let accounts = items(accounts, "items");
    html! {
        section.card id="runway" aria-labelledby="runway-title" {
            h2 id="runway-title" { (frame.say(t::RUNWAY)) }
            ul.plain id="balances" {
                @for account in accounts.iter().take(ROWS_MAX) {
                    li {
                        (parts::account(&account["id"])) " "
                        (parts::amount(&account["balance"], &account["currency"]))
                    }
                }
            }
            p.more data-load="/forecast?months=3&part=runway" data-instead="balances" {
                a href="/forecast?months=3" { (frame.say(t::WHEN_IT_RUNS_SHORT)) }
            }
        }
    }
}

fn clock(visit: &Visit, ready: &Value) -> Markup {
    let frame = &visit.frame;
    let is_ready = ready["ready"] == true;
    html! {
        section.card id="clock" data-live="clock" aria-labelledby="clock-title" {
            h2 id="clock-title" { (frame.say(t::CLOCK)) }
            p.large { (frame.say(if is_ready { t::KEEPS_UP } else { t::NOT_READY })) }
            ul.plain {
                @for problem in items(ready, "problems") { li { (problems::detail(frame, problem.as_str().unwrap_or_default())) } }
                @if ready["plugins"] == false { li { (frame.say(t::PLUGIN_MISSING)) } }
                @if let Some(seconds) = ready["overdue_seconds"].as_i64().filter(|seconds| *seconds > 0) {
                    li { (frame.fill(t::OVERDUE, &[&seconds.to_string()])) }
                }
            }
            p.more { a href="/clock" { (frame.minute(frame.now, None)) } }
        }
    }
}

fn last_night(visit: &Visit, events: &[Value], is_whole: bool) -> Markup {
    let frame = &visit.frame;
    let mut counts = BTreeMap::<&str, usize>::new();
    for event in events {
        *counts.entry(plain(event, "type")).or_default() += 1;
    }
    let trouble = events.iter().rev().filter(|event| event_rows::is_trouble(event)).take(ROWS_MAX);
    html! {
        section id="night" data-live="night" aria-labelledby="night-title" {
            h2 id="night-title" { (frame.say(t::LAST_NIGHT)) }
            @if counts.is_empty() { p { (frame.say(t::NOTHING_HAPPENED)) } }
            ul.counts {
                @for (kind, count) in &counts {
                    li {
                        a href=(Address::new("/events", &[]).with("type", Some(kind)).text()) {
                            b { (count) } " " (frame.word(kind))
                        }
                    }
                }
            }
            @if !is_whole { p.note { (frame.say(t::ONLY_THE_FIRST)) } }
            @if events.iter().any(event_rows::is_trouble) {
                (event_rows::table(frame, frame.say(t::TROUBLE), trouble))
            }
        }
    }
}
