//! One record of the log on one line: a value cannot begin a line of its own, nor turn the direction of what follows.
//!
//! Where the log has colours, their sequences come from the formatter, which has escaped those of values.

use std::fmt::Write as _;
use std::io;
use std::io::Write;

use crate::cli::lossy_log::LossyLog;
use crate::report::text::steers;

/// What begins a sequence of colours.
const ESCAPE: char = '\u{1b}';

/// Where a record is written, whole and in one piece.
pub(super) struct LogLine(LossyLog);

impl LogLine {
    /// The log on the standard error.
    pub(super) fn standard() -> LogLine {
        LogLine(LossyLog::standard())
    }
}

impl Write for LogLine {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        self.0.write_all(one_line(&String::from_utf8_lossy(record)).as_bytes())?;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A record with its line feed at the end, all other characters that steer a terminal written out; as JSON has them, so
/// that a record in JSON is the same one.
fn one_line(record: &str) -> String {
    let mut line = String::with_capacity(record.len());
    let body = record.strip_suffix('\n').unwrap_or(record);
    for sign in body.chars() {
        match sign {
            '\n' => line.push_str("\\n"),
            ESCAPE | '\t' => line.push(sign),
            sign if steers(sign) => {
                let _ = write!(line, "\\u{:04x}", u32::from(sign));
            }
            sign => line.push(sign),
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_the_log_cannot_forge_a_line() {
        assert_eq!(
            one_line("denied: a\n2026-01-01 INFO b\r\u{202e}c\n"),
            "denied: a\\n2026-01-01 INFO b\\u000d\\u202ec\n"
        );
        assert_eq!(one_line("plain\n"), "plain\n");
        let json: serde_json::Value = serde_json::from_str(&one_line("{\"text\":\"a\u{202e}b\"}\n")).unwrap();
        assert_eq!(json["text"], "a\u{202e}b");
    }
}
