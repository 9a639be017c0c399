//! Nothing is renewed twice for one need: by its own tries and by those of what it is attached to.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use crate::case::play;
use crate::worlds;
use crate::worlds::DAY;
use crate::worlds::instant;

proptest! {
    #![proptest_config(worlds::config(48))]

    #[test]
    fn no_resource_is_renewed_twice_in_one_period_by_two_paths(inventory in worlds::bundle()) {
        let events = play(&inventory, &Value::Null, worlds::FROM, "2027-02-01T00:00:00Z").unwrap();
        let renewals = events.iter().filter(|event| event["type"] == "renewal_settled").collect::<Vec<_>>();
        let mut by_resource = BTreeMap::<&str, Vec<&Value>>::new();
        for &renewal in &renewals {
            by_resource.entry(renewal["resource"].as_str().unwrap()).or_default().push(renewal);
        }
        for (resource, own) in by_resource {
            for pair in own.windows(2) {
                prop_assert_eq!(&pair[0]["expires_at"], &pair[1]["expires_before"], "{}", resource);
                let (first, second) = (instant(&pair[0]["at"]), instant(&pair[1]["at"]));
                // The first, or what it went along with, may have been late: then the next is due a week before the new
                // expiry all the same.
                let due = instant(&leader(&renewals, pair[0])["expires_before"]);
                // What had expired is renewed further at once, until it has caught up with what it is attached to.
                let was_over = instant(&pair[0]["expires_before"]) < first;
                // What caught up by itself goes along with the next renewal, when it would expire before that ends.
                let goes_along = pair[0]["primary"].is_null() && pair[1]["primary"].is_string();
                let is_next = second - first >= 24 * DAY || second - due >= 18 * DAY || was_over || goes_along;
                prop_assert!(is_next, "{} is renewed at {} and {}", resource, pair[0]["at"], pair[1]["at"]);
            }
        }
        // What goes along would otherwise have expired before its primary.
        for along in renewals.iter().filter(|renewal| renewal["primary"].is_string()) {
            let primary = leader(&renewals, along);
            prop_assert!(instant(&along["expires_before"]) < instant(&primary["expires_at"]), "{}", along);
        }
    }
}

/// The renewal that this one went along with, or itself.
fn leader<'a>(renewals: &[&'a Value], renewal: &'a Value) -> &'a Value {
    let leads = |other: &&&Value| other["resource"] == renewal["primary"] && other["at"] == renewal["at"];
    match renewal["primary"].is_string() {
        true => renewals.iter().find(leads).expect("it goes along with something"),
        false => renewal,
    }
}
