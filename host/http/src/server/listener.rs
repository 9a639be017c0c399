//! Listeners: connections, TLS and a graceful shutdown.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
pub use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::ServerConfig;

use crate::server::Tls;
use crate::server::malformed_request::DispatchObserver;
use crate::server::malformed_request::MalformedRequestGuard;
use crate::server::malformed_request::RequestDispatched;

/// The time limit of a TLS handshake, and of the head of a request.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit of requests in flight when the host stops.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(30);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error("cannot use `{path}`: {source}", path = path.display())]
    Pem {
        /// The file.
        path: std::path::PathBuf,
        /// The error of the parser.
        source: rustls_pki_types::pem::Error,
    },
    /// The certificate and the key do not match.
    #[error("the certificate and its key cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
}

/// A listener for TCP or TLS.
pub struct Listener {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    connection_permits: Arc<Semaphore>,
    /// The whole response to a malformed request; `None` is a bare status.
    malformed_response: Option<Arc<[u8]>>,
}

/// Loads a certificate and its key.
///
/// # Errors
///
/// [`TlsError`] when they cannot be read or do not match.
pub fn tls_acceptor(tls: &Tls) -> Result<TlsAcceptor, TlsError> {
    let pem = |path: &Path, source| TlsError::Pem { path: path.to_owned(), source };
    let certificates = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|source| pem(&tls.certificate, source))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|source| pem(&tls.key, source))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl Listener {
    /// Binds to `address`, with at most `connections` open connections.
    ///
    /// # Errors
    ///
    /// [`io::Error`] when the system cannot bind.
    pub async fn bind(
        address: SocketAddr,
        tls: Option<TlsAcceptor>,
        connections: usize,
    ) -> io::Result<Listener> {
        let listener = TcpListener::bind(address).await?;
        Ok(Listener {
            listener,
            tls,
            connection_permits: Arc::new(Semaphore::new(connections)),
            malformed_response: None,
        })
    }

    /// Sets the response to malformed requests: a whole response, as it goes over the wire.
    pub fn with_malformed_response(mut self, malformed_response: Vec<u8>) -> Listener {
        self.malformed_response = Some(malformed_response.into());
        self
    }

    /// The bound address, with the port that the system chose for port 0.
    ///
    /// # Errors
    ///
    /// [`io::Error`] when the system does not know it.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves `router` until `stop` is ready; then accepts no more connections and waits for the requests in flight.
    pub async fn serve(self, router: Router, stop: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let next = async {
                let permit = Arc::clone(&self.connection_permits).acquire_owned().await;
                (self.listener.accept().await, permit.expect("the semaphore of connections is never closed"))
            };
            let (accepted, permit) = match run_until_stopped(next, stop.as_mut()).await {
                Some(next) => next,
                None => break,
            };
            match accepted {
                Ok((stream, _)) => self.accept(stream, permit, &graceful, router.clone()),
                Err(error) => {
                    // Such as too many open files: other connections must close first.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        drop(self.listener);
        if tokio::time::timeout(SHUTDOWN_GRACE, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests exceeded the grace period and were aborted");
        }
    }

    fn accept(
        &self,
        stream: TcpStream,
        permit: OwnedSemaphorePermit,
        graceful: &GracefulShutdown,
        router: Router,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
        let watcher = graceful.watcher();
        let (tls, malformed_response) = (self.tls.clone(), self.malformed_response.clone());
        tokio::spawn(async move {
            match tls {
                None => serve_connection(stream, router, watcher, malformed_response).await,
                Some(tls) => match tokio::time::timeout(CLIENT_TIMEOUT, tls.accept(stream)).await {
                    Ok(Ok(stream)) => serve_connection(stream, router, watcher, malformed_response).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                },
            }
            drop(permit);
        });
    }
}

/// Serves the requests of one connection.
async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
    malformed_response: Option<Arc<[u8]>>,
) {
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(CLIENT_TIMEOUT);
    let service = TowerToHyperService::new(router);
    let ended = match malformed_response {
        None => watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await,
        Some(malformed_response) => {
            let dispatched = RequestDispatched::default();
            let stream = MalformedRequestGuard::new(stream, Arc::clone(&dispatched), malformed_response);
            let service = DispatchObserver::new(service, dispatched);
            watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection failed");
    }
}

/// The output of `work`, or `None` if `stop` is ready first.
async fn run_until_stopped<T>(
    work: impl Future<Output = T>,
    mut stop: std::pin::Pin<&mut impl Future<Output = ()>>,
) -> Option<T> {
    let mut work = std::pin::pin!(work);
    std::future::poll_fn(move |context| {
        if stop.as_mut().poll(context).is_ready() {
            return std::task::Poll::Ready(None);
        }
        work.as_mut().poll(context).map(Some)
    })
    .await
}
