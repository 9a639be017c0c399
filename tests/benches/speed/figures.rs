//! How figures are taken and printed. Knows nothing of what is measured.

use std::time::Duration;
use std::time::Instant;

/// Measures how long `work` takes.
pub fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

/// The best of the times so far, and this one.
pub fn keep_best(best: &mut Duration, taken: Duration) {
    *best = taken.min(*best);
}

/// Begins a table: what it is about and how it was measured.
pub fn title(title: &str, how: &str) {
    println!("\n{title}\n  {how}");
    println!(
        "  {:<44} {:>12}   {:<44} {:>12} {:>7} {:>7}",
        "what", "takes", "compared with", "takes", "ratio", "reach"
    );
}

/// What a ratio is to be.
#[derive(Clone, Copy, Debug)]
pub enum Reach {
    /// This or less, of what something takes.
    AtMost(f64),
    /// This or more, of what somebody gets.
    AtLeast(f64),
}

/// One row: a time against another, and the ratio that is to be reached, if one is.
pub fn row(what: &str, took: Duration, compared_with: &str, other: Duration, reach: Option<f64>) {
    let ratio = took.as_secs_f64() / other.as_secs_f64();
    let reach = reach.map(Reach::AtMost);
    cells(what, &duration(took), compared_with, &duration(other), ratio, reach);
}

/// The same, of any figures.
pub fn cells(what: &str, figure: &str, compared_with: &str, other: &str, ratio: f64, reach: Option<Reach>) {
    let (reach, is_reached) = match reach {
        Some(Reach::AtMost(most)) => (format!("≤ {most:.1}"), ratio <= most),
        Some(Reach::AtLeast(least)) => (format!("≥ {least:.1}"), ratio >= least),
        None => (String::new(), true),
    };
    let verdict = if is_reached { "" } else { "  not reached" };
    println!("  {what:<44} {figure:>12}   {compared_with:<44} {other:>12} {ratio:>7.2} {reach:>7}{verdict}");
}

/// A time, in the unit that suits it.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        0.0..0.001 => format!("{:.2} µs", seconds * 1e6),
        0.001..1.0 => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{seconds:.1} s"),
    }
}

/// An equal share of a time.
pub fn share(time: Duration, among: u32) -> Duration {
    time / among
}
