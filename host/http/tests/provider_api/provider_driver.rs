//! Accounts that their cloud's own auto-renew drives: policies are asked before its first try, it is switched as they rule, and
//! this host renews what the cloud has not by its last try.

use serde_json::Value;
use serde_json::json;

use crate::connected::Pair;
use crate::driving::advance;
use crate::driving::cloud_balance;
use crate::driving::driven_by;
use crate::driving::post;
use crate::driving::states;
use crate::driving::until_call;

/// Two days before the first try of the cloud, which is seven days before the expiry at 03:00 in UTC+8.
const BEFORE: &str = "2026-03-11T00:00:00Z";
/// A moment after policies are asked, which is a day before that try.
const ASKED: &str = "2026-03-11T19:00:30Z";

fn pair() -> Pair {
    driven_by("provider", Pair::with_faults("[]"))
}

fn install(pair: &Pair, ruling: &str) {
    let file = "[[policy]]\nname = \"p\"\nscript = \"p.rhai\"\n";
    let script = format!("fn rule(plan) {{ {ruling} }}");
    post(pair, "/v1/policies", &json!({ "file": file, "scripts": { "p.rhai": script } }), 200);
}

fn to(pair: &Pair, at: &str) {
    advance(pair, at.parse().unwrap());
}

fn at_cloud(pair: &Pair, field: &str) -> Value {
    pair.cloud.ask_admin("GET", "/v1/resources/ecs-1", "").json()[field].clone()
}

fn calls(pair: &Pair) -> Vec<String> {
    let calls = pair.ask("/v1/calls")["items"].clone();
    let shown =
        |call: &Value| format!("{} {}", call["change"].as_str().unwrap(), call["state"].as_str().unwrap());
    calls.as_array().unwrap().iter().map(shown).collect()
}

#[test]
fn what_the_cloud_renews_by_itself_takes_no_call_of_this_host() {
    let pair = pair();
    to(&pair, BEFORE);
    to(&pair, "2026-03-14T00:00:00Z");
    assert_eq!(at_cloud(&pair, "expires_at"), "2026-04-20T15:59:59Z");
    assert_eq!(pair.sync(&json!({}))["sync"]["state"], "done");
    assert_eq!(pair.ask("/v1/resources/ecs-1")["expires_at"], "2026-04-20T15:59:59Z");
    assert_eq!(pair.ask("/v1/drift")["items"][1]["kind"], "renewed_by_provider");
    to(&pair, "2026-03-19T23:00:00Z");
    assert_eq!(calls(&pair), [""; 0], "nothing was left to do");
}

#[test]
fn this_host_renews_what_the_cloud_has_not_by_its_last_try() {
    let pair = pair();
    // Somebody switched it off there, and no sync has seen it.
    pair.in_console("/v1/resources/ecs-1:cancel-auto-renew", &json!({}));
    to(&pair, "2026-03-19T18:00:00Z");
    assert_eq!(calls(&pair), [""; 0], "the cloud has a try left");
    to(&pair, "2026-03-19T20:00:00Z");
    let history = until_call(&pair, "1", "settled", 600);
    assert_eq!(states(&history), ["reserved", "calling", "submitted", "settled"]);
    assert_eq!(history["call"]["cause"], "auto");
    assert_eq!(
        (at_cloud(&pair, "expires_at"), cloud_balance(&pair)),
        (json!("2026-04-20T15:59:59Z"), json!("891.00"))
    );
}

#[test]
fn a_denial_switches_the_cloud_off_before_its_first_try_and_says_so() {
    let pair = pair();
    install(&pair, "deny(\"not this one\")");
    to(&pair, BEFORE);
    assert_eq!((at_cloud(&pair, "on_expiry"), calls(&pair)), (json!("renew"), vec![]));
    to(&pair, ASKED);
    let history = until_call(&pair, "1", "settled", 10);
    assert_eq!(states(&history), ["reserved", "calling", "submitted", "settled"]);
    assert_eq!(
        (&history["call"]["change"], &history["call"]["cause"]),
        (&json!("cancel_auto_renew"), &json!("auto"))
    );
    assert_eq!(at_cloud(&pair, "on_expiry"), "lapse");
    assert_eq!(pair.ask("/v1/resources/ecs-1")["on_expiry"], "renew", "what is wanted has not changed");
    let events = pair.broker.events();
    let said = events.iter().filter(|event| event.contains("provider_auto_renew")).collect::<Vec<_>>();
    assert!(matches!(said[..], [event] if event.contains("\"value\":\"off\"")), "{said:?}");
    assert_eq!(pair.sync(&json!({}))["sync"]["state"], "done");
    assert_eq!(pair.ask("/v1/drift")["items"], json!([]), "what this host switched is no drift");
    to(&pair, "2026-03-19T23:00:00Z");
    assert_eq!(at_cloud(&pair, "expires_at"), "2026-03-20T15:59:59Z", "it was denied to the end");
}

#[test]
fn what_was_put_off_is_switched_on_again_once_policies_approve() {
    let pair = pair();
    install(
        &pair,
        "if plan.at < instant(\"2026-03-15T00:00:00Z\") { return defer(instant(\"2026-03-15T00:00:00Z\"), \"wait\"); } approve()",
    );
    to(&pair, ASKED);
    until_call(&pair, "1", "settled", 10);
    assert_eq!(at_cloud(&pair, "on_expiry"), "lapse");
    to(&pair, "2026-03-15T00:00:30Z");
    let history = until_call(&pair, "1", "settled", 10);
    assert_eq!(history["call"]["change"], "set_auto_renew", "{history}");
    assert_eq!(at_cloud(&pair, "on_expiry"), "renew");
    to(&pair, "2026-03-16T00:00:00Z");
    assert_eq!(at_cloud(&pair, "expires_at"), "2026-04-20T15:59:59Z", "the cloud renewed by itself");
}
