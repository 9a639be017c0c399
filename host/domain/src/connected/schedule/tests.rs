//! Spreading, and the latest safe start.

use crate::attempt::Key;
use crate::connected::schedule::jitter;
use crate::connected::schedule::latest_safe_start;
use crate::sample::at;

#[test]
fn jitter_is_the_same_for_a_key_and_spreads_keys() {
    let key = |number: u32| Key { resource: format!("ecs-{number}"), expires_before: at("2026-03-10") };
    let mut counts = [0_u32; 10];
    for number in 0..10_000 {
        assert_eq!(jitter(&key(number), 10), jitter(&key(number), 10));
        counts[usize::try_from(jitter(&key(number), 10)).unwrap()] += 1;
    }
    assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
    assert_eq!(jitter(&key(1), 0), 0);
}

#[test]
fn a_unified_day_of_a_hundred_thousand_starts_early_enough() {
    // Ten calls a second with ten ids each: 1,000 seconds.
    let start = latest_safe_start(at("2026-03-31T16:00:00"), 100_000, 10, 600);
    assert_eq!(start, at("2026-03-31T15:43:20"));
    // One call a minute with one id: longer than there is.
    assert!(latest_safe_start(at("2026-03-31"), 100_000, 1, 1) < at("2026-01-31"));
    assert_eq!(latest_safe_start(at("2026-03-31"), 0, 0, 0), at("2026-03-31"));
}
