//! The one shape of every error: RFC 9457 problem details.
//!
//! [`ProblemType`] has every type; a type never changes its meaning. Problems of fields are listed in full.

use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use utoipa::ToSchema;

use perennial_engine::error::EngineError;
use perennial_formats::Problems;
use perennial_service::error::ServiceError;
use perennial_store::error::StoreError;

/// A type of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemType {
    /// The body is not JSON, or a parameter or header cannot be read.
    BadRequest,
    /// The token is missing or refused.
    Unauthorized,
    /// The token's role does not allow it.
    Forbidden,
    /// The person behind the token requested the approval and cannot decide on it.
    OwnApproval,
    /// There is no such object, or the token cannot access it.
    NotFound,
    /// The route does not have the method.
    MethodNotAllowed,
    /// The object exists already, or its state does not allow the request.
    Conflict,
    /// The provider's rules or a policy refuse the command.
    CommandRefused,
    /// The plan of the command has changed.
    PlanChanged,
    /// A request with the same idempotency key is in flight.
    KeyInFlight,
    /// `If-Match` requires another version.
    PreconditionFailed,
    /// The body did not come in time.
    BodyTimeout,
    /// The body is larger than the limit.
    TooLarge,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// Fields of the body are invalid.
    InvalidFields,
    /// Another request has used the idempotency key.
    KeyReused,
    /// The token has too many requests in flight.
    TooManyRequests,
    /// The person, the token or the account has as much as it may have.
    QuotaExceeded,
    /// The host failed.
    Internal,
    /// A plugin failed.
    PluginFailed,
    /// The host is too busy, or stopping.
    Unavailable,
    /// The API of a connected account's provider does not answer, or cannot now.
    ProviderUnavailable,
    /// The disk that the database is on is full.
    StorageFull,
    /// The database's file was moved, deleted or replaced.
    StorageMoved,
    /// The request took too long; it may still complete.
    TimedOut,
}

impl ProblemType {
    /// Every type, for their documentation and for tests.
    pub const ALL: [ProblemType; 25] = [
        ProblemType::BadRequest,
        ProblemType::Unauthorized,
        ProblemType::Forbidden,
        ProblemType::OwnApproval,
        ProblemType::NotFound,
        ProblemType::MethodNotAllowed,
        ProblemType::Conflict,
        ProblemType::CommandRefused,
        ProblemType::PlanChanged,
        ProblemType::KeyInFlight,
        ProblemType::PreconditionFailed,
        ProblemType::BodyTimeout,
        ProblemType::TooLarge,
        ProblemType::UnsupportedMediaType,
        ProblemType::InvalidFields,
        ProblemType::KeyReused,
        ProblemType::TooManyRequests,
        ProblemType::QuotaExceeded,
        ProblemType::Internal,
        ProblemType::PluginFailed,
        ProblemType::Unavailable,
        ProblemType::ProviderUnavailable,
        ProblemType::StorageFull,
        ProblemType::StorageMoved,
        ProblemType::TimedOut,
    ];

    /// The name for programs, after `urn:perennial:problem:`.
    pub const fn slug(self) -> &'static str {
        self.parts().0
    }

    /// The HTTP status.
    pub const fn status(self) -> StatusCode {
        self.parts().1
    }

    /// The title, the same for every problem of the type.
    pub const fn title(self) -> &'static str {
        self.parts().2
    }

    const fn parts(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            ProblemType::BadRequest => ("bad-request", StatusCode::BAD_REQUEST, "The request cannot be read"),
            ProblemType::Unauthorized => {
                ("unauthorized", StatusCode::UNAUTHORIZED, "A valid token is required")
            }
            ProblemType::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "The token may not do this"),
            ProblemType::OwnApproval => {
                ("own-approval", StatusCode::FORBIDDEN, "The requester of an approval cannot decide on it")
            }
            ProblemType::NotFound => ("not-found", StatusCode::NOT_FOUND, "There is no such object"),
            ProblemType::MethodNotAllowed => {
                ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "The route does not have this method")
            }
            ProblemType::Conflict => {
                ("conflict", StatusCode::CONFLICT, "The state does not allow the request")
            }
            ProblemType::CommandRefused => {
                ("command-refused", StatusCode::CONFLICT, "The command is refused")
            }
            ProblemType::PlanChanged => {
                ("plan-changed", StatusCode::CONFLICT, "The plan of the command has changed")
            }
            ProblemType::KeyInFlight => (
                "idempotency-key-in-flight",
                StatusCode::CONFLICT,
                "A request with this idempotency key is in flight",
            ),
            ProblemType::PreconditionFailed => {
                ("precondition-failed", StatusCode::PRECONDITION_FAILED, "The object has another version")
            }
            ProblemType::BodyTimeout => {
                ("request-timeout", StatusCode::REQUEST_TIMEOUT, "The body did not come in time")
            }
            ProblemType::TooLarge => ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            ProblemType::UnsupportedMediaType => (
                "unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be application/json",
            ),
            ProblemType::InvalidFields => {
                ("invalid-fields", StatusCode::UNPROCESSABLE_ENTITY, "Some fields are invalid")
            }
            ProblemType::KeyReused => (
                "idempotency-key-reused",
                StatusCode::UNPROCESSABLE_ENTITY,
                "Another request has used this idempotency key",
            ),
            ProblemType::TooManyRequests => {
                ("too-many-requests", StatusCode::TOO_MANY_REQUESTS, "Too many requests are in flight")
            }
            ProblemType::QuotaExceeded => {
                ("quota-exceeded", StatusCode::TOO_MANY_REQUESTS, "A quota is used up")
            }
            ProblemType::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "The host failed"),
            ProblemType::PluginFailed => ("plugin-failed", StatusCode::BAD_GATEWAY, "The plugin failed"),
            ProblemType::Unavailable => {
                ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "The host is busy or stopping")
            }
            ProblemType::ProviderUnavailable => (
                "provider-unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "The provider's API does not answer",
            ),
            ProblemType::StorageFull => {
                ("storage-full", StatusCode::SERVICE_UNAVAILABLE, "The disk of the database is full")
            }
            ProblemType::StorageMoved => (
                "storage-moved",
                StatusCode::SERVICE_UNAVAILABLE,
                "A file of the database was moved or deleted",
            ),
            ProblemType::TimedOut => {
                ("timed-out", StatusCode::SERVICE_UNAVAILABLE, "The request took too long")
            }
        }
    }
}

/// A problem with one field, parameter or header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field, such as `resources[3].price`, or the name of the parameter or header.
    pub field: String,
    /// The problem, and what is expected.
    pub detail: String,
}

impl FieldError {
    /// Those of a body or a file that could not be read.
    pub(crate) fn of_problems(problems: &Problems) -> Vec<FieldError> {
        let list = problems.list().iter();
        list.map(|problem| FieldError { field: problem.path.clone(), detail: problem.message.clone() })
            .collect()
    }
}

/// A problem, as handlers return it.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The type of the problem.
    pub kind: ProblemType,
    /// What went wrong in this case, and what to do.
    pub detail: String,
    /// The problems of fields, parameters and headers.
    pub errors: Vec<FieldError>,
    /// Members that the type adds.
    pub more: Map<String, Value>,
    /// Additional headers of the response.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// Problem details as clients see them, for OpenAPI.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDetails {
    /// The stable type; begins with `urn:perennial:problem:`.
    r#type: String,
    /// The title, the same for every problem of the type.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What went wrong in this case, and what to do.
    detail: String,
    /// The problems of fields, parameters and headers; absent if there are none.
    #[schema(required = false)]
    errors: Vec<FieldError>,
}

impl Problem {
    /// A problem with a detail.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Problem {
        Problem { kind, detail: detail.into(), errors: Vec::new(), more: Map::new(), headers: Vec::new() }
    }

    /// There is no such object, or the token cannot access it.
    pub(crate) fn not_found(object: &str, id: &str) -> Problem {
        Problem::new(ProblemType::NotFound, format!("there is no {object} `{id}`"))
    }

    /// A problem with one field, parameter or header.
    pub fn field(kind: ProblemType, field: &str, detail: impl Into<String>) -> Problem {
        Problem::fields(kind, vec![FieldError { field: field.to_owned(), detail: detail.into() }])
    }

    /// Problems with fields, parameters or headers.
    pub fn fields(kind: ProblemType, errors: Vec<FieldError>) -> Problem {
        Problem::listed(kind, errors, false)
    }

    /// Problems with fields, parameters or headers: all of them or, if `has_more`, the first.
    pub(crate) fn listed(kind: ProblemType, errors: Vec<FieldError>, has_more: bool) -> Problem {
        let (count, plural) = (errors.len(), if errors.len() == 1 { "" } else { "s" });
        let detail = match has_more {
            false => format!("{count} problem{plural}; see `errors`"),
            true => {
                format!(
                    "at least {count} problem{plural}; see `errors`, put them right and send it again: the rest was not read"
                )
            }
        };
        let mut problem = Problem::new(kind, detail);
        problem.errors = errors;
        problem
    }

    /// Adds `Retry-After` in seconds.
    pub fn retry_after(mut self, seconds: u32) -> Problem {
        self.headers.push((header::RETRY_AFTER, HeaderValue::from(seconds)));
        self
    }

    /// Adds a member to the body.
    pub fn with(mut self, name: &str, value: Value) -> Problem {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// The `type` of the body.
    pub(crate) fn type_uri(&self) -> String {
        format!("urn:perennial:problem:{}", self.kind.slug())
    }

    /// The body, as JSON.
    pub fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("type".to_owned(), self.type_uri().into());
        body.insert("title".to_owned(), self.kind.title().into());
        body.insert("status".to_owned(), self.kind.status().as_u16().into());
        body.insert("detail".to_owned(), self.detail.as_str().into());
        if !self.errors.is_empty() {
            let errors = self
                .errors
                .iter()
                .map(|error| serde_json::json!({ "field": error.field, "detail": error.detail }));
            body.insert("errors".to_owned(), errors.collect());
        }
        body.extend(self.more.clone());
        Value::Object(body)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.kind.status(), self.body().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.headers);
        response
    }
}

impl From<Problems> for Problem {
    fn from(problems: Problems) -> Problem {
        let errors = FieldError::of_problems(&problems);
        Problem::listed(ProblemType::InvalidFields, errors, problems.has_more())
    }
}

impl From<ServiceError> for Problem {
    /// Maps the code of the error to a type. Internal details go to the log only.
    fn from(error: ServiceError) -> Problem {
        let kind = ProblemType::ALL
            .into_iter()
            .find(|kind| kind.slug() == error.code())
            .unwrap_or(ProblemType::Internal);
        let mut problem = Problem::new(kind, error.public_message());
        if let ServiceError::Engine(EngineError::PlanChanged { found }) = &error {
            problem = problem.with("plan_hash", found.as_str().into());
        }
        match error.retry_after_seconds() {
            Some(seconds) => problem.retry_after(seconds),
            None => problem,
        }
    }
}

impl From<getrandom::Error> for Problem {
    fn from(error: getrandom::Error) -> Problem {
        tracing::error!(%error, "the system has no random bits");
        Problem::new(ProblemType::Internal, "the system has no random bits to give")
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        ServiceError::from(error).into()
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Problem {
        ServiceError::from(error).into()
    }
}
