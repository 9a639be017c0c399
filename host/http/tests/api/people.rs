//! Two pairs of eyes are two people, whatever tokens and keys they hold.

use axum::body::Body;
use axum::http::Request;
use perennial_service::limits::Limits;
use perennial_store::api_tokens;
use serde_json::json;

use crate::approvals::careful;
use crate::approvals::id_of;
use crate::approvals::renew;
use crate::harness::ApiResponse;
use crate::harness::Server;

const ACCOUNT: &str = "/v1/accounts/acme-hw";

/// Sends a request with the secret of a token that the harness does not know.
fn send(server: &Server, secret: &str, path: &str, body: &str) -> ApiResponse {
    let request =
        Request::builder().method("POST").uri(path).header("authorization", format!("bearer {secret}"));
    server.raw(request.header("content-type", "application/json").body(Body::from(body.to_owned())).unwrap())
}

fn set_limit(server: &Server, token: &str, limit: &str) -> ApiResponse {
    server.send(token, "PATCH", ACCOUNT, &[], &format!(r#"{{"approval_above": {limit}}}"#))
}

/// What the problem's type ends in, with its status; else only that.
fn kind(answer: &ApiResponse) -> String {
    let kind = answer.json()["type"].as_str().unwrap_or_default().to_owned();
    format!("{} {}", answer.status.as_u16(), kind.rsplit(':').next().unwrap_or_default())
}

#[test]
fn a_token_that_the_requester_made_does_not_approve_and_no_token_of_that() {
    let server = careful();
    assert_eq!(renew(&server, "admin").status, 202);
    let make = |secret: Option<&str>, role: &str| {
        let body = format!(r#"{{"name": "friend", "role": "{role}"}}"#);
        let made = match secret {
            Some(secret) => send(&server, secret, "/v1/tokens", &body),
            None => server.post("admin", "/v1/tokens", &body),
        };
        assert_eq!(made.json()["token"]["owner"], id_of(&server, "admin"), "{}", made.body);
        made.json()["secret"].as_str().unwrap().to_owned()
    };
    let (approver, friend) = (make(None, "approver"), make(None, "admin"));
    let friend_of_friend = make(Some(&friend), "approver");
    for secret in [approver, friend, friend_of_friend] {
        for decision in ["approve", "reject"] {
            let path = format!("/v1/approvals/ecs-1~1:{decision}");
            assert_eq!(kind(&send(&server, &secret, &path, "{}")), "403 own-approval");
        }
    }
    assert_eq!(server.post("approver", "/v1/approvals/ecs-1~1:approve", "{}").status, 200);
}

#[test]
fn the_maker_does_not_approve_what_a_token_of_theirs_asked_for() {
    let server = careful();
    let made = server.post("admin", "/v1/tokens", r#"{"name": "tool", "role": "operator"}"#).json();
    let tool = made["secret"].as_str().unwrap();
    assert_eq!(send(&server, tool, "/v1/resources/ecs-1:renew", "{}").status, 202);
    let approve = |token: &str| kind(&server.post(token, "/v1/approvals/ecs-1~1:approve", "{}"));
    assert_eq!(approve("admin"), "403 own-approval");
    assert_eq!(approve("approver"), "200 ");
}

#[test]
fn nobody_makes_a_token_of_another_person() {
    let server = careful();
    let owner = |token: &str| {
        let id = id_of(&server, token);
        let listed = server.get("admin", "/v1/tokens").json();
        let found = listed["items"].as_array().unwrap().iter().find(|token| token["id"] == id.as_str());
        found.unwrap()["owner"].as_str().unwrap().to_owned()
    };
    let make = |owner: &str| {
        server.post(
            "admin",
            "/v1/tokens",
            &format!(r#"{{"name": "n", "role": "viewer", "owner": "{owner}"}}"#),
        )
    };
    for other in [owner("approver"), "nobody".to_owned(), "cli".to_owned()] {
        assert_eq!(kind(&make(&other)), "403 forbidden", "{other}");
    }
    let own = make(&owner("admin"));
    assert_eq!((own.status.as_u16(), &own.json()["token"]["owner"]), (201, &owner("admin").into()));
}

#[test]
fn a_person_may_have_many_tokens() {
    let server = careful();
    // As `token create --owner` makes them.
    let ids = ["operator", "approver"].map(|name| id_of(&server, name));
    server.on_writer(move |context| {
        let set = |id: &String| {
            let mut token = api_tokens::get(context.engine.db(), id).unwrap().unwrap();
            token.owner = "alice".to_owned();
            token
        };
        let tokens = ids.each_ref().map(set);
        context
            .engine
            .in_transaction(|engine| {
                tokens
                    .iter()
                    .try_for_each(|token| api_tokens::set_owner(engine.tx(), &token.id, &token.owner))
            })
            .unwrap();
    });
    assert_eq!(renew(&server, "operator").status, 202);
    let approve = |token: &str| kind(&server.post(token, "/v1/approvals/ecs-1~1:approve", "{}"));
    assert_eq!(approve("approver"), "403 own-approval");
    assert_eq!(approve("admin"), "200 ");
}

#[test]
fn a_higher_limit_takes_two_people_and_a_lower_one_takes_one() {
    let server = careful();
    let limit = |answer: &ApiResponse| answer.json()["account"]["approval_above"].clone();
    for wanted in ["\"900.00\"", "null"] {
        let waits = set_limit(&server, "admin", wanted);
        assert_eq!((waits.status.as_u16(), limit(&waits)), (202, "50.00".into()));
        let raise = waits.json()["account"]["limit_raise"].clone();
        assert_eq!(raise["requested_by"], id_of(&server, "admin"));
        // The same person asks again; another one asks for something else.
        assert_eq!(set_limit(&server, "admin", wanted).status, 202);
        assert_eq!(set_limit(&server, "bound-admin", "\"60.00\"").status, 202);
        assert_eq!(set_limit(&server, "admin", wanted).status, 202);
        assert_eq!(renew(&server, "admin").status, 202, "the limit is what it was");
        let done = set_limit(&server, "bound-admin", wanted);
        assert_eq!(done.status, 200);
        assert_eq!(limit(&done), serde_json::from_str::<serde_json::Value>(wanted).unwrap());
        assert!(done.json()["account"]["limit_raise"].is_null());
        let lowered = set_limit(&server, "admin", "\"50.00\"");
        assert_eq!((lowered.status.as_u16(), limit(&lowered)), (200, "50.00".into()));
    }
    // What lets less pass takes back what waits.
    set_limit(&server, "admin", "null");
    let lowered = set_limit(&server, "admin", "\"40.00\"");
    assert!(lowered.json()["account"]["limit_raise"].is_null(), "{}", lowered.body);
}

#[test]
fn an_import_raises_no_limit() {
    let server = careful();
    let import = |limit: &str| {
        let body = format!(
            r#"{{"update": true, "resources": [], "accounts": [{{"id": "acme-hw", "provider": "huawei", "currency": "CNY",
               "balance": "500.00", "approval_above": "{limit}"}}]}}"#
        );
        server.post("admin", "/v1/resources:import", &body)
    };
    let refused = import("50.01");
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body.contains("takes two people"), "{}", refused.body);
    assert_eq!(import("49.00").status, 200);
    assert_eq!(server.get("admin", ACCOUNT).json()["approval_above"], "49.00");
}

#[test]
fn one_person_raises_a_limit_where_one_is_enough() {
    let server = Server::with(Limits { limit_raise_people: 1, readers: 1, ..Limits::DEFAULT });
    let account = r#"{"id": "a", "provider": "huawei", "currency": "CNY", "balance": "1.00", "approval_above": "5.00"}"#;
    assert_eq!(server.post("admin", "/v1/accounts", account).status, 201);
    let raised = server.send("admin", "PATCH", "/v1/accounts/a", &[], r#"{"approval_above": null}"#);
    assert_eq!(raised.status, 200, "{}", raised.body);
}

#[test]
fn who_has_something_renew_by_itself_does_not_approve_of_it() {
    let server = careful();
    let auto_renew = |token: &str, term: &str| {
        let body = format!(r#"{{"term": {{"count": {term}, "unit": "month"}}}}"#);
        assert_eq!(server.post(token, "/v1/resources/ecs-1:set-auto-renew", &body).status, 200);
    };
    let decide = |token: &str, verb: &str, number: u32| {
        kind(&server.post(token, &format!("/v1/approvals/ecs-1~{number}:{verb}"), "{}"))
    };
    // The admin asks, is turned down, and has the clock ask for the same.
    assert_eq!(renew(&server, "admin").status, 202);
    assert_eq!(decide("approver", "reject", 1), "200 ");
    auto_renew("admin", "2");
    server.advance("2026-01-25T00:00:00Z");
    let asked = server.get("admin", "/v1/approvals/ecs-1~2").json();
    assert_eq!((&asked["cause"], &asked["requested_by"]), (&"auto".into(), &serde_json::Value::Null));
    assert_eq!(decide("admin", "approve", 2), "403 own-approval");
    // Another change of somebody else leaves the term as it is, and whose it is.
    let number = r#"{"term": {"count": 2, "unit": "month"}, "renewals": 5}"#;
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:set-auto-renew", number).status, 200);
    assert_eq!(decide("admin", "approve", 2), "403 own-approval");
    // What was changed by somebody else since is theirs.
    auto_renew("operator", "3");
    assert_eq!(decide("admin", "approve", 2), "409 plan-changed");
    assert_eq!(decide("admin", "approve", 2), "200 ");
}

#[test]
fn who_raises_the_price_of_a_renewal_by_an_import_does_not_approve_of_it() {
    let server = careful();
    let found = server.get("admin", "/v1/resources/ecs-1").json();
    let newer = json!({ "update": true, "resources": [{
        "id": "ecs-1", "account": "acme-hw", "kind": found["kind"], "region": "cn-north-4", "charging": "prepaid",
        "started_at": found["started_at"], "expires_at": found["expires_at"], "on_expiry": "renew",
        "term": { "count": 1, "unit": "month" }, "price": "199.00",
    }] });
    let imported = server.post("admin", "/v1/resources:import", &newer.to_string());
    assert_eq!(imported.status, 200, "{}", imported.body);
    server.advance("2026-01-25T00:00:00Z");
    let decide = |token: &str| kind(&server.post(token, "/v1/approvals/ecs-1~1:approve", "{}"));
    assert_eq!(decide("admin"), "403 own-approval");
    assert_eq!(decide("approver"), "200 ");
}
