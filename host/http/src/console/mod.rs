//! The console: pages for people, in front of the admin API, on the same listener.
//!
//! Every page is whole as it comes: links and forms, in Chinese and English, for which no script is needed; the one script
//! keeps pages up to date. What a page shows it reads from the admin API, in this process and in the name of the token that
//! signed in (`visit`), so it knows no second truth and can do nothing that the token could not.

mod account_settings;
mod accounts;
mod address;
mod ahead;
mod approvals;
mod assets;
mod audit;
mod balances;
mod calendar;
mod calls;
mod channels;
mod clock;
mod cloud;
mod commands;
mod danger;
mod entered;
mod event_rows;
mod events;
mod failure;
mod forecast;
mod frame;
mod jobs;
mod lanes;
mod language;
mod layout;
mod nowhere;
mod package_risk;
mod parts;
mod plan;
mod plugin_changes;
mod plugin_evidence;
mod plugin_failures;
mod plugin_revisions;
mod plugins;
mod policies;
mod policy_source;
mod policy_trials;
mod preferences;
mod problems;
mod renewals;
mod resource;
mod resources;
mod risk;
mod routes;
mod session;
mod setbacks;
mod sign_in;
mod submission;
mod templates;
mod texts;
mod today;
mod token_names;
mod tokens;
mod visit;
mod webhooks;
mod words;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::header;
use axum::middleware;
use axum::middleware::Next;
use axum::response::Response;
use perennial_service::secrets::SecretBox;

use crate::admin;
use crate::console::session::EndedSessions;
use crate::console::visit::Console;
use crate::middleware as shared;
use crate::state::AppState;

/// What a page may load and do: nothing but its own style, script, pictures, requests and forms.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The console and, beside it, the admin API, each with the middleware of all requests.
///
/// # Errors
///
/// [`getrandom::Error`] when the system has no random bits for the key of sessions.
pub fn router(app: &AppState) -> Result<Router, getrandom::Error> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)?;
    let api = admin::inner_router(app);
    let (own_box, ended) = (SecretBox::new(&key), EndedSessions::default());
    let console = Console { app: app.clone(), api: api.clone(), own_box, ended };
    let others = Router::new()
        .fallback_service(api)
        .layer(middleware::from_fn_with_state(console.clone(), nowhere::answer));
    let pages =
        shared::name_routes(routes::all().router.with_state(console)).layer(middleware::from_fn(protect));
    Ok(shared::limit(app, pages.fallback_service(others)))
}

/// The path of every page, as it is routed: `{id}`, `{name}` and `{digest}` stand for one thing of a list. What looks at every
/// page, such as a test or a benchmark, begins with these, so that it cannot forget one.
pub fn page_paths() -> Vec<&'static str> {
    routes::all().pages
}

/// Has a browser keep to what the console does.
async fn protect(request: Request, next: Next) -> Response {
    protected(next.run(request).await)
}

/// A response that has a browser do so.
fn protected(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // `no-referrer` would have browsers hide the origin of forms.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
