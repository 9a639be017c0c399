//! `POST /v1/resources:import`: looked at first, refused when something would be lost, and repeated with a newer inventory.

use std::sync::mpsc;

use expect_test::expect;
use perennial_service::limits::Limits;
use serde_json::Value;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::harness::Server;

/// A disk-less server of `acme-hw` that is not there yet.
fn resource(id: &str, expires_at: &str) -> Value {
    json!({
        "id": id, "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
        "started_at": "2025-06-30T02:00:00Z", "expires_at": expires_at, "term": { "count": 1, "unit": "month" },
        "price": "10.00",
    })
}

fn import(server: &Server, body: &Value) -> crate::harness::ApiResponse {
    server.post("operator", "/v1/resources:import", &body.to_string())
}

#[test]
fn an_import_is_looked_at_first_and_refused_when_it_loses_something() {
    let server = Server::furnished();
    let list = json!([resource("late", "2025-12-20T15:59:59Z"), resource("fine", "2026-03-10T15:59:59Z")]);
    let looked = import(&server, &json!({ "resources": list, "dry_run": true }));
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "accounts": 0,
          "changes": [],
          "due": [],
          "expired": [
            {
              "account": "acme-hw",
              "events": [
                {
                  "account": "acme-hw",
                  "at": "2025-12-20T15:59:59Z",
                  "from": "active",
                  "resource": "late",
                  "to": "grace",
                  "type": "stage_changed"
                }
              ],
              "expires_at": "2025-12-20T15:59:59Z",
              "resource": "late"
            }
          ],
          "kept": [],
          "missing": [],
          "new_accounts": [],
          "new_resources": [
            {
              "account": "acme-hw",
              "resource": "fine"
            },
            {
              "account": "acme-hw",
              "resource": "late"
            }
          ],
          "renewing_within_30_days": 0,
          "resources": 2
        }"#]]
    .assert_eq(&looked.shown());
    assert_eq!(server.get("operator", "/v1/resources/fine").status, 404, "a look writes nothing");
    let refused = import(&server, &json!({ "resources": list }));
    assert_eq!(refused.status, 422);
    assert_eq!(refused.json()["errors"][0]["field"], "accept_expired");
    assert_eq!(refused.json()["expired"], looked.json()["expired"]);
    let done = import(&server, &json!({ "resources": list, "accept_expired": true }));
    assert_eq!((done.status.as_u16(), done.json()), (200, looked.json()));
    let events = server.get("operator", "/v1/events?resource=late").json();
    let happened = events["items"].as_array().unwrap().iter().map(|event| {
        let mut event = event.clone();
        event.as_object_mut().unwrap().remove("id");
        event
    });
    let happened = happened.collect::<Vec<_>>();
    assert_eq!(
        Value::Array(happened),
        looked.json()["expired"][0]["events"],
        "what was said is what happened"
    );
}

#[test]
fn a_newer_inventory_changes_what_it_may_and_says_what_it_leaves() {
    let server = Server::furnished();
    let changed = json!({
        "id": "ecs-1", "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
        "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-15T15:59:59Z", "anchor_day": 15,
        "term": { "count": 1, "unit": "month" }, "price": "120.00", "tags": { "env": "test" },
    });
    let body = json!({ "resources": [changed], "update": true });
    let twice = import(&server, &json!({ "resources": [changed] }));
    assert_eq!(twice.status, 422, "without `update` an id is used once");
    let done = import(&server, &body);
    expect![[r#"
        200 OK
        content-type: application/json
        {
          "accounts": 0,
          "changes": [
            {
              "account": "acme-hw",
              "field": "price",
              "from": "99.00",
              "resource": "ecs-1",
              "to": "120.00"
            },
            {
              "account": "acme-hw",
              "field": "tags.env",
              "from": "prod",
              "resource": "ecs-1",
              "to": "test"
            }
          ],
          "due": [],
          "expired": [],
          "kept": [
            {
              "account": "acme-hw",
              "field": "expires_at",
              "here": "2026-01-31T15:59:59Z",
              "reason": "an import moves no expiry back: it may have been renewed here since",
              "resource": "ecs-1",
              "there": "2026-01-15T15:59:59Z"
            }
          ],
          "missing": [
            {
              "account": "acme-hw",
              "resource": "pkg-1"
            }
          ],
          "new_accounts": [],
          "new_resources": [],
          "renewing_within_30_days": 1,
          "resources": 0
        }"#]]
    .assert_eq(&done.shown());
    let resource = server.get("operator", "/v1/resources/ecs-1").json();
    assert_eq!(
        (&resource["price"], &resource["expires_at"]),
        (&json!("120.00"), &json!("2026-01-31T15:59:59Z"))
    );
    assert_eq!(resource["tags"], json!({ "env": "test" }));
    assert_eq!(import(&server, &body).json()["changes"], json!([]), "the same again changes nothing");
    let foreign = server.post(
        "bound-operator",
        "/v1/resources:import",
        &json!({
        "resources": [{ "id": "ecs-1", "account": "acme-hw", "kind": "ecs", "charging": "postpaid",
            "started_at": "2025-12-31T02:00:00Z" }], "update": true })
        .to_string(),
    );
    assert_eq!(foreign.json()["kept"][0]["field"], "charging", "{}", foreign.shown());
}

#[test]
fn an_import_of_guesses_tells_a_bound_token_of_one_foreign_id_at_most() {
    let server = Server::furnished();
    let postpaid = |id: &str| json!({ "id": id, "account": "acme-hw", "kind": "ecs", "charging": "postpaid", "started_at": "2025-12-31T02:00:00Z" });
    let others = server.post(
        "admin",
        "/v1/resources:import",
        &json!({ "resources": [
            { "id": "bcc-2", "account": "beta-bd", "kind": "bcc", "charging": "postpaid", "started_at": "2025-12-31T02:00:00Z" },
        ] })
        .to_string(),
    );
    assert_eq!(others.status, 200, "{}", others.shown());
    let errors = |token: &str, ids: &[&str]| {
        let list = ids.iter().copied().map(postpaid).collect::<Vec<_>>();
        let refused = server.post(token, "/v1/resources:import", &json!({ "resources": list }).to_string());
        assert_eq!(refused.status, 422, "{}", refused.shown());
        let errors = refused.json()["errors"].as_array().unwrap().clone();
        errors.iter().map(|error| error["detail"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let taken = |id: &str| format!("a resource `{id}` exists already; an id is used once");
    let ids = ["bcc-1", "free", "bcc-2", "ecs-1"];
    assert_eq!(
        errors("bound-operator", &ids),
        [taken("bcc-1"), taken("ecs-1")],
        "its own, and one that is not"
    );
    assert_eq!(errors("operator", &ids), [taken("bcc-1"), taken("bcc-2"), taken("ecs-1")]);
}

#[test]
fn an_inventory_is_read_beside_the_writer_and_again_if_it_is_overtaken() {
    let server = Server::furnished_with(Limits { readers: 1, ..Limits::DEFAULT });
    let body = json!({ "resources": [resource("fine", "2026-03-10T15:59:59Z")] }).to_string();
    let (go, wait) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    std::thread::scope(|scope| {
        // The one reader is busy until it is told to go on.
        let host = server.host.clone();
        let busy = move || {
            let read = host.read(move |_| {
                begun.send(()).unwrap();
                let _ = wait.recv();
                Ok(())
            });
            Runtime::new().unwrap().block_on(read).unwrap();
        };
        scope.spawn(busy);
        has_begun.recv().unwrap();
        let (server, body) = (&server, &body);
        let first = scope.spawn(move || import_text(server, body));
        let done = server.post("operator", "/v1/accounts/acme-hw:top-up", r#"{"amount": "1.00"}"#);
        assert_eq!(done.status, 200, "the writer is not held up");
        assert!(!first.is_finished(), "it was read by the writer");
        drop(go);
        assert_eq!(first.join().unwrap().status, 200);
    });
    // Two imports of the same ids, of which each was read before the other was written: one is refused, as always.
    let body = json!({ "resources": [resource("late", "2026-03-10T15:59:59Z")] }).to_string();
    let statuses = std::thread::scope(|scope| {
        let (release, held) = mpsc::channel::<()>();
        let (server, body) = (&server, &body);
        let holding = scope.spawn(move || server.on_writer(move |_| held.recv().is_err()));
        let imports = [(); 2].map(|()| scope.spawn(move || import_text(server, body).status.as_u16()));
        // Both are read by now, or will be read again.
        drop(release);
        holding.join().unwrap();
        imports.map(|import| import.join().unwrap())
    });
    let mut statuses = statuses;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
}

fn import_text(server: &Server, body: &str) -> crate::harness::ApiResponse {
    server.post("operator", "/v1/resources:import", body)
}

#[test]
fn what_the_first_look_pays_at_midnight_is_of_the_day_of_the_import() {
    let server = Server::new();
    let mut missed = resource("missed", "2025-12-31T15:59:59Z");
    missed["account"] = "mid".into();
    missed["on_expiry"] = "renew".into();
    let body = json!({
        "accounts": [{ "id": "mid", "provider": "huawei", "currency": "CNY", "balance": "500.00" }],
        "resources": [missed], "accept_expired": true,
    });
    let imported = server.post("admin", "/v1/resources:import", &body.to_string());
    assert_eq!(imported.status, 200, "{}", imported.body);
    let days = server.get("admin", "/v1/accounts/mid/balances").json()["items"].as_array().unwrap().clone();
    let balance = server.get("admin", "/v1/accounts/mid").json()["balance"].clone();
    assert_ne!(balance, "500.00", "the missed try was made");
    assert_eq!(days.len(), 1, "{days:?}");
    assert_eq!((&days[0]["day"], &days[0]["balance"]), (&"2026-01-01T00:00:00Z".into(), &balance));
}
