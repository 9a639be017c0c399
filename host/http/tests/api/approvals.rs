//! `/v1/plans` and `/v1/approvals`, and the account's limit that they come from.

use expect_test::expect;
use serde_json::Value;

use crate::harness::ApiResponse;
use crate::harness::Server;
use crate::harness::masked;

/// A furnished server whose account `acme-hw` has plans above 50.00 held; renewing `ecs-1` costs 99.00.
pub fn careful() -> Server {
    let server = Server::furnished();
    let limit = r#"{"approval_above": "50.00"}"#;
    assert_eq!(server.send("admin", "PATCH", "/v1/accounts/acme-hw", &[], limit).status, 200);
    server
}

pub fn renew(server: &Server, token: &str) -> ApiResponse {
    server.post(token, "/v1/resources/ecs-1:renew", "{}")
}

/// The ids of the tokens, by name.
fn tokens(server: &Server) -> Vec<(String, String)> {
    let listed = server.get("admin", "/v1/tokens").json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pair = |token: &Value| (text(&token["id"]), text(&token["name"]));
    listed["items"].as_array().unwrap().iter().map(pair).collect()
}

pub fn id_of(server: &Server, token: &str) -> String {
    tokens(server).into_iter().find(|(_, name)| name == token).unwrap().0
}

/// The whole answer, with tokens by name and without its version, which is different each time.
pub fn shown(server: &Server, answer: &ApiResponse) -> String {
    let mut text = answer.shown();
    for (id, name) in tokens(server) {
        text = text.replace(&id, &format!("[{name}]"));
    }
    let lines = text.lines().map(|line| if line.starts_with("etag: ") { "etag: [version]" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

/// The status and these fields of an answer, one a line, with tokens by name; `a/0/b` is field `b` of the first of `a`.
pub fn shown_fields(server: &Server, answer: &ApiResponse, fields: &[&str]) -> String {
    let body = answer.json();
    let mut text = format!("{}\n", answer.status);
    for field in fields {
        let value = body.pointer(&format!("/{field}"));
        text += &format!("{field}: {}\n", value.unwrap_or_else(|| panic!("no `{field}` in {body}")));
    }
    for (id, name) in tokens(server) {
        text = text.replace(&id, &format!("[{name}]"));
    }
    masked(&text)
}

/// What happened since the account had a limit, one event a line.
pub fn event_lines(server: &Server) -> String {
    let mut event_lines = String::new();
    for event in server.events().iter().skip(1) {
        let shown = ["approval", "decision", "reason", "will_retry", "amount", "expires_at", "to", "class"];
        let shown = shown.iter().filter(|name| !event[**name].is_null());
        let more = shown.map(|name| format!(" {name}={}", event[*name].to_string().replace('"', "")));
        let word = |name: &str| event[name].as_str().unwrap_or("-").to_owned();
        event_lines +=
            &format!("{} {} {}{}\n", word("at"), word("resource"), word("type"), more.collect::<String>());
    }
    event_lines
}

#[test]
fn an_account_gets_a_limit_from_an_admin() {
    let server = Server::furnished();
    let path = "/v1/accounts/acme-hw";
    let etag = server.get("admin", path).headers["etag"].to_str().unwrap().to_owned();
    let if_match = format!("if-match: {etag}");
    let set =
        |limit: &str| server.send("admin", "PATCH", path, &[&if_match, "x-reason: the auditors"], limit);
    expect![[r#"
        200 OK
        content-type: application/json
        etag: [version]
        {
          "account": {
            "approval_above": "50.00",
            "balance": "500.00",
            "budget": null,
            "budget_left": null,
            "budget_spent": null,
            "currency": "CNY",
            "held": "0.00",
            "id": "acme-hw",
            "limit_raise": null,
            "mode": "managed",
            "provider": "huawei",
            "revision": {
              "accounts": "*",
              "digest": "[digest]",
              "is_usable": true,
              "name": "Huawei Cloud",
              "reason": "bundled",
              "shadow": null,
              "version": null
            },
            "settings": {}
          },
          "events": [
            {
              "account": "acme-hw",
              "at": "2026-01-01T00:00:00Z",
              "resource": null,
              "setting": "approval_above",
              "type": "setting_changed",
              "value": "50.00"
            }
          ]
        }"#]]
    .assert_eq(&set(r#"{"approval_above": "50.00"}"#).shown());
    assert_eq!(set(r#"{"approval_above": null}"#).status, 412, "it is another version by now");
    assert_eq!(server.get("viewer", path).json()["approval_above"], "50.00");
    let change = |limit: &str| server.send("admin", "PATCH", path, &[], limit);
    assert_eq!(change("{}").json()["account"]["approval_above"], "50.00", "left out, it stays");
    assert_eq!(change(r#"{"approval_above": "20.00"}"#).json()["account"]["approval_above"], "20.00");
    expect![[r#"
        422 Unprocessable Entity
        content-type: application/problem+json
        {
          "detail": "2 problems; see `errors`",
          "errors": [
            {
              "detail": "-1.00 is negative; expected 0.00 or more",
              "field": "approval_above"
            },
            {
              "detail": "unknown field `mode`; expected `approval_above`, `budget`, `settings` or `dry_run`",
              "field": "mode"
            }
          ],
          "status": 422,
          "title": "Some fields are invalid",
          "type": "urn:perennial:problem:invalid-fields"
        }"#]]
    .assert_eq(&change(r#"{"approval_above": "-1.00", "mode": "managed"}"#).shown());
    let audit = server.get("admin", "/v1/audit?limit=1000").json();
    let reasons =
        audit["items"].as_array().unwrap().iter().filter(|record| record["reason"] == "the auditors");
    assert_eq!(reasons.count(), 2);
    let body = r#"{"id": "new", "provider": "huawei", "currency": "CNY", "balance": "1.00", "approval_above": "0.00"}"#;
    assert_eq!(server.post("admin", "/v1/accounts", body).json()["approval_above"], "0.00");
}

#[test]
fn a_command_above_the_limit_is_held_and_shown() {
    let server = careful();
    let dry = server.post("operator", "/v1/resources/ecs-1:renew", r#"{"dry_run": true}"#).json();
    assert_eq!(dry["plan"]["needs_approval"], true);
    let hash = dry["plan"]["plan_hash"].as_str().unwrap();
    let body = serde_json::json!({ "plan_hash": hash }).to_string();
    let held = server.post("operator", "/v1/resources/ecs-1:renew", &body);
    let fields = [
        "approval/id",
        "approval/state",
        "approval/cost",
        "approval/requested_by",
        "approval/expires_at",
        "events/0/type",
    ];
    expect![[r#"
        202 Accepted
        approval/id: "ecs-1~1"
        approval/state: "pending"
        approval/cost: "99.00"
        approval/requested_by: "[operator]"
        approval/expires_at: "2026-01-30T18:59:59Z"
        events/0/type: "approval_requested"
    "#]]
    .assert_eq(&shown_fields(&server, &held, &fields));
    let again = renew(&server, "admin");
    assert_eq!((again.status.as_u16(), &again.json()["events"]), (202, &serde_json::json!([])));
    assert_eq!(again.json()["approval"], held.json()["approval"], "it waits for the same");
    let got = server.get("viewer", "/v1/approvals/ecs-1~1");
    expect![[r#"
        200 OK
        content-type: application/json
        etag: [version]
        {
          "account": "acme-hw",
          "attempt": "ecs-1/2026-01-31T15:59:59Z/1month",
          "cause": "command",
          "closed_at": null,
          "command": "renew",
          "cost": "99.00",
          "currency": "CNY",
          "decided_by": null,
          "expires_at": "2026-01-30T18:59:59Z",
          "expiry_reason": null,
          "id": "ecs-1~1",
          "plan": {
            "account": "acme-hw",
            "at": "2026-01-01T00:00:00Z",
            "balance_after": "401.00",
            "balance_before": "500.00",
            "command": "renew",
            "cost": "99.00",
            "currency": "CNY",
            "needs_approval": true,
            "plan_hash": "[digest]",
            "refund": "0.00",
            "refusal": null,
            "required": [
              {
                "by": null,
                "given_by": null,
                "policy": "approval_above",
                "reason": ""
              }
            ],
            "resource": "ecs-1",
            "revision": "[digest]",
            "skipped": [],
            "steps": [
              {
                "cost": "99.00",
                "details": {},
                "expires_at": "2026-02-28T15:59:59Z",
                "expires_before": "2026-01-31T15:59:59Z",
                "extra_days": 0,
                "operation": "extend",
                "refund": "0.00",
                "resource": "ecs-1",
                "term": {
                  "count": 1,
                  "unit": "month"
                }
              }
            ]
          },
          "reason": null,
          "requested_at": "2026-01-01T00:00:00Z",
          "requested_by": "[operator]",
          "required": [
            {
              "by": null,
              "given_by": null,
              "policy": "approval_above",
              "reason": ""
            }
          ],
          "resource": "ecs-1",
          "state": "pending"
        }"#]]
    .assert_eq(&shown(&server, &got));
    assert_eq!(got.json(), held.json()["approval"]);
    let attempts = server.get("viewer", "/v1/attempts").json();
    assert_eq!(attempts["items"][0]["state"], "awaiting_approval");
    let metrics = server.get("", "/metrics").body;
    assert!(metrics.contains("\nperennial_approvals_pending 1\n"), "{metrics}");
    let other = r#"{"plan_hash": "0123"}"#;
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:renew", other).status, 409);
}

#[test]
fn plans_and_approvals_are_listed_by_account_resource_and_state() {
    let server = careful();
    assert_eq!(
        server.send("admin", "PATCH", "/v1/accounts/beta-bd", &[], r#"{"approval_above": "0.00"}"#).status,
        200
    );
    renew(&server, "operator");
    assert_eq!(server.post("operator", "/v1/resources/bcc-1:renew", "{}").status, 202);
    assert_eq!(server.post("approver", "/v1/approvals/bcc-1~1:reject", "{}").status, 200);
    assert_eq!(server.post("operator", "/v1/resources/bcc-1:renew", "{}").status, 202);
    let ids = |path: &str| {
        let page = server.get("viewer", path).json();
        let ids =
            page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
        format!("{} {}", ids.collect::<Vec<_>>().join(" "), page["next_cursor"].as_str().unwrap_or("end"))
    };
    let mut table = String::new();
    for path in [
        "/v1/approvals",
        "/v1/approvals?state=rejected",
        "/v1/approvals?account=acme-hw",
        "/v1/approvals?resource=bcc-1&state=pending",
        "/v1/approvals?limit=2",
        "/v1/approvals?limit=2&cursor=c2",
        "/v1/plans",
        "/v1/plans?account=beta-bd",
        "/v1/plans?state=rejected",
        "/v1/plans?limit=1",
    ] {
        table += &format!("{path}: {}\n", ids(path));
    }
    expect![[r#"
        /v1/approvals: ecs-1~1 bcc-1~1 bcc-1~2 end
        /v1/approvals?state=rejected: bcc-1~1 end
        /v1/approvals?account=acme-hw: ecs-1~1 end
        /v1/approvals?resource=bcc-1&state=pending: bcc-1~2 end
        /v1/approvals?limit=2: ecs-1~1 bcc-1~1 c2
        /v1/approvals?limit=2&cursor=c2: bcc-1~2 end
        /v1/plans: ecs-1~1 bcc-1~2 end
        /v1/plans?account=beta-bd: bcc-1~2 end
        /v1/plans?state=rejected: bcc-1~1 end
        /v1/plans?limit=1: ecs-1~1 c1
    "#]]
    .assert_eq(&table);
    assert_eq!(
        server.get("viewer", "/v1/plans").json(),
        server.get("viewer", "/v1/approvals?state=pending").json()
    );
    expect![[r#"
        400 Bad Request
        content-type: application/problem+json
        {
          "detail": "1 problem; see `errors`",
          "errors": [
            {
              "detail": "expected one of `pending`, `approved`, `rejected`, `expired`",
              "field": "state"
            }
          ],
          "status": 400,
          "title": "The request cannot be read",
          "type": "urn:perennial:problem:bad-request"
        }"#]]
    .assert_eq(&server.get("viewer", "/v1/plans?state=held").shown());
    let bound = server.get("bound-viewer", "/v1/plans").body;
    assert!(bound.contains("ecs-1~1") && !bound.contains("bcc-1"), "{bound}");
}
