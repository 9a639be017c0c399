//! Commands of people on accounts that a cloud keeps: each is written down, sent once, read back and settled, declined or in
//! doubt, as a renewal is.

use serde_json::Value;
use serde_json::json;

use crate::connected::Pair;
use crate::driving::advance;
use crate::driving::cloud_balance;
use crate::driving::driven_by;
use crate::driving::post;
use crate::driving::states;
use crate::driving::until_call;

/// A pair whose account the cloud's own auto-renew drives, with these faults in front of the cloud.
fn pair(faults: &str) -> Pair {
    driven_by("provider", Pair::with_faults(faults))
}

/// Gives a command, which becomes a call, and waits until that is in `state`.
fn command(pair: &Pair, resource: &str, command: &str, body: &Value, state: &str) -> Value {
    let accepted = post(pair, &format!("/v1/resources/{resource}:{command}"), body, 202);
    assert_eq!(accepted["call"]["change"], command.replace('-', "_"), "{accepted}");
    assert_eq!((&accepted["call"]["attempt"], &accepted["call"]["cost"]), (&Value::Null, &json!("0.00")));
    until_call(pair, accepted["call"]["id"].as_str().unwrap(), state, 60)
}

/// What a field of a resource is at the cloud, and here.
fn both(pair: &Pair, id: &str, field: &str) -> [Value; 2] {
    let path = format!("/v1/resources/{id}");
    [pair.cloud.ask_admin("GET", &path, "").json()[field].clone(), pair.ask(&path)[field].clone()]
}

#[test]
fn auto_renew_is_switched_on_and_off_at_the_cloud_and_read_back() {
    let pair = pair("[]");
    let history = command(&pair, "ecs-2", "set-auto-renew", &json!({}), "settled");
    assert_eq!(states(&history), ["reserved", "calling", "submitted", "settled"]);
    assert_eq!(both(&pair, "ecs-2", "on_expiry"), ["renew"; 2]);
    let history = command(&pair, "ecs-2", "cancel-auto-renew", &json!({}), "settled");
    let repeated = ["reserved", "calling", "submitted", "settled"].repeat(2);
    assert_eq!(states(&history), repeated, "the same call, tried for something else");
    assert_eq!(both(&pair, "ecs-2", "on_expiry"), ["lapse"; 2]);
    assert_eq!(pair.sync(&json!({}))["sync"]["state"], "done");
    assert_eq!(pair.ask("/v1/drift")["items"], json!([]), "what this host did itself is no drift");
}

#[test]
fn conversion_on_expiry_is_set_and_taken_back_at_the_cloud() {
    let pair = pair("[]");
    command(&pair, "ecs-2", "convert-on-expiry", &json!({}), "settled");
    assert_eq!(both(&pair, "ecs-2", "on_expiry"), ["convert"; 2]);
    command(&pair, "ecs-2", "cancel-conversion", &json!({}), "settled");
    assert_eq!(both(&pair, "ecs-2", "on_expiry"), ["lapse"; 2]);
}

#[test]
fn what_is_unsubscribed_from_ends_at_the_cloud_and_here() {
    let pair = pair("[]");
    let history = command(&pair, "ecs-1", "unsubscribe", &json!({ "scope": "all" }), "settled");
    assert_eq!(states(&history), ["reserved", "calling", "submitted", "settled"]);
    for id in ["ecs-1", "evs-1"] {
        assert_eq!(both(&pair, id, "stage"), ["unsubscribed"; 2], "{id}");
    }
    let view = pair.sync(&json!({}));
    assert_eq!(pair.ask("/v1/drift")["items"], json!([]));
    assert_eq!(view["balance"], cloud_balance(&pair), "what came back is the cloud's to say");
}

#[test]
fn a_command_whose_response_is_lost_is_in_doubt_and_sent_once() {
    for (fault, wanted, end) in [("cut", "renew", "settled"), ("fail_before", "lapse", "not_applied")] {
        let faults = json!([{ "fault": fault, "on": "POST /v2/orders/subscriptions/resources/autorenew", "times": 1 }]);
        let pair = pair(&faults.to_string());
        let history = command(&pair, "ecs-2", "set-auto-renew", &json!({}), "in_doubt");
        assert_eq!(states(&history), ["reserved", "calling", "in_doubt"], "{fault}");
        let under_way = post(&pair, "/v1/resources/ecs-2:set-auto-renew", &json!({}), 409);
        assert_eq!(under_way["refusal"]["code"], "command_under_way", "{under_way}");
        let id = history["call"]["id"].as_str().unwrap();
        assert_eq!(pair.cloud.ask_admin("GET", "/v1/resources/ecs-2", "").json()["on_expiry"], wanted);
        assert_eq!(pair.ask("/v1/resources/ecs-2")["on_expiry"], "lapse", "nobody knows yet");
        assert_eq!(pair.sync(&json!({}))["sync"]["state"], "done");
        assert_eq!(pair.ask("/v1/drift")["items"], json!([]), "the call explains it");
        // What was proven not to be applied is tried again at once.
        let history = until_call(&pair, id, "settled", 600);
        assert!(states(&history).contains(&end), "{fault}: {history}");
        assert_eq!(both(&pair, "ecs-2", "on_expiry"), ["renew"; 2], "{fault}");
    }
}

#[test]
fn a_command_that_the_cloud_declines_says_why_and_changes_nothing() {
    let faults = json!([{ "fault": "reject", "on": "POST /v2/orders/subscriptions/resources/to-on-demand", "status": 400,
        "body": r#"{"error_code":"CBC.99003608","error_msg":"not this product"}"# }]);
    let pair = pair(&faults.to_string());
    let history = command(&pair, "ecs-2", "convert-on-expiry", &json!({}), "declined");
    assert_eq!((&history["call"]["class"], &history["call"]["act_at"]), (&json!("rule"), &Value::Null));
    assert_eq!(both(&pair, "ecs-2", "on_expiry"), ["lapse"; 2]);
    let events = pair.broker.events();
    let refused = events.iter().filter(|event| event.contains("command_refused ")).collect::<Vec<_>>();
    assert!(matches!(refused[..], [event] if event.contains("CBC.99003608")), "{refused:?}");
}

#[test]
fn what_was_renewed_meanwhile_is_not_unsubscribed_from() {
    let pair = pair("[]");
    pair.in_console("/v1/resources/ecs-2:renew", &json!({}));
    let history = command(&pair, "ecs-2", "unsubscribe", &json!({ "scope": "all" }), "void");
    assert_eq!(states(&history), ["reserved", "void"]);
    assert_eq!(both(&pair, "ecs-2", "stage"), ["active"; 2]);
    let events = pair.broker.events();
    assert!(events.iter().any(|event| event.contains("command_in_doubt") && event.contains("drift")));
}

#[test]
fn where_this_host_renews_switching_off_also_switches_the_cloud_off() {
    let pair = driven_by("host", Pair::with_faults("[]"));
    let off = post(&pair, "/v1/resources/ecs-1:cancel-auto-renew", &json!({}), 200);
    assert_eq!(off["resource"]["on_expiry"], "lapse", "at once, because it is this host's to know");
    let history = until_call(&pair, "1", "settled", 10);
    assert_eq!(
        (&history["call"]["cause"], &history["call"]["change"]),
        (&json!("auto"), &json!("cancel_auto_renew"))
    );
    assert_eq!(both(&pair, "ecs-1", "on_expiry"), ["lapse"; 2]);
    let on = post(&pair, "/v1/resources/ecs-1:set-auto-renew", &json!({}), 200);
    assert_eq!(on["resource"]["on_expiry"], "renew");
    assert_eq!(
        both(&pair, "ecs-1", "on_expiry"),
        ["lapse", "renew"],
        "this host renews, and nothing is sent"
    );
    assert_eq!(pair.ask("/v1/calls")["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_job_says_of_each_resource_that_its_call_is_under_way() {
    let pair = pair("[]");
    let body = json!({ "command": { "set_auto_renew": {} }, "ids": ["ecs-2", "eip-1"] });
    let made = post(&pair, "/v1/jobs", &body, 202);
    let path = format!("/v1/jobs/{}", made["id"].as_str().unwrap());
    pair.broker
        .wait_until("the job ends", |broker| broker.ask_admin("GET", &path, "").json()["state"] == "done");
    let job = pair.ask(&path);
    assert_eq!(
        (&job["outcomes"]["pending_call"], &job["outcomes"]["applied"]),
        (&json!(2), &json!(0)),
        "{job}"
    );
}

#[test]
fn baidu_takes_the_same_commands_and_refuses_what_it_has_no_call_for() {
    let resource = |id: &str, on_expiry: &str| {
        json!({ "id": id, "account": "acme", "kind": "bcc", "region": "bj", "charging": "prepaid",
            "started_at": "2026-01-10T02:00:00Z", "expires_at": "2026-03-20T02:00:00Z",
            "term": { "count": 1, "unit": "month" }, "price": "100.00", "on_expiry": on_expiry })
    };
    let inventory = json!({
        "accounts": [{ "id": "acme", "provider": "baidu", "currency": "CNY", "balance": "1000.00" }],
        "resources": [resource("i-1", "lapse"), resource("i-2", "lapse")],
    });
    let pair = driven_by("provider", Pair::of("baidu", &inventory, "[]"));
    command(&pair, "i-1", "set-auto-renew", &json!({}), "settled");
    assert_eq!(both(&pair, "i-1", "on_expiry"), ["renew"; 2]);
    command(&pair, "i-1", "cancel-auto-renew", &json!({}), "settled");
    assert_eq!(both(&pair, "i-1", "on_expiry"), ["lapse"; 2]);
    let refused = post(&pair, "/v1/resources/i-1:cancel-conversion", &json!({}), 409);
    assert!(refused["detail"].as_str().unwrap().contains("not sent"), "{refused}");
    command(&pair, "i-2", "unsubscribe", &json!({ "scope": "all" }), "settled");
    assert_eq!(both(&pair, "i-2", "stage"), ["unsubscribed"; 2]);
    advance(&pair, "2026-03-10T00:00:00Z".parse().unwrap());
    assert_eq!(pair.sync(&json!({}))["sync"]["state"], "done");
    assert_eq!(pair.ask("/v1/drift")["items"], json!([]));
}

#[test]
fn a_period_that_was_given_back_can_be_renewed_again() {
    for in_console in [false, true] {
        let pair = driven_by("host", Pair::with_faults("[]"));
        let renewed = post(&pair, "/v1/resources/ecs-2:renew", &json!({}), 202);
        until_call(&pair, renewed["call"]["id"].as_str().unwrap(), "settled", 10);
        assert_eq!(both(&pair, "ecs-2", "expires_at"), ["2026-04-25T15:59:59Z"; 2]);
        let future = json!({ "scope": "future" });
        if in_console {
            pair.in_console("/v1/resources/ecs-2:unsubscribe", &future);
            assert_eq!(pair.sync(&json!({}))["sync"]["state"], "done");
            let id = renewed["call"]["id"].as_str().unwrap();
            post(&pair, &format!("/v1/calls/{id}:resolve"), &json!({ "decision": "given_back" }), 200);
            assert_eq!(pair.sync(&json!({}))["sync"]["state"], "done");
        } else {
            command(&pair, "ecs-2", "unsubscribe", &future, "settled");
        }
        assert_eq!(both(&pair, "ecs-2", "expires_at"), ["2026-03-25T15:59:59Z"; 2], "{in_console}");
        let again = post(&pair, "/v1/resources/ecs-2:renew", &json!({}), 202);
        let history = until_call(&pair, again["call"]["id"].as_str().unwrap(), "settled", 10);
        assert!(states(&history).contains(&"void"), "{history}");
        assert_eq!(both(&pair, "ecs-2", "expires_at"), ["2026-04-25T15:59:59Z"; 2], "{in_console}");
    }
}
