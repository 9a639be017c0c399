//! The bar of tools: filters, folding and zoom. They need the page's script, and are hidden without it.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use crate::report::event_category::EventCategory;
use crate::report::history::History;
use crate::report::html::tracks;
use crate::report::resource_track::ResourceTrack;
use crate::report::severity::severity;
use perennial_formats::dates;

/// Writes the bar. The filters offer what the drawn resources have, with how many have it.
pub(super) fn write(history: &History, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<form class=\"tools\" role=\"search\" aria-label=\"Filters, folding and zoom\">\n\
         <input id=\"filter\" type=\"search\" placeholder=\"Filter by id, kind, account\" \
         aria-label=\"Filter resources by id, kind or account\">"
    )?;
    let mut stages: BTreeMap<&str, usize> = BTreeMap::new();
    let mut outcomes: BTreeMap<EventCategory, usize> = BTreeMap::new();
    let mut troubled = 0;
    for track in drawn(history) {
        *stages.entry(tracks::final_state(track)).or_default() += 1;
        troubled += usize::from(track.severity > 0);
        for category in &track.categories {
            *outcomes.entry(*category).or_default() += 1;
        }
    }
    let stages = stages.into_iter().map(|(stage, count)| (stage, stage, count));
    select("stage", "any stage at the end", stages, out)?;
    let mut outcomes = outcomes.into_iter().collect::<Vec<_>>();
    outcomes.sort_by_key(|(category, _)| std::cmp::Reverse(severity(*category)));
    let outcomes = outcomes.into_iter().map(|(category, count)| (category.slug(), category.noun(), count));
    select("outcome", "any outcome", outcomes, out)?;
    writeln!(
        out,
        "<label class=\"only\"><input type=\"checkbox\" id=\"trouble\"> only trouble <span class=\"tally\">{}</span></label>\n\
         <button type=\"button\" id=\"fold\" aria-pressed=\"false\">fold all</button>\n\
         <output id=\"found\"></output>\n\
         <span class=\"zoom\" role=\"group\" aria-label=\"Zoom\">\
         <input type=\"date\" id=\"since\" aria-label=\"From this day on\"><span>to</span>\
         <input type=\"date\" id=\"until\" aria-label=\"Up to this day\">\
         <button type=\"button\" id=\"narrower\" aria-label=\"Zoom out\">&#8722;</button>\
         <button type=\"button\" id=\"wider\" aria-label=\"Zoom in\">+</button>\
         <button type=\"button\" id=\"whole\">all</button></span>\n</form>",
        dates::whole(troubled)
    )
}

fn drawn(history: &History) -> impl Iterator<Item = &ResourceTrack> {
    let tracks = history.accounts.iter().flat_map(|account| &account.tracks);
    tracks.filter(|track| track.details.is_some())
}

fn select<'a>(
    id: &str,
    any: &str,
    options: impl Iterator<Item = (&'a str, &'a str, usize)>,
    out: &mut impl Write,
) -> io::Result<()> {
    write!(out, "<select id=\"{id}\" aria-label=\"{any}\"><option value=\"\">{any}</option>")?;
    for (value, label, count) in options {
        write!(out, "<option value=\"{value}\">{label} ({})</option>", dates::whole(count))?;
    }
    writeln!(out, "</select>")
}
