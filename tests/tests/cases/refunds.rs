//! What goes back is between nothing and what was paid, never grows, and a renewal that is given back can be bought anew.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use serde_json::json;

use crate::case::amount;
use crate::case::play;
use crate::worlds;
use crate::worlds::DAY;
use crate::worlds::instant;

fn unsubscribe(at: &str, scope: &str) -> Value {
    json!({ "at": at, "do": "command", "resource": "r", "command": { "unsubscribe": { "scope": scope } } })
}

fn renew(at: &str, months: u32) -> Value {
    let term = json!({ "count": months, "unit": "month" });
    json!({ "at": at, "do": "command", "resource": "r", "command": { "renew": { "term": term } } })
}

/// An account of either provider, with the kind that it buys.
fn accounts() -> impl Strategy<Value = (Value, &'static str)> {
    let huawei = (
        select(vec!["intl", "cn", "eu"]),
        select(vec![None, Some("hours"), Some("days"), Some("whole_unused_days")]),
        select(vec!["0", "10", "60", "100", "manual"]),
    );
    let huawei = huawei.prop_map(|(site, counts, fee)| {
        let mut settings = json!({ "site": site, "tier": "V5", "handling_fee_percent": fee });
        if let Some(counts) = counts {
            settings["refund_counts"] = counts.into();
        }
        (worlds::account("huawei", &settings), "ecs")
    });
    let baidu = select(vec!["expiry", "renewal"])
        .prop_map(|late| (worlds::account("baidu", &json!({ "late_renewal_from": late })), "eip"));
    prop_oneof![huawei, baidu]
}

/// The refund of the one unsubscription among these events, in millionths.
fn refund(events: &[Value]) -> Option<i64> {
    let event = events.iter().find(|event| event["type"] == "unsubscribed")?;
    Some(amount(&event["refund"]).unwrap())
}

proptest! {
    #![proptest_config(worlds::config(32))]

    #[test]
    fn a_refund_is_at_most_the_payment_and_never_grows(
        (account, kind) in accounts(), ends in worlds::period(), months in 1..=9_u32, from_day in 0..20_i64,
    ) {
        let resource = worlds::resource("r", kind, ends, months, "lapse");
        let expires_at = instant(&resource["expires_at"]);
        let inventory = json!({ "accounts": [account], "resources": [resource] });
        let (first, mut before) = (instant(&worlds::FROM.into()) + from_day * DAY, 31_000_000);
        for hours in (0..40 * 24).step_by(31) {
            let at = first + hours * 3600;
            if at >= expires_at {
                break;
            }
            let scenario = json!([unsubscribe(&at.to_string(), "all")]);
            let events = play(&inventory, &scenario, worlds::FROM, "2026-04-30T00:00:00Z").unwrap();
            let refund = refund(&events).expect("what is active can be unsubscribed from");
            prop_assert!((0..=before).contains(&refund), "{} at {} after {}", refund, at, before);
            before = refund;
        }
    }

    #[test]
    fn a_renewal_that_is_given_back_can_be_bought_again_the_same(
        (account, kind) in accounts(), ends in worlds::period(), months in 1..=9_u32, again in 1..=9_u32,
    ) {
        let resource = worlds::resource("r", kind, ends, months, "lapse");
        let inventory = json!({ "accounts": [account], "resources": [resource] });
        let at = |hour: u32| format!("2026-02-01T{hour:02}:00:00Z");
        prop_assume!(instant(&inventory["resources"][0]["expires_at"]) > instant(&at(12).into()));
        let scenario = json!([renew(&at(1), again), unsubscribe(&at(2), "future"), renew(&at(3), again)]);
        let events = play(&inventory, &scenario, worlds::FROM, &at(12)).unwrap();
        let settled = events.iter().filter(|event| event["type"] == "renewal_settled").collect::<Vec<_>>();
        prop_assert_eq!(settled.len(), 2);
        for field in ["cost", "expires_before", "expires_at", "extra_days"] {
            prop_assert_eq!(&settled[0][field], &settled[1][field], "{}", field);
        }
        prop_assert_eq!(refund(&events), amount(&settled[0]["cost"]), "all of it goes back");
    }

    #[test]
    fn a_running_renewal_is_refunded_by_what_is_left_of_its_own_days(
        (account, kind) in accounts(), day in 2..=20_u32, late_days in 1..=3_i64, unsubscribed_after in 4..=20_i64,
    ) {
        let resource = worlds::resource("r", kind, (2, day), 1, "lapse");
        let expires_at = instant(&resource["expires_at"]);
        let settings = account["settings"].clone();
        let inventory = json!({ "accounts": [account], "resources": [resource] });
        // Half a day past the renewal, so that no way of counting is at a boundary.
        let (renewed_at, at) = (expires_at + late_days * DAY, expires_at + unsubscribed_after * DAY + DAY / 2);
        let scenario = json!([renew(&renewed_at.to_string(), 1), unsubscribe(&at.to_string(), "all")]);
        let events = play(&inventory, &scenario, worlds::FROM, "2026-04-30T00:00:00Z").unwrap();
        let renewed = events.iter().find(|event| event["type"] == "renewal_settled");
        let Some(renewed) = renewed else { return Ok(()) };
        let from_renewal = settings["late_renewal_from"] == "renewal";
        let begins = if from_renewal { renewed_at } else { expires_at };
        let (paid, ends) = (amount(&renewed["cost"]).unwrap(), instant(&renewed["expires_at"]));
        let exact = (ends - at) as f64 / (ends - begins) as f64 * paid as f64;
        let refund = refund(&events).unwrap();
        prop_assert!(refund as f64 <= exact + paid as f64 / 30.0, "{} of {} is more than is left: {}", refund, paid, exact);
        if settings["handling_fee_percent"].as_str().is_none_or(|percent| percent == "0") {
            prop_assert!(refund as f64 >= exact - paid as f64 / 28.0, "{} of {} is less than is left: {}", refund, paid, exact);
        }
    }
}
