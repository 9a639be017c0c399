//! Wording of messages: quotes a value, lists the valid names, and suggests the nearest one. Knows no format.

use crate::safe_text;

/// The longest piece of somebody's text that a message repeats, in characters.
const QUOTE_MAX: usize = 60;

/// With more names than this to choose from, none is suggested: comparing with each would take too long.
const CANDIDATES_MAX: usize = 200;

/// The most names that a message lists.
const LIST_MAX: usize = 24;

/// Somebody's text in backticks, on one line and not too long.
pub(super) fn quote(text: &str) -> String {
    let mut piece = safe_text::on_one_line(&text.chars().take(QUOTE_MAX).collect::<String>());
    if text.chars().nth(QUOTE_MAX).is_some() {
        piece.push('…');
    }
    format!("`{piece}`")
}

/// Such as `a`, `b` or `c`; `none` when there is nothing to list.
pub(super) fn list_names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter().map(quote).collect::<Vec<_>>();
    if names.len() > LIST_MAX {
        let more = names.len() - LIST_MAX;
        names.truncate(LIST_MAX);
        names.push(format!("{more} more"));
    }
    match names.pop() {
        None => "none".to_owned(),
        Some(last) if names.is_empty() => last,
        Some(last) => format!("{} or {last}", names.join(", ")),
    }
}

/// Such as ` (did you mean `price`?)`; empty when nothing there is comes close.
pub fn did_you_mean<'a>(name: &str, names: impl IntoIterator<Item = &'a str, IntoIter: Clone>) -> String {
    let names = names.into_iter();
    if names.clone().take(CANDIDATES_MAX + 1).count() > CANDIDATES_MAX || name.chars().count() > 64 {
        return String::new();
    }
    let reach = (name.chars().count() / 3).clamp(1, 3);
    let nearest = names.map(|candidate| (distance(name, candidate), candidate)).min();
    match nearest {
        Some((distance, candidate)) if distance <= reach => {
            format!(" (did you mean {}?)", quote(candidate))
        }
        Some(_) | None => String::new(),
    }
}

/// How many characters must be added, removed, changed or swapped with their neighbour to get from one to the other.
fn distance(from: &str, to: &str) -> usize {
    let from = from.to_lowercase().chars().collect::<Vec<_>>();
    let to = to.to_lowercase().chars().collect::<Vec<_>>();
    let mut before = vec![0; to.len() + 1];
    let mut above = (0..=to.len()).collect::<Vec<_>>();
    for row in 1..=from.len() {
        let mut current = vec![row; to.len() + 1];
        for column in 1..=to.len() {
            let changed = above[column - 1] + usize::from(from[row - 1] != to[column - 1]);
            current[column] = changed.min(above[column] + 1).min(current[column - 1] + 1);
            let is_swap =
                row > 1 && column > 1 && from[row - 1] == to[column - 2] && from[row - 2] == to[column - 1];
            if is_swap {
                current[column] = current[column].min(before[column - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, current);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_one_step_away() {
        for (from, to, steps) in [
            ("price", "price", 0),
            ("Price", "price", 0),
            ("pirce", "price", 1),
            ("prize", "price", 1),
            ("expire_at", "expires_at", 1),
            ("", "tags", 4),
            ("tags", "", 4),
        ] {
            assert_eq!(distance(from, to), steps, "{from} to {to}");
        }
    }

    #[test]
    fn nothing_is_suggested_for_what_is_nothing_like_it() {
        assert_eq!(did_you_mean("colour", ["price", "term"]), "");
        assert_eq!(did_you_mean("prise", ["price", "term"]), " (did you mean `price`?)");
    }

    #[test]
    fn long_or_many_lined_text_is_shown_short_and_on_one_line() {
        assert_eq!(quote("a\nb"), "`a\\nb`");
        assert_eq!(quote("say \"b\" \u{1b}[31m"), "`say \"b\" \\u{1b}[31m`");
        assert_eq!(quote(&"x".repeat(61)), format!("`{}…`", "x".repeat(60)));
        assert_eq!(list_names([]), "none");
        assert_eq!(list_names(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
