//! A response that breaks off: some bytes, and then the connection is cut.

use std::io;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use axum::body::Body;
use axum::body::Bytes;
use axum::body::HttpBody;
use hyper::body::Frame;

/// The bytes that are left, and then an error.
struct BrokenBody(Option<Bytes>);

/// A body that begins with `bytes` and never ends well. The server cuts the connection when it comes to the error.
pub(super) fn broken_body(bytes: Bytes) -> Body {
    Body::new(BrokenBody(Some(bytes).filter(|bytes| !bytes.is_empty())))
}

impl HttpBody for BrokenBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(match self.0.take() {
            Some(bytes) => Ok(Frame::data(bytes)),
            None => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "a fault cut the connection")),
        }))
    }
}
