//! Requests that write: once for each idempotency key, in one transaction with their answer and their place in the audit
//! log.
//!
//! A handler takes a `IdempotentWrite` and hands `AppState::write` what to do. What it does is done on the writer's thread.

use axum::body::Body as HttpBody;
use axum::extract::FromRequest;
use axum::extract::FromRequestParts;
use axum::extract::MatchedPath;
use axum::extract::Request as HttpRequest;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use perennial_domain::timestamp::Timestamp;
use perennial_store::Connection;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::input;
use crate::input::Body;
use crate::middleware::RequestId;
use crate::problem::Kind;
use crate::problem::Problem;
use crate::route_table;
use crate::state::AppState;
use crate::state::InFlightKey;
use crate::views;
use perennial_engine::Engine;
use perennial_engine::persist::RecordedEvent;
use perennial_service::admin_tokens::Caller;
use perennial_service::writer::WriterContext;

use perennial_store::audit;
use perennial_store::audit::Record;
use perennial_store::idempotency_keys;
use perennial_store::idempotency_keys::StoredResponse;

/// The longest idempotency key and reason, in bytes.
const KEY_MAX: usize = 255;

/// What a request says beside its body.
#[derive(Clone, Debug)]
pub struct WriteRequest {
    /// Who asks.
    pub caller: Caller,
    /// What for, such as `POST /v1/accounts/{id}:top-up`.
    pub operation: String,
    /// The request's id.
    pub id: String,
    /// `X-Reason`: why.
    pub reason: Option<String>,
    /// `If-Match`: the version that is to be changed.
    if_match: Option<String>,
    /// `Idempotency-Key`.
    key: Option<String>,
    fingerprint: String,
}

impl WriteRequest {
    /// Whether it has an idempotency key.
    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }
}

/// A request that writes, with its body.
pub(crate) struct IdempotentWrite<T> {
    /// What it says beside the body.
    pub(crate) request: WriteRequest,
    /// The body.
    pub(crate) body: T,
    in_flight: Option<InFlightKey>,
}

impl<T: Body> FromRequest<AppState> for IdempotentWrite<T> {
    type Rejection = Problem;

    async fn from_request(request: HttpRequest, state: &AppState) -> Result<IdempotentWrite<T>, Problem> {
        let (mut parts, body) = request.into_parts();
        let path = MatchedPath::from_request_parts(&mut parts, state).await.map_err(internal)?;
        let caller = parts.extensions.get::<Caller>().cloned().ok_or_else(|| internal("no caller"))?;
        let id = parts.extensions.get::<RequestId>().cloned().unwrap_or_default();
        let bytes = bytes(&parts.headers, body, state).await?;
        let key = text(&parts.headers, "idempotency-key")?.filter(|_| parts.method == Method::POST);
        let path_and_query = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let request = WriteRequest {
            caller,
            operation: format!("{} {}", parts.method, route_table::documented_path(path.as_str())),
            id: id.0,
            reason: text(&parts.headers, "x-reason")?,
            if_match: text(&parts.headers, "if-match")?,
            fingerprint: fingerprint(&parts.method, &path_and_query, &bytes),
            key,
        };
        let in_flight = match &request.key {
            Some(key) => Some(state.claim_key(&request.caller.id, key)?),
            None => None,
        };
        Ok(IdempotentWrite { request, body: input::read(&bytes)?, in_flight })
    }
}

impl<T> IdempotentWrite<T> {
    /// The request without its body, and the body.
    pub(crate) fn into_parts(self) -> (IdempotentWrite<()>, T) {
        (IdempotentWrite { request: self.request, body: (), in_flight: self.in_flight }, self.body)
    }
}

impl IdempotentWrite<()> {
    /// The request with what its body was made into.
    pub(crate) fn with_body<T>(self, body: T) -> IdempotentWrite<T> {
        IdempotentWrite { request: self.request, body, in_flight: self.in_flight }
    }
}

fn internal(why: impl std::fmt::Display) -> Problem {
    tracing::error!(%why, "a route lacks what every route has");
    Problem::new(Kind::Internal, "the host failed; its log says why")
}

/// The body, if it is JSON and not too large.
async fn bytes(headers: &HeaderMap, body: HttpBody, state: &AppState) -> Result<Vec<u8>, Problem> {
    let limit = state.limits().body_bytes_max;
    let too_large = |_| Problem::new(Kind::TooLarge, format!("a body has at most {limit} bytes"));
    // The request is long answered when this runs out, but whoever sends nothing must not keep its place for ever.
    let patience = Duration::from_secs(state.limits().request_seconds);
    let late = |_| Problem::new(Kind::TimedOut, "the body did not come in time").retry_after(5);
    let bytes = tokio::time::timeout(patience, axum::body::to_bytes(body, limit)).await.map_err(late)?;
    let bytes = bytes.map_err(too_large)?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence =
        content_type.map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let is_json = essence.as_deref().is_none_or(|essence| essence == "application/json");
    if (!bytes.is_empty() && essence.is_none()) || !is_json {
        return Err(Problem::new(Kind::UnsupportedMediaType, "send `Content-Type: application/json`"));
    }
    Ok(bytes.to_vec())
}

/// A header's text, if it is there.
fn text(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let wrong = |detail: String| Problem::field(Kind::BadRequest, name, detail);
    let value =
        std::str::from_utf8(value.as_bytes()).map_err(|_| wrong("it is not text in UTF-8".to_owned()))?;
    match value.len() {
        0 => Err(wrong("it is empty".to_owned())),
        1..=KEY_MAX => Ok(Some(value.to_owned())),
        length => Err(wrong(format!("it has {length} bytes; at most {KEY_MAX} are taken"))),
    }
}

/// Equal for requests that ask for the same.
fn fingerprint(method: &Method, path_and_query: &str, body: &[u8]) -> String {
    let mut digest = Sha256::new();
    for part in [method.as_str().as_bytes(), path_and_query.as_bytes(), body] {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part);
    }
    hex::encode(&digest.finalize())
}

/// What a request is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteResponse {
    status: StatusCode,
    headers: BTreeMap<String, String>,
    body: String,
    /// What is kept for whoever asks again, if that is not the same.
    replay_body: Option<String>,
    outcome: String,
}

impl WriteResponse {
    /// Done; this is how it is now.
    pub fn ok(body: &impl Serialize) -> WriteResponse {
        WriteResponse::json(StatusCode::OK, body)
    }

    /// This is how it is, and its version.
    pub fn ok_versioned(body: &impl Serialize) -> WriteResponse {
        WriteResponse::ok(body).with_etag(&views::etag(body))
    }

    /// Made; this is it, at `location`.
    pub fn created(location: &str, body: &impl Serialize) -> WriteResponse {
        let mut response = WriteResponse::json(StatusCode::CREATED, body);
        response.headers.insert(header::LOCATION.as_str().to_owned(), location.to_owned());
        response
    }

    /// Taken on; this is how far it is.
    pub fn accepted(location: &str, body: &impl Serialize) -> WriteResponse {
        let mut response = WriteResponse::created(location, body);
        response.status = StatusCode::ACCEPTED;
        response
    }

    fn json(status: StatusCode, body: &impl Serialize) -> WriteResponse {
        let body = serde_json::to_string(body).expect("answers have text as keys");
        WriteResponse {
            status,
            headers: BTreeMap::new(),
            body,
            replay_body: None,
            outcome: "done".to_owned(),
        }
    }

    /// A problem that is an ordinary answer: what was written stays written.
    pub fn problem(problem: &Problem) -> WriteResponse {
        let mut response = WriteResponse::json(problem.kind.status(), &problem.body());
        response.outcome = problem.kind.slug().to_owned();
        response
            .headers
            .insert(header::CONTENT_TYPE.as_str().to_owned(), "application/problem+json".to_owned());
        for (name, value) in &problem.headers {
            response.headers.insert(name.to_string(), value.to_str().unwrap_or_default().to_owned());
        }
        response
    }

    /// The audit log is to say that nothing was done.
    pub(crate) fn as_dry_run(mut self) -> WriteResponse {
        self.outcome = "dry_run".to_owned();
        self
    }

    /// With the version of what it shows.
    pub fn with_etag(mut self, etag: &str) -> WriteResponse {
        self.headers.insert(header::ETAG.as_str().to_owned(), etag.to_owned());
        self
    }

    /// With a secret that is shown now and never again: whoever asks again is shown `kept`.
    pub fn with_one_time_secret(mut self, kept: &impl Serialize) -> WriteResponse {
        self.replay_body = Some(serde_json::to_string(kept).expect("answers have text as keys"));
        self
    }

    fn stored_response(&self, fingerprint: &str) -> StoredResponse {
        StoredResponse {
            fingerprint: fingerprint.to_owned(),
            status: self.status.as_u16(),
            headers: serde_json::to_string(&self.headers).expect("headers are text"),
            body: self.replay_body.clone().unwrap_or_else(|| self.body.clone()),
        }
    }

    fn replay(stored: StoredResponse) -> Result<WriteResponse, Problem> {
        let status = StatusCode::from_u16(stored.status).map_err(internal)?;
        let mut headers: BTreeMap<String, String> =
            serde_json::from_str(&stored.headers).map_err(internal)?;
        headers.insert("idempotency-replayed".to_owned(), "true".to_owned());
        Ok(WriteResponse { status, headers, body: stored.body, replay_body: None, outcome: String::new() })
    }
}

impl IntoResponse for WriteResponse {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// What a handler's work has to work with, within one transaction.
pub struct WriteContext<'a> {
    /// The engine.
    pub engine: &'a mut Engine,
    /// What time it is.
    pub at: Timestamp,
    /// Who asks, and why.
    pub request: &'a WriteRequest,
    audit_subject: &'a mut AuditSubject,
    events: Vec<RecordedEvent>,
}

/// What a request was about, as the audit log says it: also of one that came to nothing.
#[derive(Clone, Debug, Default)]
struct AuditSubject {
    account: Option<String>,
    resource: Option<String>,
}

impl WriteContext<'_> {
    /// The database, for reading and for writing what the engine knows nothing of.
    pub fn db(&self) -> &Connection {
        self.engine.db()
    }

    /// What the audit log says that this was about. Say it before anything is refused, and only of what the caller sees.
    pub fn set_audit_subject(&mut self, account: &str, resource: Option<&str>) {
        let (account, resource) = (Some(account.to_owned()), resource.map(str::to_owned));
        *self.audit_subject = AuditSubject { account, resource };
    }

    /// Something happened; it is told of once it is written.
    pub fn record_events(&mut self, events: Vec<RecordedEvent>) {
        self.events.extend(events);
    }

    /// Refuses to change what is not at the version that the request names.
    ///
    /// # Errors
    ///
    /// [`Kind::PreconditionFailed`], if so.
    pub fn check_version(&self, etag: &str) -> Result<(), Problem> {
        let Some(required) = &self.request.if_match else { return Ok(()) };
        if required.split(',').map(str::trim).any(|required| required == "*" || required == etag) {
            return Ok(());
        }
        Err(Problem::new(
            Kind::PreconditionFailed,
            format!("its version is {etag}; get it again and look at it"),
        ))
    }
}

impl AppState {
    /// Does `work` in one transaction with its answer and its record in the audit log; once for each idempotency key.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        write: IdempotentWrite<T>,
        work: impl FnOnce(&mut WriteContext<'_>, T) -> Result<WriteResponse, Problem> + Send + 'static,
    ) -> Result<WriteResponse, Problem> {
        self.write_after(write, |_, _| Ok(()), work).await
    }

    /// The same, with `before` done first, in transactions of its own: doing it again has to do nothing more.
    pub(crate) async fn write_after<T: Send + 'static>(
        &self,
        write: IdempotentWrite<T>,
        before: impl FnOnce(&mut WriterContext, &T) -> Result<(), Problem> + Send + 'static,
        work: impl FnOnce(&mut WriteContext<'_>, T) -> Result<WriteResponse, Problem> + Send + 'static,
    ) -> Result<WriteResponse, Problem> {
        let IdempotentWrite { request, body, in_flight } = write;
        self.writer()
            .call(move |context| {
                let _in_flight = in_flight;
                execute_once(context, &request, body, before, work)
            })
            .await
    }
}

fn execute_once<T>(
    context: &mut WriterContext,
    request: &WriteRequest,
    body: T,
    before: impl FnOnce(&mut WriterContext, &T) -> Result<(), Problem>,
    work: impl FnOnce(&mut WriteContext<'_>, T) -> Result<WriteResponse, Problem>,
) -> Result<WriteResponse, Problem> {
    if let Some(key) = &request.key
        && let Some(stored) = idempotency_keys::get(context.engine.db(), &request.caller.id, key)?
    {
        if stored.fingerprint != request.fingerprint {
            return Err(Problem::new(Kind::KeyReused, "use another key for another request"));
        }
        return WriteResponse::replay(stored);
    }
    let mut audit_subject = AuditSubject::default();
    let result = before(context, &body).and_then(|()| {
        run_in_transaction(context, request, &mut audit_subject, |write_context| work(write_context, body))
    });
    match result {
        Err(problem) if !problem.kind.status().is_server_error() => {
            // Nothing of it was written, and that is its answer.
            run_in_transaction(context, request, &mut audit_subject, |_| Ok(WriteResponse::problem(&problem)))
        }
        result => result,
    }
}

/// Does `work` and writes down that it was done.
fn run_in_transaction(
    context: &mut WriterContext,
    request: &WriteRequest,
    audit_subject: &mut AuditSubject,
    work: impl FnOnce(&mut WriteContext<'_>) -> Result<WriteResponse, Problem>,
) -> Result<WriteResponse, Problem> {
    let at = context.now();
    let publisher = context.publisher();
    let (response, events) = context.engine.in_transaction(|engine| {
        let mut write_context = WriteContext { engine, at, request, audit_subject, events: Vec::new() };
        let response = work(&mut write_context)?;
        let WriteContext { engine, audit_subject, events, .. } = write_context;
        audit::insert(engine.db(), &audit_record(request, &response, at, audit_subject))?;
        if let Some(key) = &request.key {
            idempotency_keys::insert(
                engine.db(),
                &request.caller.id,
                key,
                &response.stored_response(&request.fingerprint),
                at,
            )?;
        }
        Ok::<_, Problem>((response, events))
    })?;
    publisher.publish(&events);
    Ok(response)
}

fn audit_record(
    request: &WriteRequest,
    response: &WriteResponse,
    at: Timestamp,
    audit_subject: &AuditSubject,
) -> Record {
    Record {
        at,
        token: request.caller.id.to_string(),
        name: request.caller.name.to_string(),
        request: request.id.clone(),
        account: audit_subject.account.clone(),
        resource: audit_subject.resource.clone(),
        operation: request.operation.clone(),
        reason: request.reason.clone(),
        status: response.status.as_u16(),
        outcome: response.outcome.clone(),
    }
}
