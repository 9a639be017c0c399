//! `/v1/policies` and `/v1/policy-calendars`: installed whole or not at all, kept with every change, asked from the next plan on.

use expect_test::expect;
use serde_json::Value;
use serde_json::json;

use crate::harness::ApiResponse;
use crate::harness::Server;
use crate::receiver::Receiver;
use crate::webhooks::make;

/// A policy file with one policy called `name`, bound by `more`.
pub fn one(name: &str, more: &str, script: &str) -> String {
    let file = format!("[[policy]]\nname = \"{name}\"\nscript = \"{name}.rhai\"\n{more}\n");
    json!({ "file": file, "scripts": { (format!("{name}.rhai")): script } }).to_string()
}

/// Has the policies of `body` hold.
pub fn install(server: &Server, token: &str, body: &str) -> ApiResponse {
    let installed = server.post(token, "/v1/policies", body);
    assert_eq!(installed.status, 200, "{}", installed.body);
    installed
}

/// The whole answer, but for what is random.
fn shown(answer: &ApiResponse) -> String {
    let is_hexadecimal = |character: char| character.is_ascii_digit() || ('a'..='f').contains(&character);
    let parts = answer.shown().split('"').map(str::to_owned).collect::<Vec<_>>();
    let settled = parts.into_iter().map(|part| match part.len() >= 12 && part.chars().all(is_hexadecimal) {
        true => "[random]".to_owned(),
        false => part,
    });
    settled.collect::<Vec<_>>().join("\"")
}

/// What became of each policy and calendar, such as `policy a: added`.
pub fn changes(answer: &ApiResponse) -> String {
    let changes = answer.json()["changes"].as_array().unwrap().clone();
    let change = |change: &Value| {
        let text = |name: &str| change[name].as_str().unwrap().to_owned();
        format!("{} {}: {}", text("subject"), text("name"), text("change"))
    };
    changes.iter().map(change).collect::<Vec<_>>().join(", ")
}

fn names(server: &Server) -> Vec<String> {
    let held = server.get("viewer", "/v1/policies").json();
    let items = held["items"].as_array().unwrap();
    items.iter().map(|policy| policy["name"].as_str().unwrap().to_owned()).collect()
}

/// What happened to a resource: instants, types, and what policies ruled.
fn history(server: &Server, resource: &str) -> String {
    let events = server.events().into_iter().filter(|event| event["resource"] == resource);
    let line = |event: Value| {
        let more = [&event["ruling"], &event["reason"], &event["until"]];
        let more = more.into_iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
        let (at, kind) = (event["at"].as_str().unwrap(), event["type"].as_str().unwrap());
        format!("{at} {kind} {more}").trim_end().to_owned() + "\n"
    };
    events.map(line).collect()
}

#[test]
fn a_policy_file_is_installed_whole_or_not_at_all() {
    let server = Server::furnished();
    let file = "[[policy]]\nname = \"a\"\nscript = \"a.rhai\"\n\n[[policy]]\nname = \"b\"\nscript = \"b.rhai\"\nkinds = [\"ecs\"]\n\n\
                [[calendar]]\nname = \"freeze\"\ndays = [\"2026-12-24..2027-01-02\"]\n";
    let body = |b: &str, more: Value| {
        let mut body =
            json!({ "file": file, "scripts": { "a.rhai": "fn rule(plan) { approve() }", "b.rhai": b } });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body.to_string()
    };
    let broken = server.post("admin", "/v1/policies", &body("fn rule(plan) {\n    deny(\n}", json!({})));
    expect![[r#"
        422 Unprocessable Entity
        content-type: application/problem+json
        {
          "detail": "1 problem; see `errors`",
          "errors": [
            {
              "detail": "Unexpected '}' (line 3, column 1: `}`)",
              "field": "scripts.b.rhai"
            }
          ],
          "status": 422,
          "title": "Some fields are invalid",
          "type": "urn:perennial:problem:invalid-fields"
        }"#]]
    .assert_eq(&shown(&broken));
    let both = json!({
        "file": "[[policy]]\nname = \"b\"\nscript = \"b.rhai\"\nmode = \"loud\"\n",
        "scripts": { "b.rhai": "fn rule(plan) {\n    in_calendar(\"freeze\", plan.at);\n    deny(\n}" },
    });
    let both = server.post("admin", "/v1/policies", &both.to_string());
    expect![[r#"
        422 Unprocessable Entity
        content-type: application/problem+json
        {
          "detail": "2 problems; see `errors`",
          "errors": [
            {
              "detail": "there is no `loud`; expected `active` or `shadow`",
              "field": "policy[0].mode"
            },
            {
              "detail": "Unexpected '}' (line 4, column 1: `}`)",
              "field": "scripts.b.rhai"
            }
          ],
          "status": 422,
          "title": "Some fields are invalid",
          "type": "urn:perennial:problem:invalid-fields"
        }"#]]
    .assert_eq(&shown(&both));
    let missing = server.post("admin", "/v1/policies", &json!({ "file": file }).to_string());
    expect![[r#"
        422 Unprocessable Entity
        content-type: application/problem+json
        {
          "detail": "2 problems; see `errors`",
          "errors": [
            {
              "detail": "cannot read the script `a.rhai`: it is not in `scripts`, by that name",
              "field": "policy[0].script"
            },
            {
              "detail": "cannot read the script `b.rhai`: it is not in `scripts`, by that name",
              "field": "policy[1].script"
            }
          ],
          "status": 422,
          "title": "Some fields are invalid",
          "type": "urn:perennial:problem:invalid-fields"
        }"#]]
    .assert_eq(&shown(&missing));
    assert_eq!(names(&server), [""; 0]);
    let good = r#"fn rule(plan) { if in_calendar("freeze", plan.at) { return deny("frozen") } approve() }"#;
    let looked = server.post("admin", "/v1/policies", &body(good, json!({ "dry_run": true })));
    assert_eq!(changes(&looked), "policy a: added, policy b: added, calendar freeze: added");
    assert_eq!((looked.json()["events"].clone(), names(&server)), (json!([]), Vec::new()));
    let installed = install(&server, "admin", &body(good, json!({})));
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "changes": [
            {
              "change": "added",
              "name": "a",
              "subject": "policy"
            },
            {
              "change": "added",
              "name": "b",
              "subject": "policy"
            },
            {
              "change": "added",
              "name": "freeze",
              "subject": "calendar"
            }
          ],
          "events": [
            {
              "account": null,
              "at": "2026-01-01T00:00:00Z",
              "changed_by": "[random]",
              "digest": "[digest]",
              "digest_before": null,
              "mode": "active",
              "policy": "a",
              "resource": null,
              "type": "policy_installed"
            },
            {
              "account": null,
              "at": "2026-01-01T00:00:00Z",
              "changed_by": "[random]",
              "digest": "[digest]",
              "digest_before": null,
              "mode": "active",
              "policy": "b",
              "resource": null,
              "type": "policy_installed"
            },
            {
              "account": null,
              "at": "2026-01-01T00:00:00Z",
              "calendar": "freeze",
              "changed_by": "[random]",
              "removed": false,
              "resource": null,
              "type": "policy_calendar_changed"
            }
          ],
          "warnings": []
        }"#]]
    .assert_eq(&shown(&installed));
    expect![[r#"
        200 OK
        content-type: application/json
        etag: "[random]"
        {
          "policy": {
            "accounts": [],
            "commands": [],
            "digest": "[digest]",
            "installed_at": "2026-01-01T00:00:00Z",
            "installed_by": "[random]",
            "kinds": [
              "ecs"
            ],
            "mode": "active",
            "name": "b",
            "on_failure": "default",
            "order": 100,
            "providers": [],
            "script": "b.rhai",
            "tags": []
          },
          "source": "fn rule(plan) { if in_calendar(\"freeze\", plan.at) { return deny(\"frozen\") } approve() }"
        }"#]].assert_eq(&shown(&server.get("viewer", "/v1/policies/b")));
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "items": [
            {
              "days": [
                "2026-12-24..2027-01-02"
              ],
              "installed_at": "2026-01-01T00:00:00Z",
              "installed_by": "[random]",
              "name": "freeze"
            }
          ],
          "next_cursor": null
        }"#]]
    .assert_eq(&shown(&server.get("viewer", "/v1/policy-calendars")));
    assert_eq!(
        changes(&install(&server, "admin", &body(good, json!({})))),
        "policy a: unchanged, policy b: unchanged, calendar freeze: unchanged"
    );
    let told = server.get("viewer", "/v1/events").json()["items"].clone();
    let host = told.as_array().unwrap().iter().filter(|event| event["account"].is_null());
    assert_eq!(host.count(), 3, "the host's events are listed, once each");
    assert_eq!(server.get("bound-viewer", "/v1/policies").status, 403);
    assert!(!server.get("bound-viewer", "/v1/events").body.contains("policy_installed"));
    let asked = server.send("admin", "DELETE", "/v1/policy-calendars/freeze", &[], "");
    assert_eq!(asked.status, 409, "`b` asks for it: {}", asked.body);
    let file = "[[calendar]]\nname = \"thaw\"\ndays = [\"2027-01-03\"]\n";
    assert_eq!(
        changes(&install(&server, "admin", &json!({ "file": file, "replace": true }).to_string())),
        "calendar thaw: added, policy a: removed, policy b: removed, calendar freeze: removed"
    );
    assert_eq!(names(&server), [""; 0]);
}

#[test]
fn a_file_that_says_nothing_removes_nothing() {
    let server = Server::furnished();
    install(&server, "admin", &one("kept", "", "fn rule(plan) { approve() }"));
    for file in ["", "\n# policies\n"] {
        let body = json!({ "file": file, "replace": true }).to_string();
        let answer = server.post("admin", "/v1/policies", &body);
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert!(answer.body.contains("there is no policy in it and no calendar"), "{}", answer.body);
    }
    assert_eq!(names(&server), ["kept"]);
}

#[test]
fn a_script_may_be_as_long_as_a_body() {
    let server = Server::furnished();
    let long = format!("{}\nfn rule(plan) {{ approve() }}", "// a comment\n".repeat(2_000));
    install(&server, "admin", &one("long", "", &long));
    assert_eq!(names(&server), ["long"]);
}

#[test]
fn a_change_is_told_to_streams_and_webhooks_of_the_whole_host_only() {
    let (server, mut receiver) = (Server::open().sending(), Receiver::new());
    let mut whole = json!({ "url": receiver.url(), "types": ["policy_installed"] });
    make(&server, "admin", &whole);
    whole["accounts"] = json!(["acme-hw"]);
    let (bound, _) = make(&server, "admin", &whole);
    let mut stream = server.listen("viewer", "/v1/events:stream", &[]);
    stream.next().unwrap();
    install(&server, "admin", &one("a", "", "fn rule(plan) { approve() }"));
    let told = stream.next().unwrap();
    assert!(told.contains("event: policy_installed") && told.contains(r#""account":null"#), "{told}");
    assert_eq!(receiver.next().json()["data"]["policy"], "a");
    let sent = server.get("admin", &format!("/v1/webhooks/{bound}/deliveries")).json();
    assert_eq!(sent["items"], json!([]));
}

#[test]
fn an_install_under_an_idempotency_key_happens_once() {
    let server = Server::furnished();
    let body = one("a", "", "fn rule(plan) { approve() }");
    let send = || server.send("admin", "POST", "/v1/policies", &["idempotency-key: k"], &body);
    let (first, second) = (send(), send());
    assert_eq!((changes(&first), &first.body), ("policy a: added".to_owned(), &second.body));
    assert_eq!(server.get("viewer", "/v1/policies/a/history").json()["items"].as_array().unwrap().len(), 1);
}

#[test]
fn who_changed_which_policy_when_is_kept_with_a_difference() {
    let server = Server::furnished();
    let script = |limit: &str| {
        format!(
            "const LIMIT = {limit};\n\nfn rule(plan) {{\n    if plan.cost > global::LIMIT {{\n        return deny(\"dear\");\n    }}\n    approve()\n}}\n"
        )
    };
    install(&server, "admin", &one("dear", "", &script("50.00")));
    let reason = ["x-reason: prices rose"];
    let body = one("dear", "order = 7\nmode = \"shadow\"", &script("90.00"));
    assert_eq!(server.send("admin", "POST", "/v1/policies", &reason, &body).status, 200);
    assert_eq!(server.send("admin", "DELETE", "/v1/policies/dear", &[], "").status, 200);
    assert_eq!(server.send("admin", "DELETE", "/v1/policies/dear", &[], "").status, 404);
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "items": [
            {
              "after": {
                "accounts": [],
                "commands": [],
                "digest": "[digest]",
                "kinds": [],
                "mode": "active",
                "on_failure": "default",
                "order": 100,
                "providers": [],
                "script": "dear.rhai",
                "tags": []
              },
              "at": "2026-01-01T00:00:00Z",
              "before": null,
              "changed_by": "[random]",
              "confirmed_at": null,
              "confirmed_by": null,
              "reason": null,
              "script_difference": "+const LIMIT = 50.00;\n+\n+fn rule(plan) {\n+    if plan.cost > global::LIMIT {\n+        return deny(\"dear\");\n+    }\n+    approve()\n+}\n"
            },
            {
              "after": {
                "accounts": [],
                "commands": [],
                "digest": "[digest]",
                "kinds": [],
                "mode": "shadow",
                "on_failure": "default",
                "order": 7,
                "providers": [],
                "script": "dear.rhai",
                "tags": []
              },
              "at": "2026-01-01T00:00:00Z",
              "before": {
                "accounts": [],
                "commands": [],
                "digest": "[digest]",
                "kinds": [],
                "mode": "active",
                "on_failure": "default",
                "order": 100,
                "providers": [],
                "script": "dear.rhai",
                "tags": []
              },
              "changed_by": "[random]",
              "confirmed_at": null,
              "confirmed_by": null,
              "reason": "prices rose",
              "script_difference": "-const LIMIT = 50.00;\n+const LIMIT = 90.00;\n \n fn rule(plan) {\n     if plan.cost > global::LIMIT {\n"
            },
            {
              "after": null,
              "at": "2026-01-01T00:00:00Z",
              "before": {
                "accounts": [],
                "commands": [],
                "digest": "[digest]",
                "kinds": [],
                "mode": "shadow",
                "on_failure": "default",
                "order": 7,
                "providers": [],
                "script": "dear.rhai",
                "tags": []
              },
              "changed_by": "[random]",
              "confirmed_at": null,
              "confirmed_by": null,
              "reason": null,
              "script_difference": "-const LIMIT = 90.00;\n-\n-fn rule(plan) {\n-    if plan.cost > global::LIMIT {\n-        return deny(\"dear\");\n-    }\n-    approve()\n-}\n"
            }
          ],
          "next_cursor": null
        }"#]].assert_eq(&shown(&server.get("viewer", "/v1/policies/dear/history")));
    let page = server.get("viewer", "/v1/policies/dear/history?limit=1").json();
    let next = page["next_cursor"].as_str().unwrap();
    let rest = server.get("viewer", &format!("/v1/policies/dear/history?cursor={next}")).json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 2);
    assert_eq!(server.get("viewer", "/v1/policies/none/history").status, 404);
}

#[test]
fn a_change_takes_effect_under_due_work_across_a_restart() {
    let server = Server::furnished();
    let later = r#"fn rule(plan) { defer(instant("2026-01-30T12:00:00Z"), "later") }"#;
    install(&server, "admin", &one("later", "", later));
    server.advance("2026-01-26T00:00:00Z");
    let server = server.restarted();
    server.advance("2026-01-27T00:00:00Z");
    expect![[r#"
        2026-01-23T19:00:00Z policy_ruled deferred later 2026-01-30T12:00:00Z
        2026-01-26T01:00:00Z notice
    "#]]
    .assert_eq(&history(&server, "ecs-1"));
    // Nothing else but the policy that put it off asks for it to wait.
    assert_eq!(server.send("admin", "DELETE", "/v1/policies/later", &[], "").status, 200);
    server.advance("2026-01-27T00:00:01Z");
    expect![[r#"
        2026-01-23T19:00:00Z policy_ruled deferred later 2026-01-30T12:00:00Z
        2026-01-26T01:00:00Z notice
        2026-01-27T00:00:00Z balance_changed renewal
        2026-01-27T00:00:00Z renewal_settled
    "#]]
    .assert_eq(&history(&server, "ecs-1"));
    let server = server.restarted();
    server.advance("2026-02-01T00:00:00Z");
    assert_eq!(history(&server, "ecs-1").matches("renewal_settled").count(), 1);
}

#[test]
fn another_version_is_asked_at_once_about_what_the_one_before_put_off() {
    let server = Server::furnished();
    let until = |day: &str| {
        format!(r#"fn rule(plan) {{ defer(instant("2026-01-{day}T12:00:00Z"), "until {day}") }}"#)
    };
    install(&server, "admin", &one("later", "", &until("30")));
    server.advance("2026-01-26T00:00:00Z");
    install(&server, "admin", &one("later", "", &until("28")));
    server.advance("2026-01-26T00:00:01Z");
    expect![[r#"
        2026-01-23T19:00:00Z policy_ruled deferred until 30 2026-01-30T12:00:00Z
        2026-01-26T00:00:00Z policy_ruled deferred until 28 2026-01-28T12:00:00Z
    "#]]
    .assert_eq(&history(&server, "ecs-1"));
}

#[test]
fn a_downtime_across_a_deferral_ends_with_one_try() {
    let server = Server::furnished();
    let later = r#"fn rule(plan) { if plan.at < instant("2026-01-28T12:00:00Z") { return defer(instant("2026-01-28T12:00:00Z"), "later") } approve() }"#;
    install(&server, "admin", &one("later", "", later));
    server.advance("2026-01-26T00:00:00Z");
    let told_before = history(&server, "ecs-1");
    server.on_writer(|context| {
        let (down_since, now) =
            ("2026-01-26T00:00:00Z".parse().unwrap(), "2026-01-29T06:00:00Z".parse().unwrap());
        context.engine.catch_up(down_since, now, &mut |_, _| {}).unwrap();
    });
    expect![[r#"
        2026-01-26T01:00:00Z notice
        2026-01-29T06:00:00Z balance_changed renewal
        2026-01-29T06:00:00Z renewal_settled
    "#]]
    .assert_eq(history(&server, "ecs-1").strip_prefix(&told_before).unwrap());
}

#[test]
fn two_plans_of_one_batch_see_the_budget_that_the_first_left() {
    let server = Server::furnished();
    let more = json!({ "resources": [{
        "id": "ecs-2", "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
        "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
        "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew",
    }] });
    assert_eq!(server.post("operator", "/v1/resources:import", &more.to_string()).status, 200);
    let budget = server.send("admin", "PATCH", "/v1/accounts/acme-hw", &[], r#"{"budget": "150.00"}"#);
    assert_eq!(budget.status, 200);
    let script = "fn rule(plan) { if plan.cost > plan.budget.left { return deny(`${plan.budget.left} left`) } approve() }";
    install(&server, "admin", &one("budget", "", script));
    server.advance("2026-01-25T00:00:00Z");
    expect![[r#"
        2026-01-23T19:00:00Z balance_changed renewal
        2026-01-23T19:00:00Z renewal_settled
        2026-01-23T19:00:00Z policy_ruled denied 51.00 left
        2026-01-24T19:00:00Z policy_ruled denied 51.00 left
    "#]]
    .assert_eq(&(history(&server, "ecs-1") + &history(&server, "ecs-2")));
}

#[test]
fn a_script_that_fails_and_one_that_does_not_end_cost_no_resource() {
    for script in ["fn rule(plan) { 1 + plan.options }", "fn rule(plan) { loop {} }"] {
        let server = Server::furnished();
        install(&server, "admin", &one("broken", "", script));
        server.advance("2026-01-25T00:00:00Z");
        let told = history(&server, "ecs-1");
        assert!(told.contains("policy_ruled failed") && told.contains("line 1"), "{told}");
        assert!(told.contains("renewal_settled"), "a failure approves what keeps a resource alive: {told}");
    }
}

#[test]
fn a_shadow_policy_leaves_what_it_would_have_done_otherwise() {
    let server = Server::furnished();
    let shadow =
        |name: &str, script: &str| install(&server, "admin", &one(name, "mode = \"shadow\"", script));
    shadow("stop", r#"fn rule(plan) { deny("no renewals") }"#);
    shadow("long", r#"fn rule(plan) { amend(#{ term: #{ count: 1, unit: "year" } }, "a year") }"#);
    shadow("same", "fn rule(plan) { approve() }");
    server.advance("2026-01-26T00:00:00Z");
    for name in ["stop", "long", "same"] {
        let found = server.get("viewer", &format!("/v1/policies/{name}/differences")).json();
        let masked = crate::harness::masked(&serde_json::to_string_pretty(&found).unwrap());
        match name {
            "stop" => expect![[r#"
                {
                  "items": [
                    {
                      "account": "acme-hw",
                      "amended_cost": null,
                      "cause": "auto",
                      "command": "renew",
                      "cost": "99.00",
                      "currency": "CNY",
                      "digest": "[digest]",
                      "first_at": "2026-01-23T19:00:00Z",
                      "followed": "approved",
                      "last_at": "2026-01-23T19:00:00Z",
                      "reason": "no renewals",
                      "resource": "ecs-1",
                      "ruling": "denied",
                      "times": 1,
                      "until": null
                    }
                  ],
                  "next_cursor": null,
                  "totals": [
                    {
                      "amended_cost": "0.00",
                      "cost": "99.00",
                      "currency": "CNY",
                      "followed": "approved",
                      "plans": 1,
                      "ruling": "denied"
                    }
                  ]
                }"#]]
            .assert_eq(&masked),
            "long" => expect![[r#"
                {
                  "items": [
                    {
                      "account": "acme-hw",
                      "amended_cost": "1188.00",
                      "cause": "auto",
                      "command": "renew",
                      "cost": "99.00",
                      "currency": "CNY",
                      "digest": "[digest]",
                      "first_at": "2026-01-23T19:00:00Z",
                      "followed": "approved",
                      "last_at": "2026-01-23T19:00:00Z",
                      "reason": "a year",
                      "resource": "ecs-1",
                      "ruling": "amended",
                      "times": 1,
                      "until": null
                    }
                  ],
                  "next_cursor": null,
                  "totals": [
                    {
                      "amended_cost": "1188.00",
                      "cost": "99.00",
                      "currency": "CNY",
                      "followed": "approved",
                      "plans": 1,
                      "ruling": "amended"
                    }
                  ]
                }"#]]
            .assert_eq(&masked),
            _ => expect![[r#"
                {
                  "items": [],
                  "next_cursor": null,
                  "totals": []
                }"#]]
            .assert_eq(&masked),
        }
    }
    // The other way round: what an active policy denies day by day, the shadow would have done; it is one plan.
    let server = Server::furnished();
    install(&server, "admin", &one("no", "", r#"fn rule(plan) { deny("no") }"#));
    install(&server, "admin", &one("yes", "mode = \"shadow\"", "fn rule(plan) { approve() }"));
    server.advance("2026-01-29T00:00:00Z");
    let found = server.get("viewer", "/v1/policies/yes/differences").json();
    assert_eq!(found["totals"][0]["plans"], 1, "{found}");
    assert_eq!(
        (&found["items"][0]["times"], &found["items"][0]["followed"]),
        (&json!(6), &json!("denied")),
        "{found}"
    );
    let other = server.get("bound-viewer", "/v1/policies/yes/differences").json();
    assert_eq!(other["items"].as_array().unwrap().len(), 1, "a bound token sees those of its accounts");
}

#[test]
fn a_dry_run_names_who_asks_as_the_command_does() {
    let server = Server::furnished();
    let script = r#"fn rule(plan) { deny(`not for ${plan.requested_by}`) }"#;
    install(&server, "admin", &one("named", "", script));
    let refused = |body: &str| server.post("operator", "/v1/resources/ecs-1:renew", body).json();
    let (looked, done) = (refused(r#"{"dry_run": true}"#), refused("{}"));
    assert_eq!(looked["plan"]["refusal"], done["refusal"]);
    assert!(done["refusal"]["message"].as_str().unwrap().contains("not for "), "{done}");
}

#[test]
fn an_amendment_without_an_end_leaves_the_plan_as_it_was() {
    let longer =
        r#"fn rule(plan) { amend(#{ term: #{ count: plan.term.count * 2, unit: "month" } }, "more") }"#;
    let server = Server::furnished();
    install(&server, "admin", &one("longer", "", longer));
    let looked = server.post("operator", "/v1/resources/ecs-1:renew", r#"{"dry_run": true}"#).json();
    assert_eq!(looked["plan"]["cost"], "99.00", "{looked}");
    assert_eq!(looked["plan"]["rulings"][3]["ruling"], "failed", "{looked}");
    let renewed = server.post("operator", "/v1/resources/ecs-1:renew", "{}").json();
    assert_eq!(
        renewed["resource"]["expires_at"], "2026-02-28T15:59:59Z",
        "a month, as was asked for: {renewed}"
    );
    let rulings = history(&server, "ecs-1");
    assert_eq!(rulings.matches("policy_ruled amended more").count(), 3, "{rulings}");
    assert_eq!(rulings.matches("policy_ruled failed").count(), 1, "{rulings}");
}

#[test]
fn a_dry_run_says_what_policies_did_to_the_plan() {
    let server = Server::furnished();
    let longer = r#"fn rule(plan) { amend(#{ term: #{ count: 3, unit: "month" } }, "three") }"#;
    install(&server, "admin", &one("longer", "order = 1", longer));
    install(&server, "admin", &one("broken", "", "fn rule(plan) { 1 + plan.options }"));
    let later = r#"fn rule(plan) { defer(add_days(plan.at, 1), "tomorrow") }"#;
    install(&server, "admin", &one("later", "", later));
    let looked = server.post("operator", "/v1/resources/ecs-1:renew", r#"{"dry_run": true}"#).json();
    let rulings = looked["plan"]["rulings"].as_array().unwrap().iter();
    let rulings = rulings.map(|one| format!("{} {}", one["policy"], one["ruling"])).collect::<Vec<_>>();
    assert_eq!(rulings, [r#""longer" "amended""#, r#""broken" "failed""#, r#""later" "deferred""#]);
    assert_eq!(looked["plan"]["rulings"][2]["until"], "2026-01-02T00:00:00Z", "{looked}");
}

#[test]
fn a_plan_that_comes_out_differently_later_is_one_difference() {
    let server = Server::furnished();
    let last = r#"fn rule(plan) { if plan.at < plan.last_try_at { return deny("wait") } approve() }"#;
    install(&server, "admin", &one("last", "", last));
    let shadow = r#"fn rule(plan) { require_approval("look") }"#;
    install(&server, "admin", &one("watched", "mode = \"shadow\"", shadow));
    server.advance("2026-02-01T00:00:00Z");
    let found = server.get("viewer", "/v1/policies/watched/differences").json();
    let of_resource = found["items"].as_array().unwrap().iter().filter(|one| one["resource"] == "ecs-1");
    let outcomes = of_resource.map(|one| one["followed"].to_string()).collect::<Vec<_>>();
    assert_eq!(outcomes, [r#""approved""#], "{found}");
}
