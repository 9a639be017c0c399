//! `/channels` and `/channels/{id}`: where people are told of events, and what became of each message.

use axum::extract::Path;
use axum::http::Method;
use axum::http::StatusCode;
use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_domain::channel::ChannelKind;
use perennial_domain::event::EventKind;
use perennial_domain::severity::Severity;
use perennial_formats::language::Language;
use perennial_service::admin_tokens::Role;
use serde_json::Value;
use serde_json::json;

use crate::console::address;
use crate::console::address::Address;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::texts as t;
use crate::console::visit::Visit;

/// `GET /channels`: each with its state.
pub(super) async fn list(visit: Visit) -> Result<Response, Failure> {
    let frame = &visit.frame;
    let page = visit.get("/v1/channels").await?;
    let rows = items(&page, "items").iter().map(|channel| {
        vec![
            parts::link("/channels/{}", &channel["id"]),
            html! { (frame.word(plain(channel, "kind"))) },
            parts::text(&channel["address"]),
            parts::text(&channel["description"]),
            state(frame, channel),
            html! { (frame.word(plain(channel, "severity"))) },
            hours(frame, channel),
        ]
    });
    let columns = [
        Column::Words(t::CHANNEL),
        Column::Words(t::KIND),
        Column::Words(t::ADDRESS),
        Column::Words(t::DESCRIPTION),
        Column::Words(t::STATE),
        Column::Words(t::LEAST_SEVERITY),
        Column::Words(t::WHEN),
    ];
    let content = html! {
        p { (frame.say(t::CHANNELS_LEAD)) }
        (parts::table(frame, frame.say(t::CHANNELS), &columns, rows.collect()))
        @if frame.may(Role::Admin) { (create_form(frame)) }
    };
    Ok(layout::page(frame, Section::Channels, frame.say(t::CHANNELS), content))
}

fn state(frame: &Frame, channel: &Value) -> Markup {
    html! {
        (parts::badge(frame, if channel["enabled"] == true { "enabled" } else { "disabled" }))
        @if channel["failing_since"].is_string() {
            " " span.bad { (frame.say(t::FAILING_SINCE)) " " (frame.time(&channel["failing_since"], None)) }
        }
    }
}

/// When it sends: at once or as a digest, and its quiet hours, all in its own zone.
fn hours(frame: &Frame, channel: &Value) -> Markup {
    let quiet = &channel["quiet_hours"];
    html! {
        @match channel["digest_at"].as_str() {
            Some(time) => (frame.fill(t::DIGEST_DAILY, &[time])),
            None => (frame.say(t::AT_ONCE)),
        }
        @if quiet.is_object() {
            ", " (frame.fill(t::QUIET_BETWEEN, &[plain(quiet, "from"), plain(quiet, "until")]))
        }
        " (" (plain(channel, "time_zone")) ")"
    }
}

fn create_form(frame: &Frame) -> Markup {
    html! {
        form.act method="post" action="/channels" {
            (frame.proof())
            h2 { (frame.say(t::NEW_CHANNEL)) }
            (select(frame, t::KIND, "kind", &ChannelKind::ALL.map(ChannelKind::name), "email"))
            (parts::field(frame, t::DESCRIPTION, "description", ""))
            (parts::field(frame, t::READERS, "to", ""))
            (parts::field(frame, t::ACCOUNTS_LIST, "accounts", ""))
            (parts::field(frame, t::ROBOT_URL, "url", ""))
            (parts::field(frame, t::ROBOT_SECRET, "secret", ""))
            (select(frame, t::LANGUAGE, "language", &Language::ALL.map(Language::tag), frame.language.tag()))
            (parts::field(frame, t::READERS_ZONE, "time_zone", "UTC"))
            (parts::choice(frame, t::EVENT_TYPES, "type", EventKind::TYPES, ""))
            (select(frame, t::LEAST_SEVERITY, "severity", &Severity::ALL.map(Severity::name), "warning"))
            (parts::field(frame, t::DIGEST_AT, "digest_at", ""))
            (parts::field(frame, t::QUIET_FROM, "quiet_from", ""))
            (parts::field(frame, t::QUIET_UNTIL, "quiet_until", ""))
            button type="submit" { (frame.say(t::CREATE)) }
        }
    }
}

/// A choice of one of a few words, of which one is chosen.
fn select(
    frame: &Frame,
    label: perennial_formats::language::Text,
    name: &str,
    words: &[&str],
    chosen: &str,
) -> Markup {
    html! {
        label {
            span { (frame.say(label)) }
            select name=(name) {
                @for word in words { option value=(word) selected[*word == chosen] { (frame.word(word)) } }
            }
        }
    }
}

/// `POST /channels`: another channel.
pub(super) async fn create(visit: Visit) -> Result<Response, Failure> {
    let form = &visit.form;
    let mut body = json!({ "description": form.raw("description") });
    for name in ["kind", "url", "secret", "language", "time_zone", "severity", "digest_at"] {
        if let Some(value) = form.get(name) {
            body[name] = json!(value);
        }
    }
    for name in ["to", "accounts"] {
        if let Some(list) = form.get(name) {
            body[name] = list.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
        }
    }
    if let Some(kind) = form.get("type") {
        body["types"] = json!([kind]);
    }
    if form.get("quiet_from").is_some() || form.get("quiet_until").is_some() {
        body["quiet_hours"] = json!({
            "from": form.get("quiet_from").unwrap_or_default(),
            "until": form.get("quiet_until").unwrap_or_default(),
        });
    }
    let answer = visit.send(Method::POST, "/v1/channels", &body).await?;
    Ok(visit.go(Address::new("/channels/{}", &[plain(&answer.body, "id")]), "saved"))
}

/// `GET /channels/{id}`: one channel and its messages.
pub(super) async fn show(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let (frame, query) = (&visit.frame, &visit.query);
    let channel = visit.get(&address::to("/v1/channels/{}", &[&id])).await?;
    let list = Address::new("/v1/channels/{}/deliveries", &[&id]).with_each(query, &["state", "cursor"]);
    let page = visit.get(&list.text()).await?;
    let content = html! {
        (parts::facts(&[
            (frame.say(t::KIND), html! { (frame.word(plain(&channel, "kind"))) }),
            (frame.say(t::ADDRESS), parts::text(&channel["address"])),
            (frame.say(t::DESCRIPTION), parts::text(&channel["description"])),
            (frame.say(t::STATE), state(frame, &channel)),
            (frame.say(t::LEAST_SEVERITY), html! { (frame.word(plain(&channel, "severity"))) }),
            (frame.say(t::WHEN), hours(frame, &channel)),
        ]))
        (operations(frame, &channel))
        div id="deliveries" data-live="deliveries" { (delivery_table(frame, items(&page, "items"))) }
        (parts::more(frame, &address::to("/channels/{}", &[&id]), &page, query, &["state"]))
    };
    Ok(layout::page(frame, Section::Channels, &id, content))
}

fn operations(frame: &Frame, channel: &Value) -> Markup {
    let switch = if channel["enabled"] == true { ("disable", t::DISABLE) } else { ("enable", t::ENABLE) };
    html! {
        form.act id="operate" method="post" action=(address::to("/channels/{}", &[plain(channel, "id")])) {
            (frame.proof())
            button type="submit" name="do" value="test" { (frame.say(t::SEND_TEST)) }
            @if frame.may(Role::Admin) {
                @for (action, text) in [switch, ("delete", t::DELETE)] {
                    button.quiet type="submit" name="do" value=(action) { (frame.say(text)) }
                }
            }
        }
    }
}

fn delivery_table(frame: &Frame, deliveries: &[Value]) -> Markup {
    let rows = deliveries.iter().map(|delivery| {
        let (id, state) = (plain(delivery, "id"), plain(delivery, "state"));
        vec![
            html! { code { (id) } },
            parts::text(&delivery["reader"]),
            html! {
                details { summary { (plain(delivery, "title")) } pre { (plain(delivery, "text")) } }
            },
            parts::badge(frame, state),
            parts::text(&delivery["attempts"]),
            parts::text(&delivery["status"]),
            parts::text(&delivery["error"]),
            frame.time(&delivery["tried_at"], None),
            html! {
                @if ["failed", "in_doubt"].contains(&state) {
                    button.quiet type="submit" form="operate" name="resend" value=(id) {
                        (frame.say(t::SEND_AGAIN))
                    }
                }
            },
        ]
    });
    let columns = [
        Column::Words(t::DELIVERY),
        Column::Words(t::READERS),
        Column::Words(t::WHAT),
        Column::Words(t::STATE),
        Column::Figures(t::ATTEMPTS),
        Column::Figures(t::STATUS),
        Column::Words(t::WHY),
        Column::Words(t::WHEN),
        Column::Controls(t::OPERATION),
    ];
    parts::table(frame, frame.say(t::DELIVERIES), &columns, rows.collect())
}

/// `POST /channels/{id}`: a test, a message sent again, a switch, or the end of it.
pub(super) async fn operate(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let path = address::to("/v1/channels/{}", &[&id]);
    let page = Address::new("/channels/{}", &[&id]);
    if let Some(delivery) = visit.form.get("resend") {
        visit.send(Method::POST, &format!("{path}:resend"), &json!({ "delivery": delivery })).await?;
        return Ok(visit.go(page, "sent-again"));
    }
    match visit.form.get("do") {
        Some("test") => visit.send(Method::POST, &format!("{path}:test"), &json!({})).await?,
        Some("enable") => visit.send(Method::PATCH, &path, &json!({ "enabled": true })).await?,
        Some("disable") => visit.send(Method::PATCH, &path, &json!({ "enabled": false })).await?,
        Some("delete") => {
            visit.send(Method::DELETE, &path, &json!({})).await?;
            return Ok(visit.go(Address::new("/channels", &[]), "deleted"));
        }
        _ => {
            let frame = &visit.frame;
            return Err(Failure::new(frame, StatusCode::BAD_REQUEST, frame.say(t::UNREADABLE_FORM)));
        }
    };
    Ok(visit.go(page, "saved"))
}
