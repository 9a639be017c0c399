//! Policies of an operator on every way by which plans come: the clock, the admin API, its dry runs and jobs, and the
//! providers' own APIs.

use expect_test::expect;
use perennial_domain::timestamp::Timestamp;
use perennial_test_support::bce::draft;
use perennial_test_support::provider_server::ProviderResponse;
use perennial_test_support::provider_server::Server;
use serde_json::Value;
use serde_json::json;

use crate::huawei::RENEW;
use crate::huawei::Tool;

pub const NOW: &str = "2026-03-01T00:00:00Z";
/// The rulings, and the body of a script that gives each.
const RULINGS: [(&str, &str); 6] = [
    ("approve", "approve()"),
    ("deny", r#"deny("not this one")"#),
    ("require_approval", r#"require_approval("ask first")"#),
    ("defer", r#"defer(add_days(plan.at, 2), "wait")"#),
    ("amend", r#"amend(#{ term: #{ count: 2, unit: "month" } }, "longer")"#),
    ("failed", "1 + plan.options"),
];

/// A resource for each way, none of which the others touch, and money for all of them.
fn inventory() -> Value {
    let resource = |account: &str, kind: &str, id: &str, on_expiry: &str| {
        json!({
            "id": id, "account": account, "kind": kind, "region": "r", "charging": "prepaid",
            "started_at": "2026-02-04T02:00:00Z", "expires_at": "2026-03-10T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "10.00", "on_expiry": on_expiry,
        })
    };
    json!({
        "accounts": [
            { "id": "acme", "provider": "huawei", "currency": "CNY", "balance": "1000.00" },
            { "id": "beta", "provider": "baidu", "currency": "CNY", "balance": "1000.00" },
        ],
        "resources": [
            resource("acme", "ecs", "clock", "renew"),
            resource("acme", "ecs", "admin", "lapse"),
            resource("acme", "ecs", "dry-run", "lapse"),
            resource("acme", "ecs", "job", "lapse"),
            resource("acme", "ecs", "huawei-api", "lapse"),
            resource("beta", "bcc", "baidu-api", "lapse"),
        ],
    })
}

/// A host under one policy that answers `ruling`.
fn server(provider: &str, ruling: &str) -> Server {
    let server = Server::start(provider, NOW, &inventory());
    install(&server, &format!("fn rule(plan) {{ {ruling} }}"));
    server
}

fn install(server: &Server, script: &str) {
    let file = "[[policy]]\nname = \"p\"\nscript = \"p.rhai\"\n";
    let body = json!({ "file": file, "scripts": { "p.rhai": script } });
    let installed = server.post_to_admin("/v1/policies", &body);
    assert_eq!(installed.status, 200, "{}", installed.body);
}

/// What happened to a resource, in the order in which it did.
fn events_of(server: &Server, resource: &str) -> String {
    let events = server.events();
    let kinds = events.iter().filter_map(|event| {
        let [_, kind, _, of, body] = event.splitn(5, ' ').collect::<Vec<_>>()[..] else { return None };
        let body: Value = serde_json::from_str(body).unwrap();
        let word = body["code"].as_str().or(body["ruling"].as_str()).unwrap_or_default();
        (of == resource).then(|| format!("{kind} {word}").trim_end().to_owned())
    });
    kinds.collect::<Vec<_>>().join(", ")
}

/// The status, the code and, where something is against it, the words.
pub fn shown(answer: &ProviderResponse) -> String {
    let body = if answer.body.is_empty() { Value::Null } else { answer.json() };
    let found = [&body["refusal"]["code"], &body["error_code"], &body["code"]];
    let code = found.into_iter().find_map(Value::as_str).unwrap_or_default();
    let said = [&body["refusal"]["message"], &body["error_msg"], &body["message"]];
    let said = said.into_iter().find_map(Value::as_str).unwrap_or_default();
    format!("{} {code} {said}", answer.status).trim_end().to_owned()
}

pub fn advance(server: &Server, to: &str) {
    server.advance(to.parse::<Timestamp>().unwrap());
}

/// Waits until every job has ended.
fn finish_jobs(server: &Server) {
    while server.ask_admin("GET", "/v1/jobs", "").body.contains(r#""state":"running""#) {
        std::thread::yield_now();
    }
}

pub fn renew_through_huawei(server: &Server, resource: &str) -> ProviderResponse {
    let body = json!({
        "resource_ids": [resource], "period_type": 2, "period_num": 1, "expire_mode": 1, "is_auto_pay": 1
    });
    Tool::new(server, "acme").ask("POST", RENEW, &body.to_string())
}

fn renew_through_baidu(server: &Server, resource: &str, token: &str) -> ProviderResponse {
    let body = r#"{"billing":{"reservation":{"reservationLength":1,"reservationTimeUnit":"Month"}}}"#;
    let target = format!("/v2/instance/{resource}?clientToken={token}&purchaseReserved=");
    draft("PUT", &target, body).signed(&server.key("beta"), server.now()).send(server)
}

#[test]
fn every_way_goes_through_every_ruling() {
    let mut table = String::new();
    let mut row = |ruling: &str, way: &str, told: String, events: String| {
        table += format!("{ruling:<16} {way:<10} {told}\n{:29}{events}", "").trim_end();
        table.push('\n');
    };
    for (ruling, script) in RULINGS {
        let server = server("huawei", script);
        let month = json!({ "term": { "count": 1, "unit": "month" } });
        let admin = server.post_to_admin("/v1/resources/admin:renew", &month);
        row(ruling, "admin", shown(&admin), events_of(&server, "admin"));
        let dry_run = json!({ "dry_run": true });
        let dry_run = server.post_to_admin("/v1/resources/dry-run:renew", &dry_run).json();
        let plan = &dry_run["plan"];
        let told = format!("costs {} refusal {}", plan["cost"], plan["refusal"]["code"]);
        row(ruling, "dry run", told, events_of(&server, "dry-run"));
        let job = json!({ "command": { "renew": month }, "ids": ["job"] });
        let job = server.post_to_admin("/v1/jobs", &job).json();
        finish_jobs(&server);
        let items = server.ask_admin("GET", &format!("/v1/jobs/{}/items", job["id"].as_str().unwrap()), "");
        let told = items.json()["items"][0]["outcome"].as_str().unwrap_or_default().to_owned();
        row(ruling, "job", told, events_of(&server, "job"));
        let answer = renew_through_huawei(&server, "huawei-api");
        row(ruling, "Huawei", shown(&answer), events_of(&server, "huawei-api"));
        advance(&server, "2026-03-06T12:00:00Z");
        row(ruling, "clock", "until 2026-03-06".to_owned(), events_of(&server, "clock"));
        let server = self::server("baidu", script);
        let answer = renew_through_baidu(&server, "baidu-api", "t-1");
        row(ruling, "Baidu", shown(&answer), events_of(&server, "baidu-api"));
    }
    expect![[r#"
        approve          admin      200
                                     balance_changed, renewal_settled
        approve          dry run    costs "10.00" refusal null
        approve          job        applied
                                     balance_changed, renewal_settled
        approve          Huawei     200
                                     balance_changed, renewal_settled
        approve          clock      until 2026-03-06
                                     balance_changed, renewal_settled
        approve          Baidu      200
                                     balance_changed, renewal_settled
        deny             admin      409 policy the policy `p` denies it: not this one
                                     policy_ruled denied, command_refused policy
        deny             dry run    costs "0.00" refusal "policy"
        deny             job        refused
                                     policy_ruled denied, command_refused policy
        deny             Huawei     403 CBC.0151 huawei-api: access denied: the policy `p` denies it: not this one
                                     policy_ruled denied, command_refused policy
        deny             clock      until 2026-03-06
                                     policy_ruled denied, policy_ruled denied, policy_ruled denied, notice, policy_ruled denied
        deny             Baidu      403 AccessDenied access denied: the policy `p` denies it: not this one
                                     policy_ruled denied, command_refused policy
        require_approval admin      202
                                     policy_ruled approval_required, approval_requested
        require_approval dry run    costs "10.00" refusal null
        require_approval job        pending_approval
                                     policy_ruled approval_required, approval_requested
        require_approval Huawei     200
                                     policy_ruled approval_required, approval_requested
        require_approval clock      until 2026-03-06
                                     policy_ruled approval_required, approval_requested, policy_ruled approval_required, policy_ruled approval_required, notice, policy_ruled approval_required
        require_approval Baidu      200
                                     policy_ruled approval_required, approval_requested
        defer            admin      409 policy the policy `p` allows it from 2026-03-03T00:00:00Z on, give the command again then: wait
                                     policy_ruled deferred, command_refused policy
        defer            dry run    costs "0.00" refusal "policy"
        defer            job        refused
                                     policy_ruled deferred, command_refused policy
        defer            Huawei     403 CBC.0151 huawei-api: access denied for now: the policy `p` allows it from 2026-03-03T00:00:00Z on, give the command again then: wait
                                     policy_ruled deferred, command_refused policy
        defer            clock      until 2026-03-06
                                     policy_ruled deferred, policy_ruled deferred, notice
        defer            Baidu      409 OperationDenied the operation is denied for now: the policy `p` allows it from 2026-03-03T00:00:00Z on, give the command again then: wait
                                     policy_ruled deferred, command_refused policy
        amend            admin      200
                                     policy_ruled amended, balance_changed, renewal_settled
        amend            dry run    costs "20.00" refusal null
        amend            job        applied
                                     policy_ruled amended, balance_changed, renewal_settled
        amend            Huawei     403 CBC.0151 huawei-api: access denied: the policy `p` denies it: longer; the policy would have it for 2 months
                                     policy_ruled denied, command_refused policy
        amend            clock      until 2026-03-06
                                     policy_ruled amended, balance_changed, renewal_settled
        amend            Baidu      403 AccessDenied access denied: the policy `p` denies it: longer; the policy would have it for 2 months
                                     policy_ruled denied, command_refused policy
        failed           admin      200
                                     policy_ruled failed, balance_changed, renewal_settled
        failed           dry run    costs "10.00" refusal null
        failed           job        applied
                                     policy_ruled failed, balance_changed, renewal_settled
        failed           Huawei     200
                                     policy_ruled failed, balance_changed, renewal_settled
        failed           clock      until 2026-03-06
                                     policy_ruled failed, balance_changed, renewal_settled
        failed           Baidu      200
                                     policy_ruled failed, balance_changed, renewal_settled
    "#]].assert_eq(&table);
}

#[test]
fn what_was_put_off_is_done_under_the_same_token_when_its_time_has_come() {
    let script = r#"if plan.at < instant("2026-03-03T00:00:00Z") { return defer(instant("2026-03-03T00:00:00Z"), "wait") } approve()"#;
    let server = server("baidu", script);
    let first = renew_through_baidu(&server, "baidu-api", "t-1");
    assert_eq!(first.status, 409, "{}", first.body);
    assert!(first.body.contains("2026-03-03T00:00:00Z"), "it names the instant: {}", first.body);
    advance(&server, "2026-03-03T00:00:00Z");
    assert_eq!(renew_through_baidu(&server, "baidu-api", "t-1").status, 200);
    assert_eq!(renew_through_baidu(&server, "baidu-api", "t-1").status, 200);
    expect!["policy_ruled deferred, command_refused policy, balance_changed, renewal_settled"]
        .assert_eq(&events_of(&server, "baidu-api"));
}

#[test]
fn the_codes_of_policies_are_settings_of_the_account() {
    for (provider, account, denied, deferred) in [
        ("huawei", "acme", "CBC.30050013", "CBC.99003144"),
        ("baidu", "beta", "BadRequest", "Instance.DeletionProtection"),
    ] {
        let server = server(provider, r#"deny("no")"#);
        let settings =
            json!({ "settings": { "policy_denied_code": denied, "policy_deferred_code": deferred } });
        let path = format!("/v1/accounts/{account}");
        assert_eq!(server.ask_admin("PATCH", &path, &settings.to_string()).status, 200);
        let renew = || match provider {
            "huawei" => renew_through_huawei(&server, "huawei-api"),
            _ => renew_through_baidu(&server, "baidu-api", "t-1"),
        };
        assert!(shown(&renew()).contains(denied), "{}", shown(&renew()));
        install(&server, r#"fn rule(plan) { defer(add_days(plan.at, 1), "wait") }"#);
        assert!(shown(&renew()).contains(deferred), "{}", shown(&renew()));
        let nonsense = json!({ "settings": { "policy_denied_code": "Nonsense" } });
        assert_eq!(server.ask_admin("PATCH", &path, &nonsense.to_string()).status, 422);
    }
}

#[test]
fn rulings_on_a_renewal_of_several_are_kept_when_it_is_rolled_back() {
    let server = Server::start("huawei", NOW, &inventory());
    install(&server, r#"fn rule(plan) { if plan.resource.id == "job" { return deny("no") } approve() }"#);
    let body = json!({
        "resource_ids": ["admin", "job"], "period_type": 2, "period_num": 1, "expire_mode": 1, "is_auto_pay": 1
    });
    let answer = Tool::new(&server, "acme").ask("POST", RENEW, &body.to_string());
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert_eq!(events_of(&server, "admin"), "");
    assert_eq!(events_of(&server, "job"), "policy_ruled denied, command_refused policy");
}
