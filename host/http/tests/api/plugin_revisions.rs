//! `/v1/plugins/revisions` and `/v1/plugins/bindings`: installed, tried in shadow, promoted, rolled back, on a host that runs.

use expect_test::expect;
use serde_json::Value;
use serde_json::json;

use crate::harness::Server;

/// The table that is bundled.
const TABLE: &str = include_str!("../../../../plugins/declared/tables/volcengine.toml");

/// The body that installs the table with renewals first tried three days before the expiry, and not seven.
fn late() -> String {
    let text = TABLE.replace("days = [7, 6, 5, 4, 3, 2, 1, 0]", "days = [3, 2, 1, 0]");
    assert_ne!(text, TABLE);
    json!({ "name": "late.toml", "table": text }).to_string()
}

/// A host with a server at Volcengine that expires at the end of January.
fn server() -> Server {
    let server = Server::new();
    let account =
        json!({ "id": "vol", "provider": "volcengine", "currency": "CNY", "balance": "500.00" }).to_string();
    assert_eq!(server.post("admin", "/v1/accounts", &account).status, 201);
    let resources = json!({ "resources": [{ "id": "srv", "account": "vol", "kind": "ecs", "region": "cn-beijing",
        "charging": "prepaid", "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
        "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew" }] });
    assert_eq!(server.post("operator", "/v1/resources:import", &resources.to_string()).status, 200);
    server
}

fn install(server: &Server) -> String {
    let installed = server.post("admin", "/v1/plugins/revisions", &late());
    assert_eq!(installed.status, 200, "{}", installed.body);
    installed.json()["digest"].as_str().unwrap().to_owned()
}

/// Sends a change of what is bound, which has to succeed; returns what was changed, with `new` for the digest of the late table.
fn change(server: &Server, token: &str, verb: &str, body: &Value, new: &str) -> String {
    let answer = server.post(token, &format!("/v1/plugins/bindings{verb}"), &body.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    let word = |digest: &Value| match digest.as_str() {
        Some(digest) if digest == new => "late",
        Some(_) => "bundled",
        None => "none",
    };
    let changes = answer.json()["changes"].as_array().unwrap().clone();
    let line = |change: &Value| {
        let (mode, accounts) = (change["mode"].as_str().unwrap(), change["accounts"].as_str().unwrap());
        format!("{mode} for {accounts}: {} to {}", word(&change["before"]), word(&change["after"]))
    };
    changes.iter().map(line).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_revision_is_tried_promoted_and_rolled_back_on_a_running_host() {
    let server = server();
    let new = install(&server);
    let bind = json!({ "digest": new, "accounts": "vol", "mode": "shadow" });
    assert_eq!(change(&server, "admin", "", &bind, &new), "shadow for vol: none to late");
    assert_eq!(change(&server, "admin", "", &bind, &new), "", "the same again is no change");
    server.advance("2026-01-28T00:00:00Z");
    // The bundled one has tried the renewal seven days before the expiry; the late one would not have.
    let differences = server.get("viewer", &format!("/v1/plugins/revisions/{new}/differences")).json();
    let first = &differences["items"][0];
    expect![[r#"
        "vol" "timeline" "timeline"
        followed:
        2026-01-24T02:00:00Z srv try_renewal
        2026-01-25T02:00:00Z srv try_renewal
        2026-01-26T02:00:00Z srv try_renewal
        2026-01-27T02:00:00Z srv try_renewal
        shadow:

    "#]]
    .assert_eq(&format!(
        "{} {} {}\nfollowed:\n{}\nshadow:\n{}\n",
        first["account"],
        first["question"],
        first["kind"],
        first["followed_answer"].as_str().unwrap(),
        first["answer"].as_str().unwrap()
    ));
    let trial = &differences["trials"][0];
    assert!(trial["asked"].as_u64() > Some(0) && trial["failed"] == 0, "{trial}");

    let accounts = json!({ "provider": "volcengine", "accounts": "vol" });
    let planned = json!({ "provider": "volcengine", "accounts": "vol", "dry_run": true });
    let promoted = "shadow for vol: late to none, active for vol: none to late";
    assert_eq!(change(&server, "admin", ":promote", &planned, &new), promoted);
    let evidence = server.post("admin", "/v1/plugins/bindings:promote", &planned.to_string()).json();
    assert_eq!(evidence["evidence"]["trials"][0]["asked"], trial["asked"]);
    assert_eq!(evidence["evidence"]["examples"], differences["examples"]);
    assert_eq!(evidence["evidence"]["examples"][0], differences["items"][0]);
    let of = |evidence: &Value| (evidence["revision"].clone(), evidence["is_bound"].clone());
    assert_eq!(of(&evidence["evidence"]), (json!(new), json!(true)));
    assert_eq!(change(&server, "admin", ":promote", &accounts, &new), promoted);
    server.advance("2026-02-26T00:00:00Z");
    // What is taken back is what was tried.
    let planned = server.post("operator", "/v1/plugins/bindings:roll-back", &planned.to_string()).json();
    assert_eq!(of(&planned["evidence"]), (json!(new), json!(false)));
    assert_eq!(planned["evidence"]["examples"], differences["examples"]);
    assert_eq!(change(&server, "operator", ":roll-back", &accounts, &new), "active for vol: late to none");
    server.advance("2026-03-28T00:00:00Z");
    let settled = server.events().into_iter().filter(|event| event["type"] == "renewal_settled");
    let settled = settled.map(|event| event["at"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    // Seven days before, as the bundled one says; three, as the late one says; and seven again.
    expect![[r#"
        2026-01-24T02:00:00Z
        2026-02-25T02:00:00Z
        2026-03-24T02:00:00Z"#]]
    .assert_eq(&settled.join("\n"));
    let told = server.get("admin", "/v1/events?type=revision_bound").json();
    assert!(told["items"].as_array().unwrap().iter().all(|event| event["account"].is_null()), "{told}");
    // Whoever did it, and what was only looked at or forbidden, is in the audit log.
    let promote = "/v1/plugins/bindings:promote";
    assert_eq!(server.post("operator", promote, &accounts.to_string()).status, 403);
    let audit = server.get("admin", "/v1/audit").json()["items"].as_array().unwrap().clone();
    let text = |record: &Value, name: &str| record[name].as_str().unwrap_or_default().to_owned();
    let about = audit.iter().filter(|record| text(record, "operation").contains("/v1/plugins/"));
    let mut told = about
        .map(|record| format!("{} {}\n", text(record, "operation"), text(record, "outcome")))
        .collect::<Vec<_>>();
    told.sort();
    told.dedup();
    expect![[r#"
        POST /v1/plugins/bindings done
        POST /v1/plugins/bindings:promote done
        POST /v1/plugins/bindings:promote dry_run
        POST /v1/plugins/bindings:promote forbidden
        POST /v1/plugins/bindings:roll-back done
        POST /v1/plugins/bindings:roll-back dry_run
        POST /v1/plugins/revisions done
    "#]]
    .assert_eq(&told.concat());
    let history = server.get("viewer", "/v1/plugins/bindings/history").json();
    assert_eq!(history["items"].as_array().unwrap().iter().filter(|one| one["accounts"] == "vol").count(), 4);
}

/// The revision that decides for the account `vol`, with `new` for the digest of the late table.
fn decided_by(server: &Server, new: &str) -> String {
    let revision = server.get("viewer", "/v1/accounts/vol").json()["revision"].clone();
    let line = |revision: &Value| {
        let digest = if revision["digest"] == new { "late" } else { "bundled" };
        format!("{digest} {} {} {}", revision["name"], revision["reason"], revision["accounts"])
    };
    let shadow = if revision["shadow"].is_null() { String::new() } else { line(&revision["shadow"]) };
    format!("{} [{shadow}]", line(&revision))
}

#[test]
fn an_account_says_which_revision_decides_for_it_and_why() {
    let server = server();
    let new = install(&server);
    let bundled = "bundled \"Volcengine\" \"bundled\" \"*\"";
    assert_eq!(decided_by(&server, &new), format!("{bundled} []"));
    for (accounts, mode, told) in [
        ("v*", "shadow", format!("{bundled} [late \"Volcengine\" \"pattern\" \"v*\"]")),
        ("*", "active", "late \"Volcengine\" \"all_accounts\" \"*\" []".to_owned()),
        ("vo*", "active", "late \"Volcengine\" \"pattern\" \"vo*\" []".to_owned()),
        ("vol", "active", "late \"Volcengine\" \"account\" \"vol\" []".to_owned()),
    ] {
        let bind = json!({ "digest": new, "accounts": accounts, "mode": mode });
        change(&server, "admin", "", &bind, &new);
        assert_eq!(decided_by(&server, &new), told);
    }
    // Who is bound to accounts is told of no pattern, which may be about others.
    let own = Server::furnished().get("bound-viewer", "/v1/accounts/acme-hw").json()["revision"].clone();
    assert_eq!((&own["reason"], &own["accounts"]), (&json!("bundled"), &Value::Null));
    assert!(own["digest"].is_string(), "{own}");
}

#[test]
fn the_audit_log_names_the_revision_of_installs_and_bindings() {
    let server = server();
    let new = install(&server);
    let bind = json!({ "digest": new, "accounts": "vol", "mode": "shadow" });
    change(&server, "admin", "", &bind, &new);
    let of_vol = json!({ "provider": "volcengine", "accounts": "vol" });
    change(&server, "admin", ":promote", &of_vol, &new);
    change(&server, "operator", ":roll-back", &of_vol, &new);
    let unknown = json!({ "digest": "0123", "mode": "active" }).to_string();
    assert_eq!(server.post("admin", "/v1/plugins/bindings", &unknown).status, 422);
    let records = server.get("admin", "/v1/audit").json()["items"].as_array().unwrap().clone();
    let lines = records.iter().filter(|record| !record["revision"].is_null()).map(|record| {
        let digest = record["revision"].as_str().unwrap();
        let digest = if digest == new { "late" } else { digest };
        format!(
            "{} {}: {digest}\n",
            record["operation"].as_str().unwrap(),
            record["outcome"].as_str().unwrap()
        )
    });
    expect![[r#"
        POST /v1/plugins/bindings invalid-fields: 0123
        POST /v1/plugins/bindings:roll-back done: late
        POST /v1/plugins/bindings:promote done: late
        POST /v1/plugins/bindings done: late
        POST /v1/plugins/revisions done: late
    "#]]
    .assert_eq(&lines.collect::<String>());
}

#[test]
fn only_the_change_that_was_looked_at_is_carried_out() {
    let server = server();
    let new = install(&server);
    let path = "/v1/plugins/bindings";
    let body = |dry_run: bool| json!({ "digest": new, "mode": "active", "dry_run": dry_run }).to_string();
    let looked = server.post("admin", path, &body(true));
    let etag = looked.headers["etag"].to_str().unwrap().to_owned();
    // Somebody else binds something meanwhile, and takes it back.
    let other = json!({ "digest": new, "mode": "active", "accounts": "vol" });
    assert_eq!(server.post("admin", path, &other.to_string()).status, 200);
    let back = json!({ "provider": "volcengine", "accounts": "vol" });
    assert_eq!(server.post("admin", "/v1/plugins/bindings:roll-back", &back.to_string()).status, 200);
    let send = |etag: &str| {
        server.send("admin", "POST", path, &[&format!("if-match: {etag}")], &body(false)).status.as_u16()
    };
    assert_eq!(send(&etag), 412);
    let looked = server.post("admin", path, &body(true));
    assert_eq!(send(looked.headers["etag"].to_str().unwrap()), 200);
}

#[test]
fn an_import_is_checked_by_the_revision_that_decides_for_its_account() {
    let server = server();
    let table = TABLE.replace("[kinds.clb]", "[kinds.oracle]");
    assert_ne!(table, TABLE);
    let installed = server.post(
        "admin",
        "/v1/plugins/revisions",
        &json!({ "name": "o.toml", "table": table }).to_string(),
    );
    let digest = installed.json()["digest"].clone();
    let bind = json!({ "digest": digest, "mode": "active", "accounts": "vol" });
    let bound = server.post("admin", "/v1/plugins/bindings", &bind.to_string());
    assert_eq!(bound.status, 200, "{}", bound.body);
    let import = |kind: &str| {
        let resource = json!({ "id": "db-1", "account": "vol", "kind": kind, "region": "cn-beijing",
            "charging": "prepaid", "started_at": "2026-01-05T02:00:00Z", "expires_at": "2026-02-05T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "99.00" });
        let body = json!({ "resources": [resource], "dry_run": true });
        server.post("operator", "/v1/resources:import", &body.to_string()).status.as_u16()
    };
    assert_eq!((import("clb"), import("oracle")), (422, 200));
}

#[test]
fn what_cannot_be_bound_or_installed_is_said_and_changes_nothing() {
    let server = server();
    let before = server.get("viewer", "/v1/plugins/bindings").body;
    let refused = |path: &str, body: Value| {
        let answer = server.post("admin", path, &body.to_string());
        let problem = answer.json();
        let detail = problem["errors"][0]["detail"].as_str().or(problem["detail"].as_str()).unwrap();
        format!("{} {}\n", answer.status.as_u16(), crate::harness::masked(detail))
    };
    let list = [
        refused("/v1/plugins/bindings", json!({ "digest": "0".repeat(64), "mode": "active" })),
        refused("/v1/plugins/bindings:promote", json!({ "provider": "volcengine" })),
        refused("/v1/plugins/bindings:roll-back", json!({ "provider": "volcengine" })),
        refused("/v1/plugins/bindings:unbind", json!({ "provider": "volcengine", "mode": "active" })),
        refused("/v1/plugins/revisions", json!({ "name": "n.toml" })),
        refused("/v1/plugins/revisions", json!({ "name": "n.toml", "table": "none" })),
    ];
    expect![[r#"
        422 no revision [digest] is installed; `perennial plugin revisions` lists those that are
        404 no revision of `volcengine` is bound shadow for `*`; `perennial plugin bindings` lists what is bound, and `perennial plugin bind REVISION --mode shadow` binds one
        404 there is no change to take back for `*` of `volcengine`: none was made there, or each was taken back already; `perennial plugin history` lists them
        409 what is bound for all accounts of `volcengine` is what the host loads, and cannot be removed; bind another revision in its place
        422 it has to have either `component` or `table`
        422 describe: the table `n.toml` cannot be used; nothing of it is loaded:
          n.toml:1: it is not TOML: key with no value, expected `=`
               1 | none
    "#]].assert_eq(&list.concat());
    assert_eq!(server.get("viewer", "/v1/plugins/bindings").body, before);
}

#[test]
fn a_restarted_host_goes_on_with_the_revision_that_is_bound() {
    let server = server();
    let new = install(&server);
    change(&server, "admin", "", &json!({ "digest": new, "mode": "active" }), &new);
    let server = server.restarted();
    let plugins = server.get("viewer", "/v1/plugins").json();
    let of = |plugins: &Value| {
        let items = plugins["items"].as_array().unwrap().clone();
        items.into_iter().find(|one| one["id"] == "volcengine").unwrap()["revision"].clone()
    };
    assert_eq!(of(&plugins), new, "an operator's binding for all accounts pins them");
    let accounts = json!({ "provider": "volcengine" });
    assert_eq!(change(&server, "operator", ":roll-back", &accounts, &new), "active for *: late to bundled");
    let bindings = server.get("viewer", "/v1/plugins/bindings").json();
    let held =
        bindings["items"].as_array().unwrap().iter().find(|one| one["provider"] == "volcengine").unwrap();
    assert_eq!(held["origin"], "loaded", "what the host loads is followed again");
    // Nobody puts it in charge again by saying so twice.
    let again = server.post("operator", "/v1/plugins/bindings:roll-back", &accounts.to_string());
    assert_eq!(again.status, 404);
    assert_eq!(server.get("viewer", "/v1/plugins/bindings").json(), bindings);
}

#[test]
fn a_revision_is_tried_on_the_past_and_the_time_ahead_before_it_is_bound() {
    let server = server();
    let new = install(&server);
    server.advance("2026-01-28T00:00:00Z");
    let before = server.get("viewer", "/v1/plugins/bindings").body;
    let tried = |span: &str, at: &str| {
        let body = json!({ "revision": new, span: at });
        server.post("operator", "/v1/plugins/revisions:backtest", &body.to_string())
    };
    let past = tried("since", "2026-01-01T00:00:00Z").json();
    let ahead = tried("until", "2026-04-01T00:00:00Z").json();
    expect![[r#"
        asked 1, skipped 0, [] []
        []
    "#]]
    .assert_eq(&format!(
        "asked {}, skipped {}, {} {}\n{}\n",
        past["asked"], past["skipped"], past["totals"], past["plans"], ahead["items"]
    ));
    for (span, at) in [
        ("since", "2026-01-29T00:00:00Z"),
        ("until", "2026-01-27T00:00:00Z"),
        ("until", "2030-01-01T00:00:00Z"),
    ] {
        let refused = tried(span, at);
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["errors"][0]["field"]),
            (422, &span.into()),
            "{span} {at}"
        );
    }
    let body = json!({ "revision": new });
    assert_eq!(server.post("operator", "/v1/plugins/revisions:backtest", &body.to_string()).status, 422);
    assert_eq!(server.get("viewer", "/v1/plugins/bindings").body, before, "nothing is bound");
}
