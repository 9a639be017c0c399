//! `/v1/resources`.

use expect_test::expect;

use serde_json::json;

use crate::harness::Server;

#[test]
fn a_list_is_sorted_as_a_whole_over_all_its_pages() {
    let server = Server::furnished();
    let of = |sort: &str| {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = server.get("viewer", &format!("/v1/resources?limit=1&sort={sort}{cursor}")).json();
            let items = page["items"].as_array().unwrap().iter();
            ids.extend(items.map(|item| item["id"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return ids,
            }
        }
    };
    let all = server.get("viewer", "/v1/resources").json()["items"].as_array().unwrap().clone();
    let by = |key: &dyn Fn(&serde_json::Value) -> (String, i64)| {
        let mut sorted = all.iter().collect::<Vec<_>>();
        sorted.sort_by_key(|item| key(item));
        sorted.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let text = |item: &serde_json::Value, name: &str| item[name].as_str().unwrap_or("~").to_owned();
    let cents = |item: &serde_json::Value| {
        item["price"].as_str().map_or(-1, |price| price.replace('.', "").parse::<i64>().unwrap())
    };
    assert!(all.len() > 2);
    assert_eq!(of("added"), all.iter().map(|item| text(item, "id")).collect::<Vec<_>>());
    assert_eq!(of("id"), by(&|item| (text(item, "id"), 0)));
    assert_eq!(of("expires_at"), by(&|item| (text(item, "expires_at"), 0)));
    assert_eq!(of("price"), by(&|item| (String::new(), -cents(item))));
    assert_eq!(server.get("viewer", "/v1/resources?sort=colour").status, 400);
}

#[test]
fn a_resource_is_got_as_it_is() {
    let server = Server::furnished();
    expect![[r#"
        200 OK
        content-type: application/json
        etag: "b9b03f76a3b3bc4538a8ea34c95d46b1"
        {
          "account": "acme-hw",
          "anchor_day": 31,
          "attached_to": null,
          "attributes": {},
          "charging": "prepaid",
          "currency": "CNY",
          "expires_at": "2026-01-31T15:59:59Z",
          "id": "ecs-1",
          "kind": "ecs",
          "next_wake_at": "2026-01-23T19:00:00Z",
          "on_expiry": "renew",
          "package": null,
          "price": "99.00",
          "problem": null,
          "provider": "huawei",
          "region": "cn-north-4",
          "renewal_term": null,
          "renewals_left": null,
          "stage": "active",
          "started_at": "2025-12-31T02:00:00Z",
          "tags": {
            "env": "prod"
          },
          "term": {
            "count": 1,
            "unit": "month"
          }
        }"#]]
    .assert_eq(&server.get("viewer", "/v1/resources/ecs-1").shown());
}

#[test]
fn tags_and_attributes_are_changed_one_by_one() {
    let server = Server::furnished();
    let body = r#"{"tags": {"env": null, "team": "red"}, "attributes": {"status": "scaling"}}"#;
    expect![[r#"
        200 OK
        content-type: application/json
        etag: "04f89e3efbbf09202eeec71af0bf271d"
        {
          "events": [
            {
              "account": "acme-hw",
              "at": "2026-01-01T00:00:00Z",
              "resource": "ecs-1",
              "setting": "status",
              "type": "setting_changed",
              "value": "scaling"
            }
          ],
          "resource": {
            "account": "acme-hw",
            "anchor_day": 31,
            "attached_to": null,
            "attributes": {
              "status": "scaling"
            },
            "charging": "prepaid",
            "currency": "CNY",
            "expires_at": "2026-01-31T15:59:59Z",
            "id": "ecs-1",
            "kind": "ecs",
            "next_wake_at": "2026-01-23T19:00:00Z",
            "on_expiry": "renew",
            "package": null,
            "price": "99.00",
            "problem": null,
            "provider": "huawei",
            "region": "cn-north-4",
            "renewal_term": null,
            "renewals_left": null,
            "stage": "active",
            "started_at": "2025-12-31T02:00:00Z",
            "tags": {
              "team": "red"
            },
            "term": {
              "count": 1,
              "unit": "month"
            }
          }
        }"#]]
    .assert_eq(&server.send("operator", "PATCH", "/v1/resources/ecs-1", &[], body).shown());
}

#[test]
fn a_list_has_what_passes_every_filter() {
    let server = Server::furnished();
    let ids = |query: &str| {
        let page = server.get("viewer", &format!("/v1/resources?{query}")).json();
        let ids =
            page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>().join(" ")
    };
    let mut table = String::new();
    for query in [
        "",
        "account=acme-hw",
        "account=none",
        "provider=baidu",
        "kind=package",
        "stage=active",
        "stage=grace",
        "tag=env",
        "tag=env=prod",
        "tag=env=test",
        "expires_from=2026-02-01T00:00:00Z",
        "expires_before=2026-02-01T00:00:00Z",
        "account=acme-hw&expires_before=2026-02-01T00:00:00Z",
        "id=bcc-1&id=none&id=ecs-1",
        "id=bcc-1&id=ecs-1&provider=huawei",
    ] {
        table += &format!("{query:<55} {}\n", ids(query));
    }
    expect![[r#"
                                                                ecs-1 pkg-1 bcc-1
        account=acme-hw                                         ecs-1 pkg-1
        account=none                                            
        provider=baidu                                          bcc-1
        kind=package                                            pkg-1
        stage=active                                            ecs-1 pkg-1 bcc-1
        stage=grace                                             
        tag=env                                                 ecs-1
        tag=env=prod                                            ecs-1
        tag=env=test                                            
        expires_from=2026-02-01T00:00:00Z                       pkg-1
        expires_before=2026-02-01T00:00:00Z                     ecs-1 bcc-1
        account=acme-hw&expires_before=2026-02-01T00:00:00Z     ecs-1
        id=bcc-1&id=none&id=ecs-1                               ecs-1 bcc-1
        id=bcc-1&id=ecs-1&provider=huawei                       ecs-1
    "#]]
    .assert_eq(&table);
    let many = (0..201).map(|number| format!("id=r-{number}")).collect::<Vec<_>>().join("&");
    let refused = server.get("viewer", &format!("/v1/resources?{many}"));
    let told = "it is given 201 times; ask about at most 200 at once";
    assert_eq!((refused.status.as_u16(), &refused.json()["errors"][0]["detail"]), (400, &json!(told)));
    let bound = server.get("bound-viewer", "/v1/resources?id=bcc-1&id=ecs-1").json();
    assert_eq!(bound["items"].as_array().unwrap().len(), 1, "of another account, it is not there");
}

#[test]
fn pages_neither_repeat_nor_skip_anything_that_is_added_meanwhile() {
    let server = Server::furnished();
    let first = server.get("viewer", "/v1/resources?limit=2").json();
    let inventory = r#"{"resources": [{"id": "a-1", "account": "acme-hw", "kind": "ecs", "region": "r", "charging": "postpaid", "started_at": "2026-01-01T00:00:00Z"}]}"#;
    assert_eq!(server.post("operator", "/v1/resources:import", inventory).status, 200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = server.get("viewer", &format!("/v1/resources?limit=2&cursor={cursor}")).json();
    let ids = [&first, &second].map(|page| {
        page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>()
    });
    assert_eq!(ids.concat().len(), 4);
    assert_eq!(ids[1].last().unwrap(), "a-1");
    assert!(second["next_cursor"].is_null());
}

#[test]
fn an_import_says_everything_that_is_wrong_and_takes_nothing_in() {
    let server = Server::furnished();
    let inventory = r#"{"resources": [
        {"id": "ecs-1", "account": "beta-bd", "kind": "bcc", "region": "bj", "charging": "postpaid", "started_at": "2026-01-01T00:00:00Z"},
        {"id": "new", "account": "beta-bd", "kind": "spaceship", "region": "bj", "charging": "prepaid", "started_at": "yesterday"},
        {"id": "anchored", "account": "acme-hw", "kind": "ecs", "charging": "prepaid", "started_at": "2026-01-31T02:00:00Z",
         "expires_at": "2026-02-28T15:59:59Z", "anchor_day": 1, "term": {"count": 1, "unit": "month"}, "price": "99.00"}
    ]}"#;
    expect![[r#"
        422 Unprocessable Entity
        content-type: application/problem+json
        {
          "detail": "7 problems; see `errors`",
          "errors": [
            {
              "detail": "a resource `ecs-1` exists already; an id is used once",
              "field": "resources[0].id"
            },
            {
              "detail": "a prepaid resource needs `term`; it is missing or null",
              "field": "resources[1].term"
            },
            {
              "detail": "a prepaid resource needs `price`; it is missing or null",
              "field": "resources[1].price"
            },
            {
              "detail": "a prepaid resource needs `expires_at`; it is missing or null",
              "field": "resources[1].expires_at"
            },
            {
              "detail": "`baidu` has no kind `spaceship`; it has `bbc`, `bcc`, `cds`, `eip`, `et`, `mkt`, `rds` or `scs`",
              "field": "resources[1].kind"
            },
            {
              "detail": "`yesterday` is not an instant; write one in RFC 3339, such as `2026-02-28T15:59:59Z`",
              "field": "resources[1].started_at"
            },
            {
              "detail": "1 does not fit `expires_at`: 2026-02-28T15:59:59Z is on day 28 of its month in the provider's days; write 28, a later day if that is the month's last, or leave it out",
              "field": "resources[2].anchor_day"
            }
          ],
          "status": 422,
          "title": "Some fields are invalid",
          "type": "urn:perennial:problem:invalid-fields"
        }"#]].assert_eq(&server.post("operator", "/v1/resources:import", inventory).shown());
    assert_eq!(server.get("viewer", "/v1/resources/new").status, 404);
}

#[test]
fn an_import_does_not_reveal_other_accounts_ids_to_a_bound_token() {
    let server = Server::furnished();
    let attached = |to: &str| {
        let inventory = json!({ "resources": [{
            "id": "new", "account": "acme-hw", "kind": "evs", "region": "r", "charging": "postpaid",
            "started_at": "2026-01-01T00:00:00Z", "attached_to": to,
        }] });
        let answer = server.post("bound-operator", "/v1/resources:import", &inventory.to_string());
        answer.json()["errors"][0]["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(attached("bcc-1"), "there is no resource `bcc-1`");
    assert_eq!(attached("nothing"), "there is no resource `nothing`");
    assert!(attached("ecs-1").starts_with("`ecs-1` was imported before"));
}
