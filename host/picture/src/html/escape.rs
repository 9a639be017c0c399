//! Escapes text for a page: replaces every character that a page would read as markup.

use std::fmt;

use perennial_formats::safe_text::steers;

/// Text as it is written into a page, as an element's content or an attribute's value.
#[derive(Clone, Copy, Debug)]
pub(super) struct EscapedText<'a>(pub(super) &'a str);

impl fmt::Display for EscapedText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(index) = rest.find(is_special) {
            f.write_str(&rest[..index])?;
            let special = rest[index..].chars().next().expect("a character was found here");
            f.write_str(match special {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                _ => "\u{fffd}",
            })?;
            rest = &rest[index + special.len_utf8()..];
        }
        f.write_str(rest)
    }
}

/// Line ends stay: tooltips have several lines. Marks that turn the direction of writing go, as they hide what an id is.
fn is_special(sign: char) -> bool {
    matches!(sign, '&' | '<' | '>' | '"' | '\'') || (steers(sign) && sign != '\n')
}
