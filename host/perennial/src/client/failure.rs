//! Why a request to the admin API was not carried out: problem details (RFC 9457) and connections, in the words and with
//! the exit codes of the command line.

use std::fmt;

use serde_json::Value;

use crate::client::request::Request;
use crate::client::request::Response;

/// Statuses that say that what was given is wrong.
const WRONG_INPUT: [u16; 6] = [400, 404, 412, 413, 415, 422];
/// What the type of each problem of the admin API begins with.
const TYPE: &str = "urn:perennial:problem:";

/// Why there is no answer to a request, or none that helps.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The host refused it.
    #[error("{0}")]
    Problem(ProblemReport),
    /// What answers has another API.
    #[error(
        "what answers at {target}, with the status {status}, is no Perennial; name the address of `perennial serve`"
    )]
    NotPerennial {
        /// The address that was asked.
        target: String,
        /// What it answers.
        status: u16,
    },
    /// There is no connection, or no answer on it.
    #[error("{target} does not answer: {why}{then}")]
    NoAnswer {
        /// The address that was asked.
        target: String,
        /// What went wrong.
        why: String,
        /// What may have become of the request, and what to do next.
        then: String,
    },
    /// A stream ended, and did not begin again.
    #[error(
        "the stream of {target} broke off, and the host does not go on with it; run it again, with `--after` and the id of the last event"
    )]
    BrokenOff {
        /// The address that was asked.
        target: String,
    },
    /// What is asked about has no name.
    #[error("cannot {what}: its ID is empty; name one")]
    Unnamed {
        /// What was to be done.
        what: String,
    },
    /// A database alone has no stream.
    #[error("events are followed on a running host: name it with `--server`")]
    NothingToFollow,
}

impl ClientError {
    /// What answered `response` is no Perennial.
    pub(crate) fn not_perennial(target: String, response: &Response) -> ClientError {
        ClientError::NotPerennial { target, status: response.status }
    }

    /// Whether the same may be answered soon: the host is busy, or does not listen at present.
    pub(crate) fn is_worth_retrying(error: &anyhow::Error) -> bool {
        match error.downcast_ref::<ClientError>() {
            Some(ClientError::NoAnswer { .. }) => true,
            Some(ClientError::Problem(problem)) => problem.retry_after.is_some(),
            Some(
                ClientError::NotPerennial { .. }
                | ClientError::BrokenOff { .. }
                | ClientError::Unnamed { .. }
                | ClientError::NothingToFollow,
            )
            | None => false,
        }
    }

    /// Whether what was given is wrong, which is another exit code.
    pub(crate) fn is_wrong_input(&self) -> bool {
        match self {
            ClientError::Problem(problem) => WRONG_INPUT.contains(&problem.status),
            ClientError::NothingToFollow | ClientError::Unnamed { .. } => true,
            ClientError::NotPerennial { .. }
            | ClientError::NoAnswer { .. }
            | ClientError::BrokenOff { .. } => false,
        }
    }
}

/// A problem that a request led to.
#[derive(Debug)]
pub(crate) struct ProblemReport {
    /// What was tried, on what.
    tried: String,
    /// Its type, such as `plan-changed`.
    pub(crate) slug: String,
    status: u16,
    title: String,
    detail: String,
    errors: Vec<(String, String)>,
    retry_after: Option<u64>,
}

impl ProblemReport {
    /// The problem that is the response to a request to `target`; `None` if it is something else.
    pub(crate) fn read(request: &Request, target: &str, response: &Response) -> Option<ProblemReport> {
        let body = response.try_json()?;
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let slug = body["type"].as_str()?.strip_prefix(TYPE)?.to_owned();
        let errors = body["errors"].as_array().into_iter().flatten();
        Some(ProblemReport {
            tried: format!("cannot {} on {target}", request.what),
            slug,
            status: response.status,
            title: text(&body, "title"),
            detail: text(&body, "detail"),
            errors: errors.map(|error| (text(error, "field"), text(error, "detail"))).collect(),
            retry_after: response.retry_after,
        })
    }

    /// Whether something failed at this stage, with whose name its message begins.
    pub(crate) fn is_of_stage(&self, stage: &str) -> bool {
        let is_of = |detail: &str| detail.strip_prefix(stage).is_some_and(|rest| rest.starts_with(':'));
        self.errors.iter().any(|(_, detail)| is_of(detail))
    }

    /// What to do next, where the problem itself does not say it.
    fn advice(&self) -> Option<String> {
        match (self.slug.as_str(), self.retry_after) {
            ("unauthorized", _) => {
                Some("name a file with a token that is in force, with `--token-file`".to_owned())
            }
            (_, Some(seconds)) if self.status == 429 || self.status >= 500 => {
                Some(format!("try it again in {seconds} s"))
            }
            _ => None,
        }
    }
}

impl fmt::Display for ProblemReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.tried, self.title)?;
        match self.errors.as_slice() {
            [] if self.detail.is_empty() => {}
            [] => write!(formatter, ": {}", self.detail)?,
            errors => {
                for (field, detail) in errors {
                    write!(formatter, "\n  {field}: {detail}")?;
                }
            }
        }
        match self.advice() {
            Some(advice) => write!(formatter, "; {advice}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report(status: u16, retry_after: Option<u64>, body: Value) -> Option<ProblemReport> {
        let request = Request::new("GET", "/v1/accounts", &[]).to("list accounts");
        let response = Response {
            etag: None,
            status,
            content_type: "application/problem+json".to_owned(),
            retry_after,
            version: None,
            is_replayed: false,
            body: body.to_string().into_bytes(),
        };
        ProblemReport::read(&request, "http://h", &response)
    }

    #[test]
    fn a_problem_says_what_was_tried_and_everything_that_is_wrong() {
        let wrong = json!({"type": "urn:perennial:problem:invalid-fields", "title": "Some fields are invalid",
            "detail": "2 problems; see `errors`",
            "errors": [{"field": "a", "detail": "it is empty"}, {"field": "b", "detail": "it is missing"}]});
        let wrong = report(422, None, wrong).unwrap();
        assert_eq!(
            wrong.to_string(),
            "cannot list accounts on http://h: Some fields are invalid\n  a: it is empty\n  b: it is missing"
        );
        assert!(ClientError::Problem(wrong).is_wrong_input());
        let busy = json!({"type": "urn:perennial:problem:unavailable", "title": "The host is busy or stopping",
            "detail": "too many requests are in flight"});
        let busy = report(503, Some(7), busy).unwrap();
        assert!(busy.to_string().ends_with("too many requests are in flight; try it again in 7 s"), "{busy}");
        assert!(!ClientError::Problem(busy).is_wrong_input());
        assert!(report(404, None, json!({"message": "not found"})).is_none());
    }
}
