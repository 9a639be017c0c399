//! Columns of text for a terminal: as wide as their widest cell, numbers to the right. Knows no contents.

use std::io;
use std::io::Write;

use crate::report::style::Style;
use crate::report::style::Tone;

/// A row: each cell with its tone.
pub(super) type Row<const N: usize> = [(String, Tone); N];

/// Writes a line of headings and a line for every row, all set in by `indent`; `right` says which columns stand to the
/// right.
///
/// # Errors
///
/// Whatever `out` says.
pub(super) fn write<const N: usize>(
    headings: [&str; N],
    right: [bool; N],
    rows: &[Row<N>],
    indent: &str,
    style: Style,
    out: &mut impl Write,
) -> io::Result<()> {
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].0.chars().count());
        cells.chain([headings[column].chars().count()]).max().unwrap_or(0)
    });
    let headings = headings.map(|heading| (heading.to_owned(), Tone::Faint));
    [&headings].into_iter().chain(rows).try_for_each(|cells| {
        write!(out, "{indent}")?;
        line(cells, widths, right, style, out)
    })
}

fn line<const N: usize>(
    cells: &Row<N>,
    widths: [usize; N],
    right: [bool; N],
    style: Style,
    out: &mut impl Write,
) -> io::Result<()> {
    let last = cells.iter().rposition(|(text, _)| !text.is_empty()).unwrap_or(0);
    for (column, (text, tone)) in cells.iter().enumerate().take(last + 1) {
        let width = widths[column];
        let padded = match (right[column], column == last) {
            (true, _) => format!("{text:>width$}"),
            (false, true) => text.clone(),
            (false, false) => format!("{text:<width$}"),
        };
        write!(out, "{}{}", if column == 0 { "" } else { "  " }, style.paint(*tone, &padded))?;
    }
    writeln!(out)
}
