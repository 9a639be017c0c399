//! The HTTP client: sends one request over a connection of its own, and says how far it came.
//!
//! It resolves the name for each request and connects to an address that it has checked, so DNS rebinding does not help an
//! attacker. It follows no redirects and reads only a bounded part of the response.

use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use http_body_util::BodyExt;
use http_body_util::Full;
use http_body_util::Limited;
use hyper::HeaderMap;
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::outbound::Reach;
use crate::outbound::address;
use crate::outbound::target::Target;
use crate::outbound::target::TargetHost;
use crate::tls;
use crate::tls::CertificatesError;

/// The time limit of one connection attempt; then the next address is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The most addresses of a name to try.
const ADDRESSES_MAX: usize = 4;
/// The most bytes of the response's head.
const HEAD_MAX: usize = 16 * 1024;
/// The header `User-Agent`.
pub(crate) const USER_AGENT: &str = concat!("perennial/", env!("CARGO_PKG_VERSION"));

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SendFailure {
    /// Nothing was sent: the receiver was not reached.
    NotSent(String),
    /// Something was sent, and nobody knows what the receiver did with it.
    NoResponse(String),
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Reception {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// `None` when it is longer than the limit, or did not come to its end.
    pub(crate) body: Option<Bytes>,
}

/// How much of a response is read, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimit {
    pub(crate) bytes: usize,
    pub(crate) timeout: Duration,
}

/// Sends requests. Clones share the configuration.
#[derive(Clone)]
pub(crate) struct HttpClient {
    tls: TlsConnector,
    pub(crate) reach: Reach,
}

impl HttpClient {
    /// A client that trusts the root certificates that browsers trust, and those of the PEM file `certificates`.
    ///
    /// # Errors
    ///
    /// [`CertificatesError`] when the file cannot be used.
    pub(crate) fn new(reach: Reach, certificates: Option<&Path>) -> Result<HttpClient, CertificatesError> {
        Ok(HttpClient { tls: tls::connector(certificates)?, reach })
    }

    /// Sends a request and reads the response.
    pub(crate) async fn send(
        &self,
        target: &Target,
        request: Request<Full<Bytes>>,
        limit: BodyLimit,
    ) -> Result<Reception, SendFailure> {
        let stream = self.connect(target).await.map_err(SendFailure::NotSent)?;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
        if !target.tls {
            return exchange(stream, target, request, limit).await;
        }
        let name = match &target.host {
            TargetHost::Name(name) => ServerName::try_from(name.clone()).map_err(|_| {
                SendFailure::NotSent(format!("`{name}` is not a name that a certificate can have"))
            })?,
            TargetHost::Address(address) => ServerName::from(*address),
        };
        let connected = self.tls.connect(name, stream).await;
        let stream = connected.map_err(|error| {
            SendFailure::NotSent(format!("there is no TLS with `{}`: {error}", target.host()))
        })?;
        exchange(stream, target, request, limit).await
    }

    /// Connects to the first allowed address of the receiver that accepts.
    async fn connect(&self, target: &Target) -> Result<TcpStream, String> {
        let addresses = match &target.host {
            TargetHost::Address(address) => vec![SocketAddr::new(*address, target.port)],
            TargetHost::Name(name) => {
                let resolved = tokio::net::lookup_host((name.as_str(), target.port)).await;
                resolved.map_err(|error| format!("`{name}` cannot be resolved: {error}"))?.collect()
            }
        };
        let mut failure = None;
        for address in self.allowed(addresses).into_iter().take(ADDRESSES_MAX) {
            match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = Some(error),
                Err(_) => failure = Some(io::Error::from(io::ErrorKind::TimedOut)),
            }
        }
        match failure {
            Some(error) => Err(format!("cannot connect to `{}`: {error}", target.host())),
            None => Err(format!(
                "`{}` has no public address, and private ones are not connected to{}",
                target.host,
                self.reach.unless()
            )),
        }
    }

    fn allowed(&self, mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        let is_allowed = |ip: IpAddr| self.reach.allow_private || address::is_global(ip);
        addresses.retain(|address| is_allowed(address.ip()));
        addresses
    }
}

/// Sends the request over a connection and reads the response.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    target: &Target,
    request: Request<Full<Bytes>>,
    limit: BodyLimit,
) -> Result<Reception, SendFailure> {
    let text = |error: hyper::Error| format!("`{}` did not answer in HTTP: {error}", target.host());
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_MAX);
    let handshake = builder.handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| SendFailure::NotSent(text(error)))?;
    // Dropped at the end of this function, which closes the connection.
    let mut driving = JoinSet::new();
    driving.spawn(connection);
    let sent = sender.send_request(request).await;
    let response = sent.map_err(|error| SendFailure::NoResponse(text(error)))?;
    let (head, body) = response.into_parts();
    let body = tokio::time::timeout(limit.timeout, Limited::new(body, limit.bytes).collect()).await;
    let body = body.ok().and_then(Result::ok).map(|body| body.to_bytes());
    Ok(Reception { status: head.status.as_u16(), headers: head.headers, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_of_a_name_are_not_connected_to() {
        let addresses =
            |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let mixed = addresses(&[
            "127.0.0.1:443",
            "1.1.1.1:443",
            "[::1]:443",
            "[2606:4700::1111]:443",
            "[::ffff:10.0.0.1]:443",
        ]);
        let closed = HttpClient::new(Reach::webhooks(false), None).unwrap();
        assert_eq!(closed.allowed(mixed.clone()), addresses(&["1.1.1.1:443", "[2606:4700::1111]:443"]));
        let open = HttpClient::new(Reach::webhooks(true), None).unwrap();
        assert_eq!(open.allowed(mixed.clone()), mixed);
    }
}
