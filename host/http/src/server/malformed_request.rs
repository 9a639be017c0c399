//! Replaces the response to a malformed request. The HTTP library answers one with a bare status; clients of a
//! provider's API expect the provider's shape.
//!
//! Until the first request is dispatched, everything that the library writes is such a response. Later writes on the
//! same connection pass unchanged. Two things the library closes without a word: a client that begins with HTTP/2, and a
//! head that does not end in time. Both are made into what the library answers.

use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::time::Sleep;

/// Whether a connection has dispatched a request.
pub type RequestDispatched = Arc<AtomicBool>;

/// How a connection of HTTP/2 begins; no method of HTTP/1 is called so (RFC 9113, section 11.6).
const PREFACE: &[u8] = b"PRI * HTTP/2.0";
/// What can stand nowhere in a head, and ends it.
const NONSENSE: &[u8] = b"\0\r\n\r\n";

/// A stream that writes `replacement` in place of everything that is written before a request is dispatched.
pub struct MalformedRequestGuard<S> {
    stream: S,
    dispatched: RequestDispatched,
    replacement: Arc<[u8]>,
    written: usize,
    /// How many bytes of [`PREFACE`] came; `None` once something else did.
    preface: Option<usize>,
    head_limit: Duration,
    /// When the first head must have ended; `None` before its first byte, and once it was too late.
    head_deadline: Option<Pin<Box<Sleep>>>,
    is_late: bool,
}

impl<S> MalformedRequestGuard<S> {
    /// Wraps `stream`, whose first head must end within `head_limit` of its first byte.
    pub fn new(
        stream: S,
        dispatched: RequestDispatched,
        replacement: Arc<[u8]>,
        head_limit: Duration,
    ) -> MalformedRequestGuard<S> {
        MalformedRequestGuard {
            stream,
            dispatched,
            replacement,
            written: 0,
            preface: Some(0),
            head_limit,
            head_deadline: None,
            is_late: false,
        }
    }

    /// Looks at what came, and spoils the preface of HTTP/2.
    fn inspect(&mut self, came: &mut [u8]) {
        if !came.is_empty() && self.head_deadline.is_none() && !self.is_late {
            self.head_deadline = Some(Box::pin(tokio::time::sleep(self.head_limit)));
        }
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
        if self.dispatched.load(Ordering::Relaxed) {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.inspect(&mut buffer.filled_mut()[before..]);
        let Some(deadline) = self.head_deadline.as_mut().filter(|_| read.is_pending()) else { return read };
        ready!(deadline.as_mut().poll(context));
        (self.head_deadline, self.is_late) = (None, true);
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
        if self.dispatched.load(Ordering::Relaxed) {
            return Pin::new(&mut self.stream).poll_write(context, buffer);
        }
        self.poll_replacement(context, buffer.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.dispatched.load(Ordering::Relaxed) {
            return Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        }
        self.poll_replacement(context, buffers.iter().map(|buffer| buffer.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
