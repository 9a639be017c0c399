//! `/openapi.json`: the description of the API, generated from the code.

use axum::Json;
use axum::Router;
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

const ABOUT: &str = "The admin API of the host. Amounts are decimals as text, instants are RFC 3339, errors are RFC 9457 \
problem details. A POST with an `Idempotency-Key` runs at most once: for a week, the same key and request get the same \
response. Lists are paginated: pass `next_cursor` as `cursor` to get the next page.";

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

/// Adds the route of the description, which needs no token.
pub fn serve(router: Router, api: OpenApi) -> Router {
    router.route("/openapi.json", get(|| async move { Json(api) }))
}
