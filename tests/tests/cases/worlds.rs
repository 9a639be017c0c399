//! Inventories of both providers with terms, anchors and expiries of many kinds.

use perennial_domain::timestamp::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;
use serde_json::Value;
use serde_json::json;

/// So many cases, always the same ones.
pub fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(0),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// The first instant of every world.
pub(crate) const FROM: &str = "2026-02-01T00:00:00Z";

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// The last instant of the provider's day that is `anchor_day` of the month, or the last of a shorter month.
fn end_of_day(month: u32, anchor_day: u32) -> String {
    let length = if month == 2 { 28 } else { 31 };
    format!("2026-0{month}-{:02}T15:59:59Z", anchor_day.min(length))
}

/// A provider's account, with settings that move no money by themselves.
pub(crate) fn account(provider: &str, settings: &Value) -> Value {
    json!({
        "id": "a", "provider": provider, "mode": "managed", "currency": "CNY", "balance": "1000000.00",
        "settings": settings,
    })
}

/// A resource that was bought a year before its expiry.
pub(crate) fn resource(
    id: &str,
    kind: &str,
    (month, anchor_day): (u32, u32),
    months: u32,
    on_expiry: &str,
) -> Value {
    json!({
        "id": id, "account": "a", "kind": kind, "charging": "prepaid", "started_at": "2025-01-05T02:00:00Z",
        "expires_at": end_of_day(month, anchor_day), "anchor_day": anchor_day,
        "term": { "count": months, "unit": "month" }, "price": "31.00", "on_expiry": on_expiry,
        "attributes": { "status": "running" },
    })
}

/// The end of a first period.
pub(crate) fn period() -> impl Strategy<Value = (u32, u32)> {
    (select(vec![2_u32, 3]), 1..=31_u32)
}

/// A primary that renews itself, and up to four resources attached to it, some with its expiry and some with others.
pub(crate) fn bundle() -> impl Strategy<Value = Value> {
    let attached = (0..2_usize, prop::option::of(period()), select(vec!["renew", "lapse"]), 1..=3_u32);
    let settings = select(vec![
        ("huawei", json!({ "site": "intl" })),
        ("huawei", json!({ "site": "cn", "tier": "V3", "deduction_days": "3" })),
        ("huawei", json!({ "site": "intl", "tries_until": "retention" })),
        ("baidu", json!({})),
        ("baidu", json!({ "try_days": "3,0" })),
    ]);
    (settings, period(), 1..=3_u32, prop::collection::vec(attached, 0..5)).prop_map(
        |((provider, settings), ends, months, attached)| {
            let kinds = if provider == "huawei" { ["ecs", "evs", "eip"] } else { ["bcc", "cds", "eip"] };
            let mut resources = vec![resource("primary", kinds[0], ends, months, "renew")];
            for (place, (kind, own, on_expiry, months)) in attached.into_iter().enumerate() {
                let id = format!("attached-{place}");
                let mut one = resource(&id, kinds[1 + kind], own.unwrap_or(ends), months, on_expiry);
                one["attached_to"] = "primary".into();
                resources.push(one);
            }
            json!({ "accounts": [account(provider, &settings)], "resources": resources })
        },
    )
}

/// The instant of a field.
pub(crate) fn instant(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}
