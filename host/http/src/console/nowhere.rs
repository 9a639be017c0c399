//! Paths that nothing is at: a browser is shown a page that says so; a program gets the problem of the admin API.

use axum::body::Body;
use axum::extract::FromRequest;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::header;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::console::failure::Failure;
use crate::console::texts as t;
use crate::console::visit::Console;
use crate::console::visit::Visit;
use crate::middleware;

/// What the paths of the admin API begin with: a person who writes one by hand wants its problem.
const API: &str = "/v1/";

/// Answers a request that is for no page of the console: the admin API does, or a page says that there is nothing.
pub(super) async fn answer(State(console): State<Console>, request: Request, next: Next) -> Response {
    let is_browsing = request.method() == Method::GET
        && wants_page(request.headers())
        && !request.uri().path().starts_with(API);
    if !is_browsing {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let response = next.run(Request::from_parts(parts.clone(), body)).await;
    if !middleware::is_of_no_route(&response) {
        return response;
    }
    let response = match Visit::from_request(Request::from_parts(parts, Body::empty()), &console).await {
        Ok(visit) => {
            let detail = visit.frame.fill(t::NOTHING_THERE, &[&visit.frame.path]);
            Failure::new(&visit.frame, StatusCode::NOT_FOUND, &detail).into_response()
        }
        Err(sign_in) => sign_in,
    };
    super::protected(response)
}

/// Whether a browser asks, which wants a page and says so.
fn wants_page(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.any(|types| types.contains("text/html"))
}
