//! A request of the API with what is signed of it: `SDK-HMAC-SHA256`, as the official SDKs sign.
//!
//! Source: "API Request Signing Guide". The canonical request is that of `provider_api::signature`, which checks it on the
//! other side.

use plugin_sdk::connector::CallContext;
use plugin_sdk::connector::SignatureEncoding;
use plugin_sdk::connector::Signing;
use plugin_sdk::connector::UnsignedRequest;
use plugin_sdk::provider_api::Request;
use plugin_sdk::settings::get;
use serde::Serialize;

use crate::connector::capabilities::HOSTS;
use crate::provider_api::instant;
use crate::provider_api::signature;

/// The headers that are signed, in their order.
const SIGNED_HEADERS: [&str; 3] = ["content-type", "host", "x-sdk-date"];

/// What is called: the API that it counts for, its method and its path, which is encoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation<'a> {
    pub(crate) api: u32,
    pub(crate) method: &'static str,
    pub(crate) path: &'a str,
}

/// A request without a body; `query` is encoded.
pub(crate) fn without_body(context: &CallContext, operation: Operation, query: String) -> UnsignedRequest {
    request(context, operation, query, Vec::new())
}

/// A request with this body.
pub(crate) fn with_body(
    context: &CallContext,
    operation: Operation,
    body: &impl Serialize,
) -> UnsignedRequest {
    let body = serde_json::to_vec(body).expect("a structure of texts and numbers is JSON");
    request(context, operation, String::new(), body)
}

fn request(context: &CallContext, operation: Operation, query: String, body: Vec<u8>) -> UnsignedRequest {
    let host = context.endpoint.clone().unwrap_or_else(|| site_host(context).to_owned());
    let date = instant::compact(context.at);
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = vec![header("content-type", "application/json"), header("x-sdk-date", &date)];
    let mut signed_headers = headers.clone();
    signed_headers.push(header("host", &host));
    let signed = Request {
        id: String::new(),
        method: operation.method.to_owned(),
        path: operation.path.to_owned(),
        query: query.clone(),
        headers: signed_headers,
        body: body.clone(),
    };
    let canonical = signature::canonical_request(&signed, &SIGNED_HEADERS)
        .expect("what is encoded here is decoded, and every signed header is there");
    let (access_key, names) = (&context.access_key, SIGNED_HEADERS.join(";"));
    UnsignedRequest {
        api: operation.api,
        method: signed.method,
        host,
        path: signed.path,
        query,
        headers,
        body,
        signing: Signing {
            derivations: Vec::new(),
            key: 0,
            message: signature::string_to_sign(&date, &canonical).into_bytes(),
            encoding: SignatureEncoding::Hexadecimal,
            header: "authorization".to_owned(),
            prefix: format!("SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={names}, Signature="),
            suffix: String::new(),
        },
    }
}

/// The host of the account's legal site.
fn site_host(context: &CallContext) -> &'static str {
    let site = get(&context.account.settings, "site").unwrap_or("intl");
    HOSTS.iter().find(|(known, _)| *known == site).map_or(HOSTS[1].1, |(_, host)| host)
}
