//! Requests signed as Baidu's SDK signs them.

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use http::Request;
use perennial_domain::timestamp::Timestamp;
use sha2::Sha256;

use crate::provider_server::Key;
use crate::provider_server::ProviderResponse;
use crate::provider_server::Server;

/// The host that every request names.
pub const HOST: &str = "127.0.0.1:8430";

/// A request before it is signed.
#[derive(Clone)]
pub struct Draft {
    /// The HTTP method, such as `PUT`.
    pub method: &'static str,
    /// The path with its query.
    pub target: String,
    /// The body to sign.
    pub body: String,
    /// How long the signature is valid.
    pub seconds: i64,
    /// Further headers, which are signed as well.
    pub more: Vec<(&'static str, String)>,
}

/// A request of `method` to `target`, valid for half an hour.
pub fn draft(method: &'static str, target: &str, body: &str) -> Draft {
    Draft { method, target: target.to_owned(), body: body.to_owned(), seconds: 1800, more: Vec::new() }
}

/// A request that can be sent, as often as one likes, and tampered with.
#[derive(Clone)]
pub struct SignedRequest {
    /// The request as it was signed.
    pub draft: Draft,
    /// Its headers, the signature among them.
    pub headers: Vec<(&'static str, String)>,
}

impl Draft {
    /// Signs it as the SDK does, without saying what is signed.
    pub fn signed(mut self, key: &Key, at: Timestamp) -> SignedRequest {
        let mut headers = vec![
            ("host", HOST.to_owned()),
            ("content-length", self.body.len().to_string()),
            ("x-bce-date", at.to_string()),
        ];
        headers.append(&mut self.more);
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let mut query = query.split('&').filter(|part| !part.is_empty()).collect::<Vec<_>>();
        query.sort_unstable();
        let mut lines =
            headers.iter().map(|(name, value)| format!("{name}:{}", encoded(value))).collect::<Vec<_>>();
        lines.sort_unstable();
        let message = format!("{}\n{path}\n{}\n{}", self.method, query.join("&"), lines.join("\n"));
        let prefix = format!("bce-auth-v1/{}/{at}/{}", key.access_key, self.seconds);
        let signature = hmac(&hmac(&key.secret, &prefix), &message);
        headers.push(("authorization", format!("{prefix}//{signature}")));
        SignedRequest { draft: self, headers }
    }
}

impl SignedRequest {
    /// Sends it to the server and returns the answer.
    pub fn send(&self, server: &Server) -> ProviderResponse {
        let mut request = Request::builder().method(self.draft.method).uri(&self.draft.target);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        server.send(request.body(self.draft.body.clone()).unwrap())
    }
}

fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// The HMAC in hexadecimal digits.
pub fn hmac(key: &str, message: &str) -> String {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    hmac.update(message.as_bytes());
    hmac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
