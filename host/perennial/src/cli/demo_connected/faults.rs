//! What goes wrong in the season, by a seed: some of the calls that pay, and some of those that read.

use perennial_formats::faults;
use perennial_formats::faults::FaultRule;
use serde_json::Value;
use serde_json::json;

/// What goes wrong with calls that pay. Each is met once.
const PAYING: [&str; 8] =
    ["cut", "fail_before", "fail_after", "throttle", "garbage", "cut", "fail_after", "fail_before"];
/// What goes wrong with calls that read.
const READING: [&str; 4] = ["fail_before", "throttle", "stale", "cut"];
/// The routes that pay ...
const PAY: [&str; 4] =
    ["POST /v2/orders/subscriptions/resources/renew", "PUT /v2/instance", "PUT /v2/volume", "PUT /v1/eip"];
/// ... and those that read.
const READ: [&str; 2] = ["POST /v2/orders/suscriptions/resources/query", "GET /v2/instance"];
/// Of so many calls that pay one goes wrong, as far as chance has it ...
const PAY_SKIP: u64 = 3;
/// ... and of so many that read.
const READ_SKIP: u64 = 40;

/// The faults of a seed as a file for `perennial sandbox --faults`.
pub(super) fn file(seed: u64) -> String {
    let list = rules(seed);
    let lines = list.iter().map(|rule| format!("  {rule}")).collect::<Vec<_>>().join(",\n");
    format!("[\n{lines}\n]\n")
}

/// The faults of a seed, as the sandbox takes them.
///
/// # Errors
///
/// Never for a seed; the file is read like any other.
pub(super) fn of(seed: u64) -> anyhow::Result<Vec<FaultRule>> {
    faults::read(&file(seed)).map_err(|problems| anyhow::anyhow!("the faults of the demo: {problems:?}"))
}

fn rules(seed: u64) -> Vec<Value> {
    let mut state = seed;
    let mut below = |bound: u64| {
        // SplitMix64, as the sandbox draws.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    };
    let mut rules = Vec::new();
    for (faults, routes, skip) in [(&PAYING[..], &PAY[..], PAY_SKIP), (&READING[..], &READ[..], READ_SKIP)] {
        for route in routes {
            for _ in 0..faults.len() {
                let fault = faults[usize::try_from(below(faults.len() as u64)).unwrap_or_default()];
                rules.push(
                    json!({ "fault": fault, "on": route, "skip": below(skip), "times": 1, "seconds": 1 }),
                );
            }
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_gives_faults_that_the_sandbox_takes() {
        for seed in 0..50 {
            let (paying, reading) = (PAY.len() * PAYING.len(), READ.len() * READING.len());
            assert_eq!(of(seed).unwrap().len(), paying + reading, "seed {seed}");
        }
        assert_ne!(file(1), file(2));
    }
}
