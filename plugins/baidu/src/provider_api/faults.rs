//! Every error that the API answers: its code, its HTTP status and its shape.
//!
//! Documents: "Error Return" (BCC: cloud.baidu.com/doc/BCC/s/Ojwvyo6nc) for the public codes, "Instance Renewal" and
//! "Change the Disk Billing Mode" for those of their own, "Error Code" (BOS: cloud.baidu.com/doc/BOS/s/Ajwvysfpl) for
//! what the public table has no word for. Knows which code has which status; when each is answered is said where it is.

use plugin_sdk::Refusal;
use plugin_sdk::provider_api::Failure;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::Response;
use plugin_sdk::request;
use serde::Serialize;

use crate::options::CLIENT_TOKEN;
use crate::provider_api::answers;

/// Every code that is answered, with its HTTP status. The README's table of refusals has one row for each.
pub const STATUSES: [(&str, u16); 23] = [
    ("AccessDenied", 403),
    ("BadDigest", 400),
    ("BadRequest", 400),
    ("EntityTooLarge", 413),
    ("IdempotentParameterMismatch", 403),
    ("InappropriateJSON", 400),
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

/// What a refusal becomes whose code the API does not have, such as one of the host's own.
const OTHERWISE: &str = "OperationDenied";

/// The longest message, in bytes: what is repeated of a request may be as long as the request.
const MESSAGE_MAX: usize = 500;

/// An error, before it is a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    code: &'static str,
    status: u16,
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    code: &'a str,
    message: &'a str,
    request_id: &'a str,
}

impl Fault {
    /// The error with this code, in these words. A code that is not in the table is answered as `OperationDenied`.
    pub fn new(code: &str, message: impl Into<String>) -> Fault {
        let (code, status) =
            row(code).or_else(|| row(OTHERWISE)).expect("the table has a row for the others");
        let mut message = message.into();
        message.truncate(message.floor_char_boundary(MESSAGE_MAX));
        Fault { code, status, message }
    }

    /// A parameter that is not one of its own values.
    pub fn bad_request(message: impl Into<String>) -> Fault {
        Fault::new("BadRequest", message)
    }

    /// There is no such resource, of such a kind, in the account.
    pub fn no_such_object(what: &str, id: &str) -> Fault {
        Fault::new("NoSuchObject", format!("there is no {what} `{id}`"))
    }

    /// What the host did not do as the contract says it does.
    pub fn internal() -> Fault {
        Fault::new(
            "InternalError",
            "the request led to an answer that was not expected; nothing more was done",
        )
    }

    /// The error as it is answered.
    pub fn response(&self, request_id: &str) -> Response {
        answers::json(self.status, request_id, &Body { code: self.code, message: &self.message, request_id })
    }
}

impl From<&Refusal> for Fault {
    fn from(refusal: &Refusal) -> Fault {
        Fault::new(&refusal.code, &*refusal.message)
    }
}

fn row(code: &str) -> Option<(&'static str, u16)> {
    STATUSES.into_iter().find(|(known, _)| *known == code)
}

/// What is answered when the host does not ask, or does not go on.
///
/// The SDK sends a request again on status 500 and 503 and on nothing else that is answered here. So those are for what
/// did not happen, or for what its token keeps from happening twice.
pub fn failed(request: &Request, failure: Failure) -> Response {
    let fault = match failure {
        Failure::UnknownAccessKey => {
            Fault::new("InvalidAccessKeyId", "there is no such access key, or it was revoked")
        }
        Failure::WrongCredentials => Fault::new(
            "SignatureDoesNotMatch",
            "the signature is not that of this request; check the secret key and what is signed",
        ),
        Failure::InvalidToken => Fault::new("AccessDenied", "there are no tokens here; sign the request"),
        Failure::Replayed => Fault::new(
            "AccessDenied",
            format!(
                "this very request was carried out before; see what became of it before signing it anew, and with a `{CLIENT_TOKEN}`, which makes it safe to send again"
            ),
        ),
        Failure::Malformed => Fault::new("InvalidHTTPRequest", "this is no HTTP request that could be read"),
        Failure::TooLarge(bytes) => {
            Fault::new("EntityTooLarge", format!("the body is longer than {bytes} bytes"))
        }
        Failure::TimedOut if may_be_sent_again(request) => {
            Fault::new("ServiceUnavailable", "it took too long; send the same request again")
        }
        Failure::TimedOut => Fault::new(
            "RequestTimeout",
            "it took too long and may still be done; see what became of it before asking again",
        ),
        Failure::Busy(seconds) => {
            Fault::new("ServiceUnavailable", format!("too many requests; ask again in {seconds} s"))
        }
        Failure::Internal => {
            Fault::new("InternalError", "the request failed and nothing was done; ask again")
        }
    };
    let mut response = fault.response(&request.id);
    if let Failure::Busy(seconds) = failure {
        response.headers.push(("retry-after".to_owned(), seconds.to_string()));
    }
    response
}

/// Whether a request that may have been obeyed can be sent again with no harm.
fn may_be_sent_again(request: &Request) -> bool {
    request.method == "GET" || request::value(&request.query, CLIENT_TOKEN).is_some()
}

#[cfg(test)]
mod tests {
    use crate::provider_api::faults::Fault;
    use crate::provider_api::faults::STATUSES;

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
    fn a_message_is_not_as_long_as_what_it_repeats() {
        let response = Fault::bad_request("\u{4f60}".repeat(1_000_000)).response("r-1");
        assert!(response.body.len() < 600, "{}", response.body.len());
    }

    #[test]
    fn a_code_that_the_api_does_not_have_is_operation_denied() {
        assert_eq!(Fault::new("BudgetExceeded", "no"), Fault::new("OperationDenied", "no"));
    }
}
