//! Answers of the provider's own API: always a JSON object, always with the request's id.

use plugin_sdk::provider_api::Response;

use crate::provider_api::json::Json;

/// An answer with this body to the request that the host calls `id`.
pub fn answer(id: &str, status: u16, body: &Json) -> Response {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if !id.is_empty() {
        headers.push(("x-request-id".to_owned(), id.to_owned()));
    }
    Response { status, headers, body: body.bytes() }
}

/// What the old API says when all went well, before whatever else it says.
pub fn success() -> Vec<(&'static str, Json)> {
    vec![("error_code", Json::from("CBC.0000")), ("error_msg", Json::from("Success"))]
}
