//! Accounts that this host drives: renewals become calls, which are sent, read back and settled, once.

use std::time::Duration;
use std::time::Instant;

use perennial_domain::timestamp::Timestamp;
use perennial_test_support::provider_server::Server;
use serde_json::Value;
use serde_json::json;

use crate::connected::Pair;

/// The route that renews, as faults name it.
const RENEW: &str = "POST /v2/orders/subscriptions/resources/renew";

/// A pair whose account the broker's clock drives, with these faults in front of the cloud.
fn driven(faults: &str) -> Pair {
    driven_by("host", Pair::with_faults(faults))
}

/// A pair whose account `driver` drives.
pub(crate) fn driven_by(driver: &str, pair: Pair) -> Pair {
    driven_with_settings(driver, pair, &json!({}))
}

/// The same with these settings of the account.
pub(crate) fn driven_with_settings(driver: &str, pair: Pair, settings: &Value) -> Pair {
    let pair = pair.read_with_settings(settings);
    post(&pair, "/v1/connections/acme:drive", &json!({ "driver": driver }), 200);
    pair.broker.dispatch();
    pair
}

pub(crate) fn post(pair: &Pair, path: &str, body: &Value, status: u16) -> Value {
    let answer = pair.broker.post_to_admin(path, body);
    assert_eq!(answer.status, status, "{path}: {}", answer.body);
    answer.json()
}

/// Moves both clocks on to `to`.
pub(crate) fn advance(pair: &Pair, to: Timestamp) {
    pair.cloud.advance(to);
    pair.broker.advance(to);
}

/// Moves both clocks on, `seconds` at a time, until the first call is in `state`; returns it with its history.
fn until(pair: &Pair, state: &str, seconds: i64) -> Value {
    until_call(pair, "1", state, seconds)
}

/// The same for the call with this number.
pub(crate) fn until_call(pair: &Pair, call: &str, state: &str, seconds: i64) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    let path = format!("/v1/calls/{call}");
    loop {
        let found = pair.broker.ask_admin("GET", &path, "");
        if found.status == 200 && found.json()["call"]["state"] == state {
            return found.json();
        }
        assert!(Instant::now() < deadline, "in vain for {state}: {}", found.body);
        let next = pair.broker.now() + seconds;
        advance(pair, next);
        pair.broker.wait_until("nothing is due at this instant any more", |broker| !is_busy(broker, &path));
    }
}

/// Whether something is to be done about a call now.
fn is_busy(broker: &Server, path: &str) -> bool {
    let found = broker.ask_admin("GET", path, "");
    if found.status != 200 {
        return false;
    }
    let call = found.json()["call"].clone();
    let act_at = call["act_at"].as_str().map(|at| at.parse::<Timestamp>().unwrap());
    call["state"] == "calling" || act_at.is_some_and(|at| at <= broker.now())
}

/// The states that a call has been in.
pub(crate) fn states(history: &Value) -> Vec<&str> {
    history["steps"].as_array().unwrap().iter().map(|step| step["state"].as_str().unwrap()).collect()
}

pub(crate) fn cloud_balance(pair: &Pair) -> Value {
    pair.cloud.ask_admin("GET", "/v1/accounts/acme", "").json()["balance"].clone()
}

fn expiry(pair: &Pair, id: &str) -> [Value; 2] {
    let path = format!("/v1/resources/{id}");
    let expiry = |answer: Value| answer["expires_at"].clone();
    [expiry(pair.cloud.ask_admin("GET", &path, "").json()), expiry(pair.ask(&path))]
}

#[test]
fn a_renewal_by_a_person_is_called_read_back_and_settled_once() {
    let pair = driven("[]");
    assert_eq!(pair.ask("/v1/accounts/acme")["balance"], "1000.00", "what the provider says");
    let accepted = post(&pair, "/v1/resources/ecs-1:renew", &json!({}), 202);
    assert_eq!((&accepted["call"]["id"], &accepted["call"]["cost"]), (&json!("1"), &json!("109.00")));
    let again = post(&pair, "/v1/resources/ecs-1:renew", &json!({}), 409);
    assert_eq!(again["refusal"]["code"], "renewal_under_way", "{again}");
    let history = until(&pair, "settled", 10);
    assert_eq!(states(&history), ["reserved", "calling", "submitted", "settled"]);
    assert_eq!(history["call"]["orders"].as_array().unwrap().len(), 1, "{history}");
    for id in ["ecs-1", "evs-1"] {
        assert_eq!(expiry(&pair, id), ["2026-04-20T15:59:59Z"; 2], "{id}");
    }
    assert_eq!(cloud_balance(&pair), "891.00");
    let account = pair.ask("/v1/accounts/acme");
    assert_eq!((&account["balance"], &account["held"]), (&json!("891.00"), &json!("0.00")), "{account}");
    let view = pair.sync(&json!({}));
    assert_eq!((&view["balance"], &view["summary"]["resources"]), (&json!("891.00"), &json!(4)));
    assert_eq!(pair.ask("/v1/drift")["items"], json!([]), "what this host did itself is no drift");
}

#[test]
fn a_budget_sees_what_is_held_for_calls_that_are_not_settled_yet() {
    let pair = driven("[]");
    assert_eq!(pair.broker.ask_admin("PATCH", "/v1/accounts/acme", r#"{"budget": "150.00"}"#).status, 200);
    let file = "[[policy]]\nname = \"within\"\nscript = \"within.rhai\"\n";
    let script = r#"fn rule(plan) { if plan.cost > plan.budget.left { return deny("over") } approve() }"#;
    post(&pair, "/v1/policies", &json!({ "file": file, "scripts": { "within.rhai": script } }), 200);
    post(&pair, "/v1/resources/ecs-1:renew", &json!({}), 202);
    let refused = post(&pair, "/v1/resources/ecs-2:renew", &json!({}), 409);
    assert_eq!(refused["refusal"]["code"], "policy", "{refused}");
}

#[test]
fn the_clock_renews_what_the_cloud_does_not_renew_by_itself() {
    let pair = driven("[]");
    pair.in_console("/v1/resources/ecs-1:cancel-auto-renew", &json!({}));
    assert_eq!(pair.sync(&json!({}))["sync"]["state"], "done");
    assert_eq!(pair.ask("/v1/resources/ecs-1")["on_expiry"], "renew", "who renews is this host");
    advance(&pair, "2026-03-13T21:00:00Z".parse().unwrap());
    let history = until(&pair, "settled", 60);
    assert_eq!(states(&history), ["reserved", "calling", "submitted", "settled"]);
    assert_eq!(expiry(&pair, "ecs-1"), ["2026-04-20T15:59:59Z"; 2]);
    advance(&pair, "2026-03-19T21:00:00Z".parse().unwrap());
    assert_eq!(pair.ask("/v1/calls")["items"].as_array().unwrap().len(), 1, "one for the whole period");
    assert_eq!(cloud_balance(&pair), "891.00");
}

#[test]
fn what_the_cloud_renewed_by_itself_is_not_renewed_again() {
    let pair = driven("[]");
    advance(&pair, "2026-03-13T21:00:00Z".parse().unwrap());
    let history = until(&pair, "void", 60);
    assert_eq!(states(&history), ["reserved", "void"]);
    assert_eq!(cloud_balance(&pair), "891.00", "by the cloud's own auto-renew");
    let account = pair.ask("/v1/accounts/acme");
    assert_eq!(account["held"], "0.00", "{account}");
}

#[test]
fn a_renewal_whose_response_is_lost_is_in_doubt_and_never_sent_again() {
    let faults = format!(r#"[{{"fault": "cut", "on": "{RENEW}", "times": 1}}]"#);
    let pair = driven(&faults);
    post(&pair, "/v1/resources/ecs-1:renew", &json!({}), 202);
    let history = until(&pair, "settled", 10);
    let states = states(&history);
    assert_eq!(states[..3], ["reserved", "calling", "in_doubt"], "{history}");
    assert_eq!(history["steps"][2]["said"]["code"], "no_response", "{history}");
    assert_eq!((cloud_balance(&pair), states.last()), (json!("891.00"), Some(&"settled")));
}

#[test]
fn what_never_arrived_is_found_out_and_tried_again_once() {
    let faults = format!(r#"[{{"fault": "fail_before", "on": "{RENEW}", "times": 1}}]"#);
    let pair = driven(&faults);
    post(&pair, "/v1/resources/ecs-1:renew", &json!({}), 202);
    let history = until(&pair, "settled", 600);
    let states = states(&history);
    assert!(states.contains(&"in_doubt") || states.contains(&"declined"), "{history}");
    assert_eq!((cloud_balance(&pair), &history["call"]["declines"]), (json!("891.00"), &json!(1)));
}

/// When the first call was sent.
fn called_at(history: &Value) -> Timestamp {
    let steps = history["steps"].as_array().unwrap();
    let calling = steps.iter().find(|step| step["state"] == "calling").unwrap();
    calling["at"].as_str().unwrap().parse().unwrap()
}

#[test]
fn nothing_is_sent_while_sending_is_paused() {
    for (pause, resume) in [
        ("/v1/connections:pause", "/v1/connections:resume"),
        ("/v1/connections/acme:pause", "/v1/connections/acme:resume"),
    ] {
        let pair = driven("[]");
        post(&pair, pause, &json!({}), 200);
        post(&pair, "/v1/resources/ecs-1:renew", &json!({}), 202);
        let resumed_at = pair.broker.now() + 3_600;
        advance(&pair, resumed_at);
        pair.sync(&json!({}));
        post(&pair, resume, &json!({}), 200);
        assert!(called_at(&until(&pair, "settled", 10)) >= resumed_at, "{pause}");
    }
}

#[test]
fn what_costs_more_than_the_ceiling_waits_until_it_is_lifted() {
    let pair = driven("[]");
    let limited = post(&pair, "/v1/connections/acme:limit-spending", &json!({ "per_hour": "50.00" }), 200);
    assert_eq!(limited["spending_per_hour"], "50.00");
    post(&pair, "/v1/resources/ecs-1:renew", &json!({}), 202);
    let lifted_at = pair.broker.now() + 3_600;
    advance(&pair, lifted_at);
    pair.sync(&json!({}));
    let view = post(&pair, "/v1/connections/acme:limit-spending", &json!({}), 200);
    assert_eq!(view["spending_per_hour"], Value::Null);
    assert!(called_at(&until(&pair, "settled", 10)) >= lifted_at);
}

#[test]
fn what_was_reserved_is_given_up_when_an_account_is_only_watched_again() {
    let pair = driven("[]");
    post(&pair, "/v1/connections/acme:pause", &json!({}), 200);
    post(&pair, "/v1/resources/ecs-1:renew", &json!({}), 202);
    assert_eq!(pair.ask("/v1/accounts/acme")["held"], "109.00");
    post(&pair, "/v1/connections/acme:drive", &json!({ "driver": "watch" }), 200);
    assert_eq!(pair.ask("/v1/calls/1")["call"]["state"], "void");
    assert_eq!(pair.ask("/v1/accounts/acme")["held"], "0.00");
    let refused = post(&pair, "/v1/resources/ecs-1:renew", &json!({}), 409);
    assert!(refused["detail"].as_str().unwrap().contains("only watched"), "{refused}");
}

#[test]
fn a_person_ends_doubt_and_is_refused_where_there_is_none() {
    let faults = format!(
        r#"[{{"fault": "cut", "on": "{RENEW}"}}, {{"fault": "fail_before", "on": "POST /v2/orders/suscriptions", "skip": 4}}]"#
    );
    let pair = driven(&faults);
    post(&pair, "/v1/resources/ecs-1:renew", &json!({}), 202);
    until(&pair, "in_doubt", 1);
    let refused = post(&pair, "/v1/calls/1:resolve", &json!({ "decision": "give_up" }), 409);
    assert!(refused["detail"].as_str().unwrap().contains("in_doubt"), "{refused}");
    let resolved = post(&pair, "/v1/calls/1:resolve", &json!({ "decision": "applied" }), 200);
    assert_eq!(resolved["call"]["state"], "settled");
    assert_eq!(expiry(&pair, "ecs-1"), ["2026-04-20T15:59:59Z"; 2]);
}

#[test]
fn a_command_that_is_not_sent_to_providers_says_so() {
    let pair = driven("[]");
    let refused = post(&pair, "/v1/resources/ecs-1:convert-now", &json!({}), 409);
    assert!(refused["detail"].as_str().unwrap().contains("not sent"), "{refused}");
    let set = post(&pair, "/v1/resources/ecs-2:set-auto-renew", &json!({}), 200);
    assert_eq!(set["resource"]["on_expiry"], "renew", "who renews is this host");
    assert_eq!(pair.ask("/v1/calls")["items"], json!([]));
}

#[test]
fn a_renewal_that_takes_an_approval_is_called_once_it_is_given() {
    let pair = driven("[]");
    let limited = pair.broker.ask_admin("PATCH", "/v1/accounts/acme", r#"{"approval_above": "50.00"}"#);
    assert_eq!(limited.status, 200, "{}", limited.body);
    let pending = post(&pair, "/v1/resources/ecs-1:renew", &json!({}), 202);
    let approval = pending["approval"]["id"].as_str().unwrap();
    assert_eq!(pair.ask("/v1/calls")["items"], json!([]));
    post(&pair, &format!("/v1/approvals/{approval}:approve"), &json!({}), 200);
    let history = until(&pair, "settled", 10);
    assert_eq!(states(&history), ["reserved", "calling", "submitted", "settled"]);
}

#[test]
fn a_renewal_without_the_money_for_it_is_declined_here_and_not_sent() {
    let pair = driven("[]");
    pair.in_console("/v1/resources/ecs-2:renew", &json!({ "term": { "count": 1, "unit": "year" } }));
    pair.in_console("/v1/resources/eip-1:renew", &json!({ "term": { "count": 3, "unit": "year" } }));
    assert_eq!(pair.sync(&json!({}))["balance"], cloud_balance(&pair));
    let refused =
        post(&pair, "/v1/resources/ecs-1:renew", &json!({ "term": { "count": 1, "unit": "year" } }), 409);
    assert!(refused["refusal"]["code"].as_str().is_some(), "{refused}");
    assert_eq!(pair.ask("/v1/calls")["items"], json!([]));
}

#[test]
fn a_freeze_holds_payments_back_and_nothing_that_is_free() {
    let pair = driven("[]");
    let file = "[[calendar]]\nname = \"freeze\"\ndays = [\"2026-03-01..2026-03-05\"]\n";
    post(&pair, "/v1/policies", &json!({ "file": file, "scripts": {} }), 200);
    post(&pair, "/v1/resources/ecs-1:renew", &json!({}), 202);
    let free = post(&pair, "/v1/resources/ecs-2:convert-on-expiry", &json!({}), 202);
    until_call(&pair, free["call"]["id"].as_str().unwrap(), "settled", 10);
    // The provider's days are those of UTC+8.
    advance(&pair, "2026-03-05T15:59:59Z".parse().unwrap());
    assert_eq!(pair.ask("/v1/calls/1")["call"]["state"], "reserved");
    let history = until(&pair, "settled", 60);
    assert!(called_at(&history) >= "2026-03-05T16:00:00Z".parse().unwrap(), "{history}");
    assert_eq!(cloud_balance(&pair), "891.00");
}
