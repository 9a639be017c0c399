//! A log that never fails and never waits: what cannot be written, or not soon enough, is dropped and counted, because a host
//! without a log is better than none.
//!
//! Lines wait in a queue for a thread that writes them: behind it there may be a full disk, a pipe that nobody reads any more,
//! or one that is full and stays so.

use std::collections::VecDeque;
use std::io;
use std::io::Write;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::time::Duration;

use perennial_service::metrics;

/// The most that waits to be written, in bytes.
const WAITING_BYTES_MAX: usize = 1024 * 1024;
/// How long the end of the program waits for what is still to be written.
const PATIENCE: Duration = Duration::from_secs(2);

/// The queue of lines, and the thread that writes them.
#[derive(Clone)]
pub(super) struct LossyLog(Arc<Queue>);

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Whether a line is being written that is in the list no more.
    is_writing: bool,
}

impl LossyLog {
    /// The log on the standard error.
    pub(super) fn standard() -> LossyLog {
        static STANDARD: OnceLock<LossyLog> = OnceLock::new();
        STANDARD.get_or_init(|| LossyLog::start(io::stderr())).clone()
    }

    /// A log whose lines are written to `out`.
    fn start(out: impl Write + Send + 'static) -> LossyLog {
        let queue = Arc::new(Queue::default());
        let log = LossyLog(Arc::clone(&queue));
        std::thread::spawn(move || queue.write_all(out));
        log
    }

    /// Waits until everything is written, but not for long.
    pub(super) fn settle(&self) {
        let is_busy = |waiting: &mut Waiting| waiting.is_writing || !waiting.lines.is_empty();
        drop(self.0.changed.wait_timeout_while(self.0.lock(), PATIENCE, is_busy));
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes line after line, as long as the process lives.
    fn write_all(&self, mut out: impl Write) {
        loop {
            let is_empty = |waiting: &mut Waiting| waiting.lines.is_empty();
            let waited = self.changed.wait_while(self.lock(), is_empty);
            let mut waiting = waited.unwrap_or_else(PoisonError::into_inner);
            let line = waiting.lines.pop_front().unwrap_or_default();
            waiting.bytes -= line.len();
            waiting.is_writing = true;
            drop(waiting);
            if out.write_all(&line).and_then(|()| out.flush()).is_err() {
                metrics::record_dropped_log_line();
            }
            self.lock().is_writing = false;
            self.changed.notify_all();
        }
    }
}

impl Write for LossyLog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.0.lock();
        if waiting.bytes + line.len() > WAITING_BYTES_MAX {
            metrics::record_dropped_log_line();
        } else {
            waiting.bytes += line.len();
            waiting.lines.push_back(line.to_owned());
            self.0.changed.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// A disk that is full.
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    /// A pipe that nobody reads until something is received, and then somebody reads.
    struct Stuck(mpsc::Receiver<()>, mpsc::Sender<Vec<u8>>);

    impl Write for Stuck {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.send(line.to_owned()).unwrap();
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_cannot_be_written_is_no_error() {
        let mut log = LossyLog::start(Full);
        assert!(log.write_all(b"a line\n").is_ok());
        assert!(log.flush().is_ok());
        log.settle();
        assert!(log.0.lock().lines.is_empty());
    }

    #[test]
    fn a_log_that_nobody_reads_holds_nobody_up_and_keeps_its_first_lines() {
        let (go, stuck) = mpsc::channel();
        let (out, written) = mpsc::channel();
        let mut log = LossyLog::start(Stuck(stuck, out));
        let lines = 2 * WAITING_BYTES_MAX / 1024;
        for number in 0..lines {
            let line = format!("{number:>1023}\n");
            log.write_all(line.as_bytes()).unwrap();
        }
        assert!(log.0.lock().bytes <= WAITING_BYTES_MAX);
        drop(go);
        log.settle();
        let written = written.try_iter().collect::<Vec<_>>();
        // One may have been taken for writing while the others came.
        assert!((1024..=1025).contains(&written.len()), "{}", written.len());
        assert!(written[0].ends_with(b" 0\n") && written[1].ends_with(b" 1\n"));
    }
}
