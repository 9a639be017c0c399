//! Syncs that read what can have changed: what they find, what they leave to a full one, and that nothing ends by them.

use std::collections::BTreeMap;

use perennial_domain::bundle::Charging;
use perennial_domain::bundle::Stage;
use perennial_domain::connector::CloudResource;
use perennial_engine::adoption::Adoption;
use perennial_engine::adoption::CloudInventory;
use perennial_service::connections::Connections;
use serde_json::Value;
use serde_json::json;

use crate::connected::OPEN;
use crate::connected::Pair;

/// What can have changed is read until there is nothing more to read.
fn incremental(pair: &Pair) -> Value {
    pair.sync(&json!({ "incremental": true }))["sync"].clone()
}

/// Lets a change of the cloud's be shown, which takes a while.
fn wait(pair: &Pair) {
    for clock in [&pair.cloud, &pair.broker] {
        clock.advance("2026-03-01T00:05:00Z".parse().unwrap());
    }
}

/// Its state, scope, and how many resources it read with how many requests.
fn shown(sync: &Value) -> String {
    let text = |name: &str| sync[name].as_str().unwrap_or("-").to_owned();
    format!("{} {}: {} in {} requests", text("state"), text("scope"), sync["listed"], sync["requests"])
}

#[test]
fn what_was_ordered_is_found_with_a_few_requests_and_nothing_else() {
    let pair = Pair::start().read();
    let before = pair.ask("/v1/connections/acme")["sync"].clone();
    assert_eq!(shown(&before), "done full: 4 in 1 requests");
    assert_eq!((&before["changes_since"], &before["expires_until"]), (&Value::Null, &Value::Null));
    pair.in_console("/v1/resources/ecs-2:renew", &json!({}));
    pair.in_console("/v1/resources/eip-1:set-auto-renew", &json!({}));
    let sync = incremental(&pair);
    // What expires by then, the orders, and what the one that there is was about.
    assert_eq!(shown(&sync), "done incremental: 1 in 3 requests");
    assert_eq!(sync["changes_since"], "2026-02-28T23:00:00Z", "an order may take an hour");
    assert_eq!(sync["expires_until"], "2026-03-11T00:00:00Z");
    assert_eq!(pair.drift(), ["renewed ecs-2: 2026-03-25T15:59:59Z -> 2026-04-25T15:59:59Z"]);
    assert_eq!(pair.ask("/v1/resources/ecs-2")["expires_at"], "2026-04-25T15:59:59Z");
    assert_eq!(pair.ask("/v1/resources/eip-1")["on_expiry"], "lapse", "no order says that it was switched");
    assert_eq!(shown(&pair.sync(&json!({}))["sync"]), "done full: 4 in 1 requests");
    assert_eq!(pair.drift()[1..], ["auto_renew_on eip-1: lapse -> renew"]);
}

#[test]
fn what_an_incremental_sync_does_not_find_is_not_gone() {
    let pair = Pair::start().read();
    pair.in_console("/v1/resources/eip-1:unsubscribe", &json!({ "scope": "all" }));
    // It expires within ten days by now, so it is asked for by its id.
    pair.broker.advance("2026-03-28T00:00:00Z".parse().unwrap());
    pair.cloud.advance("2026-03-28T00:00:00Z".parse().unwrap());
    assert_eq!(incremental(&pair)["state"], "done");
    assert!(pair.drift().iter().all(|line| !line.starts_with("gone")), "{:?}", pair.drift());
    assert_eq!(pair.ask("/v1/resources/eip-1")["stage"], "active");
    pair.sync(&json!({}));
    assert!(pair.drift().contains(&"gone eip-1: 2026-04-01T15:59:59Z -> -".to_owned()), "{:?}", pair.drift());
}

#[test]
fn what_expires_soon_is_read_where_no_order_tells_of_it() {
    let pair = Pair::start().read();
    for clock in [&pair.broker, &pair.cloud] {
        clock.advance("2026-03-16T00:00:00Z".parse().unwrap());
    }
    pair.in_console("/v1/resources/ecs-2:set-auto-renew", &json!({}));
    let sync = incremental(&pair);
    assert_eq!(sync["state"], "done");
    assert!(pair.drift().contains(&"auto_renew_on ecs-2: lapse -> renew".to_owned()), "{:?}", pair.drift());
}

/// Takes over a disk that is attached to `parent`, as an incremental sync that read nothing else would.
fn adopt_disk(pair: &Pair, id: &str, parent: &str) -> Adoption {
    let disk = CloudResource {
        id: id.to_owned(),
        kind: "evs".to_owned(),
        name: String::new(),
        attached_to: Some(parent.to_owned()),
        region: "cn-north-4".to_owned(),
        charging: Charging::Prepaid,
        stage: Stage::Active,
        started_at: None,
        expires_at: Some("2026-03-20T15:59:59Z".parse().unwrap()),
        term: None,
        on_expiry: None,
        renewals_left: None,
        renewal_term: None,
        price: None,
        has_unpaid_order: None,
        attributes: BTreeMap::new(),
        tags: BTreeMap::new(),
    };
    pair.broker.on_writer(move |writer| {
        let inventory = CloudInventory {
            account: "acme",
            resources: &[disk],
            gone: &[],
            is_first: false,
            is_whole: false,
        };
        let at = writer.now();
        writer.engine.in_transaction(|engine| engine.adopt_inventory(at, inventory)).unwrap()
    })
}

#[test]
fn what_is_new_hangs_on_what_is_known_although_that_was_not_read() {
    let pair = Pair::start().read();
    assert_eq!(adopt_disk(&pair, "evs-2", "ecs-1").new, 1);
    assert_eq!(pair.drift(), ["new evs-2: - -> 2026-03-20T15:59:59Z"]);
    assert_eq!(pair.ask("/v1/resources/evs-2")["attached_to"], "ecs-1");
    let again = adopt_disk(&pair, "evs-1", "ecs-1");
    assert_eq!((again.new, again.drifts.len()), (0, 0), "it hangs where it did");
}

#[test]
fn what_hangs_on_something_unknown_waits_for_a_full_sync() {
    let pair = Pair::start().read();
    let adopted = adopt_disk(&pair, "evs-9", "ecs-9");
    assert_eq!((adopted.new, adopted.drifts.len(), adopted.events.len()), (0, 0, 0));
    assert_eq!(pair.broker.ask_admin("GET", "/v1/resources/evs-9", "").status, 404);
}

#[test]
fn an_incremental_sync_goes_on_where_a_failure_stopped_it() {
    let faults = r#"[{"fault": "fail_before", "on": "GET /v2/orders/customer-orders", "times": 1}]"#;
    let pair = Pair::with_faults(faults).read();
    pair.in_console("/v1/resources/ecs-2:renew", &json!({}));
    let answer = pair.broker.post_to_admin("/v1/connections/acme:sync", &json!({ "incremental": true }));
    assert_ne!(answer.status, 200, "{}", answer.body);
    let stopped = pair.ask("/v1/connections/acme")["sync"].clone();
    assert_eq!(shown(&stopped), "listing incremental: 0 in 1 requests");
    assert_ne!(stopped["problem"], Value::Null);
    assert_eq!(
        shown(&incremental(&pair)),
        "done incremental: 1 in 3 requests",
        "what was read is not read again"
    );
    assert_eq!(pair.drift().len(), 1);
}

#[test]
fn a_full_sync_that_is_wanted_takes_the_place_of_an_incremental_one() {
    let faults = r#"[{"fault": "fail_before", "on": "GET /v2/orders/customer-orders", "times": 1}]"#;
    let pair = Pair::with_faults(faults).read();
    pair.in_console("/v1/resources/eip-1:unsubscribe", &json!({ "scope": "all" }));
    pair.broker.post_to_admin("/v1/connections/acme:sync", &json!({ "incremental": true }));
    let sync = pair.sync(&json!({}))["sync"].clone();
    assert_eq!((&sync["state"], &sync["scope"]), (&json!("done"), &json!("full")));
    assert_eq!(pair.drift(), ["gone eip-1: 2026-04-01T15:59:59Z -> -"]);
}

#[test]
fn a_key_that_may_not_list_orders_still_has_what_expires_soon_read() {
    let pair = Pair::start().read();
    let reads = json!({ "reads": ["list-resources", "read-balance"] });
    assert_eq!(pair.broker.post_to_admin("/v1/connections/acme:grant", &reads).status, 200);
    pair.in_console("/v1/resources/ecs-2:renew", &json!({}));
    let sync = incremental(&pair);
    assert_eq!(shown(&sync), "done incremental: 0 in 1 requests");
    assert_eq!(sync["changes_since"], Value::Null, "nobody says that nothing was ordered");
    assert_eq!(pair.drift(), [""; 0]);
}

#[test]
fn an_account_that_was_never_read_or_is_suspicious_is_read_whole() {
    let pair = Pair::start();
    assert_eq!(pair.connect_with_key().status, 201);
    assert_eq!(shown(&incremental(&pair)), "done full: 4 in 1 requests");
    for id in ["ecs-1", "ecs-2"] {
        pair.in_console(&format!("/v1/resources/{id}:unsubscribe"), &json!({ "scope": "all" }));
    }
    assert_eq!(pair.sync(&json!({}))["sync"]["state"], "suspicious");
    assert_eq!(incremental(&pair)["state"], "suspicious", "until somebody has looked");
}

/// An account of Baidu AI Cloud with so many instances that expire soon, and one that does not.
fn baidu(instances: usize) -> Pair {
    let instance = |id: String, expires_at: &str| {
        json!({ "id": id, "account": "acme", "kind": "bcc", "region": "bj", "charging": "prepaid",
            "started_at": "2026-01-10T02:00:00Z", "expires_at": expires_at, "term": { "count": 1, "unit": "month" },
            "price": "100.00", "on_expiry": "lapse" })
    };
    let soon = (0..instances).map(|number| instance(format!("i-{number}"), "2026-03-09T02:00:00Z"));
    let resources = soon.chain([instance("far".to_owned(), "2026-06-09T02:00:00Z")]).collect::<Vec<_>>();
    let inventory = json!({
        "accounts": [{ "id": "acme", "provider": "baidu", "currency": "CNY", "balance": "100000.00" }],
        "resources": resources,
    });
    let unmetered = Connections { is_unmetered: true, ..OPEN };
    Pair::called_by(&unmetered, "baidu", &inventory, "[]").read()
}

#[test]
fn where_no_list_is_narrowed_what_expires_soon_is_asked_for_by_its_id() {
    let pair = baidu(2);
    pair.in_console("/v1/resources/i-1:renew", &json!({}));
    pair.in_console("/v1/resources/far:renew", &json!({}));
    wait(&pair);
    let sync = incremental(&pair);
    assert_eq!(shown(&sync), "done incremental: 2 in 2 requests");
    assert_eq!(sync["changes_since"], Value::Null);
    assert_eq!(pair.drift(), ["renewed i-1: 2026-03-09T02:00:00Z -> 2026-04-09T02:00:00Z"]);
    pair.sync(&json!({}));
    assert_eq!(pair.drift()[1..], ["renewed far: 2026-06-09T02:00:00Z -> 2026-07-09T02:00:00Z"]);
}

#[test]
fn where_so_much_is_to_be_asked_for_everything_is_read_instead() {
    let pair = baidu(205);
    pair.in_console("/v1/resources/far:renew", &json!({}));
    wait(&pair);
    let sync = incremental(&pair);
    assert_eq!(
        (&sync["state"], &sync["scope"], &sync["listed"]),
        (&json!("done"), &json!("full"), &json!(206))
    );
    // An endpoint of the operator's is asked once for each of the three kinds.
    assert_eq!(sync["requests"], 203);
    assert_eq!(pair.drift(), ["renewed far: 2026-06-09T02:00:00Z -> 2026-07-09T02:00:00Z"]);
}

#[test]
fn a_running_host_reads_what_changed_every_quarter_of_an_hour() {
    let pair = Pair::start().read();
    pair.broker.refresh();
    pair.in_console("/v1/resources/ecs-2:renew", &json!({}));
    pair.broker.advance("2026-03-01T00:14:59Z".parse().unwrap());
    pair.cloud.advance("2026-03-01T00:15:01Z".parse().unwrap());
    pair.broker.advance("2026-03-01T00:15:01Z".parse().unwrap());
    pair.broker.wait_until("the renewal of the console is found", |_| !pair.drift().is_empty());
    assert_eq!(pair.ask("/v1/drift")["items"][0]["found_at"], "2026-03-01T00:15:01Z", "and not before");
    assert_eq!(pair.ask("/v1/connections/acme")["sync"]["scope"], "incremental");
}
