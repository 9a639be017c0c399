//! Parts of a page of somebody else's: the lanes of a bundle as it is now, and the balance of an account.
//!
//! A part has no style and no script in it: a page that shows one has [`style()`] in its style sheet, and the part below an
//! element of the class `picture`.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::Resource;
use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::dates;
use perennial_formats::event_text::Wording;
use perennial_formats::language::Language;
use perennial_formats::language::Text;
use perennial_formats::occurrence::Upcoming;
use perennial_formats::time_zone::TimeZone;

use crate::account::BalanceChange;
use crate::event_category::EventCategory;
use crate::event_category::MarkerRow;
use crate::html::balance;
use crate::html::balance::Curve;
use crate::html::canvas::Canvas;
use crate::html::escape::EscapedText;
use crate::html::legend;
use crate::html::marks::TRY;
use crate::html::scale::Scale;
use crate::html::texts;
use crate::html::tracks;
use crate::html::tracks::Row;
use crate::resource_track::ResourceTrack;
use crate::resource_track::TrackPosition;

/// How far back a lane reaches, in seconds.
const PAST_MAX: i64 = 200 * 86_400;
/// How far ahead a lane reaches at least, and at most, in seconds.
const FUTURE: (i64, i64) = (14 * 86_400, 400 * 86_400);

/// The rules of the style sheet that the parts need, for a page on which they are below `.picture`.
pub fn style() -> String {
    format!("{}{}", super::PALETTE.replace(":root", ".picture"), super::DRAWING)
}

/// What the script of a page may call to take clusters of marks apart when they are looked at from nearer by: the function
/// `splitter`. Every picture is whole without it.
pub fn script() -> &'static str {
    super::CLUSTERS
}

/// How a page writes what it draws.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// The present instant.
    pub now: Timestamp,
    /// The zone in which instants are written, and in whose days the time axis is.
    pub zone: TimeZone,
    /// The language of every word.
    pub language: Language,
}

/// A resource as it is now, and what happened to it.
#[derive(Clone, Debug)]
pub struct Lane {
    /// The resource as it is now.
    pub resource: Resource,
    /// What its kind is called, for people.
    pub kind: String,
    /// The address of its page.
    pub address: String,
    /// Whether that is the page on which it is drawn.
    pub is_shown_there: bool,
    /// From its primary down: whether the ancestor, and last the resource itself, is the last one of its parent.
    pub branches: Vec<bool>,
    /// What happened to it, the oldest first.
    pub events: Vec<Event>,
}

/// The lanes of a bundle, in their order, and what they share.
#[derive(Clone, Debug)]
pub struct BundlePicture<'a> {
    /// The members, each after what it is attached to.
    pub lanes: &'a [Lane],
    /// What lies ahead of them, in the order of time.
    pub ahead: &'a [Upcoming],
    /// When the host was down: since when and until when.
    pub outages: &'a BTreeSet<(Timestamp, Timestamp)>,
    /// The id of the account.
    pub account: &'a str,
    /// The currency of every amount.
    pub currency: &'a str,
}

/// The balance of an account over a time that ends or begins now.
#[derive(Clone, Copy, Debug)]
pub struct BalancePicture<'a> {
    /// The id of the account.
    pub account: &'a str,
    /// The currency of its amounts.
    pub currency: &'a str,
    /// The first instant, and the balance then.
    pub from: (Timestamp, Micros),
    /// How the balance changes, in the order of time.
    pub changes: &'a [BalanceChange],
    /// The last instant.
    pub until: Timestamp,
}

/// What a page shows of a picture, as HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The drawing itself, which may be shown wider than its page.
    pub drawing: String,
    /// From when to when it is, and what its shapes mean: a list, in which each item of a kind of mark has `data-marks` with the class of the marks.
    pub legend: String,
}

/// Draws the lanes of a bundle: what happened, and, apart from that, what will happen if nobody does anything.
pub fn lanes(picture: &BundlePicture<'_>, reader: Reader) -> Fragment {
    let scale = span(picture, reader.now);
    let tracks = picture.lanes.iter().map(|lane| track(lane, picture, reader)).collect::<Vec<_>>();
    let ticks = dates::ticks(scale.from, scale.until, reader.zone, reader.language);
    let canvas = canvas(reader, scale, &ticks, picture.outages);
    let rows = |out: &mut Vec<u8>| -> io::Result<()> {
        io::Write::write_all(out, b"<ul class=\"bundle\" role=\"list\">\n")?;
        for (lane, track) in picture.lanes.iter().zip(&tracks) {
            let Some(details) = &track.details else { continue };
            let of_lane = picture.ahead.iter().filter(|upcoming| upcoming.resource == track.id);
            let ahead = of_lane.cloned().collect::<Vec<_>>();
            let (account, kind) = (picture.account, lane.kind.as_str());
            let link = Some((lane.address.as_str(), lane.is_shown_there));
            tracks::write(Row { track, details, account, kind, link, ahead: &ahead }, canvas, out)?;
        }
        io::Write::write_all(out, b"</ul>\n")
    };
    let definitions = [super::MARKS, super::AHEAD].concat();
    Fragment {
        drawing: definitions + &drawing(canvas, rows),
        legend: lanes_legend(&tracks, picture.ahead, canvas),
    }
}

/// Draws the balance of an account as a step line.
pub fn balance(picture: &BalancePicture<'_>, reader: Reader) -> Fragment {
    let (from, opening) = picture.from;
    let scale = Scale { from, until: picture.until.max(from + 1) };
    let ticks = dates::ticks(scale.from, scale.until, reader.zone, reader.language);
    let outages = BTreeSet::new();
    let canvas = canvas(reader, scale, &ticks, &outages);
    let closing = picture.changes.last().map_or(opening, |change| change.balance);
    let BalancePicture { account, currency, changes, .. } = *picture;
    let curve = Curve { account, currency, opening, closing, changes };
    Fragment {
        drawing: drawing(canvas, |out| balance::write(curve, canvas, out)),
        legend: format!("<p>{} · {}</p>\n", span_words(canvas), EscapedText(currency)),
    }
}

fn canvas<'a>(
    reader: Reader,
    scale: Scale,
    ticks: &'a [dates::Tick],
    outages: &'a BTreeSet<(Timestamp, Timestamp)>,
) -> Canvas<'a> {
    let Reader { now, zone, language } = reader;
    Canvas { scale, ticks, outages, zone, language, now: Some(now) }
}

/// From when to when lanes are drawn: at most some time back, and so far ahead as something lies there.
fn span(picture: &BundlePicture<'_>, now: Timestamp) -> Scale {
    let resources = picture.lanes.iter().map(|lane| &lane.resource);
    let started_at = resources.clone().map(|resource| resource.started_at).min().unwrap_or(now);
    let expiries = resources.filter(|resource| !resource.stage.is_final()).filter_map(|one| one.expires_at);
    let last = picture.ahead.iter().map(|upcoming| upcoming.at).chain(expiries).max().unwrap_or(now);
    let (from, until) = (started_at.max(now - PAST_MAX).min(now), last.clamp(now + FUTURE.0, now + FUTURE.1));
    // What is drawn at the very end has room there.
    Scale { from, until: until + (until - from) / 30 }
}

/// What happened to a resource, ending as it is now.
fn track(lane: &Lane, picture: &BundlePicture<'_>, reader: Reader) -> ResourceTrack {
    let position = TrackPosition { bundle: 0, purchase: 0, member: 0 };
    let mut track = ResourceTrack::new(&first_known(lane), position, lane.branches.clone(), true);
    let notices = BTreeMap::new();
    let wording = Wording { currency: picture.currency, notices: &notices, zone: reader.zone };
    for event in &lane.events {
        let words = || wording.in_language(reader.language, event);
        track.record(event, EventCategory::for_event(&event.what), &words);
    }
    track.settle(&lane.resource, reader.now);
    track
}

/// The resource as it was before its first event that is known.
fn first_known(lane: &Lane) -> Resource {
    let mut first = lane.resource.clone();
    let what = || lane.events.iter().map(|event| &event.what);
    #[expect(clippy::wildcard_enum_match_arm, reason = "few types of events say what a resource was before")]
    let stage = what().find_map(|what| match what {
        EventKind::StageChanged { from, .. } => Some(*from),
        EventKind::Converted | EventKind::Unsubscribed { expires_at: None, .. } => Some(Stage::Active),
        _ => None,
    });
    first.stage = stage.unwrap_or(first.stage);
    if what().any(|what| matches!(what, EventKind::Converted)) {
        first.charging = Charging::Prepaid;
    }
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "few types of events say what a package had left before"
    )]
    let left = what().find_map(|what| match what {
        EventKind::PackageUsed { amount, left } => Some(*amount + *left),
        EventKind::PackageRefilled { .. } => Some(Micros::ZERO),
        _ => None,
    });
    if let (Some(package), Some(left)) = (&mut first.package, left) {
        package.used = package.quota - left;
    }
    first
}

/// A drawing: the time axis, and the rows that `write` writes.
fn drawing(canvas: Canvas<'_>, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    draw(canvas, write, &mut out).expect("a list of bytes takes any text");
    String::from_utf8(out).expect("what is written is text")
}

fn draw(
    canvas: Canvas<'_>,
    write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    use std::io::Write;

    let title = format!("{} – {}", canvas.day(canvas.scale.from), canvas.day(canvas.scale.until));
    writeln!(
        out,
        "<div class=\"row axis\">\n<div class=\"label\"></div>\n<svg class=\"chart\" height=\"46\" role=\"img\" aria-label=\"{}\">",
        EscapedText(&canvas.fill(texts::TIME_AXIS, &[&title]))
    )?;
    canvas.tick_labels(out)?;
    canvas.now_label(out)?;
    writeln!(out, "</svg>\n<div class=\"ending\"></div>\n</div>\n<div class=\"rows\">")?;
    canvas.grid(out)?;
    write(out)?;
    writeln!(out, "</div>")
}

/// What the shapes of these lanes mean: their stages, and each kind of mark with how many there are.
fn lanes_legend(tracks: &[ResourceTrack], ahead: &[Upcoming], canvas: Canvas<'_>) -> String {
    let (keys, switches) = (keys(tracks, ahead, canvas), switches(tracks, ahead, canvas));
    format!("<p>{}</p>\n<ul class=\"keys\">\n{keys}{switches}</ul>\n", span_words(canvas))
}

/// From when to when a picture is, which also says in which zone.
fn span_words(canvas: Canvas<'_>) -> String {
    format!("{} – {}", canvas.minute(canvas.scale.from), canvas.minute(canvas.scale.until))
}

/// What bars, lines and blocks mean.
fn keys(tracks: &[ResourceTrack], ahead: &[Upcoming], canvas: Canvas<'_>) -> String {
    let mut out = String::new();
    let mut item = |picture: &str, text: Text| {
        writeln!(out, "<li>{picture}{}</li>", canvas.say(text)).expect("writing to text never fails");
    };
    let has_package =
        |track: &ResourceTrack| track.details.as_ref().is_some_and(|details| details.quota.is_some());
    for (class, label) in texts::BARS {
        let is_drawn = match class {
            "usage" => tracks.iter().any(ResourceTrack::is_pay_per_use),
            "package" => tracks.iter().any(has_package),
            _ => true,
        };
        if is_drawn {
            item(&legend::bar(class), label);
        }
    }
    item(&legend::bar("active ahead"), texts::IF_NOTHING_IS_DONE);
    item(legend::PERIOD, texts::PAID_PERIOD);
    item(legend::EXPIRY, texts::PAID_UNTIL);
    for (letter, end, label) in texts::CAPS {
        let is_foreseen = ahead.iter().any(|upcoming| tracks::entered(upcoming.action) == Some(end));
        if is_foreseen || tracks.iter().any(|track| track.stage == end) {
            item(&legend::cap(letter), label);
        }
    }
    if !canvas.outages.is_empty() {
        item(legend::OUTAGE, texts::HOST_DOWN);
    }
    out
}

/// Each kind of mark, the most important first, with how many there are in what is drawn.
fn switches(tracks: &[ResourceTrack], ahead: &[Upcoming], canvas: Canvas<'_>) -> String {
    let details = tracks.iter().filter_map(|track| track.details.as_ref());
    let past = details.flat_map(|details| &details.marks).map(|mark| (mark.at, mark.category));
    let past = past.filter(|(_, category)| category.marker_row() != MarkerRow::Elsewhere);
    let foreseen =
        ahead.iter().filter_map(|upcoming| Some((upcoming.at, tracks::category(upcoming.action)?)));
    let (tries, others): (Vec<_>, Vec<_>) = foreseen
        .filter(|(at, _)| canvas.scale.shows(*at))
        .partition(|(_, category)| *category == EventCategory::Renewed);
    let mut counts: BTreeMap<EventCategory, usize> = BTreeMap::new();
    for (_, category) in past.filter(|(at, _)| canvas.scale.shows(*at)).chain(others) {
        *counts.entry(category).or_default() += 1;
    }
    let counts = counts.into_iter();
    let counts =
        counts.map(|(category, count)| (category.slug(), "", category.plural_in(canvas.language), count));
    let tries = (!tries.is_empty()).then_some((TRY, " ahead", canvas.say(texts::TRIES), tries.len()));
    let mut out = String::new();
    for (slug, when, words, count) in counts.chain(tries) {
        let (picture, count) = (legend::mark(slug, when), dates::whole(count));
        writeln!(out, "<li data-marks=\"{slug}\">{picture}{words} <span class=\"tally\">{count}</span></li>")
            .expect("writing to text never fails");
    }
    out
}
