//! Reads whole bodies within a limit, and tells apart why one could not be read.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::Body;
use axum::body::Bytes;
use axum::body::HttpBody as _;

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It has more bytes than the limit.
    TooLarge,
    /// It is not framed as HTTP wants it, or its connection ended.
    Broken,
    /// There is no room for so many bytes at present.
    NoRoom,
}

/// Reads a body of at most `limit` bytes. Beyond the limit, up to `drained` bytes more are read and dropped, so that a
/// client that sends everything before it reads gets the response.
pub(crate) async fn read(body: Body, limit: usize, drained: usize) -> Result<Bytes, BodyError> {
    read_within(body, limit, drained, |_| true).await
}

/// The same as long as `has_room` says that so many bytes may be held.
pub(crate) async fn read_within(
    mut body: Body,
    limit: usize,
    drained: usize,
    mut has_room: impl FnMut(usize) -> bool,
) -> Result<Bytes, BodyError> {
    let (mut whole, mut length) = (Vec::new(), 0_usize);
    if body.size_hint().lower() > u64::try_from(limit.saturating_add(drained)).unwrap_or(u64::MAX) {
        return Err(BodyError::TooLarge);
    }
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length > limit.saturating_add(drained) {
            return Err(BodyError::TooLarge);
        }
        if !has_room(length) {
            return Err(BodyError::NoRoom);
        }
        if length <= limit {
            whole.extend_from_slice(&data);
        } else {
            whole = Vec::new();
        }
    }
    if length > limit { Err(BodyError::TooLarge) } else { Ok(whole.into()) }
}
