//! The legend, which also switches markers on and off without a script. Knows the meaning of markers.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use crate::report::event_category::EventCategory;
use crate::report::event_category::MarkerRow;
use crate::report::history::History;
use perennial_formats::dates;

/// What each bar means.
const BARS: [(&str, &str); 5] = [
    ("active", "active: paid for"),
    ("grace", "grace: expired, still serving"),
    ("retention", "retention: stopped, data kept"),
    ("usage", "pay-per-use"),
    ("package", "package, filled with what is left"),
];

/// What each end of a life means.
const CAPS: [(&str, &str); 3] = [("R", "released"), ("U", "unsubscribed"), ("P", "converted")];

/// Writes the legend of what this history shows.
pub(super) fn write(history: &History, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<details class=\"legend\" id=\"legend\" open>\n<summary>Legend and switches</summary>\n<ul class=\"keys\">"
    )?;
    for (class, label) in BARS {
        let classes = if class == "package" { "active package" } else { class };
        let (y, height) = if class == "usage" { ("4.5", "3") } else { ("1", "10") };
        let level = if class == "package" {
            "<rect class=\"level\" x=\"0\" y=\"5\" width=\"28\" height=\"6\"/>"
        } else {
            ""
        };
        writeln!(
            out,
            "<li><svg width=\"28\" height=\"12\" aria-hidden=\"true\"><rect class=\"bar {classes}\" y=\"{y}\" width=\"28\" height=\"{height}\"/>{level}</svg>{label}</li>"
        )?;
    }
    for (letter, label) in CAPS {
        writeln!(
            out,
            "<li><svg class=\"cap\" width=\"12\" height=\"14\" aria-hidden=\"true\"><rect width=\"12\" height=\"14\"/><text x=\"6\" y=\"10.6\">{letter}</text></svg>{label}</li>"
        )?;
    }
    if !history.outages.is_empty() {
        writeln!(
            out,
            "<li><svg width=\"16\" height=\"14\" aria-hidden=\"true\"><rect class=\"outage\" width=\"16\" height=\"14\"/></svg>host down</li>"
        )?;
    }
    writeln!(
        out,
        "<li><svg width=\"8\" height=\"12\" aria-hidden=\"true\"><rect class=\"bar active\" y=\"1\" width=\"8\" height=\"10\"/><line class=\"period\" x1=\"4\" x2=\"4\" y1=\"1\" y2=\"11\"/></svg>paid period begins</li>\n</ul>"
    )?;
    writeln!(out, "<ul class=\"switches\">")?;
    for (category, count) in counts(history) {
        let slug = category.slug();
        writeln!(
            out,
            "<li><label><input type=\"checkbox\" id=\"show-{slug}\" checked>\
             <svg width=\"14\" height=\"14\" aria-hidden=\"true\"><g class=\"mark {slug}\"><use href=\"#{slug}\" x=\"7\" y=\"7\"/></g></svg>\
             {} <span class=\"tally\">{}</span></label></li>",
            category.plural(),
            dates::whole(count)
        )?;
    }
    writeln!(out, "</ul>\n</details>")
}

/// The topics with marks that happened, and how often.
fn counts(history: &History) -> BTreeMap<EventCategory, usize> {
    let mut counts = BTreeMap::new();
    for account in &history.accounts {
        for (category, count) in
            account.counts.iter().filter(|(category, _)| category.marker_row() != MarkerRow::Elsewhere)
        {
            *counts.entry(*category).or_insert(0) += count;
        }
    }
    counts
}

/// Writes the rules by which a switch that is off hides its marks.
pub(super) fn switches(out: &mut impl Write) -> io::Result<()> {
    for category in EventCategory::ALL.iter().filter(|category| category.marker_row() != MarkerRow::Elsewhere)
    {
        let slug = category.slug();
        writeln!(out, "body:has(#show-{slug}:not(:checked)) main .mark.{slug}{{display:none}}")?;
    }
    Ok(())
}
