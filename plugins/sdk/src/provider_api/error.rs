//! An error that a provider's API responds with.
//!
//! Each plugin has a table of its provider's codes and statuses, and writes the body in its provider's format.

use crate::provider_api::Response;

/// An error: the provider's code, a message for people, and the HTTP status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status, from 400 to 599; some providers also give errors status 200.
    pub status: u16,
    /// The provider's own code.
    pub code: String,
    /// The message for people.
    pub message: String,
    headers: Vec<(&'static str, String)>,
}

impl ApiError {
    /// An error without headers of its own.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> ApiError {
        ApiError { status, code: code.into(), message: message.into(), headers: Vec::new() }
    }

    /// The same error with a message of at most `bytes` bytes: a message may repeat a part of the request, which can be
    /// long.
    pub fn shortened(mut self, bytes: usize) -> ApiError {
        self.message.truncate(self.message.floor_char_boundary(bytes));
        self
    }

    /// The same error with one more header, such as `retry-after`. The name is in lower case.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> ApiError {
        self.headers.push((name, value.into()));
        self
    }

    /// The response with this body and these headers, and after them the headers of the error.
    pub fn response(&self, mut headers: Vec<(String, String)>, body: Vec<u8>) -> Response {
        headers.extend(self.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Response { status: self.status, headers, body }
    }
}

#[cfg(test)]
mod tests {
    use crate::provider_api::error::ApiError;

    #[test]
    fn a_message_is_shortened_between_two_characters() {
        let error = ApiError::new(400, "Bad", "\u{4f60}\u{4f60}");
        assert_eq!(error.clone().shortened(5).message, "\u{4f60}");
        assert_eq!(error.clone().shortened(6), error);
    }

    #[test]
    fn the_headers_of_an_error_come_last() {
        let error = ApiError::new(503, "Busy", "later").with_header("retry-after", "7");
        let response = error.response(vec![("a".to_owned(), "b".to_owned())], Vec::new());
        assert_eq!(response.status, 503);
        assert_eq!(response.headers[1], ("retry-after".to_owned(), "7".to_owned()));
    }
}
