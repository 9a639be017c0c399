//! Replaces the response to a malformed request. The HTTP library answers one with a bare status; clients of a
//! provider's API expect the provider's shape.
//!
//! While a connection waits for a head, everything that the library writes is such a response. What it writes between the
//! dispatch of a request and the end of its response passes unchanged. Two things the library closes without a word: a
//! client that speaks HTTP/2, and a head that does not end in time. Both are made into what the library answers.
//!
//! Of what a client sends before it has the response to its request, the library may have read the beginning of the next
//! head already. That is not looked at: only these two things are then closed without a word, as the library does.

use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;

use axum::body::Body;
use axum::body::Bytes;
use axum::body::HttpBody;
use hyper::body::Frame;
use hyper::body::SizeHint;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::time::Instant;
use tokio::time::Sleep;

const AWAITS_HEAD: u8 = 0;
const ANSWERS: u8 = 1;
/// The response has ended, and its last bytes may still wait to be written.
const ENDED: u8 = 2;

/// Whether a connection waits for a head or answers a request. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct ExchangeStage(Arc<AtomicU8>);

impl ExchangeStage {
    /// A request was dispatched; its response ends when what is returned is dropped.
    pub(super) fn begin(&self) -> ResponseEnd {
        self.0.store(ANSWERS, Ordering::Relaxed);
        ResponseEnd(self.clone())
    }

    fn awaits_head(&self) -> bool {
        self.0.load(Ordering::Relaxed) == AWAITS_HEAD
    }

    /// Whether a request is being answered.
    pub(super) fn is_answering(&self) -> bool {
        self.0.load(Ordering::Relaxed) == ANSWERS
    }

    /// Everything was written. Returns whether that was a response to its end, so that the next head is waited for.
    fn flushed(&self) -> bool {
        self.0.compare_exchange(ENDED, AWAITS_HEAD, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// Tells the end of a response when it is dropped.
#[derive(Debug)]
pub(super) struct ResponseEnd(ExchangeStage);

impl Drop for ResponseEnd {
    fn drop(&mut self) {
        let _ = self.0.0.compare_exchange(ANSWERS, ENDED, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// The body of a response, whose end is told. The library drops it once it has taken the last of it.
#[derive(Debug)]
pub(super) struct ResponseBody {
    pub(super) body: Body,
    pub(super) _end: ResponseEnd,
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// How a connection of HTTP/2 begins; no method of HTTP/1 is called so (RFC 9113, section 11.6).
const PREFACE: &[u8] = b"PRI * HTTP/2.0";
/// What can stand nowhere in a head, and ends it.
const NONSENSE: &[u8] = b"\0\r\n\r\n";

/// A stream that writes `replacement` in place of everything that is written while a head is waited for.
pub struct MalformedRequestGuard<S> {
    stream: S,
    stage: ExchangeStage,
    replacement: Arc<[u8]>,
    written: usize,
    /// How many bytes of [`PREFACE`] came; `None` once something else did.
    preface: Option<usize>,
    head_limit: Duration,
    /// When the head must have ended.
    head_deadline: Pin<Box<Sleep>>,
    /// Whether anything of the head came.
    has_begun: bool,
    is_late: bool,
}

impl<S> MalformedRequestGuard<S> {
    /// Wraps `stream`, each of whose heads must end within `head_limit` of when it is waited for.
    pub(super) fn new(
        stream: S,
        stage: ExchangeStage,
        replacement: Arc<[u8]>,
        head_limit: Duration,
    ) -> MalformedRequestGuard<S> {
        MalformedRequestGuard {
            stream,
            stage,
            replacement,
            written: 0,
            preface: Some(0),
            head_limit,
            head_deadline: Box::pin(tokio::time::sleep(head_limit)),
            has_begun: false,
            is_late: false,
        }
    }

    /// Waits for the next head.
    fn await_head(&mut self) {
        (self.written, self.preface, self.has_begun, self.is_late) = (0, Some(0), false, false);
        self.head_deadline.as_mut().reset(Instant::now() + self.head_limit);
    }

    /// Looks at what came, and spoils the preface of HTTP/2.
    fn inspect(&mut self, came: &mut [u8]) {
        self.has_begun |= !came.is_empty();
        for byte in came {
            let Some(place) = self.preface else { return };
            let is_expected = PREFACE.get(place).copied() == Some(*byte);
            self.preface = is_expected.then_some(place + 1);
            // The asterisk: what came before it may be the library's already.
            if *byte == b'*' && self.preface.is_some() {
                *byte = 0;
                self.preface = None;
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> MalformedRequestGuard<S> {
    /// Writes the replacement; then reports the library's own `length` bytes as written.
    fn poll_replacement(&mut self, context: &mut Context<'_>, length: usize) -> Poll<io::Result<usize>> {
        while self.written < self.replacement.len() {
            let rest = &self.replacement[self.written..];
            match ready!(Pin::new(&mut self.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        Poll::Ready(Ok(length))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for MalformedRequestGuard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.stage.awaits_head() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.inspect(&mut buffer.filled_mut()[before..]);
        if read.is_ready() || !self.has_begun || self.is_late {
            return read;
        }
        ready!(self.head_deadline.as_mut().poll(context));
        self.is_late = true;
        let fits = buffer.remaining().min(NONSENSE.len());
        buffer.put_slice(&NONSENSE[..fits]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for MalformedRequestGuard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.stage.awaits_head() {
            return Pin::new(&mut self.stream).poll_write(context, buffer);
        }
        self.poll_replacement(context, buffer.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.stage.awaits_head() {
            return Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        }
        self.poll_replacement(context, buffers.iter().map(|buffer| buffer.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// HTTP flushes once everything that it holds was written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        if self.stage.flushed() {
            self.await_head();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
