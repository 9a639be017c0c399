//! The page of an account: its money day by day, and of a connected one what is known of its cloud.

use perennial_service::connections::Connections;
use perennial_test_support::provider_server::Server as Cloud;
use serde_json::json;

use crate::browser::Browser;
use crate::browser::served;
use crate::browser::with_console;
use crate::harness::START;
use crate::harness::Server;

#[test]
fn the_newest_entries_and_every_day_of_a_long_ledger_are_shown() {
    let server = served();
    for day in 1..=3 {
        for _ in 0..50 {
            let answer = server.post("operator", "/v1/accounts/acme-hw:top-up", r#"{"amount": "1.00"}"#);
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        server.advance(&format!("2026-01-{:02}T00:00:00Z", day + 1));
    }
    let days = server.get("viewer", "/v1/accounts/acme-hw/balances").json()["items"].clone();
    let balances = days.as_array().unwrap().iter().map(|day| day["balance"].as_str().unwrap());
    assert_eq!(balances.collect::<Vec<_>>(), ["550.00", "600.00", "650.00"]);
    let newest = server.get("viewer", "/v1/accounts/acme-hw/ledger?order=newest&limit=2").json();
    assert_eq!(newest["items"][0]["at"], "2026-01-03T00:00:00Z");
    let cursor = newest["next_cursor"].as_str().unwrap();
    let path = format!("/v1/accounts/acme-hw/ledger?order=newest&limit=1000&cursor={cursor}");
    assert_eq!(server.get("viewer", &path).json()["items"].as_array().unwrap().len(), 149);
    let page = Browser::signed_in(&server, "viewer").page("/accounts/acme-hw");
    let (_, ledger) = page.split_once("id=\"ledger\"").unwrap();
    assert_eq!(ledger.matches("datetime=\"2026-01-03T00:00:00Z\"").count(), 50, "{ledger}");
    assert!(!ledger.contains("datetime=\"2026-01-01T00:00:00Z\"") && ledger.contains("100"), "{ledger}");
    assert!(ledger.contains("2026-01-01 00:00 UTC"), "the curve begins with the first day: {ledger}");
}

#[test]
fn an_account_says_what_its_months_ahead_cost() {
    let server = served();
    let mut viewer = Browser::signed_in(&server, "viewer");
    let page = viewer.page("/accounts/acme-hw");
    let link = "/forecast?account=acme-hw&amp;months=6";
    assert!(page.contains(&format!("href=\"{link}\"")), "it works without script: {page}");
    assert!(page.contains(&format!("data-load=\"{link}&amp;part=account\"")), "{page}");
    let part = viewer.page("/forecast?account=acme-hw&months=6&part=account");
    assert!(
        part.contains("aria-label=\"balance of acme-hw: 500.00 at the start") && part.contains("2026-06"),
        "{part}"
    );
    assert!(!part.contains("<html") && !part.contains("beta-bd"), "{part}");
}

/// A server with an account that is connected to a cloud with one server, and driven.
fn connected() -> (Server, Cloud) {
    let server = with_console(Server::furnished());
    let open = Connections { allow_private: true, ..Connections::DEFAULT };
    server.host.service().configure_connections(open).unwrap();
    let inventory = json!({
        "accounts": [{ "id": "larkspur", "provider": "huawei", "currency": "CNY", "balance": "500.00" }],
        "resources": [{ "id": "srv-1", "account": "larkspur", "kind": "ecs", "charging": "prepaid",
            "region": "cn-north-4", "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
            "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "lapse" }],
    });
    let cloud = Cloud::start("huawei", START, &inventory);
    let key = cloud.key("larkspur");
    let connection = json!({
        "account": "larkspur", "provider": "huawei", "access_key": key.access_key, "secret": key.secret,
        "endpoint": format!("http://{}/", cloud.listen()), "settings": { "site": "cn" },
        "grants": ["list-resources", "list-orders", "quote-renewals", "read-balance"],
    });
    let answer = server.post("admin", "/v1/connections", &connection.to_string());
    assert_eq!(answer.status, 201, "{}", answer.body);
    for _ in 0..2 {
        let answer = server.post("admin", "/v1/connections/larkspur:sync", "{}");
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    (server, cloud)
}

#[test]
fn a_connected_account_says_who_drives_and_what_is_under_way() {
    let (server, _cloud) = connected();
    let page = Browser::signed_in(&server, "viewer").page("/accounts/larkspur");
    assert!(page.contains("nobody: it is only watched") && page.contains("4 of "), "{page}");
    assert!(page.contains("1 resource that nothing renews."), "{page}");
    let driven = server.post("admin", "/v1/connections/larkspur:drive", r#"{"driver": "host"}"#);
    assert_eq!(driven.status, 200, "{}", driven.body);
    assert_eq!(server.post("operator", "/v1/resources/srv-1:renew", "{}").status, 202);
    let mut operator = Browser::signed_in(&server, "operator");
    let page = operator.page("/accounts/larkspur");
    assert!(page.contains("this host") && page.contains("action=\"/calls/1/resolve\""), "{page}");
    assert!(!page.contains("/top-up\""), "its provider keeps its balance: {page}");
    assert!(operator.page("/accounts/acme-hw").contains("/accounts/acme-hw/top-up\""));
    let fields = [("decision", "give_up"), ("account", "larkspur"), ("reason", "bought elsewhere")];
    let page = operator.follow("/accounts/larkspur", "/calls/1/resolve", &fields);
    assert!(page.contains("Saved.") && !page.contains("/calls/1/resolve"), "{page}");
    let page = Browser::signed_in(&server, "viewer").in_chinese().page("/accounts/larkspur");
    assert!(page.contains("云服务商侧") && !page.contains("<form class=\"act\""), "{page}");
}

#[test]
fn an_account_says_what_is_left_of_its_budget_as_the_api_does() {
    let server = served();
    let budget = r#"{"budget": "150.00"}"#;
    assert_eq!(server.send("admin", "PATCH", "/v1/accounts/acme-hw", &[], budget).status, 200);
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:renew", "{}").status, 200);
    let left = || {
        let account = server.get("viewer", "/v1/accounts/acme-hw").json();
        ["budget", "budget_spent", "budget_left"].map(|name| account[name].as_str().unwrap_or("-").to_owned())
    };
    let [limit, spent, rest] = left();
    assert_eq!((&*limit, &*spent, &*rest), ("150.00", "99.00", "51.00"));
    let listed = server.get("viewer", "/v1/accounts").json();
    assert_eq!(listed["items"][0]["budget_left"], "51.00");
    let mut viewer = Browser::signed_in(&server, "viewer");
    let page = viewer.page("/accounts/acme-hw");
    for said in ["Spent of the month", "99.00", "Left of the month", "51.00"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(viewer.page("/accounts").contains("51.00"));
    // The month is the provider's: in Beijing, February begins eight hours before it does in UTC.
    server.advance("2026-01-31T15:59:59Z");
    assert_eq!(left()[1], "99.00");
    server.advance("2026-01-31T16:00:00Z");
    assert_eq!(left()[1], "0.00");
    assert_eq!(server.send("admin", "PATCH", "/v1/accounts/acme-hw", &[], r#"{"budget": null}"#).status, 200);
    assert_eq!(left(), ["-", "-", "-"].map(str::to_owned));
}

#[test]
fn the_hosts_own_settings_are_shown_with_their_meaning_and_chosen() {
    let server = served();
    let path = "/accounts/acme-hw";
    let page = Browser::signed_in(&server, "viewer").in_chinese().page(path);
    assert!(page.contains("on_undecided") && page.contains("自动续费的审批无人及时决定时如何处理"), "{page}");
    assert!(!page.contains("name=\"setting."), "{page}");
    let mut admin = Browser::signed_in(&server, "admin");
    let page = admin.page(path);
    assert!(
        page.contains("name=\"setting.on_policy_failure\"") && page.contains("value=\"require_approval\""),
        "{page}"
    );
    let settings = || server.get("admin", "/v1/accounts/acme-hw").json()["settings"].clone();
    let form = "/accounts/acme-hw/settings";
    let page =
        admin.follow(path, form, &[("setting.on_undecided", "renew"), ("setting.on_policy_failure", "deny")]);
    assert_eq!(settings(), json!({ "on_policy_failure": "deny", "on_undecided": "renew" }));
    assert!(page.contains("value=\"deny\" selected"), "{page}");
    admin.follow(path, form, &[("setting.on_undecided", "renew"), ("setting.on_policy_failure", "")]);
    assert_eq!(settings(), json!({ "on_undecided": "renew" }));
}
