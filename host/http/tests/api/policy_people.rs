//! Who may approve what policies require: somebody with the label, and nobody by a change of their own.

use perennial_service::admin_tokens::Role;

use crate::harness::ApiResponse;
use crate::harness::Server;
use crate::policies::changes;
use crate::policies::install;
use crate::policies::one;

const APPROVE_ALL: &str = "fn rule(plan) { approve() }";

fn renew(server: &Server, token: &str) -> ApiResponse {
    server.post(token, "/v1/resources/ecs-1:renew", "{}")
}

fn decide(server: &Server, token: &str, decision: &str) -> ApiResponse {
    server.post(token, &format!("/v1/approvals/ecs-1~1:{decision}"), "{}")
}

#[test]
fn each_label_takes_an_approver_who_has_it() {
    let mut server = Server::furnished();
    server.add_person("finance", Role::Approver, &["finance"]);
    server.add_person("security", Role::Approver, &["security"]);
    for label in ["finance", "security"] {
        let script =
            format!(r#"fn rule(plan) {{ require_approval("{label} looks", #{{ by: "{label}" }}) }}"#);
        install(&server, "admin", &one(label, "", &script));
    }
    assert_eq!(renew(&server, "operator").status, 202);
    for decision in ["approve", "reject"] {
        let refused = decide(&server, "approver", decision);
        assert_eq!(refused.status, 403, "{}", refused.body);
        assert!(refused.body.contains("`finance`, `security`"), "it names the labels: {}", refused.body);
    }
    let part = decide(&server, "security", "approve").json();
    assert_eq!(part["approval"]["state"], "pending", "{part}");
    assert_eq!(part["events"][0]["type"], "approval_given");
    assert_eq!(part["events"][0]["policy"], "security");
    let again = decide(&server, "security", "approve");
    assert_eq!(again.status, 403, "what is left takes the other label: {}", again.body);
    let whole = decide(&server, "finance", "approve").json();
    assert_eq!(whole["approval"]["state"], "approved", "{whole}");
    assert_eq!(whole["resource"]["expires_at"], "2026-02-28T15:59:59Z");
}

#[test]
fn labels_are_inherited_and_never_given_by_who_lacks_them() {
    let mut server = Server::furnished();
    server.add_person("controller", Role::Admin, &["finance"]);
    let made = |token: &str, body: &str| server.post(token, "/v1/tokens", body);
    let approves = |answer: &ApiResponse| answer.json()["token"]["approves"].to_string();
    let heir = made("controller", r#"{"name": "n", "role": "approver"}"#);
    assert_eq!(approves(&heir), r#"["finance"]"#);
    let without = made("controller", r#"{"name": "n", "role": "approver", "approves": []}"#);
    assert_eq!(approves(&without), "[]");
    assert_eq!(approves(&made("controller", r#"{"name": "n", "role": "viewer"}"#)), "[]");
    let useless = made("controller", r#"{"name": "n", "role": "viewer", "approves": ["finance"]}"#);
    assert_eq!(useless.status, 422, "{}", useless.body);
    for token in ["admin", "controller"] {
        let taken = made(token, r#"{"name": "n", "role": "approver", "approves": ["security"]}"#);
        assert_eq!(taken.status, 403, "{}", taken.body);
        assert!(taken.body.contains("`security`"), "{}", taken.body);
    }
}

#[test]
fn nobody_uses_a_policy_that_they_changed_for_what_they_ask_for() {
    let mut server = Server::furnished();
    server.add_person("second", Role::Admin, &[]);
    let require = r#"fn rule(plan) { require_approval("ask") }"#;
    install(&server, "second", &one("asked", "", require));
    install(&server, "admin", &one("asked", "", APPROVE_ALL));
    let waits = renew(&server, "admin");
    assert_eq!(waits.status, 202, "{}", waits.body);
    let required = &waits.json()["approval"]["required"];
    assert_eq!(required[0]["policy"], "asked", "{required}");
    assert_eq!(decide(&server, "admin", "approve").status, 403);
    let looked = server.post("admin", "/v1/resources/ecs-1:renew", r#"{"dry_run": true}"#);
    assert_eq!(looked.json()["plan"]["needs_approval"], true, "a dry run says so, too: {}", looked.body);
    assert_eq!(decide(&server, "second", "approve").status, 200);
    assert_eq!(renew(&server, "operator").status, 200, "others are not held up");
    let confirmed = install(&server, "second", &one("asked", "", APPROVE_ALL));
    assert_eq!(changes(&confirmed), "policy asked: confirmed");
    assert_eq!(renew(&server, "admin").status, 200, "somebody else has looked at the change");
    let history = server.get("viewer", "/v1/policies/asked/history").json();
    assert!(history["items"][1]["confirmed_by"].is_string(), "{history}");
}

#[test]
fn a_removal_and_a_calendar_are_changes_as_well() {
    let mut server = Server::furnished();
    server.add_person("second", Role::Admin, &[]);
    install(&server, "second", &one("asked", "", r#"fn rule(plan) { require_approval("ask") }"#));
    assert_eq!(server.send("admin", "DELETE", "/v1/policies/asked", &[], "").status, 200);
    assert_eq!(renew(&server, "admin").status, 202);
    assert_eq!(renew(&server, "operator").status, 200);
    assert_eq!(server.send("admin", "DELETE", "/v1/policies/asked", &[], "").status, 404);
    let confirmed = server.send("second", "DELETE", "/v1/policies/asked", &[], "");
    assert_eq!(changes(&confirmed), "policy asked: confirmed");
    assert_eq!(renew(&server, "admin").status, 200);
    let freeze = |days: &str| format!("[[calendar]]\nname = \"freeze\"\ndays = [\"{days}\"]\n");
    let script = r#"fn rule(plan) { if in_calendar("freeze", plan.at) { return deny("frozen") } approve() }"#;
    let body = serde_json::json!({
        "file": freeze("2026-01-01..2026-12-31") + "[[policy]]\nname = \"frozen\"\nscript = \"f.rhai\"\n",
        "scripts": { "f.rhai": script },
    });
    install(&server, "second", &body.to_string());
    let thawed = serde_json::json!({ "file": freeze("2027-01-01") });
    install(&server, "admin", &thawed.to_string());
    assert_eq!(renew(&server, "admin").status, 202, "the calendar is theirs");
    assert_eq!(renew(&server, "operator").status, 200);
}

#[test]
fn a_second_change_of_ones_own_does_not_hide_the_first() {
    let mut server = Server::furnished();
    server.add_person("second", Role::Admin, &[]);
    let require = r#"fn rule(plan) { require_approval("ask") }"#;
    install(&server, "second", &one("asked", "", require));
    assert_eq!(server.send("admin", "DELETE", "/v1/policies/asked", &[], "").status, 200);
    for elsewhere in ["tags = [\"p=other\"]", "tags = [\"p=other2\"]", "mode = \"shadow\""] {
        install(&server, "admin", &one("asked", elsewhere, require));
        let waits = renew(&server, "admin");
        assert_eq!(waits.status, 202, "{elsewhere}: {}", waits.body);
        let id = waits.json()["approval"]["id"].as_str().unwrap().to_owned();
        assert_eq!(server.post("second", &format!("/v1/approvals/{id}:reject"), "{}").status, 200);
    }
    let confirmed = install(&server, "second", &one("asked", "mode = \"shadow\"", require));
    assert_eq!(changes(&confirmed), "policy asked: confirmed");
    assert_eq!(renew(&server, "admin").status, 200, "somebody else has looked at what it came to");
}

#[test]
fn a_change_by_somebody_else_ends_what_ones_own_changes_hold_up() {
    let mut server = Server::furnished();
    server.add_person("second", Role::Admin, &[]);
    let require = r#"fn rule(plan) { require_approval("ask") }"#;
    install(&server, "second", &one("asked", "", require));
    install(&server, "admin", &one("asked", "tags = [\"p=other\"]", require));
    install(&server, "second", &one("asked", "tags = [\"p=other2\"]", require));
    install(&server, "admin", &one("asked", "tags = [\"p=other3\"]", require));
    assert_eq!(renew(&server, "admin").status, 200, "it was out of reach before their last change");
}
