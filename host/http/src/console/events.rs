//! `/events`: what happened, newest first, and live while the page is open.

use axum::response::Response;
use maud::html;
use perennial_domain::event::EventKind;
use serde_json::Value;

use crate::console::address::Address;
use crate::console::event_rows;
use crate::console::failure::Failure;
use crate::console::layout;
use crate::console::layout::Section;
use crate::console::parts;
use crate::console::texts as t;
use crate::console::visit::Visit;

/// How far back the page looks, in seconds: an hour, a day, a month, and everything of a year.
const LOOKS_BACK: [i64; 4] = [3_600, 86_400, 31 * 86_400, 366 * 86_400];
/// How many pages of the API the newest events are looked for on.
const PAGES_MAX: usize = 10;
/// The most events on the page; later ones are what people look for.
const EVENTS_MAX: usize = 200;
/// What narrows the list.
const FILTER: [&str; 4] = ["account", "resource", "type", "since"];

/// `GET /events`: the newest, or those since an instant.
pub(super) async fn list(visit: Visit) -> Result<Response, Failure> {
    let (frame, query) = (&visit.frame, &visit.query);
    let address = Address::new("/v1/events", &[]).with_each(query, &["account", "resource", "type"]);
    let (events, next) = match query.instant("since") {
        Some(since) => since_instant(&visit, address.with("since", Some(since))).await?,
        None => (newest(&visit, &address).await?, Value::Null),
    };
    let caption = frame.fill(t::EVENTS_CAPTION, &[&events.len().to_string()]);
    let get = |name: &str| query.get(name).unwrap_or_default();
    let content = html! {
        form.filter method="get" action="/events" role="search" {
            (parts::field(frame, t::ACCOUNT, "account", get("account")))
            (parts::field(frame, t::RESOURCE, "resource", get("resource")))
            (parts::choice(frame, t::WHAT, "type", EventKind::TYPES, get("type")))
            (parts::instant_field(frame, t::SINCE, "since", get("since")))
            button type="submit" { (frame.say(t::FILTER)) }
        }
        p.note data-follow="/events/stream" { (frame.say(t::LIVE)) }
        @if events.len() == EVENTS_MAX { p.note { (frame.fill(t::SHOWN_LAST, &[&EVENTS_MAX.to_string()])) } }
        div id="events" data-live="events" aria-live="polite" {
            (event_rows::table(frame, &caption, events.iter().rev()))
        }
        (parts::more(frame, "/events", &next, query, &FILTER))
    };
    Ok(layout::page(frame, Section::Events, frame.say(t::EVENTS), content))
}

/// The newest events, the oldest of them first. The API begins with the oldest, so the page looks back further and further
/// until there are enough.
async fn newest(visit: &Visit, address: &Address) -> Result<Vec<Value>, Failure> {
    let mut events = Vec::new();
    for back in LOOKS_BACK {
        let since = address.clone().with("since", Some(visit.frame.now - back));
        (events, _) = visit.list(&since, PAGES_MAX).await?;
        if events.len() >= EVENTS_MAX {
            break;
        }
    }
    events.drain(..events.len().saturating_sub(EVENTS_MAX));
    Ok(events)
}

/// A page of the events since an instant, and what leads to the next one.
async fn since_instant(visit: &Visit, address: Address) -> Result<(Vec<Value>, Value), Failure> {
    let cursor = visit.query.get("cursor");
    let mut page = visit.get(&address.with("limit", Some(EVENTS_MAX)).with("cursor", cursor).text()).await?;
    let events = page["items"].take().as_array_mut().map(std::mem::take).unwrap_or_default();
    Ok((events, page))
}

/// `GET /events/stream`: the stream of the admin API, for the script of the pages.
pub(super) async fn stream(visit: Visit) -> Response {
    visit.stream(&Address::new("/v1/events:stream", &[]).with_each(&visit.query, &["cursor"]).text()).await
}
