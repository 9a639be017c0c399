//! TLS of connections that this program opens: whose certificates it trusts. Opens none.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::RootCertStore;

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificatesError {
    /// A file cannot be read as PEM.
    #[error("cannot use `{path}`: {source}", path = path.display())]
    Pem {
        /// The file that cannot be used.
        path: PathBuf,
        /// The error of the parser.
        source: rustls_pki_types::pem::Error,
    },
    /// A file has no certificate.
    #[error("there is no certificate in `{path}`; name a PEM file with those of the authorities to trust", path = path.display())]
    NoCertificates {
        /// The file that cannot be used.
        path: PathBuf,
    },
    /// A certificate cannot be used.
    #[error("a certificate of an authority to trust cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
}

/// What makes TLS connections that trust the root certificates that browsers trust, and those of the PEM file
/// `certificates`.
///
/// # Errors
///
/// [`CertificatesError`] when the file cannot be used.
pub fn connector(certificates: Option<&Path>) -> Result<TlsConnector, CertificatesError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = certificates {
        let pem = |source| CertificatesError::Pem { path: path.to_owned(), source };
        let known = roots.len();
        for certificate in CertificateDer::pem_file_iter(path).map_err(pem)? {
            roots.add(certificate.map_err(pem)?)?;
        }
        if roots.len() == known {
            return Err(CertificatesError::NoCertificates { path: path.to_owned() });
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
