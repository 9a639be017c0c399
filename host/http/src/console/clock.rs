//! `/clock`: how far the clock has come and, on virtual time, the form that moves it.

use axum::http::Method;
use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_domain::timestamp::Timestamp;
use perennial_service::admin_tokens::Role;
use serde_json::Value;
use serde_json::json;

use crate::console::address::Address;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::problems;
use crate::console::texts as t;
use crate::console::visit::Visit;

const DAY: i64 = 86_400;

/// `GET /clock`: where it stands, and what is wrong with it.
pub(super) async fn show(visit: Visit) -> Result<Response, Failure> {
    let frame = &visit.frame;
    let clock = visit.get("/v1/clock").await?;
    let ready = visit.get("/readyz").await?;
    let is_ready = if ready["ready"] == true { t::KEEPS_UP } else { t::NOT_READY };
    let kind = if clock["is_virtual"] == true { t::VIRTUAL_TIME } else { t::REAL_TIME };
    let content = html! {
        div id="clock" data-live="clock" {
            (parts::facts(&[
                (frame.say(t::STATE), html! { (frame.say(is_ready)) }),
                (frame.say(t::NOW), frame.time(&clock["now"], None)),
                (frame.say(t::TICKED_AT), frame.time(&clock["ticked_at"], None)),
                (frame.say(t::KIND_OF_TIME), html! { (frame.say(kind)) }),
            ]))
            @for problem in parts::items(&ready, "problems") { p.problem { (problems::detail(frame, problem.as_str().unwrap_or_default())) } }
        }
        @if clock["is_virtual"] == true && frame.may(Role::Admin) { (advance_form(frame)) }
    };
    Ok(layout::page(frame, Section::Clock, frame.say(t::CLOCK), content))
}

fn advance_form(frame: &Frame) -> Markup {
    let leaps = [("1", t::DAYS), ("7", t::DAYS), ("30", t::DAYS)];
    html! {
        form.act method="post" action="/clock" {
            (frame.proof())
            p { (frame.say(t::ADVANCE_LEAD)) }
            @for (days, unit) in leaps {
                button type="submit" name="days" value=(days) { "+ " (frame.fill(unit, &[days])) }
            }
        }
        form.act method="post" action="/clock" {
            (frame.proof())
            (parts::instant_field(frame, t::ADVANCE_TO, "to", &(frame.now + DAY).to_string()))
            button type="submit" { (frame.say(t::ADVANCE)) }
        }
    }
}

/// `POST /clock`: does what is due until then.
pub(super) async fn advance(visit: Visit) -> Result<Response, Failure> {
    let form = &visit.form;
    let days =
        form.get("days").and_then(|days| days.parse::<i64>().ok()).filter(|days| (1..=400).contains(days));
    let to = match days {
        Some(days) => Value::from(later(visit.frame.now, days).to_string()),
        None => json!(form.instant("to").unwrap_or_default()),
    };
    visit.send(Method::POST, "/v1/clock:advance", &json!({ "to": to })).await?;
    Ok(visit.go(Address::new("/clock", &[]), "advanced"))
}

fn later(now: Timestamp, days: i64) -> Timestamp {
    now + days * DAY
}
