//! What every row of a drawing shares: the span of time, the zone and the language of its words, and what crosses all rows.
//!
//! Knows no resource and no account.

use std::collections::BTreeSet;
use std::io;
use std::io::Write;

use perennial_domain::timestamp::Timestamp;
use perennial_formats::dates;
use perennial_formats::dates::Tick;
use perennial_formats::language::Language;
use perennial_formats::language::Text;
use perennial_formats::time_zone::TimeZone;

use crate::html::scale::Scale;
use crate::html::texts;

/// Further right than this, in percent, a label has no room before the edge of a part of a page.
const LABEL_MAX: f64 = 92.0;

/// Up to so many ticks have labels on a narrow screen.
const NARROW_TICKS_MAX: usize = 8;

/// What every row shares.
#[derive(Clone, Copy, Debug)]
pub(super) struct Canvas<'a> {
    pub(super) scale: Scale,
    pub(super) ticks: &'a [Tick],
    /// When the host was down: since when and until when.
    pub(super) outages: &'a BTreeSet<(Timestamp, Timestamp)>,
    /// Where instants are written.
    pub(super) zone: TimeZone,
    pub(super) language: Language,
    /// The present instant, which parts what was from what lies ahead; `None` when all of it is past.
    pub(super) now: Option<Timestamp>,
}

impl Canvas<'_> {
    /// An instant in words.
    pub(super) fn minute(self, at: Timestamp) -> String {
        self.zone.minute(at)
    }

    /// A day in words, as labels have it.
    pub(super) fn day(self, at: Timestamp) -> String {
        self.zone.day(at)
    }

    /// A day in words, as a screen reader says it.
    pub(super) fn long_day(self, at: Timestamp) -> String {
        match self.language {
            Language::English if self.zone == TimeZone::UTC => dates::long_day(at),
            Language::English | Language::Chinese => self.zone.day(at),
        }
    }

    /// A text in the language of the drawing.
    pub(super) fn say(self, text: Text) -> &'static str {
        text.of(self.language)
    }

    /// A text in the language of the drawing, with `parts` in it.
    pub(super) fn fill(self, text: Text, parts: &[&str]) -> String {
        text.fill(self.language, parts)
    }

    /// Until when something is known to have happened: the present instant, or the end of the chart.
    pub(super) fn known_until(self) -> Timestamp {
        self.now.unwrap_or(self.scale.until)
    }

    /// The labels of the time axis. On a narrow screen there is room for a few of them.
    pub(super) fn tick_labels(self, out: &mut impl Write) -> io::Result<()> {
        let step = self.ticks.len().div_ceil(NARROW_TICKS_MAX).max(1);
        for (index, tick) in self.ticks.iter().enumerate() {
            let x = self.scale.x(tick.at);
            let mut class = if tick.is_major { "tick major" } else { "tick" }.to_owned();
            // The whole page is wide enough for all of them.
            if self.now.is_some() && index % step != 0 {
                class.push_str(" between");
            }
            if self.now.is_some() && x.0 > LABEL_MAX {
                writeln!(out, "<line class=\"{class}\" x1=\"{x}\" x2=\"{x}\" y1=\"14\" y2=\"30\"/>")?;
                continue;
            }
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
        Ok(())
    }

    /// Behind the rows: lines where months begin, and bands where the host was down, which lanes repeat over their bars.
    pub(super) fn grid(self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "<svg class=\"grid\" aria-hidden=\"true\">")?;
        for (down_since, at) in self.outages {
            let Some((left, width)) = self.scale.stretch(*down_since, *at) else { continue };
            writeln!(
                out,
                "<rect class=\"outage-ground\" x=\"{left}\" y=\"0\" width=\"{width}\" height=\"100%\"/>"
            )?;
        }
        for tick in self.ticks {
            let x = self.scale.x(tick.at);
            let class = if tick.is_major { "month major" } else { "month" };
            writeln!(out, "<line class=\"{class}\" x1=\"{x}\" x2=\"{x}\" y1=\"0\" y2=\"100%\"/>")?;
        }
        writeln!(out, "</svg>")
    }

    /// When the host was down, over whatever is in a lane.
    pub(super) fn outages(self, out: &mut impl Write) -> io::Result<()> {
        for (down_since, at) in self.outages {
            if let Some((left, width)) = self.scale.stretch(*down_since, *at) {
                writeln!(
                    out,
                    "<rect class=\"outage\" x=\"{left}\" y=\"0\" width=\"{width}\" height=\"26\"/>"
                )?;
            }
        }
        Ok(())
    }

    /// The present instant as a line through a row that is `height` pixels high.
    pub(super) fn now_line(self, height: f64, out: &mut impl Write) -> io::Result<()> {
        let Some(now) = self.now.filter(|now| self.scale.shows(*now)) else { return Ok(()) };
        let x = self.scale.x(now);
        writeln!(out, "<line class=\"now\" x1=\"{x}\" x2=\"{x}\" y1=\"0\" y2=\"{height}\"/>")
    }

    /// The present instant with its word, below the labels of the time axis.
    pub(super) fn now_label(self, out: &mut impl Write) -> io::Result<()> {
        let Some(now) = self.now.filter(|now| self.scale.shows(*now)) else { return Ok(()) };
        let x = self.scale.x(now);
        let (anchor, offset) = if x.0 > 80.0 { ("end", -4) } else { ("start", 4) };
        writeln!(
            out,
            "<line class=\"now\" x1=\"{x}\" x2=\"{x}\" y1=\"32\" y2=\"46\"/>\
             <svg x=\"{x}\" overflow=\"visible\"><text class=\"now\" x=\"{offset}\" y=\"43\" text-anchor=\"{anchor}\">{}</text></svg>",
            self.say(texts::NOW)
        )
    }
}
