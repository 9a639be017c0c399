//! Responses: empty, or a JSON object, each with the request's id.
//!
//! Document: "Instance Renewal" (BCC), whose example shows the headers of a response without a body.

use plugin_sdk::provider_api::Response;
use serde::Serialize;

/// The response of success without a body. It has the content type all the same, as in the document's example.
pub fn empty(request_id: &str) -> Response {
    Response { status: 200, headers: headers(request_id), body: Vec::new() }
}

/// The response of success with this object as its body.
pub fn object(request_id: &str, body: &impl Serialize) -> Response {
    json_text(request_id, json(body))
}

/// The response of success with this text, a JSON object, as its body.
pub(crate) fn json_text(request_id: &str, body: Vec<u8>) -> Response {
    Response { status: 200, headers: headers(request_id), body }
}

/// The bytes of an object.
pub fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("text, numbers and lists can be written as JSON")
}

/// The headers of every response.
pub fn headers(request_id: &str) -> Vec<(String, String)> {
    vec![
        ("x-bce-request-id".to_owned(), request_id.to_owned()),
        ("content-type".to_owned(), "application/json;charset=UTF-8".to_owned()),
    ]
}
