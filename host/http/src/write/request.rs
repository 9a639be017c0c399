//! The extractor of requests that write: the caller, the headers that every write may have, and the body.

use std::sync::Arc;

use axum::body::Body as HttpBody;
use axum::body::Bytes;
use axum::extract::FromRequest;
use axum::extract::FromRequestParts;
use axum::extract::MatchedPath;
use axum::extract::Request as HttpRequest;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::header;
use sha2::Digest;
use sha2::Sha256;

use crate::body;
use crate::body::BodyError;
use crate::body_budget::BodyShare;
use crate::input;
use crate::input::Body;
use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::request_id::RequestId;
use crate::request_place;
use crate::route_table;
use crate::state::AppState;
use crate::state::InFlightKey;
use crate::write::before_commit::BeforeCommit;
use perennial_service::admin_tokens::Caller;
use perennial_service::limits::Limit;
use perennial_service::limits::time_text;

/// The longest idempotency key, reason and `If-Match`, in bytes.
const HEADER_MAX: usize = 255;
/// The longest body that is read on the thread that serves connections, in bytes: it takes less than a millisecond.
const INLINE_BODY_MAX: usize = 64 << 10;

/// A request that writes, without its body.
#[derive(Debug)]
pub struct WriteRequest {
    /// The token that the request carries.
    pub caller: Caller,
    /// The method and the documented path, such as `POST /v1/accounts/{id}:top-up`.
    pub operation: String,
    /// The request ID.
    pub id: String,
    /// The header `X-Reason`, for the audit log.
    pub reason: Option<String>,
    /// The header `If-Match`: the version that must still hold.
    if_match: Option<String>,
    /// `Idempotency-Key`, held until the request is dropped.
    key: Option<InFlightKey>,
    /// Whether only the response of an earlier request is wanted, and nothing is to be done.
    is_replay_only: bool,
    /// Who is shown a secret before it is kept.
    pub(super) before_commit: Option<BeforeCommit>,
    fingerprint: String,
}

impl WriteRequest {
    /// The idempotency key, if there is one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_ref().map(InFlightKey::key)
    }

    /// Whether only the response of an earlier request with the same key is wanted, and nothing is to be done.
    pub(crate) fn is_replay_only(&self) -> bool {
        self.is_replay_only
    }

    /// Equal for requests with the same method, path, query and body; `Idempotency-Fingerprint` stands for the body.
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
        T::check_caller(&caller)?;
        let mut share = app.body_budget().share(&caller.owner);
        let bytes = read_body(&parts.headers, body, app, (T::limit(), &mut share)).await?;
        request_place::take(&parts.extensions)?;
        let key = header_text(&parts.headers, "idempotency-key")?.filter(|_| parts.method == Method::POST);
        let path_and_query = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let stands_for_body = header_text(&parts.headers, "idempotency-fingerprint")?;
        let target = Target { method: parts.method.clone(), path_and_query, stands_for_body };
        let (fingerprint, body) = read(app, target, (bytes, share)).await?;
        let request = WriteRequest {
            operation: format!("{} {}", parts.method, route_table::documented_path(path.as_str())),
            id: id.0,
            reason: header_text(&parts.headers, "x-reason")?,
            if_match: header_text(&parts.headers, "if-match")?,
            fingerprint,
            is_replay_only: replay_only(&parts.headers, key.is_some())?,
            before_commit: parts.extensions.get::<BeforeCommit>().cloned(),
            key: key.map(|key| app.claim_key(&caller.id, &key)).transpose()?,
            caller,
        };
        Ok(Write(request, body?))
    }
}

/// The fingerprint of a request, and its body as it is read. A large body is read on a thread for blocking work, a few at a
/// time: reading takes up to a second and ten times the size of the body in memory.
async fn read<T: Body>(
    app: &AppState,
    target: Target,
    (bytes, share): (Bytes, BodyShare),
) -> Result<(String, Result<T, Problem>), Problem> {
    let is_inline = bytes.len() <= INLINE_BODY_MAX;
    let limits = app.limits().body_limits();
    let work = move || {
        let read = (target.fingerprint(&bytes), input::read(&bytes, limits));
        drop((bytes, share));
        read
    };
    if is_inline {
        return Ok(work());
    }
    let permit = Arc::clone(app.body_permits()).acquire_owned().await.map_err(internal)?;
    // The permit goes with the work, which goes on when the client disconnects.
    let work = move || {
        let _permit = permit;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(internal)
}

fn internal(why: impl std::fmt::Display) -> Problem {
    tracing::error!(%why, "a route lacks what every route has");
    Problem::new(ProblemType::Internal, "the host failed; its log says why")
}

/// Reads the body, if it is JSON, within the limits of size and time.
async fn read_body(
    headers: &HeaderMap,
    body: HttpBody,
    app: &AppState,
    (limit, share): (Limit, &mut BodyShare),
) -> Result<Bytes, Problem> {
    // Without a limit of its own, a client that sends nothing keeps a place of its token for ever.
    let (patience, most) = (app.limits().body_seconds, limit.value(app.limits()));
    let has_room = |bytes: usize| bytes <= INLINE_BODY_MAX || share.grow(bytes);
    let read = tokio::time::timeout(patience, body::read_within(body, most, 0, has_room)).await;
    let late = |_| {
        let detail = format!(
            "the body did not come within {} (`limits.body_seconds`); nothing was done, send it again",
            time_text(patience)
        );
        Problem::new(ProblemType::BodyTimeout, detail)
    };
    let too_large =
        || Problem::new(ProblemType::TooLarge, format!("a body has at most {most} bytes ({limit})"));
    let bytes = read.map_err(late)?.map_err(|error| match error {
        BodyError::TooLarge => too_large(),
        BodyError::NoRoom => {
            let detail = format!(
                "too many large bodies are on their way, or too many of yours ({}); nothing was done, send it again",
                Limit::bodies_bytes_max()
            );
            Problem::new(ProblemType::Unavailable, detail).retry_after(1)
        }
        BodyError::Broken => {
            let detail = "the body is not framed as HTTP wants it, or ended too soon; nothing was done";
            Problem::new(ProblemType::BadRequest, detail)
        }
    })?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence =
        content_type.map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let is_json = essence.as_deref().is_none_or(|essence| essence == "application/json");
    if (!bytes.is_empty() && essence.is_none()) || !is_json {
        return Err(Problem::new(ProblemType::UnsupportedMediaType, "send `Content-Type: application/json`"));
    }
    Ok(bytes)
}

/// The text of a header, if the request has it.
fn header_text(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let wrong = |detail: String| Problem::field(ProblemType::BadRequest, name, detail);
    if headers.get_all(name).iter().nth(1).is_some() {
        return Err(wrong("it is there more than once; nothing was done".to_owned()));
    }
    let value =
        std::str::from_utf8(value.as_bytes()).map_err(|_| wrong("it is not text in UTF-8".to_owned()))?;
    match value.len() {
        0 => Err(wrong("it is empty".to_owned())),
        1..=HEADER_MAX => Ok(Some(value.to_owned())),
        length => Err(wrong(format!("it has {length} bytes; at most {HEADER_MAX} are taken"))),
    }
}

/// Whether the request asks for the response of an earlier one only, which takes a key.
fn replay_only(headers: &HeaderMap, has_key: bool) -> Result<bool, Problem> {
    let name = "idempotency-replay-only";
    match header_text(headers, name)?.as_deref() {
        None | Some("false") => Ok(false),
        Some("true") if has_key => Ok(true),
        Some("true") => {
            let detail =
                "it takes a POST with an `Idempotency-Key`, whose response is wanted; nothing was done";
            Err(Problem::field(ProblemType::BadRequest, name, detail))
        }
        Some(_) => {
            Err(Problem::field(ProblemType::BadRequest, name, "it is `true` or `false`; nothing was done"))
        }
    }
}

/// What makes two requests the same one, beside their bodies.
struct Target {
    method: Method,
    path_and_query: String,
    /// What the client compares in place of the body: of two bodies that want the same, one can name another plan.
    stands_for_body: Option<String>,
}

impl Target {
    fn fingerprint(&self, body: &[u8]) -> String {
        let parts = [self.method.as_str().as_bytes(), self.path_and_query.as_bytes()].into_iter();
        // Four parts are never three: what stands for a body is not taken for one.
        let body = match &self.stands_for_body {
            None => vec![body],
            Some(stands_for_body) => vec![stands_for_body.as_bytes(), b"in place of the body"],
        };
        let mut digest = Sha256::new();
        for part in parts.chain(body) {
            digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part);
        }
        hex::encode(digest.finalize())
    }
}
