//! The picture: one self-contained page with a track for each resource, for screens, paper and screen readers.
//!
//! Everything is drawn here, as SVG with positions in percent; the page's script only adds comfort. Start with
//! [`write()`]. Knows how a page is put together; not where it is kept.

mod balance;
mod clusters;
mod escape;
mod legend;
mod scale;
mod tools;
mod tracks;

use std::collections::BTreeSet;
use std::io;
use std::io::Write;

use perennial_domain::timestamp::Timestamp;

use crate::report::account::AccountHistory;
use crate::report::event_category::EventCategory;
use crate::report::history::History;
use crate::report::html::escape::EscapedText;
use crate::report::html::scale::Scale;
use crate::report::resource_track::ResourceTrack;
use crate::report::resource_track::TrackDetails;
use perennial_formats::dates;
use perennial_formats::dates::Tick;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const MARKS: &str = include_str!("marks.svg");

/// Up to so many accounts are open at first; of more, only those in trouble are.
const OPEN_MAX: usize = 12;

/// What every row shares.
#[derive(Clone, Copy, Debug)]
struct Page<'a> {
    scale: Scale,
    ticks: &'a [Tick],
    outages: &'a BTreeSet<(Timestamp, Timestamp)>,
}

/// Writes the whole page. It needs no network and no script; the same history gives the same bytes.
///
/// # Errors
///
/// Whatever `out` says.
pub fn write(history: &History, out: &mut impl Write) -> io::Result<()> {
    let title = title(history);
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Renewals, {title}</title>\n<style>\n{STYLE}"
    )?;
    legend::switches(out)?;
    writeln!(out, "</style>\n</head>\n<body>\n{MARKS}")?;
    heading(history, &title, out)?;
    let ticks = dates::ticks(history.from, history.until);
    let scale = Scale { from: history.from, until: history.until };
    let page = Page { scale, ticks: &ticks, outages: &history.outages };
    tools::write(history, out)?;
    writeln!(
        out,
        "<main data-from=\"{}\" data-until=\"{}\">",
        history.from.as_second(),
        history.until.as_second()
    )?;
    axis(&title, page, out)?;
    for index in by_trouble(history) {
        let account = &history.accounts[index];
        let is_open = history.accounts.len() <= OPEN_MAX || account.severity() > 0;
        section(account, index, is_open, page, out)?;
    }
    writeln!(out, "</main>\n<footer>{}All times are UTC.</footer>", omission_note(history))?;
    writeln!(out, "<div id=\"tip\" role=\"status\" aria-live=\"polite\" hidden></div>")?;
    writeln!(out, "<script>\n{SCRIPT}</script>\n</body>\n</html>")
}

/// The places of the accounts, those in trouble first, the worst of them before the others.
fn by_trouble(history: &History) -> Vec<usize> {
    let mut order = (0..history.accounts.len()).collect::<Vec<_>>();
    let accounts = &history.accounts;
    order.sort_by_key(|index| std::cmp::Reverse((accounts[*index].severity(), accounts[*index].troubled())));
    order
}

fn title(history: &History) -> String {
    format!("{} to {}", dates::long_day(history.from), dates::long_day(history.until))
}

fn heading(history: &History, title: &str, out: &mut impl Write) -> io::Result<()> {
    let sum = |of: &dyn Fn(&AccountHistory) -> usize| history.accounts.iter().map(of).sum::<usize>();
    let facts = [
        dates::counted(history.accounts.len(), "account"),
        dates::counted(sum(&|account| account.tracks.len()), "resource"),
        dates::counted(sum(&AccountHistory::renewals), "renewal"),
        dates::counted(sum(&|account| account.count(EventCategory::Declined)), "decline"),
        dates::counted(history.outages.len(), "host outage"),
    ];
    writeln!(out, "<header class=\"page\">\n<h1>Renewals <span>{title}</span></h1>")?;
    writeln!(out, "<p class=\"facts\">{}</p>", facts.join(" &#183; "))?;
    legend::write(history, out)?;
    if history.omitted_resources() > 0 {
        writeln!(out, "<p class=\"limit\" role=\"note\">{}</p>", omission_note(history))?;
    }
    writeln!(out, "</header>")
}

fn omission_note(history: &History) -> String {
    let resources = history.omitted_resources();
    if resources == 0 {
        return String::new();
    }
    let which = if history.shows_worst() { "that fared worst" } else { "that come first" };
    format!(
        "{} not drawn: the page shows the {} {which}, in whole bundles, so that a browser can open it. \
         Balances and totals count all of them. ",
        dates::counted(resources, "resource"),
        dates::whole(history.shown_resources())
    )
}

/// The time axis, which stays at the top. A range of it is zoomed in to by drawing over it.
fn axis(title: &str, page: Page<'_>, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<div class=\"row axis\">\n<div class=\"label\"><span class=\"hint\" id=\"hint\">draw here to zoom, or Ctrl and wheel</span></div>"
    )?;
    writeln!(out, "<svg class=\"chart\" height=\"30\" role=\"img\" aria-label=\"Time axis, {title}\">")?;
    for tick in page.ticks {
        let x = page.scale.x(tick.at);
        let class = if tick.is_major { "tick major" } else { "tick" };
        writeln!(
            out,
            "<line class=\"{class}\" x1=\"{x}\" x2=\"{x}\" y1=\"14\" y2=\"30\"/>\
             <svg x=\"{x}\" overflow=\"visible\"><text class=\"{class}\" x=\"4\" y=\"24\">{}</text></svg>",
            tick.label
        )?;
        if let Some(year) = tick.year {
            writeln!(
                out,
                "<svg x=\"{x}\" overflow=\"visible\"><text class=\"year\" x=\"4\" y=\"11\">{year}</text></svg>"
            )?;
        }
    }
    writeln!(
        out,
        "</svg>\n<div class=\"ending\"><span>expires</span><span class=\"paid\">paid</span></div>\n</div>"
    )
}

fn section(
    account: &AccountHistory,
    index: usize,
    is_open: bool,
    page: Page<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    let open = if is_open { " open" } else { "" };
    writeln!(out, "<section class=\"account\" aria-labelledby=\"account-{index}\">\n<details{open}>")?;
    account_header(account, index, out)?;
    writeln!(out, "<div class=\"rows\">")?;
    grid(page, out)?;
    balance::write(account, page, out)?;
    if !account.marks.is_empty() {
        writeln!(
            out,
            "<div class=\"row whole\">\n<div class=\"label\"><span class=\"name\">Account</span></div>\n\
             <svg class=\"chart\" height=\"26\" role=\"group\" aria-label=\"what happened to the account as a whole\">"
        )?;
        tracks::outages(page, out)?;
        tracks::marks(account.marks.iter(), page.scale, out)?;
        writeln!(out, "</svg>\n<div class=\"ending\"></div>\n</div>")?;
    }
    let drawn =
        account.ordered_tracks().into_iter().filter_map(|track| Some((track, track.details.as_ref()?)));
    let drawn = drawn.collect::<Vec<(&ResourceTrack, &TrackDetails)>>();
    for bundle in drawn.chunk_by(|one, next| one.0.position.bundle == next.0.position.bundle) {
        writeln!(out, "<ul class=\"bundle\" role=\"list\" style=\"--lanes:{}\">", bundle.len())?;
        for (track, story) in bundle {
            tracks::write(track, story, account, page, out)?;
        }
        writeln!(out, "</ul>")?;
    }
    let missing = account.tracks.len() - drawn.len();
    if missing > 0 {
        let missing = dates::counted(missing, "resource");
        writeln!(out, "<p class=\"limit\">{missing} of this account not drawn</p>")?;
    }
    writeln!(out, "</div>\n</details>\n</section>")
}

fn account_header(account: &AccountHistory, index: usize, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<summary>\n<h2 id=\"account-{index}\">{}</h2>\n<span>{}, amounts in {}</span>{}\n</summary>\n<dl>",
        EscapedText(&account.id),
        EscapedText(&account.provider),
        EscapedText(&account.currency),
        match account.troubled() {
            0 => String::new(),
            troubled => format!("<span class=\"troubled\">{} in trouble</span>", dates::whole(troubled)),
        }
    )?;
    let figures = [
        ("opening", dates::amount(account.opening)),
        ("topped up", dates::amount(account.topped_up)),
        ("paid", dates::amount(account.paid)),
        ("refunded", dates::amount(account.refunded)),
        ("closing", dates::amount(account.closing)),
        ("resources", dates::whole(account.tracks.len())),
        ("renewals", dates::whole(account.renewals())),
        ("declines", dates::whole(account.count(EventCategory::Declined))),
    ];
    for (name, figure) in figures {
        writeln!(out, "<div><dt>{name}</dt><dd>{figure}</dd></div>")?;
    }
    writeln!(out, "</dl>")
}

/// Behind the rows: lines where months begin, and bands where the host was down, which the lanes repeat over their bars.
fn grid(page: Page<'_>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "<svg class=\"grid\" aria-hidden=\"true\">")?;
    for (down_since, at) in page.outages {
        let Some((left, width)) = page.scale.stretch(*down_since, *at) else { continue };
        writeln!(
            out,
            "<rect class=\"outage-ground\" x=\"{left}\" y=\"0\" width=\"{width}\" height=\"100%\"/>"
        )?;
    }
    for tick in page.ticks {
        let x = page.scale.x(tick.at);
        let class = if tick.is_major { "month major" } else { "month" };
        writeln!(out, "<line class=\"{class}\" x1=\"{x}\" x2=\"{x}\" y1=\"0\" y2=\"100%\"/>")?;
    }
    writeln!(out, "</svg>")
}
