//! Sentences of the admin API in Chinese: tables of templates, each with its Chinese, in which what differs from time to time is
//! `{}`. Knows no sentence.

use crate::console::words;

/// What stands in the place of a part that differs each time.
const PART: &str = "{}";

/// A sentence in Chinese, by the first template of a table that it is one of; `None` where there is none. Parts keep their
/// order; words of the API among them are put into Chinese, too.
pub(super) fn chinese(table: &[(&str, &str)], english: &str) -> Option<String> {
    table.iter().find_map(|(template, chinese)| {
        let parts = parts(template, english)?;
        let mut pieces = chinese.split(PART);
        let mut filled = pieces.next().unwrap_or_default().to_owned();
        for (piece, part) in pieces.zip(parts) {
            filled.push_str(words::find(part).map_or(part, |word| word.chinese));
            filled.push_str(piece);
        }
        Some(filled)
    })
}

/// What stands in the places of a template; `None` when the text is none of it.
fn parts<'t>(template: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut pieces = template.split(PART);
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut parts = Vec::new();
    let pieces = pieces.collect::<Vec<_>>();
    for (number, piece) in pieces.iter().enumerate() {
        let is_last = number + 1 == pieces.len();
        let end = match (is_last, piece.is_empty()) {
            (true, true) => rest.len(),
            (true, false) => rest.strip_suffix(piece)?.len(),
            (false, _) => rest.find(piece)?,
        };
        parts.push(&rest[..end]);
        rest = &rest[end + piece.len()..];
    }
    rest.is_empty().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_put_into_chinese_by_its_template() {
        let table = [
            ("there is no {} `{}`", "没有{} `{}`"),
            ("expected {}, found the text {}", "应为 {}，实际为文本 {}"),
            ("it is empty", "内容为空"),
        ];
        let said = |english| chinese(&table, english);
        assert_eq!(said("there is no account `a; b`").as_deref(), Some("没有账户 `a; b`"));
        assert_eq!(
            said("expected a list, found the text `x`").as_deref(),
            Some("应为 a list，实际为文本 `x`")
        );
        assert_eq!(said("it is empty").as_deref(), Some("内容为空"));
        for other in ["it is empty, too", "there is no account", "", "expected"] {
            assert_eq!(said(other), None, "{other}");
        }
    }
}
