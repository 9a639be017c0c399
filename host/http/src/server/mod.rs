//! Listeners, TLS, and the answer to bytes that are not HTTP.

pub mod listener;
mod malformed_request;

use std::path::PathBuf;

/// What a listener serves.
pub use axum::Router;
/// The body of a request or response.
pub use axum::body::Body;

/// How the host proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificates in PEM, the host's own first.
    pub certificate: PathBuf,
    /// Its private key in PEM.
    pub key: PathBuf,
}
