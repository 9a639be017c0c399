//! What a client hears whose request cannot be read. The HTTP library answers such a connection by itself, with a status
//! and nothing else; where clients expect a shape of their own, this puts other words in its mouth.
//!
//! Until a request was handed on, whatever the library writes is such an answer. What comes after a request on the same
//! connection is left alone.

use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use hyper::service::Service;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;

/// Whether a connection has handed a request on.
pub type HandedOn = Arc<AtomicBool>;

/// A stream on which `instead` is written in the place of what the library says before a request was handed on.
pub struct Unread<S> {
    stream: S,
    handed_on: HandedOn,
    instead: Arc<[u8]>,
    written: usize,
}

impl<S> Unread<S> {
    /// Over `stream`.
    pub fn new(stream: S, handed_on: HandedOn, instead: Arc<[u8]>) -> Unread<S> {
        Unread { stream, handed_on, instead, written: 0 }
    }
}

impl<S: AsyncWrite + Unpin> Unread<S> {
    /// Writes the other words; what the library had to say, `length` bytes, is taken for written then.
    fn poll_instead(&mut self, context: &mut Context<'_>, length: usize) -> Poll<io::Result<usize>> {
        while self.written < self.instead.len() {
            let rest = &self.instead[self.written..];
            match ready!(Pin::new(&mut self.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        Poll::Ready(Ok(length))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Unread<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Unread<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.handed_on.load(Ordering::Relaxed) {
            return Pin::new(&mut self.stream).poll_write(context, buffer);
        }
        self.poll_instead(context, buffer.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.handed_on.load(Ordering::Relaxed) {
            return Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        }
        self.poll_instead(context, buffers.iter().map(|buffer| buffer.len()).sum())
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

/// A service that notes that it was handed a request.
pub struct Noting<S> {
    service: S,
    handed_on: HandedOn,
}

impl<S> Noting<S> {
    /// Over `service`.
    pub fn new(service: S, handed_on: HandedOn) -> Noting<S> {
        Noting { service, handed_on }
    }
}

impl<R, S: Service<R>> Service<R> for Noting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, request: R) -> S::Future {
        self.handed_on.store(true, Ordering::Relaxed);
        self.service.call(request)
    }
}
