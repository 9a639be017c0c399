//! A log in which a line is a line, also when others wrote what is in it: what would steer a terminal, or look like another
//! line, is replaced. Knows no contents.

use std::io;
use std::io::Write;

use perennial_formats::safe_text::steers;

/// The character that begins an escape sequence.
const ESCAPE: char = '\u{1b}';

/// A log for people, behind which is another one.
pub(super) struct SafeLog<W> {
    out: W,
    /// Whether the log has colours of its own, in which case the escape sequences of others were written out before.
    has_colours: bool,
}

impl<W: Write> SafeLog<W> {
    /// One that writes to `out`.
    pub(super) fn new(out: W, has_colours: bool) -> SafeLog<W> {
        SafeLog { out, has_colours }
    }
}

impl<W: Write> Write for SafeLog<W> {
    /// Writes one line; what is written together is one.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let (text, end) = text.strip_suffix('\n').map_or((text.as_ref(), ""), |text| (text, "\n"));
        let is_harmful = |sign: char| steers(sign) && !(self.has_colours && sign == ESCAPE);
        if text.contains(is_harmful) {
            let safe = text.replace(is_harmful, "\u{fffd}") + end;
            self.out.write_all(safe.as_bytes())?;
        } else {
            self.out.write_all(line)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A message of several lines, without anything else that would steer a terminal.
pub(super) fn safe_lines(message: &str) -> String {
    message.replace(|sign: char| steers(sign) && !matches!(sign, '\n' | '\t'), "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: &str, has_colours: bool) -> String {
        let mut out = Vec::new();
        SafeLog::new(&mut out, has_colours).write_all(line.as_bytes()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_of_the_log_stays_one_and_steers_nothing() {
        let line = "a note: b\n2026-01-01 INFO all is well\r\u{202e}\u{0}\n";
        assert_eq!(
            written(line, false),
            "a note: b\u{fffd}2026-01-01 INFO all is well\u{fffd}\u{fffd}\u{fffd}\n"
        );
        assert_eq!(written("\u{1b}[2Jgone\n", false), "\u{fffd}[2Jgone\n");
        let own = "\u{1b}[32m INFO\u{1b}[0m 服务器\n";
        assert_eq!(written(own, true), own);
    }

    #[test]
    fn a_message_keeps_its_lines_and_nothing_else_that_steers() {
        assert_eq!(
            safe_lines("1 problem:\n\ta\u{1b}[2J\u{202e}\r"),
            "1 problem:\n\ta\u{fffd}[2J\u{fffd}\u{fffd}"
        );
    }
}
