//! Clusters: markers of one category that are too close to tell apart are drawn as one. Knows distances, and no shapes.

use crate::event_category::EventCategory;
use crate::event_category::MarkerRow;
use crate::html::canvas::Canvas;
use crate::html::scale::Percent;
use crate::html::scale::Scale;
use crate::html::texts;
use crate::resource_track::Mark;

/// How many marks a cluster tells of in words.
const LISTED_MAX: usize = 12;

/// One mark, or several of one topic that stand close to each other.
#[derive(Debug)]
pub(super) struct Cluster<'a> {
    pub(super) category: EventCategory,
    /// In order of time; never empty.
    pub(super) marks: Vec<&'a Mark>,
}

impl Cluster<'_> {
    /// Where it stands: at its first mark.
    pub(super) fn x(&self, scale: Scale) -> Percent {
        scale.x(self.marks[0].at)
    }

    /// Where its last mark is.
    pub(super) fn end(&self, scale: Scale) -> Percent {
        scale.x(self.marks[self.marks.len() - 1].at)
    }

    /// What its marks say, one line each.
    pub(super) fn description(&self, canvas: Canvas<'_>) -> String {
        let mut lines = self.lines(canvas).take(LISTED_MAX).collect::<Vec<_>>();
        if self.marks.len() > LISTED_MAX {
            lines.push(canvas.fill(texts::AND_MORE, &[&(self.marks.len() - LISTED_MAX).to_string()]));
        }
        lines.join("\n")
    }

    /// What the marks say that the description does not list: for a look from nearer by, where the cluster comes apart.
    pub(super) fn rest(&self, canvas: Canvas<'_>) -> String {
        self.lines(canvas).skip(LISTED_MAX).collect::<Vec<_>>().join("\n")
    }

    /// Where each of its marks stands, in percent, separated by spaces.
    pub(super) fn positions(&self, scale: Scale) -> String {
        let position = |mark: &&Mark| scale.x(mark.at).to_string().trim_end_matches('%').to_owned();
        self.marks.iter().map(position).collect::<Vec<_>>().join(" ")
    }

    fn lines(&self, canvas: Canvas<'_>) -> impl Iterator<Item = String> {
        self.marks.iter().map(move |mark| format!("{}: {}", canvas.minute(mark.at), mark.text))
    }
}

/// The marks that are on the chart, in clusters, in the order in which they are drawn: what matters most comes last.
pub(super) fn clusters<'a>(marks: impl Iterator<Item = &'a Mark>, scale: Scale) -> Vec<Cluster<'a>> {
    let mut sorted = marks.filter(|mark| scale.shows(mark.at)).collect::<Vec<_>>();
    sorted.sort_by_key(|mark| (std::cmp::Reverse(mark.category), mark.at));
    let mut clusters: Vec<Cluster<'a>> = Vec::new();
    for mark in sorted {
        match clusters.last_mut() {
            Some(cluster) if cluster.category == mark.category && is_close(cluster, mark, scale) => {
                cluster.marks.push(mark);
            }
            _ => clusters.push(Cluster { category: mark.category, marks: vec![mark] }),
        }
    }
    clusters
}

fn is_close(cluster: &Cluster<'_>, mark: &Mark, scale: Scale) -> bool {
    // In percent of the chart: about the width of a mark on a screen of the usual size, and of a few of them.
    let (gap_max, span_max) = match mark.category.marker_row() {
        MarkerRow::Below => (0.35, 1.0),
        MarkerRow::Above | MarkerRow::On | MarkerRow::Elsewhere => (0.75, 2.6),
    };
    let x = scale.x(mark.at).0;
    x - cluster.end(scale).0 <= gap_max && x - cluster.x(scale).0 <= span_max
}
