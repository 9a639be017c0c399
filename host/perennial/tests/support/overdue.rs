//! Databases with everything long overdue: resources of 2024, imported on virtual time. Each of them has come to an end by
//! the time that anybody runs this, so what time it really is changes nothing.

use std::path::PathBuf;

use perennial_domain::timestamp::Timestamp;
use perennial_engine::Engine;
use perennial_engine::Retention;
use perennial_store::Store;

use crate::support::Folder;

/// 2024-01-01T00:00:00Z, when everything begins.
const FROM: &str = "2024-01-01T00:00:00Z";

/// Bundles of both providers, of which some are renewed until the money is gone.
fn inventory(bundles: u32) -> String {
    let mut resources = Vec::new();
    for number in 0..bundles {
        let (account, kind, along) =
            if number % 2 == 0 { ("hw", "ecs", "evs") } else { ("bd", "bcc", "cds") };
        let on_expiry = if number % 5 == 4 { "lapse" } else { "renew" };
        let resource = |id: String, kind: &str, price: u32, attached_to: serde_json::Value| {
            serde_json::json!({
                "id": id, "account": account, "kind": kind, "region": "r", "charging": "prepaid",
                "started_at": "2023-10-01T00:00:00Z", "expires_at": format!("2024-01-{:02}T10:00:00Z", 2 + 2 * (number % 12)),
                "term": { "count": 1 + number % 3, "unit": "month" }, "price": format!("{price}.00"),
                "on_expiry": on_expiry, "attached_to": attached_to,
            })
        };
        let id = format!("{kind}-{number}");
        resources.push(resource(format!("{along}-{number}"), along, 5 + number, id.clone().into()));
        resources.push(resource(id, kind, 20 + number, serde_json::Value::Null));
    }
    let account = |id: &str, provider: &str| serde_json::json!({ "id": id, "provider": provider, "mode": "managed", "currency": "CNY", "balance": "900.00" });
    serde_json::json!({ "accounts": [account("hw", "huawei"), account("bd", "baidu")], "resources": resources }).to_string()
}

/// A database of so many bundles in which everything since 2024 is overdue; `ticked` says that the clock was up in the
/// beginning.
pub fn database(folder: &Folder, bundles: u32, name: &str, ticked: bool) -> PathBuf {
    let path = folder.path(name);
    let providers = folder.providers();
    let inventory = folder.read_inventory(&inventory(bundles), &providers);
    let from = FROM.parse::<Timestamp>().unwrap();
    // Without the lock that keeps others out: a process that another test is just starting would inherit it.
    let mut engine = Engine::new(Store::scratch(&path).unwrap(), providers, Retention::Everything);
    let bundles = inventory.bundles.iter().map(|imported| (imported.account.as_str(), &imported.bundle));
    engine.import(from, &inventory.accounts, bundles).unwrap();
    if ticked {
        engine.run_to(from + 3600, &mut |_, _| {}).unwrap();
    }
    path
}
