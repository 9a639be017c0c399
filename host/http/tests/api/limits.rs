//! Each limit of the configuration at the least that it may be: what goes beyond it is refused, and the answer names the limit.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use perennial_service::limits::Limit;
use perennial_service::limits::Limits;
use serde_json::json;

use crate::harness::ApiResponse;
use crate::harness::Server;
use crate::policies::one;

const ACCOUNT: &str = r#"{"id": "a", "provider": "huawei", "currency": "CNY", "balance": "1.00"}"#;
const JOB: &str = r#"{"command": {"renew": {}}, "ids": ["ecs-1", "evs-1"], "dry_run": true}"#;

/// How a limit is shown to hold.
enum Proof {
    /// What its flood was answered in the end.
    Answer(Box<ApiResponse>),
    /// A test of this name, since there is nobody to answer, or the answer is in another shape.
    Test(&'static str),
}

/// Sends until something is refused.
fn flood(server: &Server, method: &str, path: &str, body: impl Fn(usize) -> String) -> Proof {
    let send =
        |number| server.send("admin", method, path, &[&format!("idempotency-key: {number}")], &body(number));
    let refused = (0..200).map(send).find(|answer| !answer.status.is_success());
    Proof::Answer(Box::new(refused.unwrap_or_else(|| panic!("{path}: nothing is refused"))))
}

/// Sends the same until something is refused.
fn repeat(server: &Server, path: &str, body: &str) -> Proof {
    flood(server, "POST", path, |_| body.to_owned())
}

fn get(server: &Server, path: &str) -> Proof {
    Proof::Answer(Box::new(server.get("admin", path)))
}

fn tagged(server: &Server, name: &str, value: &str, count: usize) -> Proof {
    let tags = (0..count).map(|number| (format!("{name}{number}"), value.into()));
    let tags = tags.collect::<serde_json::Map<_, _>>();
    flood(server, "PATCH", "/v1/resources/ecs-1", |_| json!({ "tags": tags }).to_string())
}

/// The slots of the token that asks, all of which are taken.
fn without_slots(server: &Server) -> Proof {
    let tokens = server.get("admin", "/v1/tokens").json();
    let mine = tokens["items"].as_array().unwrap().iter().find(|token| token["name"] == "admin").unwrap();
    let id = Arc::<str>::from(mine["id"].as_str().unwrap());
    let _slots = server.host.acquire_slots(&id, &id).unwrap();
    get(server, "/v1/accounts")
}

fn import(server: &Server) -> Proof {
    assert_eq!(server.post("admin", "/v1/accounts", ACCOUNT).status, 201);
    flood(server, "POST", "/v1/resources:import", |number| {
        let resource = json!({
            "id": format!("ecs-9-{number}"), "account": "a", "kind": "ecs", "charging": "prepaid",
            "started_at": "2026-01-01T00:00:00Z", "expires_at": "2026-03-01T00:00:00Z",
            "term": { "count": 1, "unit": "month" }, "price": "1.00",
        });
        json!({ "resources": [resource] }).to_string()
    })
}

fn policies(server: &Server, script: &str) -> Proof {
    flood(server, "POST", "/v1/policies", |number| one(&format!("p{number}"), "", script))
}

/// What shows that a limit holds, on a server that has it at its least. A new limit needs a line of its own here.
fn prove(server: &Server, limit: &Limit) -> Proof {
    let script = format!("// {}\nfn rule(plan) {{ approve() }}", "x".repeat(800));
    match limit.name {
        "body_bytes_max" => flood(server, "POST", "/v1/calendars", |_| format!("{{{}}}", " ".repeat(1024))),
        "revision_body_bytes_max" => {
            flood(server, "POST", "/v1/plugins/revisions", |_| format!("{{{}}}", " ".repeat(1024)))
        }
        "page_items_max" => get(server, "/v1/resources?limit=1001"),
        "body_text_bytes_max" => tagged(server, "n", &"v".repeat(65), 1),
        "body_name_bytes_max" => tagged(server, &"n".repeat(64), "v", 1),
        "body_fields_max" => tagged(server, "n", "v", 33),
        "concurrency_max" => {
            let _taken = Arc::clone(server.host.request_permits()).try_acquire_owned().unwrap();
            get(server, "/v1/accounts")
        }
        "concurrency_per_token_max" | "concurrency_per_person_max" => without_slots(server),
        "forecasts_max" => {
            let _taken = Arc::clone(server.host.forecast_permits()).try_acquire_owned().unwrap();
            get(server, "/v1/forecast")
        }
        "forecast_seconds" => {
            let least = Limits { forecast_seconds: Duration::ZERO, readers: 1, ..Limits::DEFAULT };
            get(&Server::furnished_with(least), "/v1/forecast?months=36")
        }
        "jobs_per_person_max" => flood(server, "POST", "/v1/jobs", |_| {
            server.finish_jobs();
            JOB.to_owned()
        }),
        "job_items_max" | "job_items_per_person_max" => repeat(server, "/v1/jobs", JOB),
        "running_jobs_per_person_max" => {
            let ids = vec!["ecs-1"; 1_000];
            repeat(
                server,
                "/v1/jobs",
                &json!({ "command": { "renew": {} }, "ids": ids, "dry_run": true }).to_string(),
            )
        }
        "responses_per_token_max" | "calendars_per_person_max" => {
            repeat(server, "/v1/calendars", r#"{"name": "c"}"#)
        }
        "webhooks_max" | "webhooks_per_person_max" => {
            repeat(server, "/v1/webhooks", r#"{"url": "https://example.com/"}"#)
        }
        "channels_max" | "channels_per_person_max" => {
            repeat(server, "/v1/channels", r#"{"kind": "email", "to": ["ops@example.com"]}"#)
        }
        "tokens_per_person_max" => repeat(server, "/v1/tokens", r#"{"name": "t", "role": "viewer"}"#),
        "keys_per_account_max" => {
            repeat(server, "/v1/provider-keys", r#"{"account": "acme-hw", "name": "k"}"#)
        }
        "resources_per_account_max" => import(server),
        "policies_max" | "policy_bytes_max" => policies(server, &script),
        name => Proof::Test(test_of(name)),
    }
}

/// The test of a limit that refuses nobody by an answer of the admin API.
fn test_of(limit: &str) -> &'static str {
    match limit {
        "health_seconds" => "however_many_ask_one_look_tells_all_of_them",
        "head_seconds" => "a_head_that_does_not_come_in_time_is_given_up",
        "head_bytes_max" | "head_fields_max" => "a_head_that_is_too_long_is_told_so_and_is_not_held",
        "long_heads_max" => "heads_without_end_hold_little_memory_and_keep_nobody_out",
        "long_heads_per_address_max" => "long_heads_have_places_and_an_address_few_of_them",
        "bodies_bytes_max" => "a_person_holds_half_of_the_room_and_gives_it_back",
        "body_seconds" => "a_body_that_does_not_come_in_time_is_told_so",
        "request_seconds" => "a_request_that_takes_too_long_is_answered_so",
        "stall_seconds" => "clients_that_do_not_read_are_closed_and_keep_nobody_out",
        "response_seconds" => "a_client_that_reads_byte_by_byte_is_given_up",
        "connections_max" => "clients_that_do_not_read_are_closed_and_keep_nobody_out",
        "connections_per_address_max" => "an_address_has_so_many_connections_and_no_more",
        "unproved_per_address_max" => "an_address_has_few_forms_to_sign_in_under_way",
        "lag_seconds_max" => "a_clock_that_is_later_than_the_limit_is_a_problem",
        "recorded_refusals_per_minute_max" => "only_so_many_refusals_of_a_minute_are_in_the_audit_log",
        "provider_body_bytes_max" => "a_provider_takes_no_longer_body_than_the_limit_says",
        "wakes_per_hour_max" => "how_often_a_plugin_may_have_a_bundle_wake_is_a_setting",
        "limit_raise_people" => "a_higher_limit_takes_two_people_and_a_lower_one_takes_one",
        "tags_per_resource_max" | "attributes_per_resource_max" => {
            "a_resource_is_given_no_more_tags_or_attributes_than_it_may_have"
        }
        "client_tokens_per_account_max" => "an_account_has_no_more_client_tokens_remembered_than_it_may",
        "plugin_park_failures" | "plugin_retry_seconds" | "plugin_retry_seconds_max" => {
            "a_bundle_that_the_plugin_fails_over_alone_is_parked_and_asked_rarely"
        }
        "plugin_breaker_bundles" | "plugin_breaker_seconds" | "plugin_breaker_seconds_max" => {
            "a_breaker_is_seen_everywhere_and_released"
        }
        "revisions_max" | "revision_bytes_max" => {
            "revisions_that_are_kept_have_a_quota_that_its_refusal_names"
        }
        // These refuse nobody: how long something is kept, and how the host divides its work.
        "decision_days" | "readers" | "batch" => "each_limit_is_set_by_its_name_within_its_bounds",
        name => panic!("nothing shows that `limits.{name}` holds"),
    }
}

/// The names of all tests in files below `folder`.
fn tests(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let is_output = entry.file_name().is_some_and(|name| name == "target");
        if entry.is_dir() && !is_output {
            tests(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&entry).unwrap();
            let names =
                source.split("#[test]").skip(1).filter_map(|rest| rest.split_once("fn ")?.1.split_once('('));
            found.extend(names.map(|(name, _)| name.to_owned()));
        }
    }
}

#[test]
fn each_limit_at_its_least_refuses_a_flood_by_its_name() {
    let mut names = BTreeSet::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in [root.join(".."), root.join("../../tests")] {
        tests(&folder, &mut names);
    }
    for limit in Limits::ALL {
        let mut limits = Limits { readers: 1, ..Limits::DEFAULT };
        // What the server is furnished with is not within every limit.
        let is_narrow =
            ["body_bytes_max", "body_fields_max", "resources_per_account_max"].contains(&limit.name);
        (limit.set)(&mut limits, limit.least);
        let server = if is_narrow { Server::with(limits) } else { Server::furnished_with(limits) };
        match prove(&server, limit) {
            Proof::Answer(answer) => {
                let status = answer.status.as_u16();
                assert!([400, 413, 422, 429, 503].contains(&status), "{}: {}", limit.name, answer.shown());
                assert!(answer.body.contains(&format!("`limits.{}`", limit.name)), "{}", answer.shown());
                assert_eq!(server.get("", "/healthz").status, 200);
            }
            Proof::Test(name) => assert!(names.contains(name), "{}: there is no test `{name}`", limit.name),
        }
    }
}

#[test]
fn only_so_many_refusals_of_a_minute_are_in_the_audit_log() {
    let server = Server::with(Limits { recorded_refusals_per_minute_max: 2, readers: 1, ..Limits::DEFAULT });
    for _ in 0..5 {
        assert_eq!(server.get("", "/v1/accounts").status, 401);
        assert_eq!(server.post("viewer", "/v1/accounts", ACCOUNT).status, 403);
    }
    let audit = server.get("admin", "/v1/audit").json();
    let statuses = audit["items"].as_array().unwrap().iter().map(|record| record["status"].as_u64().unwrap());
    let statuses = statuses.collect::<Vec<_>>();
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(401), count(403)), (2, 2), "{audit}");
}
