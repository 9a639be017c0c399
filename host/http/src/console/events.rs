//! `/events`: what happened, newest first, and live while the page is open.

use axum::response::Response;
use maud::html;
use perennial_domain::event::EventKind;

use crate::console::address::Address;
use crate::console::event_rows;
use crate::console::failure::Failure;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::parts::items;
use crate::console::texts as t;
use crate::console::visit::Visit;

/// How far back the page looks at first, in seconds.
const WEEK: i64 = 7 * 86_400;
/// The most events on the page; later ones are what people look for.
const EVENTS_MAX: usize = 200;
/// What narrows the list.
const FILTER: [&str; 4] = ["account", "resource", "type", "since"];

/// `GET /events`: those of the last week, unless the address says otherwise.
pub(super) async fn list(visit: Visit) -> Result<Response, Failure> {
    let (frame, query) = (&visit.frame, &visit.query);
    let mut address = Address::new("/v1/events", &[]).with_each(query, &["account", "resource", "type"]);
    let since = query.get("since").map_or_else(|| (frame.now - WEEK).to_string(), str::to_owned);
    address =
        address.with("since", Some(&since)).with("limit", Some(1000)).with("cursor", query.get("cursor"));
    let page = visit.get(&address.text()).await?;
    let events = items(&page, "items");
    let caption = frame.fill(t::EVENTS_CAPTION, &[&events.len().to_string()]);
    let get = |name: &str| query.get(name).unwrap_or_default();
    let content = html! {
        form.filter method="get" action="/events" role="search" {
            (parts::field(frame, t::ACCOUNT, "account", get("account")))
            (parts::field(frame, t::RESOURCE, "resource", get("resource")))
            (parts::choice(frame, t::WHAT, "type", EventKind::TYPES, get("type")))
            (parts::field(frame, t::SINCE, "since", get("since")))
            button type="submit" { (frame.say(t::FILTER)) }
        }
        p.note data-follow="/events/stream" { (frame.say(t::LIVE)) }
        @if events.len() > EVENTS_MAX { p.note { (frame.fill(t::SHOWN_LAST, &[&EVENTS_MAX.to_string()])) } }
        div id="events" data-live="events" aria-live="polite" {
            (event_rows::table(frame, &caption, events.iter().rev().take(EVENTS_MAX)))
        }
        (parts::more(frame, "/events", &page, query, &FILTER))
    };
    Ok(layout::page(frame, Section::Events, frame.say(t::EVENTS), content))
}

/// `GET /events/stream`: the stream of the admin API, for the script of the pages.
pub(super) async fn stream(visit: Visit) -> Response {
    visit.stream(&Address::new("/v1/events:stream", &[]).with_each(&visit.query, &["cursor"]).text()).await
}
