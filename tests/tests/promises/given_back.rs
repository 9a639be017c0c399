//! What a renewal moved is moved back when it is given back: the same renewal again gives the same period at the same price.

use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

use crate::host::Host;
use crate::host::check;
use crate::world::DAY;
use crate::world::FROM;
use crate::world::World;
use crate::world::instant;

/// A renewal, given back a day later, and the same renewal a day after that.
fn twice(provider: &str, settings: &Value, resource: Value, count: u32, unit: &str) -> World {
    let inventory = json!({
        "accounts": [{
            "id": "a", "provider": provider, "mode": "managed", "currency": "CNY", "balance": "1000000.00",
            "settings": settings,
        }],
        "resources": [resource],
    });
    let renew = json!({ "renew": { "term": { "count": count, "unit": unit },
        "options": if provider == "baidu" { json!({ "clientToken": "first" }) } else { json!({}) } } });
    let mut again = renew.clone();
    if provider == "baidu" {
        again["renew"]["options"]["clientToken"] = json!("second");
    }
    let acts = [renew, json!({ "unsubscribe": { "scope": "future" } }), again];
    let acts = acts.into_iter().zip(1..).map(|(command, day)| {
        json!({ "at": instant(FROM + day * DAY), "do": "command", "resource": "r", "command": command })
    });
    World { inventory: inventory.to_string(), scenario: Value::from_iter(acts).to_string() }
}

fn resource(kind: &str, expires_in: i64) -> Value {
    json!({
        "id": "r", "account": "a", "kind": kind, "region": "bj", "charging": "prepaid",
        "started_at": instant(FROM - 20 * DAY), "expires_at": instant(FROM + expires_in),
        "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "lapse",
    })
}

#[test]
fn the_same_renewal_after_one_that_was_given_back_is_the_same() {
    let terms = (1..4_u32, prop::sample::select(vec!["month", "year"]));
    let expires = (10..300_i64, 0..DAY).prop_map(|(days, seconds)| days * DAY + seconds);
    let day = prop::option::of(1..28_u32);
    let provider = prop::sample::select(vec![("huawei", "ecs"), ("baidu", "bcc")]);
    check(60, (terms, expires, day, provider), |((count, unit), expires, day, (provider, kind))| {
        let settings = match (provider, day) {
            ("huawei", Some(day)) => json!({ "unified_expiry_day": day.to_string() }),
            _ => json!({}),
        };
        let world = twice(provider, &settings, resource(kind, expires), count, unit);
        let mut host = Host::new(&world);
        host.play(FROM, FROM + 4 * DAY);
        let given_back = host.events("unsubscribed");
        let settled = host.events("renewal_settled");
        prop_assert_eq!((given_back.len(), settled.len()), (1, 2), "{:?}", host.lines);
        for field in ["cost", "expires_before", "expires_at", "term", "extra_days"] {
            prop_assert_eq!(&settled[0][field], &settled[1][field], "{}", field);
        }
        prop_assert_eq!(&given_back[0]["refund"], &settled[0]["cost"]);
        Ok(())
    });
}

/// A disk that was aligned with its server, whose day of the month it then has, is given back by its own name.
#[test]
fn a_disk_that_its_own_renewal_moved_is_moved_back() {
    check(40, (1..4_u32, 1..27_i64, 1..80_i64), |(count, behind, expires_in)| {
        let mut world = twice("baidu", &json!({}), resource("cds", expires_in * DAY), count, "month");
        let mut inventory: Value = serde_json::from_str(&world.inventory).unwrap();
        let mut server = resource("bcc", (expires_in - behind).max(1) * DAY + 3_600);
        server["id"] = "server".into();
        let resources = inventory["resources"].as_array_mut().unwrap();
        resources[0]["attached_to"] = "server".into();
        resources.insert(0, server);
        world.inventory = inventory.to_string();
        let mut host = Host::new(&world);
        host.play(FROM, FROM + 4 * DAY);
        let settled = host.events("renewal_settled");
        let own = settled.iter().filter(|event| event["resource"] == "r").collect::<Vec<_>>();
        prop_assert_eq!((host.events("unsubscribed").len(), own.len()), (1, 2), "{:?}", host.lines);
        for field in ["cost", "expires_before", "expires_at", "term", "extra_days"] {
            prop_assert_eq!(&own[0][field], &own[1][field], "{}", field);
        }
        Ok(())
    });
}

/// What somebody does to a server and to what is attached to it: the day, the resource, and the act.
type Act = (i64, &'static str, Value);

/// A renewal of the server by hand; `taken` says whether the disk goes along with it, where the rules have a way to say so.
fn renewed(provider: &str, day: i64, months: u32, taken: bool) -> Vec<Act> {
    let renew = |options: Value| json!({ "renew": { "term": { "count": months, "unit": "month" }, "options": options } });
    let held = |value: &str| json!({ "do": "set_attribute", "resource": "disk", "name": "condition", "value": value });
    match (provider, taken) {
        ("huawei", true) => vec![(day, "server", renew(json!({})))],
        ("huawei", false) => {
            vec![(day, "", held("processing-order")), (day, "server", renew(json!({}))), (day, "", held(""))]
        }
        (_, true) => {
            vec![(day, "server", renew(json!({ "clientToken": "once", "relatedRenewFlag": "CDS_EIP" })))]
        }
        (_, false) => vec![(day, "server", renew(json!({ "clientToken": "once" })))],
    }
}

/// What becomes of a server, its disk and its address, after the fifth day: what is renewed, until when and for how much, and
/// every stage.
fn what_becomes(provider: &str, (on_expiry, expires_in): (&str, [i64; 3]), acts: &[Act]) -> Vec<Vec<Value>> {
    let kinds = if provider == "huawei" { ["ecs", "evs", "eip"] } else { ["bcc", "cds", "eip"] };
    let mut resources = Vec::new();
    for (place, id) in ["server", "disk", "address"].into_iter().enumerate() {
        let mut one = resource(kinds[place], expires_in[place] * DAY);
        one["id"] = id.into();
        if place == 0 {
            one["on_expiry"] = on_expiry.into();
        } else {
            one["attached_to"] = "server".into();
        }
        resources.push(one);
    }
    let inventory = json!({
        "accounts": [{
            "id": "a", "provider": provider, "mode": "managed", "currency": "CNY", "balance": "1000000.00",
            "settings": {},
        }],
        "resources": resources,
    });
    let scenario = acts.iter().zip(0..).map(|((day, resource, act), second)| {
        let mut entry = if resource.is_empty() {
            act.clone()
        } else {
            json!({ "do": "command", "resource": resource, "command": act })
        };
        entry["at"] = instant(FROM + day * DAY + second);
        entry
    });
    let world = World { inventory: inventory.to_string(), scenario: Value::from_iter(scenario).to_string() };
    let mut host = Host::new(&world);
    host.play(FROM, FROM + 90 * DAY);
    let later = ["renewal_settled", "stage_changed"].map(|kind| host.events(kind)).concat();
    let later = later.into_iter().filter(|event| event["at"].as_str() > instant(FROM + 5 * DAY).as_str());
    let fields = ["at", "type", "resource", "cost", "expires_before", "expires_at", "term", "to"];
    later.map(|event| fields.map(|field| event[field].clone()).to_vec()).collect()
}

#[test]
fn everything_goes_on_as_without_a_renewal_that_was_given_back() {
    let expires = [13..50_i64, 13..60_i64, 13..60_i64];
    let renewal = (1..4_u32, any::<bool>());
    let orders = prop::sample::select(vec![
        ["server", "disk", "address"],
        ["disk", "address", "server"],
        ["address", "server", "disk"],
    ]);
    let account =
        (prop::sample::select(vec!["huawei", "baidu"]), prop::sample::select(vec!["renew", "lapse"]));
    let all = (account, expires, renewal, orders);
    check(200, all, |((provider, on_expiry), expires, (months, taken), order)| {
        let mut acts = renewed(provider, 3, months, taken);
        acts.extend(order.map(|id| (4, id, json!({ "unsubscribe": { "scope": "future" } }))));
        let [without, with] =
            [Vec::new(), acts].map(|acts| what_becomes(provider, (on_expiry, expires), &acts));
        prop_assert_eq!(without, with);
        Ok(())
    });
}
