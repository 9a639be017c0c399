//! Responses: always a JSON object, always with the request's id.

use plugin_sdk::provider_api::Response;

use crate::provider_api::json::Json;

/// A response with this body to the request with this id.
pub fn json(request_id: &str, status: u16, body: &Json) -> Response {
    Response { status, headers: headers(request_id), body: body.bytes() }
}

/// A response without a body to the request with this id.
pub fn empty(request_id: &str, status: u16) -> Response {
    let headers = headers(request_id).into_iter().filter(|(name, _)| name != "content-type").collect();
    Response { status, headers, body: Vec::new() }
}

/// The headers of every response.
pub fn headers(request_id: &str) -> Vec<(String, String)> {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if !request_id.is_empty() {
        headers.push(("x-request-id".to_owned(), request_id.to_owned()));
    }
    headers
}

/// The fields of the old API's success, which come before all others.
pub fn success() -> Vec<(&'static str, Json)> {
    vec![("error_code", Json::from("CBC.0000")), ("error_msg", Json::from("Success"))]
}
