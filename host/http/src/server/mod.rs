//! Listeners, TLS, and the response to malformed requests.

pub mod listener;
mod malformed_request;

use std::path::PathBuf;

/// The files of a TLS certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain in PEM, the host's own certificate first.
    pub certificate: PathBuf,
    /// The private key in PEM.
    pub key: PathBuf,
}
