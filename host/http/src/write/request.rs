//! The extractor of requests that write: the caller, the headers that every write may have, and the body.

use std::time::Duration;

use axum::body::Body as HttpBody;
use axum::extract::FromRequest;
use axum::extract::FromRequestParts;
use axum::extract::MatchedPath;
use axum::extract::Request as HttpRequest;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::header;
use sha2::Digest;
use sha2::Sha256;

use crate::input;
use crate::input::Body;
use crate::middleware::RequestId;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::route_table;
use crate::state::AppState;
use crate::state::InFlightKey;
use perennial_service::admin_tokens::Caller;

/// The longest idempotency key, reason and `If-Match`, in bytes.
const HEADER_MAX: usize = 255;

/// A request that writes, without its body.
#[derive(Debug)]
pub struct WriteRequest {
    /// The token that the request carries.
    pub caller: Caller,
    /// The method and the documented path, such as `POST /v1/accounts/{id}:top-up`.
    pub operation: String,
    /// The request ID.
    pub id: String,
    /// `X-Reason`.
    pub reason: Option<String>,
    /// `If-Match`.
    if_match: Option<String>,
    /// `Idempotency-Key`, held until the request is dropped.
    key: Option<InFlightKey>,
    fingerprint: String,
}

impl WriteRequest {
    /// The idempotency key, if there is one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_ref().map(InFlightKey::key)
    }

    /// Equal for requests with the same method, path, query and body.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Whether `If-Match` is absent, `*` or lists `etag`.
    pub(crate) fn matches_version(&self, etag: &str) -> bool {
        let Some(required) = &self.if_match else { return true };
        required.split(',').map(str::trim).any(|required| required == "*" || required == etag)
    }
}

/// The extractor of a request that writes, and of its body.
pub(crate) struct Write<T>(pub(crate) WriteRequest, pub(crate) T);

impl<T: Body> FromRequest<AppState> for Write<T> {
    type Rejection = Problem;

    async fn from_request(request: HttpRequest, app: &AppState) -> Result<Write<T>, Problem> {
        let (mut parts, body) = request.into_parts();
        let path = MatchedPath::from_request_parts(&mut parts, app).await.map_err(internal)?;
        let caller = parts.extensions.get::<Caller>().cloned().ok_or_else(|| internal("no caller"))?;
        let id = parts.extensions.get::<RequestId>().cloned().unwrap_or_default();
        let bytes = read_body(&parts.headers, body, app).await?;
        let key = header_text(&parts.headers, "idempotency-key")?.filter(|_| parts.method == Method::POST);
        let path_and_query = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let request = WriteRequest {
            operation: format!("{} {}", parts.method, route_table::documented_path(path.as_str())),
            id: id.0,
            reason: header_text(&parts.headers, "x-reason")?,
            if_match: header_text(&parts.headers, "if-match")?,
            fingerprint: fingerprint(&parts.method, &path_and_query, &bytes),
            key: key.map(|key| app.claim_key(&caller.id, &key)).transpose()?,
            caller,
        };
        Ok(Write(request, input::read(&bytes)?))
    }
}

fn internal(why: impl std::fmt::Display) -> Problem {
    tracing::error!(%why, "a route lacks what every route has");
    Problem::new(ProblemType::Internal, "the host failed; its log says why")
}

/// Reads the body, if it is JSON, within the limits of size and time.
async fn read_body(headers: &HeaderMap, body: HttpBody, app: &AppState) -> Result<Vec<u8>, Problem> {
    let limit = app.limits().body_bytes_max;
    let too_large = |_| Problem::new(ProblemType::TooLarge, format!("a body has at most {limit} bytes"));
    // The middleware has answered when this runs out; without it, a client that sends nothing keeps its permit for
    // ever.
    let timeout = Duration::from_secs(app.limits().request_seconds);
    let late = |_| Problem::new(ProblemType::TimedOut, "the body did not come in time").retry_after(5);
    let bytes = tokio::time::timeout(timeout, axum::body::to_bytes(body, limit)).await.map_err(late)?;
    let bytes = bytes.map_err(too_large)?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence =
        content_type.map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let is_json = essence.as_deref().is_none_or(|essence| essence == "application/json");
    if (!bytes.is_empty() && essence.is_none()) || !is_json {
        return Err(Problem::new(ProblemType::UnsupportedMediaType, "send `Content-Type: application/json`"));
    }
    Ok(bytes.to_vec())
}

/// The text of a header, if the request has it.
fn header_text(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let wrong = |detail: String| Problem::field(ProblemType::BadRequest, name, detail);
    let value =
        std::str::from_utf8(value.as_bytes()).map_err(|_| wrong("it is not text in UTF-8".to_owned()))?;
    match value.len() {
        0 => Err(wrong("it is empty".to_owned())),
        1..=HEADER_MAX => Ok(Some(value.to_owned())),
        length => Err(wrong(format!("it has {length} bytes; at most {HEADER_MAX} are taken"))),
    }
}

fn fingerprint(method: &Method, path_and_query: &str, body: &[u8]) -> String {
    let mut digest = Sha256::new();
    for part in [method.as_str().as_bytes(), path_and_query.as_bytes(), body] {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part);
    }
    hex::encode(digest.finalize())
}
