//! The lanes of a bundle: what happened to each of its resources, and what lies ahead. Makes what the API shows into what
//! `perennial_picture` draws; draws nothing itself.

use std::collections::BTreeSet;

use maud::Markup;
use maud::PreEscaped;
use maud::html;
use perennial_domain::event::EventKind;
use perennial_domain::timestamp::Timestamp;
use perennial_formats::occurrence::Upcoming;
use perennial_formats::read_back;
use perennial_picture::attachments;
use perennial_picture::html::fragment;
use perennial_picture::html::fragment::BundlePicture;
use perennial_picture::html::fragment::Lane;
use serde_json::Value;

use crate::console::address;
use crate::console::frame::Frame;
use crate::console::parts;
use crate::console::parts::plain;

/// The most events of a lane, the newest ones; more could not be told apart.
const EVENTS_MAX: usize = 400;

/// A resource of a bundle, and what happened to it.
pub(super) struct Track {
    /// The resource, as the API shows it.
    pub(super) resource: Value,
    /// Its events, the oldest first.
    pub(super) events: Vec<Value>,
}

/// Draws the lanes of a bundle's resources over the same time, `tracks`, of which the first is the one that is looked at;
/// `ahead` is the timeline of the bundle, and `resumed` are the events that tell when the host was down.
pub(super) fn draw(frame: &Frame, tracks: &[Track], ahead: &[Value], resumed: &[Value]) -> Markup {
    let lanes = in_order(tracks).into_iter();
    let lanes = lanes.filter_map(|(index, branches)| lane(&tracks[index], branches, index == 0));
    let lanes = lanes.collect::<Vec<_>>();
    let (Some(first), false) = (tracks.first(), lanes.is_empty()) else { return html! {} };
    let ahead = ahead.iter().filter_map(|view| Upcoming::read(view, frame.language)).collect::<Vec<_>>();
    let outages = resumed.iter().filter_map(outage).collect::<BTreeSet<_>>();
    let picture = BundlePicture {
        lanes: &lanes,
        ahead: &ahead,
        outages: &outages,
        account: plain(&first.resource, "account"),
        currency: plain(&first.resource, "currency"),
    };
    let drawn = fragment::lanes(&picture, frame.reader(first.resource["provider"].as_str()));
    parts::picture(frame, "lanes", PreEscaped(drawn.drawing), PreEscaped(drawn.legend))
}

/// What the API shows of a resource as what is drawn; `None` for what cannot be read.
fn lane(track: &Track, branches: Vec<bool>, is_shown_there: bool) -> Option<Lane> {
    let resource = read_back::resource(&track.resource).ok()?;
    let newest = track.events.iter().skip(track.events.len().saturating_sub(EVENTS_MAX));
    let events = newest.filter_map(|event| Some(read_back::event(event).ok()?.1)).collect();
    let (kind, address) = (resource.kind.clone(), address::to("/resources/{}", &[&resource.id]));
    Some(Lane { resource, kind, address, is_shown_there, branches, events })
}

/// Since when and until when the host was down, as one of its events says.
fn outage(event: &Value) -> Option<(Timestamp, Timestamp)> {
    let (_, event) = read_back::event(event).ok()?;
    let EventKind::HostResumed { down_since } = event.what else { return None };
    Some((down_since, event.at))
}

/// The places of the tracks as they are drawn, by their ids below each other, and the branches of each.
fn in_order(tracks: &[Track]) -> Vec<(usize, Vec<bool>)> {
    let id = |index: &usize| plain(&tracks[*index].resource, "id");
    let mut sorted = (0..tracks.len()).collect::<Vec<_>>();
    sorted.sort_by_key(id);
    let parent = |index: &usize| {
        let above = plain(&tracks[*index].resource, "attached_to");
        sorted.iter().position(|other| !above.is_empty() && id(other) == above)
    };
    let parents = sorted.iter().map(parent).collect::<Vec<_>>();
    let ordered = attachments::in_order(&parents).into_iter();
    ordered.map(|(place, branches)| (sorted[place], branches)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_lane_comes_after_what_its_resource_is_attached_to() {
        let track = |id: &str, attached_to: Option<&str>| Track {
            resource: json!({ "id": id, "attached_to": attached_to }),
            events: Vec::new(),
        };
        let tracks = [
            track("disk-2", Some("server")),
            track("server", None),
            track("disk-1", Some("server")),
            track("snapshot", Some("disk-1")),
            track("of-another", Some("unknown")),
        ];
        let ordered = in_order(&tracks);
        let ordered = ordered
            .iter()
            .map(|(index, branches)| (plain(&tracks[*index].resource, "id"), branches.as_slice()));
        assert_eq!(
            ordered.collect::<Vec<_>>(),
            [
                ("of-another", [].as_slice()),
                ("server", &[]),
                ("disk-1", &[false]),
                ("snapshot", &[false, true]),
                ("disk-2", &[true]),
            ]
        );
    }
}
