//! `/openapi.json` and `/docs`: the description of the API, generated from the code, for programs and for people.
//!
//! Both are made once, when the router is, and kept as bytes with their version: neither takes a token, so neither may
//! cost anything.

mod documentation;
mod examples;
mod finish;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use utoipa::PartialSchema;
use utoipa::ToSchema;
use utoipa::openapi::Components;
use utoipa::openapi::InfoBuilder;
use utoipa::openapi::OpenApi;
use utoipa::openapi::OpenApiBuilder;
use utoipa::openapi::security::HttpAuthScheme;
use utoipa::openapi::security::HttpBuilder;
use utoipa::openapi::security::SecurityScheme;

use crate::problem::FieldError;
use crate::problem::ProblemDetails;
use crate::views;

pub(crate) use examples::of_problem;

const ABOUT: &str = "The admin API of the host. Amounts are decimals as text, instants are RFC 3339, errors are RFC 9457 \
problem details. A POST with an `Idempotency-Key` runs at most once: for a week of the host's clock, the same key and request get the same \
response; a key that is older may run again. Where the plan has changed, nothing is done, and the key is free. Lists are paginated: pass `next_cursor` as `cursor` to get the next page.";

/// A description without routes.
pub fn empty() -> OpenApi {
    let mut components = Components::new();
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token from `perennial token create` or `POST /v1/tokens`."));
    components.add_security_scheme("token", SecurityScheme::Http(token.build()));
    let mut schemas = Vec::new();
    ProblemDetails::schemas(&mut schemas);
    components.schemas.extend(schemas);
    components.schemas.insert("Problem".to_owned(), ProblemDetails::schema());
    components.schemas.insert(FieldError::name().into_owned(), FieldError::schema());
    let info =
        InfoBuilder::new().title("Perennial").version(env!("CARGO_PKG_VERSION")).description(Some(ABOUT));
    OpenApiBuilder::new().info(info).components(Some(components)).build()
}

/// Adds the routes of the description, which need no token.
pub fn serve(router: Router, api: OpenApi) -> Router {
    let description = finish::finish(api);
    let page = documentation::render(&description);
    let json = Document::new("application/json", None, description.to_string());
    let html = Document::new("text/html; charset=utf-8", Some(page.policy), page.html);
    let route = |document: Document| {
        let document = Arc::new(document);
        get(move |headers: HeaderMap| async move { document.respond(&headers) })
    };
    router.route("/openapi.json", route(json)).route("/docs", route(html))
}

/// A response that is always the same.
struct Document {
    body: Bytes,
    headers: Vec<(HeaderName, HeaderValue)>,
    etag: String,
}

impl Document {
    fn new(content_type: &'static str, policy: Option<String>, body: String) -> Document {
        let etag = views::etag(&body);
        let mut headers = vec![
            (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
            (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        ];
        headers.extend(HeaderValue::try_from(&etag).map(|etag| (header::ETAG, etag)));
        let policy = policy.map(|policy| HeaderValue::try_from(policy).expect("a policy is plain text"));
        headers.extend(policy.map(|policy| (header::CONTENT_SECURITY_POLICY, policy)));
        Document { body: body.into(), headers, etag }
    }

    fn respond(&self, request: &HeaderMap) -> Response {
        let mut response = match views::matches_etag(request, &self.etag) {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => Response::new(self.body.clone().into()),
        };
        response.headers_mut().extend(self.headers.iter().cloned());
        response
    }
}
