//! The picture: one self-contained page with a track for each resource, for screens, paper and screen readers; and in
//! [`fragment`], parts of it for pages of others.
//!
//! Everything is drawn here, as SVG with positions in percent; the page's script only adds comfort. Start with
//! [`write()`]. Knows how a page is put together; not where it is kept.

mod balance;
mod canvas;
mod clusters;
mod escape;
pub mod fragment;
mod legend;
mod marks;
mod page_texts;
mod scale;
mod stages;
mod texts;
mod tools;
mod tracks;

use std::io;
use std::io::Write;

use crate::account::AccountHistory;
use crate::event_category::EventCategory;
use crate::history::History;
use crate::html::balance::Curve;
use crate::html::canvas::Canvas;
use crate::html::escape::EscapedText;
use crate::html::marks::Tense;
use crate::html::page_texts as p;
use crate::html::scale::Scale;
use crate::html::tracks::Row;
use crate::resource_track::ResourceTrack;
use crate::resource_track::TrackDetails;
use perennial_formats::dates;
use perennial_formats::time_zone::TimeZone;

/// The colours, light and dark.
const PALETTE: &str = include_str!("palette.css");
/// What is drawn, on every page.
const DRAWING: &str = include_str!("drawing.css");
/// What only the whole page has around it.
const STYLE: &str = include_str!("page.css");
/// Takes clusters of marks apart when they are looked at from nearer by.
const CLUSTERS: &str = include_str!("clusters.js");
const SCRIPT: &str = include_str!("page.js");
const MARKS: &str = include_str!("marks.svg");
/// The shapes of what lies ahead, which only parts of pages show.
const AHEAD: &str = include_str!("ahead.svg");

/// Up to so many accounts are open at first; of more, only those in trouble are.
const OPEN_MAX: usize = 12;

/// Writes the whole page. It needs no network and no script; the same history gives the same bytes.
///
/// # Errors
///
/// Whatever `out` says.
pub fn write(history: &History, out: &mut impl Write) -> io::Result<()> {
    let (zone, language) = (TimeZone::UTC, history.language);
    let ticks = dates::ticks(history.from, history.until, zone, language);
    let scale = Scale { from: history.from, until: history.until };
    let canvas = Canvas { scale, ticks: &ticks, outages: &history.outages, zone, language, now: None };
    let title = canvas.fill(p::SPAN, &[&canvas.long_day(history.from), &canvas.long_day(history.until)]);
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}, {title}</title>\n<style>\n{PALETTE}{DRAWING}{STYLE}",
        language.tag(),
        canvas.say(p::RENEWALS_TITLE)
    )?;
    legend::switches(out)?;
    writeln!(out, "</style>\n</head>\n<body>\n{MARKS}")?;
    heading(history, &title, canvas, out)?;
    tools::write(history, canvas, out)?;
    writeln!(
        out,
        "<main data-from=\"{}\" data-until=\"{}\">",
        history.from.as_second(),
        history.until.as_second()
    )?;
    axis(&title, canvas, out)?;
    for index in by_trouble(history) {
        let account = &history.accounts[index];
        let is_open = history.accounts.len() <= OPEN_MAX || account.severity() > 0;
        section(account, index, is_open, canvas, out)?;
    }
    let times = canvas.say(p::ALL_ARE_UTC);
    writeln!(out, "</main>\n<footer>{}{times}</footer>", omission_note(history, canvas))?;
    writeln!(out, "<div id=\"tip\" role=\"status\" aria-live=\"polite\" hidden></div>")?;
    writeln!(out, "<script>\n{CLUSTERS}{SCRIPT}</script>\n</body>\n</html>")
}

/// The places of the accounts, those in trouble first, the worst of them before the others.
fn by_trouble(history: &History) -> Vec<usize> {
    let mut order = (0..history.accounts.len()).collect::<Vec<_>>();
    let accounts = &history.accounts;
    order.sort_by_key(|index| std::cmp::Reverse((accounts[*index].severity(), accounts[*index].troubled())));
    order
}

fn heading(history: &History, title: &str, canvas: Canvas<'_>, out: &mut impl Write) -> io::Result<()> {
    let counted = |count, noun| p::counted(count, noun, canvas.language);
    let sum = |of: &dyn Fn(&AccountHistory) -> usize| history.accounts.iter().map(of).sum::<usize>();
    let facts = [
        counted(history.accounts.len(), p::ACCOUNT_COUNT),
        counted(sum(&|account| account.tracks.len()), p::RESOURCE_COUNT),
        counted(sum(&AccountHistory::renewals), p::RENEWAL_COUNT),
        counted(sum(&|account| account.count(EventCategory::Declined)), p::DECLINE_COUNT),
        counted(history.outages.len(), p::OUTAGE_COUNT),
    ];
    writeln!(
        out,
        "<header class=\"page\">\n<h1>{} <span>{title}</span></h1>",
        canvas.say(p::RENEWALS_TITLE)
    )?;
    writeln!(out, "<p class=\"facts\">{}</p>", facts.join(" &#183; "))?;
    legend::write(history, canvas, out)?;
    if history.omitted_resources() > 0 {
        writeln!(out, "<p class=\"limit\" role=\"note\">{}</p>", omission_note(history, canvas))?;
    }
    writeln!(out, "</header>")
}

fn omission_note(history: &History, canvas: Canvas<'_>) -> String {
    let resources = history.omitted_resources();
    if resources == 0 {
        return String::new();
    }
    let which = if history.shows_worst() { p::FARED_WORST } else { p::THAT_COME_FIRST };
    let resources = p::counted(resources, p::RESOURCE_COUNT, canvas.language);
    canvas.fill(p::NOT_DRAWN, &[&resources, &dates::whole(history.shown_resources()), canvas.say(which)])
}

/// The time axis, which stays at the top. A range of it is zoomed in to by drawing over it.
fn axis(title: &str, canvas: Canvas<'_>, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<div class=\"row axis\">\n<div class=\"label\"><span class=\"hint\" id=\"hint\">{}</span></div>",
        canvas.say(p::DRAW_TO_ZOOM)
    )?;
    writeln!(
        out,
        "<svg class=\"chart\" height=\"30\" role=\"img\" aria-label=\"{}\">",
        canvas.fill(texts::TIME_AXIS, &[title])
    )?;
    canvas.tick_labels(out)?;
    writeln!(
        out,
        "</svg>\n<div class=\"ending\"><span>{}</span><span class=\"paid\">{}</span></div>\n</div>",
        canvas.say(p::EXPIRES_COLUMN),
        canvas.say(p::PAID)
    )
}

fn section(
    account: &AccountHistory,
    index: usize,
    is_open: bool,
    canvas: Canvas<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    let open = if is_open { " open" } else { "" };
    writeln!(out, "<section class=\"account\" aria-labelledby=\"account-{index}\">\n<details{open}>")?;
    account_header(account, index, canvas, out)?;
    writeln!(out, "<div class=\"rows\">")?;
    canvas.grid(out)?;
    let AccountHistory { id, currency, opening, closing, changes, .. } = account;
    balance::write(
        Curve { account: id, currency, opening: *opening, closing: *closing, changes },
        canvas,
        out,
    )?;
    if !account.marks.is_empty() {
        writeln!(
            out,
            "<div class=\"row whole\">\n<div class=\"label\"><span class=\"name\">{}</span></div>\n\
             <svg class=\"chart\" height=\"26\" role=\"group\" aria-label=\"{}\">",
            canvas.say(p::ACCOUNT),
            canvas.say(texts::WHOLE_ACCOUNT)
        )?;
        canvas.outages(out)?;
        marks::write(account.marks.iter(), Tense::Past, canvas, out)?;
        writeln!(out, "</svg>\n<div class=\"ending\"></div>\n</div>")?;
    }
    let drawn =
        account.ordered_tracks().into_iter().filter_map(|track| Some((track, track.details.as_ref()?)));
    let drawn = drawn.collect::<Vec<(&ResourceTrack, &TrackDetails)>>();
    for bundle in drawn.chunk_by(|one, next| one.0.position.bundle == next.0.position.bundle) {
        writeln!(out, "<ul class=\"bundle\" role=\"list\" style=\"--lanes:{}\">", bundle.len())?;
        for (track, details) in bundle {
            let kind = account.kind_names.get(&track.kind).unwrap_or(&track.kind);
            let row = Row { track, details, account: &account.id, kind, link: None, ahead: &[] };
            tracks::write(row, canvas, out)?;
        }
        writeln!(out, "</ul>")?;
    }
    let missing = account.tracks.len() - drawn.len();
    if missing > 0 {
        let missing = p::counted(missing, p::RESOURCE_COUNT, canvas.language);
        writeln!(out, "<p class=\"limit\">{}</p>", canvas.fill(p::NOT_DRAWN_OF_ACCOUNT, &[&missing]))?;
    }
    writeln!(out, "</div>\n</details>\n</section>")
}

fn account_header(
    account: &AccountHistory,
    index: usize,
    canvas: Canvas<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(
        out,
        "<summary>\n<h2 id=\"account-{index}\">{}</h2>\n<span>{}</span>{}\n</summary>\n<dl>",
        EscapedText(&account.id),
        EscapedText(&canvas.fill(p::AMOUNTS_IN, &[&account.provider, &account.currency])),
        match account.troubled() {
            0 => String::new(),
            troubled => {
                let troubled = canvas.fill(p::IN_TROUBLE, &[&dates::whole(troubled)]);
                format!("<span class=\"troubled\">{troubled}</span>")
            }
        }
    )?;
    let figures = [
        (p::OPENING, dates::amount(account.opening)),
        (p::TOPPED_UP, dates::amount(account.topped_up)),
        (p::PAID, dates::amount(account.paid)),
        (p::REFUNDED, dates::amount(account.refunded)),
        (p::CLOSING, dates::amount(account.closing)),
        (p::RESOURCES, dates::whole(account.tracks.len())),
        (p::RENEWALS, dates::whole(account.renewals())),
        (p::DECLINES, dates::whole(account.count(EventCategory::Declined))),
    ];
    for (name, figure) in figures {
        writeln!(out, "<div><dt>{}</dt><dd>{figure}</dd></div>", canvas.say(name))?;
    }
    writeln!(out, "</dl>")
}
