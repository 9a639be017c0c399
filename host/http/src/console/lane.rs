//! The lanes of a bundle, one for each resource: the stages that it went through and those that lie ahead, as a bar over time, with a mark for
//! what happened and for what will. Everything is drawn here, with positions in percent; colours and patterns are the
//! style's.

use maud::Markup;
use maud::html;
use perennial_domain::timestamp::Timestamp;
use serde_json::Value;

use crate::console::event_rows;
use crate::console::frame::Frame;
use crate::console::parts;
use crate::console::parts::plain;
use crate::console::texts as t;
use crate::console::words;

/// How far back a lane reaches, in seconds.
const PAST_MAX: i64 = 200 * 86_400;
/// How far ahead a lane reaches at least, and at most, in seconds.
const FUTURE: (i64, i64) = (14 * 86_400, 400 * 86_400);
/// The most marks of a lane; more could not be told apart.
const MARKS_MAX: usize = 120;

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// Something that was paid: a filled circle.
    Good,
    /// Bad news: a triangle.
    Bad,
    /// A try that lies ahead: a ring.
    Ahead,
}

/// The span of time that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scale {
    from: Timestamp,
    until: Timestamp,
}

impl Scale {
    /// Where an instant stands, in hundredths of a percent; what is outside stands at the border.
    fn place(self, at: Timestamp) -> i64 {
        let length = (self.until - self.from).max(1);
        ((at - self.from).clamp(0, length) * 10_000) / length
    }

    fn x(self, at: Timestamp) -> String {
        percent(self.place(at))
    }
}

fn percent(hundredths: i64) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

fn instant(object: &Value, name: &str) -> Option<Timestamp> {
    object[name].as_str()?.parse().ok()
}

/// A resource of a bundle, and what happened to it.
pub(super) struct Track {
    /// The resource, as the API shows it.
    pub(super) resource: Value,
    /// Its events, the oldest first.
    pub(super) events: Vec<Value>,
}

/// Draws the lanes of a bundle's resources over the same time, `tracks`, of which the first is the one that is looked at;
/// `ahead` is the timeline of the bundle.
pub(super) fn draw(frame: &Frame, tracks: &[Track], ahead: &[Value]) -> Markup {
    let started = tracks.iter().filter_map(|track| instant(&track.resource, "started_at")).min();
    let (Some(first), Some(started_at)) = (tracks.first(), started) else { return html! {} };
    let now = frame.now;
    let expiries = tracks.iter().filter_map(|track| instant(&track.resource, "expires_at"));
    let last = ahead.iter().filter_map(|occurrence| instant(occurrence, "at"));
    let last = last.chain(expiries).max().unwrap_or(now);
    let scale = Scale {
        from: started_at.max(now - PAST_MAX).min(now),
        until: last.clamp(now + FUTURE.0, now + FUTURE.1),
    };
    let provider = first.resource["provider"].as_str();
    let lanes = html! {
        @for track in tracks {
            @if tracks.len() > 1 { p.track { (parts::resource(&track.resource["id"])) " " (parts::badge(frame, plain(&track.resource, "stage"))) } }
            (lane(frame, scale, track, ahead))
        }
    };
    let caption = html! {
        (frame.minute(scale.from, provider)) " – " (frame.minute(scale.until, provider))
        ul.legend {
            @for stage in ["active", "grace", "retention", "released"] {
                li { i class={ "key " (stage) } {} (frame.word(stage)) }
            }
            @for (marks, text) in [("good", t::MARK_GOOD), ("bad", t::MARK_BAD), ("ahead", t::MARK_AHEAD)] {
                li data-marks=(marks) { i class={ "key " (marks) } {} (frame.say(text)) }
            }
        }
    };
    parts::picture(frame, "lane", lanes, caption)
}

/// The lane of one resource of a bundle.
fn lane(frame: &Frame, scale: Scale, track: &Track, ahead: &[Value]) -> Markup {
    let (resource, now) = (&track.resource, frame.now);
    let id = plain(resource, "id");
    let ahead = ahead.iter().filter(|occurrence| plain(occurrence, "resource") == id).collect::<Vec<_>>();
    let Some(started_at) = instant(resource, "started_at") else { return html! {} };
    let stages = stages(resource, started_at, &track.events, &ahead);
    let label = frame.fill(t::LANE_OF, &[id, &frame.word(plain(resource, "stage"))]);
    html! {
        svg role="img" aria-label=(label) width="100%" height="84" {
            @for (number, (stage, at)) in stages.iter().enumerate() {
                @let end = stages.get(number + 1).map_or(scale.until, |(_, end)| *end);
                (bar(scale, stage, *at, end, now))
            }
            (marks(frame, scale, &track.events, &ahead))
            (flag(scale, now, "now", frame.say(t::LANE_NOW), 0))
            @if let Some(expires_at) = instant(resource, "expires_at") {
                (flag(scale, expires_at, "expiry", frame.say(t::EXPIRES), 1))
            }
        }
    }
}

/// Each stage with the instant at which it begins: those that are past, the present one, and those ahead.
fn stages(
    resource: &Value,
    started_at: Timestamp,
    events: &[Value],
    ahead: &[&Value],
) -> Vec<(String, Timestamp)> {
    let changes = events.iter().filter(|event| plain(event, "type") == "stage_changed").collect::<Vec<_>>();
    let first = changes.first().map_or(plain(resource, "stage"), |event| plain(event, "from"));
    let mut stages = vec![(first.to_owned(), started_at)];
    let past =
        changes.iter().filter_map(|event| Some((plain(event, "to").to_owned(), instant(event, "at")?)));
    stages.extend(past);
    let entered = ahead.iter().filter(|occurrence| plain(occurrence, "action") == "enter");
    stages.extend(entered.filter_map(|next| Some((plain(next, "stage").to_owned(), instant(next, "at")?))));
    stages
}

/// The bar of a stage; what lies ahead is drawn apart from what was.
fn bar(scale: Scale, stage: &str, from: Timestamp, until: Timestamp, now: Timestamp) -> Markup {
    let parts = [(from, until.min(now), "past"), (from.max(now), until, "ahead")];
    html! {
        @for (from, until, when) in parts.into_iter().filter(|(from, until, _)| from < until) {
            @let width = scale.place(until) - scale.place(from);
            rect class={ "stage " (stage) " " (when) } x=(scale.x(from)) y="34" width=(percent(width)) height="16" {}
        }
    }
}

fn marks(frame: &Frame, scale: Scale, events: &[Value], ahead: &[&Value]) -> Markup {
    let past = events.iter().filter_map(|event| {
        let is_bad = event_rows::is_trouble(event);
        let is_paid = ["renewal_settled", "order_paid", "package_bought"].contains(&plain(event, "type"));
        let is_good =
            is_paid || plain(event, "type") == "approval_given" || plain(event, "decision") == "approved";
        let sign = if is_bad { Sign::Bad } else { Sign::Good };
        let mut said = frame.word(plain(event, "type"));
        // Who ruled or decided what, in a word each.
        for name in ["policy", "ruling", "decision", "decided_by"] {
            if let Some(text) = event[name].as_str() {
                said = format!("{said}, {}", words::find(text).map_or(text, |word| frame.say(word)));
            }
        }
        (is_bad || is_good).then_some((sign, instant(event, "at")?, said))
    });
    let tries = ahead.iter().filter(|next| plain(next, "action") == "try_renewal");
    let tries = tries.filter_map(|next| Some((Sign::Ahead, instant(next, "at")?, frame.word("try_renewal"))));
    let marks = past.chain(tries).filter(|(_, at, _)| *at >= scale.from && *at <= scale.until);
    html! {
        @for (sign, at, text) in marks.take(MARKS_MAX) {
            svg x=(scale.x(at)) y="42" overflow="visible" {
                @match sign {
                    Sign::Good => circle.mark.good r="5" { title { (text) ", " (frame.minute(at, None)) } },
                    Sign::Bad => path.mark.bad d="M0 -7L7 6H-7Z" { title { (text) ", " (frame.minute(at, None)) } },
                    Sign::Ahead => circle.mark.ahead r="4" { title { (text) ", " (frame.minute(at, None)) } },
                }
            }
        }
    }
}

/// A line through the lane with a word above it; `row` keeps two words apart.
fn flag(scale: Scale, at: Timestamp, class: &str, word: &str, row: u32) -> Markup {
    let place = scale.place(at);
    let (anchor, shift) = if place > 8_000 { ("end", "-4") } else { ("start", "4") };
    html! {
        svg x=(percent(place)) overflow="visible" {
            line class=(class) y1=(if row == 0 { "4" } else { "56" }) y2=(if row == 0 { "56" } else { "28" }) {}
            text class=(class) x=(shift) y=(if row == 0 { "14" } else { "70" }) text-anchor=(anchor) { (word) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_never_leaves_the_lane() {
        let at = Timestamp::from_second;
        let scale = Scale { from: at(1_000), until: at(2_000) };
        let places = [0, 1_000, 1_500, 2_000, 9_000].map(|second| scale.x(at(second)));
        assert_eq!(places, ["0.00%", "0.00%", "50.00%", "100.00%", "100.00%"]);
        let none = Scale { from: at(5), until: at(5) };
        assert_eq!(none.x(at(5)), "0.00%");
    }
}
