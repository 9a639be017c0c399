//! What responses of every provider have in common: headers, and JSON that may be anything.

use serde::Deserialize;

use crate::Refusal;
use crate::connector::QueryFailure;
use crate::connector::QueryFailureReason;
use crate::connector::ReceivedResponse;

/// The most characters of a provider's text that are repeated.
const SHOWN_MAX: usize = 200;

/// The first header with this name, which is in lower case.
pub fn header<'a>(response: &'a ReceivedResponse, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
}

/// The seconds of `Retry-After`; `None` when there is none, or when it is a date.
pub fn retry_after(response: &ReceivedResponse) -> Option<u32> {
    header(response, "retry-after").and_then(|value| value.parse().ok())
}

/// The body as a structure; an empty body is an object without fields. `None` when it is anything else.
pub fn json<'a, T: Deserialize<'a>>(response: &'a ReceivedResponse) -> Option<T> {
    let body = response.body.trim_ascii();
    serde_json::from_slice(if body.is_empty() { b"{}" } else { body }).ok()
}

/// The status and the beginning of the body, for people who look for what went wrong.
pub fn shown(response: &ReceivedResponse) -> String {
    let text = String::from_utf8_lossy(&response.body);
    let text = text.chars().filter(|character| !character.is_control()).take(SHOWN_MAX);
    format!("status {} with `{}`", response.status, text.collect::<String>())
}

/// Whether the status says that the request was understood.
pub fn is_success(response: &ReceivedResponse) -> bool {
    (200..300).contains(&response.status)
}

/// The failure of a response that the provider's documents do not describe.
pub fn unreadable(problem: &str, response: &ReceivedResponse) -> QueryFailure {
    let message = format!("{problem}: {}", shown(response));
    let refusal = Refusal { code: "unreadable".to_owned(), message };
    QueryFailure { reason: QueryFailureReason::Unreadable, refusal, retry_after: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(body: &str) -> ReceivedResponse {
        let headers = vec![("retry-after".to_owned(), " 7 ".to_owned())];
        ReceivedResponse { status: 429, headers, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_response_is_read_as_far_as_it_can_be_read() {
        #[derive(Debug, Deserialize, PartialEq)]
        struct Body {
            code: Option<String>,
        }
        let code = |body| json::<Body>(&response(body)).map(|body| body.code);
        assert_eq!(code("{\"code\":\"A\"}"), Some(Some("A".to_owned())));
        assert_eq!(code(" "), Some(None));
        assert_eq!(code("<html>"), None);
        assert_eq!(retry_after(&response("")), Some(7));
        assert_eq!(shown(&response("a\u{1b}[31mb")), "status 429 with `a[31mb`");
    }
}
