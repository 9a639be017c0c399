//! Marks in a row: a shape for each category of events, and one for several that are too close to tell apart.

use std::io;
use std::io::Write;

use crate::event_category::EventCategory;
use crate::event_category::MarkerRow;
use crate::html::canvas::Canvas;
use crate::html::clusters;
use crate::html::clusters::Cluster;
use crate::html::escape::EscapedText;
use crate::html::scale::Percent;
use crate::html::stages::BAR;
use crate::resource_track::Mark;

/// Which marks are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tense {
    /// What happened: filled shapes.
    Past,
    /// What will happen: hollow ones, of which a renewal is a ring.
    Ahead,
}

/// The shape of a try that lies ahead.
pub(super) const TRY: &str = "try";

/// Writes marks into a row.
pub(super) fn write<'a>(
    marks: impl Iterator<Item = &'a Mark>,
    tense: Tense,
    canvas: Canvas<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    for cluster in clusters::clusters(marks, canvas.scale) {
        mark(&cluster, tense, canvas, out)?;
    }
    Ok(())
}

fn mark(cluster: &Cluster<'_>, tense: Tense, canvas: Canvas<'_>, out: &mut impl Write) -> io::Result<()> {
    let slug = match (tense, cluster.category) {
        (Tense::Ahead, EventCategory::Renewed) => TRY,
        (Tense::Past | Tense::Ahead, category) => category.slug(),
    };
    let y = match cluster.category.marker_row() {
        MarkerRow::Above => 5.5,
        MarkerRow::On | MarkerRow::Elsewhere => BAR.0 + BAR.1 / 2.0,
        MarkerRow::Below => 23.2,
    };
    let (x, words) = (cluster.x(canvas.scale), cluster.description(canvas));
    let count = cluster.marks.len();
    let when = if tense == Tense::Ahead { " ahead" } else { "" };
    write!(out, "<g class=\"mark {slug}{when}\"")?;
    if count > 1 {
        write!(
            out,
            " data-x=\"{}\" data-rest=\"{}\"",
            cluster.positions(canvas.scale),
            EscapedText(&cluster.rest(canvas))
        )?;
    }
    write!(out, "><title>{}</title>", EscapedText(&words))?;
    if count > 1 && cluster.category.marker_row() != MarkerRow::Below {
        let end = cluster.end(canvas.scale);
        write!(out, "<line class=\"span\" x1=\"{x}\" x2=\"{end}\" y1=\"{y}\" y2=\"{y}\"/>")?;
        write!(
            out,
            "<svg x=\"{end}\" y=\"{y}\" overflow=\"visible\"><text class=\"count\" x=\"{}\" y=\"3\">{count}</text></svg>",
            offset(end, x)
        )?;
    }
    writeln!(out, "<use href=\"#{slug}\" x=\"{x}\" y=\"{y}\"/></g>")
}

/// How far right of a cluster's end its count stands: clear of the mark when the cluster is narrow.
fn offset(end: Percent, x: Percent) -> &'static str {
    if end.0 - x.0 < 0.5 { "6.5" } else { "2.5" }
}
