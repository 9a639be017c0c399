//! `/v1/jobs`.

use expect_test::expect;
use perennial_service::limits::Limits;
use serde_json::Value;
use serde_json::json;

use crate::harness::ApiResponse;
use crate::harness::Server;

/// Begins a job and waits for its end; returns what it is called.
fn run(server: &Server, token: &str, body: &Value) -> String {
    let answer = server.post(token, "/v1/jobs", &body.to_string());
    assert_eq!(answer.status, 202, "{}", answer.body);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    finish(server, &id);
    id
}

fn finish(server: &Server, id: &str) {
    while server.get("admin", &format!("/v1/jobs/{id}")).json()["state"] == "running" {}
}

fn items(server: &Server, token: &str, id: &str) -> ApiResponse {
    server.get(token, &format!("/v1/jobs/{id}/items"))
}

/// Each item's id with its answer and what else `fields` names.
fn brief(answer: &ApiResponse, fields: &[&str]) -> Vec<String> {
    let shown = |item: &Value| {
        let all = ["resource", "outcome"].iter().chain(fields).map(|name| match item[name].as_str() {
            Some(text) => text.to_owned(),
            None => item[name].to_string(),
        });
        all.collect::<Vec<_>>().join(" ")
    };
    answer.json()["items"].as_array().unwrap().iter().map(shown).collect()
}

/// A server with `count` resources of `acme-hw`, `ecs-00001` and so on, and as much money as that takes.
pub fn crowd(count: usize) -> Server {
    let server = Server::with(Limits { readers: 2, ..Limits::DEFAULT });
    let resource = |number: usize| {
        json!({
            "id": format!("ecs-{number:05}"), "account": "acme-hw", "kind": "ecs", "region": "cn-north-4",
            "charging": "prepaid", "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "99.00",
        })
    };
    let inventory = json!({
        "accounts": [
            { "id": "acme-hw", "provider": "huawei", "currency": "CNY", "balance": format!("{}.00", 99 * count) },
        ],
        "resources": (0..count).map(resource).collect::<Vec<_>>(),
    });
    assert_eq!(server.post("admin", "/v1/resources:import", &inventory.to_string()).status, 200);
    server
}

#[test]
fn a_job_is_accepted_and_then_goes_on_by_itself() {
    let server = Server::furnished();
    let ids = json!(["ecs-1", "none", "ecs-1", "bcc-1", "pkg-1"]);
    let body = json!({ "command": { "renew": {} }, "ids": ids }).to_string();
    let accepted = server.send("operator", "POST", "/v1/jobs", &["x-reason: new year"], &body);
    let token = accepted.json()["token"].as_str().unwrap().to_owned();
    expect![[r#"
        202 Accepted
        content-type: application/json
        location: /v1/jobs/job-1
        {
          "cancel_reason": null,
          "command": {
            "renew": {
              "options": {},
              "term": null
            }
          },
          "costs": [],
          "created_at": "2026-01-01T00:00:00Z",
          "dry_run": false,
          "ended_at": null,
          "from_dry_run": null,
          "has_more": false,
          "id": "job-1",
          "name": "operator",
          "outcomes": {
            "applied": 0,
            "failed": 0,
            "pending_approval": 0,
            "pending_call": 0,
            "plan_changed": 0,
            "planned": 0,
            "refused": 0,
            "skipped": 1,
            "unknown": 0
          },
          "reason": "new year",
          "request": "test",
          "started_at": null,
          "state": "running",
          "token": "[token]",
          "total": 5,
          "unknown_ids": 0,
          "waiting": 4
        }"#]]
    .assert_eq(&accepted.shown().replace(&token, "[token]"));
    finish(&server, "job-1");
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "cancel_reason": null,
          "command": {
            "renew": {
              "options": {},
              "term": null
            }
          },
          "costs": [
            {
              "cost": "269.00",
              "currency": "CNY",
              "refund": "0.00"
            }
          ],
          "created_at": "2026-01-01T00:00:00Z",
          "dry_run": false,
          "ended_at": "2026-01-01T00:00:00Z",
          "from_dry_run": null,
          "has_more": false,
          "id": "job-1",
          "name": "operator",
          "outcomes": {
            "applied": 3,
            "failed": 0,
            "pending_approval": 0,
            "pending_call": 0,
            "plan_changed": 0,
            "planned": 0,
            "refused": 0,
            "skipped": 1,
            "unknown": 1
          },
          "reason": "new year",
          "request": "test",
          "started_at": "2026-01-01T00:00:00Z",
          "state": "done",
          "token": "[token]",
          "total": 5,
          "unknown_ids": 0,
          "waiting": 0
        }"#]]
    .assert_eq(&server.get("viewer", "/v1/jobs/job-1").shown().replace(&token, "[token]"));
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "items": [
            {
              "at": "2026-01-01T00:00:00Z",
              "code": null,
              "cost": "99.00",
              "currency": "CNY",
              "message": null,
              "outcome": "applied",
              "plan": null,
              "refund": "0.00",
              "resource": "ecs-1"
            },
            {
              "at": "2026-01-01T00:00:00Z",
              "code": "not-found",
              "cost": null,
              "currency": null,
              "message": "there is no resource `none`",
              "outcome": "unknown",
              "plan": null,
              "refund": null,
              "resource": "none"
            },
            {
              "at": "2026-01-01T00:00:00Z",
              "code": "repeated",
              "cost": null,
              "currency": null,
              "message": "the same id comes earlier in the job",
              "outcome": "skipped",
              "plan": null,
              "refund": null,
              "resource": "ecs-1"
            },
            {
              "at": "2026-01-01T00:00:00Z",
              "code": null,
              "cost": "50.00",
              "currency": "CNY",
              "message": null,
              "outcome": "applied",
              "plan": null,
              "refund": "0.00",
              "resource": "bcc-1"
            },
            {
              "at": "2026-01-01T00:00:00Z",
              "code": null,
              "cost": "120.00",
              "currency": "CNY",
              "message": null,
              "outcome": "applied",
              "plan": null,
              "refund": "0.00",
              "resource": "pkg-1"
            }
          ],
          "next_cursor": null
        }"#]]
    .assert_eq(&items(&server, "viewer", "job-1").shown());
}

#[test]
fn a_job_leaves_the_events_that_single_commands_leave() {
    let commands = [
        (json!({ "renew": {} }), "renew", json!({})),
        (json!("cancel_auto_renew"), "cancel-auto-renew", json!({})),
        (json!({ "set_auto_renew": { "renewals": 3 } }), "set-auto-renew", json!({ "renewals": 3 })),
        (json!("convert_on_expiry"), "convert-on-expiry", json!({})),
        (json!({ "unsubscribe": { "scope": "all" } }), "unsubscribe", json!({ "scope": "all" })),
        (json!({ "buy_again": {} }), "buy-again", json!({})),
    ];
    let ids = ["ecs-1", "bcc-1", "none", "pkg-1"];
    for (command, verb, body) in commands {
        let (bulk, single) = (Server::furnished(), Server::furnished());
        run(&bulk, "operator", &json!({ "command": command, "ids": ids }));
        for id in ids {
            single.post("operator", &format!("/v1/resources/{id}:{verb}"), &body.to_string());
        }
        assert_eq!(bulk.events(), single.events(), "{verb}");
        assert!(!bulk.events().is_empty(), "{verb} does something");
        for list in ["resources", "accounts", "attempts"] {
            let of = |server: &Server| server.get("admin", &format!("/v1/{list}")).body;
            assert_eq!(of(&bulk), of(&single), "{verb} {list}");
        }
    }
}

#[test]
fn a_filter_finds_what_the_list_of_resources_finds() {
    let server = Server::furnished();
    let cases = [
        (json!({ "account": "acme-hw" }), "account=acme-hw"),
        (json!({ "provider": "baidu" }), "provider=baidu"),
        (json!({ "kind": "package" }), "kind=package"),
        (json!({ "stage": "grace" }), "stage=grace"),
        (json!({ "tag": "env" }), "tag=env"),
        (json!({ "tag": "env=prod" }), "tag=env%3Dprod"),
        (json!({ "tag": "env=test" }), "tag=env%3Dtest"),
        (json!({ "expires_before": "2026-02-01T00:00:00Z" }), "expires_before=2026-02-01T00:00:00Z"),
        (json!({ "expires_from": "2026-02-01T00:00:00Z" }), "expires_from=2026-02-01T00:00:00Z"),
    ];
    for (token, name) in [("operator", "viewer"), ("bound-operator", "bound-viewer")] {
        for (filter, query) in &cases {
            let id = run(
                &server,
                token,
                &json!({ "command": "cancel_auto_renew", "filter": filter, "dry_run": true }),
            );
            let of = |list: &Value, field: &str| {
                let items = list["items"].as_array().unwrap().iter();
                items.map(|item| item[field].clone()).collect::<Vec<_>>()
            };
            let found = of(&items(&server, name, &id).json(), "resource");
            assert_eq!(
                found,
                of(&server.get(name, &format!("/v1/resources?{query}")).json(), "id"),
                "{token} {query}"
            );
            assert_eq!(server.get(name, &format!("/v1/jobs/{id}")).json()["has_more"], false);
        }
    }
}

#[test]
fn a_filter_takes_no_more_than_a_job_does_and_says_so() {
    let server = crowd(10_001);
    let id = run(
        &server,
        "operator",
        &json!({ "command": "cancel_auto_renew", "filter": { "kind": "ecs" }, "dry_run": true }),
    );
    let job = server.get("viewer", &format!("/v1/jobs/{id}")).json();
    assert_eq!((&job["total"], &job["has_more"]), (&json!(10_000), &json!(true)));
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.get("viewer", &format!("/v1/jobs/{id}/items?limit=1000{cursor}")).json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["resource"].clone()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected = (0..10_000).map(|number| json!(format!("ecs-{number:05}"))).collect::<Vec<_>>();
    assert!(seen == expected, "every item is on one page, in order");
}

#[test]
fn a_dry_run_prices_every_plan_and_changes_nothing() {
    let server = Server::furnished();
    let before = [server.get("admin", "/v1/resources").body, server.get("admin", "/v1/accounts").body];
    let body = json!({
        "command": { "renew": { "term": { "count": 1, "unit": "year" } } },
        "ids": ["ecs-1", "bcc-1", "none"],
        "dry_run": true,
    });
    let id = run(&server, "operator", &body);
    let job = server.get("viewer", &format!("/v1/jobs/{id}")).json();
    expect![[r#"{"applied":0,"failed":0,"pending_approval":0,"pending_call":0,"plan_changed":0,"planned":0,"refused":2,"skipped":0,"unknown":1} [{"cost":"1788.00","currency":"CNY","refund":"0.00"}]"#]].assert_eq(&format!("{} {}", job["outcomes"], job["costs"]));
    assert_eq!(
        brief(&items(&server, "viewer", &id), &["code", "cost", "currency"]),
        [
            "ecs-1 refused CBC.30050006 1188.00 CNY",
            "bcc-1 refused OperationDenied 600.00 CNY",
            "none unknown not-found null null"
        ]
    );
    let single = |id: &str| {
        let body = json!({ "term": { "count": 1, "unit": "year" }, "dry_run": true }).to_string();
        server.post("operator", &format!("/v1/resources/{id}:renew"), &body).json()["plan"].clone()
    };
    let plans = items(&server, "viewer", &id).json();
    assert_eq!(plans["items"][0]["plan"], single("ecs-1"));
    assert_eq!(plans["items"][1]["plan"], single("bcc-1"));
    assert_eq!([server.get("admin", "/v1/resources").body, server.get("admin", "/v1/accounts").body], before);
    assert_eq!(server.events(), Vec::<Value>::new());
}

#[test]
fn what_a_dry_run_showed_is_carried_out_where_it_is_still_the_same() {
    let server = Server::furnished();
    let ids = json!(["ecs-1", "none", "bcc-1", "pkg-1", "ecs-1"]);
    let looked =
        run(&server, "operator", &json!({ "command": { "renew": {} }, "ids": ids, "dry_run": true }));
    let patch = r#"{"attributes": {"status": "frozen"}}"#;
    assert_eq!(server.send("operator", "PATCH", "/v1/resources/ecs-1", &[], patch).status, 200);
    // Paid in meanwhile: a balance is no part of what was looked at, because every item changes it for the next.
    server.post("operator", "/v1/accounts/beta-bd:top-up", r#"{"amount": "1.00"}"#);
    server.post("operator", "/v1/resources/pkg-1:renew", "{}");
    let done = run(&server, "operator", &json!({ "from_dry_run": looked }));
    assert_eq!(
        brief(&items(&server, "viewer", &done), &["code", "cost"]),
        [
            "ecs-1 applied null 99.00",
            "none skipped not-found null",
            "bcc-1 applied null 50.00",
            "pkg-1 plan_changed plan-changed null",
            "ecs-1 skipped repeated null",
        ]
    );
    assert_eq!(server.get("viewer", &format!("/v1/jobs/{done}")).json()["from_dry_run"], json!(looked));
    let again = server.post("operator", "/v1/jobs", &json!({ "from_dry_run": done }).to_string());
    assert_eq!(again.status, 409, "it was no dry run");
}

#[test]
fn a_job_cannot_tell_what_is_out_of_scope_from_what_is_not_there() {
    let server = Server::furnished();
    for is_dry_run in [true, false] {
        let body = json!({ "command": { "renew": {} }, "ids": ["bcc-1", "none"], "dry_run": is_dry_run });
        let id = run(&server, "bound-operator", &body);
        let list = items(&server, "bound-viewer", &id).json();
        let of = |place: usize| list["items"][place].to_string();
        assert_eq!(of(0).replace("bcc-1", "none"), of(1));
        assert_eq!(list["items"][0]["outcome"], "unknown");
    }
    assert_eq!(server.events(), Vec::<Value>::new());
}

#[test]
fn jobs_of_tokens_that_see_more_are_not_shown() {
    let server = Server::furnished();
    let body = json!({ "command": { "renew": {} }, "ids": ["ecs-1"], "dry_run": true });
    let theirs = run(&server, "operator", &body);
    let ours = run(&server, "bound-operator", &body);
    let ids = |token| {
        let list = server.get(token, "/v1/jobs").json();
        list["items"].as_array().unwrap().iter().map(|job| job["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids("viewer"), [json!(ours), json!(theirs)]);
    assert_eq!(ids("bound-viewer"), [json!(ours)]);
    for path in [format!("/v1/jobs/{theirs}"), format!("/v1/jobs/{theirs}/items")] {
        let hidden = server.get("bound-viewer", &path);
        assert_eq!(hidden.status, 404);
        let none = server.get("bound-viewer", &path.replace(&theirs, "job-99"));
        assert_eq!(hidden.body.replace(&theirs, "job-99"), none.body);
    }
    assert_eq!(server.post("bound-operator", &format!("/v1/jobs/{theirs}:cancel"), "{}").status, 404);
    let planned = json!({ "from_dry_run": theirs }).to_string();
    assert_eq!(server.post("bound-operator", "/v1/jobs", &planned).status, 404);
}

#[test]
fn a_cancelled_job_leaves_the_rest_alone() {
    let server = crowd(3000);
    let body = json!({ "command": { "renew": {} }, "filter": { "kind": "ecs" } }).to_string();
    let id = server.post("operator", "/v1/jobs", &body).json()["id"].as_str().unwrap().to_owned();
    let cancelled = server.post("operator", &format!("/v1/jobs/{id}:cancel"), "{}").json();
    assert_eq!(
        (&cancelled["state"], &cancelled["cancel_reason"]),
        (&json!("cancelled"), &json!("by the token `operator`"))
    );
    let done = cancelled["outcomes"]["applied"].as_u64().unwrap();
    let skipped = cancelled["outcomes"]["skipped"].as_u64().unwrap();
    assert_eq!((done + skipped, &cancelled["waiting"]), (3000, &json!(0)));
    assert!(skipped > 0, "it was cancelled before its end");
    let settled = server.events().iter().filter(|event| event["type"] == "renewal_settled").count();
    assert_eq!(u64::try_from(settled).unwrap(), done, "nothing was done after it was cancelled");
    let page = server.get("viewer", &format!("/v1/jobs/{id}/items?outcome=skipped&limit=1")).json();
    assert_eq!(page["items"][0]["code"], "cancelled");
    assert_eq!(server.post("operator", &format!("/v1/jobs/{id}:cancel"), "{}").json(), cancelled);
}

#[test]
fn a_job_ends_with_the_token_that_asked_for_it() {
    let server = crowd(3000);
    let tokens = server.get("admin", "/v1/tokens").json();
    let tokens = tokens["items"].as_array().unwrap();
    let token = tokens.iter().find(|token| token["name"] == "operator").unwrap()["id"].as_str().unwrap();
    let body = json!({ "command": { "renew": {} }, "filter": { "kind": "ecs" } }).to_string();
    let id = server.post("operator", "/v1/jobs", &body).json()["id"].as_str().unwrap().to_owned();
    assert_eq!(server.post("admin", &format!("/v1/tokens/{token}:revoke"), "").status, 200);
    finish(&server, &id);
    let job = server.get("viewer", &format!("/v1/jobs/{id}")).json();
    assert_eq!(
        (&job["state"], &job["cancel_reason"]),
        (&json!("cancelled"), &json!("the token that created it is no longer in force"))
    );
    assert!(job["outcomes"]["skipped"].as_u64().unwrap() > 0);
}

#[test]
fn a_job_that_was_under_way_goes_on_after_a_restart() {
    let server = crowd(3000);
    let body = json!({ "command": { "renew": {} }, "filter": { "kind": "ecs" } }).to_string();
    let id = server.post("operator", "/v1/jobs", &body).json()["id"].as_str().unwrap().to_owned();
    let server = server.restarted();
    finish(&server, &id);
    let job = server.get("viewer", &format!("/v1/jobs/{id}")).json();
    assert_eq!(job["outcomes"]["applied"], 3000);
    assert_eq!(job["costs"], json!([{ "currency": "CNY", "cost": "297000.00", "refund": "0.00" }]));
    let settled = server.events().iter().filter(|event| event["type"] == "renewal_settled").count();
    assert_eq!(settled, 3000);
    assert_eq!(server.get("viewer", "/v1/accounts/acme-hw").json()["balance"], "0.00");
}

#[test]
fn other_writes_are_done_while_a_job_goes_on() {
    let server = crowd(3000);
    let body = json!({ "command": { "renew": {} }, "filter": { "kind": "ecs" } }).to_string();
    let id = server.post("operator", "/v1/jobs", &body).json()["id"].as_str().unwrap().to_owned();
    let answer = server.post("operator", "/v1/accounts/acme-hw:top-up", r#"{"amount": "1.00"}"#);
    assert_eq!(answer.status, 200);
    assert_eq!(server.get("viewer", &format!("/v1/jobs/{id}")).json()["state"], "running");
    let metrics = server.get("", "/metrics").body;
    assert!(metrics.contains("\nperennial_jobs_running 1\n"), "{metrics}");
    assert!(!metrics.contains("\nperennial_job_items_waiting 0\n"), "{metrics}");
    // On virtual time, what was asked for at an instant is done before the clock leaves it.
    server.advance("2026-01-02T00:00:00Z");
    let job = server.get("viewer", &format!("/v1/jobs/{id}")).json();
    assert_eq!((&job["state"], &job["ended_at"]), (&json!("done"), &json!("2026-01-01T00:00:00Z")));
}

#[test]
fn the_same_key_is_the_same_job() {
    let server = Server::furnished();
    let body = json!({ "command": { "renew": {} }, "ids": ["ecs-1"] }).to_string();
    let send = || server.send("operator", "POST", "/v1/jobs", &["idempotency-key: k"], &body);
    let first = send();
    finish(&server, "job-1");
    assert_eq!(send().body, first.body);
    assert_eq!(server.get("viewer", "/v1/jobs").json()["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_job_is_one_record_in_the_audit_log_and_its_items_lead_to_it() {
    let server = Server::furnished();
    let body = json!({ "command": { "renew": {} }, "ids": ["ecs-1", "pkg-1", "bcc-1"] }).to_string();
    let headers = ["x-reason: ticket 4711", "x-request-id: mine"];
    let accepted = server.send("bound-operator", "POST", "/v1/jobs", &headers, &body);
    assert_eq!(accepted.status, 202);
    finish(&server, "job-1");
    let audit = server.get("admin", "/v1/audit").json();
    let records = audit["items"].as_array().unwrap().iter();
    let records = records.filter(|record| record["operation"] == "POST /v1/jobs").collect::<Vec<_>>();
    assert_eq!(records.len(), 1);
    let job = server.get("admin", "/v1/jobs/job-1").json();
    assert_eq!(records[0]["reason"], "ticket 4711");
    assert_eq!(records[0]["account"], "acme-hw", "the one account that the token sees of these");
    for name in ["token", "name", "request", "reason"] {
        assert_eq!(records[0][name], job[name], "{name}");
    }
}

#[test]
fn a_token_has_so_many_jobs_at_once_and_no_more() {
    let server = crowd(3000);
    let body = json!({ "command": "cancel_auto_renew", "filter": { "kind": "ecs" } }).to_string();
    for _ in 0..8 {
        assert_eq!(server.post("operator", "/v1/jobs", &body).status, 202);
    }
    let one_more = server.post("operator", "/v1/jobs", &body);
    assert_eq!((one_more.status.as_u16(), one_more.headers["retry-after"].to_str().unwrap()), (429, "10"));
    assert_eq!(server.post("admin", "/v1/jobs", &body).status, 202, "another token has its own");
    for job in 1..=9 {
        finish(&server, &format!("job-{job}"));
    }
}

#[test]
fn a_body_that_makes_no_sense_is_told_everything() {
    let server = Server::furnished();
    let cases = [
        json!({}),
        json!({ "command": "renew", "ids": [] }),
        json!({ "command": { "renew": { "term": 1 } }, "ids": ["", 7], "dry_run": "yes" }),
        json!({ "command": "cancel_auto_renew", "ids": ["a"], "filter": {} }),
        json!({ "command": "cancel_auto_renew", "filter": {} }),
        json!({ "command": "cancel_auto_renew", "filter": { "stage": "gone", "owner": "me" } }),
        json!({ "command": "cancel_auto_renew", "from_dry_run": "job-1", "dry_run": true }),
        json!({ "from_dry_run": "1" }),
        json!({ "command": "cancel_auto_renew", "ids": vec!["a"; 10_001] }),
    ];
    let mut text = String::new();
    for case in cases {
        let answer = server.post("operator", "/v1/jobs", &case.to_string());
        assert_eq!(answer.status, 422);
        for error in answer.json()["errors"].as_array().unwrap() {
            text += &format!("{}: {}\n", error["field"].as_str().unwrap(), error["detail"].as_str().unwrap());
        }
        text += "\n";
    }
    expect![[r#"
        the body: give exactly one of `ids`, `filter` and `from_dry_run`

        command: write `renew` as an object: {"renew": {…}}
        ids: it is empty; name at least one

        command.renew.term: expected an object, found the number 1
        dry_run: expected true or false, found the text `yes`
        ids[0]: it is empty; expected some text
        ids[1]: expected text, found the number 7

        the body: give exactly one of `ids`, `filter` and `from_dry_run`

        filter: it would choose every resource; give at least one criterion, such as `account`

        filter.owner: unknown field `owner`; expected `account`, `provider`, `kind`, `stage`, `tag`, `expires_from` or `expires_before`
        filter.stage: there is no `gone`; expected `active`, `grace`, `retention`, `released`, `unsubscribed` or `converted`

        command: leave it out: the dry run says what is done
        dry_run: leave it out: the dry run says what is done

        from_dry_run: it is not the id of a job

        ids: expected 1 to 10000 ids, found 10001; make more than one job, or raise `limits.job_items_max`

    "#]].assert_eq(&text);
    let none = server.post("operator", "/v1/jobs", r#"{"from_dry_run": "job-7"}"#);
    assert_eq!(none.status, 404);
}
