//! The stages of a resource as bars over time, what a package has left, and the end of a life as a block with a letter.

use std::io;
use std::io::Write;

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::Stage;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::event_text;

use crate::event_category::EventCategory;
use crate::html::canvas::Canvas;
use crate::html::escape::EscapedText;
use crate::html::texts;
use crate::resource_track::Mark;
use crate::resource_track::ResourceTrack;
use crate::resource_track::TrackDetails;

/// Where the bar of a lane begins, from the top of its row, and how high it is, in pixels.
pub(super) const BAR: (f64, f64) = (10.0, 10.0);

/// The most levels that are drawn of a package; more could not be told apart.
const LEVELS_MAX: usize = 400;

/// A stage and when it is entered.
pub(super) type Entry = (Timestamp, Stage);

/// The stages of a resource and from when to when each lasts; those at the end of a life last until the chart ends.
fn intervals(
    details: &TrackDetails,
    ahead: &[Entry],
    until: Timestamp,
) -> Vec<(Stage, Timestamp, Timestamp)> {
    let mut stages = details.stages.iter().chain(ahead).copied().collect::<Vec<_>>();
    // What was due while the host was down is told after it, so the order of telling need not be that of time.
    stages.sort_by_key(|(at, _)| *at);
    let ends = stages.iter().skip(1).map(|(at, _)| *at).chain([until.max(stages[stages.len() - 1].0)]);
    stages.iter().zip(ends).map(|((at, stage), end)| (*stage, *at, end)).collect()
}

/// Draws the bars: of what was, and, apart from that, of what lies `ahead`.
pub(super) fn bars(
    track: &ResourceTrack,
    details: &TrackDetails,
    ahead: &[Entry],
    canvas: Canvas<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    let known_until = canvas.known_until();
    for (stage, begins_at, ends_at) in intervals(details, ahead, canvas.scale.until) {
        let class = match (track.charging, stage) {
            (Charging::Postpaid, Stage::Active | Stage::Grace | Stage::Retention) | (_, Stage::Converted) => {
                "usage"
            }
            (Charging::Prepaid, Stage::Active) if details.quota.is_some() => "active package",
            (Charging::Prepaid, Stage::Active | Stage::Grace | Stage::Retention) => stage.name(),
            (_, Stage::Released | Stage::Unsubscribed) => continue,
        };
        let words = stage_words(class, stage, (begins_at, ends_at), canvas);
        let (y, height) = if class == "usage" { (BAR.0 + 3.5, 3.0) } else { BAR };
        let parts =
            [(begins_at, ends_at.min(known_until), ""), (begins_at.max(known_until), ends_at, " ahead")];
        for (from, until, when) in parts {
            let Some((left, width)) = canvas.scale.stretch(from, until) else { continue };
            writeln!(
                out,
                "<rect class=\"bar {class}{when}\" x=\"{left}\" y=\"{y}\" width=\"{width}\" height=\"{height}\">\
                 <title>{}\n{}</title></rect>",
                EscapedText(&track.id),
                EscapedText(&words),
            )?;
        }
    }
    Ok(())
}

/// What a stage is, and from when to when.
fn stage_words(
    class: &str,
    stage: Stage,
    (from, until): (Timestamp, Timestamp),
    canvas: Canvas<'_>,
) -> String {
    let name = if class == "usage" {
        canvas.say(texts::PAY_PER_USE)
    } else {
        event_text::stage_words(stage, canvas.language)
    };
    let begin = canvas.minute(from);
    match (until >= canvas.scale.until, canvas.now) {
        (true, Some(_)) => canvas.fill(texts::FROM_ON, &[name, &begin]),
        (true, None) => canvas.fill(texts::FROM_TO, &[name, &begin, canvas.say(texts::THE_END)]),
        (false, _) => canvas.fill(texts::FROM_TO, &[name, &begin, &canvas.minute(until)]),
    }
}

/// What a package has left, as a filling of its bar.
pub(super) fn levels(details: &TrackDetails, canvas: Canvas<'_>, out: &mut impl Write) -> io::Result<()> {
    let scale = canvas.scale;
    let Some(quota) = details.quota.filter(|quota| *quota > Micros::ZERO) else { return Ok(()) };
    let over_at = details
        .stages
        .iter()
        .find(|(_, stage)| *stage != Stage::Active)
        .map_or(canvas.known_until(), |(at, _)| *at);
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

/// Where a life ended, or will: a block with a letter, which also says what the mark there would.
pub(super) fn caps(
    details: &TrackDetails,
    ahead: &[Entry],
    canvas: Canvas<'_>,
    out: &mut impl Write,
) -> io::Result<()> {
    let past = details.stages.iter().map(|entry| (entry, ""));
    let ends = past.chain(ahead.iter().map(|entry| (entry, " ahead")));
    for ((at, stage), when) in ends.filter(|((at, _), _)| canvas.scale.shows(*at)) {
        let Some((letter, _, _)) = texts::CAPS.iter().find(|(_, end, _)| end == stage) else { continue };
        let mark = details.marks.iter().find(|mark| is_end(mark, *at));
        let words = mark.map_or_else(
            || event_text::stage_words(*stage, canvas.language).to_owned(),
            |mark| mark.text.clone(),
        );
        writeln!(
            out,
            "<svg class=\"cap{when}\" x=\"{}\" y=\"{}\" overflow=\"visible\"><title>{}: {}</title>\
             <rect x=\"0\" y=\"0\" width=\"12\" height=\"14\"/><text x=\"6\" y=\"10.6\">{letter}</text></svg>",
            canvas.scale.x(*at),
            BAR.0 - 2.0,
            canvas.minute(*at),
            EscapedText(&words)
        )?;
    }
    Ok(())
}

/// Whether a mark tells of the end of a life at `at`.
pub(super) fn is_end(mark: &Mark, at: Timestamp) -> bool {
    mark.at == at && matches!(mark.category, EventCategory::Unsubscribed | EventCategory::Converted)
}
