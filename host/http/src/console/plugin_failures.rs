//! The parts of `/plugins` about failures: bundles that are parked, revisions that are not asked, and the buttons that have either
//! asked about again.

use axum::http::Method;
use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_formats::language::Text;
use perennial_service::admin_tokens::Role;
use serde_json::Value;
use serde_json::json;

use crate::console::address::Address;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::plain;
use crate::console::texts as t;
use crate::console::visit::Visit;

/// The revisions that fail over everything.
pub(super) fn breaker_table(frame: &Frame, breakers: &[Value]) -> Markup {
    let rows = breakers.iter().map(|breaker| {
        let revision = plain(breaker, "revision");
        vec![
            html! { code { (plain(breaker, "provider")) } },
            html! { code { (revision.get(..12).unwrap_or(revision)) } },
            parts::badge(frame, plain(breaker, "state")),
            parts::text(&breaker["failures"]),
            frame.time(&breaker["next_try_at"], None),
            html! { span lang="en" { (plain(breaker, "message")) } },
            release(frame, "revision", revision, breaker["state"] != "closed"),
        ]
    });
    let columns = [
        Column::Words(t::PROVIDER),
        Column::Words(t::REVISION),
        Column::Words(t::BREAKER),
        Column::Figures(t::FAILURES),
        Column::Words(t::NEXT_TRY),
        Column::Words(t::WHY),
        Column::Controls(t::OPERATION),
    ];
    section(
        frame,
        "breakers",
        t::BREAKERS,
        parts::table(frame, frame.say(t::BREAKERS), &columns, rows.collect()),
    )
}

/// The bundles that are parked.
pub(super) fn parked_table(frame: &Frame, parked: &[Value]) -> Markup {
    let rows = parked.iter().map(|bundle| {
        let provider = bundle["provider"].as_str();
        vec![
            parts::resource(&bundle["resource"]),
            parts::account(&bundle["account"]),
            frame.time(&bundle["parked_at"], provider),
            frame.time(&bundle["next_try_at"], provider),
            frame.time(&bundle["expires_at"], provider),
            parts::amount(&bundle["price"], &bundle["currency"]),
            html! { span lang="en" { (plain(bundle, "reason")) } },
            release(frame, "resource", plain(bundle, "resource"), true),
        ]
    });
    let columns = [
        Column::Words(t::RESOURCE),
        Column::Words(t::ACCOUNT),
        Column::Words(t::SINCE),
        Column::Words(t::NEXT_TRY),
        Column::Words(t::EXPIRES),
        Column::Figures(t::PRICE),
        Column::Words(t::WHY),
        Column::Controls(t::OPERATION),
    ];
    section(frame, "parked", t::PARKED, parts::table(frame, frame.say(t::PARKED), &columns, rows.collect()))
}

fn section(frame: &Frame, id: &str, title: Text, table: Markup) -> Markup {
    let title_id = format!("{id}-title");
    html! {
        section id=(id) data-live=(id) aria-labelledby=(title_id) {
            h2 id=(title_id) { (frame.say(title)) }
            (table)
        }
    }
}

/// The button that has something asked about again.
fn release(frame: &Frame, field: &str, value: &str, is_held: bool) -> Markup {
    html! {
        @if is_held && frame.may(Role::Operator) {
            form method="post" action="/plugins" {
                (frame.proof())
                button.quiet type="submit" name=(field) value=(value) aria-label={ (frame.say(t::RELEASE)) " " (value) } {
                    (frame.say(t::RELEASE))
                }
            }
        }
    }
}

/// `POST /plugins`: a parked bundle, or a revision, is asked about again.
pub(super) async fn release_one(visit: Visit) -> Result<Response, Failure> {
    let form = &visit.form;
    if let Some(revision) = form.get("revision") {
        visit.send(Method::POST, "/v1/plugins/breakers:release", &json!({ "revision": revision })).await?;
    } else {
        let resource = form.get("resource").unwrap_or_default();
        visit.send(Method::POST, "/v1/plugins/parked:release", &json!({ "resource": resource })).await?;
    }
    Ok(visit.go(Address::new("/plugins", &[]), "saved"))
}
