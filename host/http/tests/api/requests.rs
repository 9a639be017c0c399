//! One request of every route, in an order in which each works; [`crate::description`] makes the examples of the
//! description of them.

use std::collections::BTreeMap;

use serde_json::Value;

/// A request and the status of its response.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// The token that it carries.
    pub token: &'static str,
    pub method: &'static str,
    /// The documented path.
    pub route: &'static str,
    /// The path; `<<POST /v1/tokens#/token/id>>` stands for what that request was answered last, there.
    pub path: &'static str,
    pub body: &'static str,
    pub status: u16,
}

/// A request as an admin that is answered 200.
const fn admin(method: &'static str, route: &'static str, path: &'static str, body: &'static str) -> Request {
    Request { token: "admin", method, route, path, body, status: 200 }
}

/// A request without a body at the documented path itself.
const fn get(route: &'static str) -> Request {
    admin("GET", route, route, "")
}

const fn answered(status: u16, request: Request) -> Request {
    Request { status, ..request }
}

const fn by(token: &'static str, request: Request) -> Request {
    Request { token, ..request }
}

const IMPORT: &str = r#"{"resources": [{"id": "evs-1", "account": "acme-hw", "kind": "evs", "region": "cn-north-4",
    "charging": "prepaid", "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
    "term": {"count": 1, "unit": "month"}, "price": "10.00", "on_expiry": "renew", "tags": {"env": "prod"}},
    {"id": "ecs-2", "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "postpaid",
    "started_at": "2025-12-31T02:00:00Z"}]}"#;
/// A policy that is asked in shadow, and a calendar.
const POLICIES: &str = r#"{"file": "[[policy]]\nname = \"small-only\"\nscript = \"small-only.rhai\"\nmode = \"shadow\"\n\n[[calendar]]\nname = \"freeze\"\ndays = [\"2026-12-24..2027-01-02\"]\n",
    "scripts": {"small-only.rhai": "fn rule(plan) {\n    if plan.cost > 5.00 { return deny(\"above 5.00\") }\n    approve()\n}\n"},
    "replace": false, "dry_run": false}"#;
/// A policy file that is to be tried on a resource.
const TRIAL: &str = r#"{"file": "[[policy]]\nname = \"dear\"\nscript = \"dear.rhai\"\n",
    "scripts": {"dear.rhai": "fn rule(plan) {\n    deny(\"too dear\")\n}\n"}, "resource": "evs-1"}"#;
/// One that is to be compared with what holds.
const COMPARISON: &str = r#"{"file": "[[policy]]\nname = \"dear\"\nscript = \"dear.rhai\"\n",
    "scripts": {"dear.rhai": "fn rule(plan) {\n    deny(\"too dear\")\n}\n"},
    "replace": false, "months": 3, "approvals_granted": true}"#;
/// A table of a provider that is to be tried.
const REVISION: &str = r#"{"name": "nimbus.toml", "table": "table = 1\n\n[provider]\nid = \"nimbus\"\nname = \"Nimbus\"\nutc_offset = \"+00:00\"\n\n[kinds.server]\nlabel = \"Server\"\n\n[tries]\ndays = [5, 4, 3, 2, 1]\nhour = 2\n\n[stages]\ngrace = \"3 days\"\nretention = \"0 days\"\n\n[refusals]\nother = \"Refused\"\n",
    "dry_run": false}"#;
/// Has it asked again, if its breaker is open.
const BREAKER: &str = r#"{"revision": "<<POST /v1/plugins/revisions#/digest>>"}"#;
/// Has it asked in shadow.
const BINDING: &str = r#"{"digest": "<<POST /v1/plugins/revisions#/digest>>", "accounts": "acme-*", "mode": "shadow", "dry_run": false}"#;
/// The cloud of the tests, which [`crate::description`] starts, and a key of it.
const CONNECTION: &str = r#"{"account": "larkspur", "provider": "huawei", "access_key": "<<CLOUD#/access_key>>",
    "secret": "<<CLOUD#/secret>>", "endpoint": "<<CLOUD#/endpoint>>",
    "grants": ["list-resources", "list-orders", "quote-renewals", "read-balance"],
    "settings": {"site": "cn"}}"#;
const ROTATION: &str = r#"{"access_key": "<<CLOUD#/access_key>>", "secret": "<<CLOUD#/secret>>"}"#;
/// An order of a renewal that waits to be paid.
const ORDER: &str = r#"{"order": "evs-1/2026-01-31T15:59:59Z/1month"}"#;

/// The body that names the next order.
const LATER_ORDER: &str = r#"{"order": "evs-1/2026-02-28T15:59:59Z/1year"}"#;

/// The requests, in the order in which they are sent.
pub const ALL: &[Request] = &[
    get("/healthz"),
    get("/readyz"),
    get("/metrics"),
    answered(
        201,
        admin(
            "POST",
            "/v1/accounts",
            "/v1/accounts",
            r#"{"id": "acme-test", "provider": "huawei", "currency": "CNY", "balance": "100.00"}"#,
        ),
    ),
    get("/v1/accounts"),
    admin("GET", "/v1/accounts/{id}", "/v1/accounts/acme-hw", ""),
    admin("PATCH", "/v1/accounts/{id}", "/v1/accounts/acme-hw", r#"{"approval_above": "50.00"}"#),
    admin("POST", "/v1/accounts/{id}:top-up", "/v1/accounts/acme-hw:top-up", r#"{"amount": "100.00"}"#),
    admin("GET", "/v1/accounts/{id}/ledger", "/v1/accounts/acme-hw/ledger", ""),
    admin("GET", "/v1/accounts/{id}/balances", "/v1/accounts/acme-hw/balances", ""),
    admin(
        "POST",
        "/v1/accounts/{id}:use",
        "/v1/accounts/acme-hw:use",
        r#"{"resource_type": "cci", "amount": "1.00"}"#,
    ),
    admin("POST", "/v1/resources:import", "/v1/resources:import", IMPORT),
    get("/v1/resources"),
    admin("GET", "/v1/resources/{id}", "/v1/resources/ecs-1", ""),
    admin("PATCH", "/v1/resources/{id}", "/v1/resources/ecs-1", r#"{"tags": {"team": "shop"}}"#),
    admin("GET", "/v1/resources/{id}/renewal-window", "/v1/resources/ecs-1/renewal-window", ""),
    admin("GET", "/v1/resources/{id}/explanation", "/v1/resources/ecs-1/explanation", ""),
    admin("GET", "/v1/resources/{id}/timeline", "/v1/resources/ecs-1/timeline?limit=3", ""),
    answered(
        202,
        by(
            "operator",
            admin(
                "POST",
                "/v1/resources/{id}:renew",
                "/v1/resources/ecs-1:renew",
                r#"{"term": {"count": 1, "unit": "month"}}"#,
            ),
        ),
    ),
    get("/v1/plans"),
    get("/v1/approvals"),
    admin("GET", "/v1/approvals/{id}", "/v1/approvals/ecs-1~1", ""),
    by(
        "approver",
        admin(
            "POST",
            "/v1/approvals/{id}:approve",
            "/v1/approvals/ecs-1~1:approve",
            r#"{"reason": "agreed"}"#,
        ),
    ),
    admin("PATCH", "/v1/accounts/{id}", "/v1/accounts/beta-bd", r#"{"approval_above": "0.00"}"#),
    answered(
        202,
        admin("PATCH", "/v1/accounts/{id}", "/v1/accounts/beta-bd", r#"{"approval_above": "900.00"}"#),
    ),
    answered(
        202,
        by("operator", admin("POST", "/v1/resources/{id}:renew", "/v1/resources/bcc-1:renew", "{}")),
    ),
    by(
        "approver",
        admin(
            "POST",
            "/v1/approvals/{id}:reject",
            "/v1/approvals/bcc-1~1:reject",
            r#"{"reason": "not now"}"#,
        ),
    ),
    admin(
        "POST",
        "/v1/resources/{id}:renew",
        "/v1/resources/evs-1:renew",
        r#"{"term": {"count": 1, "unit": "month"}, "dry_run": true}"#,
    ),
    admin(
        "POST",
        "/v1/resources/{id}:set-auto-renew",
        "/v1/resources/ecs-1:set-auto-renew",
        r#"{"term": {"count": 1, "unit": "month"}, "renewals": 12}"#,
    ),
    admin("POST", "/v1/resources/{id}:cancel-auto-renew", "/v1/resources/ecs-1:cancel-auto-renew", "{}"),
    admin(
        "POST",
        "/v1/resources/{id}:unsubscribe",
        "/v1/resources/evs-1:unsubscribe",
        r#"{"scope": "all", "dry_run": true}"#,
    ),
    admin(
        "POST",
        "/v1/resources/{id}:convert-on-expiry",
        "/v1/resources/ecs-1:convert-on-expiry",
        r#"{"dry_run": true}"#,
    ),
    admin(
        "POST",
        "/v1/resources/{id}:cancel-conversion",
        "/v1/resources/ecs-1:cancel-conversion",
        r#"{"dry_run": true}"#,
    ),
    admin("POST", "/v1/resources/{id}:buy-again", "/v1/resources/pkg-1:buy-again", r#"{"dry_run": true}"#),
    admin(
        "POST",
        "/v1/resources/{id}:change",
        "/v1/resources/evs-1:change",
        r#"{"attributes": {"size": "200"}, "price": "20.00", "dry_run": true}"#,
    ),
    admin(
        "POST",
        "/v1/resources/{id}:convert-now",
        "/v1/resources/ecs-1:convert-now",
        r#"{"dry_run": true}"#,
    ),
    admin(
        "POST",
        "/v1/resources/{id}:subscribe",
        "/v1/resources/ecs-2:subscribe",
        r#"{"term": {"count": 1, "unit": "month"}, "price": "40.00", "dry_run": true}"#,
    ),
    admin(
        "POST",
        "/v1/resources/{id}:renew",
        "/v1/resources/evs-1:renew",
        r#"{"term": {"count": 1, "unit": "month"}, "options": {"is_auto_pay": "0"}}"#,
    ),
    get("/v1/orders"),
    admin("GET", "/v1/resources/{id}/orders", "/v1/resources/evs-1/orders", ""),
    admin("GET", "/v1/resources/{id}/decisions", "/v1/resources/evs-1/decisions?limit=1", ""),
    admin("POST", "/v1/resources/{id}:pay-order", "/v1/resources/evs-1:pay-order", ORDER),
    admin(
        "POST",
        "/v1/resources/{id}:renew",
        "/v1/resources/evs-1:renew",
        r#"{"term": {"count": 1, "unit": "year"}, "options": {"is_auto_pay": "0"}}"#,
    ),
    admin("POST", "/v1/resources/{id}:cancel-order", "/v1/resources/evs-1:cancel-order", LATER_ORDER),
    answered(
        202,
        admin(
            "POST",
            "/v1/jobs",
            "/v1/jobs",
            r#"{"command": "cancel_auto_renew", "ids": ["ecs-1", "evs-1"], "dry_run": false}"#,
        ),
    ),
    get("/v1/jobs"),
    admin("GET", "/v1/jobs/{id}", "/v1/jobs/<<POST /v1/jobs#/id>>", ""),
    admin("GET", "/v1/jobs/{id}/items", "/v1/jobs/<<POST /v1/jobs#/id>>/items", ""),
    admin("POST", "/v1/jobs/{id}:cancel", "/v1/jobs/<<POST /v1/jobs#/id>>:cancel", ""),
    get("/v1/attempts"),
    get("/v1/packages"),
    get("/v1/events"),
    get("/v1/events:stream"),
    get("/v1/forecast"),
    get("/v1/prices"),
    get("/v1/expiries"),
    answered(
        201,
        admin("POST", "/v1/calendars", "/v1/calendars", r#"{"name": "renewals", "accounts": ["acme-hw"]}"#),
    ),
    get("/v1/calendars"),
    admin("GET", "/calendars/{file}", "<<POST /v1/calendars#/path>>", ""),
    admin("POST", "/v1/calendars/{id}:rotate", "/v1/calendars/cal-1:rotate", ""),
    admin("POST", "/v1/calendars/{id}:revoke", "/v1/calendars/cal-1:revoke", ""),
    answered(201, admin("POST", "/v1/connections", "/v1/connections", CONNECTION)),
    admin(
        "POST",
        "/v1/connections/{id}:sync",
        "/v1/connections/larkspur:sync",
        r#"{"incremental": false, "accept_missing": false}"#,
    ),
    admin("POST", "/v1/connections/{id}:sync", "/v1/connections/larkspur:sync", ""),
    get("/v1/connections"),
    admin("GET", "/v1/connections/{id}", "/v1/connections/larkspur", ""),
    admin("POST", "/v1/connections/{id}:drive", "/v1/connections/larkspur:drive", r#"{"driver": "host"}"#),
    admin(
        "POST",
        "/v1/connections/{id}:limit-spending",
        "/v1/connections/larkspur:limit-spending",
        r#"{"per_hour": "5000.00"}"#,
    ),
    answered(202, admin("POST", "/v1/resources/{id}:renew", "/v1/resources/srv-1:renew", "")),
    get("/v1/calls"),
    admin("GET", "/v1/calls/{id}", "/v1/calls/1", ""),
    admin("POST", "/v1/calls/{id}:resolve", "/v1/calls/1:resolve", r#"{"decision": "give_up"}"#),
    admin("POST", "/v1/connections/{id}:pause", "/v1/connections/larkspur:pause", ""),
    admin("POST", "/v1/connections/{id}:resume", "/v1/connections/larkspur:resume", ""),
    admin("POST", "/v1/connections:pause", "/v1/connections:pause", ""),
    admin("POST", "/v1/connections:resume", "/v1/connections:resume", ""),
    admin(
        "POST",
        "/v1/connections/{id}:grant",
        "/v1/connections/larkspur:grant",
        r#"{"reads": ["list-resources", "read-balance"]}"#,
    ),
    admin("POST", "/v1/connections/{id}:rotate", "/v1/connections/larkspur:rotate", ROTATION),
    get("/v1/drift"),
    get("/v1/plugins"),
    admin("POST", "/v1/plugins/revisions", "/v1/plugins/revisions", REVISION),
    get("/v1/plugins/parked"),
    admin("POST", "/v1/plugins/parked:release", "/v1/plugins/parked:release", r#"{"provider": "nimbus"}"#),
    get("/v1/plugins/breakers"),
    admin("POST", "/v1/plugins/breakers:release", "/v1/plugins/breakers:release", BREAKER),
    get("/v1/plugins/revisions"),
    admin(
        "GET",
        "/v1/plugins/revisions/{digest}",
        "/v1/plugins/revisions/<<POST /v1/plugins/revisions#/digest>>",
        "",
    ),
    admin(
        "POST",
        "/v1/plugins/revisions:backtest",
        "/v1/plugins/revisions:backtest",
        r#"{"revision": "<<POST /v1/plugins/revisions#/digest>>", "since": "2025-12-01T00:00:00Z"}"#,
    ),
    admin("POST", "/v1/plugins/bindings", "/v1/plugins/bindings", BINDING),
    get("/v1/plugins/bindings"),
    admin(
        "GET",
        "/v1/plugins/revisions/{digest}/differences",
        "/v1/plugins/revisions/<<POST /v1/plugins/revisions#/digest>>/differences",
        "",
    ),
    admin(
        "POST",
        "/v1/plugins/bindings:promote",
        "/v1/plugins/bindings:promote",
        r#"{"provider": "nimbus", "accounts": "acme-*", "dry_run": false}"#,
    ),
    admin(
        "POST",
        "/v1/plugins/bindings:roll-back",
        "/v1/plugins/bindings:roll-back",
        r#"{"provider": "nimbus", "accounts": "acme-*", "dry_run": false}"#,
    ),
    admin("POST", "/v1/plugins/bindings", "/v1/plugins/bindings", BINDING),
    admin(
        "POST",
        "/v1/plugins/bindings:unbind",
        "/v1/plugins/bindings:unbind",
        r#"{"provider": "nimbus", "accounts": "acme-*", "mode": "shadow", "dry_run": false}"#,
    ),
    admin("GET", "/v1/plugins/bindings/history", "/v1/plugins/bindings/history", ""),
    admin("POST", "/v1/policies", "/v1/policies", POLICIES),
    get("/v1/policies"),
    admin("GET", "/v1/policies/{name}", "/v1/policies/small-only", ""),
    admin("GET", "/v1/policies/{name}/history", "/v1/policies/small-only/history", ""),
    admin("POST", "/v1/policies:run", "/v1/policies:run", TRIAL),
    admin("POST", "/v1/policies:compare", "/v1/policies:compare", COMPARISON),
    admin(
        "POST",
        "/v1/resources/{id}:renew",
        "/v1/resources/evs-1:renew",
        r#"{"term": {"count": 1, "unit": "month"}}"#,
    ),
    admin("GET", "/v1/policies/{name}/differences", "/v1/policies/small-only/differences", ""),
    get("/v1/policy-calendars"),
    admin("GET", "/v1/policy-calendars/{name}/history", "/v1/policy-calendars/freeze/history", ""),
    admin("DELETE", "/v1/policies/{name}", "/v1/policies/small-only", ""),
    admin("DELETE", "/v1/policy-calendars/{name}", "/v1/policy-calendars/freeze", ""),
    answered(
        201,
        admin(
            "POST",
            "/v1/tokens",
            "/v1/tokens",
            r#"{"name": "shop", "role": "viewer", "accounts": ["acme-hw"], "expires_at": "2027-01-01T00:00:00Z"}"#,
        ),
    ),
    get("/v1/tokens"),
    admin(
        "POST",
        "/v1/tokens/{id}:revoke",
        "/v1/tokens/<<POST /v1/tokens#/token/id>>:revoke",
        r#"{"cascade": true}"#,
    ),
    answered(
        201,
        admin(
            "POST",
            "/v1/provider-keys",
            "/v1/provider-keys",
            r#"{"account": "acme-hw", "name": "terraform", "expires_at": "2027-01-01T00:00:00Z"}"#,
        ),
    ),
    get("/v1/provider-keys"),
    answered(
        201,
        admin(
            "POST",
            "/v1/provider-keys/{id}:rotate",
            "/v1/provider-keys/<<POST /v1/provider-keys#/key/access_key>>:rotate",
            "{}",
        ),
    ),
    admin(
        "POST",
        "/v1/provider-keys/{id}:revoke",
        "/v1/provider-keys/<<POST /v1/provider-keys#/key/access_key>>:revoke",
        "",
    ),
    answered(
        201,
        admin(
            "POST",
            "/v1/webhooks",
            "/v1/webhooks",
            r#"{"url": "https://example.com/perennial", "description": "declined renewals",
                "types": ["renewal_declined"]}"#,
        ),
    ),
    get("/v1/webhooks"),
    admin("GET", "/v1/webhooks/{id}", "/v1/webhooks/<<POST /v1/webhooks#/webhook/id>>", ""),
    admin(
        "PATCH",
        "/v1/webhooks/{id}",
        "/v1/webhooks/<<POST /v1/webhooks#/webhook/id>>",
        r#"{"description": "renewals that were declined"}"#,
    ),
    admin(
        "POST",
        "/v1/webhooks/{id}:rotate-secret",
        "/v1/webhooks/<<POST /v1/webhooks#/webhook/id>>:rotate-secret",
        "",
    ),
    answered(
        202,
        admin("POST", "/v1/webhooks/{id}:test", "/v1/webhooks/<<POST /v1/webhooks#/webhook/id>>:test", ""),
    ),
    admin(
        "GET",
        "/v1/webhooks/{id}/deliveries",
        "/v1/webhooks/<<POST /v1/webhooks#/webhook/id>>/deliveries",
        "",
    ),
    answered(
        202,
        admin(
            "POST",
            "/v1/webhooks/{id}:replay",
            "/v1/webhooks/<<POST /v1/webhooks#/webhook/id>>:replay",
            r#"{"after": "c0"}"#,
        ),
    ),
    admin("DELETE", "/v1/webhooks/{id}", "/v1/webhooks/<<POST /v1/webhooks#/webhook/id>>", ""),
    answered(
        201,
        admin(
            "POST",
            "/v1/channels",
            "/v1/channels",
            r#"{"kind": "dingtalk", "url": "https://oapi.dingtalk.com/robot/send?access_token=0123abcd",
                "secret": "SEC0123abcd", "language": "zh-CN", "time_zone": "Asia/Shanghai",
                "quiet_hours": {"from": "22:00", "until": "07:00"}}"#,
        ),
    ),
    get("/v1/channels"),
    admin("GET", "/v1/channels/{id}", "/v1/channels/<<POST /v1/channels#/id>>", ""),
    admin(
        "PATCH",
        "/v1/channels/{id}",
        "/v1/channels/<<POST /v1/channels#/id>>",
        r#"{"severity": "critical", "quiet_hours": null, "digest_at": "08:00"}"#,
    ),
    answered(202, admin("POST", "/v1/channels/{id}:test", "/v1/channels/<<POST /v1/channels#/id>>:test", "")),
    admin("GET", "/v1/channels/{id}/deliveries", "/v1/channels/<<POST /v1/channels#/id>>/deliveries", ""),
    answered(
        202,
        admin(
            "POST",
            "/v1/channels/{id}:resend",
            "/v1/channels/<<POST /v1/channels#/id>>:resend",
            r#"{"delivery": "<<POST /v1/channels/{id}:test#/items/0/id>>"}"#,
        ),
    ),
    admin("DELETE", "/v1/channels/{id}", "/v1/channels/<<POST /v1/channels#/id>>", ""),
    answered(201, admin("POST", "/v1/acknowledgements", "/v1/acknowledgements", r#"{"resource": "ecs-1"}"#)),
    get("/v1/acknowledgements"),
    admin("DELETE", "/v1/acknowledgements/{id}", "/v1/acknowledgements/ecs-1", ""),
    get("/v1/clock"),
    admin("POST", "/v1/clock:advance", "/v1/clock:advance", r#"{"to": "2026-01-02T00:00:00Z"}"#),
    get("/v1/audit"),
];

/// The text with what earlier responses are quoted for.
pub fn filled(text: &str, answers: &BTreeMap<String, Value>) -> String {
    let Some((before, rest)) = text.split_once("<<") else { return text.to_owned() };
    let (reference, after) = rest.split_once(">>").unwrap();
    let (request, pointer) = reference.split_once('#').unwrap();
    let value =
        answers[request].pointer(pointer).unwrap_or_else(|| panic!("{reference}: {}", answers[request]));
    format!("{before}{}{}", value.as_str().unwrap(), filled(after, answers))
}
