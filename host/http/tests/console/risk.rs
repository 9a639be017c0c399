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
