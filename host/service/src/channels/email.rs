//! E-mail over the mail server that the configuration names: what a message looks like, and what became of it.

use std::path::PathBuf;
use std::time::Duration;
use std::time::SystemTime;

use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::message::header::HeaderName;
use lettre::message::header::HeaderValue;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::client::Certificate;
use lettre::transport::smtp::client::TlsParameters;
use lettre::transport::smtp::extension::ClientId;
use perennial_domain::timestamp::Timestamp;

use crate::channels::send_result::SendResult;

/// The time limit of each step of a conversation with the mail server.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// How connections to the mail server are kept from being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first byte, usually on port 465.
    Tls,
    /// TLS after a greeting in clear text, usually on port 587. Nothing is sent where the server has none.
    StartTls,
    /// No TLS at all: for a server on this machine or in a network that is trusted.
    None,
}

impl MailSecurity {
    /// Every way, for parsing and for lists of choices.
    pub const ALL: [MailSecurity; 3] = [MailSecurity::Tls, MailSecurity::StartTls, MailSecurity::None];

    /// The word for it in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            MailSecurity::Tls => "tls",
            MailSecurity::StartTls => "starttls",
            MailSecurity::None => "none",
        }
    }

    /// The port that such servers usually have.
    pub const fn port(self) -> u16 {
        match self {
            MailSecurity::Tls => 465,
            MailSecurity::StartTls => 587,
            MailSecurity::None => 25,
        }
    }
}

/// The mail server, as the configuration describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    /// The name or address of the server.
    pub server: String,
    /// Its port, from 1 to 65535.
    pub port: u16,
    /// How connections to it are kept from being read.
    pub security: MailSecurity,
    /// The address that messages are from.
    pub from: String,
    /// The user to log in as; `None` logs in as nobody.
    pub user: Option<String>,
    /// The file with the user's password.
    pub password_file: Option<PathBuf>,
    /// A PEM file of root certificates to trust, beside those that browsers trust.
    pub certificates: Option<PathBuf>,
}

/// Why e-mail cannot be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The sender is not an address.
    #[error("`email.from` is `{0}`, which is no address of e-mail")]
    From(String),
    /// A file cannot be read.
    #[error("cannot read `{path}`, which [email] names: {source}", path = path.display())]
    File {
        /// The file that cannot be read.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A certificate cannot be used, or the server's name cannot have one.
    #[error("there can be no TLS with the mail server: {0}")]
    Tls(smtp::Error),
}

/// Whether a text is an address of e-mail.
pub fn is_address(text: &str) -> bool {
    text.parse::<lettre::Address>().is_ok()
}

/// Whether a text is a sender: an address of e-mail, with a name before it or without.
pub fn is_sender(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

/// Sends e-mail over one mail server. Clones share nothing that changes.
#[derive(Clone)]
pub(crate) struct MailSender {
    server: MailServer,
    from: Mailbox,
    credentials: Option<Credentials>,
    tls: Option<TlsParameters>,
}

/// A message to one reader.
pub(crate) struct Mail<'a> {
    /// The id of the message, which is a part of its `Message-ID`.
    pub(crate) id: &'a str,
    pub(crate) to: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) text: &'a str,
    /// The instant in the header `Date`.
    pub(crate) at: Timestamp,
}

impl MailSender {
    /// A sender over `server`, with its password and certificates read.
    pub(crate) fn new(server: &MailServer) -> Result<MailSender, MailError> {
        let from = server.from.parse::<Mailbox>().map_err(|_| MailError::From(server.from.clone()))?;
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|source| MailError::File { path: path.clone(), source })
        };
        let password = server.password_file.as_ref().map(read).transpose()?;
        let credentials = server.user.clone().zip(password).map(|(user, password)| {
            Credentials::new(user, String::from_utf8_lossy(&password).trim_end().to_owned())
        });
        let certificates = server.certificates.as_ref().map(read).transpose()?;
        let tls = match server.security {
            MailSecurity::None => None,
            MailSecurity::Tls | MailSecurity::StartTls => {
                let mut builder = TlsParameters::builder(server.server.clone());
                if let Some(pem) = certificates {
                    builder =
                        builder.add_root_certificate(Certificate::from_pem(&pem).map_err(MailError::Tls)?);
                }
                Some(builder.build_rustls().map_err(MailError::Tls)?)
            }
        };
        Ok(MailSender { server: server.clone(), from, credentials, tls })
    }

    /// Sends a message over a connection of its own.
    pub(crate) async fn send(&self, mail: &Mail<'_>) -> SendResult {
        let message = match self.message(mail) {
            Ok(message) => message,
            Err(why) => return SendResult::Rejected { status: None, why },
        };
        let mut connection = match self.connect().await {
            Ok(connection) => connection,
            Err(error) => {
                let why = format!("the mail server `{}` was not reached: {error}", self.server.server);
                return SendResult::NotSent(why);
            }
        };
        let sent = connection.send(message.envelope(), &message.formatted()).await;
        let result = match sent {
            Ok(response) => SendResult::Delivered(u16::from(response.code())),
            Err(error) => failure(&error),
        };
        // The message is taken or refused by now; a server that does not say goodbye changes nothing.
        if let Err(error) = connection.quit().await {
            tracing::debug!(%error, "a mail server did not end in order");
        }
        result
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, smtp::Error> {
        let hello = ClientId::Domain(self.from.email.domain().to_owned());
        let address = (self.server.server.as_str(), self.server.port);
        let first = self.tls.clone().filter(|_| self.server.security == MailSecurity::Tls);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, Some(STEP_TIMEOUT), &hello, first, None).await?;
        if let Some(tls) = self.tls.clone().filter(|_| self.server.security == MailSecurity::StartTls) {
            connection.starttls(tls, &hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await?;
        }
        Ok(connection)
    }

    fn message(&self, mail: &Mail<'_>) -> Result<Message, String> {
        let to = mail.to.parse().map_err(|error| format!("`{}` is no address: {error}", mail.to))?;
        let seconds = Duration::from_secs(u64::try_from(mail.at.as_second()).unwrap_or(0));
        let domain = self.from.email.domain();
        // The mailbox of a reader who is away answers no message that says so: RFC 3834.
        let automatic =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject)
            .date(SystemTime::UNIX_EPOCH + seconds)
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.to_owned())
            .map_err(|error| format!("it cannot be written as an e-mail: {error}"))
    }
}

/// What an error says of a message whose sending had begun. A server that answers with a code has not taken it.
fn failure(error: &smtp::Error) -> SendResult {
    let why = format!("the mail server answered: {error}");
    let status = error.status().map(u16::from);
    match status {
        Some(_) if error.is_permanent() => SendResult::Rejected { status, why },
        Some(_) => SendResult::Refused { status, why, retry_after: None },
        None => SendResult::InDoubt(format!("the mail server did not say whether it took it: {error}")),
    }
}
