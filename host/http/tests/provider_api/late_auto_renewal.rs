//! Auto-renew that is turned on after the last try of a bundle, whose members expire at instants of their own.

use perennial_test_support::provider_server::Server;
use serde_json::json;

#[test]
fn every_member_whose_tries_have_passed_is_renewed_at_once() {
    let resource = |id: &str, kind: &str, time: &str, attached_to: Option<&str>| {
        json!({
            "id": id, "account": "acme", "kind": kind, "region": "r", "charging": "prepaid",
            "started_at": "2026-02-01T02:00:00Z", "expires_at": format!("2026-03-15T{time}Z"),
            "term": { "count": 1, "unit": "month" }, "price": "10.00", "attached_to": attached_to,
        })
    };
    let inventory = json!({
        "accounts": [{ "id": "acme", "provider": "huawei", "currency": "CNY", "balance": "1000.00" }],
        "resources": [
            resource("server", "ecs", "15:59:59", None),
            resource("disk", "evs", "12:00:00", Some("server")),
            resource("follower", "evs", "15:59:59", Some("server")),
        ],
    });
    let server = Server::start("huawei", "2026-03-15T06:00:00Z", &inventory);
    let answer = server.post_to_admin("/v1/resources/server:set-auto-renew", &json!({}));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let settled = |resource: &str| {
        let events = server.events();
        events.iter().filter(|event| event.contains(&format!(" renewal_settled acme {resource} "))).count()
    };
    assert_eq!([settled("server"), settled("disk"), settled("follower")], [1, 1, 1]);
}
