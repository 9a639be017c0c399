//! What a cloud shows that contradicts what it showed before, or what this host knew: nothing is paid for again by it, nothing loses
//! its renewal, and the operator is told.

use serde_json::Value;
use serde_json::json;

use crate::connected::Pair;
use crate::driving::advance;
use crate::driving::cloud_balance;
use crate::driving::driven_by;
use crate::driving::post;
use crate::driving::states;
use crate::driving::until_call;

fn driven() -> Pair {
    driven_by("host", Pair::with_faults("[]"))
}

fn synced(pair: &Pair) {
    assert_eq!(pair.sync(&json!({}))["sync"]["state"], "done");
}

/// A field of every event of a type.
fn of_events(pair: &Pair, kind: &str, field: &str) -> Vec<Value> {
    let events = pair.ask(&format!("/v1/events?type={kind}"))["items"].clone();
    events.as_array().unwrap().iter().map(|event| event[field].clone()).collect()
}

fn at_cloud(pair: &Pair, id: &str, field: &str) -> Value {
    pair.cloud.ask_admin("GET", &format!("/v1/resources/{id}"), "").json()[field].clone()
}

#[test]
fn an_expiry_that_goes_back_after_a_renewal_pays_for_nothing() {
    let pair = driven();
    let renewed = post(&pair, "/v1/resources/ecs-2:renew", &json!({}), 202);
    let id = renewed["call"]["id"].as_str().unwrap();
    until_call(&pair, id, "settled", 10);
    post(&pair, "/v1/resources/ecs-2:set-auto-renew", &json!({}), 200);
    let paid = cloud_balance(&pair);
    // For this host, a listing from before the renewal looks the same.
    pair.in_console("/v1/resources/ecs-2:unsubscribe", &json!({ "scope": "future" }));
    assert_ne!(cloud_balance(&pair), paid);
    synced(&pair);
    let later = pair.broker.now() + 3_600;
    advance(&pair, later);
    synced(&pair);
    assert_eq!(pair.ask("/v1/resources/ecs-2")["expires_at"], "2026-04-25T15:59:59Z");
    assert_eq!(pair.ask(&format!("/v1/calls/{id}"))["call"]["state"], "settled");
    assert_eq!(pair.ask("/v1/drift")["items"].as_array().unwrap().len(), 1, "said once a day");
    assert_eq!(of_events(&pair, "renewal_in_doubt", "code"), ["shortened"]);
    assert_eq!(of_events(&pair, "renewal_in_doubt", "account"), ["acme"]);
    // Behind the last try for the expiry that the cloud shows.
    advance(&pair, "2026-03-25T15:00:00Z".parse().unwrap());
    assert_eq!(
        pair.ask("/v1/calls?resource=ecs-2")["items"].as_array().unwrap().len(),
        1,
        "nothing is paid for"
    );
    post(&pair, "/v1/calls/99:resolve", &json!({ "decision": "given_back" }), 404);
    let resolved = post(&pair, &format!("/v1/calls/{id}:resolve"), &json!({ "decision": "given_back" }), 200);
    assert_eq!(states(&resolved).last(), Some(&"void"));
    synced(&pair);
    assert_eq!(pair.ask("/v1/resources/ecs-2")["expires_at"], "2026-03-25T15:59:59Z", "now it is believed");
}

#[test]
fn what_was_renewed_meanwhile_says_whose_it_is() {
    let pair = driven();
    pair.in_console("/v1/resources/ecs-2:renew", &json!({}));
    let renewed = post(&pair, "/v1/resources/ecs-2:renew", &json!({}), 202);
    until_call(&pair, renewed["call"]["id"].as_str().unwrap(), "void", 10);
    assert_eq!(of_events(&pair, "renewal_in_doubt", "code"), ["done_already"]);
    assert_eq!(of_events(&pair, "renewal_in_doubt", "account"), ["acme"]);
}

#[test]
fn what_this_host_renews_renews_itself_when_its_provider_takes_over() {
    let pair = driven();
    post(&pair, "/v1/resources/ecs-2:set-auto-renew", &json!({}), 200);
    assert_eq!(at_cloud(&pair, "ecs-2", "on_expiry"), "lapse", "this host renews it");
    post(&pair, "/v1/connections/acme:drive", &json!({ "driver": "provider" }), 200);
    synced(&pair);
    assert_eq!(pair.ask("/v1/resources/ecs-2")["on_expiry"], "renew", "before it is switched");
    let calls = pair.ask("/v1/calls?resource=ecs-2")["items"].clone();
    until_call(&pair, calls[0]["id"].as_str().unwrap(), "settled", 10);
    synced(&pair);
    let both = [at_cloud(&pair, "ecs-2", "on_expiry"), pair.ask("/v1/resources/ecs-2")["on_expiry"].clone()];
    assert_eq!(both, ["renew"; 2]);
}

#[test]
fn renewals_below_the_ceiling_leave_one_after_the_other() {
    let pair = driven();
    post(&pair, "/v1/connections/acme:limit-spending", &json!({ "per_hour": "120.00" }), 200);
    let calls = ["ecs-1", "ecs-2"].map(|id| {
        let accepted = post(&pair, &format!("/v1/resources/{id}:renew"), &json!({}), 202);
        accepted["call"]["id"].as_str().unwrap().to_owned()
    });
    until_call(&pair, &calls[0], "settled", 10);
    assert_eq!(
        pair.ask(&format!("/v1/calls/{}", calls[1]))["call"]["state"],
        "reserved",
        "both are above it"
    );
    let an_hour_later = pair.broker.now() + 3_600;
    advance(&pair, an_hour_later);
    until_call(&pair, &calls[1], "settled", 10);
}

#[test]
fn a_renewal_above_the_ceiling_raises_an_alarm_once() {
    let pair = driven();
    post(&pair, "/v1/connections/acme:limit-spending", &json!({ "per_hour": "20.00" }), 200);
    post(&pair, "/v1/resources/ecs-2:renew", &json!({}), 202);
    let later = pair.broker.now() + 600;
    advance(&pair, later);
    pair.broker.wait_until("an alarm is raised", |broker| {
        let events = broker.ask_admin("GET", "/v1/events?type=sending_late", "").json();
        !events["items"].as_array().unwrap().is_empty()
    });
    let later = pair.broker.now() + 600;
    advance(&pair, later);
    pair.sync(&json!({}));
    assert_eq!(of_events(&pair, "sending_late", "renewals"), [1]);
}

#[test]
fn a_forecast_leaves_out_what_waits_for_a_person() {
    let pair = driven();
    post(&pair, "/v1/resources/ecs-2:set-auto-renew", &json!({}), 200);
    let renewed = post(&pair, "/v1/resources/ecs-2:renew", &json!({}), 202);
    let id = renewed["call"]["id"].as_str().unwrap();
    until_call(&pair, id, "submitted", 1);
    pair.in_console("/v1/resources/ecs-2:renew", &json!({}));
    let history = until_call(&pair, id, "with_person", 60);
    let said = history["call"]["said"]["message"].as_str().unwrap();
    let shown =
        "`ecs-2` expires 2026-05-25T15:59:59Z (before: 2026-03-25T15:59:59Z, planned: 2026-04-25T15:59:59Z)";
    assert!(said.contains(shown) && said.contains("perennial calls resolve"), "{said}");
    let forecast = pair.ask("/v1/forecast?months=3");
    assert!(forecast["accounts"][0]["months"].is_array(), "{forecast}");
}
