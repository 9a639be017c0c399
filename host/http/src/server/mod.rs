//! Listeners, TLS, and the answer to bytes that are not HTTP.

pub mod listener;
mod malformed_request;

use std::path::PathBuf;

/// How the host proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificates in PEM, the host's own first.
    pub certificate: PathBuf,
    /// Its private key in PEM.
    pub key: PathBuf,
}
