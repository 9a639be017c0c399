//! Every route by every role and scope. The path names an account or resource that the bound tokens do not see, except
//! where the table says so.

use std::fmt::Write;

use expect_test::expect;
use perennial_http::admin as api;
use perennial_service::admin_tokens::Role;
use perennial_service::limits::Limits;

use crate::harness::Server;

/// A body that says nothing wrong, so that only the token decides.
fn body(method: &str, path: &str, account: &str) -> String {
    let body = match (method, path) {
        ("GET", _) => return String::new(),
        (_, "/v1/accounts") => r#"{"id": "", "provider": "none", "currency": "CNY", "balance": "0.00"}"#,
        (_, "/v1/accounts/{id}:top-up") => r#"{"amount": "1.00"}"#,
        (_, "/v1/accounts/{id}:use") => r#"{"resource_type": "cci", "amount": "1.00"}"#,
        (_, "/v1/resources:import") => r#"{"resources": []}"#,
        (_, "/v1/resources/{id}:unsubscribe") => r#"{"scope": "all", "dry_run": true}"#,
        (_, "/v1/resources/{id}:change") => r#"{"price": "120.00", "dry_run": true}"#,
        (_, "/v1/resources/{id}:subscribe") => {
            r#"{"term": {"count": 1, "unit": "month"}, "price": "9.00", "dry_run": true}"#
        }
        (_, "/v1/resources/{id}:pay-order" | "/v1/resources/{id}:cancel-order") => {
            r#"{"order": "none", "dry_run": true}"#
        }
        (_, path) if path.starts_with("/v1/resources/{id}:") => r#"{"dry_run": true}"#,
        (_, "/v1/jobs") => {
            let ours = if account == "acme-hw" { "ecs-1" } else { "bcc-1" };
            return serde_json::json!({ "command": "cancel_auto_renew", "ids": [ours], "dry_run": true })
                .to_string();
        }
        (_, "/v1/calendars") => {
            return serde_json::json!({ "name": "n", "accounts": [account] }).to_string();
        }
        (_, "/v1/clock:advance") => r#"{"to": "2026-01-01T00:00:00Z"}"#,
        (_, "/v1/webhooks/{id}:replay") => r#"{"after": "c0"}"#,
        (_, "/v1/webhooks") => {
            return serde_json::json!({ "url": "https://example.com", "accounts": [account] }).to_string();
        }
        ("POST", "/v1/acknowledgements") => {
            let ours = if account == "acme-hw" { "ecs-1" } else { "bcc-1" };
            return serde_json::json!({ "resource": ours }).to_string();
        }
        (_, "/v1/channels/{id}:resend") => r#"{"delivery": "none"}"#,
        (_, "/v1/channels") => {
            let robot = "https://hooks.slack.com/services/x";
            return serde_json::json!({ "kind": "slack", "url": robot, "accounts": [account] }).to_string();
        }
        (_, "/v1/provider-keys") => {
            return serde_json::json!({ "account": account, "name": "n" }).to_string();
        }
        (_, "/v1/connections") => {
            r#"{"account": "n", "provider": "none", "access_key": "k", "secret_from": "env:NONE"}"#
        }
        (_, "/v1/connections/{id}:grant") => r#"{"reads": []}"#,
        (_, "/v1/connections/{id}:rotate") => r#"{"access_key": "k", "secret_from": "env:NONE"}"#,
        (_, "/v1/connections/{id}:drive") => r#"{"driver": "watch"}"#,
        (_, "/v1/calls/{id}:resolve") => r#"{"decision": "give_up"}"#,
        (_, "/v1/policies") => r#"{"file": "[[calendar]]\nname = \"n\"\ndays = [\"2026-01-01\"]"}"#,
        (_, "/v1/policies:run") => {
            let resource = if account == "acme-hw" { "ecs-1" } else { "bcc-1" };
            let file = "[[calendar]]\nname = \"n\"\ndays = [\"2026-01-01\"]";
            return serde_json::json!({ "file": file, "resource": resource }).to_string();
        }
        (_, "/v1/policies:compare") => {
            r#"{"file": "[[calendar]]\nname = \"n\"\ndays = [\"2026-01-01\"]", "months": 1}"#
        }
        (_, "/v1/plugins/revisions") => r#"{"name": "n", "table": "n", "dry_run": true}"#,
        (_, "/v1/plugins/revisions:backtest") => r#"{"revision": "none", "until": "2026-01-01T00:00:00Z"}"#,
        (_, "/v1/plugins/breakers:release") => r#"{"revision": "none"}"#,
        (_, "/v1/plugins/bindings") => r#"{"digest": "none", "mode": "shadow"}"#,
        (_, "/v1/plugins/bindings:unbind") => r#"{"provider": "none", "mode": "shadow"}"#,
        (_, "/v1/plugins/bindings:promote" | "/v1/plugins/bindings:roll-back") => {
            r#"{"provider": "none", "dry_run": true}"#
        }
        (_, "/v1/tokens") => {
            return serde_json::json!({ "name": "n", "role": "viewer", "accounts": [account] }).to_string();
        }
        _ => "{}",
    };
    body.to_owned()
}

/// The path of a route for something of an account: its resource, something new that is bound to it, or the account
/// itself.
fn path(server: &Server, path: &str, account: &str) -> String {
    let is_ours = account == "acme-hw";
    let made = |token: &str, list: &str, pointer: &str| {
        let answer = server.post(token, list, &body("POST", list, account));
        let found = answer.json().pointer(pointer).and_then(|id| id.as_str()).map(str::to_owned);
        found.unwrap_or_else(|| panic!("{list} is answered {}", answer.shown()))
    };
    let resource = if is_ours { "ecs-1" } else { "bcc-1" };
    let mut segments = path.split('/').skip(2);
    let id = match (segments.next().unwrap_or_default(), segments.next()) {
        ("resources", _) => resource.to_owned(),
        ("approvals", _) => format!("{resource}~1"),
        ("webhooks", Some(_)) => made("admin", "/v1/webhooks", "/webhook/id"),
        ("acknowledgements", Some(_)) => made("operator", "/v1/acknowledgements", "/resource"),
        ("channels", Some(_)) => made("admin", "/v1/channels", "/id"),
        ("provider-keys", Some(_)) => made("admin", "/v1/provider-keys", "/key/access_key"),
        ("calendars", Some(_)) => made("admin", "/v1/calendars", "/calendar/id"),
        // A job is seen by whoever sees all that its token does.
        ("jobs", Some(_)) => made(if is_ours { "bound-admin" } else { "admin" }, "/v1/jobs", "/id"),
        _ => account.to_owned(),
    };
    path.replace("{id}", &id)
        .replace("{file}", "none.ics")
        .replace("{name}", "none")
        .replace("{digest}", "none")
}

/// Has a renewal of each account held; whoever decides first leaves nothing to decide on.
fn hold(server: &Server) {
    for (account, resource) in [("acme-hw", "ecs-1"), ("beta-bd", "bcc-1")] {
        let limit = r#"{"approval_above": "0.00"}"#;
        let path = format!("/v1/accounts/{account}");
        assert_eq!(server.send("admin", "PATCH", &path, &[], limit).status, 200);
        assert_eq!(server.post("operator", &format!("/v1/resources/{resource}:renew"), "{}").status, 202);
    }
}

#[test]
fn every_route_asks_for_its_role_and_shows_nothing_outside_the_scope() {
    let limits = Limits { webhooks_per_person_max: 1_000, channels_per_person_max: 1_000, ..Limits::DEFAULT };
    let server = Server::furnished_with(limits);
    hold(&server);
    let roles = Role::ALL.map(Role::name);
    let bound = roles.map(|role| format!("bound-{role}"));
    let mut callers = vec![""];
    callers.extend(roles);
    callers.extend(bound.iter().map(String::as_str));
    let mut table = "nobody viewer operator approver admin | bound: viewer operator approver admin, of another account, then of this one\n".to_owned();
    for entry in api::routes(&server.host).routes() {
        write!(table, "{:<6} {:<40}", entry.method, entry.path).unwrap();
        for (place, caller) in callers.iter().enumerate() {
            let path = path(&server, &entry.path, "beta-bd");
            let answer =
                server.send(caller, entry.method, &path, &[], &body(entry.method, &entry.path, "beta-bd"));
            let bar = if place == roles.len() + 1 { " |" } else { "" };
            write!(table, "{bar} {}", answer.status.as_u16()).unwrap();
            // A token has few jobs running at once, whatever the machine does meanwhile.
            server.finish_jobs();
        }
        table.push_str(" |");
        for caller in &bound {
            let path = path(&server, &entry.path, "acme-hw");
            let answer =
                server.send(caller, entry.method, &path, &[], &body(entry.method, &entry.path, "acme-hw"));
            write!(table, " {}", answer.status.as_u16()).unwrap();
            server.finish_jobs();
        }
        table.push('\n');
    }
    expect![[r#"
        nobody viewer operator approver admin | bound: viewer operator approver admin, of another account, then of this one
        GET    /healthz                                 200 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        GET    /readyz                                  200 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        GET    /metrics                                 200 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        GET    /v1/accounts                             401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        POST   /v1/accounts                             401 403 403 403 422 | 403 403 403 403 | 403 403 403 403
        GET    /v1/accounts/{id}                        401 200 200 200 200 | 404 404 404 404 | 200 200 200 200
        PATCH  /v1/accounts/{id}                        401 403 403 403 200 | 403 403 403 404 | 403 403 403 200
        GET    /v1/accounts/{id}/ledger                 401 200 200 200 200 | 404 404 404 404 | 200 200 200 200
        GET    /v1/accounts/{id}/balances               401 200 200 200 200 | 404 404 404 404 | 200 200 200 200
        POST   /v1/accounts/{id}:top-up                 401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        GET    /v1/resources                            401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        POST   /v1/resources:import                     401 403 200 200 200 | 403 200 200 200 | 403 200 200 200
        GET    /v1/resources/{id}                       401 200 200 200 200 | 404 404 404 404 | 200 200 200 200
        PATCH  /v1/resources/{id}                       401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        GET    /v1/resources/{id}/renewal-window        401 200 200 200 200 | 404 404 404 404 | 200 200 200 200
        GET    /v1/resources/{id}/explanation           401 200 200 200 200 | 404 404 404 404 | 200 200 200 200
        GET    /v1/resources/{id}/timeline              401 200 200 200 200 | 404 404 404 404 | 200 200 200 200
        GET    /v1/resources/{id}/orders                401 200 200 200 200 | 404 404 404 404 | 200 200 200 200
        GET    /v1/resources/{id}/decisions             401 200 200 200 200 | 404 404 404 404 | 200 200 200 200
        POST   /v1/resources/{id}:renew                 401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        POST   /v1/resources/{id}:set-auto-renew        401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        POST   /v1/resources/{id}:cancel-auto-renew     401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        POST   /v1/resources/{id}:unsubscribe           401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        POST   /v1/resources/{id}:convert-on-expiry     401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        POST   /v1/resources/{id}:cancel-conversion     401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        POST   /v1/resources/{id}:buy-again             401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        POST   /v1/resources/{id}:change                401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        POST   /v1/resources/{id}:convert-now           401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        POST   /v1/resources/{id}:subscribe             401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        POST   /v1/resources/{id}:pay-order             401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        POST   /v1/resources/{id}:cancel-order          401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        GET    /v1/orders                               401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        POST   /v1/jobs                                 401 403 202 202 202 | 403 202 202 202 | 403 202 202 202
        GET    /v1/jobs                                 401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        GET    /v1/jobs/{id}                            401 200 200 200 200 | 404 404 404 404 | 200 200 200 200
        GET    /v1/jobs/{id}/items                      401 200 200 200 200 | 404 404 404 404 | 200 200 200 200
        POST   /v1/jobs/{id}:cancel                     401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        GET    /v1/attempts                             401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        GET    /v1/plans                                401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        GET    /v1/approvals                            401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        GET    /v1/approvals/{id}                       401 200 200 200 200 | 404 404 404 404 | 200 200 200 200
        POST   /v1/approvals/{id}:approve               401 403 403 200 409 | 403 403 404 404 | 403 403 200 409
        POST   /v1/approvals/{id}:reject                401 403 403 409 409 | 403 403 404 404 | 403 403 409 409
        GET    /v1/packages                             401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        POST   /v1/accounts/{id}:use                    401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        GET    /v1/events                               401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        GET    /v1/events:stream                        401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        GET    /v1/forecast                             401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        GET    /v1/prices                               401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        GET    /v1/expiries                             401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        GET    /v1/calendars                            401 403 403 403 200 | 403 403 403 200 | 403 403 403 200
        POST   /v1/calendars                            401 403 403 403 201 | 403 403 403 404 | 403 403 403 201
        POST   /v1/calendars/{id}:rotate                401 403 403 403 200 | 403 403 403 404 | 403 403 403 200
        POST   /v1/calendars/{id}:revoke                401 403 403 403 200 | 403 403 403 404 | 403 403 403 200
        GET    /calendars/{file}                        404 404 404 404 404 | 404 404 404 404 | 404 404 404 404
        GET    /v1/connections                          401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        POST   /v1/connections                          401 403 403 403 422 | 403 403 403 403 | 403 403 403 403
        GET    /v1/connections/{id}                     401 404 404 404 404 | 404 404 404 404 | 404 404 404 404
        POST   /v1/connections/{id}:grant               401 403 403 403 404 | 403 403 403 404 | 403 403 403 404
        POST   /v1/connections/{id}:rotate              401 403 403 403 404 | 403 403 403 404 | 403 403 403 404
        POST   /v1/connections/{id}:sync                401 403 404 404 404 | 403 404 404 404 | 403 404 404 404
        POST   /v1/connections/{id}:drive               401 403 403 403 404 | 403 403 403 404 | 403 403 403 404
        POST   /v1/connections/{id}:pause               401 403 404 404 404 | 403 404 404 404 | 403 404 404 404
        POST   /v1/connections/{id}:resume              401 403 404 404 404 | 403 404 404 404 | 403 404 404 404
        POST   /v1/connections/{id}:limit-spending      401 403 403 403 404 | 403 403 403 404 | 403 403 403 404
        POST   /v1/connections:pause                    401 403 200 200 200 | 403 403 403 403 | 403 403 403 403
        POST   /v1/connections:resume                   401 403 200 200 200 | 403 403 403 403 | 403 403 403 403
        GET    /v1/calls                                401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        GET    /v1/calls/{id}                           401 404 404 404 404 | 404 404 404 404 | 404 404 404 404
        POST   /v1/calls/{id}:resolve                   401 403 404 404 404 | 403 404 404 404 | 403 404 404 404
        GET    /v1/drift                                401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        GET    /v1/plugins                              401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        GET    /v1/plugins/parked                       401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        POST   /v1/plugins/parked:release               401 403 200 200 200 | 403 200 200 200 | 403 200 200 200
        GET    /v1/plugins/breakers                     401 200 200 200 200 | 403 403 403 403 | 403 403 403 403
        POST   /v1/plugins/breakers:release             401 403 404 404 404 | 403 403 403 403 | 403 403 403 403
        GET    /v1/plugins/revisions                    401 200 200 200 200 | 403 403 403 403 | 403 403 403 403
        POST   /v1/plugins/revisions                    401 403 403 403 422 | 403 403 403 403 | 403 403 403 403
        GET    /v1/plugins/revisions/{digest}           401 404 404 404 404 | 403 403 403 403 | 403 403 403 403
        GET    /v1/plugins/revisions/{digest}/differences 401 404 404 404 404 | 404 404 404 404 | 404 404 404 404
        POST   /v1/plugins/revisions:backtest           401 403 404 404 404 | 403 403 403 403 | 403 403 403 403
        GET    /v1/plugins/bindings                     401 200 200 200 200 | 403 403 403 403 | 403 403 403 403
        POST   /v1/plugins/bindings                     401 403 403 403 422 | 403 403 403 403 | 403 403 403 403
        POST   /v1/plugins/bindings:unbind              401 403 403 403 404 | 403 403 403 403 | 403 403 403 403
        POST   /v1/plugins/bindings:promote             401 403 403 403 404 | 403 403 403 403 | 403 403 403 403
        POST   /v1/plugins/bindings:roll-back           401 403 404 404 404 | 403 403 403 403 | 403 403 403 403
        GET    /v1/plugins/bindings/history             401 200 200 200 200 | 403 403 403 403 | 403 403 403 403
        GET    /v1/policies                             401 200 200 200 200 | 403 403 403 403 | 403 403 403 403
        POST   /v1/policies                             401 403 403 403 200 | 403 403 403 403 | 403 403 403 403
        GET    /v1/policies/{name}                      401 404 404 404 404 | 403 403 403 403 | 403 403 403 403
        DELETE /v1/policies/{name}                      401 403 403 403 404 | 403 403 403 403 | 403 403 403 403
        GET    /v1/policies/{name}/history              401 404 404 404 404 | 403 403 403 403 | 403 403 403 403
        GET    /v1/policies/{name}/differences          401 404 404 404 404 | 404 404 404 404 | 404 404 404 404
        POST   /v1/policies:run                         401 403 200 200 200 | 403 403 403 403 | 403 403 403 403
        POST   /v1/policies:compare                     401 403 200 200 200 | 403 403 403 403 | 403 403 403 403
        GET    /v1/policy-calendars                     401 200 200 200 200 | 403 403 403 403 | 403 403 403 403
        DELETE /v1/policy-calendars/{name}              401 403 403 403 404 | 403 403 403 403 | 403 403 403 403
        GET    /v1/policy-calendars/{name}/history      401 404 404 404 404 | 403 403 403 403 | 403 403 403 403
        GET    /v1/tokens                               401 403 403 403 200 | 403 403 403 200 | 403 403 403 200
        POST   /v1/tokens                               401 403 403 403 201 | 403 403 403 404 | 403 403 403 201
        POST   /v1/tokens/{id}:revoke                   401 403 403 403 404 | 403 403 403 404 | 403 403 403 404
        GET    /v1/provider-keys                        401 403 200 200 200 | 403 200 200 200 | 403 200 200 200
        POST   /v1/provider-keys                        401 403 403 403 201 | 403 403 403 404 | 403 403 403 201
        POST   /v1/provider-keys/{id}:rotate            401 403 403 403 201 | 403 403 403 404 | 403 403 403 201
        POST   /v1/provider-keys/{id}:revoke            401 403 403 403 200 | 403 403 403 404 | 403 403 403 200
        GET    /v1/audit                                401 403 403 403 200 | 403 403 403 200 | 403 403 403 200
        GET    /v1/webhooks                             401 403 200 200 200 | 403 200 200 200 | 403 200 200 200
        POST   /v1/webhooks                             401 403 403 403 201 | 403 403 403 404 | 403 403 403 201
        GET    /v1/webhooks/{id}                        401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        PATCH  /v1/webhooks/{id}                        401 403 403 403 200 | 403 403 403 404 | 403 403 403 200
        DELETE /v1/webhooks/{id}                        401 403 403 403 200 | 403 403 403 404 | 403 403 403 200
        POST   /v1/webhooks/{id}:rotate-secret          401 403 403 403 200 | 403 403 403 404 | 403 403 403 200
        GET    /v1/webhooks/{id}/deliveries             401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        POST   /v1/webhooks/{id}:test                   401 403 202 202 202 | 403 404 404 404 | 403 202 202 202
        POST   /v1/webhooks/{id}:replay                 401 403 202 202 202 | 403 404 404 404 | 403 202 202 202
        GET    /v1/channels                             401 403 200 200 200 | 403 200 200 200 | 403 200 200 200
        POST   /v1/channels                             401 403 403 403 201 | 403 403 403 404 | 403 403 403 201
        GET    /v1/channels/{id}                        401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        PATCH  /v1/channels/{id}                        401 403 403 403 200 | 403 403 403 404 | 403 403 403 200
        DELETE /v1/channels/{id}                        401 403 403 403 200 | 403 403 403 404 | 403 403 403 200
        GET    /v1/channels/{id}/deliveries             401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        POST   /v1/channels/{id}:test                   401 403 202 202 202 | 403 404 404 404 | 403 202 202 202
        POST   /v1/channels/{id}:resend                 401 403 404 404 404 | 403 404 404 404 | 403 404 404 404
        GET    /v1/acknowledgements                     401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        POST   /v1/acknowledgements                     401 403 201 201 201 | 403 404 404 404 | 403 201 201 201
        DELETE /v1/acknowledgements/{id}                401 403 200 200 200 | 403 404 404 404 | 403 200 200 200
        GET    /v1/clock                                401 200 200 200 200 | 200 200 200 200 | 200 200 200 200
        POST   /v1/clock:advance                        401 403 403 403 200 | 403 403 403 403 | 403 403 403 403
    "#]].assert_eq(&table);
}

#[test]
fn no_route_takes_a_token_that_is_broken() {
    let server = Server::furnished();
    let whole = server.token("admin").to_owned();
    let (id, secret) = whole.rsplit_once('_').unwrap();
    let (_, other_secret) = server.token("operator").rsplit_once('_').unwrap();
    let last = if secret.ends_with('0') { '1' } else { '0' };
    let broken = [
        ("no token", String::new()),
        ("another scheme", format!("Basic {whole}")),
        ("cut off", format!("Bearer {}", &whole[..whole.len() - 1])),
        ("wrong at its end", format!("Bearer {}{last}", &whole[..whole.len() - 1])),
        ("another's secret", format!("Bearer {id}_{other_secret}")),
        ("an id that there is not", format!("Bearer pn_000000000000_{secret}")),
        ("more behind it", format!("Bearer {whole}0")),
    ];
    let right = format!("authorization: Bearer {whole}");
    assert_eq!(server.send("", "GET", "/v1/accounts", &[&right], "").status, 200, "the whole one is right");
    for entry in api::routes(&server.host).routes().iter().filter(|entry| entry.path.starts_with("/v1/")) {
        let path =
            entry.path.replace("{id}", "acme-hw").replace("{name}", "none").replace("{digest}", "none");
        let body = body(entry.method, &entry.path, "acme-hw");
        for (what, token) in &broken {
            let header = format!("authorization: {token}");
            let status = server.send("", entry.method, &path, &[&header], &body).status;
            assert_eq!(status, 401, "{} {path} with {what}", entry.method);
        }
    }
}

#[test]
fn an_account_out_of_scope_is_answered_like_one_that_is_not_there() {
    let server = Server::furnished();
    hold(&server);
    for (there, not_there) in [
        ("/v1/accounts/beta-bd", "/v1/accounts/none"),
        ("/v1/accounts/beta-bd/ledger", "/v1/accounts/none/ledger"),
        ("/v1/accounts/beta-bd/balances", "/v1/accounts/none/balances"),
        ("/v1/resources/bcc-1", "/v1/resources/none"),
        ("/v1/approvals/bcc-1~1", "/v1/approvals/none~1"),
    ] {
        let hidden =
            server.get("bound-admin", there).body.replace("beta-bd", "none").replace("bcc-1", "none");
        assert_eq!(hidden, server.get("bound-admin", not_there).body);
    }
    path(&server, "/v1/webhooks/{id}", "beta-bd");
    for list in ["accounts", "resources", "events", "attempts", "plans", "approvals", "audit", "webhooks"] {
        let body = server.get("bound-admin", &format!("/v1/{list}")).body;
        assert!(!body.contains("beta-bd") && !body.contains("bcc-1"), "{list}: {body}");
    }
}

#[test]
fn what_is_refused_before_it_is_read_is_in_the_audit_log() {
    let server = Server::furnished();
    assert_eq!(server.post("viewer", "/v1/tokens", r#"{"name": "n", "role": "admin"}"#).status, 403);
    assert_eq!(server.get("", "/v1/accounts/acme-hw").status, 401);
    let audit = server.get("admin", "/v1/audit?limit=2").json();
    let shown = audit["items"].as_array().unwrap().iter().map(|record| {
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        format!(
            "{} {} {} {} {}\n",
            text("name"),
            text("request"),
            text("operation"),
            record["status"],
            text("outcome")
        )
    });
    expect![[r#"
        - test GET /v1/accounts/{id} 401 unauthorized
        viewer test POST /v1/tokens 403 forbidden
    "#]]
    .assert_eq(&shown.collect::<String>());
    assert_eq!(server.get("bound-admin", "/v1/audit").json()["items"].as_array().unwrap().len(), 0);
}
