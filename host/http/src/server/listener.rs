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
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpListener;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
pub use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::ServerConfig;

use crate::server::ClientAddress;
use crate::server::ConnectionLimits;
use crate::server::Refusals;
use crate::server::Tls;
use crate::server::connections::Connections;
use crate::server::connections::IsAuthenticated;
use crate::server::exchange::ExchangeStage;
use crate::server::head_guard::HeadGuard;
use crate::server::long_heads::LongHeads;
use crate::server::paced_stream::Backlog;
use crate::server::paced_stream::PacedStream;
use crate::server::service::ConnectionService;
use crate::server::service::Turns;

/// The time limit of requests in flight when the host stops.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(30);
/// How much longer the library waits for a head than the guard that answers a late one.
const GUARD_MARGIN: Duration = Duration::from_secs(1);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error("cannot use `{path}`: {source}", path = path.display())]
    Pem {
        /// The file that could not be read.
        path: std::path::PathBuf,
        /// The error of the parser.
        source: rustls_pki_types::pem::Error,
    },
    /// A PEM file has no certificate or no key, whichever the configuration names it for.
    #[error("there is no {what} in `{path}`; name a PEM file with one", path = path.display())]
    Nothing {
        /// What the file lacks: a certificate or a key.
        what: &'static str,
        /// The file without a certificate or key.
        path: std::path::PathBuf,
    },
    /// The certificate and the key do not match.
    #[error("the certificate and its key cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
}

/// How many connections wait to be accepted, if the system has no smaller limit: more than come at once when an attacker that
/// was closed comes again. Clients beyond that wait a second or more before they try again.
const WAITING_MAX: u32 = 4_096;

/// A listener for TCP or TLS.
pub struct Listener {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    limits: ConnectionLimits,
    connections: Connections,
    long_heads: LongHeads,
    turns: Turns,
    /// `None` is a bare status.
    refusals: Option<Arc<Refusals>>,
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
    if certificates.is_empty() {
        return Err(TlsError::Nothing { what: "certificate", path: tls.certificate.clone() });
    }
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|source| {
        if matches!(source, rustls_pki_types::pem::Error::NoItemsFound) {
            return TlsError::Nothing { what: "private key", path: tls.key.clone() };
        }
        pem(&tls.key, source)
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl Listener {
    /// Binds to `address`, with connections within `limits`.
    ///
    /// # Errors
    ///
    /// [`io::Error`] when the system cannot bind.
    pub async fn bind(
        address: SocketAddr,
        tls: Option<TlsAcceptor>,
        limits: ConnectionLimits,
    ) -> io::Result<Listener> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A host that starts again has the address of the one before at once. Elsewhere others could take it, too.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(WAITING_MAX)?;
        Ok(Listener {
            listener,
            tls,
            limits,
            connections: Connections::new(limits.connections_max, limits.per_address_max),
            long_heads: LongHeads::new(limits.long_heads_max, limits.long_heads_per_address_max),
            turns: Turns::new(),
            refusals: None,
        })
    }

    /// Sets the responses to what is no request.
    pub fn with_refusals(mut self, refusals: Refusals) -> Listener {
        self.refusals = Some(Arc::new(refusals));
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
            let Some(accepted) = run_until_stopped(self.listener.accept(), stop.as_mut()).await else {
                break;
            };
            match accepted {
                Ok((stream, from)) => self.accept(stream, from, &graceful, router.clone()),
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

    fn accept(&self, stream: TcpStream, from: SocketAddr, graceful: &GracefulShutdown, router: Router) {
        let address = ClientAddress::of(from.ip());
        let Some(place) = self.connections.admit(address) else {
            return tracing::debug!(%from, "too many connections: one is closed at once");
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
        let (watcher, turns) = (graceful.watcher(), self.turns.clone());
        let (tls, limits) = (self.tls.clone(), self.limits);
        let (number, long_heads, refusals) = (place.number(), self.long_heads.clone(), self.refusals.clone());
        let task = tokio::spawn(async move {
            let client = Client {
                router,
                address,
                is_authenticated: IsAuthenticated::clone(&place.is_authenticated),
                stage: place.stage.clone(),
                backlog: place.backlog.clone(),
                limits,
                long_heads,
                turns,
                refusals,
            };
            match tls {
                None => client.serve(stream, watcher).await,
                Some(tls) => match tokio::time::timeout(limits.head, tls.accept(stream)).await {
                    Ok(Ok(stream)) => client.serve(stream, watcher).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                },
            }
            drop(place);
        });
        self.connections.serve(number, task.abort_handle());
    }
}

/// One connection's client, and what answers it.
struct Client {
    router: Router,
    address: ClientAddress,
    is_authenticated: IsAuthenticated,
    stage: ExchangeStage,
    backlog: Backlog,
    limits: ConnectionLimits,
    long_heads: LongHeads,
    turns: Turns,
    refusals: Option<Arc<Refusals>>,
}

impl Client {
    /// Serves the requests of the connection.
    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, watcher: Watcher) {
        let ConnectionLimits { head, head_bytes_max, head_fields_max, pace, .. } = self.limits;
        let (backlog, stage) = (self.backlog, self.stage);
        let service = ConnectionService {
            router: TowerToHyperService::new(self.router),
            address: self.address,
            backlog: backlog.clone(),
            is_authenticated: self.is_authenticated,
            stage: stage.clone(),
            turns: self.turns,
        };
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new());
        // The guard answers what the library would only close, so it has to be first.
        http.header_read_timeout(head + GUARD_MARGIN);
        // A head is read into one buffer, so that is how long it may be.
        http.max_buf_size(head_bytes_max);
        http.max_headers(head_fields_max);
        let stream = PacedStream::new(stream, pace, backlog);
        let stream = HeadGuard::new(stream, stage, (self.address, self.long_heads), self.refusals, head);
        let ended = watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await;
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection failed");
        }
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

#[cfg(test)]
mod tests;
