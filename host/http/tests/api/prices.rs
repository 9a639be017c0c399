//! `/v1/prices`.

use expect_test::expect;
use serde_json::Value;
use serde_json::json;

use crate::harness::Server;
use crate::jobs::crowd;

/// A furnished server with a postpaid resource whose name needs quotes, and one that renews for another term.
fn server() -> Server {
    let server = Server::furnished();
    let inventory = json!({
        "resources": [
            { "id": "=a,\"b\"", "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "postpaid",
              "started_at": "2025-12-31T02:00:00Z" },
            { "id": "ecs-3", "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
              "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
              "term": { "count": 1, "unit": "month" }, "price": "10.00", "on_expiry": "renew",
              "renewal_term": { "count": 1, "unit": "year" }, "tags": { "env": "test" } },
        ],
    });
    let answer = server.post("admin", "/v1/resources:import", &inventory.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    server
}

#[test]
fn prices_are_listed_in_pages() {
    let server = server();
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "items": [
            {
              "account": "acme-hw",
              "currency": "CNY",
              "kind": "ecs",
              "price": "99.00",
              "provider": "huawei",
              "region": "cn-north-4",
              "renewal_cost": "99.00",
              "renewal_term": {
                "count": 1,
                "unit": "month"
              },
              "resource": "ecs-1",
              "term": {
                "count": 1,
                "unit": "month"
              }
            },
            {
              "account": "acme-hw",
              "currency": "CNY",
              "kind": "package",
              "price": "120.00",
              "provider": "huawei",
              "region": "cn-north-4",
              "renewal_cost": "120.00",
              "renewal_term": {
                "count": 1,
                "unit": "year"
              },
              "resource": "pkg-1",
              "term": {
                "count": 1,
                "unit": "year"
              }
            }
          ],
          "next_cursor": "c2"
        }"#]]
    .assert_eq(&server.get("viewer", "/v1/prices?limit=2").shown());
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.get("viewer", &format!("/v1/prices?limit=1{cursor}")).json();
        all.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(server.get("viewer", "/v1/prices").json()["items"], Value::Array(all));
}

#[test]
fn each_day_counts_what_expires_on_it_and_nothing_that_has_ended() {
    let server = Server::furnished();
    let days = |query: &str| {
        let list = server.get("viewer", &format!("/v1/expiries{query}")).json();
        let days = list["items"].as_array().unwrap().iter().map(|day| {
            let text = |name: &str| day[name].as_str().unwrap().to_owned();
            format!("{} {} {} {}\n", text("day"), day["resources"], text("price"), text("currency"))
        });
        days.collect::<String>()
    };
    expect![[r#"
        2026-01-31T00:00:00Z 2 149.00 CNY
        2026-12-31T00:00:00Z 1 120.00 CNY

        2026-01-31T00:00:00Z 1 99.00 CNY

        2026-12-31T00:00:00Z 1 120.00 CNY
    "#]]
    .assert_eq(&[days(""), days("?kind=ecs"), days("?expires_from=2026-02-01T00:00:00Z")].join("\n"));
    assert_eq!(days("?stage=released"), "", "what has ended does not expire");
    let unsubscribe = r#"{"scope": "all"}"#;
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:unsubscribe", unsubscribe).status, 200);
    assert_eq!(days("?kind=ecs"), "");
}

#[test]
fn prices_are_also_a_table_in_csv() {
    let server = server();
    let given_back = server.post("admin", "/v1/resources/ecs-1:unsubscribe", r#"{"scope": "all"}"#);
    assert_eq!(given_back.status, 200);
    let asked = server.get("viewer", "/v1/prices?format=csv");
    expect![[r#"
        200 OK
        content-type: text/csv; charset=utf-8; header=present
        resource,account,provider,kind,region,currency,term,price,renewal_term,renewal_cost[CR]
        ecs-1,acme-hw,huawei,ecs,cn-north-4,CNY,1 month,99.00,,[CR]
        pkg-1,acme-hw,huawei,package,cn-north-4,CNY,1 year,120.00,1 year,120.00[CR]
        bcc-1,beta-bd,baidu,bcc,bj,CNY,1 month,50.00,1 month,50.00[CR]
        "=a,""b""",acme-hw,huawei,ecs,cn-north-4,CNY,,,,[CR]
        ecs-3,acme-hw,huawei,ecs,cn-north-4,CNY,1 month,10.00,1 year,120.00[CR]
    "#]]
    .assert_eq(&asked.shown().replace('\r', "[CR]"));
    let accepted = server.send("viewer", "GET", "/v1/prices", &["accept: text/csv"], "");
    assert_eq!(accepted.body, asked.body);
    let json = server.send("viewer", "GET", "/v1/prices?format=json", &["accept: text/csv"], "");
    assert_eq!(json.headers["content-type"], "application/json");
}

#[test]
fn a_table_has_everything_however_long_it_is() {
    let server = crowd(2_500);
    let table = server.get("viewer", "/v1/prices?format=csv").body;
    let ids =
        table.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids, (0..2_500).map(|number| format!("ecs-{number:05}")).collect::<Vec<_>>());
}

#[test]
fn prices_pass_the_filters_of_resources_and_the_scope_of_the_token() {
    let server = server();
    for token in ["viewer", "bound-viewer"] {
        for query in
            ["", "account=beta-bd", "kind=package", "tag=env%3Dtest", "stage=active", "provider=huawei"]
        {
            let of = |list: &str, field: &str| {
                let list = server.get(token, &format!("/v1/{list}?{query}")).json();
                list["items"].as_array().unwrap().iter().map(|item| item[field].clone()).collect::<Vec<_>>()
            };
            let listed = of("resources", "id");
            assert_eq!(of("prices", "resource"), listed, "{token} {query}");
            let table = server.get(token, &format!("/v1/prices?{query}&format=csv")).body;
            assert_eq!(table.lines().count(), 1 + listed.len(), "{token} {query}");
        }
    }
}

#[test]
fn what_a_renewal_is_said_to_cost_is_what_it_costs() {
    let server = server();
    for id in ["ecs-1", "ecs-3", "bcc-1"] {
        let list = server.get("viewer", "/v1/prices").json();
        let price =
            list["items"].as_array().unwrap().iter().find(|item| item["resource"] == id).unwrap().clone();
        let body = json!({ "dry_run": true }).to_string();
        let plan =
            server.post("operator", &format!("/v1/resources/{id}:renew"), &body).json()["plan"].clone();
        assert_eq!(
            (&plan["steps"][0]["cost"], &plan["steps"][0]["term"]),
            (&price["renewal_cost"], &price["renewal_term"]),
            "{id}"
        );
    }
}

#[test]
fn parameters_that_make_no_sense_are_all_named() {
    let server = Server::furnished();
    let answer = server.get("viewer", "/v1/prices?format=xls&limit=0&stage=gone&currency=CNY").json();
    let fields =
        answer["errors"].as_array().unwrap().iter().map(|error| error["field"].clone()).collect::<Vec<_>>();
    assert_eq!(fields, ["format", "limit", "stage", "currency"]);
}
