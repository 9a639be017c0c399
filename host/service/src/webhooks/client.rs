//! The HTTP client of webhooks: sends one message to one receiver, and says what became of it.

use std::path::Path;
use std::time::Duration;

use chrono::DateTime;
use http_body_util::Full;
use hyper::HeaderMap;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header;
use perennial_domain::timestamp::Timestamp;

use crate::outbound::Reach;
use crate::outbound::client::BodyLimit;
use crate::outbound::client::HttpClient;
use crate::outbound::client::SendFailure;
use crate::outbound::client::USER_AGENT;
use crate::outbound::target::Target;
use crate::tls::CertificatesError;
use crate::webhooks::payload;
use crate::webhooks::retry::DeliveryResult;

/// The time limit of one message, from the resolution of the name to the response.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// How much of the response's body is read, so that the receiver can finish; the status counts, however the body ends.
const BODY: BodyLimit = BodyLimit { bytes: 4 * 1024, timeout: Duration::from_secs(1) };

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
    http: HttpClient,
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
        let http = HttpClient::new(Reach::webhooks(allow_private), certificates)?;
        Ok(Client { http, timeout: TIMEOUT })
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
        let target = Target::read(url, self.http.reach)?;
        let at = message.at;
        let request = request(&target, message).map_err(|error| format!("it cannot be sent: {error}"))?;
        match self.http.send(&target, request, BODY).await {
            Ok(received) => Ok(DeliveryResult::Status(received.status, retry_after(&received.headers, at))),
            Err(SendFailure::NotSent(why) | SendFailure::NoResponse(why)) => Err(why),
        }
    }
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
pub(crate) fn retry_after(headers: &HeaderMap, at: Timestamp) -> Option<i64> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let date = || DateTime::parse_from_rfc2822(text).ok().map(|date| date.timestamp() - at.as_second());
    text.parse().ok().or_else(date)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers, at), expected, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), at), None);
    }
}
