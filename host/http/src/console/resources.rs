//! `/resources`: the resources that pass a filter, which stands in the address; those that are chosen become a job.

use axum::response::Response;
use maud::Markup;
use maud::html;
use perennial_service::admin_tokens::Role;
use serde_json::Value;

use crate::console::address;
use crate::console::address::Address;
use crate::console::address::Parameters;
use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::parts::Column;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::texts as t;
use crate::console::visit;
use crate::console::visit::Visit;

/// What narrows the list, as the admin API calls it.
pub(super) const FILTER: [&str; 7] =
    ["account", "provider", "kind", "stage", "tag", "expires_from", "expires_before"];
/// How many rows a page has.
const ROWS_MAX: usize = 150;
/// The stages of a resource.
pub(super) const STAGES: [&str; 6] =
    ["active", "grace", "retention", "released", "unsubscribed", "converted"];
/// What the list can be sorted by.
const SORTS: [&str; 4] = ["added", "expires_at", "price", "id"];

/// `GET /resources`: a page of those that pass the filter.
pub(super) async fn list(visit: Visit) -> Result<Response, Failure> {
    let (frame, query) = (&visit.frame, &visit.query);
    if let Some(id) = query.get("id") {
        return Ok(visit::see_other(&address::to("/resources/{}", &[id])));
    }
    let address = Address::new("/v1/resources", &[]).with_each(query, &FILTER);
    let address = address.with("sort", sort(query)).with("cursor", query.get("cursor"));
    let mut page = visit.get(&address.with("limit", Some(ROWS_MAX)).text()).await?;
    let resources = page["items"].take().as_array_mut().map(std::mem::take).unwrap_or_default();
    let content = html! {
        (filter_form(frame, "/resources", query))
        (job_form(frame, query, table(frame, &resources)))
        (parts::more(frame, "/resources", &page, query, &[&FILTER[..], &["sort"]].concat()))
    };
    Ok(layout::page(frame, Section::Resources, frame.say(t::RESOURCES), content))
}

/// What the reader sorts the list by; an address that says something else says nothing.
pub(super) fn sort(query: &Parameters) -> Option<&str> {
    query.get("sort").filter(|by| SORTS.contains(by))
}

/// The form that narrows a list of resources.
pub(super) fn filter_form(frame: &Frame, path: &str, query: &Parameters) -> Markup {
    let get = |name: &str| query.get(name).unwrap_or_default();
    html! {
        form.filter method="get" action=(path) role="search" {
            (parts::field(frame, t::RESOURCE_ID, "id", ""))
            (parts::field(frame, t::ACCOUNT, "account", get("account")))
            (parts::field(frame, t::PROVIDER, "provider", get("provider")))
            (parts::field(frame, t::KIND, "kind", get("kind")))
            (parts::choice(frame, t::STAGE, "stage", &STAGES, get("stage")))
            (parts::field(frame, t::TAG, "tag", get("tag")))
            (parts::instant_field(frame, t::EXPIRES_FROM, "expires_from", get("expires_from")))
            (parts::instant_field(frame, t::EXPIRES_BEFORE, "expires_before", get("expires_before")))
            label {
                span { (frame.say(t::SORT)) }
                select name="sort" {
                    @for by in SORTS { option value=(by) selected[by == get("sort")] { (frame.word(by)) } }
                }
            }
            button type="submit" { (frame.say(t::FILTER)) }
        }
    }
}

/// A table of resources, each of which can be chosen by somebody who may command them.
pub(super) fn table(frame: &Frame, resources: &[Value]) -> Markup {
    let may_choose = frame.may(Role::Operator);
    let rows = resources.iter().map(|resource| {
        let id = plain(resource, "id");
        let provider = resource["provider"].as_str();
        let mut row = vec![
            html! {
                (parts::resource(&resource["id"]))
                @if resource["attached_to"].is_string() {
                    " " small { (frame.say(t::ATTACHED_TO)) " " (parts::resource(&resource["attached_to"])) }
                }
                @if let Some(problem) = resource["problem"].as_str() { " " small.bad { (problem) } }
            },
            parts::text(&resource["kind"]),
            parts::account(&resource["account"]),
            parts::badge(frame, plain(resource, "stage")),
            frame.time(&resource["expires_at"], provider),
            html! {
                (parts::badge(frame, plain(resource, "on_expiry")))
                @if resource["renewal_term"].is_object() { " " (frame.term(&resource["renewal_term"])) }
            },
            parts::amount(&resource["price"], &resource["currency"]),
            parts::few_tags(&resource["tags"]),
        ];
        if may_choose {
            row.insert(0, html! {
                input type="checkbox" name="id" value=(id) aria-label=(frame.fill(t::CHOOSE, &[id])) form="job";
            });
        }
        row
    });
    let mut columns = vec![
        Column::Words(t::RESOURCE),
        Column::Words(t::KIND),
        Column::Words(t::ACCOUNT),
        Column::Words(t::STAGE),
        Column::Words(t::EXPIRES),
        Column::Words(t::ON_EXPIRY),
        Column::Figures(t::PRICE),
        Column::Words(t::TAGS),
    ];
    if may_choose {
        columns.insert(0, Column::Controls(t::CHOICE));
    }
    let caption = frame.fill(t::RESOURCES_CAPTION, &[&resources.len().to_string()]);
    parts::table(frame, &caption, &columns, rows.collect())
}

/// A table, and below it what can be done with those that are chosen, or with all that pass the filter.
pub(super) fn job_form(frame: &Frame, query: &Parameters, table: Markup) -> Markup {
    html! {
        (table)
        @if frame.may(Role::Operator) {
            form.job id="job" method="post" action="/jobs" {
                (frame.proof())
                @for name in FILTER {
                    @if let Some(value) = query.get(name) { input type="hidden" name=(name) value=(value); }
                }
                fieldset {
                    legend { (frame.say(t::WITH_MANY)) }
                    label.inline { input type="radio" name="which" value="chosen" checked; (frame.say(t::CHOSEN_ONES)) }
                    @if FILTER.iter().any(|name| query.get(name).is_some()) {
                        label.inline {
                            input type="radio" name="which" value="filter";
                            (frame.say(t::ALL_OF_FILTER))
                        }
                    }
                    (commands(frame))
                    (parts::term_choice(frame, t::PERIOD, t::OWN_TERM))
                    (parts::field(frame, t::REASON, "reason", ""))
                    button type="submit" { (frame.say(t::LOOK_FIRST)) }
                }
            }
        }
    }
}

/// The commands that a job can be made of.
fn commands(frame: &Frame) -> Markup {
    html! {
        label {
            span { (frame.say(t::COMMAND)) }
            select name="command" {
                @for command in ["renew", "set_auto_renew", "cancel_auto_renew", "convert_on_expiry", "cancel_conversion"] {
                    option value=(command) { (frame.word(command)) }
                }
            }
        }
    }
}

/// The rows of a list of the API whose `attached_to` and `package` are null: what is renewed by itself.
pub(super) fn of_their_own(page: &Value) -> Vec<Value> {
    let is_own = |resource: &&Value| resource["attached_to"].is_null();
    items(page, "items").iter().filter(is_own).cloned().collect()
}
