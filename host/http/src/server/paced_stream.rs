//! A stream whose reader must keep up: it is closed when nothing is taken for a while, or one response is not taken as a
//! whole in time.
//!
//! It also knows whether everything that was written is on its way, so that a connection begins no request before the
//! response to the one before it was taken.

use std::future::poll_fn;
use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::time::Instant;
use tokio::time::Sleep;

/// How long a client may take to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long it may take nothing.
    pub stall: Duration,
    /// How long it may take over one response that does not go out at once.
    pub response: Duration,
}

/// Whether a stream holds bytes that its client has not taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Backlog {
    state: Arc<Mutex<BacklogState>>,
}

#[derive(Debug, Default)]
struct BacklogState {
    is_behind: bool,
    waiting: Option<Waker>,
}

impl Backlog {
    /// Waits until there is none.
    pub(super) async fn cleared(&self) {
        poll_fn(|context| {
            let mut state = self.state.lock().expect("nobody panics while looking at a backlog");
            if !state.is_behind {
                return Poll::Ready(());
            }
            state.waiting = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Whether there is any.
    pub(super) fn is_behind(&self) -> bool {
        self.state.lock().expect("nobody panics while looking at a backlog").is_behind
    }

    pub(super) fn set(&self, is_behind: bool) {
        let mut state = self.state.lock().expect("nobody panics while looking at a backlog");
        state.is_behind = is_behind;
        if let Some(waiting) = state.waiting.take().filter(|_| !is_behind) {
            waiting.wake();
        }
    }
}

/// A stream that is closed when its reader does not keep the pace.
pub(super) struct PacedStream<S> {
    stream: S,
    pace: Pace,
    backlog: Backlog,
    /// When what waits to be written began to wait.
    behind_since: Option<Instant>,
    /// When the client must have taken something more.
    deadline: Pin<Box<Sleep>>,
}

impl<S> PacedStream<S> {
    /// Watches how fast the client of `stream` reads.
    pub(super) fn new(stream: S, pace: Pace, backlog: Backlog) -> PacedStream<S> {
        PacedStream {
            stream,
            pace,
            backlog,
            behind_since: None,
            deadline: Box::pin(tokio::time::sleep(Duration::ZERO)),
        }
    }

    /// Notes what became of writing something: whether the client took it, and whether it takes too long.
    fn wrote(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        self.backlog.set(true);
        match written {
            Poll::Ready(written) => {
                if let Some(since) = self.behind_since {
                    self.set_deadline(since);
                }
                Poll::Ready(written)
            }
            Poll::Pending => self.poll_late(context),
        }
    }

    /// Ready with an error once the client has taken too long; else the deadline wakes the task.
    fn poll_late<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if self.behind_since.is_none() {
            let now = Instant::now();
            self.behind_since = Some(now);
            self.set_deadline(now);
        }
        match self.deadline.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    fn set_deadline(&mut self, since: Instant) {
        let next = (Instant::now() + self.pace.stall).min(since + self.pace.response);
        self.deadline.as_mut().reset(next);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PacedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PacedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, buffer);
        self.wrote(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.wrote(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// HTTP flushes once everything that it holds was written, so a flush that is done is the end of a backlog.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(context) {
            Poll::Ready(flushed) => {
                self.behind_since = None;
                self.backlog.set(false);
                Poll::Ready(flushed)
            }
            Poll::Pending => self.poll_late(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_shutdown(context) {
            Poll::Ready(closed) => Poll::Ready(closed),
            Poll::Pending => self.poll_late(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::io::AsyncWriteExt;

    use super::*;

    const PACE: Pace = Pace { stall: Duration::from_millis(40), response: Duration::from_secs(60) };

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    #[test]
    fn a_client_that_reads_nothing_is_given_up() {
        run(async {
            let (client, server) = tokio::io::duplex(64);
            let mut paced = PacedStream::new(server, PACE, Backlog::default());
            let error = paced.write_all(&[0; 1000]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            drop(client);
        });
    }

    #[test]
    fn a_client_that_reads_byte_by_byte_is_given_up() {
        run(async {
            let (mut client, server) = tokio::io::duplex(1);
            let pace = Pace { stall: Duration::from_secs(60), response: Duration::from_millis(40) };
            let mut paced = PacedStream::new(server, pace, Backlog::default());
            // It always takes something, and is never done.
            let reading = tokio::spawn(async move {
                let mut byte = [0];
                while client.read_exact(&mut byte).await.is_ok() {}
            });
            let error = paced.write_all(&vec![0; 1 << 28]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            drop(paced);
            reading.await.unwrap();
        });
    }

    #[test]
    fn a_client_that_keeps_up_begins_each_response_anew() {
        run(async {
            let (mut client, server) = tokio::io::duplex(64);
            let backlog = Backlog::default();
            let mut paced = PacedStream::new(server, PACE, backlog.clone());
            for _ in 0..3 {
                let reading = async {
                    let mut read = [0; 200];
                    client.read_exact(&mut read).await.unwrap();
                };
                let writing = async {
                    paced.write_all(&[7; 200]).await.unwrap();
                    assert!(paced.behind_since.is_some());
                    paced.flush().await.unwrap();
                    assert!(paced.behind_since.is_none());
                };
                tokio::join!(reading, writing);
                backlog.cleared().await;
            }
        });
    }
}
