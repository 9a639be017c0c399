//! `/v1/resources`.

use expect_test::expect;

use crate::harness::Server;

#[test]
fn a_resource_is_got_as_it_is() {
    let server = Server::furnished();
    expect![[""]].assert_eq(&server.get("viewer", "/v1/resources/ecs-1").shown());
}

#[test]
fn tags_and_attributes_are_changed_one_by_one() {
    let server = Server::furnished();
    let body = r#"{"tags": {"env": null, "team": "red"}, "attributes": {"status": "scaling"}}"#;
    expect![[""]].assert_eq(&server.send("operator", "PATCH", "/v1/resources/ecs-1", &[], body).shown());
}

#[test]
fn a_list_has_what_passes_every_filter() {
    let server = Server::furnished();
    let ids = |query: &str| {
        let page = server.get("viewer", &format!("/v1/resources?{query}")).json();
        let ids = page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
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
    ] {
        table += &format!("{query:<55} {}\n", ids(query));
    }
    expect![[""]].assert_eq(&table);
}

#[test]
fn pages_neither_repeat_nor_skip_anything_that_is_added_meanwhile() {
    let server = Server::furnished();
    let first = server.get("viewer", "/v1/resources?limit=2").json();
    let inventory = r#"{"resources": [{"id": "a-1", "account": "acme-hw", "kind": "ecs", "region": "r", "charging": "postpaid", "started_at": "2026-01-01T00:00:00Z"}]}"#;
    assert_eq!(server.post("operator", "/v1/resources:import", inventory).status, 200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = server.get("viewer", &format!("/v1/resources?limit=2&cursor={cursor}")).json();
    let ids = [&first, &second].map(|page| page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>());
    assert_eq!(ids.concat().len(), 4);
    assert_eq!(ids[1].last().unwrap(), "a-1");
    assert!(second["next_cursor"].is_null());
}

#[test]
fn an_import_says_everything_that_is_wrong_and_takes_nothing_in() {
    let server = Server::furnished();
    let inventory = r#"{"resources": [
        {"id": "ecs-1", "account": "beta-bd", "kind": "bcc", "region": "bj", "charging": "postpaid", "started_at": "2026-01-01T00:00:00Z"},
        {"id": "new", "account": "beta-bd", "kind": "spaceship", "region": "bj", "charging": "prepaid", "started_at": "yesterday"}
    ]}"#;
    expect![[""]].assert_eq(&server.post("operator", "/v1/resources:import", inventory).shown());
    assert_eq!(server.get("viewer", "/v1/resources/new").status, 404);
}
