//! Serving: connections, TLS, and an end that loses nothing.

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

/// How long a client may take for its handshake, and for the head of a request.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests that are under way may take when the host stops.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(30);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error("cannot use `{path}`: {source}", path = path.display())]
    Pem {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong.
        source: rustls_pki_types::pem::Error,
    },
    /// They do not fit together.
    #[error("the certificate and its key cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
}

/// Where connections come from, and how they are made safe.
pub struct Listener {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    connection_permits: Arc<Semaphore>,
    /// What a client is told whose request cannot be read, as it goes over the wire; `None` is a bare status.
    malformed_response: Option<Arc<[u8]>>,
}

/// Reads a certificate and its key.
///
/// # Errors
///
/// [`TlsError`] when they cannot be read or do not fit together.
pub fn acceptor(tls: &Tls) -> Result<TlsAcceptor, TlsError> {
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
    /// Listens at `address`, for at most `connections` at once.
    ///
    /// # Errors
    ///
    /// What the system says when it cannot.
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

    /// The same, which tells a client whose request cannot be read `unread`: a whole response, as it goes over the wire.
    pub fn with_malformed_response(mut self, malformed_response: Vec<u8>) -> Listener {
        self.malformed_response = Some(malformed_response.into());
        self
    }

    /// Where it listens, with the port that the system gave if none was asked for.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves `router` until `stop` is ready; then takes no more connections and waits for requests that are under way.
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
                    // Such as too many open files: others have to close theirs first.
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        drop(self.listener);
        if tokio::time::timeout(SHUTDOWN_GRACE, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests took too long to end and were cut off");
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
            tracing::debug!(%error, "a connection stays with Nagle's algorithm");
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

/// Answers the requests of one connection.
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
            let handed_on = RequestDispatched::default();
            let stream = MalformedRequestGuard::new(stream, Arc::clone(&handed_on), malformed_response);
            let service = DispatchObserver::new(service, handed_on);
            watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// What `work` gives, or `None` if `stop` is ready first.
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
