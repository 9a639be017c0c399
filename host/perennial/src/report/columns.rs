//! Columns of text for a terminal: as wide as their widest cell, numbers to the right, and never wider than the terminal.
//!
//! Where a table does not fit, its last columns are folded: each row goes on below itself with `heading: text` for what
//! is left. Nothing is cut off, because an id that was cut off cannot be copied. Knows no contents.

use std::io;
use std::io::Write;

use crate::report::style::Style;
use crate::report::style::Tone;
use crate::report::text;

/// The narrowest that a column of sentences becomes before it is folded.
const SENTENCE_MIN: usize = 24;
/// How far what is folded is set in below its row.
const FOLD: &str = "    ";
/// What stands between two columns.
const GAP: &str = "  ";

/// How the cells of a column are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text begins at the left edge.
    Left,
    /// To the right: numbers.
    Right,
    /// To the left, and broken into lines between words.
    Sentence,
}

/// A column: its heading and how its cells are set.
pub(crate) type Column<'a> = (&'a str, Align);

/// A cell: its text and its tone. It is empty or `-` when there is nothing to say, and then it is not folded.
pub(crate) type Cell = (String, Tone);

/// Writes a line of headings and the rows, all set in by `indent`.
///
/// # Errors
///
/// Whatever `out` says.
pub(crate) fn write(
    columns: &[Column<'_>],
    rows: &[Vec<Cell>],
    indent: &str,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let layout = Layout::new(columns, rows, style.width.map(|width| width.saturating_sub(indent.len())));
    let headings = columns.iter().map(|(heading, _)| ((*heading).to_owned(), Tone::Faint));
    layout.aligned(&headings.collect::<Vec<_>>(), indent, style, out)?;
    for row in rows {
        layout.aligned(row, indent, style, out)?;
        layout.folded(row, indent, style, out)?;
    }
    Ok(())
}

/// Which columns stand side by side, and how wide each of them is.
struct Layout<'a> {
    columns: &'a [Column<'a>],
    widths: Vec<usize>,
    /// The columns after the first so many are folded.
    side_by_side: usize,
    width_max: Option<usize>,
}

impl<'a> Layout<'a> {
    fn new(columns: &'a [Column<'a>], rows: &[Vec<Cell>], width_max: Option<usize>) -> Layout<'a> {
        let widest = |(index, (heading, _)): (usize, &Column<'_>)| {
            let cells = rows.iter().map(|row| text::width(&row[index].0));
            cells.chain([text::width(heading)]).max().unwrap_or(0)
        };
        let mut widths = columns.iter().enumerate().map(widest).collect::<Vec<_>>();
        let Some(most) = width_max else {
            return Layout { columns, widths, side_by_side: columns.len(), width_max };
        };
        let least = columns.iter().zip(&widths).map(|((_, align), width)| match align {
            Align::Sentence => SENTENCE_MIN.min(*width),
            Align::Left | Align::Right => *width,
        });
        let least = least.collect::<Vec<_>>();
        let mut side_by_side = 1;
        while side_by_side < columns.len() && total(&least[..=side_by_side]) <= most {
            side_by_side += 1;
        }
        // What is left over goes to the sentences, from left to right.
        let mut spare = most.saturating_sub(total(&least[..side_by_side]));
        for (width, least) in widths.iter_mut().zip(&least).take(side_by_side) {
            let wanted = width.saturating_sub(*least).min(spare);
            (*width, spare) = ((least + wanted).min(most), spare - wanted);
        }
        Layout { columns, widths, side_by_side, width_max }
    }

    /// The cells that stand side by side; what does not fit into its column goes on in the next line.
    fn aligned(&self, row: &[Cell], indent: &str, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let cells = row.iter().take(self.side_by_side).zip(&self.widths);
        let broken = cells.map(|((cell, _), width)| match self.width_max {
            Some(_) if text::width(cell) > *width => text::wrap(cell, *width),
            Some(_) | None => vec![cell.clone()],
        });
        let broken = broken.collect::<Vec<_>>();
        let lines = broken.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..lines {
            let part = |index: usize| broken[index].get(line).map_or("", String::as_str);
            let last = (0..broken.len()).rev().find(|index| !part(*index).is_empty()).unwrap_or(0);
            write!(out, "{indent}")?;
            for (index, (_, tone)) in row.iter().enumerate().take(last + 1) {
                let to_the_right = self.columns[index].1 == Align::Right;
                let width = if index == last && !to_the_right { 0 } else { self.widths[index] };
                let gap = if index == 0 { "" } else { GAP };
                let padded = text::pad(part(index), width, to_the_right);
                write!(out, "{gap}{}", style.paint(*tone, &padded))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }

    /// The cells that do not stand side by side, below their row.
    fn folded(&self, row: &[Cell], indent: &str, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let most = self.width_max.unwrap_or(usize::MAX).saturating_sub(FOLD.len());
        // How much room the line has that was begun; `None` when none was.
        let mut room = None::<usize>;
        for (index, (cell, tone)) in row.iter().enumerate().skip(self.side_by_side) {
            if cell.is_empty() || cell == "-" {
                continue;
            }
            let said = format!("{}: {}", self.columns[index].0, cell.trim_start());
            let wanted = text::width(&said);
            if let Some(left) = room.and_then(|room| room.checked_sub(wanted + GAP.len())) {
                write!(out, "{GAP}{}", style.paint(*tone, &said))?;
                room = Some(left);
                continue;
            }
            if room.is_some() {
                writeln!(out)?;
            }
            let lines = text::wrap(&said, most);
            for (number, line) in lines.iter().enumerate() {
                let end = if number + 1 < lines.len() { "\n" } else { "" };
                write!(out, "{indent}{FOLD}{}{end}", style.paint(*tone, line))?;
            }
            room = Some(most.saturating_sub(lines.last().map_or(0, |line| text::width(line))));
        }
        if room.is_some() { writeln!(out) } else { Ok(()) }
    }
}

/// How wide columns are together, with what stands between them.
fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
}

/// Writes what something is called with what is to know of it, on one line or, where that does not fit, below each other.
///
/// # Errors
///
/// Whatever `out` says.
pub(crate) fn heading(name: &str, facts: &str, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let length = text::width(name) + 2 + text::width(facts);
    if style.width.is_none_or(|width| length <= width) {
        return writeln!(out, "{}  {facts}", style.paint(Tone::Strong, name));
    }
    paragraph(name, ("", ""), Tone::Strong, style, out)?;
    paragraph(facts, ("  ", "  "), Tone::Plain, style, out)
}

/// Writes a sentence, the lines after its first set in by `hanging`.
///
/// # Errors
///
/// Whatever `out` says.
pub(crate) fn paragraph(
    sentence: &str,
    (first, hanging): (&str, &str),
    tone: Tone,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let set_in = text::width(first).max(text::width(hanging));
    let lines = match style.width {
        Some(width) => text::wrap(sentence, width.saturating_sub(set_in)),
        None => vec![sentence.to_owned()],
    };
    for (number, line) in lines.iter().enumerate() {
        let indent = if number == 0 { first } else { hanging };
        writeln!(out, "{indent}{}", style.paint(tone, line))?;
    }
    Ok(())
}
