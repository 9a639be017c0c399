//! `/preferences`: the language of the console, and the time zone that instants are written in. A browser keeps both.

use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::console::address;
use crate::console::failure::Failure;
use crate::console::frame::ZoneChoice;
use crate::console::sign_in;
use crate::console::texts as t;
use crate::console::visit;
use crate::console::visit::Visit;
use crate::views;
use perennial_formats::language::Language;

/// How long a browser keeps what was chosen, in seconds.
const YEAR: i64 = 365 * 86_400;

/// `POST /preferences`: what was chosen, and back to the page.
pub(super) async fn change(visit: Visit) -> Response {
    let form = &visit.form;
    let zone = match form.get("zone") {
        Some("own") => form.get("own_zone"),
        chosen => chosen,
    };
    let zone = zone.unwrap_or("utc");
    if ZoneChoice::read(zone).is_none() {
        let detail = visit.frame.fill(t::NO_SUCH_ZONE, &[zone]);
        return Failure::new(&visit.frame, StatusCode::UNPROCESSABLE_ENTITY, &detail).into_response();
    }
    let mut response = visit::see_other(&address::local(form.get("back")));
    let zone = views::path_segment(zone);
    let language = form.get("language").and_then(Language::of_tag).unwrap_or(visit.frame.language);
    for (name, value) in [(visit::ZONE_COOKIE, zone.as_str()), (visit::LANGUAGE_COOKIE, language.tag())] {
        let cookie = sign_in::cookie(name, value, YEAR, &HeaderMap::new(), true);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
