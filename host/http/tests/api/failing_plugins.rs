//! `/v1/plugins/parked` and `/v1/plugins/breakers`: what plugins fail over is seen everywhere, and asked about again.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use expect_test::expect;
use perennial_sandbox::SigningKey;
use perennial_sandbox::Trust;
use perennial_service::limits::Limits;
use perennial_test_support::fragile::fragile;
use perennial_test_support::plugins;
use serde_json::Value;
use serde_json::json;

use crate::harness::Server;

/// A host with so many servers that expire at the end of January, whose plugin fails about those whose names begin with `bad`.
fn server(names: &[&str]) -> (Server, Arc<AtomicBool>) {
    let breaks = |bundle: &perennial_domain::bundle::Bundle| bundle.primary().id.starts_with("bad");
    let (providers, is_broken) = fragile(plugins::bundled(), breaks);
    let server = Server::over(providers);
    let account = json!({ "id": "vol", "provider": "volcengine", "currency": "CNY", "balance": "50000.00" })
        .to_string();
    assert_eq!(server.post("admin", "/v1/accounts", &account).status, 201);
    let resource = |id: &&str| {
        json!({ "id": id, "account": "vol", "kind": "ecs", "region": "cn-beijing", "charging": "prepaid",
            "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew" })
    };
    let resources = json!({ "resources": names.iter().map(resource).collect::<Vec<_>>() });
    is_broken.store(false, Ordering::Relaxed);
    assert_eq!(server.post("operator", "/v1/resources:import", &resources.to_string()).status, 200);
    server.advance("2026-01-10T00:00:00Z");
    is_broken.store(true, Ordering::Relaxed);
    (server, is_broken)
}

fn types(server: &Server) -> String {
    let told = server.events().into_iter().filter(|event| {
        let kind = event["type"].as_str().unwrap();
        kind.contains("parked") || kind.contains("breaker")
    });
    let line = |event: Value| {
        let (account, resource) = (&event["account"], &event["resource"]);
        let by = event["changed_by"].as_str().map_or("", |_| " by a token");
        format!("{} {} {account} {resource}{by}\n", event["at"], event["type"])
    };
    told.map(line).collect()
}

fn metric(server: &Server, name: &str) -> String {
    let text = server.get("", "/metrics").body;
    text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap().to_owned()
}

#[test]
fn a_parked_bundle_is_seen_everywhere_and_released() {
    let (server, is_broken) = server(&["bad-1", "good-1"]);
    server.advance("2026-01-25T00:00:00Z");
    let parked = server.get("viewer", "/v1/plugins/parked").json();
    let mut one = parked["items"][0].clone();
    one["revision"] = "[digest]".into();
    expect![[r#"
        {
          "account": "vol",
          "currency": "CNY",
          "expires_at": "2026-01-31T15:59:59Z",
          "failing_since": "2026-01-24T02:00:00Z",
          "failures": 12,
          "next_try_at": "2026-01-25T04:31:00Z",
          "parked_at": "2026-01-24T02:15:00Z",
          "price": "99.00",
          "provider": "volcengine",
          "reason": "plugin `volcengine` crashed in `timeline`: wasm `unreachable`; report the input of the call to its author",
          "resource": "bad-1",
          "revision": "[digest]"
        }"#]].assert_eq(&format!("{one:#}"));
    assert_eq!(parked["items"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("bound-viewer", "/v1/plugins/parked").json()["items"], json!([]));
    assert_eq!(server.get("viewer", "/v1/plugins/breakers").json()["items"], json!([]), "one is not all");
    assert_eq!(metric(&server, "perennial_plugin_bundles_parked"), "perennial_plugin_bundles_parked 1");
    let overdue = metric(&server, "perennial_overdue_seconds");
    let seconds = overdue.rsplit(' ').next().unwrap().parse::<i64>().unwrap();
    assert!(seconds > 20 * 3_600, "{overdue}");
    let explained = server.get("viewer", "/v1/resources/bad-1/explanation").json();
    assert_eq!(explained["situation"], "parked");
    expect![[r#"
        `bad-1` is active: it is paid for until 2026-01-31 15:59 UTC.
        The plugin of `volcengine` gives no usable answer about it, so it stays as it is, whatever is due: plugin `volcengine` crashed in `timeline`: wasm `unreachable`; report the input of the call to its author. It is parked since 2026-01-24 02:15 UTC: the plugin is asked about it again from time to time, as soon as another revision of it decides, and when somebody releases it with `perennial plugin release`.
        At 2026-01-25 04:31 UTC the plugin is asked again; what was due by then is made up for.
    "#]].assert_eq(
        &explained["text"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| format!("{}\n", line.as_str().unwrap()))
            .collect::<String>(),
    );

    is_broken.store(false, Ordering::Relaxed);
    let body = json!({ "resource": "bad-1" }).to_string();
    assert_eq!(server.post("viewer", "/v1/plugins/parked:release", &body).status, 403);
    assert_eq!(server.post("bound-operator", "/v1/plugins/parked:release", &body).status, 404);
    let released = server.post("operator", "/v1/plugins/parked:release", &body);
    assert_eq!(released.status, 200, "{}", released.body);
    assert_eq!(released.json()["released"][0]["resource"], "bad-1");
    assert_eq!(
        server.post("operator", "/v1/plugins/parked:release", &body).status,
        404,
        "it is parked no more"
    );
    server.advance("2026-01-25T00:00:01Z");
    assert_eq!(server.get("viewer", "/v1/resources/bad-1").json()["problem"], Value::Null);
    expect![[r#"
        "2026-01-24T02:15:00Z" "bundle_parked" "vol" "bad-1"
        "2026-01-25T00:00:00Z" "bundle_unparked" "vol" "bad-1" by a token
    "#]]
    .assert_eq(&types(&server));
    let renewed = server.events().into_iter().filter(|event| event["type"] == "renewal_settled");
    assert_eq!(renewed.count(), 2, "nothing is lost, and nothing is paid twice");
}

#[test]
fn a_breaker_is_seen_everywhere_and_released() {
    let names = (0..12).map(|number| format!("bad-{number:02}")).collect::<Vec<_>>();
    let (server, is_broken) = server(&names.iter().map(String::as_str).collect::<Vec<_>>());
    server.advance("2026-01-24T02:30:00Z");
    let breakers = server.get("viewer", "/v1/plugins/breakers").json();
    let mut one = breakers["items"][0].clone();
    let digest = one["revision"].take();
    expect![[r#"
        {
          "failures": 8,
          "message": "plugin `volcengine` crashed in `timeline`: wasm `unreachable`; report the input of the call to its author",
          "next_try_at": "2026-01-24T02:31:00Z",
          "opened_at": "2026-01-24T02:00:00Z",
          "openings": 5,
          "provider": "volcengine",
          "revision": null,
          "state": "open"
        }"#]].assert_eq(&format!("{one:#}"));
    assert_eq!(server.get("bound-viewer", "/v1/plugins/breakers").status, 403);
    let plugins = server.get("viewer", "/v1/plugins").json();
    let plugin =
        plugins["items"].as_array().unwrap().iter().find(|plugin| plugin["id"] == "volcengine").unwrap();
    assert_eq!(plugin["breaker"]["state"], "open");
    assert_eq!(metric(&server, "perennial_plugin_breakers_open"), "perennial_plugin_breakers_open 1");
    let problem = server.get("viewer", "/v1/resources/bad-11").json()["problem"].to_string();
    assert!(problem.contains("is not asked before"), "{problem}");

    is_broken.store(false, Ordering::Relaxed);
    let body = json!({ "revision": digest }).to_string();
    assert_eq!(server.post("viewer", "/v1/plugins/breakers:release", &body).status, 403);
    let released = server.post("operator", "/v1/plugins/breakers:release", &body);
    assert_eq!(released.status, 200, "{}", released.body);
    server.advance("2026-01-24T02:30:01Z");
    assert_eq!(server.get("viewer", "/v1/plugins/breakers").json()["items"], json!([]));
    let renewed = server.events().into_iter().filter(|event| event["type"] == "renewal_settled");
    assert_eq!(renewed.count(), 12, "all that waited is renewed");
    expect![[r#"
        "2026-01-24T02:00:00Z" "breaker_opened" null null
        "2026-01-24T02:01:00Z" "breaker_opened" null null
        "2026-01-24T02:03:00Z" "breaker_opened" null null
        "2026-01-24T02:07:00Z" "breaker_opened" null null
        "2026-01-24T02:15:00Z" "breaker_opened" null null
        "2026-01-24T02:30:00Z" "breaker_closed" null null by a token
    "#]]
    .assert_eq(&types(&server));
}

/// The body that installs the bundled table with another line.
fn other_table(number: usize) -> String {
    let table = include_str!("../../../../plugins/declared/tables/volcengine.toml");
    json!({ "name": "other.toml", "table": format!("{table}\n# {number}\n") }).to_string()
}

#[test]
fn revisions_that_are_kept_have_a_quota_that_its_refusal_names() {
    let server = Server::with(Limits { readers: 2, revisions_max: 6, ..Limits::DEFAULT });
    let kept = || server.get("viewer", "/v1/plugins/revisions").json()["items"].as_array().unwrap().len();
    let before = kept();
    let statuses =
        (before..8).map(|number| server.post("admin", "/v1/plugins/revisions", &other_table(number)));
    let refused =
        statuses.filter(|answer| answer.status != 200).map(|answer| answer.json()).collect::<Vec<_>>();
    assert_eq!(kept(), 6, "the host's own are among them");
    assert_eq!(refused[0]["type"], "urn:perennial:problem:quota-exceeded");
    expect!["there would be 7 revisions of plugins, and there may be 6; nothing was done; have fewer, or raise `limits.revisions_max`"].assert_eq(refused[0]["detail"].as_str().unwrap());
    assert_eq!(
        server.post("admin", "/v1/plugins/revisions", &other_table(before)).status,
        200,
        "it is kept already"
    );
    let server = Server::with(Limits { readers: 2, revision_bytes_max: 1_048_576, ..Limits::DEFAULT });
    let refused = server.post("admin", "/v1/plugins/revisions", &other_table(0)).json();
    assert!(refused["detail"].as_str().unwrap().contains("`limits.revision_bytes_max`"), "{refused}");
}

#[test]
fn a_package_that_fails_at_any_stage_leaves_no_trace() {
    let server = Server::new();
    let state = || {
        let of = |path: &str| server.get("admin", path).body;
        ["/v1/plugins/revisions", "/v1/plugins/bindings", "/v1/plugins/bindings/history", "/v1/events"]
            .map(of)
    };
    let before = state();
    let table = include_str!("../../../../plugins/declared/tables/volcengine.toml");
    let packages = [
        json!({ "name": "p.wasm", "component": "no base64!" }),
        json!({ "name": "p.toml", "table": table, "digest": "ab".repeat(32) }),
        json!({ "name": "p.toml", "table": format!("{table}\n# {}", "-".repeat(70_000)) }),
        json!({ "name": "p.wasm", "component": "AGFzbQEAAAA=" }),
        json!({ "name": "p.wasm", "component": "AGFzbQ0AAQABfw==" }),
        json!({ "name": "p.toml", "table": table.replace("hour = 10", "hour = 25") }),
    ];
    let stages = packages.map(|package| {
        let answer = server.post("admin", "/v1/plugins/revisions", &package.to_string());
        assert_eq!(answer.status, 422);
        let detail = answer.json()["errors"][0]["detail"].as_str().unwrap().to_owned();
        detail.split(':').next().unwrap().to_owned()
    });
    assert_eq!(stages, ["read", "digest", "size", "contract", "compile", "describe"]);
    assert_eq!(state(), before);
}

#[test]
fn a_package_that_no_trusted_key_signed_is_refused_over_the_api() {
    let key = || SigningKey::read(SigningKey::generate().unwrap().as_bytes()).unwrap();
    let (ours, theirs) = (key(), key());
    let server = Server::over(plugins::trusting(Trust { keys: vec![ours.public_key()] }));
    let state = || ["/v1/plugins/revisions", "/v1/events"].map(|path| server.get("admin", path).body);
    let before = state();
    let table = include_str!("../../../../plugins/declared/tables/volcengine.toml");
    let install = |text: &str, signature: Option<String>| {
        let body = json!({ "name": "p.toml", "table": text, "signature": signature });
        server.post("admin", "/v1/plugins/revisions", &body.to_string())
    };
    let other = format!("{table}\n# another\n");
    let refused = [
        install(&other, None),
        install(&other, Some(theirs.sign(other.as_bytes()))),
        install(&other, Some(ours.sign(table.as_bytes()))),
        install(&other, Some("no base64!".to_owned())),
    ];
    let told = refused.map(|answer| {
        let problem = answer.json();
        format!("{} {}\n", answer.status.as_u16(), problem["errors"][0]["detail"].as_str().unwrap())
    });
    expect![[r#"
        422 signature: the plugin `p.toml` has no signature, and only signed ones are trusted here (`[trust] keys`); have its author sign it with `perennial plugin sign`, or name the key that signed it
        422 signature: the signature of the plugin `p.toml` does not count: it is not by the trusted key, or the plugin was changed after it was signed; get the plugin and its signature anew from its author
        422 signature: the signature of the plugin `p.toml` does not count: it is not by the trusted key, or the plugin was changed after it was signed; get the plugin and its signature anew from its author
        422 signature: the signature of the plugin `p.toml` does not count: it is no signature, which is 64 bytes, as they are or in base64; get the plugin and its signature anew from its author
    "#]]
    .assert_eq(&told.concat());
    assert_eq!(state(), before);
    let installed = install(&other, Some(ours.sign(other.as_bytes())));
    assert_eq!(installed.status, 200, "{}", installed.body);
    assert_eq!(installed.json()["signed_by"], ours.public_key().to_string());
}
