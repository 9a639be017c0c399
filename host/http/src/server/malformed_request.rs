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
pub type RequestDispatched = Arc<AtomicBool>;

/// A stream on which `instead` is written in the place of what the library says before a request was handed on.
pub struct MalformedRequestGuard<S> {
    stream: S,
    dispatched: RequestDispatched,
    replacement: Arc<[u8]>,
    written: usize,
}

impl<S> MalformedRequestGuard<S> {
    /// Over `stream`.
    pub fn new(stream: S, dispatched: RequestDispatched, replacement: Arc<[u8]>) -> MalformedRequestGuard<S> {
        MalformedRequestGuard { stream, dispatched, replacement, written: 0 }
    }
}

impl<S: AsyncWrite + Unpin> MalformedRequestGuard<S> {
    /// Writes the other words; what the library had to say, `length` bytes, is taken for written then.
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

/// A service that notes that it was handed a request.
pub struct DispatchObserver<S> {
    service: S,
    dispatched: RequestDispatched,
}

impl<S> DispatchObserver<S> {
    /// Over `service`.
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
