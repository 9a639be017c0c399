//! Tracks: one row of the page for each resource, with its stages as bars and its events as markers.
//!
//! Knows where everything in a row goes; colours and patterns are the style sheet's.

use std::io;
use std::io::Write;

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::Stage;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;

use crate::report::account::AccountHistory;
use crate::report::event_category::EventCategory;
use crate::report::event_category::MarkerRow;
use crate::report::html::Page;
use crate::report::html::clusters;
use crate::report::html::clusters::Cluster;
use crate::report::html::escape::EscapedText;
use crate::report::html::scale::Percent;
use crate::report::html::scale::Scale;
use crate::report::resource_track::Mark;
use crate::report::resource_track::ResourceTrack;
use crate::report::resource_track::TrackDetails;
use perennial_formats::dates;

/// Where the bar of a lane begins, from the top of its row, and how high it is, in pixels.
const BAR: (f64, f64) = (10.0, 10.0);

/// The most levels that are drawn of a package; more could not be told apart.
const LEVELS_MAX: usize = 400;

/// Writes one resource's row.
pub(super) fn write(
    track: &ResourceTrack,
    details: &TrackDetails,
    account: &AccountHistory,
    page: Page<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    let scale = page.scale;
    let id = EscapedText(&track.id);
    let kind = account.kind_names.get(&track.kind).unwrap_or(&track.kind);
    let looked_for = format!("{} {} {} {}", track.id, track.kind, kind, account.id).to_lowercase();
    writeln!(
        out,
        "<li class=\"row lane\" data-find=\"{}\" data-stage=\"{}\" data-met=\"{}\"{} aria-label=\"{}\">",
        EscapedText(&looked_for),
        final_state(track),
        track.categories.iter().map(|category| category.slug()).collect::<Vec<_>>().join(" "),
        if track.severity > 0 { " data-trouble" } else { "" },
        EscapedText(&accessible_label(track, kind))
    )?;
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
    writeln!(
        out,
        "<span class=\"id\" title=\"{id}\">{id}</span><span class=\"kind\" title=\"{} {}\">{}</span></div>",
        EscapedText(kind),
        EscapedText(&track.region),
        EscapedText(&track.kind)
    )?;
    writeln!(out, "<svg class=\"chart\" height=\"26\" role=\"group\" aria-label=\"{id}\">")?;
    bars(track, details, scale, out)?;
    levels(details, scale, out)?;
    for starts_at in details.periods.iter().filter(|starts_at| scale.shows(**starts_at)) {
        let x = scale.x(*starts_at);
        writeln!(
            out,
            "<line class=\"period\" x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{}\"/>",
            BAR.0,
            BAR.0 + BAR.1
        )?;
    }
    outages(page, out)?;
    caps(details, scale, out)?;
    let ended_at = details.stages.iter().find(|(_, stage)| stage.is_final()).map(|(at, _)| *at);
    let shown = details.marks.iter().filter(|mark| !ended_at.is_some_and(|at| is_end(mark, at)));
    marks(shown, scale, out)?;
    writeln!(out, "</svg>")?;
    writeln!(out, "<div class=\"ending\">{}</div>\n</li>", outcome_label(track))
}

/// Where a resource is at the end, in a word.
pub(super) fn final_state(track: &ResourceTrack) -> &'static str {
    if track.is_pay_per_use() { "pay-per-use" } else { track.stage.name() }
}

/// What a screen reader says of a lane.
fn accessible_label(track: &ResourceTrack, kind: &str) -> String {
    let end = match (track.is_pay_per_use(), track.expires_at) {
        (true, _) => "pay-per-use".to_owned(),
        (false, Some(expires_at)) if !track.stage.is_final() => {
            format!("{}, expires {}", track.stage.name(), dates::long_day(expires_at))
        }
        (false, _) => track.stage.name().to_owned(),
    };
    let counts = [dates::counted(track.renewals, "renewal"), dates::counted(track.declines, "decline")];
    format!("{}, {kind}, at the end {end}; {}", track.id, counts.join(", "))
}

fn outcome_label(track: &ResourceTrack) -> String {
    let state = match (track.is_pay_per_use(), track.stage, track.expires_at) {
        (true, _, _) => "<b class=\"quiet\">pay-per-use</b>".to_owned(),
        (false, stage @ (Stage::Released | Stage::Unsubscribed | Stage::Converted), _) => {
            format!("<b class=\"over\">{}</b>", stage.name())
        }
        (false, stage @ (Stage::Grace | Stage::Retention), _) => {
            format!("<b class=\"late\">{}</b>", stage.name())
        }
        (false, Stage::Active, Some(expires_at)) => format!("<span>{}</span>", dates::day(expires_at)),
        (false, Stage::Active, None) => "<span></span>".to_owned(),
    };
    let paid = if track.paid == Micros::ZERO { "&#8211;".to_owned() } else { dates::amount(track.paid) };
    format!("{state}<span class=\"paid\">{paid}</span>")
}

/// The stages of a resource and from when to when each lasted; those at the end of a life last until the chart ends.
fn intervals(details: &TrackDetails, until: Timestamp) -> Vec<(Stage, Timestamp, Timestamp)> {
    let mut stages = details.stages.clone();
    // What was due while the host was down is told after it, so the order of telling need not be that of time.
    stages.sort_by_key(|(at, _)| *at);
    let ends = stages.iter().skip(1).map(|(at, _)| *at).chain([until.max(stages[stages.len() - 1].0)]);
    stages.iter().zip(ends).map(|((at, stage), end)| (*stage, *at, end)).collect()
}

fn bars(track: &ResourceTrack, details: &TrackDetails, scale: Scale, out: &mut impl Write) -> io::Result<()> {
    for (stage, begins_at, ends_at) in intervals(details, scale.until) {
        let Some((left, width)) = scale.stretch(begins_at, ends_at) else { continue };
        let class = match (track.charging, stage) {
            (Charging::Postpaid, Stage::Active | Stage::Grace | Stage::Retention) | (_, Stage::Converted) => {
                "usage"
            }
            (Charging::Prepaid, Stage::Active) if details.quota.is_some() => "active package",
            (Charging::Prepaid, Stage::Active | Stage::Grace | Stage::Retention) => stage.name(),
            (_, Stage::Released | Stage::Unsubscribed) => continue,
        };
        let name = if class == "usage" { "pay-per-use" } else { stage.name() };
        let end = if ends_at >= scale.until { "the end".to_owned() } else { dates::minute(ends_at) };
        let (y, height) = if class == "usage" { (BAR.0 + 3.5, 3.0) } else { BAR };
        writeln!(
            out,
            "<rect class=\"bar {class}\" x=\"{left}\" y=\"{y}\" width=\"{width}\" height=\"{height}\">\
             <title>{}\n{name} from {} to {end}</title></rect>",
            EscapedText(&track.id),
            dates::minute(begins_at),
        )?;
    }
    Ok(())
}

/// What a package has left, as a filling of its bar.
fn levels(details: &TrackDetails, scale: Scale, out: &mut impl Write) -> io::Result<()> {
    let Some(quota) = details.quota.filter(|quota| *quota > Micros::ZERO) else { return Ok(()) };
    let over_at =
        details.stages.iter().find(|(_, stage)| *stage != Stage::Active).map_or(scale.until, |(at, _)| *at);
    let mut steps: Vec<(Timestamp, Micros)> = Vec::new();
    let narrowest = ((scale.until - scale.from) / LEVELS_MAX as i64).max(1);
    for (at, left) in &details.levels {
        match steps.last_mut() {
            Some(step) if *at - step.0 < narrowest => step.1 = *left,
            _ => steps.push((*at, *left)),
        }
    }
    let ends = steps.iter().skip(1).map(|(at, _)| *at).chain([over_at]);
    for ((at, left), ends_at) in steps.iter().zip(ends) {
        let Some((x, width)) = scale.stretch(*at, ends_at.min(over_at)) else { continue };
        let share = (left.as_micros() as f64 / quota.as_micros() as f64).clamp(0.0, 1.0);
        let height = (share * BAR.1 * 10.0).round() / 10.0;
        if height > 0.0 {
            let y = BAR.0 + BAR.1 - height;
            writeln!(
                out,
                "<rect class=\"level\" x=\"{x}\" y=\"{y:.1}\" width=\"{width}\" height=\"{height}\"/>"
            )?;
        }
    }
    Ok(())
}

/// When the host was down, over whatever is in the row.
pub(super) fn outages(page: Page<'_>, out: &mut impl Write) -> io::Result<()> {
    for (down_since, at) in page.outages {
        if let Some((left, width)) = page.scale.stretch(*down_since, *at) {
            writeln!(out, "<rect class=\"outage\" x=\"{left}\" y=\"0\" width=\"{width}\" height=\"26\"/>")?;
        }
    }
    Ok(())
}

/// Where a life ended: a block with a letter, which also says what the mark there would.
fn caps(details: &TrackDetails, scale: Scale, out: &mut impl Write) -> io::Result<()> {
    let ends = details.stages.iter().filter(|(at, _)| scale.shows(*at));
    for (at, stage) in ends {
        let letter = match stage {
            Stage::Released => "R",
            Stage::Unsubscribed => "U",
            Stage::Converted => "P",
            Stage::Active | Stage::Grace | Stage::Retention => continue,
        };
        let mark = details.marks.iter().find(|mark| is_end(mark, *at));
        let words = mark.map_or_else(|| stage.name().to_owned(), |mark| mark.text.clone());
        writeln!(
            out,
            "<svg class=\"cap\" x=\"{}\" y=\"{}\" overflow=\"visible\"><title>{}: {}</title>\
             <rect x=\"0\" y=\"0\" width=\"12\" height=\"14\"/><text x=\"6\" y=\"10.6\">{letter}</text></svg>",
            scale.x(*at),
            BAR.0 - 2.0,
            dates::minute(*at),
            EscapedText(&words)
        )?;
    }
    Ok(())
}

/// Whether a mark tells of the end of a life at `at`.
fn is_end(mark: &Mark, at: Timestamp) -> bool {
    mark.at == at && matches!(mark.category, EventCategory::Unsubscribed | EventCategory::Converted)
}

/// Writes marks into a row.
pub(super) fn marks<'a>(
    marks: impl Iterator<Item = &'a Mark>,
    scale: Scale,
    out: &mut impl Write,
) -> io::Result<()> {
    for cluster in clusters::clusters(marks, scale) {
        mark(&cluster, scale, out)?;
    }
    Ok(())
}

fn mark(cluster: &Cluster<'_>, scale: Scale, out: &mut impl Write) -> io::Result<()> {
    let slug = cluster.category.slug();
    let y = match cluster.category.marker_row() {
        MarkerRow::Above => 5.5,
        MarkerRow::On | MarkerRow::Elsewhere => BAR.0 + BAR.1 / 2.0,
        MarkerRow::Below => 23.2,
    };
    let (x, words) = (cluster.x(scale), cluster.description());
    let count = cluster.marks.len();
    write!(out, "<g class=\"mark {slug}\"")?;
    if count > 1 {
        write!(
            out,
            " data-x=\"{}\" data-rest=\"{}\"",
            cluster.positions(scale),
            EscapedText(&cluster.rest())
        )?;
    }
    write!(out, "><title>{}</title>", EscapedText(&words))?;
    if count > 1 && cluster.category.marker_row() != MarkerRow::Below {
        let end = cluster.end(scale);
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
