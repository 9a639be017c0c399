//! Where a connection is between a head and the end of its response.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;

use axum::body::Body;
use axum::body::Bytes;
use axum::body::HttpBody;
use hyper::body::Frame;
use hyper::body::SizeHint;

const AWAITS_HEAD: u8 = 0;
const ANSWERS: u8 = 1;
/// The response has ended, and its last bytes may still wait to be written.
const ENDED: u8 = 2;

/// Whether a connection waits for a head or answers a request. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct ExchangeStage {
    stage: Arc<AtomicU8>,
    is_last: Arc<AtomicBool>,
}

impl ExchangeStage {
    /// A request was dispatched; its response ends when what is returned is dropped.
    pub(super) fn begin(&self) -> ResponseEnd {
        self.stage.store(ANSWERS, Ordering::Relaxed);
        ResponseEnd(self.clone())
    }

    pub(super) fn awaits_head(&self) -> bool {
        self.stage.load(Ordering::Relaxed) == AWAITS_HEAD
    }

    /// Whether a request is being answered.
    pub(super) fn is_answering(&self) -> bool {
        self.stage.load(Ordering::Relaxed) == ANSWERS
    }

    /// Everything was written. Returns whether that was a response to its end, so that the next head is waited for.
    pub(super) fn flushed(&self) -> bool {
        self.stage.compare_exchange(ENDED, AWAITS_HEAD, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Has the connection end with the response to the next request.
    pub(super) fn end_with_next(&self) {
        self.is_last.store(true, Ordering::Relaxed);
    }

    /// Whether the connection ends with the response to this request.
    pub(super) fn is_last(&self) -> bool {
        self.is_last.load(Ordering::Relaxed)
    }
}

/// Tells the end of a response when it is dropped.
#[derive(Debug)]
pub(super) struct ResponseEnd(ExchangeStage);

impl Drop for ResponseEnd {
    fn drop(&mut self) {
        let stage = &self.0.stage;
        let _ = stage.compare_exchange(ANSWERS, ENDED, Ordering::Relaxed, Ordering::Relaxed);
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
