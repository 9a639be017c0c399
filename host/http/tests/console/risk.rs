//! What the first page says is at risk: what is lost next, and why.

use perennial_service::limits::Limits;
use serde_json::Value;
use serde_json::json;

use crate::browser::Browser;
use crate::browser::served;
use crate::browser::with_console;
use crate::harness::Server;

#[test]
fn today_shows_what_is_lost_next_first() {
    let server = served();
    server.advance("2026-02-02T00:00:00Z");
    // `bcc-1` lapsed without renewal; `ecs-1` was renewed.
    let risk = at_risk(&server);
    assert!(risk.contains("bcc-1") && !risk.contains("ecs-1"), "{risk}");
}

/// What stands on the first page as at risk.
pub(crate) fn at_risk(server: &Server) -> String {
    let page = Browser::signed_in(server, "viewer").page("/");
    let (_, risk) = page.split_once("id=\"at-risk\"").unwrap();
    risk.split_once("</section>").unwrap().0.to_owned()
}

#[test]
fn a_renewal_without_money_is_at_risk_before_the_expiry() {
    let server = with_console(Server::with(Limits::DEFAULT));
    let resource = |id: &str, price: &str, expires_at: &str, renews: bool| {
        json!({
            "id": id, "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
            "started_at": "2025-12-31T02:00:00Z", "expires_at": expires_at, "term": { "count": 1, "unit": "month" },
            "price": price, "on_expiry": if renews { "renew" } else { "lapse" },
        })
    };
    let inventory = json!({
        "accounts": [{ "id": "acme-hw", "provider": "huawei", "currency": "CNY", "balance": "50.00" }],
        "resources": [
            resource("ecs-dear", "99.00", "2026-01-31T15:59:59Z", true),
            resource("ecs-cheap", "10.00", "2026-01-31T15:59:59Z", true),
            resource("ecs-lapsed", "5.00", "2026-01-20T15:59:59Z", false),
        ],
    });
    assert_eq!(server.post("admin", "/v1/resources:import", &inventory.to_string()).status, 200);
    let lacks_money = "there is not enough money for its renewal";
    // Before the first try, and after the first that was declined.
    for now in ["2026-01-23T17:00:00Z", "2026-01-28T00:00:00Z"] {
        server.advance(now);
        let risk = at_risk(&server);
        let [dear, lapsed] = ["ecs-dear", "ecs-lapsed"].map(|id| risk.find(id).unwrap());
        assert!(dear < lapsed, "the greatest loss is not the first, at {now}: {risk}");
        assert_eq!(risk.matches(lacks_money).count(), 1, "at {now}: {risk}");
        assert!(!risk.contains("ecs-cheap"), "at {now}: {risk}");
    }
}

/// A server that was imported into, with a resource of each `(id, price)` that renews itself and expires at the end of
/// January.
fn with_renewals(balance: &str, resources: &[(&str, &str)]) -> Server {
    let server = with_console(Server::with(Limits::DEFAULT));
    let resources = resources.iter().map(|(id, price)| {
        json!({
            "id": id, "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
            "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": price, "on_expiry": "renew",
        })
    });
    let account = json!({ "id": "acme-hw", "provider": "huawei", "currency": "CNY", "balance": balance });
    let inventory = json!({ "accounts": [account], "resources": resources.collect::<Value>() });
    let answer = server.post("admin", "/v1/resources:import", &inventory.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    server
}

/// The row of a resource in a table.
fn row<'a>(table: &'a str, id: &str) -> Option<&'a str> {
    let rows = table.split("<tr").find(|row| row.contains(&format!(">{id}</a>")))?;
    Some(rows)
}

#[test]
fn what_a_policy_denies_or_holds_is_at_risk_before_it_expires() {
    let server =
        with_renewals("9000.00", &[("ecs-denied", "99.00"), ("ecs-held", "80.00"), ("ecs-fine", "10.00")]);
    let script = "fn rule(plan) {\n    switch plan.resource.id {\n        \"ecs-denied\" => deny(\"not needed\"),\n        \
        \"ecs-held\" => require_approval(\"look first\"),\n        _ => approve(),\n    }\n}\n";
    for (mode, shown) in [("shadow", false), ("active", true)] {
        let file = format!("[[policy]]\nname = \"careful\"\nscript = \"c.rhai\"\nmode = \"{mode}\"\n");
        let policy = json!({ "file": file, "scripts": { "c.rhai": script } });
        let answer = server.post("admin", "/v1/policies", &policy.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
        if !shown {
            server.advance("2026-01-02T00:00:00Z");
            continue;
        }
        server.advance("2026-01-30T00:00:00Z");
        let risk = at_risk(&server);
        let why = |id: &str| row(&risk, id).unwrap_or_else(|| panic!("no {id} in {risk}")).to_owned();
        assert!(why("ecs-denied").contains("a policy denied its renewal"), "{risk}");
        assert!(why("ecs-held").contains("its renewal waits for an approval"), "{risk}");
        assert!(row(&risk, "ecs-fine").is_none(), "{risk}");
        assert!(
            risk.find("ecs-denied") < risk.find("ecs-held"),
            "the greatest loss is not the first: {risk}"
        );
        let page = Browser::signed_in(&server, "viewer").page("/resources/ecs-denied");
        assert!(page.contains("class=\"bad\">policy ruled"), "{page}");
    }
    let page = Browser::signed_in(&server, "viewer").in_chinese().page("/");
    assert!(page.contains("策略拒绝了续费") && page.contains("续费等待审批"), "{page}");
    // Approved and renewed, it is at risk no more; the other one still is.
    let plan = server.get("admin", "/v1/approvals?state=pending").json()["items"][0].clone();
    let (id, hash) = (plan["id"].as_str().unwrap(), &plan["plan"]["plan_hash"]);
    let decision = json!({ "plan_hash": hash }).to_string();
    assert_eq!(server.post("approver", &format!("/v1/approvals/{id}:approve"), &decision).status, 200);
    let risk = at_risk(&server);
    assert!(row(&risk, "ecs-held").is_none() && row(&risk, "ecs-denied").is_some(), "{risk}");
}

#[test]
fn what_nobody_decided_on_is_at_risk_still() {
    let server = with_renewals("9000.00", &[("ecs-held", "80.00")]);
    let limit = r#"{"approval_above": "50.00"}"#;
    assert_eq!(server.send("admin", "PATCH", "/v1/accounts/acme-hw", &[], limit).status, 200);
    server.advance("2026-01-30T00:00:00Z");
    assert!(at_risk(&server).contains("its renewal waits for an approval"));
    let pending = server.get("admin", "/v1/approvals?state=pending").json()["items"][0].clone();
    let after = pending["expires_at"].as_str().unwrap().parse::<perennial_domain::timestamp::Timestamp>();
    server.advance(&(after.unwrap() + 1).to_string());
    let stage = server.get("admin", "/v1/resources/ecs-held").json()["stage"].clone();
    let risk = at_risk(&server);
    let expected = if stage == "active" { "nobody decided on it" } else { "expired, and is stopped next" };
    assert!(risk.contains(expected), "{stage}: {risk}");
}

#[test]
fn the_greatest_losses_are_shown_of_more_than_fit() {
    let prices = (0..60).map(|number| (format!("ecs-{number:02}"), format!("{}.00", 100 + number)));
    let prices = prices.collect::<Vec<_>>();
    let named = prices.iter().map(|(id, price)| (id.as_str(), price.as_str())).collect::<Vec<_>>();
    let server = with_renewals("0.00", &named);
    server.advance("2026-02-03T00:00:00Z");
    let risk = at_risk(&server);
    assert!(risk.contains("More than 25 resources, the greatest loss first"), "{risk}");
    assert!(row(&risk, "ecs-59").is_some() && row(&risk, "ecs-35").is_some(), "{risk}");
    assert!(row(&risk, "ecs-34").is_none() && risk.find("ecs-59") < risk.find("ecs-58"), "{risk}");
}

/// A server that was imported into, with one account of a provider and these resources.
fn with_resources(provider: &str, balance: &str, resources: &Value) -> Server {
    let server = with_console(Server::with(Limits::DEFAULT));
    let account = json!({ "id": "acme", "provider": provider, "currency": "CNY", "balance": balance });
    let inventory = json!({ "accounts": [account], "resources": resources });
    let answer = server.post("admin", "/v1/resources:import", &inventory.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    server
}

/// A resource by the month, with `others` of its fields.
fn monthly(id: &str, kind: &str, expires_at: &str, others: Value) -> Value {
    let mut resource = json!({
        "id": id, "account": "acme", "kind": kind, "region": "bj", "charging": "prepaid",
        "started_at": "2025-12-31T02:00:00Z", "expires_at": expires_at,
        "term": { "count": 1, "unit": "month" }, "price": "45.00", "on_expiry": "lapse",
    });
    resource.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    resource
}

#[test]
fn an_attached_resource_that_nothing_renews_is_at_risk() {
    let unprotected = "expires soon, and nothing renews it";
    let resources = json!([
        monthly("app", "bcc", "2026-03-31T15:59:59Z", json!({ "attributes": { "status": "running" } })),
        monthly("app-data", "cds", "2026-01-31T15:59:59Z", json!({ "attached_to": "app" })),
    ]);
    let server = with_resources("baidu", "900.00", &resources);
    server.advance("2026-01-31T09:00:00Z");
    let risk = at_risk(&server);
    assert!(row(&risk, "app-data").is_some_and(|row| row.contains(unprotected)), "{risk}");
    assert!(row(&risk, "app").is_none(), "{risk}");
    // What is renewed with what it is attached to is no loss, also where it would expire before that.
    let resources = json!([
        monthly("web", "ecs", "2026-01-31T15:59:59Z", json!({ "on_expiry": "renew" })),
        monthly("web-same", "evs", "2026-01-31T15:59:59Z", json!({ "attached_to": "web" })),
        monthly("web-early", "evs", "2026-01-30T15:59:59Z", json!({ "attached_to": "web" })),
        monthly("web-lost", "evs", "2026-01-24T02:59:59Z", json!({ "attached_to": "web" })),
    ]);
    let server = with_resources("huawei", "9000.00", &resources);
    server.advance("2026-01-23T17:00:00Z");
    let tried = server.get("viewer", "/v1/resources/web/timeline").json()["items"][0].clone();
    assert_eq!((&tried["action"], &tried["resource"]), (&"try_renewal".into(), &"web".into()), "{tried}");
    let risk = at_risk(&server);
    for (id, is_lost) in [("web", false), ("web-same", false), ("web-early", false)] {
        assert_eq!(row(&risk, id).is_some(), is_lost, "{id}: {risk}");
    }
    server.advance("2026-01-24T00:00:00Z");
    assert!(row(&at_risk(&server), "web").is_none());
}

#[test]
fn what_is_tried_this_week_without_money_is_at_risk() {
    let renews = json!({ "on_expiry": "renew" });
    let resources = json!([
        monthly("soon", "ecs", "2026-02-05T15:59:59Z", renews.clone()),
        monthly("later", "ecs", "2026-02-08T15:59:59Z", renews.clone()),
        monthly("much-later", "ecs", "2026-02-20T15:59:59Z", renews),
    ]);
    let server = with_resources("huawei", "44.00", &resources);
    server.advance("2026-01-23T17:00:00Z");
    let risk = at_risk(&server);
    let lacks_money = "there is not enough money for its renewal";
    assert!(row(&risk, "soon").is_some_and(|row| row.contains(lacks_money)), "{risk}");
    assert!(row(&risk, "later").is_none() && row(&risk, "much-later").is_none(), "{risk}");
    server.post("operator", "/v1/accounts/acme:top-up", r#"{"amount": "2.00"}"#);
    assert!(row(&at_risk(&server), "soon").is_none(), "it is covered");
}

#[test]
fn a_package_that_ends_or_is_used_up_is_at_risk_unless_another_follows() {
    let package = |id: &str, kind: &str, used: &str, expires_at: &str| {
        let of_package = json!({ "quota": "100.0", "used": used, "unit": "GB", "resource_type": kind });
        monthly(id, "package", expires_at, of_package)
    };
    let resources = json!([
        package("ends", "cci", "70.0", "2026-01-25T15:59:59Z"),
        package("used-up", "lts", "100.0", "2026-06-30T15:59:59Z"),
        package("followed", "obs", "99.0", "2026-01-25T15:59:59Z"),
        package("follows", "obs", "0.0", "2026-06-30T15:59:59Z"),
    ]);
    let server = with_resources("huawei", "900.00", &resources);
    server.advance("2026-01-23T17:00:00Z");
    let risk = at_risk(&server);
    let ends = "the package ends soon, and no other follows";
    let used_up = "the package is used up, and no other is left";
    assert!(row(&risk, "ends").is_some_and(|row| row.contains(ends)), "{risk}");
    assert!(row(&risk, "used-up").is_some_and(|row| row.contains(used_up)), "{risk}");
    assert!(row(&risk, "followed").is_none() && row(&risk, "follows").is_none(), "{risk}");
    server.advance("2026-01-26T00:00:00Z");
    let page = Browser::signed_in(&server, "operator").page("/renewals");
    let (_, packages) = page.split_once("id=\"packages\"").unwrap();
    let row = row(packages, "ends").unwrap();
    assert!(row.contains("data-label=\"Stage\"") && row.contains("released"), "{row}");
}

#[test]
fn what_has_expired_says_when_it_is_stopped_or_released() {
    let server = served();
    server.advance("2026-02-02T00:00:00Z");
    let timeline = server.get("viewer", "/v1/resources/bcc-1/timeline").json();
    let ahead = timeline["items"].as_array().unwrap().clone();
    let released = ahead.into_iter().find(|one| one["stage"] == "released").unwrap();
    let risk = at_risk(&server);
    let row = row(&risk, "bcc-1").unwrap();
    let at = released["at"].as_str().unwrap();
    assert!(row.contains(&format!("stopped, and is released next: <time datetime=\"{at}\"")), "{row}");
}
