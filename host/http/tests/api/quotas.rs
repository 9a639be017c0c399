//! What one person, token or account may have the host keep, and that it stays for everybody else.

use perennial_service::limits::Limits;
use perennial_store::quotas;
use serde_json::Value;
use serde_json::json;

use crate::harness::ApiResponse;
use crate::harness::Server;
use crate::policies::one;

/// A furnished server with these limits.
fn server(limits: Limits) -> Server {
    Server::furnished_with(Limits { readers: 2, ..limits })
}

fn is_used_up(answer: &ApiResponse) -> bool {
    answer.status == 429 && answer.json()["type"] == "urn:perennial:problem:quota-exceeded"
}

/// Sends until a quota is used up, and returns how often it went well.
fn flood(send: impl Fn(usize) -> ApiResponse) -> usize {
    let refused = (0..).map(|number| (number, send(number))).find(|(_, answer)| !answer.status.is_success());
    let (number, answer) = refused.unwrap();
    assert!(is_used_up(&answer), "{}", answer.body);
    number
}

#[test]
fn each_quota_of_a_person_or_an_account_ends_a_flood() {
    let limits = Limits {
        jobs_per_person_max: 5,
        calendars_per_person_max: 4,
        webhooks_per_person_max: 3,
        channels_per_person_max: 2,
        tokens_per_person_max: 6,
        keys_per_account_max: 2,
        ..Limits::DEFAULT
    };
    let server = server(limits);
    let post = |path: &'static str, body: &'static str| {
        let server = &server;
        move |_| server.post("admin", path, body)
    };
    let job = r#"{"command": {"renew": {}}, "ids": ["ecs-1"], "dry_run": true}"#;
    let jobs = |_| {
        let answer = server.post("admin", "/v1/jobs", job);
        server.finish_jobs();
        answer
    };
    assert_eq!(flood(jobs), 5);
    assert_eq!(flood(post("/v1/calendars", r#"{"name": "c"}"#)), 4);
    assert_eq!(flood(post("/v1/webhooks", r#"{"url": "https://example.com/"}"#)), 3);
    let channel = r#"{"kind": "email", "to": ["ops@example.com"]}"#;
    assert_eq!(flood(post("/v1/channels", channel)), 2);
    assert_eq!(flood(post("/v1/provider-keys", r#"{"account": "acme-hw", "name": "k"}"#)), 2);
    // The token that asks is one of them.
    assert_eq!(flood(post("/v1/tokens", r#"{"name": "t", "role": "viewer"}"#)), 5);
    // Somebody else, and another account, have their own.
    assert_eq!(server.post("bound-admin", "/v1/webhooks", r#"{"url": "https://example.com/"}"#).status, 201);
    assert_eq!(server.post("operator", "/v1/jobs", job).status, 202);
    assert_eq!(
        server.post("admin", "/v1/provider-keys", r#"{"account": "beta-bd", "name": "k"}"#).status,
        201
    );
    // What is given back may be made again a day later.
    let tokens = server.get("admin", "/v1/tokens").json();
    let mine = tokens["items"].as_array().unwrap().iter().find(|token| token["name"] == "t").unwrap();
    let revoked = format!("/v1/tokens/{}:revoke", mine["id"].as_str().unwrap());
    assert_eq!(server.post("admin", &revoked, "{}").status, 200);
    server.advance("2026-01-02T00:00:01Z");
    assert_eq!(server.post("admin", "/v1/tokens", r#"{"name": "t", "role": "viewer"}"#).status, 201);
}

/// How many policies hold.
fn policies(server: &Server) -> usize {
    server.get("admin", "/v1/policies").json()["items"].as_array().unwrap().len()
}

#[test]
fn there_are_no_more_policies_than_a_host_may_have() {
    let server = server(Limits { policies_max: 3, ..Limits::DEFAULT });
    let rule = "fn rule(plan) { approve() }";
    assert_eq!(
        flood(|number| server.post("admin", "/v1/policies", &one(&format!("p{number}"), "", rule))),
        3
    );
    assert_eq!(policies(&server), 3, "the refused one is not there");
    let again = server.post("admin", "/v1/policies", &one("p0", "mode = \"shadow\"", rule));
    assert_eq!(again.status, 200, "one may be replaced: {}", again.body);
    let mut looked = serde_json::from_str::<Value>(&one("p9", "", rule)).unwrap();
    looked["dry_run"] = true.into();
    let looked = server.post("admin", "/v1/policies", &looked.to_string());
    assert!(is_used_up(&looked), "a look says so, too: {}", looked.body);
    let detail = "there would be 4 policies, and there may be 3; nothing was done; have fewer, or raise `limits.policies_max`";
    assert_eq!(looked.json()["detail"], detail);
    // One that is removed makes room for another.
    assert_eq!(server.send("admin", "DELETE", "/v1/policies/p1", &[], "").status, 200);
    assert_eq!(server.post("admin", "/v1/policies", &one("p9", "", rule)).status, 200);
    assert_eq!(policies(&server), 3);
}

#[test]
fn scripts_and_calendars_have_no_more_bytes_than_a_host_may_have() {
    let server = server(Limits { policy_bytes_max: 2_000, ..Limits::DEFAULT });
    let rule = format!("// {}\nfn rule(plan) {{ approve() }}", "x".repeat(800));
    assert_eq!(
        flood(|number| server.post("admin", "/v1/policies", &one(&format!("p{number}"), "", &rule))),
        2
    );
    let days =
        (1..=28).map(|day| format!("\"2026-02-{day:02}..2026-02-{day:02}\"")).collect::<Vec<_>>().join(", ");
    let file = format!("[[calendar]]\nname = \"freeze\"\ndays = [{days}]\n");
    let calendar = server.post("admin", "/v1/policies", &json!({ "file": file }).to_string());
    assert!(is_used_up(&calendar), "{}", calendar.body);
    assert_eq!(policies(&server), 2);
}

#[test]
fn jobs_keep_no_more_items_than_a_person_may_have() {
    let server = server(Limits { job_items_per_person_max: 10, ..Limits::DEFAULT });
    let jobs = |_| {
        let ids = ["ecs-1", "evs-1", "bcc-1"];
        let answer = server.post(
            "operator",
            "/v1/jobs",
            &json!({"command": {"renew": {}}, "ids": ids, "dry_run": true}).to_string(),
        );
        server.finish_jobs();
        answer
    };
    assert_eq!(flood(jobs), 3);
}

#[test]
fn unknown_ids_of_a_job_are_counted_and_not_kept() {
    let server = Server::furnished();
    let mut ids = (0..5_000).map(|number| format!("no-{number}")).collect::<Vec<_>>();
    ids.push("ecs-1".to_owned());
    let body = json!({ "command": { "renew": {} }, "ids": ids, "dry_run": true }).to_string();
    let job = server.post("operator", "/v1/jobs", &body).json();
    assert_eq!((&job["total"], &job["unknown_ids"]), (&json!(101), &json!(4_900)));
    server.finish_jobs();
    let done = server.get("operator", &format!("/v1/jobs/{}", job["id"].as_str().unwrap())).json();
    assert_eq!((&done["outcomes"]["unknown"], &done["outcomes"]["planned"]), (&json!(100), &json!(1)));
}

#[test]
fn responses_are_kept_for_a_token_up_to_its_quota() {
    let server = server(Limits { responses_per_token_max: 3, ..Limits::DEFAULT });
    let top_up = |token: &str, key: usize| {
        let key = format!("idempotency-key: {key}");
        server.send(token, "POST", "/v1/accounts/acme-hw:top-up", &[&key], r#"{"amount": "1.00"}"#)
    };
    assert_eq!(flood(|key| top_up("operator", key)), 3);
    assert_eq!(top_up("operator", 0).status, 200, "what is kept is answered");
    assert_eq!(top_up("admin", 9).status, 200);
    let without = server.post("operator", "/v1/accounts/acme-hw:top-up", r#"{"amount": "1.00"}"#);
    assert_eq!(without.status, 200, "without a key nothing is kept");
    let token = crate::approvals::id_of(&server, "operator");
    let kept =
        server.on_writer(move |context| quotas::stored_responses(context.engine.db(), &token).unwrap());
    assert_eq!(kept, 3);
}

#[test]
fn an_import_leads_to_no_more_resources_than_an_account_may_have() {
    let server = Server::with(Limits { resources_per_account_max: 2, readers: 1, ..Limits::DEFAULT });
    let account = r#"{"id": "a", "provider": "huawei", "currency": "CNY", "balance": "1.00"}"#;
    assert_eq!(server.post("admin", "/v1/accounts", account).status, 201);
    let import = |number: usize| {
        let resource = json!({
            "id": format!("ecs-{number}"), "account": "a", "kind": "ecs", "charging": "prepaid",
            "started_at": "2026-01-01T00:00:00Z", "expires_at": "2026-03-01T00:00:00Z",
            "term": { "count": 1, "unit": "month" }, "price": "1.00",
        });
        server.post("admin", "/v1/resources:import", &json!({ "resources": [resource] }).to_string())
    };
    assert_eq!(flood(import), 2);
    assert_eq!(server.get("admin", "/v1/resources").json()["items"].as_array().unwrap().len(), 2);
}

/// A server with an account and a resource `ecs-1`, and what adds to it: tags or attributes, by their group.
fn with_resource(limits: Limits) -> Server {
    let server = Server::with(Limits { readers: 1, ..limits });
    let account = r#"{"id": "a", "provider": "huawei", "currency": "CNY", "balance": "1.00"}"#;
    assert_eq!(server.post("admin", "/v1/accounts", account).status, 201);
    assert_eq!(import_named(&server, "ecs-1", "tags", &[], false).status, 200);
    server
}

/// Imports a resource with these tags or attributes.
fn import_named(server: &Server, id: &str, group: &str, names: &[String], update: bool) -> ApiResponse {
    let mut resource = json!({
        "id": id, "account": "a", "kind": "ecs", "charging": "prepaid",
        "started_at": "2026-01-01T00:00:00Z", "expires_at": "2026-03-01T00:00:00Z",
        "term": { "count": 1, "unit": "month" }, "price": "1.00",
    });
    resource[group] = names.iter().map(|name| (name.clone(), json!("x"))).collect();
    let body = json!({ "resources": [resource], "update": update }).to_string();
    server.post("admin", "/v1/resources:import", &body)
}

fn names(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("name-{number}")).collect()
}

fn patch(server: &Server, body: &Value) -> ApiResponse {
    server.send("operator", "PATCH", "/v1/resources/ecs-1", &[], &body.to_string())
}

#[test]
fn a_resource_is_given_no_more_tags_or_attributes_than_it_may_have() {
    for (group, limit) in [("tags", "tags_per_resource_max"), ("attributes", "attributes_per_resource_max")] {
        let limits = Limits { tags_per_resource_max: 5, attributes_per_resource_max: 5, ..Limits::DEFAULT };
        let server = with_resource(limits);
        let is_refused = |answer: &ApiResponse| {
            let detail = format!(
                "would have 6 {group}, and a resource may have 5; nothing was done; give it fewer, or raise `limits.{limit}`"
            );
            assert!(is_used_up(answer) && answer.body.contains(&detail), "{}", answer.body);
        };
        let named = |numbers| names(numbers).into_iter().map(|name| (name, json!("x"))).collect::<Value>();
        let has = || server.get("admin", "/v1/resources/ecs-1").json()[group].as_object().unwrap().len();
        // However many times: what counts is what it has then.
        assert_eq!(flood(|number| patch(&server, &json!({ group: named(number..number + 1) }))), 5);
        is_refused(&patch(&server, &json!({ group: named(5..6) })));
        is_refused(&import_named(&server, "ecs-1", group, &names(5..6), true));
        is_refused(&import_named(&server, "ecs-2", group, &names(0..6), false));
        assert_eq!(has(), 5);
        assert_eq!(server.get("admin", "/v1/resources/ecs-2").status, 404);
        // What is there may be changed, and what is removed makes room.
        assert_eq!(patch(&server, &json!({ group: { "name-0": "y" } })).status, 200);
        assert_eq!(import_named(&server, "ecs-1", group, &names(0..5), true).status, 200);
        if group == "tags" {
            assert_eq!(patch(&server, &json!({ "tags": { "name-0": null, "name-5": "x" } })).status, 200);
            assert_eq!(has(), 5);
        }
    }
}

#[test]
fn the_largest_change_of_a_resource_is_one_question_to_its_plugin() {
    let server = with_resource(Limits::DEFAULT);
    let calls = || {
        let text = server.get("viewer", "/metrics").body;
        let calls = text.lines().filter(|line| line.starts_with("perennial_plugin_calls_total{"));
        calls.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum::<u64>()
    };
    let value = "x".repeat(Limits::DEFAULT.body_text_bytes_max);
    let attributes = names(0..Limits::DEFAULT.attributes_per_resource_max).into_iter();
    let attributes = attributes.map(|name| (name, json!(value))).collect::<Value>();
    let before = calls();
    let changed = patch(&server, &json!({ "attributes": attributes }));
    assert_eq!(changed.status, 200, "{}", changed.body);
    let changed = changed.json();
    assert_eq!(changed["events"].as_array().unwrap().len(), Limits::DEFAULT.attributes_per_resource_max);
    assert_eq!(changed["resource"]["attributes"], attributes);
    assert!(before > 0, "calls are counted");
    let asked = calls() - before;
    assert!((1..=2).contains(&asked), "{asked} calls for one change");
}

#[test]
fn an_account_has_no_more_client_tokens_remembered_than_it_may() {
    let server = server(Limits { client_tokens_per_account_max: 3, ..Limits::DEFAULT });
    let renew = |number: usize| {
        let options = json!({ "clientToken": format!("t-{number}") });
        let body = json!({ "term": { "count": 1, "unit": "month" }, "options": options }).to_string();
        server.post("operator", "/v1/resources/bcc-1:renew", &body)
    };
    // A refused command is remembered like one that was carried out.
    let refused =
        (0..9).map(|number| (number, renew(number))).find(|(_, answer)| is_used_up(answer)).unwrap();
    assert_eq!(refused.0, 3, "{}", refused.1.body);
    assert!(refused.1.body.contains("raise `limits.client_tokens_per_account_max`"), "{}", refused.1.body);
    assert!(!is_used_up(&renew(0)), "one that is known is answered");
}

#[test]
fn what_was_revoked_counts_for_a_day() {
    let limits = Limits {
        calendars_per_person_max: 4,
        tokens_per_person_max: 9,
        keys_per_account_max: 3,
        ..Limits::DEFAULT
    };
    let server = server(limits);
    let made_and_revoked = |path: &str, body: &str, id: &str| {
        flood(|_| {
            let made = server.post("admin", path, body);
            if made.status.is_success() {
                let found = made.json();
                let id = found.pointer(id).and_then(Value::as_str).unwrap().to_owned();
                assert_eq!(server.post("admin", &format!("{path}/{id}:revoke"), "{}").status, 200);
            }
            made
        })
    };
    let kinds = [
        ("/v1/calendars", r#"{"name": "c"}"#, "/calendar/id"),
        ("/v1/tokens", r#"{"name": "t", "role": "viewer"}"#, "/token/id"),
        ("/v1/provider-keys", r#"{"account": "acme-hw", "name": "k"}"#, "/key/access_key"),
    ];
    for (day, (path, body, id)) in (3..).step_by(2).zip(kinds) {
        let made = made_and_revoked(path, body, id);
        assert!((1..=9).contains(&made), "{path}: {made}");
        server.advance(&format!("2026-01-{day:02}T00:00:00Z"));
        assert!(made_and_revoked(path, body, id) >= made, "{path}");
    }
}
