//! The HTTP client of webhooks: sends one message to one receiver, over a connection of its own.
//!
//! The client resolves the name for each message and connects to an address that it has checked, so DNS rebinding does
//! not help an attacker. It follows no redirects and reads only a bounded part of the response.

use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use chrono::DateTime;
use http_body_util::BodyExt;
use http_body_util::Full;
use http_body_util::Limited;
use hyper::Request;
use hyper::Response;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header;
use hyper_util::rt::TokioIo;
use perennial_domain::timestamp::Timestamp;
use rustls_pki_types::ServerName;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::tls;
use crate::tls::CertificatesError;
use crate::webhooks::address;
use crate::webhooks::payload;
use crate::webhooks::retry::DeliveryResult;
use crate::webhooks::target;
use crate::webhooks::target::Target;
use crate::webhooks::target::TargetHost;

/// The time limit of one message, from the resolution of the name to the response.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit of one connection attempt; then the next address is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The most addresses of a name to try.
const ADDRESSES_MAX: usize = 4;
/// The most bytes of the response's head.
const HEAD_MAX: usize = 16 * 1024;
/// The most bytes of the response's body, which is read only so that the receiver can finish.
const BODY_MAX: usize = 4 * 1024;
/// The time limit of the response's body.
const BODY_TIMEOUT: Duration = Duration::from_secs(1);
/// The header `User-Agent`.
const USER_AGENT: &str = concat!("perennial/", env!("CARGO_PKG_VERSION"));

/// A signed message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The `webhook-id`: the same on every attempt.
    pub id: String,
    /// The instant in the header `webhook-timestamp`.
    pub at: Timestamp,
    /// The `webhook-signature`: signatures separated by spaces.
    pub signatures: String,
    /// The body, as it is signed.
    pub body: Vec<u8>,
}

/// Sends messages. Clones share the configuration.
#[derive(Clone)]
pub struct Client {
    tls: TlsConnector,
    allow_private: bool,
    timeout: Duration,
}

impl Client {
    /// A client that trusts the root certificates that browsers trust, and those of the PEM file `certificates`. With
    /// `allow_private` it also sends to private addresses and over plain HTTP.
    ///
    /// # Errors
    ///
    /// [`CertificatesError`] when the file cannot be used.
    pub fn new(allow_private: bool, certificates: Option<&Path>) -> Result<Client, CertificatesError> {
        Ok(Client { tls: tls::connector(certificates)?, allow_private, timeout: TIMEOUT })
    }

    /// Sets another limit than `TIMEOUT` for each message.
    pub fn with_timeout(mut self, timeout: Duration) -> Client {
        self.timeout = timeout;
        self
    }

    /// Sends a message. Every failure is a [`DeliveryResult`].
    pub async fn send(&self, url: &str, message: Message) -> DeliveryResult {
        match tokio::time::timeout(self.timeout, self.resolve_and_send(url, message)).await {
            Ok(Ok(result)) => result,
            Ok(Err(why)) => DeliveryResult::NoResponse(why),
            Err(_) => DeliveryResult::NoResponse(format!("there was no answer within {:?}", self.timeout)),
        }
    }

    async fn resolve_and_send(&self, url: &str, message: Message) -> Result<DeliveryResult, String> {
        let target = Target::read(url, self.allow_private)?;
        let stream = self.connect(&target).await?;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
        if !target.tls {
            return exchange(stream, &target, message).await;
        }
        let name = match &target.host {
            TargetHost::Name(name) => ServerName::try_from(name.clone())
                .map_err(|_| format!("`{name}` is not a name that a certificate can have"))?,
            TargetHost::Address(address) => ServerName::from(*address),
        };
        let connected = self.tls.connect(name, stream).await;
        let stream =
            connected.map_err(|error| format!("there is no TLS with `{}`: {error}", target.host()))?;
        exchange(stream, &target, message).await
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
                target::UNLESS
            )),
        }
    }

    fn allowed(&self, mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        let is_allowed = |ip: IpAddr| self.allow_private || address::is_global(ip);
        addresses.retain(|address| is_allowed(address.ip()));
        addresses
    }
}

/// Sends the request over a connection and reads the response.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    target: &Target,
    message: Message,
) -> Result<DeliveryResult, String> {
    let failed = |error: hyper::Error| format!("`{}` did not answer in HTTP: {error}", target.host());
    let at = message.at;
    let request = request(target, message).map_err(|error| format!("it cannot be sent: {error}"))?;
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_MAX);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // Dropped at the end of this function, which closes the connection.
    let mut driving = JoinSet::new();
    driving.spawn(connection);
    let response = sender.send_request(request).await.map_err(failed)?;
    let result = DeliveryResult::Status(response.status().as_u16(), retry_after(&response, at));
    let body = Limited::new(response.into_body(), BODY_MAX).collect();
    // The status counts, however the body ends.
    drop(tokio::time::timeout(BODY_TIMEOUT, body).await);
    Ok(result)
}

fn request(target: &Target, message: Message) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    Request::post(&target.path)
        .header(header::HOST, target.host())
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::CONTENT_TYPE, payload::CONTENT_TYPE)
        .header(header::CONNECTION, "close")
        .header("webhook-id", message.id)
        .header("webhook-timestamp", message.at.as_second())
        .header("webhook-signature", message.signatures)
        .body(Full::from(message.body))
}

/// `Retry-After` in seconds from `at`, if the header is present and valid.
fn retry_after<B>(response: &Response<B>, at: Timestamp) -> Option<i64> {
    let text = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let date = || DateTime::parse_from_rfc2822(text).ok().map(|date| date.timestamp() - at.as_second());
    text.parse().ok().or_else(date)
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
        let closed = Client::new(false, None).unwrap();
        assert_eq!(closed.allowed(mixed.clone()), addresses(&["1.1.1.1:443", "[2606:4700::1111]:443"]));
        let open = Client::new(true, None).unwrap();
        assert_eq!(open.allowed(mixed.clone()), mixed);
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let at = "2015-10-21T07:27:00Z".parse().unwrap();
        for (text, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(60)),
            ("Wed, 21 Oct 2015 07:26:00 GMT", Some(-60)),
            ("soon", None),
            ("1.5", None),
            ("99999999999999999999", None),
        ] {
            let response = Response::builder().header("retry-after", text).body(()).unwrap();
            assert_eq!(retry_after(&response, at), expected, "{text}");
        }
        assert_eq!(retry_after(&Response::new(()), at), None);
    }
}
