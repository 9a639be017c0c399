//! Text as a terminal shows it: how wide it is, where it is broken, and what must not reach it. Knows no contents.

use perennial_formats::safe_text::steers;
use unicode_width::UnicodeWidthChar;
use unicode_width::UnicodeWidthStr;

/// How many columns of a terminal `text` takes: two for each sign of Chinese, Japanese and Korean, one for most others.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// `text` with characters that would steer a terminal made visible.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|sign| if steers(sign) { char::REPLACEMENT_CHARACTER } else { sign }).collect()
}

/// `text` with blanks up to `columns`: behind it, or before it when it stands to the right.
pub(super) fn pad(text: &str, columns: usize, to_the_right: bool) -> String {
    let blanks = " ".repeat(columns.saturating_sub(width(text)));
    if to_the_right { format!("{blanks}{text}") } else { format!("{text}{blanks}") }
}

/// `text` in lines of at most `columns`, broken between words and, where a word is longer than a line, within it. There
/// is always a line.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split(' ') {
        let blank = usize::from(!line.is_empty());
        if width(&line) + blank + width(word) <= columns {
            line.extend((blank > 0).then_some(' '));
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for sign in word.chars() {
            if width(&line) + sign.width().unwrap_or(0) > columns {
                lines.push(std::mem::take(&mut line));
            }
            line.push(sign);
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_long_words_within() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a-very-long-word and more", 6), ["a-very", "-long-", "word", "and", "more"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("服务器一二三四", 6), ["服务器", "一二三", "四"]);
    }

    #[test]
    fn a_sign_of_chinese_is_two_columns_wide() {
        assert_eq!(width("服务器-1"), 8);
        assert_eq!(pad("服务器", 8, false), "服务器  ");
        assert_eq!(pad("9.00", 6, true), "  9.00");
    }

    #[test]
    fn what_would_steer_a_terminal_is_made_visible() {
        assert_eq!(printable("a\u{1b}[2J\u{202e}b\u{2067}\n"), "a\u{fffd}[2J\u{fffd}b\u{fffd}\u{fffd}");
    }
}
