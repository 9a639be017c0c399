//! Reads whole requests to a provider's API, within limits. Every response, also to a failure, is in the provider's
//! shape.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Response as HttpResponse;
use perennial_domain::provider_api::Failure;
use perennial_domain::provider_api::Request;
use perennial_domain::provider_api::Response;

use crate::body;
use crate::body::BodyError;
use crate::host_header;
use crate::provider_api::ProviderApiServer;
use crate::server::AuthenticatedMark;
use crate::server::ClientAddress;
use crate::server::Refusals;
use perennial_engine::clock::Stopwatch;

/// The most bytes that are read and dropped beyond it, so that a client that sends before it reads gets the response.
const DRAINED_BYTES_MAX: usize = 16 << 20;

/// How many seconds the provider's clock is ahead of the host's for one request. Only a sandbox says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClockSkew(pub(crate) i64);

/// The router of a provider's API; the plugin knows the paths.
pub fn router(endpoint: ProviderApiServer) -> Router {
    Router::new().fallback(serve).with_state(endpoint)
}

/// The responses to what is no request, in the provider's shape.
pub fn refusals(endpoint: &ProviderApiServer) -> Refusals {
    let request = Request { id: endpoint.app.requests().request_id(), ..Request::default() };
    let malformed = endpoint.failure_response(&request, Failure::Malformed);
    // No provider has words of its own for it.
    let too_long = Response { status: 431, ..malformed.clone() };
    let busy = endpoint.failure_response(&request, Failure::Busy(1));
    Refusals { malformed: to_wire(malformed), too_long: to_wire(too_long), busy: to_wire(busy) }
}

/// A response that ends its connection, as it goes over the wire.
fn to_wire(Response { status, headers, body }: Response) -> Vec<u8> {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason.unwrap_or_default());
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

async fn serve(State(endpoint): State<ProviderApiServer>, request: axum::extract::Request) -> HttpResponse {
    let watch = Stopwatch::start();
    let id = endpoint.app.requests().request_id();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = within_limits(&endpoint, &id, request).await;
    let (status, seconds) = (response.status, watch.seconds());
    endpoint.app.requests().observe(method.as_str(), &endpoint.provider, status, seconds);
    let path = crate::middleware::loggable_path(&path);
    tracing::info!(request = %id, provider = %endpoint.provider, %method, path = &*path, status, seconds, "answered");
    let is_authenticated = response.status < 400;
    let mut response = to_http(response);
    if is_authenticated {
        response.extensions_mut().insert(AuthenticatedMark);
    }
    response
}

/// Responds to a request within the limits of concurrency, size and time.
async fn within_limits(endpoint: &ProviderApiServer, id: &str, request: axum::extract::Request) -> Response {
    let limit = endpoint.app.limits().request_seconds;
    let (parts, body) = request.into_parts();
    let headers = header_texts(&parts.headers);
    let head = Request {
        id: id.to_owned(),
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: Vec::new(),
    };
    if host_header::is_repeated(&parts.headers) {
        return endpoint.fail(head, Failure::Malformed).await;
    }
    let body = match read_unauthenticated(endpoint, &parts, body).await {
        Ok(body) => body,
        Err(failure) => return endpoint.fail(head, failure).await,
    };
    // A place is taken for a whole request only: one whose body does not come keeps nobody out.
    let Ok(permit) = endpoint.app.provider_permits(&endpoint.provider).try_acquire_owned() else {
        return endpoint.fail(head, Failure::Busy(1)).await;
    };
    let skew = parts.extensions.get::<ClockSkew>().map_or(0, |skew| skew.0);
    let (handler, request) = (endpoint.clone().with_skew(skew), Request { body, ..head.head() });
    // A task of its own goes on when the client disconnects, and contains a panic.
    let task = tokio::spawn(async move {
        let response = handler.respond(request).await;
        drop(permit);
        response
    });
    match tokio::time::timeout(limit, task).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => endpoint.fail(head, Failure::Internal).await,
        Err(_) => endpoint.fail(head, Failure::TimedOut).await,
    }
}

/// Reads the body of a request that is not authenticated yet; an address has few of those at once.
async fn read_unauthenticated(
    endpoint: &ProviderApiServer,
    head: &Parts,
    body: Body,
) -> Result<Vec<u8>, Failure> {
    let address = head.extensions.get::<ClientAddress>();
    let slot = address.map(|address| endpoint.app.acquire_unauthenticated(*address).ok_or(Failure::Busy(1)));
    let _slot = slot.transpose()?;
    let limit = endpoint.app.limits().body_seconds;
    let most_bytes = endpoint.app.limits().provider_body_bytes_max;
    let most = usize::try_from(most_bytes).unwrap_or(usize::MAX);
    let read = tokio::time::timeout(limit, body::read(body, most, DRAINED_BYTES_MAX)).await;
    let bytes = read.map_err(|_| Failure::TimedOut)?.map_err(|error| match error {
        BodyError::TooLarge => Failure::TooLarge(most_bytes),
        BodyError::Broken | BodyError::NoRoom => Failure::Malformed,
    })?;
    Ok(bytes.to_vec())
}

/// The headers as text.
fn header_texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| (name.as_str().to_owned(), header_text(value));
    headers.iter().map(text).collect()
}

/// The text of a header's value. RFC 9110 allows bytes above 127 and gives them no meaning: those that are not UTF-8 are
/// read as ISO 8859-1, so that the plugin finds that one header wrong, and not the request unreadable.
fn header_text(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().copied().map(char::from).collect(), str::to_owned)
}

/// The HTTP response. The sandbox has checked the status and headers of the plugin.
fn to_http(response: Response) -> HttpResponse {
    let mut http = HttpResponse::new(Body::from(response.body));
    *http.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            http.headers_mut().append(name, value);
        }
    }
    // Balances and expiries change, so responses are not cached by default.
    http.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    http
}
