//! Scales: the position of an instant or an amount on the page. Knows proportions, and no shapes.

use std::fmt;

use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;

/// A time axis from the left edge of the chart to the right, in percent, so that the page scales without a script.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

/// A part of the chart's width.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Percent(pub(super) f64);

impl fmt::Display for Percent {
    /// At most three decimals, which is finer than a pixel on any screen.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.3}", self.0);
        write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Scale {
    /// Where `at` is; the edges for what is beyond them.
    pub(super) fn x(self, at: Timestamp) -> Percent {
        let whole = (self.until - self.from).max(1) as f64;
        Percent(((at - self.from) as f64 / whole * 100.0).clamp(0.0, 100.0))
    }

    /// From where to where a stretch of time is, if any of it is on the chart.
    pub(super) fn stretch(self, begins_at: Timestamp, ends_at: Timestamp) -> Option<(Percent, Percent)> {
        let is_there = begins_at < ends_at && begins_at < self.until && ends_at > self.from;
        is_there.then(|| {
            let (left, right) = (self.x(begins_at), self.x(ends_at));
            (left, Percent(right.0 - left.0))
        })
    }

    /// Whether an instant is on the chart.
    pub(super) fn shows(self, at: Timestamp) -> bool {
        at >= self.from && at <= self.until
    }
}

/// An axis of amounts, with round numbers.
#[derive(Clone, Debug)]
pub(super) struct Amounts {
    low: Micros,
    high: Micros,
    /// Round amounts from the lowest to the highest.
    pub(super) ticks: Vec<Micros>,
}

impl Amounts {
    /// An axis that has room for everything from `low` to `high`, and for nothing.
    pub(super) fn around(low: Micros, high: Micros) -> Amounts {
        let (low, high) = (low.min(Micros::ZERO).as_micros(), high.max(Micros::ZERO).as_micros());
        let span = high.saturating_sub(low).max(1_000_000);
        let step = round_step(span / 4);
        let first = low.div_euclid(step);
        let last = -(-high).div_euclid(step);
        let ticks = (first..=last.max(first + 1)).map(|tick| Micros::new(tick.saturating_mul(step)));
        let ticks = ticks.collect::<Vec<_>>();
        Amounts { low: ticks[0], high: ticks[ticks.len() - 1], ticks }
    }

    /// How far from the top of a chart of `height` an amount is.
    pub(super) fn y(&self, amount: Micros, height: f64) -> f64 {
        let span = (self.high - self.low).as_micros() as f64;
        (self.high - amount).as_micros() as f64 / span * height
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below `least`.
fn round_step(least: i64) -> i64 {
    let mut power = 1_i64;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if step >= least || step == i64::MAX {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}
