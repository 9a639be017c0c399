//! Requests that a connector made up, before they are signed, and the responses to them.

use crate::connector::ApiIndex;
use crate::provider_api::Derivation;

/// How a signature is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureEncoding {
    /// Lower case hexadecimal digits.
    Hexadecimal,
    /// The standard alphabet, with padding.
    Base64,
}

/// What the host signs, and where it puts the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    /// The keys to derive, one after the other.
    pub derivations: Vec<Derivation>,
    /// The index of the key that signs: 0 is the secret.
    pub key: usize,
    /// The canonical message.
    pub message: Vec<u8>,
    /// How the signature is encoded.
    pub encoding: SignatureEncoding,
    /// The header that carries it ...
    pub header: String,
    /// ... behind this text ...
    pub prefix: String,
    /// ... and before this one.
    pub suffix: String,
}

/// A request, complete but for its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedRequest {
    /// The API that it counts for.
    pub api: ApiIndex,
    /// The HTTP method, in upper case.
    pub method: String,
    /// One of the connector's hosts, or the account's endpoint.
    pub host: String,
    /// Percent-encoded, without the query.
    pub path: String,
    /// Percent-encoded, without the question mark; empty when there is none.
    pub query: String,
    /// Names in lower case with their values; nothing that the host adds.
    pub headers: Vec<(String, String)>,
    /// The content, as it is sent.
    pub body: Vec<u8>,
    /// How it is signed.
    pub signing: Signing,
}

/// What came back for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedResponse {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case with their values.
    pub headers: Vec<(String, String)>,
    /// The content, as it was received.
    pub body: Vec<u8>,
}
