//! The legend, which also switches markers on and off without a script. Knows the meaning of markers.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use crate::event_category::EventCategory;
use crate::event_category::MarkerRow;
use crate::history::History;
use crate::html::canvas::Canvas;
use crate::html::page_texts as p;
use crate::html::texts;
use perennial_formats::dates;

/// The picture of when the host was down.
pub(super) const OUTAGE: &str = "<svg width=\"16\" height=\"14\" aria-hidden=\"true\"><rect class=\"outage\" width=\"16\" height=\"14\"/></svg>";
/// The picture of where a paid period begins.
pub(super) const PERIOD: &str = "<svg width=\"8\" height=\"12\" aria-hidden=\"true\"><rect class=\"bar active\" y=\"1\" width=\"8\" height=\"10\"/><line class=\"period\" x1=\"4\" x2=\"4\" y1=\"1\" y2=\"11\"/></svg>";

/// The picture of until when something is paid.
pub(super) const EXPIRY: &str = "<svg width=\"8\" height=\"14\" aria-hidden=\"true\"><line class=\"expiry\" x1=\"4\" x2=\"4\" y1=\"0\" y2=\"14\"/></svg>";

/// The picture of a bar; `class` is one of those of [`texts::BARS`].
pub(super) fn bar(class: &str) -> String {
    let classes = if class == "package" { "active package" } else { class };
    let (y, height) = if class == "usage" { ("4.5", "3") } else { ("1", "10") };
    let level = match class {
        "package" => "<rect class=\"level\" x=\"0\" y=\"5\" width=\"28\" height=\"6\"/>",
        _ => "",
    };
    format!(
        "<svg width=\"28\" height=\"12\" aria-hidden=\"true\"><rect class=\"bar {classes}\" y=\"{y}\" width=\"28\" height=\"{height}\"/>{level}</svg>"
    )
}

/// The picture of the end of a life.
pub(super) fn cap(letter: &str) -> String {
    format!(
        "<svg class=\"cap\" width=\"12\" height=\"14\" aria-hidden=\"true\"><rect width=\"12\" height=\"14\"/><text x=\"6\" y=\"10.6\">{letter}</text></svg>"
    )
}

/// The picture of a mark; `when` is a further class, with a blank before it.
pub(super) fn mark(slug: &str, when: &str) -> String {
    format!(
        "<svg width=\"14\" height=\"14\" aria-hidden=\"true\"><g class=\"mark {slug}{when}\"><use href=\"#{slug}\" x=\"7\" y=\"7\"/></g></svg>"
    )
}

/// Writes the legend of what this history shows.
pub(super) fn write(history: &History, canvas: Canvas<'_>, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<details class=\"legend\" id=\"legend\" open>\n<summary>{}</summary>\n<ul class=\"keys\">",
        canvas.say(p::LEGEND)
    )?;
    for (class, label) in texts::BARS {
        writeln!(out, "<li>{}{}</li>", bar(class), canvas.say(label))?;
    }
    for (letter, _, label) in texts::CAPS {
        writeln!(out, "<li>{}{}</li>", cap(letter), canvas.say(label))?;
    }
    if !history.outages.is_empty() {
        writeln!(out, "<li>{OUTAGE}{}</li>", canvas.say(texts::HOST_DOWN))?;
    }
    writeln!(out, "<li>{PERIOD}{}</li>\n</ul>", canvas.say(texts::PAID_PERIOD))?;
    writeln!(out, "<ul class=\"switches\">")?;
    for (category, count) in counts(history) {
        let slug = category.slug();
        writeln!(
            out,
            "<li><label><input type=\"checkbox\" id=\"show-{slug}\" checked>\
             {}{} <span class=\"tally\">{}</span></label></li>",
            mark(slug, ""),
            category.plural_in(canvas.language),
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
