//! A mail server in this process: it checks the order of a conversation, and keeps the messages that it took.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use perennial_http::server::Tls;
use perennial_http::server::listener::TlsAcceptor;
use perennial_http::server::listener::tls_acceptor;
use perennial_service::channels::email::MailSecurity;
use perennial_service::channels::email::MailServer;
use tempfile::TempDir;
use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::io::BufReader;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// The login that it takes, as `AUTH PLAIN` sends it.
const LOGIN: &str = "\0perennial\0open sesame";

/// A message that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub from: String,
    pub to: String,
    /// The head and the body, with lines that end in `\n`.
    pub text: String,
    /// Whether it came over TLS from somebody who had logged in.
    pub is_private: bool,
}

impl Mail {
    /// The value of a header on one line.
    pub fn header(&self, name: &str) -> &str {
        let start = format!("{name}: ");
        self.text.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default()
    }

    /// The body, decoded.
    pub fn body(&self) -> String {
        let (_, body) = self.text.split_once("\n\n").unwrap();
        match self.header("Content-Transfer-Encoding") {
            "base64" => String::from_utf8(STANDARD.decode(body.replace('\n', "")).unwrap()).unwrap(),
            "7bit" => body.trim_end().to_owned(),
            "quoted-printable" => quoted_printable(body),
            other => panic!("{other}: {body}"),
        }
    }
}

/// A body in quoted-printable, decoded: RFC 2045, section 6.7.
fn quoted_printable(body: &str) -> String {
    let (body, mut bytes) = (body.trim_end().replace("=\n", ""), Vec::new());
    let mut rest = body.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        if *first == b'=' {
            let digits = std::str::from_utf8(&behind[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// How the next recipient, or the next message, is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailReply {
    /// The recipient is refused with this code.
    Recipient(u16),
    /// The message is taken, and the connection ends before the receiver says so.
    Silence,
}

pub struct MailReceiver {
    runtime: Runtime,
    papers: TempDir,
    port: u16,
    security: MailSecurity,
    replies: Arc<Mutex<VecDeque<MailReply>>>,
    mails: mpsc::UnboundedReceiver<Mail>,
}

/// What a conversation came to.
enum End {
    Over,
    StartTls,
}

impl MailReceiver {
    pub fn new(security: MailSecurity) -> MailReceiver {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let papers = TempDir::new().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (papers.path().join("mail.pem"), papers.path().join("mail.key"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        std::fs::write(papers.path().join("password"), "open sesame\n").unwrap();
        let acceptor = tls_acceptor(&Tls { certificate, key }).unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let replies = Arc::<Mutex<VecDeque<MailReply>>>::default();
        let (out, mails) = mpsc::unbounded_channel();
        let session = Session { security, replies: Arc::clone(&replies), out };
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(session.clone().serve(stream, acceptor.clone()));
            }
        });
        MailReceiver { runtime, papers, port, security, replies, mails }
    }

    /// The configuration of a host that sends to it.
    pub fn server(&self) -> MailServer {
        let path = |name: &str| -> Option<PathBuf> { Some(self.papers.path().join(name)) };
        let is_private = self.security != MailSecurity::None;
        MailServer {
            server: "localhost".to_owned(),
            port: self.port,
            security: self.security,
            from: "Perennial <perennial@example.com>".to_owned(),
            user: is_private.then(|| "perennial".to_owned()),
            password_file: path("password").filter(|_| is_private),
            certificates: path("mail.pem").filter(|_| is_private),
        }
    }

    /// Answers the next recipients and messages so.
    pub fn answer(&self, replies: impl IntoIterator<Item = MailReply>) {
        self.replies.lock().unwrap().extend(replies);
    }

    /// Waits for the next message.
    pub fn next(&mut self) -> Mail {
        let next = async { tokio::time::timeout(Duration::from_secs(30), self.mails.recv()).await };
        self.runtime.block_on(next).expect("a message within half a minute").unwrap()
    }

    /// Whether nothing has come that was not looked at.
    pub fn is_empty(&self) -> bool {
        self.mails.is_empty()
    }
}

#[derive(Clone)]
struct Session {
    security: MailSecurity,
    replies: Arc<Mutex<VecDeque<MailReply>>>,
    out: mpsc::UnboundedSender<Mail>,
}

impl Session {
    async fn serve(self, mut stream: tokio::net::TcpStream, acceptor: TlsAcceptor) {
        if self.security == MailSecurity::Tls {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            self.converse(&mut stream, true, true).await;
        } else if let End::StartTls = self.converse(&mut stream, false, true).await {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            self.converse(&mut stream, true, false).await;
        }
    }

    fn next_reply(&self, is_fit: impl Fn(&MailReply) -> bool) -> Option<MailReply> {
        let mut replies = self.replies.lock().unwrap();
        let is_next = replies.front().is_some_and(is_fit);
        if is_next { replies.pop_front() } else { None }
    }

    async fn converse(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        is_private: bool,
        greets: bool,
    ) -> End {
        let mut stream = BufReader::new(stream);
        let (mut from, mut to, mut is_known) = (String::new(), String::new(), false);
        let mut reply = if greets { "220 mail.example.com" } else { "" }.to_owned();
        loop {
            if !reply.is_empty() && stream.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
                return End::Over;
            }
            stream.flush().await.unwrap();
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return End::Over;
            }
            let line = line.trim_end();
            reply = match line.split([' ', ':']).next().unwrap() {
                "EHLO" if is_private => "250-mail.example.com\r\n250 AUTH PLAIN".to_owned(),
                "EHLO" if self.security == MailSecurity::StartTls => {
                    "250-mail.example.com\r\n250 STARTTLS".to_owned()
                }
                "EHLO" => "250 mail.example.com".to_owned(),
                "STARTTLS" => {
                    stream.write_all(b"220 go ahead\r\n").await.unwrap();
                    stream.flush().await.unwrap();
                    return End::StartTls;
                }
                "AUTH" => {
                    is_known = line == format!("AUTH PLAIN {}", STANDARD.encode(LOGIN));
                    if is_known { "235 welcome" } else { "535 who are you?" }.to_owned()
                }
                "MAIL" if self.security != MailSecurity::None && !is_known => "530 log in first".to_owned(),
                "MAIL" => {
                    from = line.to_owned();
                    "250 ok".to_owned()
                }
                "RCPT" => match self.next_reply(|reply| matches!(reply, MailReply::Recipient(_))) {
                    Some(MailReply::Recipient(code)) => format!("{code} not here"),
                    Some(MailReply::Silence) | None => {
                        to = line.to_owned();
                        "250 ok".to_owned()
                    }
                },
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await.unwrap();
                    stream.flush().await.unwrap();
                    let text = message(&mut stream).await;
                    let mail =
                        Mail { from: from.clone(), to: to.clone(), text, is_private: is_private && is_known };
                    // Only a test that has ended does not listen.
                    drop(self.out.send(mail));
                    if self.next_reply(|reply| *reply == MailReply::Silence).is_some() {
                        return End::Over;
                    }
                    "250 taken".to_owned()
                }
                "QUIT" => "221 bye".to_owned(),
                _ => "502 what?".to_owned(),
            };
        }
    }
}

/// The lines of a message up to the dot that ends it.
async fn message(stream: &mut (impl AsyncBufReadExt + Unpin)) -> String {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 || line == ".\r\n" {
            return text;
        }
        text.push_str(line.trim_end_matches("\r\n"));
        text.push('\n');
    }
}
