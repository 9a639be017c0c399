//! The middleware of every request: request ID, permit, time limit and log line. Every failure becomes a problem.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::MatchedPath;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::middleware;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::admin;
use crate::admin::forecast;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::route_table;
use crate::state::AppState;
use perennial_engine::clock::Stopwatch;
use perennial_service::limits::Limits;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The request ID: `X-Request-ID` if it is safe to log, else a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestId(pub String);

/// The documented path of the route that made a response.
#[derive(Clone, Debug)]
struct MatchedRoute(String);

/// Wraps the router in the middleware.
pub(crate) fn wrap(app: &AppState, router: Router) -> Router {
    let verbs: Arc<[String]> = route_table::verbs(admin::routes(app).routes()).into();
    let inner = router
        .layer(middleware::from_fn(record_route))
        .fallback(|| async {
            Problem::new(ProblemType::NotFound, "there is no such route; see /openapi.json")
        })
        .method_not_allowed_fallback(|| async {
            Problem::new(ProblemType::MethodNotAllowed, "the header `Allow` says which methods the route has")
        });
    // The path is rewritten before routing; a layer of the inner router would run too late.
    Router::new()
        .fallback_service(inner)
        .layer(middleware::from_fn_with_state(verbs, rewrite_verb))
        .layer(middleware::from_fn_with_state(app.clone(), enforce_limits))
        .layer(middleware::from_fn_with_state(app.clone(), assign_request_id))
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

/// Gives the request a permit and a time limit. It runs as a task of its own: it goes on when the client disconnects,
/// and a panic stays within it.
async fn enforce_limits(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let permit = Arc::clone(app.request_permits()).try_acquire_owned().ok();
    // A liveness probe must not take a busy host for a dead one.
    if permit.is_none() && request.uri().path() != "/healthz" {
        return Problem::new(ProblemType::Unavailable, "too many requests are in flight")
            .retry_after(1)
            .into_response();
    }
    let limit = Duration::from_secs(time_limit_seconds(app.limits(), request.uri().path()));
    let task = tokio::spawn(async move {
        let response = next.run(request).await;
        drop(permit);
        response
    });
    match tokio::time::timeout(limit, task).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            Problem::new(ProblemType::Internal, "the host failed; its log says why").into_response()
        }
        Err(_) => {
            let detail = "it may still complete; repeat it with the same `Idempotency-Key`";
            Problem::new(ProblemType::TimedOut, detail).retry_after(5).into_response()
        }
    }
}

/// The time limit of a request to `path`, in seconds.
fn time_limit_seconds(limits: &Limits, path: &str) -> u64 {
    if path == forecast::PATH { limits.forecast_seconds } else { limits.request_seconds }
}

/// Gives the request an ID, counts it and logs it.
async fn assign_request_id(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let client_id = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let id =
        client_id.filter(|id| is_loggable(id)).map_or_else(|| app.requests().request_id(), str::to_owned);
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path) = (request.method().clone(), loggable_path(request.uri().path()).to_owned());
    let watch = Stopwatch::start();
    let mut response = next.run(request).await;
    let seconds = watch.seconds();
    let route = response.extensions().get::<MatchedRoute>().map(|route| route.0.clone());
    let status = response.status().as_u16();
    app.requests().observe(method.as_str(), route.as_deref().unwrap_or("none"), status, seconds);
    tracing::info!(request = %id, %method, path, status, seconds, "answered");
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The path for the log, without the secret of a calendar.
fn loggable_path(path: &str) -> &str {
    if path.starts_with("/calendars/") { "/calendars/…" } else { path }
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
        assert_eq!(loggable_path("/calendars/0123.ics"), "/calendars/…");
        assert_eq!(loggable_path("/v1/calendars"), "/v1/calendars");
    }
}
