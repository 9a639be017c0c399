//! One connection for each request, TLS that is verified, limits of time, and no redirects. Knows no API.

use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::client::address::Address;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a response may take to begin: a forecast takes longest, five minutes by default.
pub(crate) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(330);

/// The header `User-Agent`.
pub(crate) const USER_AGENT: &str = concat!("perennial/", env!("CARGO_PKG_VERSION"));

/// A response of which the head has come, and the connection that the rest comes over.
pub(crate) struct Exchange {
    /// Its head, and the body as it comes.
    pub(crate) response: hyper::Response<Incoming>,
    _connection: JoinSet<hyper::Result<()>>,
}

/// Why there is no answer, and whether the other side may have the request all the same.
pub(crate) struct Failure {
    /// What went wrong, in words.
    pub(crate) why: String,
    /// Whether all or some of it has left.
    pub(crate) was_sent: bool,
}

impl Failure {
    /// What failed before anything was sent.
    pub(crate) fn before(why: String) -> Failure {
        Failure { why, was_sent: false }
    }

    /// What failed after it was sent.
    pub(crate) fn after(why: String) -> Failure {
        Failure { why, was_sent: true }
    }
}

/// Sends a request to `address` and waits for the head of its response.
///
/// # Errors
///
/// [`Failure`] when there is no response.
pub(crate) async fn exchange(
    address: &Address,
    tls: &TlsConnector,
    request: hyper::Request<Full<Bytes>>,
) -> Result<Exchange, Failure> {
    let target = (address.host.as_str(), address.port);
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(target)).await;
    let stream = match connected {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            return Err(Failure::before(format!("{error}; does it run, and listen there?")));
        }
        Err(_) => return Err(Failure::before(format!("no connection within {CONNECT_TIMEOUT:?}"))),
    };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps Nagle's algorithm");
    }
    if !address.is_tls {
        return exchange_over(stream, request).await;
    }
    let name = ServerName::try_from(address.host.clone())
        .map_err(|_| Failure::before("a certificate cannot have its name".to_owned()))?;
    let secured = tokio::time::timeout(CONNECT_TIMEOUT, tls.connect(name, stream)).await;
    match secured {
        Ok(Ok(stream)) => exchange_over(stream, request).await,
        Ok(Err(error)) => Err(Failure::before(format!("there is no TLS with it: {error}"))),
        Err(_) => Err(Failure::before(format!("no TLS within {CONNECT_TIMEOUT:?}"))),
    }
}

async fn exchange_over(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: hyper::Request<Full<Bytes>>,
) -> Result<Exchange, Failure> {
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|error| Failure::before(error.to_string()))?;
    let mut driving = JoinSet::new();
    driving.spawn(connection);
    match tokio::time::timeout(RESPONSE_TIMEOUT, sender.send_request(request)).await {
        Ok(Ok(response)) => Ok(Exchange { response, _connection: driving }),
        Ok(Err(error)) => Err(Failure::after(format!("it does not answer in HTTP: {error}"))),
        Err(_) => Err(Failure::after(format!("no answer within {RESPONSE_TIMEOUT:?}"))),
    }
}
