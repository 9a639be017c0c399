//! Every error of the API: its code, its HTTP status and its body.
//!
//! Documents: "Error Return" (BCC: cloud.baidu.com/doc/BCC/s/Ojwvyo6nc) for the public codes, "Instance Renewal", "Early
//! Release of Prepaid Instances" and "Change the Disk Billing Mode" for those of their own, "Error Code" (BOS: cloud.baidu.com/doc/BOS/s/Ajwvysfpl) for
//! errors that the public table lacks. Knows the status of each code; each operation knows when it gives which.

use plugin_sdk::Refusal;
use plugin_sdk::provider_api::Failure;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::Response;
use plugin_sdk::provider_api::body::BodyError;
use plugin_sdk::provider_api::error::ApiError;
use plugin_sdk::provider_api::mutation::UnexpectedOutcome;
use plugin_sdk::provider_api::request;
use serde::Serialize;

use crate::options::CLIENT_TOKEN;
use crate::provider_api::response;

/// Every code of the API, with its HTTP status. The README's table of refusals has one row for each.
pub const STATUSES: [(&str, u16); 24] = [
    ("AccessDenied", 403),
    ("BadDigest", 400),
    ("BadRequest", 400),
    ("EntityTooLarge", 413),
    ("IdempotentParameterMismatch", 403),
    ("InappropriateJSON", 400),
    ("Instance.DeletionProtection", 403),
    ("InternalError", 500),
    ("InvalidAccessKeyId", 403),
    ("InvalidHTTPAuthHeader", 400),
    ("InvalidHTTPRequest", 400),
    ("InvalidURI", 400),
    ("InvalidVersion", 404),
    ("MalformedJSON", 400),
    ("MethodNotAllowed", 405),
    ("NoSuchObject", 404),
    ("OperationDenied", 409),
    ("RequestExpired", 400),
    ("RequestTimeout", 408),
    ("ServiceUnavailable", 503),
    ("SignatureDoesNotMatch", 400),
    ("Volume.AutoRenewNotSupportToPostpay", 403),
    ("Volume.ExpiredResourceNotSupportToPostpay", 403),
    ("Volume.PaymentTypeNotSupportToPostpay", 403),
];

/// The code of a refusal whose own code the API does not have, such as one of the host's.
const UNKNOWN_CODE: &str = "OperationDenied";

/// The longest message, in bytes: a message may repeat a part of the request, which can be long.
const MESSAGE_MAX: usize = 500;

/// An error of this API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(ApiError);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    code: &'a str,
    message: &'a str,
    request_id: &'a str,
}

impl Problem {
    /// The error with this code. A code that is not in the table becomes `OperationDenied`.
    pub fn new(code: &str, message: impl Into<String>) -> Problem {
        let row = row(code).or_else(|| row(UNKNOWN_CODE));
        let (code, status) = row.expect("the table has a row for unknown codes");
        Problem(ApiError::new(status, code, message).shortened(MESSAGE_MAX))
    }

    /// A parameter has a value that is not allowed.
    pub(crate) fn bad_request(message: impl Into<String>) -> Problem {
        Problem::new("BadRequest", message)
    }

    /// The account has no such resource of this kind.
    pub(crate) fn no_such_object(what: &str, id: &str) -> Problem {
        Problem::new("NoSuchObject", format!("there is no {what} `{id}`"))
    }

    /// The host broke the contract.
    pub fn internal() -> Problem {
        Problem::new(
            "InternalError",
            "the request led to an answer that was not expected; nothing more was done",
        )
    }

    /// The response to the request with this id.
    pub fn response(&self, request_id: &str) -> Response {
        let Problem(error) = self;
        let body = Body { code: &error.code, message: &error.message, request_id };
        error.response(response::headers(request_id), response::json(&body))
    }
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Problem {
        Problem::new(&refusal.code, &*refusal.message)
    }
}

impl From<UnexpectedOutcome> for Problem {
    fn from(_: UnexpectedOutcome) -> Problem {
        Problem::internal()
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Problem {
        let (code, message) = match error {
            BodyError::NotJson(error) => ("MalformedJSON", format!("the body cannot be used: {error}")),
            BodyError::WrongType(error) => ("InappropriateJSON", format!("the body cannot be used: {error}")),
            BodyError::Missing(name) => ("InappropriateJSON", format!("`{name}` is missing")),
        };
        Problem::new(code, message)
    }
}

fn row(code: &str) -> Option<(&'static str, u16)> {
    STATUSES.into_iter().find(|(known, _)| *known == code)
}

/// The response when the host cannot call `handle`, or cannot continue.
///
/// Of the statuses here, the SDK sends a request again on 500 and 503 only. So those are for requests that were not
/// carried out, and for requests that a client token keeps from being carried out twice.
pub fn failed(request: &Request, failure: Failure) -> Response {
    let problem = match failure {
        Failure::UnknownAccessKey => {
            Problem::new("InvalidAccessKeyId", "there is no such access key, or it was revoked")
        }
        Failure::WrongCredentials => Problem::new(
            "SignatureDoesNotMatch",
            "the signature is not that of this request; check the secret key and what is signed",
        ),
        Failure::InvalidToken => Problem::new("AccessDenied", "there are no tokens here; sign the request"),
        Failure::Replayed => Problem::new(
            "AccessDenied",
            format!(
                "this very request was carried out before; see what became of it before signing it anew, and with a `{CLIENT_TOKEN}`, which makes it safe to send again"
            ),
        ),
        Failure::Malformed => {
            Problem::new("InvalidHTTPRequest", "this is no HTTP request that could be read")
        }
        Failure::TooLarge(bytes) => {
            Problem::new("EntityTooLarge", format!("the body is longer than {bytes} bytes"))
        }
        Failure::TimedOut if may_be_sent_again(request) => {
            Problem::new("ServiceUnavailable", "it took too long; send the same request again")
        }
        Failure::TimedOut => Problem::new(
            "RequestTimeout",
            "it took too long and may still be done; see what became of it before asking again",
        ),
        Failure::Busy(seconds) => {
            let message = format!("too many requests; ask again in {seconds} s");
            let Problem(error) = Problem::new("ServiceUnavailable", message);
            Problem(error.with_header("retry-after", seconds.to_string()))
        }
        Failure::Internal => {
            Problem::new("InternalError", "the request failed and nothing was done; ask again")
        }
    };
    problem.response(&request.id)
}

/// Whether a request that may have been carried out can be sent again without harm.
fn may_be_sent_again(request: &Request) -> bool {
    request.method == "GET" || request::value(&request.query, CLIENT_TOKEN).is_some()
}

#[cfg(test)]
mod tests {
    use crate::provider_api::problem::Problem;
    use crate::provider_api::problem::STATUSES;

    #[test]
    fn the_readme_has_a_row_for_every_code_with_its_status() {
        let readme = include_str!("../../README.md");
        for (code, status) in STATUSES {
            let code = format!("| `{code}` |");
            let status = format!(" {status} |");
            let fits = |line: &str| line.starts_with(&code) && line.contains(&status);
            assert!(readme.lines().any(fits), "README.md has no row `{code}` with `{status}`");
        }
    }

    #[test]
    fn a_message_that_repeats_a_long_text_is_shortened() {
        let response = Problem::bad_request("\u{4f60}".repeat(1_000_000)).response("r-1");
        assert!(response.body.len() < 600, "{}", response.body.len());
    }

    #[test]
    fn an_unknown_code_becomes_operation_denied() {
        assert_eq!(Problem::new("BudgetExceeded", "no"), Problem::new("OperationDenied", "no"));
    }
}
