//! The crash matrix: one renewal with a cascade of three, and the process ends after each commit, before each call and
//! with each call under way; then at every two of these.

use crate::connected::host::Figures;
use crate::connected::host::Setup;
use crate::connected::host::simulate;

/// A renewal with a cascade of three on a cloud that works, with crashes at these points. A cloud without either tokens or a list
/// of orders leaves doubt to people.
pub fn setup(crashes_at: Vec<u64>, takes_tokens: bool, lists_orders: bool) -> Setup {
    Setup {
        seed: 7,
        bug: None,
        storm_days: 0,
        calm_days: 9,
        faults: 0,
        crash_rate: 0,
        crashes_at,
        bundles: vec![3],
        has_others: false,
        takes_tokens,
        lists_orders,
        is_poor: false,
        partials: 0,
        has_commands: false,
    }
}

/// Runs the whole matrix and returns the figures of each run.
///
/// # Errors
///
/// The points at which the process ended, and the promise that was broken.
pub fn run() -> Result<Vec<Figures>, String> {
    let mut runs = Vec::new();
    for (takes_tokens, lists_orders) in [(false, true), (true, true), (true, false)] {
        let play = |points: Vec<u64>| {
            let result = simulate(&setup(points.clone(), takes_tokens, lists_orders));
            result.map_err(|violation| format!("with crashes at {points:?}: {}", violation.what))
        };
        let whole = play(Vec::new())?;
        let points = whole.points;
        runs.push(whole);
        for first in 1..=points {
            runs.push(play(vec![first])?);
            // After a crash there are more points than before.
            for second in first + 1..=points + 20 {
                runs.push(play(vec![first, second])?);
            }
        }
    }
    Ok(runs)
}
