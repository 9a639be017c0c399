//! Text of somebody else's where a terminal shows it: which characters would steer that. Knows no contents.

/// Characters that would turn the direction in which a terminal writes, or break a line.
const DIRECTIONS: [(char, char); 5] = [
    ('\u{61c}', '\u{61c}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{2066}', '\u{2069}'),
];

/// Whether a terminal would obey the character instead of showing it.
pub fn steers(character: char) -> bool {
    character.is_control() || DIRECTIONS.iter().any(|(first, last)| (*first..=*last).contains(&character))
}

/// The text with such characters written out, so that it can neither break a line nor steer a terminal.
pub fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if !steers(character) {
            line.push(character);
        } else if character.is_control() {
            line.extend(character.escape_debug());
        } else {
            line.extend(character.escape_unicode());
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_written_out() {
        let text = "a\u{0}\u{1b}[2J\n\u{9b}\u{7f}\u{202e}b\u{2028}服务器\u{2067}";
        assert_eq!(on_one_line(text), r"a\0\u{1b}[2J\n\u{9b}\u{7f}\u{202e}b\u{2028}服务器\u{2067}");
    }
}
