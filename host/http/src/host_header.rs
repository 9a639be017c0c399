//! The `Host` header of a request, of which there is one: with two, whatever stands in front of this host may have read the other.

use axum::http::HeaderMap;
use axum::http::header;

/// Whether a request has more than one `Host` header, which RFC 9112, section 3.2, has every server refuse with 400.
pub(crate) fn is_repeated(headers: &HeaderMap) -> bool {
    headers.get_all(header::HOST).iter().nth(1).is_some()
}
