//! Replaces the response to a malformed request. The HTTP library answers one with a bare status; clients of a
//! provider's API expect the provider's shape.
//!
//! Until the first request is dispatched, everything that the library writes is such a response. Later writes on the
//! same connection pass unchanged.

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

/// Whether a connection has dispatched a request.
pub type RequestDispatched = Arc<AtomicBool>;

/// A stream that writes `replacement` in place of everything that is written before a request is dispatched.
pub struct MalformedRequestGuard<S> {
    stream: S,
    dispatched: RequestDispatched,
    replacement: Arc<[u8]>,
    written: usize,
}

impl<S> MalformedRequestGuard<S> {
    /// Wraps `stream`.
    pub fn new(stream: S, dispatched: RequestDispatched, replacement: Arc<[u8]>) -> MalformedRequestGuard<S> {
        MalformedRequestGuard { stream, dispatched, replacement, written: 0 }
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
        Pin::new(&mut self.stream).poll_read(context, buffer)
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

/// A service that records the dispatch of a request.
pub struct DispatchObserver<S> {
    service: S,
    dispatched: RequestDispatched,
}

impl<S> DispatchObserver<S> {
    /// Wraps `service`.
    pub fn new(service: S, dispatched: RequestDispatched) -> DispatchObserver<S> {
        DispatchObserver { service, dispatched }
    }
}

impl<R, S: Service<R>> Service<R> for DispatchObserver<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, request: R) -> S::Future {
        self.dispatched.store(true, Ordering::Relaxed);
        self.service.call(request)
    }
}
