//! Tracks: one row for each resource, with its stages as bars and its events as marks, and with what lies ahead of it.
//!
//! Knows where everything in a row goes; colours and patterns are the style sheet's.

use std::io;
use std::io::Write;

use perennial_domain::bundle::Stage;
use perennial_domain::micros::Micros;
use perennial_formats::dates;
use perennial_formats::occurrence::Upcoming;
use perennial_formats::occurrence::UpcomingAction;

use crate::event_category::EventCategory;
use crate::html::canvas::Canvas;
use crate::html::escape::EscapedText;
use crate::html::marks;
use crate::html::marks::Tense;
use crate::html::stages;
use crate::html::stages::BAR;
use crate::html::stages::Entry;
use crate::html::texts;
use crate::resource_track::Mark;
use crate::resource_track::ResourceTrack;
use crate::resource_track::TrackDetails;

/// What a row is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) track: &'a ResourceTrack,
    pub(super) details: &'a TrackDetails,
    /// The id of its account.
    pub(super) account: &'a str,
    /// What its kind is called, for people.
    pub(super) kind: &'a str,
    /// The address of its page, and whether it is drawn there; `None` where it has no page.
    pub(super) link: Option<(&'a str, bool)>,
    /// What lies ahead of it, in the order of time.
    pub(super) ahead: &'a [Upcoming],
}

/// Writes one resource's row.
pub(super) fn write(row: Row<'_>, canvas: Canvas<'_>, out: &mut impl Write) -> io::Result<()> {
    let Row { track, details, account, kind, .. } = row;
    let looked_for = format!("{} {} {} {}", track.id, track.kind, kind, account).to_lowercase();
    writeln!(
        out,
        "<li class=\"row lane\" data-find=\"{}\" data-stage=\"{}\" data-met=\"{}\"{} aria-label=\"{}\">",
        EscapedText(&looked_for),
        final_state(track),
        track.categories.iter().map(|category| category.slug()).collect::<Vec<_>>().join(" "),
        if track.severity > 0 { " data-trouble" } else { "" },
        EscapedText(&accessible_label(track, kind, canvas))
    )?;
    label(row, out)?;
    writeln!(
        out,
        "<svg class=\"chart\" height=\"26\" role=\"group\" aria-label=\"{}\">",
        EscapedText(&track.id)
    )?;
    let entries = entries(row, canvas);
    stages::bars(track, details, &entries, canvas, out)?;
    stages::levels(details, canvas, out)?;
    for starts_at in details.periods.iter().filter(|starts_at| canvas.scale.shows(**starts_at)) {
        let x = canvas.scale.x(*starts_at);
        writeln!(
            out,
            "<line class=\"period\" x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{}\"/>",
            BAR.0,
            BAR.0 + BAR.1
        )?;
    }
    canvas.outages(out)?;
    canvas.now_line(26.0, out)?;
    expiry(track, canvas, out)?;
    stages::caps(details, &entries, canvas, out)?;
    let ended_at = details.stages.iter().find(|(_, stage)| stage.is_final()).map(|(at, _)| *at);
    let shown = details.marks.iter().filter(|mark| !ended_at.is_some_and(|at| stages::is_end(mark, at)));
    marks::write(shown, Tense::Past, canvas, out)?;
    let ahead = marks_ahead(row, canvas);
    marks::write(ahead.iter(), Tense::Ahead, canvas, out)?;
    writeln!(out, "</svg>")?;
    writeln!(out, "<div class=\"ending\">{}</div>\n</li>", outcome_label(track, canvas))
}

fn label(row: Row<'_>, out: &mut impl Write) -> io::Result<()> {
    let Row { track, kind, .. } = row;
    write!(out, "<div class=\"label\">")?;
    for (depth, is_last) in track.branches.iter().enumerate() {
        let class = match (depth + 1 == track.branches.len(), is_last) {
            (true, true) => "elbow",
            (true, false) => "tee",
            (false, true) => "gap",
            (false, false) => "trunk",
        };
        write!(out, "<i class=\"{class}\"></i>")?;
    }
    let id = EscapedText(&track.id);
    match row.link {
        Some((address, is_here)) => {
            let current = if is_here { " aria-current=\"page\"" } else { "" };
            let address = EscapedText(address);
            write!(out, "<a class=\"id\" href=\"{address}\" title=\"{id}\"{current}>{id}</a>")?;
        }
        None => write!(out, "<span class=\"id\" title=\"{id}\">{id}</span>")?,
    }
    writeln!(
        out,
        "<span class=\"kind\" title=\"{} {}\">{}</span></div>",
        EscapedText(kind),
        EscapedText(&track.region),
        EscapedText(&track.kind)
    )
}

/// Where a resource is at the end, in a word.
pub(super) fn final_state(track: &ResourceTrack) -> &'static str {
    if track.is_pay_per_use() { "pay-per-use" } else { track.stage.name() }
}

/// What a screen reader says of a lane.
fn accessible_label(track: &ResourceTrack, kind: &str, canvas: Canvas<'_>) -> String {
    let state = texts::state(track, canvas.language);
    let state = match track.expires_at {
        Some(expires_at) if !track.is_pay_per_use() && !track.stage.is_final() => {
            canvas.fill(texts::STAGE_EXPIRES, &[state, &canvas.long_day(expires_at)])
        }
        Some(_) | None => state.to_owned(),
    };
    let renewals = texts::counted(track.renewals, EventCategory::Renewed, canvas.language);
    let declines = texts::counted(track.declines, EventCategory::Declined, canvas.language);
    let text = if canvas.now.is_some() { texts::LANE_NOW } else { texts::LANE_AT_THE_END };
    canvas.fill(text, &[&track.id, kind, &state, &renewals, &declines])
}

fn outcome_label(track: &ResourceTrack, canvas: Canvas<'_>) -> String {
    let state = texts::state(track, canvas.language);
    if canvas.now.is_some() {
        let class = if matches!(track.stage, Stage::Grace | Stage::Retention) { "late" } else { "state" };
        let expires_at = track.expires_at.filter(|_| !track.is_pay_per_use() && !track.stage.is_final());
        let day = expires_at.map(|at| canvas.day(at)).unwrap_or_default();
        return format!("<span class=\"{class}\">{state}</span><span class=\"paid\">{day}</span>");
    }
    let state = match (track.is_pay_per_use(), track.stage, track.expires_at) {
        (true, _, _) => format!("<b class=\"quiet\">{state}</b>"),
        (false, Stage::Released | Stage::Unsubscribed | Stage::Converted, _) => {
            format!("<b class=\"over\">{state}</b>")
        }
        (false, Stage::Grace | Stage::Retention, _) => format!("<b class=\"late\">{state}</b>"),
        (false, Stage::Active, Some(expires_at)) => format!("<span>{}</span>", canvas.day(expires_at)),
        (false, Stage::Active, None) => "<span></span>".to_owned(),
    };
    let paid = if track.paid == Micros::ZERO { "&#8211;".to_owned() } else { dates::amount(track.paid) };
    format!("{state}<span class=\"paid\">{paid}</span>")
}

/// The stage that is entered, if one is.
pub(super) const fn entered(action: UpcomingAction) -> Option<Stage> {
    match action {
        UpcomingAction::Enter(stage) => Some(stage),
        UpcomingAction::Convert => Some(Stage::Converted),
        UpcomingAction::TryRenewal
        | UpcomingAction::SetAttribute
        | UpcomingAction::Refill
        | UpcomingAction::Notice => None,
    }
}

/// The stages that a resource will enter, none of them before the present instant.
fn entries(row: Row<'_>, canvas: Canvas<'_>) -> Vec<Entry> {
    let entries = row
        .ahead
        .iter()
        .filter_map(|upcoming| Some((upcoming.at.max(canvas.known_until()), entered(upcoming.action)?)));
    entries.collect()
}

/// The category of the mark of what lies ahead; a try of a renewal is of that of renewals. `None` for the end of a stage, which
/// its bar shows.
pub(super) const fn category(action: UpcomingAction) -> Option<EventCategory> {
    match action {
        UpcomingAction::TryRenewal => Some(EventCategory::Renewed),
        UpcomingAction::SetAttribute => Some(EventCategory::Setting),
        UpcomingAction::Refill => Some(EventCategory::Refilled),
        UpcomingAction::Notice => Some(EventCategory::Notice),
        UpcomingAction::Enter(_) | UpcomingAction::Convert => None,
    }
}

/// What else lies ahead of it, as marks.
fn marks_ahead(row: Row<'_>, canvas: Canvas<'_>) -> Vec<Mark> {
    let marks = row.ahead.iter().filter_map(|upcoming| {
        let category = category(upcoming.action)?;
        Some(Mark { at: upcoming.at.max(canvas.known_until()), category, text: upcoming.text.clone() })
    });
    marks.collect()
}

/// Where the paid periods end, of what is drawn as it is now.
fn expiry(track: &ResourceTrack, canvas: Canvas<'_>, out: &mut impl Write) -> io::Result<()> {
    let expires_at = track.expires_at.filter(|_| canvas.now.is_some() && !track.is_pay_per_use());
    let Some(expires_at) = expires_at.filter(|at| canvas.scale.shows(*at) && !track.stage.is_final()) else {
        return Ok(());
    };
    let x = canvas.scale.x(expires_at);
    writeln!(
        out,
        "<line class=\"expiry\" x1=\"{x}\" x2=\"{x}\" y1=\"5\" y2=\"25\"><title>{}</title></line>",
        EscapedText(&canvas.fill(texts::EXPIRES, &[&canvas.minute(expires_at)]))
    )
}
