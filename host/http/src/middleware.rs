//! The middleware of every request: request ID, permit, time limit and log line. Every failure becomes a problem.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::MatchedPath;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::middleware;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::admin::forecast;
use crate::admin::policy_trials;
use crate::admin::revision_backtest;
use crate::host_header;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::request_id::RequestId;
use crate::request_place;
use crate::request_place::RequestPlace;
use crate::route_table;
use crate::state::AppState;
use perennial_engine::clock::Stopwatch;
use perennial_service::limits::Limit;
use perennial_service::limits::Limits;
use perennial_service::limits::time_text;

/// The paths that never wait for a permit: each costs little, and has a reader of its own.
const WATCHED: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// As many hexadecimal digits in a row may be a secret: tokens and calendars have 64, and ids of providers at most 32.
const SECRET_DIGITS_MIN: usize = 40;

/// The page of the console that waits for a forecast.
pub(crate) const CONSOLE_FORECAST: &str = "/forecast";
/// The form of the console that waits for a comparison of policies.
pub(crate) const CONSOLE_COMPARISON: &str = "/policy-comparison";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The version of the host, by which a client knows whether it speaks with one of its own.
pub const VERSION: HeaderName = HeaderName::from_static("x-perennial-version");

/// The documented path of the route that made a response.
#[derive(Clone, Debug)]
struct MatchedRoute(String);

/// Wraps the router of the admin API in the middleware. `verbs` are those that a path may end with, behind a colon.
pub(crate) fn wrap(app: &AppState, router: Router, verbs: Vec<String>) -> Router {
    limit(app, api(router, verbs))
}

/// The admin API without permits, time limits and request IDs: what a request in this process, which has them already,
/// is sent to.
pub(crate) fn api(router: Router, verbs: Vec<String>) -> Router {
    let verbs: Arc<[String]> = verbs.into();
    let inner = name_routes(router)
        .fallback(|| async {
            Problem::new(ProblemType::NotFound, "there is no such route; see /openapi.json")
        })
        .method_not_allowed_fallback(|| async {
            Problem::new(ProblemType::MethodNotAllowed, "the header `Allow` says which methods the route has")
        });
    // The path is rewritten before routing; a layer of the inner router would run too late.
    Router::new().fallback_service(inner).layer(middleware::from_fn_with_state(verbs, rewrite_verb))
}

/// Has every response say which route made it, for the log and the metrics.
pub(crate) fn name_routes(router: Router) -> Router {
    router.layer(middleware::from_fn(record_route))
}

/// Gives every request an ID, a permit and a time limit, and refuses those that are for two hosts.
pub(crate) fn limit(app: &AppState, router: Router) -> Router {
    router
        .layer(middleware::from_fn_with_state(app.clone(), enforce_limits))
        .layer(middleware::from_fn(refuse_two_hosts))
        .layer(middleware::from_fn_with_state(app.clone(), assign_request_id))
}

/// Whether a response is of no route at all, and not of one that has nothing to show.
pub(crate) fn is_of_no_route(response: &Response) -> bool {
    response.status() == StatusCode::NOT_FOUND && response.extensions().get::<MatchedRoute>().is_none()
}

async fn record_route(path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(path) = path {
        response.extensions_mut().insert(MatchedRoute(route_table::documented_path(path.as_str())));
    }
    response
}

async fn rewrite_verb(State(verbs): State<Arc<[String]>>, mut request: Request, next: Next) -> Response {
    if let Some(path) = route_table::rewrite_path(request.uri().path(), &verbs) {
        let whole = match request.uri().query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let mut parts = request.uri().clone().into_parts();
        if let Ok(path) = PathAndQuery::try_from(whole) {
            parts.path_and_query = Some(path);
        }
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    next.run(request).await
}

async fn refuse_two_hosts(request: Request, next: Next) -> Response {
    if host_header::is_repeated(request.headers()) {
        let detail = "it has more than one `Host` header; send one";
        return Problem::new(ProblemType::BadRequest, detail).into_response();
    }
    next.run(request).await
}

/// Gives the request a place and a time limit; with a body, it takes its place once that has come. It runs as a task of its
/// own: it goes on when the client disconnects, and a panic stays within it.
async fn enforce_limits(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let place = RequestPlace::new(app.request_permits());
    // A monitor must not take a busy host for a dead one.
    let is_watched = WATCHED.contains(&request.uri().path());
    if request_place::has_body(&request) {
        request.extensions_mut().insert(place.clone());
    } else if !is_watched && let Err(problem) = place.take() {
        return problem.into_response();
    }
    let (key, limit) = time_limit(app.limits(), request.uri().path());
    let task = tokio::spawn(async move {
        let response = next.run(request).await;
        drop(place);
        response
    });
    match tokio::time::timeout(limit, task).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            Problem::new(ProblemType::Internal, "the host failed; its log says why").into_response()
        }
        Err(_) => {
            let detail = format!(
                "it took more than {} ({key}) and may still complete; repeat it with the same `Idempotency-Key`",
                time_text(limit)
            );
            Problem::new(ProblemType::TimedOut, detail).retry_after(5).into_response()
        }
    }
}

/// The time limit of a request to `path`.
fn time_limit(limits: &Limits, path: &str) -> (Limit, Duration) {
    let is_forecast = [
        forecast::PATH,
        policy_trials::COMPARE_PATH,
        revision_backtest::PATH,
        CONSOLE_FORECAST,
        CONSOLE_COMPARISON,
    ]
    .contains(&path);
    match is_forecast {
        true => (Limit::forecast_seconds(), limits.forecast_seconds),
        false => (Limit::request_seconds(), limits.request_seconds),
    }
}

/// Gives the request an ID, counts it and logs it.
async fn assign_request_id(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let client_id = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let id =
        client_id.filter(|id| is_loggable(id)).map_or_else(|| app.requests().request_id(), str::to_owned);
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let watch = Stopwatch::start();
    let mut response = next.run(request).await;
    let seconds = watch.seconds();
    let route = response.extensions().get::<MatchedRoute>().map(|route| route.0.clone());
    let status = response.status().as_u16();
    app.requests().observe(method.as_str(), route.as_deref().unwrap_or("none"), status, seconds);
    let path = route.as_ref().map_or("(no such route)".into(), |_| loggable_path(&path));
    tracing::info!(request = %id, %method, path = &*path, status, seconds, "answered");
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response.headers_mut().insert(VERSION, HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
    response
}

/// The path for the log: a segment that may hold a secret, such as a calendar's or a token that was sent in the wrong
/// place, is left out. IDs are shorter.
pub(crate) fn loggable_path(path: &str) -> Cow<'_, str> {
    let is_secret = |segment: &str| {
        let mut runs = segment.split(|character: char| !character.is_ascii_hexdigit());
        runs.any(|run| run.len() >= SECRET_DIGITS_MIN)
    };
    if !path.split('/').any(is_secret) {
        return Cow::Borrowed(path);
    }
    let segments = path.split('/').map(|segment| if is_secret(segment) { "…" } else { segment });
    Cow::Owned(segments.collect::<Vec<_>>().join("/"))
}

fn is_loggable(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_has_no_secret() {
        let secret = "0123456789abcdef".repeat(4);
        for (path, shown) in [
            (format!("/calendars/{secret}.ics"), "/calendars/…"),
            (format!("//calendars/{secret}.ics"), "//calendars/…"),
            (format!("/v1/accounts/pn_0123456789ab_{secret}:top-up"), "/v1/accounts/…"),
            (format!("/v1/accounts/{}", secret.to_uppercase()), "/v1/accounts/…"),
            (
                "/v1/resources/0123456789abcdef0123456789abcdef".to_owned(),
                "/v1/resources/0123456789abcdef0123456789abcdef",
            ),
            ("/v1/calendars".to_owned(), "/v1/calendars"),
        ] {
            assert_eq!(loggable_path(&path), shown);
        }
    }
}
