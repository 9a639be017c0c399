//! A cloud that lists no orders and takes tokens: Baidu AI Cloud. What is in doubt there is called again, as the same call.

use serde_json::Value;
use serde_json::json;

use crate::connected::Pair;
use crate::driving::advance;
use crate::driving::cloud_balance;
use crate::driving::driven_by;
use crate::driving::driven_with_settings;
use crate::driving::post;
use crate::driving::states;
use crate::driving::until_call;

/// An instance with a disk and an address that this host renews on the cloud, with these faults in front of it.
fn pair(faults: &Value) -> Pair {
    pair_of(3, faults)
}

/// The same with the first so many of these resources.
fn pair_of(resources: usize, faults: &Value) -> Pair {
    let resource = |id: &str, kind: &str, price: &str, attached_to: Option<&str>| {
        json!({ "id": id, "account": "acme", "kind": kind, "region": "bj", "charging": "prepaid",
            "started_at": "2026-01-10T02:00:00Z", "expires_at": "2026-03-20T02:00:00Z", "attached_to": attached_to,
            "term": { "count": 1, "unit": "month" }, "price": price, "on_expiry": "lapse" })
    };
    let mut all = vec![
        resource("i-1", "bcc", "100.00", None),
        resource("v-1", "cds", "10.00", Some("i-1")),
        resource("ip-1", "eip", "5.00", Some("i-1")),
    ];
    all.truncate(resources);
    let inventory = json!({
        "accounts": [{ "id": "acme", "provider": "baidu", "currency": "CNY", "balance": "1000.00" }],
        "resources": all,
    });
    let pair = driven_by("host", Pair::of("baidu", &inventory, &faults.to_string()));
    post(&pair, "/v1/resources/i-1:set-auto-renew", &json!({}), 200);
    pair
}

/// What the call of the first try has become, once it is in `state`.
fn tried(pair: &Pair, state: &str) -> Value {
    advance(pair, "2026-03-13T01:00:00Z".parse().unwrap());
    until_call(pair, "1", state, 600)
}

/// The expiries of everything, at the cloud and here, where they are the same.
fn expiries(pair: &Pair) -> Vec<String> {
    let expiry = |id: &str| {
        let path = format!("/v1/resources/{id}");
        let there = pair.cloud.ask_admin("GET", &path, "").json()["expires_at"].clone();
        assert_eq!(pair.ask(&path)["expires_at"], there, "{id}");
        there.as_str().unwrap().to_owned()
    };
    ["i-1", "v-1", "ip-1"].map(expiry).to_vec()
}

#[test]
fn what_the_rule_covers_is_renewed_with_its_instance() {
    let pair = pair(&json!([]));
    assert_eq!(pair.ask("/v1/accounts/acme")["balance"], "1000.00", "what the provider says");
    let history = tried(&pair, "settled");
    assert_eq!(states(&history), ["reserved", "calling", "submitted", "settled"]);
    assert_eq!(expiries(&pair), ["2026-04-20T02:00:00Z"; 3]);
    assert_eq!(cloud_balance(&pair), "885.00");
    assert_eq!(pair.sync(&json!({}))["balance"], "885.00");
    assert_eq!(pair.ask("/v1/drift")["items"], json!([]), "what this host did itself is no drift");
}

#[test]
fn a_call_that_nobody_can_explain_is_made_again_and_paid_once() {
    let lost = json!([{ "fault": "fail_before", "on": "PUT /v2/instance", "times": 2 }]);
    let pair = pair(&lost);
    let history = tried(&pair, "settled");
    let again = ["reserved", "calling", "in_doubt"];
    let expected = [&again[..], &again, &["reserved", "calling", "submitted", "settled"]].concat();
    assert_eq!(states(&history), expected);
    assert_eq!(history["call"]["declines"], 0, "it is the same call");
    assert_eq!(expiries(&pair), ["2026-04-20T02:00:00Z"; 3]);
    assert_eq!(cloud_balance(&pair), "885.00");
}

#[test]
fn a_call_that_shows_too_late_is_answered_as_the_first_time() {
    // Applied without a response; and the readings of the next hour show what there was before.
    let faults = json!([{ "fault": "fail_after", "on": "PUT /v2/instance", "times": 1 },
        { "fault": "stale", "on": "GET /v2/instance/i-1", "times": 9 }]);
    let pair = pair_of(1, &faults);
    let history = tried(&pair, "settled");
    let again = ["reserved", "calling", "in_doubt", "reserved"];
    assert_eq!(states(&history)[..4], again, "{history}");
    assert_eq!(cloud_balance(&pair), "900.00", "paid once");
}

/// A pair whose instance, disk and address the cloud's own auto-renew drives, with these faults in front of the cloud.
fn watched(faults: &Value) -> Pair {
    watched_with(None, &json!({}), faults)
}

/// The same with the disk attached to something, and these settings of the account.
fn watched_with(attached_to: Option<&str>, settings: &Value, faults: &Value) -> Pair {
    let resource = |id: &str, kind: &str| {
        json!({ "id": id, "account": "acme", "kind": kind, "region": "bj", "charging": "prepaid",
            "attached_to": attached_to.filter(|_| kind == "cds"),
            "started_at": "2026-01-10T02:00:00Z", "expires_at": "2026-03-20T02:00:00Z",
            "term": { "count": 1, "unit": "month" }, "price": "100.00", "on_expiry": "lapse" })
    };
    let inventory = json!({
        "accounts": [{ "id": "acme", "provider": "baidu", "currency": "CNY", "balance": "1000.00" }],
        "resources": [resource("i-1", "bcc"), resource("v-1", "cds"), resource("ip-1", "eip")],
    });
    driven_with_settings("provider", Pair::of("baidu", &inventory, &faults.to_string()), settings)
}

/// Has something become pay-as-you-go when it expires, and waits until the call is in `state`.
fn convert(pair: &Pair, id: &str, state: &str) -> Value {
    let accepted = post(pair, &format!("/v1/resources/{id}:convert-on-expiry"), &json!({}), 202);
    until_call(pair, accepted["call"]["id"].as_str().unwrap(), state, 60)
}

/// What happens when something expires, at the cloud and here.
fn on_expiry(pair: &Pair, id: &str) -> [Value; 2] {
    let path = format!("/v1/resources/{id}");
    [pair.cloud.ask_admin("GET", &path, "").json()["on_expiry"].clone(), pair.ask(&path)["on_expiry"].clone()]
}

#[test]
fn a_conversion_that_nothing_shows_is_settled_by_its_response() {
    let pair = watched(&json!([]));
    for id in ["i-1", "v-1"] {
        let history = convert(&pair, id, "settled");
        assert_eq!(states(&history), ["reserved", "calling", "settled"], "{id}");
        assert_eq!(on_expiry(&pair, id), ["convert"; 2], "{id}");
    }
    for body in [json!({ "incremental": true }), json!({})] {
        assert_eq!(pair.sync(&body)["sync"]["state"], "done");
        assert_eq!(pair.ask("/v1/drift")["items"], json!([]), "no field of an instance says that it is set");
    }
    assert_eq!(on_expiry(&pair, "i-1"), ["convert"; 2]);
    // What somebody switched meanwhile is shown.
    pair.in_console("/v1/resources/i-1:cancel-conversion", &json!({}));
    pair.in_console("/v1/resources/i-1:set-auto-renew", &json!({}));
    pair.sync(&json!({}));
    assert_eq!(pair.drift(), ["auto_renew_on i-1: convert -> renew"]);
}

#[test]
fn a_conversion_names_the_disks_that_its_plan_takes_along() {
    let pair = watched_with(Some("i-1"), &json!({ "convert_cds": "all" }), &json!([]));
    convert(&pair, "i-1", "settled");
    for id in ["i-1", "v-1"] {
        assert_eq!(on_expiry(&pair, id), ["convert"; 2], "{id}");
    }
    assert_eq!(pair.sync(&json!({}))["sync"]["state"], "done");
    assert_eq!(pair.ask("/v1/drift")["items"], json!([]));
}

#[test]
fn what_no_document_describes_is_refused_and_says_so() {
    let pair = watched(&json!([]));
    convert(&pair, "i-1", "settled");
    let refused = post(&pair, "/v1/resources/i-1:cancel-conversion", &json!({}), 409);
    assert!(refused.to_string().contains("cancel_conversion"), "{refused}");
    assert_eq!(on_expiry(&pair, "i-1"), ["convert"; 2]);
    convert(&pair, "ip-1", "declined");
    let events = pair.broker.events();
    let said = |event: &&String| event.contains("command_refused ") && event.contains("no document");
    assert_eq!(events.iter().filter(said).count(), 1, "{events:?}");
    assert_eq!(on_expiry(&pair, "ip-1"), ["lapse"; 2]);
}

#[test]
fn a_conversion_without_a_response_is_for_a_person_to_look_at() {
    let lost = json!([{ "fault": "cut", "on": "POST /v2/instance/batch/charging", "times": 1 }]);
    let pair = watched(&lost);
    let history = convert(&pair, "i-1", "in_doubt");
    let id = history["call"]["id"].as_str().unwrap().to_owned();
    assert_eq!(on_expiry(&pair, "i-1"), ["convert", "lapse"], "nobody knows yet");
    let history = until_call(&pair, &id, "with_person", 3_600);
    assert_eq!(states(&history), ["reserved", "calling", "in_doubt", "with_person"], "and it was sent once");
    post(&pair, &format!("/v1/calls/{id}:resolve"), &json!({ "decision": "applied" }), 200);
    assert_eq!(on_expiry(&pair, "i-1"), ["convert"; 2]);
}
