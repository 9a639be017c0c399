//! The source of a policy with what is wrong with it in place: each message below the line that it is about.

use maud::Markup;
use maud::html;
use serde_json::Value;

use crate::console::failure::Failure;
use crate::console::frame::Frame;
use crate::console::parts::plain;
use crate::console::texts as t;

/// What is wrong with the script called `script`: the lines of `source` with a message below each that has one, and before
/// them what is about no line of it.
pub(super) fn problems(frame: &Frame, failure: &Failure, script: &str, source: &str) -> Markup {
    let field = format!("scripts.{script}");
    let line_of = |error: &Value| (plain(error, "field") == field).then(|| line(plain(error, "detail")))?;
    let (placed, others) = failure.errors().iter().partition::<Vec<_>, _>(|error| line_of(error).is_some());
    html! {
        (failure.markup_with(&others))
        @if !placed.is_empty() {
            ol.source id="source-problems" aria-label=(frame.fill(t::SOURCE_OF, &[script])) {
                @for (number, text) in source.lines().enumerate() {
                    @let found = placed.iter().filter(|error| line_of(error) == Some(number + 1));
                    li {
                        code { (text) }
                        @for error in found { p.bad { (plain(error, "detail")) } }
                    }
                }
                // What ends too early is said of the line behind the last one.
                @for error in placed.iter().filter(|error| line_of(error) > Some(source.lines().count())) {
                    li { p.bad { (plain(error, "detail")) } }
                }
            }
        }
    }
}

/// The line that a message names, which begins with 1: `Unexpected '}' (line 3, column 1)`.
fn line(message: &str) -> Option<usize> {
    let (_, rest) = message.rsplit_once("(line ")?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit())?;
    rest[..end].parse().ok().filter(|line| *line > 0)
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_message_says_its_line_or_none() {
        let messages =
            ["Unexpected '}' (line 3, column 1: `}`)", "too long", "at (line x)", "(line 0, column 1)"];
        assert_eq!(messages.map(line), [Some(3), None, None, None]);
    }
}
