//! Watches how the heads of a connection come: how long they take, and how much of them is held. Replaces the response to
//! what is no request. The HTTP library answers that with a bare status; clients of a provider's API expect the provider's
//! shape.
//!
//! While a connection waits for a head, everything that the library writes is such a response. What it writes between the
//! dispatch of a request and the end of its response passes unchanged. Three things the library closes without a word: a
//! client that speaks HTTP/2, a head that does not end in time, and one that is long and has found no place by then. All of
//! them are made into what the library answers.
//!
//! A head that is long takes a place among those of its listener, until its connection ends: the library keeps what it has
//! read into for as long. So the connection ends with the response to it. Without a place nothing more of it is read: it waits
//! for one until its time is over, which takes no memory here and no work.
//!
//! Of what a client sends before it has the response to its request, the library may have read the beginning of the next
//! head already, up to one read. That is not looked at: HTTP/2 and a late head are then closed without a word, as the library
//! does.

use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::time::Instant;
use tokio::time::Sleep;

use crate::server::ClientAddress;
use crate::server::Refusals;
use crate::server::exchange::ExchangeStage;
use crate::server::long_heads::HeadProgress;
use crate::server::long_heads::LongHead;
use crate::server::long_heads::LongHeads;

/// How a connection of HTTP/2 begins; no method of HTTP/1 is called so (RFC 9113, section 11.6).
const PREFACE: &[u8] = b"PRI * HTTP/2.0";
/// What can stand nowhere in a head, and ends it.
const NONSENSE: &[u8] = b"\0\r\n\r\n";

/// The most bytes of one read: the library reads into as much as the largest read before took.
const READ_MAX: usize = 8 * 1024;
/// How the library begins its response to a head that is too long.
const TOO_LONG: &[u8] = b"HTTP/1.1 431 ";
/// The response to a long head without a place, where a listener has none of its own.
const BARE_BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
/// The response to a late head there.
const BARE_LATE: &[u8] = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
/// How many times a long head looks for a place until its time is over.
const LOOKS: u32 = 16;

/// What is wrong with a head that the library answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fault {
    /// It is none.
    #[default]
    Malformed,
    /// It did not end in time.
    Late,
    /// It has more bytes or lines than a head may have.
    TooLong,
    /// It is long, and there was no place for it in time.
    Busy,
}

/// A stream that watches heads, and writes its own responses in place of everything that is written while one is waited for.
pub(super) struct HeadGuard<S> {
    stream: S,
    stage: ExchangeStage,
    address: ClientAddress,
    /// What is written; without it, the library's own words are, where it has any.
    refusals: Option<Arc<Refusals>>,
    fault: Fault,
    written: usize,
    heads: LongHeads,
    progress: HeadProgress,
    /// The place of its long head, once it had one.
    place: Option<LongHead>,
    /// How many bytes of [`PREFACE`] came; `None` once something else did.
    preface: Option<usize>,
    head_limit: Duration,
    /// When the head must have ended.
    head_deadline: Pin<Box<Sleep>>,
    /// Whether anything of the head came.
    has_begun: bool,
    /// When it looks for a place again.
    next_look: Pin<Box<Sleep>>,
}

impl<S> HeadGuard<S> {
    /// Wraps the `stream` of a client at `address`, each of whose heads must end within `head_limit` of when it is waited for.
    pub(super) fn new(
        stream: S,
        stage: ExchangeStage,
        (address, heads): (ClientAddress, LongHeads),
        refusals: Option<Arc<Refusals>>,
        head_limit: Duration,
    ) -> HeadGuard<S> {
        HeadGuard {
            stream,
            stage,
            address,
            refusals,
            fault: Fault::default(),
            written: 0,
            heads,
            progress: HeadProgress::default(),
            place: None,
            preface: Some(0),
            head_limit,
            head_deadline: Box::pin(tokio::time::sleep(head_limit)),
            has_begun: false,
            next_look: Box::pin(tokio::time::sleep(Duration::ZERO)),
        }
    }

    /// Waits for the next head.
    fn await_head(&mut self) {
        (self.written, self.preface, self.has_begun) = (0, Some(0), false);
        self.head_deadline.as_mut().reset(Instant::now() + self.head_limit);
    }

    /// Looks at what came of a head.
    fn inspect(&mut self, came: &mut [u8]) {
        if came.is_empty() {
            return;
        }
        self.progress.look_at(came);
        if self.stage.awaits_head() {
            self.has_begun = true;
            if self.refusals.is_some() {
                self.spoil_preface(came);
            }
        }
    }

    /// Whether more of the head that comes may be read.
    fn has_place(&self) -> bool {
        self.place.is_some() || !self.progress.is_long()
    }

    /// Ready once it has a place for its long head.
    fn poll_place(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            self.place = self.heads.begin(self.address);
            if self.place.is_some() {
                self.stage.end_with_next();
                return Poll::Ready(());
            }
            if self.next_look.is_elapsed() {
                self.next_look.as_mut().reset(Instant::now() + self.head_limit / LOOKS);
            }
            ready!(self.next_look.as_mut().poll(context));
        }
    }

    /// Whether the head that is waited for is late, which wakes the task once it is.
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.has_begun || !self.stage.awaits_head() {
            return Poll::Pending;
        }
        self.head_deadline.as_mut().poll(context)
    }

    /// Spoils the preface of HTTP/2 in what came.
    fn spoil_preface(&mut self, came: &mut [u8]) {
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

impl<S: AsyncRead + Unpin> HeadGuard<S> {
    /// Reads, and never much at once.
    fn poll_some(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buffer.remaining() <= READ_MAX {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(READ_MAX));
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut part))?;
        let came = part.filled().len();
        buffer.advance(came);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> HeadGuard<S> {
    /// Writes in place of `words`, which the library begins to say with; `None` when they are to be written.
    fn poll_refusal(&mut self, context: &mut Context<'_>, words: &[u8]) -> Option<Poll<io::Result<()>>> {
        if !self.stage.awaits_head() {
            return None;
        }
        if self.fault == Fault::Malformed && words.starts_with(TOO_LONG) {
            self.fault = Fault::TooLong;
        }
        let refusal = match (&self.refusals, self.fault) {
            (Some(refusals), Fault::Malformed | Fault::Late) => &refusals.malformed,
            (Some(refusals), Fault::TooLong) => &refusals.too_long,
            (Some(refusals), Fault::Busy) => &refusals.busy,
            (None, Fault::Late) => BARE_LATE,
            (None, Fault::Busy) => BARE_BUSY,
            (None, Fault::Malformed | Fault::TooLong) => return None,
        };
        while self.written < refusal.len() {
            match Pin::new(&mut self.stream).poll_write(context, &refusal[self.written..]) {
                Poll::Ready(Ok(0)) => return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into()))),
                Poll::Ready(Ok(written)) => self.written += written,
                Poll::Ready(Err(error)) => return Some(Poll::Ready(Err(error))),
                Poll::Pending => return Some(Poll::Pending),
            }
        }
        Some(Poll::Ready(Ok(())))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadGuard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.stage.is_answering() {
            return self.poll_some(context, buffer);
        }
        if self.fault == Fault::Malformed {
            let is_late = self.poll_late(context).is_ready();
            let has_place = self.has_place() || !is_late && self.poll_place(context).is_ready();
            if has_place {
                let before = buffer.filled().len();
                let read = self.poll_some(context, buffer);
                self.inspect(&mut buffer.filled_mut()[before..]);
                if read.is_ready() {
                    return read;
                }
            }
            if !is_late {
                return Poll::Pending;
            }
            self.fault = if has_place { Fault::Late } else { Fault::Busy };
        }
        let fits = buffer.remaining().min(NONSENSE.len());
        buffer.put_slice(&NONSENSE[..fits]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadGuard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.poll_refusal(context, buffer) {
            None => Pin::new(&mut self.stream).poll_write(context, buffer),
            Some(refused) => refused.map_ok(|()| buffer.len()),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.poll_refusal(context, buffers.first().map_or(&[], |first| &**first)) {
            None => Pin::new(&mut self.stream).poll_write_vectored(context, buffers),
            Some(refused) => refused.map_ok(|()| buffers.iter().map(|buffer| buffer.len()).sum()),
        }
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
