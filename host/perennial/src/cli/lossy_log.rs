//! A log that never fails: what cannot be written is dropped and counted, because a host without a log is better than none.

use std::io;
use std::io::Write;

use perennial_service::metrics;

/// A writer of whole lines, behind which there may be a full disk or a pipe that nobody reads any more.
pub(super) struct LossyLog<W>(pub(super) W);

impl<W: Write> Write for LossyLog<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.0.write_all(line).is_err() {
            metrics::record_dropped_log_line();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // What could not be flushed was counted when it was written, or will be with the next line.
        let _ = self.0.flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_line_that_cannot_be_written_is_no_error() {
        let mut log = LossyLog(Full);
        assert!(log.write_all(b"a line\n").is_ok());
        assert!(log.flush().is_ok());
        let mut written = Vec::new();
        LossyLog(&mut written).write_all(b"a line\n").unwrap();
        assert_eq!(written, b"a line\n");
    }
}
