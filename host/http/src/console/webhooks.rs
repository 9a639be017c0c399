//! `/webhooks` and `/webhooks/{id}`: where events are sent to, and what became of each.

use axum::extract::Path;
use axum::http::Method;
use axum::http::StatusCode;
use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_domain::event::EventKind;
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

/// `GET /webhooks`: each with its state.
pub(super) async fn list(visit: Visit) -> Result<Response, Failure> {
    let frame = &visit.frame;
    let page =
        visit.get(&Address::new("/v1/webhooks", &[]).with_each(&visit.query, &["cursor"]).text()).await?;
    let rows = items(&page, "items").iter().map(|webhook| {
        vec![
            parts::link("/webhooks/{}", &webhook["id"]),
            parts::text(&webhook["url"]),
            parts::text(&webhook["description"]),
            state(frame, webhook),
            html! { @for kind in items(webhook, "types") { (frame.word(kind.as_str().unwrap_or_default())) " " } },
        ]
    });
    let columns = [
        Column::Words(t::WEBHOOK),
        Column::Words(t::ADDRESS),
        Column::Words(t::DESCRIPTION),
        Column::Words(t::STATE),
        Column::Words(t::EVENT_TYPES),
    ];
    let content = html! {
        (parts::table(frame, frame.say(t::WEBHOOKS), &columns, rows.collect()))
        (parts::more(frame, "/webhooks", &page, &visit.query, &[]))
        @if frame.may(Role::Admin) { (create_form(frame)) }
    };
    Ok(layout::page(frame, Section::Webhooks, frame.say(t::WEBHOOKS), content))
}

fn state(frame: &Frame, webhook: &Value) -> Markup {
    html! {
        (parts::badge(frame, if webhook["enabled"] == true { "enabled" } else { "disabled" }))
        @if let Some(reason) = webhook["disabled_reason"].as_str() { " " (reason) }
        @if webhook["failing_since"].is_string() {
            " " span.bad { (frame.say(t::FAILING_SINCE)) " " (frame.time(&webhook["failing_since"], None)) }
        }
    }
}

fn create_form(frame: &Frame) -> Markup {
    html! {
        form.act method="post" action="/webhooks" {
            (frame.proof())
            h2 { (frame.say(t::NEW_WEBHOOK)) }
            (parts::field(frame, t::ADDRESS, "url", ""))
            (parts::field(frame, t::DESCRIPTION, "description", ""))
            (parts::choice(frame, t::EVENT_TYPES, "type", EventKind::TYPES, ""))
            button type="submit" { (frame.say(t::CREATE)) }
        }
    }
}

/// `POST /webhooks`: another address, whose secret is shown once.
pub(super) async fn create(visit: Visit) -> Result<Response, Failure> {
    let form = &visit.form;
    let mut body =
        json!({ "url": form.get("url").unwrap_or_default(), "description": form.raw("description") });
    if let Some(kind) = form.get("type") {
        body["types"] = json!([kind]);
    }
    let answer = visit.send(Method::POST, "/v1/webhooks", &body).await?;
    Ok(secret_page(&visit, Section::Webhooks, plain(&answer.body["webhook"], "url"), &answer.body["secret"]))
}

/// The page that shows a secret, which is shown once.
pub(super) fn secret_page(visit: &Visit, section: Section, of: &str, secret: &Value) -> Response {
    let frame = &visit.frame;
    let content = html! {
        p.done role="status" { (frame.say(t::SECRET_ONCE)) }
        p { (of) }
        @match secret.as_str() {
            Some(secret) => pre.secret { (secret) },
            None => p.problem { (frame.say(t::SECRET_WAS_SHOWN)) },
        }
        p { a href=(section.path()) { (frame.say(t::BACK)) } }
    };
    layout::page(frame, section, frame.say(t::SECRET), content)
}

/// `GET /webhooks/{id}`: one address and its deliveries.
pub(super) async fn show(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let (frame, query) = (&visit.frame, &visit.query);
    let webhook = visit.get(&address::to("/v1/webhooks/{}", &[&id])).await?;
    let list = Address::new("/v1/webhooks/{}/deliveries", &[&id]).with_each(query, &["state", "cursor"]);
    let page = visit.get(&list.text()).await?;
    let content = html! {
        (parts::facts(&[
            (frame.say(t::ADDRESS), parts::text(&webhook["url"])),
            (frame.say(t::DESCRIPTION), parts::text(&webhook["description"])),
            (frame.say(t::STATE), state(frame, &webhook)),
        ]))
        (operations(frame, &webhook))
        div id="deliveries" data-live="deliveries" { (delivery_table(frame, items(&page, "items"))) }
        (parts::more(frame, &address::to("/webhooks/{}", &[&id]), &page, query, &["state"]))
    };
    Ok(layout::page(frame, Section::Webhooks, &id, content))
}

fn operations(frame: &Frame, webhook: &Value) -> Markup {
    let switch = if webhook["enabled"] == true { ("disable", t::DISABLE) } else { ("enable", t::ENABLE) };
    let of_admins = [switch, ("rotate", t::ROTATE_SECRET), ("delete", t::DELETE)];
    html! {
        form.act id="operate" method="post" action=(address::to("/webhooks/{}", &[plain(webhook, "id")])) {
            (frame.proof())
            button type="submit" name="do" value="test" { (frame.say(t::SEND_TEST)) }
            @if frame.may(Role::Admin) {
                @for (action, text) in of_admins { button.quiet type="submit" name="do" value=(action) { (frame.say(text)) } }
            }
        }
    }
}

fn delivery_table(frame: &Frame, deliveries: &[Value]) -> Markup {
    let rows = deliveries.iter().map(|delivery| {
        let id = plain(delivery, "id");
        vec![
            html! { code { (id) } },
            parts::badge(frame, plain(delivery, "state")),
            parts::text(&delivery["attempts"]),
            parts::text(&delivery["status"]),
            parts::text(&delivery["error"]),
            frame.time(&delivery["tried_at"], None),
            html! {
                button.quiet type="submit" form="operate" name="replay" value=(id) { (frame.say(t::SEND_AGAIN)) }
            },
        ]
    });
    let columns = [
        Column::Words(t::DELIVERY),
        Column::Words(t::STATE),
        Column::Figures(t::ATTEMPTS),
        Column::Figures(t::STATUS),
        Column::Words(t::WHY),
        Column::Words(t::WHEN),
        Column::Controls(t::OPERATION),
    ];
    parts::table(frame, frame.say(t::DELIVERIES), &columns, rows.collect())
}

/// `POST /webhooks/{id}`: a test, a delivery sent again, a switch, another secret, or the end of it.
pub(super) async fn operate(Path(id): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let path = address::to("/v1/webhooks/{}", &[&id]);
    let page = Address::new("/webhooks/{}", &[&id]);
    if let Some(delivery) = visit.form.get("replay") {
        visit.send(Method::POST, &format!("{path}:replay"), &json!({ "delivery": delivery })).await?;
        return Ok(visit.go(page, "sent-again"));
    }
    match visit.form.get("do") {
        Some("test") => visit.send(Method::POST, &format!("{path}:test"), &json!({})).await?,
        Some("enable") => visit.send(Method::PATCH, &path, &json!({ "enabled": true })).await?,
        Some("disable") => visit.send(Method::PATCH, &path, &json!({ "enabled": false })).await?,
        Some("delete") => {
            visit.send(Method::DELETE, &path, &json!({})).await?;
            return Ok(visit.go(Address::new("/webhooks", &[]), "deleted"));
        }
        Some("rotate") => {
            let answer = visit.send(Method::POST, &format!("{path}:rotate-secret"), &json!({})).await?;
            return Ok(secret_page(&visit, Section::Webhooks, &id, &answer.body["secret"]));
        }
        _ => {
            let frame = &visit.frame;
            return Err(Failure::new(frame, StatusCode::BAD_REQUEST, frame.say(t::UNREADABLE_FORM)));
        }
    };
    Ok(visit.go(page, "saved"))
}
