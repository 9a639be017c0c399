//! `/v1/forecast`: what will be paid for, what that costs, and the money that it takes.

use expect_test::expect;
use perennial_service::limits::Limits;
use serde_json::Value;
use serde_json::json;

use crate::harness::Server;

/// A server with `ecs-1` for 99.00 and the disk `evs-1` for 10.00 in `acme-hw`, which has 250.00; and `bcc-1` for 50.00 in
/// `beta-bd`, which has 500.00. All renew themselves by the month.
fn server() -> Server {
    let server = Server::new();
    let account = |id: &str, provider: &str, balance: &str| json!({ "id": id, "provider": provider, "currency": "CNY", "balance": balance });
    let resource = |id: &str, account: &str, kind: &str, price: &str, attached_to: Value| {
        json!({
            "id": id, "account": account, "kind": kind, "region": "r", "charging": "prepaid", "attached_to": attached_to,
            "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": price, "on_expiry": "renew",
        })
    };
    let body = json!({
        "accounts": [account("acme-hw", "huawei", "250.00"), account("beta-bd", "baidu", "500.00")],
        "resources": [
            resource("ecs-1", "acme-hw", "ecs", "99.00", Value::Null),
            resource("evs-1", "acme-hw", "evs", "10.00", "ecs-1".into()),
            resource("bcc-1", "beta-bd", "bcc", "50.00", Value::Null),
        ],
    });
    let answer = server.post("admin", "/v1/resources:import", &body.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    server
}

#[test]
fn a_forecast_says_what_is_paid_for_when_and_when_the_balance_runs_short() {
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "accounts": [
            {
              "account": "acme-hw",
              "balance": "250.00",
              "currency": "CNY",
              "months": [
                {
                  "balance_left": "141.00",
                  "cost": "109.00",
                  "month": "2026-01",
                  "payments": [
                    {
                      "at": "2026-01-23T19:00:00Z",
                      "cost": "99.00",
                      "expires_at": "2026-02-28T15:59:59Z",
                      "kind": "renewal",
                      "resource": "ecs-1"
                    },
                    {
                      "at": "2026-01-23T19:00:00Z",
                      "cost": "10.00",
                      "expires_at": "2026-02-28T15:59:59Z",
                      "kind": "renewal",
                      "resource": "evs-1"
                    }
                  ]
                },
                {
                  "balance_left": "32.00",
                  "cost": "109.00",
                  "month": "2026-02",
                  "payments": [
                    {
                      "at": "2026-02-20T19:00:00Z",
                      "cost": "99.00",
                      "expires_at": "2026-03-31T15:59:59Z",
                      "kind": "renewal",
                      "resource": "ecs-1"
                    },
                    {
                      "at": "2026-02-20T19:00:00Z",
                      "cost": "10.00",
                      "expires_at": "2026-03-31T15:59:59Z",
                      "kind": "renewal",
                      "resource": "evs-1"
                    }
                  ]
                },
                {
                  "balance_left": "-77.00",
                  "cost": "109.00",
                  "month": "2026-03",
                  "payments": [
                    {
                      "at": "2026-03-23T19:00:00Z",
                      "cost": "99.00",
                      "expires_at": "2026-04-30T15:59:59Z",
                      "kind": "renewal",
                      "resource": "ecs-1"
                    },
                    {
                      "at": "2026-03-23T19:00:00Z",
                      "cost": "10.00",
                      "expires_at": "2026-04-30T15:59:59Z",
                      "kind": "renewal",
                      "resource": "evs-1"
                    }
                  ]
                },
                {
                  "balance_left": "-186.00",
                  "cost": "109.00",
                  "month": "2026-04",
                  "payments": [
                    {
                      "at": "2026-04-22T19:00:00Z",
                      "cost": "99.00",
                      "expires_at": "2026-05-31T15:59:59Z",
                      "kind": "renewal",
                      "resource": "ecs-1"
                    },
                    {
                      "at": "2026-04-22T19:00:00Z",
                      "cost": "10.00",
                      "expires_at": "2026-05-31T15:59:59Z",
                      "kind": "renewal",
                      "resource": "evs-1"
                    }
                  ]
                }
              ],
              "problem": null,
              "shortfall": {
                "amount": "77.00",
                "at": "2026-03-23T19:00:00Z",
                "total": "186.00"
              }
            }
          ],
          "from": "2026-01-01T00:00:00Z",
          "payments_omitted": 0,
          "until": "2026-04-30T23:59:59Z"
        }"#]]
    .assert_eq(&server().get("viewer", "/v1/forecast?months=4&account=acme-hw").shown());
}

#[test]
fn a_forecast_is_also_a_table_in_csv() {
    let server = server();
    let asked = server.get("viewer", "/v1/forecast?months=2&format=csv");
    expect![[r#"
        200 OK
        content-type: text/csv; charset=utf-8; header=present
        month,at,account,resource,kind,cost,currency,expires_at[CR]
        2026-01,2026-01-23T19:00:00Z,acme-hw,ecs-1,renewal,99.00,CNY,2026-02-28T15:59:59Z[CR]
        2026-01,2026-01-23T19:00:00Z,acme-hw,evs-1,renewal,10.00,CNY,2026-02-28T15:59:59Z[CR]
        2026-02,2026-02-20T19:00:00Z,acme-hw,ecs-1,renewal,99.00,CNY,2026-03-31T15:59:59Z[CR]
        2026-02,2026-02-20T19:00:00Z,acme-hw,evs-1,renewal,10.00,CNY,2026-03-31T15:59:59Z[CR]
        2026-01,2026-01-24T01:00:00Z,beta-bd,bcc-1,renewal,50.00,CNY,2026-02-28T15:59:59Z[CR]
        2026-02,2026-02-21T01:00:00Z,beta-bd,bcc-1,renewal,50.00,CNY,2026-03-31T15:59:59Z[CR]
    "#]]
    .assert_eq(&asked.shown().replace('\r', "[CR]"));
    let accepted = server.send("viewer", "GET", "/v1/forecast?months=2", &["accept: text/csv"], "");
    assert_eq!(accepted.body, asked.body);
    let json = server.send("viewer", "GET", "/v1/forecast?months=2&format=json", &["accept: text/csv"], "");
    assert_eq!(json.headers["content-type"], "application/json");
}

#[test]
fn a_forecast_changes_nothing_and_is_the_same_again() {
    let server = server();
    let before = [server.get("admin", "/v1/resources").body, server.get("admin", "/v1/accounts").body];
    let forecast = server.get("viewer", "/v1/forecast").body;
    assert_eq!(server.get("viewer", "/v1/forecast").body, forecast);
    assert_eq!([server.get("admin", "/v1/resources").body, server.get("admin", "/v1/accounts").body], before);
    assert_eq!(server.events(), Vec::<Value>::new());
    assert_eq!(server.get("viewer", "/v1/clock").json()["now"], "2026-01-01T00:00:00Z");
}

/// What was renewed: when, which, for how much and until when.
fn renewals(events: &[Value]) -> Vec<[Value; 4]> {
    let settled = events.iter().filter(|event| event["type"] == "renewal_settled");
    settled.map(|event| ["at", "resource", "cost", "expires_at"].map(|name| event[name].clone())).collect()
}

#[test]
fn the_forecast_happens_with_the_stated_top_up_and_not_with_a_cent_less() {
    let forecast = server().get("viewer", "/v1/forecast?months=6&account=acme-hw").json();
    let account = &forecast["accounts"][0];
    let months = account["months"].as_array().unwrap();
    let payments = months.iter().flat_map(|month| month["payments"].as_array().unwrap());
    let wanted =
        payments.map(|payment| ["at", "resource", "cost", "expires_at"].map(|name| payment[name].clone()));
    let mut wanted = wanted.collect::<Vec<_>>();
    let top_up = account["shortfall"]["total"].as_str().unwrap();
    let played = |amount: &str| {
        let server = server();
        let body = json!({ "amount": amount }).to_string();
        assert_eq!(server.post("admin", "/v1/accounts/acme-hw:top-up", &body).status, 200);
        server.advance("2026-07-01T00:00:00Z");
        let events =
            server.events().into_iter().filter(|event| event["account"] == "acme-hw").collect::<Vec<_>>();
        renewals(&events)
    };
    let mut happened = played(top_up);
    let order = |one: &[Value; 4], other: &[Value; 4]| {
        one[..2].iter().map(Value::to_string).cmp(other[..2].iter().map(Value::to_string))
    };
    happened.sort_by(order);
    wanted.sort_by(order);
    assert_eq!(happened, wanted);
    let less = format!("{:.2}", top_up.parse::<f64>().unwrap() - 0.01);
    assert!(played(&less).len() < wanted.len(), "{less} is not enough");
}

#[test]
fn a_forecast_goes_on_from_what_has_happened_so_far() {
    let server = server();
    let months = |server: &Server, count: u32| {
        let forecast = server.get("viewer", &format!("/v1/forecast?months={count}&account=beta-bd")).json();
        forecast["accounts"][0]["months"].as_array().unwrap().clone()
    };
    let at_first = months(&server, 6);
    server.advance("2026-03-01T00:00:00Z");
    assert_eq!(months(&server, 4), at_first[2..]);
}

#[test]
fn a_top_up_as_large_as_the_first_shortfall_only_gets_past_that() {
    let server = server();
    let short = |server: &Server| {
        server.get("viewer", "/v1/forecast?months=6&account=acme-hw").json()["accounts"][0]["shortfall"]
            .clone()
    };
    let first = short(&server);
    let body = json!({ "amount": first["amount"] }).to_string();
    assert_eq!(server.post("admin", "/v1/accounts/acme-hw:top-up", &body).status, 200);
    let second = short(&server);
    assert!(first["at"].as_str().unwrap() < second["at"].as_str().unwrap(), "{first} {second}");
}

#[test]
fn a_bound_token_is_told_of_its_own_accounts_only() {
    let server = server();
    let ids = |token| {
        let forecast = server.get(token, "/v1/forecast?months=1").json();
        let accounts = forecast["accounts"].as_array().unwrap().clone();
        accounts
            .into_iter()
            .map(|account| account["account"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("viewer"), ["acme-hw", "beta-bd"]);
    assert_eq!(ids("bound-viewer"), ["acme-hw"]);
    let hidden = server.get("bound-viewer", "/v1/forecast?account=beta-bd");
    let none = server.get("bound-viewer", "/v1/forecast?account=none");
    assert_eq!(hidden.status, 404);
    assert_eq!(hidden.body.replace("beta-bd", "none"), none.body);
}

#[test]
fn parameters_that_make_no_sense_are_all_named() {
    expect![[r#"
        400 Bad Request
        content-type: application/problem+json
        {
          "detail": "3 problems; see `errors`",
          "errors": [
            {
              "detail": "expected a whole number from 1 to 36",
              "field": "months"
            },
            {
              "detail": "expected one of `json`, `csv`",
              "field": "format"
            },
            {
              "detail": "unknown parameter; there are `months`, `account`, `format`",
              "field": "from"
            }
          ],
          "status": 400,
          "title": "The request cannot be read",
          "type": "urn:perennial:problem:bad-request"
        }"#]]
    .assert_eq(&Server::new().get("viewer", "/v1/forecast?months=37&format=xml&from=now").shown());
    for months in ["0", "-1", "", "1.5"] {
        assert_eq!(Server::new().get("viewer", &format!("/v1/forecast?months={months}")).status, 400);
    }
}

#[test]
fn one_who_keeps_asking_for_forecasts_holds_up_nobody_else() {
    let server = Server::furnished_with(Limits { forecasts_max: 2, ..Limits::DEFAULT });
    let tokens = server.get("admin", "/v1/tokens").json();
    let viewer = tokens["items"].as_array().unwrap().iter().find(|token| token["name"] == "viewer").unwrap();
    let owner = viewer["owner"].as_str().unwrap().into();
    let slot = server.host.acquire_forecast(&owner, None).unwrap();
    let permit = server.host.forecast_permits().clone().try_acquire_owned().unwrap();
    let own = server.get("viewer", "/v1/forecast?months=1");
    assert_eq!(
        (own.status.as_u16(), &own.headers["retry-after"]),
        (429, &"5".parse().unwrap()),
        "{}",
        own.body
    );
    assert_eq!(server.get("operator", "/v1/forecast?months=1").status, 200);
    let other = server.host.forecast_permits().clone().try_acquire_owned().unwrap();
    assert_eq!(
        server.get("operator", "/v1/forecast?months=1").status,
        503,
        "as many as the host makes at once"
    );
    drop((slot, permit, other));
    assert_eq!(server.get("viewer", "/v1/forecast?months=1").status, 200);
}

#[test]
fn people_whose_tokens_have_the_same_accounts_share_one_forecast() {
    let server = Server::furnished_with(Limits { forecasts_max: 4, ..Limits::DEFAULT });
    let slots = server.host.acquire_forecast(&"somebody".into(), Some(r#"["acme-hw"]"#)).unwrap();
    let held = server.get("bound-viewer", "/v1/forecast?months=1");
    assert_eq!(held.status, 429, "{}", held.body);
    assert!(held.body.contains("with the same accounts, is in progress"), "{}", held.body);
    assert_eq!(server.get("viewer", "/v1/forecast?months=1").status, 200, "another's accounts are no matter");
    drop(slots);
    assert_eq!(server.get("bound-viewer", "/v1/forecast?months=1").status, 200);
    assert_eq!(server.get("bound-operator", "/v1/forecast?months=1").status, 200, "it was given back");
}
