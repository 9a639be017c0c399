//! A request of the API with what is signed of it: `bce-auth-v1`.
//!
//! Document: "Generate authentication string" (cloud.baidu.com/doc/Reference/s/njwvz1yfu). A body has its digest among the
//! signed headers, because the signature alone covers none of it.

use plugin_sdk::connector::CallContext;
use plugin_sdk::connector::SignatureEncoding;
use plugin_sdk::connector::Signing;
use plugin_sdk::connector::UnsignedRequest;
use plugin_sdk::provider_api::Derivation;
use plugin_sdk::provider_api::KeyEncoding;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::request::hexadecimal;
use plugin_sdk::provider_api::rfc3339;
use sha2::Digest;
use sha2::Sha256;

use crate::connector::capabilities::Service;
use crate::provider_api::canonical;
use crate::provider_api::canonical::SignedHeaders;
use crate::provider_api::parameters::Parameters;

/// For how many seconds a signature holds: the default of every SDK.
const VALIDITY: u32 = 1_800;

/// The headers that are signed, in their order.
const SIGNED_HEADERS: &str = "content-type;host;x-bce-content-sha256;x-bce-date";

/// What is called: where, by which method, and the encoded path and query.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) service: Service,
    pub(super) region: String,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) query: String,
}

/// A request with this body; an empty one is none.
pub(super) fn request(context: &CallContext, operation: Operation, body: Vec<u8>) -> UnsignedRequest {
    let Operation { service, region, method, path, query } = operation;
    let host = context.endpoint.clone().unwrap_or_else(|| service.host(&region));
    let date = rfc3339::write(context.at);
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = vec![
        header("content-type", "application/json"),
        header("x-bce-content-sha256", &hexadecimal(&Sha256::digest(&body))),
        header("x-bce-date", &date),
    ];
    let mut signed_headers = headers.clone();
    signed_headers.push(header("host", &host));
    let signed =
        Request { id: String::new(), method: method.to_owned(), path, query, headers: signed_headers, body };
    let names = SignedHeaders::of(SIGNED_HEADERS).expect("the host is among them");
    let form = Parameters::of(&signed).and_then(|parameters| canonical::form(&signed, &parameters, names));
    let form = form.expect("what is encoded here is decoded");
    let prefix = format!("bce-auth-v1/{}/{date}/{VALIDITY}", context.access_key);
    let derivation = Derivation {
        key: 0,
        prefix: Vec::new(),
        message: prefix.clone().into_bytes(),
        encoding: KeyEncoding::Hexadecimal,
    };
    UnsignedRequest {
        api: service.index(),
        method: signed.method,
        host,
        path: signed.path,
        query: signed.query,
        headers,
        body: signed.body,
        signing: Signing {
            derivations: vec![derivation],
            key: 1,
            message: form.into_bytes(),
            encoding: SignatureEncoding::Hexadecimal,
            header: "authorization".to_owned(),
            prefix: format!("{prefix}/{SIGNED_HEADERS}/"),
            suffix: String::new(),
        },
    }
}
