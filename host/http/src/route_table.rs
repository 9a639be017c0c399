//! The table of routes: the path, the access check and the OpenAPI description of each.
//!
//! The router matches whole segments only, so it knows `/v1/accounts/{id}:top-up` as `/v1/accounts/{id}/:top-up`;
//! [`rewrite_path`] turns the first into the second. The headers and problems that all routes share are described here,
//! once.

use axum::Router;
use axum::extract::MatchedPath;
use axum::extract::Request;
use axum::extract::State;
use axum::middleware;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;
use utoipa::openapi::ContentBuilder;
use utoipa::openapi::Header;
use utoipa::openapi::ObjectBuilder;
use utoipa::openapi::OpenApi;
use utoipa::openapi::Ref;
use utoipa::openapi::RefOr;
use utoipa::openapi::Required;
use utoipa::openapi::ResponseBuilder;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::path::Operation;
use utoipa::openapi::path::ParameterBuilder;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::SecurityRequirement;
use utoipa_axum::router::UtoipaMethodRouter;

use crate::auth;
use crate::openapi;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::refusals;
use crate::server::AuthenticatedMark;
use crate::state::AppState;
use perennial_service::admin_tokens::Role;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a token.
    Open,
    /// Tokens of this role or a more powerful one.
    Role(Role),
}

/// One method on one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method, such as `POST`.
    pub method: &'static str,
    /// The documented path.
    pub path: String,
    /// The roles that may call it.
    pub access: Access,
}

/// The routes, their router and their description.
pub struct RouteTable {
    app: AppState,
    router: Router<AppState>,
    api: OpenApi,
    routes: Vec<Route>,
}

impl RouteTable {
    /// An empty table.
    pub fn new(app: &AppState) -> RouteTable {
        RouteTable {
            app: app.clone(),
            router: Router::new().without_v07_checks(),
            api: openapi::empty(),
            routes: Vec::new(),
        }
    }

    /// Adds the route that `utoipa_axum::routes!` makes of a handler. `access` is checked before the handler runs, and
    /// the description gets the parts that all routes share.
    pub fn add(
        mut self,
        access: Access,
        (schemas, mut paths, methods): UtoipaMethodRouter<AppState>,
    ) -> RouteTable {
        let methods = match access {
            Access::Open => methods,
            Access::Role(role) => {
                methods.layer(middleware::from_fn_with_state((self.app.clone(), role), authorize))
            }
        };
        let mut methods = Some(methods);
        for (path, item) in &mut paths.paths {
            if let Some(methods) = methods.take() {
                self.router = self.router.route(&router_path(path), methods);
            }
            for (method, operation) in operations(item) {
                self.routes.push(Route { method: method_name(&method), path: path.clone(), access });
                describe(operation, path, &method, access);
            }
        }
        let components = self.api.components.get_or_insert_default();
        components.schemas.extend(schemas);
        for (path, item) in paths.paths {
            match self.api.paths.paths.get_mut(&path) {
                Some(known) => known.merge_operations(item),
                None => drop(self.api.paths.paths.insert(path, item)),
            }
        }
        self
    }

    /// Every route that was added, in that order.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The router and the description.
    pub fn finish(self) -> (Router, OpenApi) {
        (self.router.with_state(self.app), self.api)
    }
}

/// Authenticates a request, checks the role of its token and takes a slot of the token and of its person.
async fn authorize(
    State((app, role)): State<(AppState, Role)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = match auth::caller(app.tokens(), request.extensions(), request.headers(), app.now()) {
        Ok(caller) => caller,
        Err(problem) => {
            return Err(refusals::record(&app, &request, operation(&request), None, problem).await);
        }
    };
    if caller.role < role {
        let detail =
            format!("this requires the role `{}`; the token has `{}`", role.name(), caller.role.name());
        let problem = Problem::new(ProblemType::Forbidden, detail);
        return Err(refusals::record(&app, &request, operation(&request), Some(&caller), problem).await);
    }
    let _slots = app.acquire_slots(&caller.id, &caller.owner)?;
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await.into_response();
    response.extensions_mut().insert(AuthenticatedMark);
    Ok(response)
}

/// The method and the documented path of a request, as the audit log has them.
fn operation(request: &Request) -> String {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    format!("{} {}", request.method(), documented_path(path))
}

/// The path of the router for a documented path.
fn router_path(path: &str) -> String {
    let (parent, last) = path.rsplit_once('/').unwrap_or(("", path));
    match last.split_once(':') {
        Some((name, verb)) => format!("{parent}/{name}/:{verb}"),
        None => path.to_owned(),
    }
}

/// The documented path for a path of the router.
pub(crate) fn documented_path(path: &str) -> String {
    path.replace("/:", ":")
}

/// Rewrites the path of a request for the router, if its last segment ends in one of `verbs`.
pub(crate) fn rewrite_path(path: &str, verbs: &[String]) -> Option<String> {
    let (name, verb) = path.rsplit_once(':')?;
    let is_verb = !verb.contains('/') && verbs.iter().any(|known| known == verb);
    is_verb.then(|| format!("{name}/:{verb}"))
}

/// Every verb that a documented path ends in, sorted.
pub(crate) fn verbs(routes: &[Route]) -> Vec<String> {
    let verb = |entry: &Route| entry.path.rsplit_once(':').map(|(_, verb)| verb.to_owned());
    let mut verbs = routes.iter().filter_map(verb).collect::<Vec<_>>();
    verbs.sort();
    verbs.dedup();
    verbs
}

fn operations(
    item: &mut utoipa::openapi::path::PathItem,
) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let all = [
        (HttpMethod::Get, item.get.as_mut()),
        (HttpMethod::Put, item.put.as_mut()),
        (HttpMethod::Post, item.post.as_mut()),
        (HttpMethod::Delete, item.delete.as_mut()),
        (HttpMethod::Patch, item.patch.as_mut()),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation?)))
}

fn method_name(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "GET",
        HttpMethod::Put => "PUT",
        HttpMethod::Post => "POST",
        HttpMethod::Delete => "DELETE",
        HttpMethod::Patch => "PATCH",
        HttpMethod::Head => "HEAD",
        HttpMethod::Options => "OPTIONS",
        HttpMethod::Trace => "TRACE",
    }
}

/// Adds the parts that every route shares: its problems and, if it writes, its headers.
fn describe(operation: &mut Operation, path: &str, method: &HttpMethod, access: Access) {
    // Handlers of two modules may share a name; their tags differ.
    let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
    operation.operation_id = operation.operation_id.take().map(|name| format!("{tag}_{name}"));
    let mut kinds = vec![ProblemType::BadRequest, ProblemType::Internal, ProblemType::Unavailable];
    if let Access::Role(role) = access {
        kinds.extend([ProblemType::Unauthorized, ProblemType::Forbidden, ProblemType::TooManyRequests]);
        operation.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("token", [])]);
        let role = format!("Requires the role `{}`.", role.name());
        let before = operation.description.take().map(|text| text + "\n\n").unwrap_or_default();
        operation.description = Some(before + &role);
    }
    if path.contains('{') {
        kinds.push(ProblemType::NotFound);
    }
    if !matches!(method, HttpMethod::Get) {
        kinds.extend([
            ProblemType::NotFound,
            ProblemType::Conflict,
            ProblemType::PreconditionFailed,
            ProblemType::BodyTimeout,
            ProblemType::TooLarge,
            ProblemType::UnsupportedMediaType,
            ProblemType::InvalidFields,
            ProblemType::PluginFailed,
        ]);
        let mut headers = vec![
            ("X-Reason", "The reason, for the audit log."),
            ("If-Match", "The `ETag` of the version to change; another version is a 412."),
        ];
        if matches!(method, HttpMethod::Post) {
            headers.push((
                "Idempotency-Key",
                "A key that makes the request run at most once; the same key and request get the same response.",
            ));
            headers.push((
                "Idempotency-Fingerprint",
                "What is compared in place of the body when the key comes again: of what is wanted, without what only guards it.",
            ));
            headers.push((
                "Idempotency-Replay-Only",
                "`true`: only the response that is stored under the key is wanted; without one, a 204, and nothing is done.",
            ));
        }
        operation.parameters.get_or_insert_default().extend(headers.into_iter().map(header));
    }
    for kind in kinds {
        let status = kind.status().as_u16().to_string();
        operation.responses.responses.entry(status).or_insert_with(|| problem_response(kind));
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let id = Header::builder().schema(ObjectBuilder::new().schema_type(Type::String)).build();
            response.headers.insert("x-perennial-version".to_owned(), id.clone());
            response.headers.insert("x-request-id".to_owned(), id);
        }
    }
}

fn header((name, description): (&str, &str)) -> utoipa::openapi::path::Parameter {
    let schema = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

fn problem_response(kind: ProblemType) -> RefOr<utoipa::openapi::Response> {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .example(Some(openapi::of_problem(kind)))
        .build();
    let response =
        ResponseBuilder::new().description(kind.title()).content("application/problem+json", content);
    RefOr::T(response.build())
}
