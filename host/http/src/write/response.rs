//! The response to a write, which can be stored and sent again.

use std::collections::BTreeMap;

use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Serialize;

use crate::problem::Problem;
use crate::problem::ProblemType;
use crate::views;
use perennial_store::idempotency_keys::StoredResponse;

/// The response to a write.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteResponse {
    status: StatusCode,
    headers: BTreeMap<String, String>,
    body: String,
    /// The body that a repeated request gets, if it differs.
    replay_body: Option<String>,
    /// The outcome in the audit log.
    outcome: String,
}

impl WriteResponse {
    /// 200 with `body`.
    pub fn ok(body: &impl Serialize) -> WriteResponse {
        WriteResponse::json(StatusCode::OK, body)
    }

    /// 200 with `body` and its `ETag`.
    pub(crate) fn ok_versioned(body: &impl Serialize) -> WriteResponse {
        WriteResponse::ok(body).with_etag(&views::etag(body))
    }

    /// 201 with `body` and its `Location`.
    pub fn created(location: &str, body: &impl Serialize) -> WriteResponse {
        let mut response = WriteResponse::json(StatusCode::CREATED, body);
        response.headers.insert(header::LOCATION.as_str().to_owned(), location.to_owned());
        response
    }

    /// 202 with `body`, the state so far, and the `Location` to follow it at.
    pub fn accepted(location: &str, body: &impl Serialize) -> WriteResponse {
        let mut response = WriteResponse::created(location, body);
        response.status = StatusCode::ACCEPTED;
        response
    }

    /// The same with 202: what was requested waits for somebody.
    pub fn waiting(mut self) -> WriteResponse {
        self.status = StatusCode::ACCEPTED;
        self.outcome = "pending_approval".to_owned();
        self
    }

    /// 204: nothing is stored under the key, and nothing was done.
    pub(crate) fn no_content() -> WriteResponse {
        let outcome = "done".to_owned();
        let (status, body) = (StatusCode::NO_CONTENT, String::new());
        WriteResponse { status, headers: BTreeMap::new(), body, replay_body: None, outcome }
    }

    fn json(status: StatusCode, body: &impl Serialize) -> WriteResponse {
        let body = serde_json::to_string(body).expect("responses have text as keys");
        WriteResponse {
            status,
            headers: BTreeMap::new(),
            body,
            replay_body: None,
            outcome: "done".to_owned(),
        }
    }

    /// A problem as an ordinary response: what was written before it is committed.
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

    /// Sets the outcome in the audit log to `dry_run`.
    pub(crate) fn into_dry_run(mut self) -> WriteResponse {
        self.outcome = "dry_run".to_owned();
        self
    }

    /// Adds the header `ETag`.
    pub(crate) fn with_etag(mut self, etag: &str) -> WriteResponse {
        self.headers.insert(header::ETAG.as_str().to_owned(), etag.to_owned());
        self
    }

    /// Stores `replay_body` for repeated requests, so that the secret in the body is sent once and kept nowhere.
    pub(crate) fn with_one_time_secret(mut self, replay_body: &impl Serialize) -> WriteResponse {
        self.replay_body = Some(serde_json::to_string(replay_body).expect("responses have text as keys"));
        self
    }

    /// The body, if it has a secret that is sent once.
    pub(super) fn body_with_secret(&self) -> Option<&str> {
        self.replay_body.as_ref().map(|_| self.body.as_str())
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn outcome(&self) -> &str {
        &self.outcome
    }

    /// The response as it is stored under an idempotency key.
    pub(crate) fn to_stored(&self, fingerprint: &str) -> StoredResponse {
        StoredResponse {
            fingerprint: fingerprint.to_owned(),
            status: self.status.as_u16(),
            headers: serde_json::to_string(&self.headers).expect("headers are text"),
            body: self.replay_body.clone().unwrap_or_else(|| self.body.clone()),
        }
    }

    /// A stored response for a repeated request, with the header `Idempotency-Replayed`.
    pub(crate) fn from_stored(stored: StoredResponse) -> Result<WriteResponse, Problem> {
        let damaged = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "a stored response is damaged");
            Problem::new(ProblemType::Internal, "the host failed; its log says why")
        };
        let status = StatusCode::from_u16(stored.status).map_err(|error| damaged(&error))?;
        let headers = serde_json::from_str::<BTreeMap<String, String>>(&stored.headers);
        let mut headers = headers.map_err(|error| damaged(&error))?;
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
