//! What the interpreter of policies may spend. Knows figures; the limits of scripts are its own.

use std::time::Duration;

use crate::runtime::limits::Limits;

/// What the interpreter may spend, where plugins may spend `limits`.
///
/// It meets its own limit of operations first, so that a script's failure has a line: 20,000 operations take some 20 million
/// units of fuel, and where each of them looks at as much as an operation may, measured, some 400 million.
pub(super) fn limits(limits: Limits) -> Limits {
    Limits {
        requests_max: 256,
        items_max: 1_024,
        fuel: 100_000_000,
        fuel_per_item: 1_000_000_000,
        time_max: Duration::from_secs(30),
        ..limits
    }
}
