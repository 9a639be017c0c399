//! A running host, asked over HTTP: one connection for each request, TLS that is verified, limits of time, and no redirects.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::BodyExt;
use http_body_util::Full;
use http_body_util::Limited;
use hyper::HeaderMap;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header;
use hyper_util::rt::TokioIo;
use perennial_http::middleware;
use perennial_service::tls;
use rustls_pki_types::ServerName;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::client::address::Address;
use crate::client::failure::ClientError;
use crate::client::failure::ProblemReport;
use crate::client::request::Request;
use crate::client::request::Response;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a response may take to begin: a forecast takes longest, five minutes by default.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(330);
/// How long nothing may come of a response that has begun. A stream sends something every fifteen seconds.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// The most bytes of a response.
const BODY_MAX: usize = 256 << 20;
/// The header `User-Agent`.
const USER_AGENT: &str = concat!("perennial/", env!("CARGO_PKG_VERSION"));

/// A running host.
pub(crate) struct Remote {
    address: Address,
    tls: TlsConnector,
    token: String,
    has_warned: AtomicBool,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// The reader has enough.
    Enough,
    /// The host or the connection ended it.
    Over,
}

/// A response of which the head has come, and the connection that the rest comes over.
struct Exchange {
    response: hyper::Response<Incoming>,
    _connection: JoinSet<hyper::Result<()>>,
}

/// Why there is no answer, and whether the host may have the request all the same.
struct Failure {
    why: String,
    was_sent: bool,
}

impl Remote {
    /// The host at `address`, which is shown `token`, and which is known by the certificates that browsers trust and those
    /// of the file `certificates`.
    ///
    /// # Errors
    ///
    /// What is wrong, in words: the file, or a token that would go over the network for everybody to read.
    pub(crate) fn new(
        address: Address,
        token: String,
        certificates: Option<&Path>,
        allows_plain_http: bool,
    ) -> Result<Remote, String> {
        if !address.is_tls && !address.is_loopback() && !allows_plain_http {
            return Err(format!(
                "`{address}` is not this machine, and over plain HTTP everybody on the way can read the token; name an address with \
                 `https://`, or say `allow_plain_http = true` in its profile"
            ));
        }
        let tls = tls::connector(certificates).map_err(|error| error.to_string())?;
        Ok(Remote { address, tls, token, has_warned: AtomicBool::new(false) })
    }

    /// Its address, as errors name it.
    pub(crate) fn name(&self) -> String {
        self.address.to_string()
    }

    /// Sends a request and reads its response.
    ///
    /// # Errors
    ///
    /// [`ClientError`] when there is no answer, or none of a Perennial.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response, ClientError> {
        let no_answer = |failure| self.no_answer(request, failure);
        let Exchange { response, _connection } = self.exchange(request).await.map_err(no_answer)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, BODY_MAX).collect();
        let after_head = |why: String| self.no_answer(request, Failure { why, was_sent: true });
        let body = match tokio::time::timeout(RESPONSE_TIMEOUT, body).await {
            Ok(Ok(body)) => body.to_bytes().to_vec(),
            Ok(Err(error)) => return Err(after_head(format!("its answer broke off: {error}"))),
            Err(_) => return Err(after_head("its answer did not come to an end".to_owned())),
        };
        let response = response_of(head.status.as_u16(), &head.headers, body);
        self.check_version(&response)?;
        Ok(response)
    }

    /// Reads the body of a response as it comes, until it ends or `each` returns false.
    ///
    /// # Errors
    ///
    /// [`ClientError`] when the host does not answer or refuses, and those of `each`.
    pub(crate) async fn stream(
        &self,
        request: &Request,
        each: &mut dyn FnMut(&[u8]) -> anyhow::Result<bool>,
    ) -> anyhow::Result<StreamEnd> {
        let exchanged = self.exchange(request).await;
        let Exchange { response, _connection } =
            exchanged.map_err(|failure| self.no_answer(request, failure))?;
        let (head, mut body) = response.into_parts();
        if !head.status.is_success() {
            let body = Limited::new(body, BODY_MAX).collect().await;
            let body = body.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
            let response = response_of(head.status.as_u16(), &head.headers, body);
            self.check_version(&response)?;
            let problem = ProblemReport::read(request, &self.name(), &response);
            let other = || ClientError::not_perennial(self.name(), &response);
            return Err(problem.map_or_else(other, ClientError::Problem).into());
        }
        self.check_version(&response_of(head.status.as_u16(), &head.headers, Vec::new()))?;
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(SILENCE_MAX, body.frame()).await {
            if let Some(bytes) = frame.data_ref()
                && !each(bytes)?
            {
                return Ok(StreamEnd::Enough);
            }
        }
        Ok(StreamEnd::Over)
    }

    async fn exchange(&self, request: &Request) -> Result<Exchange, Failure> {
        let before = |why: String| Failure { why, was_sent: false };
        let target = (self.address.host.as_str(), self.address.port);
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(target)).await;
        let stream = match connected {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(before(format!("{error}; does it run, and listen there?"))),
            Err(_) => return Err(before(format!("no connection within {CONNECT_TIMEOUT:?}"))),
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
        if !self.address.is_tls {
            return self.exchange_over(stream, request).await;
        }
        let name = ServerName::try_from(self.address.host.clone())
            .map_err(|_| before("a certificate cannot have its name".to_owned()))?;
        let secured = tokio::time::timeout(CONNECT_TIMEOUT, self.tls.connect(name, stream)).await;
        match secured {
            Ok(Ok(stream)) => self.exchange_over(stream, request).await,
            Ok(Err(error)) => Err(before(format!("there is no TLS with it: {error}"))),
            Err(_) => Err(before(format!("no TLS within {CONNECT_TIMEOUT:?}"))),
        }
    }

    async fn exchange_over(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        request: &Request,
    ) -> Result<Exchange, Failure> {
        let before = |why: String| Failure { why, was_sent: false };
        let after = |why: String| Failure { why, was_sent: true };
        let request =
            self.http_request(request).map_err(|error| before(format!("it cannot be sent: {error}")))?;
        let shaken = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.map_err(|error| before(error.to_string()))?;
        let mut driving = JoinSet::new();
        driving.spawn(connection);
        match tokio::time::timeout(RESPONSE_TIMEOUT, sender.send_request(request)).await {
            Ok(Ok(response)) => Ok(Exchange { response, _connection: driving }),
            Ok(Err(error)) => Err(after(format!("it does not answer in HTTP: {error}"))),
            Err(_) => Err(after(format!("no answer within {RESPONSE_TIMEOUT:?}"))),
        }
    }

    fn http_request(&self, request: &Request) -> Result<hyper::Request<Full<Bytes>>, hyper::http::Error> {
        let mut built = hyper::Request::builder()
            .method(request.method)
            .uri(format!("{}{}", self.address.base, request.path))
            .header(header::HOST, self.address.host_header())
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::CONNECTION, "close");
        if !self.token.is_empty() {
            built = built.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        }
        for (name, value) in &request.headers {
            built = built.header(*name, value.as_bytes());
        }
        let body = request.body.as_ref().map(ToString::to_string).unwrap_or_default();
        if request.body.is_some() {
            built = built.header(header::CONTENT_TYPE, "application/json");
        }
        built.body(Full::from(body))
    }

    fn no_answer(&self, request: &Request, failure: Failure) -> ClientError {
        let key = request.headers.iter().find(|(name, _)| *name == "idempotency-key");
        let then = match (failure.was_sent && !request.is_look, key) {
            (false, _) => String::new(),
            (true, Some((_, key))) => {
                let hash = request.body.as_ref().and_then(|body| body["plan_hash"].as_str());
                let hash = hash.map(|hash| format!("--plan-hash {hash} ")).unwrap_or_default();
                format!(
                    "; it may be done all the same: run it again with `{hash}--idempotency-key {key}`, and it is done once"
                )
            }
            (true, None) => "; it may be done all the same: look before you run it again".to_owned(),
        };
        ClientError::NoAnswer { target: self.name(), why: failure.why, then }
    }

    /// Says, once, that the host is of another version.
    fn check_version(&self, response: &Response) -> Result<(), ClientError> {
        let Some(version) = &response.version else {
            return Err(ClientError::not_perennial(self.name(), response));
        };
        let own = env!("CARGO_PKG_VERSION");
        if version != own && !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                host = %self.address,
                version,
                own,
                "the host is of another version than this program: what only one of them knows fails"
            );
        }
        Ok(())
    }
}

fn response_of(status: u16, headers: &HeaderMap, body: Vec<u8>) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Response {
        status,
        content_type: text("content-type")
            .and_then(|value| value.split(';').next())
            .unwrap_or_default()
            .to_owned(),
        retry_after: text("retry-after").and_then(|value| value.parse().ok()),
        version: text(middleware::VERSION.as_str()).map(str::to_owned),
        body,
    }
}
