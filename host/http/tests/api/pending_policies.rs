//! Plans that wait for approvals while policies go on ruling: who has to agree by now, what was not decided in time, and what is
//! put off besides. `ecs-1` is tried from 23 January at 19:00 to 30 January at 19:00, and expires on the 31st.

use expect_test::expect;
use perennial_service::admin_tokens::Role;
use serde_json::Value;

use crate::harness::ApiResponse;
use crate::harness::Server;
use crate::policies::install;
use crate::policies::one;

const APPROVAL: &str = "/v1/approvals/ecs-1~1";
/// The fields of events that are shown.
const SHOWN: [&str; 9] =
    ["policy", "ruling", "approval", "decision", "reason", "until", "expires_at", "code", "will_retry"];

/// A furnished server under one policy called `p`.
fn under(body: &str) -> Server {
    let server = Server::furnished();
    set(&server, "p", body);
    server
}

/// Has the policy called `name` answer with `body`.
fn set(server: &Server, name: &str, body: &str) {
    install(server, "admin", &one(name, "", &format!("fn rule(plan) {{ {body} }}")));
}

fn decide(server: &Server, token: &str, decision: &str) -> ApiResponse {
    server.post(token, &format!("{APPROVAL}:{decision}"), "{}")
}

fn renew(server: &Server) -> ApiResponse {
    server.post("operator", "/v1/resources/ecs-1:renew", "{}")
}

/// What happened to `ecs-1`, one event a line, without notices.
fn told(server: &Server) -> String {
    let events = server.events().into_iter().filter(|event| event["resource"] == "ecs-1");
    let line = |event: Value| {
        let text = |name: &str| event[name].as_str().map(|text| format!(" {name}={text}"));
        let flag = |name: &str| event[name].as_bool().map(|is_so| format!(" {name}={is_so}"));
        let fields = SHOWN.iter().filter_map(|name| text(name).or_else(|| flag(name)));
        let (at, kind) = (event["at"].as_str().unwrap(), event["type"].as_str().unwrap());
        (kind != "notice").then(|| format!("{at} {kind}{}\n", fields.collect::<String>()))
    };
    events.filter_map(line).collect()
}

/// The policies that the approval waits for, each with its label.
fn required(server: &Server) -> String {
    let approval = server.get("viewer", APPROVAL).json();
    let one =
        |one: &Value| format!("{}={}", one["policy"].as_str().unwrap(), one["by"].as_str().unwrap_or("-"));
    approval["required"].as_array().unwrap().iter().map(one).collect::<Vec<_>>().join(" ")
}

/// A server with somebody for each of two labels, under a policy `p` that takes finance.
fn with_labels() -> Server {
    let mut server = under(r#"require_approval("look", #{ by: "finance" })"#);
    server.add_person("finance", Role::Approver, &["finance"]);
    server.add_person("security", Role::Approver, &["security"]);
    server
}

#[test]
fn what_nobody_agreed_to_by_an_instant_is_not_paid_after_it() {
    let script = r#"require_approval("look", #{ expires_at: instant("2026-01-24T12:00:00Z") })"#;
    let undecided = under(script);
    undecided.advance("2026-01-25T00:00:00Z");
    expect![[r#"
        2026-01-23T19:00:00Z policy_ruled policy=p ruling=approval_required reason=look
        2026-01-23T19:00:00Z approval_requested approval=ecs-1~1 expires_at=2026-01-24T12:00:00Z
        2026-01-24T12:00:00Z approval_expired approval=ecs-1~1 reason=undecided will_retry=false
        2026-01-24T19:00:00Z policy_ruled policy=p ruling=approval_required reason=look
    "#]]
    .assert_eq(&told(&undecided));
    undecided.advance("2026-02-01T00:00:00Z");
    assert!(!told(&undecided).contains("renewal_settled"), "{}", told(&undecided));
    let rejected = under(script);
    rejected.advance("2026-01-24T00:00:00Z");
    assert_eq!(decide(&rejected, "approver", "reject").status, 200);
    rejected.advance("2026-02-01T00:00:00Z");
    assert!(!told(&rejected).contains("renewal_settled"), "{}", told(&rejected));
}

#[test]
fn a_command_whose_approval_ended_undecided_waits_when_given_again() {
    let server = under(r#"require_approval("look", #{ expires_at: instant("2026-01-10T12:00:00Z") })"#);
    assert_eq!(renew(&server).status, 202);
    server.advance("2026-01-11T00:00:00Z");
    let again = renew(&server);
    assert_eq!(again.status, 202, "{}", again.body);
    assert!(!told(&server).contains("renewal_settled"), "{}", told(&server));
}

#[test]
fn nothing_waits_beyond_the_last_try_of_the_provider() {
    let script = r#"if plan.at < plan.last_try_at { return deny("wait") } require_approval("look")"#;
    let lapses = under(script);
    lapses.advance("2026-02-01T00:00:00Z");
    let since = |server: &Server| {
        told(server).lines().filter(|line| *line > "2026-01-30").collect::<Vec<_>>().join("\n")
    };
    expect![[r#"
        2026-01-30T19:00:00Z policy_ruled policy=p ruling=approval_required reason=look
        2026-01-30T19:00:00Z approval_requested approval=ecs-1~1 expires_at=2026-01-30T18:59:59Z
        2026-01-30T19:00:00Z approval_expired approval=ecs-1~1 reason=undecided will_retry=false
        2026-01-31T15:59:59Z stage_changed"#]]
    .assert_eq(&since(&lapses));
    let renews = under(script);
    let settings = r#"{"settings": {"on_undecided": "renew"}}"#;
    assert_eq!(renews.send("admin", "PATCH", "/v1/accounts/acme-hw", &[], settings).status, 200);
    renews.advance("2026-02-01T00:00:00Z");
    expect![[r#"
        2026-01-30T19:00:00Z policy_ruled policy=p ruling=approval_required reason=look
        2026-01-30T19:00:00Z approval_requested approval=ecs-1~1 expires_at=2026-01-30T18:59:59Z
        2026-01-30T19:00:00Z approval_expired approval=ecs-1~1 reason=undecided will_retry=true
        2026-01-30T19:00:00Z balance_changed reason=renewal
        2026-01-30T19:00:00Z renewal_settled expires_at=2026-02-28T15:59:59Z"#]]
    .assert_eq(&since(&renews));
}

#[test]
fn what_is_approved_and_put_off_is_paid_at_the_instant_it_is_put_off_to() {
    let server = under(r#"require_approval("look")"#);
    set(
        &server,
        "q",
        r#"if plan.at < plan.last_try_at { return defer(plan.last_try_at, "late") } approve()"#,
    );
    server.advance("2026-01-25T00:00:00Z");
    let approved = decide(&server, "approver", "approve");
    assert_eq!(approved.status, 200, "{}", approved.body);
    assert_eq!(approved.json()["approval"]["state"], "approved");
    assert_eq!(approved.json()["resource"]["expires_at"], "2026-01-31T15:59:59Z", "it is not paid yet");
    server.advance("2026-02-01T00:00:00Z");
    expect![[r#"
        2026-01-23T19:00:00Z policy_ruled policy=p ruling=approval_required reason=look
        2026-01-23T19:00:00Z policy_ruled policy=q ruling=deferred reason=late until=2026-01-30T19:00:00Z
        2026-01-23T19:00:00Z approval_requested approval=ecs-1~1 expires_at=2026-01-30T18:59:59Z
        2026-01-24T19:00:00Z policy_ruled policy=p ruling=approval_required reason=look
        2026-01-24T19:00:00Z policy_ruled policy=q ruling=deferred reason=late until=2026-01-30T19:00:00Z
        2026-01-25T00:00:00Z approval_decided approval=ecs-1~1 decision=approved will_retry=true
        2026-01-25T00:00:00Z policy_ruled policy=q ruling=deferred reason=late until=2026-01-30T19:00:00Z
        2026-01-30T19:00:00Z balance_changed reason=renewal
        2026-01-30T19:00:00Z renewal_settled expires_at=2026-02-28T15:59:59Z
    "#]]
    .assert_eq(&told(&server));
}

#[test]
fn a_policy_that_asks_later_is_asked_of_too() {
    let server = with_labels();
    server.advance("2026-01-24T00:00:00Z");
    set(&server, "q", r#"require_approval("look", #{ by: "security" })"#);
    assert_eq!(required(&server), "p=finance");
    server.advance("2026-01-25T00:00:00Z");
    assert_eq!(required(&server), "p=finance q=security");
    assert_eq!(decide(&server, "security", "approve").json()["approval"]["state"], "pending");
    assert_eq!(decide(&server, "finance", "approve").json()["approval"]["state"], "approved");
    expect![[r#"
        2026-01-23T19:00:00Z policy_ruled policy=p ruling=approval_required reason=look
        2026-01-23T19:00:00Z approval_requested approval=ecs-1~1 expires_at=2026-01-30T18:59:59Z
        2026-01-24T19:00:00Z policy_ruled policy=p ruling=approval_required reason=look
        2026-01-24T19:00:00Z policy_ruled policy=q ruling=approval_required reason=look
        2026-01-24T19:00:00Z approval_requested approval=ecs-1~1 expires_at=2026-01-30T18:59:59Z
        2026-01-25T00:00:00Z approval_given policy=q approval=ecs-1~1
        2026-01-25T00:00:00Z approval_decided approval=ecs-1~1 decision=approved will_retry=true
        2026-01-25T00:00:00Z balance_changed reason=renewal
        2026-01-25T00:00:00Z renewal_settled expires_at=2026-02-28T15:59:59Z
    "#]]
    .assert_eq(&told(&server));
}

#[test]
fn a_command_takes_what_policies_require_when_it_is_decided() {
    let server = with_labels();
    assert_eq!(renew(&server).status, 202);
    set(&server, "q", r#"require_approval("look", #{ by: "security" })"#);
    assert_eq!(decide(&server, "finance", "approve").json()["approval"]["state"], "pending");
    assert_eq!(required(&server), "p=finance q=security");
    assert_eq!(decide(&server, "security", "approve").json()["approval"]["state"], "approved");
}

#[test]
fn a_label_that_changed_is_the_one_that_counts() {
    for is_asked_again in [false, true] {
        let server = with_labels();
        server.advance("2026-01-24T00:00:00Z");
        set(&server, "p", r#"require_approval("look", #{ by: "security" })"#);
        server.advance(if is_asked_again { "2026-01-25T00:00:00Z" } else { "2026-01-24T00:00:01Z" });
        for decision in ["approve", "reject"] {
            let refused = decide(&server, "approver", decision);
            assert_eq!(refused.status, 403, "{}", refused.body);
        }
        let refused = decide(&server, "finance", "approve");
        assert_eq!(refused.status, 403, "{}", refused.body);
        assert!(refused.body.contains("`security`"), "{}", refused.body);
        let approved = decide(&server, "security", "approve");
        assert_eq!(approved.status, 200, "{}", approved.body);
        assert_eq!(approved.json()["resource"]["expires_at"], "2026-02-28T15:59:59Z");
    }
}

#[test]
fn what_stops_an_approval_is_recorded_before_the_refusal() {
    let server = under(r#"require_approval("look")"#);
    assert_eq!(renew(&server).status, 202);
    set(&server, "q", r#"deny("frozen")"#);
    assert_eq!(decide(&server, "approver", "approve").status, 409);
    set(&server, "q", r#"defer(add_days(plan.at, 1), "tomorrow")"#);
    assert_eq!(decide(&server, "approver", "approve").status, 409);
    expect![[r#"
        2026-01-01T00:00:00Z policy_ruled policy=p ruling=approval_required reason=look
        2026-01-01T00:00:00Z approval_requested approval=ecs-1~1 expires_at=2026-01-30T18:59:59Z
        2026-01-01T00:00:00Z policy_ruled policy=q ruling=denied reason=frozen
        2026-01-01T00:00:00Z command_refused code=policy
        2026-01-01T00:00:00Z policy_ruled policy=q ruling=deferred reason=tomorrow until=2026-01-02T00:00:00Z
        2026-01-01T00:00:00Z command_refused code=policy
    "#]]
    .assert_eq(&told(&server));
}

#[test]
fn the_approval_of_an_order_that_waits_shows_what_it_will_cost() {
    let server = under(r#"require_approval("look")"#);
    let order = server.post("operator", "/v1/resources/ecs-1:renew", r#"{"options": {"is_auto_pay": "0"}}"#);
    assert_eq!(order.status, 202, "{}", order.body);
    let approval = server.get("viewer", APPROVAL).json();
    assert_eq!(approval["cost"], "99.00");
    assert_eq!(decide(&server, "approver", "approve").status, 200);
    assert!(!told(&server).contains("balance_changed"), "{}", told(&server));
}

#[test]
fn approvals_of_commands_only_have_ids_of_their_own() {
    let server = Server::furnished();
    let script = r#"fn rule(plan) { require_approval("look") }"#;
    install(&server, "admin", &one("p", "commands = [\"unsubscribe\"]", script));
    let unsubscribe = || server.post("operator", "/v1/resources/ecs-1:unsubscribe", r#"{"scope": "all"}"#);
    assert_eq!(unsubscribe().status, 202);
    assert_eq!(decide(&server, "approver", "reject").status, 200);
    let again = unsubscribe();
    assert_eq!(again.status, 202, "{}", again.body);
    assert!(again.body.contains("ecs-1~2"), "{}", again.body);
}

#[test]
fn a_tag_that_goes_takes_no_requirement_from_what_waits() {
    let mut server = Server::furnished();
    server.add_person("security", Role::Approver, &["security"]);
    let script = r#"fn rule(plan) { require_approval("two look", #{ by: "security" }) }"#;
    install(&server, "admin", &one("four-eyes", "tags = [\"env=prod\"]", script));
    assert_eq!(renew(&server).status, 202);
    let untagged = server.send("operator", "PATCH", "/v1/resources/ecs-1", &[], r#"{"tags": {"env": null}}"#);
    assert_eq!(untagged.status, 200, "{}", untagged.body);
    let again = renew(&server);
    assert_eq!(again.status, 202, "the same command goes on waiting: {}", again.body);
    assert_eq!(required(&server), "four-eyes=security");
    for decision in ["approve", "reject"] {
        let refused = decide(&server, "approver", decision);
        assert_eq!(refused.status, 403, "{}", refused.body);
    }
    assert_eq!(decide(&server, "security", "approve").json()["approval"]["state"], "approved");
}

#[test]
fn a_script_that_looks_at_a_tag_is_still_asked_of_when_it_goes() {
    let mut server = Server::furnished();
    server.add_person("security", Role::Approver, &["security"]);
    let script = r#"fn rule(plan) { if tag(plan.resource, "env") == () { return approve() } require_approval("two look", #{ by: "security" }) }"#;
    install(&server, "admin", &one("four-eyes", "", script));
    assert_eq!(renew(&server).status, 202);
    let untagged = server.send("operator", "PATCH", "/v1/resources/ecs-1", &[], r#"{"tags": {"env": null}}"#);
    assert_eq!(untagged.status, 200, "{}", untagged.body);
    assert_eq!(decide(&server, "approver", "approve").status, 403);
    assert_eq!(decide(&server, "security", "approve").json()["approval"]["state"], "approved");
}

#[test]
fn the_clocks_own_tries_wait_on_when_a_tag_goes() {
    let mut server = Server::furnished();
    server.add_person("security", Role::Approver, &["security"]);
    let script = r#"fn rule(plan) { require_approval("two look", #{ by: "security" }) }"#;
    install(&server, "admin", &one("four-eyes", "tags = [\"env=prod\"]", script));
    server.advance("2026-01-24T00:00:00Z");
    let untagged = server.send("operator", "PATCH", "/v1/resources/ecs-1", &[], r#"{"tags": {"env": null}}"#);
    assert_eq!(untagged.status, 200, "{}", untagged.body);
    server.advance("2026-01-26T00:00:00Z");
    assert!(!told(&server).contains("renewal_settled"), "{}", told(&server));
    assert_eq!(decide(&server, "approver", "approve").status, 403);
    assert_eq!(decide(&server, "security", "approve").json()["approval"]["state"], "approved");
}

#[test]
fn who_may_change_policies_lifts_what_they_required() {
    let is_lifted = |lift: &dyn Fn(&Server)| {
        let server = with_labels();
        server.advance("2026-01-24T00:00:00Z");
        lift(&server);
        decide(&server, "approver", "approve")
    };
    let script = r#"fn rule(plan) { require_approval("look", #{ by: "finance" }) }"#;
    let elsewhere = |server: &Server| {
        install(server, "admin", &one("p", "tags = [\"env=other\"]", script));
    };
    let removed = |server: &Server| {
        assert_eq!(server.send("admin", "DELETE", "/v1/policies/p", &[], "").status, 200);
    };
    for lift in [&elsewhere as &dyn Fn(&Server), &removed] {
        let approved = is_lifted(lift);
        assert_eq!(approved.status, 200, "{}", approved.body);
    }
}
