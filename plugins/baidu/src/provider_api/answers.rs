//! Responses: empty or an object of JSON, each with the request's id.
//!
//! Document: "Instance Renewal" (BCC), whose example shows the headers of an answer without a body. Knows the shape that
//! every response has; not what is in it.

use plugin_sdk::provider_api::NextStep;
use plugin_sdk::provider_api::Response;
use serde::Serialize;

/// Done, and nothing to say. The content type is there all the same, as in the document's example.
pub fn empty(request_id: &str) -> NextStep {
    NextStep::Respond(Response { status: 200, headers: headers(request_id), body: Vec::new() })
}

/// Done, and this object says what.
pub fn object(request_id: &str, body: &impl Serialize) -> NextStep {
    NextStep::Respond(json(200, request_id, body))
}

/// A response with an object as its body.
pub fn json(status: u16, request_id: &str, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("text, numbers and lists can be written as JSON");
    Response { status, headers: headers(request_id), body }
}

fn headers(request_id: &str) -> Vec<(String, String)> {
    vec![
        ("x-bce-request-id".to_owned(), request_id.to_owned()),
        ("content-type".to_owned(), "application/json;charset=UTF-8".to_owned()),
    ]
}
