//! The bar of tools: filters, folding and zoom. They need the page's script, and are hidden without it.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use crate::event_category::EventCategory;
use crate::history::History;
use crate::html::canvas::Canvas;
use crate::html::page_texts as p;
use crate::html::texts;
use crate::html::tracks;
use crate::resource_track::ResourceTrack;
use crate::severity::severity;
use perennial_formats::dates;

/// Writes the bar. The filters offer what the drawn resources have, with how many have it. What the script says is with it.
pub(super) fn write(history: &History, canvas: Canvas<'_>, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<form class=\"tools\" role=\"search\" aria-label=\"{}\" data-fold=\"{}\" data-unfold=\"{}\" data-found=\"{}\" \
         data-more=\"{}\">\n<input id=\"filter\" type=\"search\" placeholder=\"{}\" aria-label=\"{}\">",
        canvas.say(p::TOOLS),
        canvas.say(p::FOLD),
        canvas.say(p::UNFOLD),
        canvas.say(p::FOUND),
        canvas.say(texts::AND_MORE),
        canvas.say(p::FILTER),
        canvas.say(p::FILTER_LABEL)
    )?;
    let mut stages: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    let mut outcomes: BTreeMap<EventCategory, usize> = BTreeMap::new();
    let mut troubled = 0;
    for track in drawn(history) {
        let state = texts::state(track, canvas.language);
        stages.entry(tracks::final_state(track)).or_insert((state, 0)).1 += 1;
        troubled += usize::from(track.severity > 0);
        for category in &track.categories {
            *outcomes.entry(*category).or_default() += 1;
        }
    }
    let stages = stages.into_iter().map(|(stage, (state, count))| (stage, state, count));
    select("stage", canvas.say(p::ANY_STAGE), stages, out)?;
    let mut outcomes = outcomes.into_iter().collect::<Vec<_>>();
    outcomes.sort_by_key(|(category, _)| std::cmp::Reverse(severity(*category)));
    let noun = |category: EventCategory| category.noun_in(canvas.language);
    let outcomes = outcomes.into_iter().map(|(category, count)| (category.slug(), noun(category), count));
    select("outcome", canvas.say(p::ANY_OUTCOME), outcomes, out)?;
    writeln!(
        out,
        "<label class=\"only\"><input type=\"checkbox\" id=\"trouble\"> {} <span class=\"tally\">{}</span></label>\n\
         <button type=\"button\" id=\"fold\" aria-pressed=\"false\">{}</button>\n\
         <output id=\"found\"></output>",
        canvas.say(p::ONLY_TROUBLE),
        dates::whole(troubled),
        canvas.say(p::FOLD)
    )?;
    zoom(canvas, out)
}

fn zoom(canvas: Canvas<'_>, out: &mut impl Write) -> io::Result<()> {
    let [zoom, from, to, until, farther, nearer, whole] =
        [p::ZOOM, p::FROM_DAY, p::TO, p::UNTIL_DAY, p::ZOOM_OUT, p::ZOOM_IN, p::WHOLE]
            .map(|text| canvas.say(text));
    writeln!(
        out,
        "<span class=\"zoom\" role=\"group\" aria-label=\"{zoom}\">\
         <input type=\"date\" id=\"since\" aria-label=\"{from}\"><span>{to}</span>\
         <input type=\"date\" id=\"until\" aria-label=\"{until}\">\
         <button type=\"button\" id=\"narrower\" aria-label=\"{farther}\">&#8722;</button>\
         <button type=\"button\" id=\"wider\" aria-label=\"{nearer}\">+</button>\
         <button type=\"button\" id=\"whole\">{whole}</button></span>\n</form>"
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
