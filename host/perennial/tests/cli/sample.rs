//! The inventory and the scenario that the tests of the command line share.

use crate::support::Folder;

pub const INVENTORY: &str = r#"{
  "accounts": [
    { "id": "acme-hw", "provider": "huawei", "mode": "managed", "currency": "CNY", "balance": "260.00",
      "settings": { "site": "intl" } },
    { "id": "acme-bd", "provider": "baidu", "mode": "managed", "currency": "CNY", "balance": "5.00" }
  ],
  "resources": [
    { "id": "ecs-1", "account": "acme-hw", "kind": "ecs", "region": "cn-north-4", "charging": "prepaid",
      "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z", "anchor_day": 31,
      "term": { "count": 1, "unit": "month" }, "price": "99.00", "on_expiry": "renew" },
    { "id": "evs-1", "account": "acme-hw", "kind": "evs", "region": "cn-north-4", "charging": "prepaid",
      "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z", "anchor_day": 31,
      "term": { "count": 1, "unit": "month" }, "price": "10.00", "on_expiry": "renew", "attached_to": "ecs-1" },
    { "id": "pkg-1", "account": "acme-hw", "kind": "package", "region": "cn-north-4", "charging": "prepaid",
      "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-31T15:59:59Z",
      "term": { "count": 1, "unit": "month" }, "price": "20.00",
      "quota": "10.0", "used": "0.0", "unit": "vCPU-hour", "resource_type": "cci" },
    { "id": "rds-1", "account": "acme-hw", "kind": "rds", "region": "cn-north-4", "charging": "prepaid",
      "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-02-05T15:59:59Z",
      "term": { "count": 1, "unit": "month" }, "price": "30.00", "on_expiry": "convert" },
    { "id": "bcc-1", "account": "acme-bd", "kind": "bcc", "region": "bj", "charging": "prepaid",
      "started_at": "2025-12-31T02:00:00Z", "expires_at": "2026-01-25T04:00:00Z",
      "term": { "count": 1, "unit": "month" }, "price": "60.00", "on_expiry": "renew" }
  ]
}"#;

pub const SCENARIO: &str = r#"[
  { "at": "2026-01-12T00:00:00Z", "do": "use", "account": "acme-hw", "resource_type": "cci", "amount": "8.5" },
  { "at": "2026-01-13T00:00:00Z", "do": "use", "account": "acme-hw", "resource_type": "cci", "amount": "12.5" },
  { "at": "2026-01-14T00:00:00Z", "do": "set_attribute", "resource": "bcc-1", "name": "status", "value": "scaling" },
  { "at": "2026-01-15T00:00:00Z", "do": "command", "resource": "evs-1",
    "command": { "renew": { "term": { "count": 1, "unit": "month" } } } },
  { "at": "2026-01-16T00:00:00Z", "do": "command", "resource": "pkg-1",
    "command": { "buy_again": { "pay_at": null, "effective_at": null } } },
  { "at": "2026-01-17T00:00:00Z", "do": "top_up", "account": "acme-hw", "amount": "500.00" },
  { "at": "2026-01-18T00:00:00Z", "do": "outage", "until": "2026-01-20T12:00:00Z" },
  { "at": "2026-02-01T00:00:00Z", "do": "command", "resource": "ecs-1", "command": { "unsubscribe": { "scope": "all" } } }
]"#;

pub const WINDOW: [&str; 4] = ["--from", "2026-01-10T00:00:00Z", "--until", "2026-03-10T00:00:00Z"];

/// A folder with an inventory and a scenario.
pub fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("inventory.json", INVENTORY);
    folder.write("scenario.json", SCENARIO);
    folder
}

/// The words of a simulation of them.
pub fn simulate<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["simulate", "--inventory", "inventory.json", "--scenario", "scenario.json"], &WINDOW[..], more]
        .concat()
}
