//! Whatever a list says, no line of it is wider than the terminal, and every row begins on a line of its own.

use proptest::collection::vec;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::proptest;
use proptest::sample::select;

use crate::report::Style;
use crate::report::columns;
use crate::report::columns::Align;
use crate::report::style::Tone;
use crate::report::text;

const COLUMNS: usize = 6;

fn align() -> impl Strategy<Value = Align> {
    select(vec![Align::Left, Align::Right, Align::Sentence])
}

/// Words, a few of them longer than any terminal here is wide, and signs that take two columns.
fn cell() -> impl Strategy<Value = String> {
    "([a-z0-9器]{0,14}( [a-z0-9-]{1,9}){0,5}|-|[a-z]{100,130})"
}

proptest! {
    #[test]
    fn rows_begin_on_lines_of_their_own_at_every_width(
        aligns in vec(align(), COLUMNS),
        rows in vec(vec(cell(), COLUMNS), 0..6),
        headings in vec("[a-z]{1,12}", COLUMNS),
        is_set_in in any::<bool>(),
    ) {
        let headings = headings.iter().zip(&aligns).map(|(heading, align)| (heading.as_str(), *align));
        let headings = headings.collect::<Vec<_>>();
        let indent = if is_set_in { "  " } else { "" };
        let row = |(number, cells): (usize, &Vec<String>)| {
            let first = (format!("ROW-{number}"), Tone::Plain);
            let others = cells.iter().skip(1).map(|cell| (cell.clone(), Tone::Plain));
            std::iter::once(first).chain(others).collect::<Vec<_>>()
        };
        let rows = rows.iter().enumerate().map(row).collect::<Vec<_>>();
        for width in 20..=120 {
            let style = Style { width: Some(width), ..Style::PLAIN };
            let mut out = Vec::new();
            columns::write(&headings, &rows, indent, style, &mut out).unwrap();
            let told = String::from_utf8(out).unwrap();
            prop_assert!(told.ends_with('\n'));
            for line in told.lines() {
                prop_assert!(text::width(line) <= width, "{} columns of {width}: {line}", text::width(line));
            }
            let begun = told.lines().filter(|line| line.trim_start().starts_with("ROW-"));
            prop_assert_eq!(begun.count(), rows.len(), "{} columns:\n{}", width, told);
            prop_assert_eq!(told.matches("ROW-").count(), rows.len());
        }
    }
}
