//! `/renewals`: everything that is to be renewed, as the providers' own pages of this name have it. Search criteria; renew
//! or set auto-renew one by one or in a batch; buy a package again.

use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_service::admin_tokens::Role;
use serde_json::Value;

use crate::console::address;
use crate::console::address::Address;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::plain;
use crate::console::resources;
use crate::console::texts as t;
use crate::console::visit;
use crate::console::visit::LIST_MAX;
use crate::console::visit::Visit;

/// How far ahead the page looks at first, in seconds.
const MONTH: i64 = 31 * 86_400;
/// The most rows on the page; the soonest to expire are there.
const ROWS_MAX: usize = 150;

/// `GET /renewals`: what expires soon, and packages.
pub(super) async fn list(visit: Visit) -> Result<Response, Failure> {
    let frame = &visit.frame;
    if let Some(id) = visit.query.get("id") {
        return Ok(visit::see_other(&address::to("/resources/{}", &[id])));
    }
    let before = visit.query.instant("expires_before").unwrap_or_else(|| (frame.now + MONTH).to_string());
    // What is done to all that pass the filter is done to what the page shows.
    let query = &visit.query.clone().with("expires_before", &before);
    let address = Address::new("/v1/resources", &[]).with_each(query, &resources::FILTER);
    let by = resources::sort(query).filter(|by| *by != "added").unwrap_or("expires_at");
    let page = visit.get(&address.with("sort", Some(by)).with("limit", Some(LIST_MAX)).text()).await?;
    let mut due = resources::of_their_own(&page);
    // What has ended is renewed no more.
    due.retain(|resource| {
        query.get("stage").is_some() || ["active", "grace", "retention"].contains(&plain(resource, "stage"))
    });
    let packages = visit.get("/v1/packages?limit=200").await?;
    let has_more = page["next_cursor"].is_string() || due.len() > ROWS_MAX;
    due.truncate(ROWS_MAX);
    let content = html! {
        p { (frame.say(t::RENEWALS_LEAD)) }
        (resources::filter_form(frame, "/renewals", query))
        @if has_more { p.note { (frame.say(t::ONLY_THE_FIRST)) } }
        (resources::job_form(frame, query, due_table(frame, &due)))
        section.titled aria-labelledby="packages" {
            h2 id="packages" { (frame.say(t::PACKAGES)) }
            (package_table(frame, parts::items(&packages, "items")))
        }
    };
    Ok(layout::page(frame, Section::Renewals, frame.say(t::RENEWALS), content))
}

fn due_table(frame: &Frame, due: &[Value]) -> Markup {
    let may_act = frame.may(Role::Operator);
    let rows = due.iter().map(|resource| {
        let id = plain(resource, "id");
        let provider = resource["provider"].as_str();
        let plan = |command: &str| Address::new("/resources/{}/plan", &[id]).with("command", Some(command)).text();
        let toggle = if plain(resource, "on_expiry") == "renew" { "cancel_auto_renew" } else { "set_auto_renew" };
        let mut row = vec![
            parts::resource(&resource["id"]),
            parts::account(&resource["account"]),
            parts::badge(frame, plain(resource, "stage")),
            frame.time(&resource["expires_at"], provider),
            html! {
                (parts::badge(frame, plain(resource, "on_expiry")))
                @if resource["renewal_term"].is_object() { " " (frame.term(&resource["renewal_term"])) }
            },
            parts::amount(&resource["price"], &resource["currency"]),
        ];
        if may_act {
            row.insert(0, html! {
                input type="checkbox" name="id" value=(id) aria-label=(frame.fill(t::CHOOSE, &[id])) form="job";
            });
            row.push(html! {
                a.act href=(plan("renew")) { (frame.word("renew")) } " "
                a.act href=(plan(toggle)) { (frame.word(toggle)) }
            });
        }
        row
    });
    let mut columns = vec![
        Column::Words(t::RESOURCE),
        Column::Words(t::ACCOUNT),
        Column::Words(t::STAGE),
        Column::Words(t::EXPIRES),
        Column::Words(t::ON_EXPIRY),
        Column::Figures(t::PRICE),
    ];
    if may_act {
        columns.insert(0, Column::Controls(t::CHOICE));
        columns.push(Column::Words(t::OPERATION));
    }
    let sums = parts::sums(due.iter().map(|resource| (&resource["price"], &resource["currency"])));
    let caption = frame.fill(t::DUE_CAPTION, &[&due.len().to_string(), &sums]);
    parts::table(frame, &caption, &columns, rows.collect())
}

fn package_table(frame: &Frame, packages: &[Value]) -> Markup {
    let rows = packages.iter().map(|resource| {
        let (package, provider) = (&resource["package"], resource["provider"].as_str());
        vec![
            parts::resource(&resource["id"]),
            parts::account(&resource["account"]),
            parts::badge(frame, plain(resource, "stage")),
            html! { (parts::text(&package["left"])) " / " (parts::text(&package["quota"])) " " (parts::text(&package["unit"])) },
            frame.time(&resource["expires_at"], provider),
            parts::amount(&resource["price"], &resource["currency"]),
            html! {
                @if frame.may(Role::Operator) {
                    a.act href=(address::to("/resources/{}/plan?command=buy_again", &[plain(resource, "id")])) {
                        (frame.word("buy_again"))
                    }
                }
            },
        ]
    });
    let columns = [
        Column::Words(t::RESOURCE),
        Column::Words(t::ACCOUNT),
        Column::Words(t::STAGE),
        Column::Figures(t::LEFT),
        Column::Words(t::EXPIRES),
        Column::Figures(t::PRICE),
        Column::Words(t::OPERATION),
    ];
    parts::table(frame, frame.say(t::PACKAGES), &columns, rows.collect())
}
