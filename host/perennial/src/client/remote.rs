//! A running host, asked over HTTP.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::BodyExt;
use http_body_util::Full;
use http_body_util::Limited;
use hyper::HeaderMap;
use hyper::body::Bytes;
use hyper::header;
use perennial_http::middleware;
use perennial_service::tls;
use tokio_rustls::TlsConnector;

use crate::client::address::Address;
use crate::client::connection;
use crate::client::connection::Exchange;
use crate::client::connection::Failure;
use crate::client::connection::RESPONSE_TIMEOUT;
use crate::client::connection::USER_AGENT;
use crate::client::failure::ClientError;
use crate::client::failure::ProblemReport;
use crate::client::request::REPLAYED;
use crate::client::request::Request;
use crate::client::request::Response;

/// How long nothing may come of a response that has begun. A stream sends something every fifteen seconds.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// The most bytes of a response.
const BODY_MAX: usize = 256 << 20;
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
        let exchange = self.exchange(request).await.map_err(no_answer)?;
        let (head, body) = exchange.response.into_parts();
        let body = Limited::new(body, BODY_MAX).collect();
        let after_head = |why: String| self.no_answer(request, Failure::after(why));
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
        let exchange = exchanged.map_err(|failure| self.no_answer(request, failure))?;
        let (head, mut body) = exchange.response.into_parts();
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
        let unsendable = |error| Failure::before(format!("it cannot be sent: {error}"));
        let request = self.http_request(request).map_err(unsendable)?;
        connection::exchange(&self.address, &self.tls, request).await
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
        let key = request.key();
        let then = match (failure.was_sent && !request.is_look, key) {
            (false, _) => String::new(),
            (true, Some(key)) => {
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
        etag: text("etag").map(str::to_owned),
        is_replayed: text(REPLAYED).is_some(),
        body,
    }
}
