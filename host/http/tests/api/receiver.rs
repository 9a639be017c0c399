//! What webhooks send to: a server of its own in this process, that answers as it is told.

use std::collections::VecDeque;
use std::future::pending;
use std::io::Error;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use hyper::body::Frame;
use perennial_http::server::ConnectionLimits;
use perennial_http::server::Tls;
use perennial_http::server::listener as serve;
use perennial_http::server::listener::Listener;
use perennial_service::limits::Limits;
use sha2::Sha256;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// How a message is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    /// A response with a status, a header's name and its value.
    With(u16, &'static str, String),
    /// A response of 200 with a body.
    Body(&'static str),
    /// The head of an answer, then a body without end.
    Endless,
    /// No response at all.
    Never,
}

/// A message as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

type Replies = Arc<Mutex<VecDeque<Reply>>>;

/// A receiver; without instructions it answers 200.
pub struct Receiver {
    runtime: Runtime,
    /// The folder of its certificate and key, when it is a safe one.
    papers: Option<TempDir>,
    port: u16,
    replies: Replies,
    messages: mpsc::UnboundedReceiver<Message>,
}

impl Receiver {
    /// A receiver over plain HTTP.
    pub fn new() -> Receiver {
        Receiver::with(None)
    }

    /// A receiver over TLS, for whom [`Receiver::certificate`] speaks.
    pub fn safe() -> Receiver {
        let papers = TempDir::new().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(papers.path().join("receiver.pem"), made.cert.pem()).unwrap();
        std::fs::write(papers.path().join("receiver.key"), made.signing_key.serialize_pem()).unwrap();
        Receiver::with(Some(papers))
    }

    fn with(papers: Option<TempDir>) -> Receiver {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (out, messages) = mpsc::unbounded_channel();
        let replies = Replies::default();
        let tls = papers.as_ref().map(|papers| papers.path());
        let tls = tls.map(|at| Tls { certificate: at.join("receiver.pem"), key: at.join("receiver.key") });
        let acceptor = tls.map(|tls| serve::tls_acceptor(&tls).unwrap());
        let address = "127.0.0.1:0".parse().unwrap();
        let listener = runtime
            .block_on(Listener::bind(address, acceptor, ConnectionLimits::of(&Limits::DEFAULT)))
            .unwrap();
        let port = listener.address().unwrap().port();
        let router = Router::new().fallback(answer).with_state((out, Arc::clone(&replies)));
        runtime.spawn(listener.serve(router, pending()));
        Receiver { runtime, papers, port, replies, messages }
    }

    /// The certificate of a safe receiver, for `localhost`.
    pub fn certificate(&self) -> PathBuf {
        self.papers.as_ref().expect("the receiver is a safe one").path().join("receiver.pem")
    }

    pub fn url(&self) -> String {
        match self.papers.is_some() {
            true => format!("https://localhost:{}/webhook", self.port),
            false => format!("http://127.0.0.1:{}/webhook?of=acme", self.port),
        }
    }

    /// Answers the next messages so.
    pub fn answer(&self, replies: impl IntoIterator<Item = Reply>) {
        self.replies.lock().unwrap().extend(replies);
    }

    /// Waits for the next message.
    pub fn next(&mut self) -> Message {
        let next = async { tokio::time::timeout(Duration::from_secs(30), self.messages.recv()).await };
        self.runtime.block_on(next).expect("a message within half a minute").unwrap()
    }

    /// The ids of the next messages.
    pub fn ids(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.next().id().to_owned()).collect()
    }

    /// Whether nothing has come that was not looked at.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

async fn answer(
    State((out, replies)): State<(mpsc::UnboundedSender<Message>, Replies)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let path = parts.uri.to_string();
    let message = Message { path, headers: parts.headers, body: String::from_utf8(bytes.to_vec()).unwrap() };
    let reply = replies.lock().unwrap().pop_front().unwrap_or(Reply::Status(200));
    // Only a test that has ended does not listen.
    drop(out.send(message));
    let response = Response::builder();
    match reply {
        Reply::Status(status) => response.status(status).body(Body::empty()),
        Reply::With(status, name, value) => response.status(status).header(name, value).body(Body::empty()),
        Reply::Body(body) => response.body(Body::from(body)),
        Reply::Endless => response.body(Body::new(Endless)),
        Reply::Never => pending().await,
    }
    .unwrap()
}

/// A body that never ends.
struct Endless;

impl axum::body::HttpBody for Endless {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b'x'; 65_536])))))
    }
}

impl Message {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// How many of its signatures are those of `secret`, and how many there are.
    pub fn signed_by(&self, secret: &str) -> (usize, usize) {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let signed = format!("{}.{}.{}", self.id(), self.header("webhook-timestamp"), self.body);
        mac.update(signed.as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        let signatures = self.header("webhook-signature").split(' ').collect::<Vec<_>>();
        (signatures.iter().filter(|signature| **signature == expected).count(), signatures.len())
    }
}
