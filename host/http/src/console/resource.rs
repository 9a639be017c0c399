//! `/resources/{id}`: one resource. Its lane, why it is where it is and what comes next, its orders and its decisions.

use std::collections::BTreeSet;

use axum::extract::Path;
use axum::http::Method;
use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_service::admin_tokens::Role;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::console::address;
use crate::console::address::Address;
use crate::console::calls;
use crate::console::event_rows;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::frame::ZoneChoice;
use crate::console::lanes;
use crate::console::lanes::Track;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::texts as t;
use crate::console::visit::Visit;

/// The most events and orders of the page; the rest is a link away.
const ROWS_MAX: usize = 50;
/// As many other resources of its bundle as are drawn beside it.
const TRACKS_MAX: usize = 8;
/// How far back its events are read, in seconds.
const PAST: i64 = 400 * 86_400;

/// `GET /resources/{id}`: everything about one resource.
pub(super) async fn show(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let frame = &visit.frame;
    let of = |path: &str| address::to(path, &[&id]);
    let resource = visit.get(&of("/v1/resources/{}")).await?;
    let zone = Some(frame.zone.name()).filter(|_| frame.zone != ZoneChoice::Utc);
    let explanation = Address::new("/v1/resources/{}/explanation", &[&id]).with("time_zone", zone);
    let explanation = visit.get(&explanation.with("language", Some(frame.language.tag())).text()).await;
    let explanation = match explanation {
        Ok(explanation) => explanation_part(frame, &explanation, resource["provider"].as_str()),
        Err(failure) => failure.markup(),
    };
    let timeline = visit.get(&of("/v1/resources/{}/timeline?limit=200")).await.unwrap_or_default();
    let events =
        Address::new("/v1/events", &[]).with("resource", Some(&id)).with("since", Some(frame.now - PAST));
    let (events, _) = visit.list(&events, 1).await?;
    let mut tracks = vec![Track { resource: resource.clone(), events: events.clone() }];
    tracks.extend(others_of_bundle(&visit, &resource, items(&timeline, "items")).await?);
    let resumed = Address::new("/v1/events", &[]).with("account", resource["account"].as_str());
    let resumed = resumed.with("type", Some("host_resumed")).with("since", Some(frame.now - PAST));
    let (resumed, _) = visit.list(&resumed, 1).await?;
    let orders = visit.get(&of("/v1/resources/{}/orders?limit=1000")).await?;
    let decisions = visit.try_get(&of("/v1/resources/{}/decisions?limit=10")).await?.unwrap_or_default();
    let approvals =
        Address::new("/v1/approvals", &[]).with("resource", Some(&id)).with("state", Some("pending"));
    let approvals = visit.get(&approvals.text()).await?;
    let calls = Address::new("/v1/calls", &[]).with("resource", Some(&id)).with("limit", Some(1_000));
    let calls = visit.get(&calls.text()).await?;
    let content = html! {
        (facts(frame, &resource))
        (waiting(frame, &approvals))
        (commands(frame, &resource))
        section id="lane" data-live="lane" aria-labelledby="lane-title" {
            h2 id="lane-title" { (frame.say(t::LANE)) }
            (lanes::draw(frame, &tracks, items(&timeline, "items"), &resumed))
        }
        section id="why" data-live="why" aria-labelledby="why-title" {
            h2 id="why-title" { (frame.say(t::WHY)) }
            (explanation)
        }
        (calls::section(frame, &resource, items(&calls, "items")))
        section.titled id="orders" data-live="orders" aria-labelledby="orders-title" {
            h2 id="orders-title" { (frame.say(t::ORDERS)) }
            (order_table(frame, &resource, items(&orders, "items")))
        }
        section.titled id="events" data-live="events" aria-labelledby="events-title" {
            h2 id="events-title" { (frame.say(t::EVENTS)) }
            (event_rows::table(frame, frame.say(t::EVENTS), events.iter().rev().take(ROWS_MAX)))
            p.more { a href=(Address::new("/events", &[]).with("resource", Some(&id)).text()) { (frame.say(t::ALL_EVENTS)) } }
        }
        section.titled aria-labelledby="decisions-title" {
            h2 id="decisions-title" { (frame.say(t::DECISIONS)) }
            (decision_table(frame, items(&decisions, "items")))
        }
        (tag_form(frame, &resource))
    };
    Ok(layout::page(frame, Section::None, &id, content))
}

/// The other resources of the bundle to which something happens, at most so many as are told apart.
async fn others_of_bundle(visit: &Visit, resource: &Value, ahead: &[Value]) -> Result<Vec<Track>, Failure> {
    let own = plain(resource, "id");
    let primary = resource["attached_to"].as_str();
    let named = primary.into_iter().chain(ahead.iter().map(|occurrence| plain(occurrence, "resource")));
    let ids = named.filter(|id| *id != own && !id.is_empty()).collect::<BTreeSet<_>>();
    let mut tracks = Vec::new();
    for id in ids.into_iter().take(TRACKS_MAX) {
        let path = address::to("/v1/resources/{}", &[id]);
        let Some(resource) = visit.try_get(&path).await? else { continue };
        let events = Address::new("/v1/events", &[]).with("resource", Some(id));
        let (events, _) = visit.list(&events.with("since", Some(visit.frame.now - PAST)), 1).await?;
        tracks.push(Track { resource, events });
    }
    Ok(tracks)
}

fn facts(frame: &Frame, resource: &Value) -> Markup {
    let provider = resource["provider"].as_str();
    let package = &resource["package"];
    let mut rows = vec![
        (frame.say(t::STAGE), parts::badge(frame, plain(resource, "stage"))),
        (frame.say(t::EXPIRES), frame.time(&resource["expires_at"], provider)),
        (
            frame.say(t::ON_EXPIRY),
            html! {
                (parts::badge(frame, plain(resource, "on_expiry")))
                @if resource["renewal_term"].is_object() { " " (frame.term(&resource["renewal_term"])) }
                @if let Some(left) = resource["renewals_left"].as_u64() { " × " (left) }
            },
        ),
        (
            frame.say(t::PRICE),
            html! {
                (parts::amount(&resource["price"], &resource["currency"]))
                @if resource["term"].is_object() { " / " (frame.term(&resource["term"])) }
            },
        ),
        (frame.say(t::KIND), parts::text(&resource["kind"])),
        (
            frame.say(t::ACCOUNT),
            html! { (parts::account(&resource["account"])) " (" (plain(resource, "provider")) ")" },
        ),
        (frame.say(t::REGION), parts::text(&resource["region"])),
        (frame.say(t::ATTACHED_TO), parts::resource(&resource["attached_to"])),
        (frame.say(t::NEXT_WAKE), frame.time(&resource["next_wake_at"], provider)),
        (frame.say(t::TAGS), parts::tags(&resource["tags"])),
    ];
    if package.is_object() {
        let left = html! { (parts::text(&package["left"])) " / " (parts::text(&package["quota"])) " " (parts::text(&package["unit"])) };
        rows.push((frame.say(t::LEFT), left));
    }
    html! {
        div id="facts" data-live="facts" {
            @if let Some(problem) = resource["problem"].as_str() { p.problem { (problem) } }
            (parts::facts(&rows))
        }
    }
}

fn waiting(frame: &Frame, approvals: &Value) -> Markup {
    html! {
        @for approval in items(approvals, "items") {
            p.problem {
                (frame.say(t::WAITS_FOR)) " " (parts::link("/approvals/{}", &approval["id"])) " "
                (parts::amount(&approval["cost"], &approval["currency"]))
            }
        }
    }
}

/// The commands that make sense for the resource; the provider's rules have the last word, in the plan.
fn commands(frame: &Frame, resource: &Value) -> Markup {
    let on_expiry = plain(resource, "on_expiry");
    let has_ended = ["released", "unsubscribed", "converted"].contains(&plain(resource, "stage"));
    let is_prepaid = plain(resource, "charging") == "prepaid";
    let is_package = resource["package"].is_object();
    let commands = [
        ("renew", is_prepaid && !has_ended),
        ("set_auto_renew", is_prepaid && !has_ended),
        ("cancel_auto_renew", is_prepaid && on_expiry == "renew"),
        ("buy_again", is_package),
        ("convert_on_expiry", is_prepaid && !has_ended && !is_package && on_expiry != "convert"),
        ("cancel_conversion", on_expiry == "convert" && !has_ended),
        ("subscribe", !is_prepaid && !has_ended),
        ("unsubscribe", is_prepaid && !has_ended),
    ];
    html! {
        @if frame.may(Role::Operator) {
            nav.commands aria-label=(frame.say(t::COMMANDS)) {
                @for (command, _) in commands.into_iter().filter(|(_, makes_sense)| *makes_sense) {
                    @let path = Address::new("/resources/{}/plan", &[plain(resource, "id")]);
                    a.act href=(path.with("command", Some(command)).text()) {
                        (frame.word(command)) "…"
                    }
                }
            }
        }
    }
}

/// Why the resource is where it is and what comes next: the situation and each step, and below them the host's sentences.
fn explanation_part(frame: &Frame, explanation: &Value, provider: Option<&str>) -> Markup {
    let rows = items(explanation, "next").iter().map(|step| {
        vec![
            frame.time(&step["at"], provider),
            html! {
                (frame.word(plain(step, "action")))
                @if let Some(stage) = step["stage"].as_str() { ": " (frame.word(stage)) }
            },
            parts::resource(&step["resource"]),
            parts::text(&step["cost"]),
            html! {
                @if let Some(obstacle) = step["obstacle"].as_str() { span.bad { (parts::quoting(obstacle)) } " " }
                @for setting in items(step, "settings") { (setting_reason(setting)) }
            },
        ]
    });
    let columns = [
        Column::Words(t::WHEN),
        Column::Words(t::WHAT),
        Column::Words(t::RESOURCE),
        Column::Figures(t::COST),
        Column::Words(t::BECAUSE),
    ];
    html! {
        p.large { (frame.word(plain(explanation, "situation"))) }
        (parts::table(frame, frame.say(t::WHAT_COMES_NEXT), &columns, rows.collect()))
        div {
            @for sentence in items(explanation, "text") { p { (parts::quoting(sentence.as_str().unwrap_or_default())) } }
            @for reason in items(explanation, "reasons") {
                @for setting in items(reason, "settings") { (setting_reason(setting)) }
            }
        }
    }
}

fn setting_reason(setting: &Value) -> Markup {
    html! {
        small.setting {
            code { (plain(setting, "name")) " = " (parts::text(&setting["value"])) } " "
            span lang="en" { (plain(setting, "rule")) }
            @if let Some(document) = setting["document"].as_str() { " [" (document) "]" }
        }
    }
}

fn order_table(frame: &Frame, resource: &Value, orders: &[Value]) -> Markup {
    let provider = resource["provider"].as_str();
    let rows = orders.iter().rev().take(ROWS_MAX).map(|order| {
        let id = plain(resource, "id");
        let plan = |command: &str| {
            let address = Address::new("/resources/{}/plan", &[id]).with("command", Some(command));
            address.with("order", order["id"].as_str()).text()
        };
        let waits = plain(order, "state") == "awaiting_payment" && frame.may(Role::Operator);
        vec![
            html! { span.id { (parts::text(&order["id"])) } },
            html! { (frame.word(plain(order, "kind"))) },
            html! {
                (parts::badge(frame, plain(order, "state")))
                @if waits {
                    " " a.act href=(plan("pay_order")) { (frame.word("pay_order")) }
                    " " a.act href=(plan("cancel_order")) { (frame.word("cancel_order")) }
                }
            },
            frame.time(&order["starts_at"], provider),
            frame.time(&order["ends_at"], provider),
            parts::amount(&order["cost"], &order["currency"]),
            parts::amount(&order["refund"], &order["currency"]),
        ]
    });
    let columns = [
        Column::Words(t::ORDER),
        Column::Words(t::KIND),
        Column::Words(t::STATE),
        Column::Words(t::FROM),
        Column::Words(t::UNTIL),
        Column::Figures(t::COST),
        Column::Figures(t::REFUND),
    ];
    parts::table(frame, frame.say(t::ORDERS), &columns, rows.collect())
}

/// What plugins and policies were asked, in a line each; `perennial replay` asks again by their numbers.
fn decision_table(frame: &Frame, decisions: &[Value]) -> Markup {
    let first = |value: &Value| {
        value.as_object().and_then(|fields| fields.keys().next().cloned()).unwrap_or_default()
    };
    let rows = decisions.iter().map(|decision| {
        let command = &decision["request"]["command"];
        let asked = command.as_str().map_or_else(|| first(command), str::to_owned);
        vec![
            html! { code { (plain(decision, "id")) } },
            frame.time(&decision["at"], None),
            html! { (plain(decision, "plugin")) " " (frame.word(&asked)) },
            html! { (frame.word(&first(&decision["response"]))) },
            html! { span.digest { code { (plain(decision, "revision").get(..12).unwrap_or_default()) } } },
        ]
    });
    let columns = [
        Column::Words(t::NUMBER),
        Column::Words(t::WHEN),
        Column::Words(t::QUESTION),
        Column::Words(t::ANSWER),
        Column::Words(t::REVISION),
    ];
    parts::table(frame, frame.say(t::DECISIONS), &columns, rows.collect())
}

fn tag_form(frame: &Frame, resource: &Value) -> Markup {
    let tags = resource["tags"].as_object().into_iter().flatten();
    let lines = tags
        .map(|(name, value)| format!("{name}={}\n", value.as_str().unwrap_or_default()))
        .collect::<String>();
    html! {
        @if frame.may(Role::Operator) {
            form.act method="post" action=(address::to("/resources/{}/tags", &[plain(resource, "id")])) {
                (frame.proof())
                label { span { (frame.say(t::TAGS_LINES)) } textarea name="tags" rows="3" { (lines) } }
                button type="submit" { (frame.say(t::SET_TAGS)) }
            }
        }
    }
}

/// `POST /resources/{id}/tags`: the resource has these tags, and no others.
pub(super) async fn tag(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let path = address::to("/v1/resources/{}", &[&id]);
    let before = visit.get(&path).await?;
    let mut tags = Map::new();
    // A tag that is left out is taken away, which the API is told with null.
    for (name, _) in before["tags"].as_object().into_iter().flatten() {
        tags.insert(name.clone(), Value::Null);
    }
    for line in visit.form.raw("tags").lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        tags.insert(name.trim().to_owned(), json!(value.trim()));
    }
    visit.send(Method::PATCH, &path, &json!({ "tags": tags })).await?;
    Ok(visit.go(Address::new("/resources/{}", &[&id]), "tags-set"))
}
