//! Responses: always a JSON object, always with the request's id.

use plugin_sdk::provider_api::Request;
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

/// The response as the API of the request's path has it: the old one names the character set.
pub(crate) fn in_dialect(request: &Request, mut response: Response) -> Response {
    if request.path.starts_with("/v1.0/") {
        for (_, value) in response.headers.iter_mut().filter(|(name, _)| name == "content-type") {
            "application/json;charset=UTF-8".clone_into(value);
        }
    }
    response
}

/// The fields of the old API's success, which come before all others.
pub fn success() -> Vec<(&'static str, Json)> {
    vec![("error_code", Json::from("CBC.0000")), ("error_msg", Json::from("Success"))]
}
