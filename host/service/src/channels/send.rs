//! Sends one message of a channel, and says what became of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header;
use perennial_domain::channel::ChannelKind;
use perennial_domain::timestamp::Timestamp;
use perennial_store::channel_deliveries::StoredChannelDelivery;
use perennial_store::channels::StoredChannel;

use crate::channels::credentials::Credentials;
use crate::channels::email::Mail;
use crate::channels::email::MailError;
use crate::channels::email::MailSender;
use crate::channels::email::MailServer;
use crate::channels::robots;
use crate::channels::robots::RobotRequest;
use crate::channels::send_result::SendResult;
use crate::outbound::Reach;
use crate::outbound::client::BodyLimit;
use crate::outbound::client::HttpClient;
use crate::outbound::client::SendFailure;
use crate::outbound::client::USER_AGENT;
use crate::outbound::target::Target;
use crate::secrets::SecretBox;
use crate::tls::CertificatesError;
use crate::webhooks::client::retry_after;

/// The time limit of one message, from the resolution of the name to the end of the response.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How much of a response is read: robots say in it whether they took the message.
const BODY: BodyLimit = BodyLimit { bytes: 16 * 1024, timeout: Duration::from_secs(5) };

/// Why a host cannot send to channels.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// A file of certificates cannot be used.
    #[error(transparent)]
    Certificates(#[from] CertificatesError),
    /// The mail server cannot be used.
    #[error(transparent)]
    Mail(#[from] MailError),
}

/// Sends messages to channels. Clones share the configuration.
#[derive(Clone)]
pub struct ChannelSender {
    http: HttpClient,
    mail: Option<Arc<MailSender>>,
    timeout: Duration,
}

impl ChannelSender {
    /// A sender to robots under the same rules as webhooks, and to e-mail over `mail`.
    ///
    /// # Errors
    ///
    /// [`SenderError`] when a file that the configuration names cannot be used.
    pub fn new(
        allow_private: bool,
        certificates: Option<&Path>,
        mail: Option<&MailServer>,
    ) -> Result<ChannelSender, SenderError> {
        let http = HttpClient::new(Reach::webhooks(allow_private), certificates)?;
        let mail = mail.map(MailSender::new).transpose()?.map(Arc::new);
        Ok(ChannelSender { http, mail, timeout: TIMEOUT })
    }

    /// Sets another limit than `TIMEOUT` for each message.
    pub fn with_timeout(mut self, timeout: Duration) -> ChannelSender {
        self.timeout = timeout;
        self
    }

    /// Sends a message; `at` is the instant in its signature or its header.
    pub(crate) async fn send(
        &self,
        channel: &StoredChannel,
        delivery: &StoredChannelDelivery,
        secret_box: Option<&SecretBox>,
        at: Timestamp,
    ) -> SendResult {
        let sent = async {
            match &channel.target.credentials {
                None => self.send_mail(delivery, at).await,
                Some(kept) => match Credentials::from_bytes(kept, secret_box, &channel.id) {
                    Ok(credentials) => {
                        let StoredChannelDelivery { title, body, .. } = delivery;
                        let request = robots::request(channel.kind, &credentials, title, body, at);
                        self.call_robot(channel.kind, &request, at).await
                    }
                    Err(error) => SendResult::NotSent(error.to_string()),
                },
            }
        };
        let over = || SendResult::InDoubt(format!("there was no answer within {:?}", self.timeout));
        tokio::time::timeout(self.timeout, sent).await.unwrap_or_else(|_| over())
    }

    async fn send_mail(&self, delivery: &StoredChannelDelivery, at: Timestamp) -> SendResult {
        let Some(mail) = &self.mail else {
            let why = "this host has no mail server; name one in [email] of its configuration";
            return SendResult::NotSent(why.to_owned());
        };
        let StoredChannelDelivery { message, reader, title, body, .. } = delivery;
        mail.send(&Mail { id: message, to: reader, subject: title, text: body, at }).await
    }

    async fn call_robot(&self, kind: ChannelKind, request: &RobotRequest, at: Timestamp) -> SendResult {
        let target = match Target::read(&request.url, self.http.reach) {
            Ok(target) => target,
            Err(why) => return SendResult::NotSent(why),
        };
        let call = Request::post(&target.path)
            .header(header::HOST, target.host())
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .header(header::CONNECTION, "close")
            .body(Full::from(Bytes::from(request.body.clone())));
        let call = match call {
            Ok(call) => call,
            Err(error) => return SendResult::NotSent(format!("it cannot be sent: {error}")),
        };
        match self.http.send(&target, call, BODY).await {
            Ok(received) if (200..=299).contains(&received.status) => {
                match robots::refusal(kind, received.body.as_deref()) {
                    None => SendResult::Delivered(received.status),
                    Some(why) => {
                        SendResult::Refused { status: Some(received.status), why, retry_after: None }
                    }
                }
            }
            Ok(received) => SendResult::Refused {
                status: Some(received.status),
                why: format!("it was answered with {}", received.status),
                retry_after: retry_after(&received.headers, at),
            },
            Err(SendFailure::NotSent(why)) => SendResult::NotSent(why),
            Err(SendFailure::NoResponse(why)) => SendResult::InDoubt(why),
        }
    }
}
