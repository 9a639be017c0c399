//! Finds a comment that is never closed: Rhai takes the rest of the script for a part of it, and says nothing.

use std::iter::Peekable;
use std::str::Chars;

use rhai::Position;

/// Reads a script sign by sign, and knows where it is.
struct Reader<'s> {
    signs: Peekable<Chars<'s>>,
    line: u16,
    column: u16,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let sign = self.signs.next()?;
        match sign {
            '\n' => (self.line, self.column) = (self.line.saturating_add(1), 0),
            _ => self.column = self.column.saturating_add(1),
        }
        Some(sign)
    }

    /// Takes the next sign if it is this one.
    fn take(&mut self, sign: char) -> bool {
        let is_next = self.signs.peek() == Some(&sign);
        if is_next {
            self.next();
        }
        is_next
    }

    /// Reads up to the end of a text or sign that `quote` began.
    fn skip_text(&mut self, quote: char) {
        while let Some(sign) = self.next() {
            match sign {
                '\\' if quote != '`' => drop(self.next()),
                sign if sign == quote => return,
                _ => {}
            }
        }
    }

    /// Reads up to the end of a comment; comments may stand within comments. Returns whether it has an end.
    fn skip_comment(&mut self) -> bool {
        let mut depth = 1;
        while let Some(sign) = self.next() {
            match sign {
                '*' if self.take('/') => depth -= 1,
                '/' if self.take('*') => depth += 1,
                _ => {}
            }
            if depth == 0 {
                return true;
            }
        }
        false
    }
}

/// Where the comment begins that has no end.
pub(crate) fn unclosed(script: &str) -> Option<Position> {
    let mut reader = Reader { signs: script.chars().peekable(), line: 1, column: 0 };
    while let Some(sign) = reader.next() {
        match sign {
            '"' | '`' | '\'' => reader.skip_text(sign),
            '/' if reader.take('/') => while reader.next().is_some_and(|sign| sign != '\n') {},
            '/' if reader.signs.peek() == Some(&'*') => {
                let begins = Position::new(reader.line, reader.column);
                reader.next();
                if !reader.skip_comment() {
                    return Some(begins);
                }
            }
            _ => {}
        }
    }
    None
}
