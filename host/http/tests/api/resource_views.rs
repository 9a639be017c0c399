//! `/v1/resources/{id}/explanation`, `/timeline`, `/orders` and `/decisions`.

use expect_test::expect;
use perennial_engine::replay;
use perennial_engine::replay::Replay;
use perennial_store::decisions::Decision;
use perennial_store::error::StoreError;
use perennial_store::keys::DecisionKey;
use perennial_store::keys::RowKey;
use perennial_store::testing;
use serde_json::Value;
use serde_json::json;

use crate::harness::Server;
use crate::harness::masked;
use crate::policies::install;
use crate::policies::one;

/// A furnished server on the day after `ecs-1` was renewed by the clock.
fn renewed() -> Server {
    let server = Server::furnished();
    server.advance("2026-01-25T00:00:00Z");
    server
}

fn items(server: &Server, path: &str) -> Vec<Value> {
    let answer = server.get("viewer", path);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["items"].as_array().unwrap().clone()
}

/// Every page of a list of two items a page.
fn paged(server: &Server, path: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.get("viewer", &format!("{path}?limit=2{cursor}")).json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        all.extend(items.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[test]
fn an_explanation_is_written_in_the_zone_that_is_asked_for() {
    let server = renewed();
    let text = |query: &str| {
        let explained = server.get("viewer", &format!("/v1/resources/ecs-1/explanation{query}"));
        explained.json()["text"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|line| line.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert!(text("").contains(" UTC"), "{}", text(""));
    for zone in ["provider", "Asia/Shanghai", "%2B08:00"] {
        let text = text(&format!("?time_zone={zone}"));
        assert!(text.contains(" +08:00") && !text.contains(" UTC"), "{zone}: {text}");
    }
    let refused = server.get("viewer", "/v1/resources/ecs-1/explanation?time_zone=shanghai");
    expect![[r#"
        400 Bad Request
        content-type: application/problem+json
        {
          "detail": "1 problem; see `errors`",
          "errors": [
            {
              "detail": "there is no time zone `shanghai`; is it Asia/Shanghai? Write one of the IANA's, such as `Asia/Shanghai`, or an offset, such as `+08:00`, or `provider` for each provider's own days",
              "field": "time_zone"
            }
          ],
          "status": 400,
          "title": "The request cannot be read",
          "type": "urn:perennial:problem:bad-request"
        }"#]].assert_eq(&refused.shown());
}

#[test]
fn an_explanation_says_in_words_what_its_fields_say() {
    let server = renewed();
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "account": "acme-hw",
          "at": "2026-01-25T00:00:00Z",
          "last_decision": {
            "at": "2026-01-23T19:00:00Z",
            "command": "renew",
            "decision": "1",
            "outcome": "planned",
            "plugin": "huawei",
            "refusal": null,
            "resource": "ecs-1",
            "revision": "[digest]",
            "text": "The last decision, 1, was made at 2026-01-23 19:00 UTC: `huawei` was asked to `renew` `ecs-1`, and planned 1 step."
          },
          "last_ruling": null,
          "next": [
            {
              "action": "try_renewal",
              "at": "2026-02-20T19:00:00Z",
              "cost": "99.00",
              "obstacle": null,
              "policies": [],
              "resource": "ecs-1",
              "settings": [
                {
                  "document": "api_order_00022, api_order_00031",
                  "is_default": true,
                  "name": "deduction_days",
                  "rule": "The first automatic renewal is tried this many days before expiry, 2 to 7",
                  "value": "7"
                }
              ],
              "stage": null,
              "text": "At 2026-02-20 19:00 UTC its renewal is tried; the plan costs 99.00 CNY, and pays for it until 2026-03-31 15:59 UTC."
            },
            {
              "action": "notice",
              "at": "2026-02-23T01:00:00Z",
              "cost": null,
              "obstacle": null,
              "policies": [],
              "resource": "ecs-1",
              "settings": [
                {
                  "document": "api_order_00022, api_order_00031",
                  "is_default": true,
                  "name": "deduction_days",
                  "rule": "The first automatic renewal is tried this many days before expiry, 2 to 7",
                  "value": "7"
                },
                {
                  "document": null,
                  "is_default": true,
                  "name": "notice_hour",
                  "rule": "The hour at which owners are told, UTC+8, 3 to 23",
                  "value": "9"
                }
              ],
              "stage": null,
              "text": "At 2026-02-23 01:00 UTC, unless it is renewed before, its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today."
            },
            {
              "action": "enter",
              "at": "2026-02-28T15:59:59Z",
              "cost": null,
              "obstacle": null,
              "policies": [],
              "resource": "ecs-1",
              "settings": [
                {
                  "document": "zh-cn_topic_0086671074",
                  "is_default": true,
                  "name": "grace_days",
                  "rule": "Days of grace, 0 to 365; unset, those of the site and tier",
                  "value": null
                }
              ],
              "stage": "grace",
              "text": "At 2026-02-28 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins."
            },
            {
              "action": "enter",
              "at": "2026-03-15T15:59:59Z",
              "cost": null,
              "obstacle": null,
              "policies": [],
              "resource": "ecs-1",
              "settings": [
                {
                  "document": "zh-cn_topic_0086671074",
                  "is_default": true,
                  "name": "site",
                  "rule": "The legal site: cn, intl or eu; decides on grace, retention and full refunds",
                  "value": "intl"
                },
                {
                  "document": "zh-cn_topic_0086671074",
                  "is_default": true,
                  "name": "grace_days",
                  "rule": "Days of grace, 0 to 365; unset, those of the site and tier",
                  "value": null
                },
                {
                  "document": "zh-cn_topic_0086671074",
                  "is_default": true,
                  "name": "retention_days",
                  "rule": "Days of retention, 0 to 365; unset, those of the site and tier",
                  "value": null
                }
              ],
              "stage": "retention",
              "text": "At 2026-03-15 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins."
            },
            {
              "action": "enter",
              "at": "2026-03-30T15:59:59Z",
              "cost": null,
              "obstacle": null,
              "policies": [],
              "resource": "ecs-1",
              "settings": [
                {
                  "document": "zh-cn_topic_0086671074",
                  "is_default": true,
                  "name": "site",
                  "rule": "The legal site: cn, intl or eu; decides on grace, retention and full refunds",
                  "value": "intl"
                },
                {
                  "document": "zh-cn_topic_0086671074",
                  "is_default": true,
                  "name": "grace_days",
                  "rule": "Days of grace, 0 to 365; unset, those of the site and tier",
                  "value": null
                },
                {
                  "document": "zh-cn_topic_0086671074",
                  "is_default": true,
                  "name": "retention_days",
                  "rule": "Days of retention, 0 to 365; unset, those of the site and tier",
                  "value": null
                }
              ],
              "stage": "released",
              "text": "At 2026-03-30 15:59 UTC, unless it is renewed before, it is released, with whatever it holds."
            }
          ],
          "provider": "huawei",
          "reasons": [
            {
              "approval": null,
              "at": null,
              "code": "renews",
              "order": null,
              "policy": null,
              "refusal": null,
              "settings": [],
              "text": "Auto-renew is on: the clock renews it for 1 month."
            }
          ],
          "resource": "ecs-1",
          "since": null,
          "situation": "renews",
          "stage": "active",
          "text": [
            "`ecs-1` is active: it is paid for until 2026-02-28 15:59 UTC.",
            "Auto-renew is on: the clock renews it for 1 month.",
            "At 2026-02-20 19:00 UTC its renewal is tried; the plan costs 99.00 CNY, and pays for it until 2026-03-31 15:59 UTC. (By settings: `deduction_days` is `7` by default.)",
            "At 2026-02-23 01:00 UTC, unless it is renewed before, its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today. (By settings: `deduction_days` is `7` by default, `notice_hour` is `9` by default.)",
            "At 2026-02-28 15:59 UTC, unless it is renewed before, it expires and goes on serving: grace begins. (By settings: `grace_days` is not set.)",
            "At 2026-03-15 15:59 UTC, unless it is renewed before, it is stopped or frozen, with its data kept: retention begins. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)",
            "At 2026-03-30 15:59 UTC, unless it is renewed before, it is released, with whatever it holds. (By settings: `site` is `intl` by default, `grace_days` is not set, `retention_days` is not set.)",
            "The last decision, 1, was made at 2026-01-23 19:00 UTC: `huawei` was asked to `renew` `ecs-1`, and planned 1 step."
          ]
        }"#]].assert_eq(&server.get("viewer", "/v1/resources/ecs-1/explanation").shown());
}

#[test]
fn a_timeline_lists_what_lies_ahead_of_a_bundle_in_pages() {
    let server = renewed();
    let all = items(&server, "/v1/resources/ecs-1/timeline");
    let line = |item: &Value| {
        let text = |name: &str| item[name].as_str().unwrap_or("-").to_owned();
        let fields = ["at", "resource", "action", "stage", "name"].map(text).join(" ");
        format!("{fields}: {}\n", text("text"))
    };
    expect![[r#"
        2026-02-20T19:00:00Z ecs-1 try_renewal - -: its renewal is tried
        2026-02-21T19:00:00Z ecs-1 try_renewal - -: its renewal is tried
        2026-02-22T19:00:00Z ecs-1 try_renewal - -: its renewal is tried
        2026-02-23T01:00:00Z ecs-1 notice - auto-renewal-failed: its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today
        2026-02-23T19:00:00Z ecs-1 try_renewal - -: its renewal is tried
        2026-02-24T19:00:00Z ecs-1 try_renewal - -: its renewal is tried
        2026-02-25T19:00:00Z ecs-1 try_renewal - -: its renewal is tried
        2026-02-26T01:00:00Z ecs-1 notice - auto-renewal-failed: its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today
        2026-02-26T19:00:00Z ecs-1 try_renewal - -: its renewal is tried
        2026-02-27T19:00:00Z ecs-1 try_renewal - -: its renewal is tried
        2026-02-28T01:00:00Z ecs-1 notice - auto-renewal-failed: its owner is told: Automatic renewal fails; expires in 5 or 2 days, or today
        2026-02-28T15:59:59Z ecs-1 enter grace -: it expires and goes on serving: grace begins
        2026-03-15T15:59:59Z ecs-1 enter retention -: it is stopped or frozen, with its data kept: retention begins
        2026-03-24T01:00:00Z ecs-1 notice - released-soon: its owner is told: Automatic renewal failed; is released in 6 or 2 days, or today
        2026-03-28T01:00:00Z ecs-1 notice - released-soon: its owner is told: Automatic renewal failed; is released in 6 or 2 days, or today
        2026-03-30T01:00:00Z ecs-1 notice - released-soon: its owner is told: Automatic renewal failed; is released in 6 or 2 days, or today
        2026-03-30T15:59:59Z ecs-1 enter released -: it is released, with whatever it holds
    "#]].assert_eq(&all.iter().map(line).collect::<String>());
    assert_eq!(paged(&server, "/v1/resources/ecs-1/timeline"), all);
    let command = json!({ "scope": "all" }).to_string();
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:unsubscribe", &command).status, 200);
    assert_eq!(items(&server, "/v1/resources/ecs-1/timeline"), Vec::<Value>::new());
}

#[test]
fn a_renewal_put_off_or_held_is_where_the_timeline_has_it() {
    let server = Server::furnished();
    let limit = json!({ "approval_above": "10.00", "settings": { "on_undecided": "renew" } }).to_string();
    assert_eq!(server.send("admin", "PATCH", "/v1/accounts/acme-hw", &[], &limit).status, 200);
    server.advance("2026-01-26T00:00:00Z");
    let tries = items(&server, "/v1/resources/ecs-1/timeline");
    let tries =
        tries.iter().filter(|item| item["action"] == "try_renewal").map(|item| item["at"].as_str().unwrap());
    let tries = tries.collect::<Vec<_>>();
    // The approval ends a second before the last try, and on that second it is renewed undecided.
    assert_eq!(tries[tries.len() - 2..], ["2026-01-30T18:59:59Z", "2026-01-30T19:00:00Z"], "{tries:?}");
}

#[test]
fn orders_and_decisions_of_a_resource_are_listed_in_pages() {
    let server = renewed();
    let order =
        json!({ "term": { "count": 1, "unit": "month" }, "options": { "is_auto_pay": "0" } }).to_string();
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:renew", &order).status, 200);
    let orders = items(&server, "/v1/resources/ecs-1/orders");
    let of_all = items(&server, "/v1/orders?resource=ecs-1");
    assert_eq!(orders, of_all);
    let states = orders.iter().map(|order| order["state"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(states, ["paid", "paid", "awaiting_payment"]);
    assert_eq!(paged(&server, "/v1/resources/ecs-1/orders"), orders);
    assert_eq!(items(&server, "/v1/resources/ecs-1/orders?state=paid"), orders[..2]);
    let decisions = items(&server, "/v1/resources/ecs-1/decisions");
    assert_eq!(paged(&server, "/v1/resources/ecs-1/decisions"), decisions);
    let shown = decisions.iter().map(|decision| {
        let (command, answer) = (&decision["request"]["command"], &decision["response"]["plan"]["pay_until"]);
        let fuel = decision["fuel"].as_u64().unwrap();
        assert!(fuel > 1_000, "{fuel}");
        format!("{} {} {} {command} {answer}\n", decision["id"], decision["at"], decision["contract"])
    });
    expect![[r#"
        "1" "2026-01-23T19:00:00Z" "0.2" {"renew":{"cause":"auto","options":{},"term":null}} null
        "2" "2026-01-25T00:00:00Z" "0.2" {"renew":{"cause":"command","options":{"is_auto_pay":"0"},"term":{"count":1,"unit":"month"}}} "2026-02-01T00:00:00Z"
    "#]].assert_eq(&masked(&shown.collect::<String>()));
}

#[test]
fn decisions_older_than_they_are_kept_are_deleted_by_the_host() {
    let server = renewed();
    assert_eq!(items(&server, "/v1/resources/ecs-1/decisions").len(), 1);
    server.advance("2026-06-30T00:00:00Z");
    let before = items(&server, "/v1/resources/ecs-1/decisions");
    assert!(before.len() > 3, "{before:?}");
    // A host does so every few seconds, and when it stops.
    let server = server.restarted();
    let after = items(&server, "/v1/resources/ecs-1/decisions");
    assert!(after.len() < before.len() && after == before[before.len() - after.len()..]);
    assert!(
        after.iter().all(|decision| decision["at"].as_str().unwrap() >= "2026-04-01T00:00:00Z"),
        "{after:?}"
    );
}

/// Three policies that rule by tags: each way of ruling, with a calendar, and one beside them.
fn ruled() -> Server {
    let server = Server::furnished();
    let file = "[[policy]]\nname = \"first\"\nscript = \"first.rhai\"\norder = 1\n\
                [[policy]]\nname = \"second\"\nscript = \"second.rhai\"\n\
                [[policy]]\nname = \"beside\"\nscript = \"beside.rhai\"\nmode = \"shadow\"\n\
                [[calendar]]\nname = \"freeze\"\ndays = [\"2026-01-24..2026-01-25\"]\n";
    let first = "fn rule(plan) {\n    if in_calendar(\"freeze\", plan.at) { return defer(add_days(plan.at, 2), \"freeze\"); }\n    \
                 if plan.cost > money(\"60\") { note(\"large\"); }\n    approve()\n}";
    let second = "fn rule(plan) {\n    if plan.account.balance < money(\"450\") { return deny(\"too little is left\"); }\n    \
                  if plan.term.count == 1 { return amend(#{ term: #{ count: 2, unit: \"month\" } }, \"two at once\"); }\n    approve()\n}";
    let beside = "fn rule(plan) { deny(\"never\") }";
    let body = json!({ "file": file, "scripts": { "first.rhai": first, "second.rhai": second, "beside.rhai": beside } });
    install(&server, "admin", &body.to_string());
    let renewing = json!({ "term": { "count": 1, "unit": "month" }, "renewals": null }).to_string();
    assert_eq!(server.post("operator", "/v1/resources/bcc-1:set-auto-renew", &renewing).status, 200);
    server
}

/// What became of every decision that is asked again.
fn replayed(server: &Server) -> (replay::Tally, Vec<String>) {
    server.on_writer(|context| {
        let mut others = Vec::new();
        let mut observe = |decision: &Decision, replay: &Replay| {
            if !matches!(replay, Replay::Matches { .. }) {
                others.push(format!("{decision:?}: {replay:?}"));
            }
            Ok::<(), StoreError>(())
        };
        let providers = context.engine.providers().clone();
        let tally = replay::replay_all(context.engine.db(), &providers, &mut observe).unwrap();
        (tally, others)
    })
}

#[test]
fn what_policies_ruled_is_kept_and_ruled_again_after_a_restart() {
    let server = ruled();
    server.advance("2026-03-20T00:00:00Z");
    let kept = |server: &Server, id: &str| {
        let decisions = items(server, &format!("/v1/resources/{id}/decisions"));
        let line = |decision: &Value| {
            let asked = |policy: &Value| policy["name"].as_str().unwrap().to_owned();
            let policies = decision["request"]["policies"]
                .as_array()
                .map(|all| all.iter().map(asked).collect::<Vec<_>>());
            let ruling = |answer: &Value| answer["ruling"].to_string();
            let said = decision["response"]["answers"]
                .as_array()
                .map_or("plan".to_owned(), |all| all.iter().map(ruling).collect::<Vec<_>>().join(" "));
            format!(
                "{} {} {}: {said}\n",
                decision["at"],
                decision["contract"],
                policies.unwrap_or_default().join(" ")
            )
        };
        decisions.iter().map(line).collect::<String>()
    };
    expect![[r#"
        "2026-01-23T19:00:00Z" "0.2" : plan
        "2026-01-23T19:00:00Z" "policy/0.1" first second: {"defer":{"reason":"freeze","until":"2026-01-25T19:00:00Z"}} {"amend":{"options":null,"reason":"two at once","term":{"count":2,"unit":"month"}}}
        "2026-01-23T19:00:00Z" "policy/0.1" beside: {"deny":{"reason":"never"}}
        "2026-01-23T19:00:00Z" "policy/0.1" first second: {"defer":{"reason":"freeze","until":"2026-01-25T19:00:00Z"}} {"approve":{}}
        "2026-01-23T19:00:00Z" "0.2" : plan
        "2026-01-25T19:00:00Z" "0.2" : plan
        "2026-01-25T19:00:00Z" "policy/0.1" first second: {"approve":{}} {"amend":{"options":null,"reason":"two at once","term":{"count":2,"unit":"month"}}}
        "2026-01-25T19:00:00Z" "policy/0.1" beside: {"deny":{"reason":"never"}}
        "2026-01-25T19:00:00Z" "policy/0.1" first second: {"approve":{}} {"approve":{}}
        "2026-01-25T19:00:00Z" "0.2" : plan
    "#]].assert_eq(&kept(&server, "ecs-1"));
    let calendars = |token: &str| {
        let decisions = server.get(token, "/v1/resources/ecs-1/decisions").json();
        decisions["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|decision| !decision["request"]["calendars"].is_null())
    };
    assert!(calendars("viewer") && !calendars("bound-viewer"), "calendars are the host's");
    let (before, others) = replayed(&server);
    assert!(others.is_empty() && before.not_replayable.is_empty(), "{others:#?}");
    // Another script under the same name: what was ruled is asked of the one that ruled.
    install(&server, "admin", &one("second", "", "fn rule(plan) { approve() }"));
    let server = server.restarted();
    let (after, others) = replayed(&server);
    assert_eq!((after, others), (before, Vec::new()));
    let last = server.get("viewer", "/v1/resources/ecs-1/explanation").json()["last_ruling"].clone();
    expect![[r#"
        {
          "at": "2026-01-25T19:00:00Z",
          "decision": "17",
          "policies": [
            {
              "policy": "first",
              "reason": null,
              "ruling": "approve",
              "script": "[digest]"
            },
            {
              "policy": "second",
              "reason": null,
              "ruling": "approve",
              "script": "[digest]"
            }
          ],
          "resource": "ecs-1",
          "revision": "[digest]",
          "text": "Policies were asked last about `ecs-1` at 2026-01-25 19:00 UTC, in decision 17: `first` ruled approve, `second` ruled approve."
        }
    "#]].assert_eq(&masked(&format!("{last:#}\n")));
}

#[test]
fn a_changed_byte_of_a_ruling_is_found() {
    let server = ruled();
    server.advance("2026-01-30T00:00:00Z");
    let decisions = items(&server, "/v1/resources/ecs-1/decisions");
    let is_ruling = |decision: &&Value| decision["contract"] == "policy/0.1";
    let number = decisions.iter().find(is_ruling).unwrap()["id"].as_str().unwrap().parse::<i64>().unwrap();
    let row = DecisionKey::from_number(number);
    server.on_writer(move |context| {
        let mut response = testing::response(context.engine.db(), row);
        *response.last_mut().unwrap() ^= 1;
        testing::set_response(context.engine.db(), row, &response);
    });
    let (tally, others) = replayed(&server);
    assert_eq!((tally.different, others.len()), (1, 1), "{others:#?}");
}
