//! The bundle of a case: what it states, and defaults for everything else, read like an inventory.

use std::collections::BTreeMap;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::manifest::Manifest;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::super::Problems;
use super::super::inventory;
use super::super::inventory::CheckSettings;
use super::super::inventory::NoRecords;
use super::super::json_cursor::JsonCursor;

/// The id of the account of every case.
const ACCOUNT: &str = "account";

/// The file as a value.
///
/// # Errors
///
/// Never for what was TOML.
pub(super) fn document(json: &str) -> Result<Value, Problems> {
    serde_json::from_str(json).map_err(|error| Problems::unreadable("the file".to_owned(), error.to_string()))
}

/// The account and the bundle of a case; what is wrong with them is reported.
pub(super) fn world(
    case: &Value,
    cursor: &JsonCursor<'_, '_>,
    manifest: &Manifest,
    check: &CheckSettings<'_>,
) -> Option<(Account, Bundle)> {
    let Some(given) = case["resources"].as_array().filter(|list| list.iter().all(Value::is_object)) else {
        cursor.report(
            "a case has `resources`, a list of tables such as `[{ expires_at = \"2026-03-10T12:00:00Z\" }]`",
        );
        return None;
    };
    let resources = given
        .iter()
        .enumerate()
        .filter_map(|(index, given)| Some(resource(index, given.as_object()?, manifest)));
    let settings = case.get("settings").cloned().unwrap_or_else(|| json!({}));
    let inventory = json!({
        "accounts": [{
            "id": ACCOUNT,
            "provider": manifest.id,
            "mode": "managed",
            "currency": "CNY",
            "balance": "1000000.00",
            "settings": settings,
        }],
        "resources": resources.collect::<Vec<_>>(),
    });
    let manifests = BTreeMap::from([(manifest.id.clone(), manifest)]);
    let read = inventory::read(&inventory.to_string(), &manifests, check, &NoRecords);
    let mut inventory = match read {
        Ok(inventory) => inventory,
        Err(problems) => {
            for problem in problems.list() {
                let index = problem.path.replace("accounts[0].settings", "settings");
                cursor.report(format!("{index}: {}", problem.message));
            }
            return None;
        }
    };
    if inventory.bundles.len() != 1 {
        let bundles = inventory.bundles.len();
        cursor.report(format!(
            "a case is about one bundle, and this one has {bundles}: say what is attached to what"
        ));
        return None;
    }
    Some((inventory.accounts.pop()?, inventory.bundles.pop()?.bundle))
}

/// A resource with everything that an inventory wants of it.
fn resource(index: usize, given: &Map<String, Value>, manifest: &Manifest) -> Value {
    let mut resource = given.clone();
    let mut default = |name: &str, value: Value| {
        resource.entry(name).or_insert(value);
    };
    default("id", format!("r-{}", index + 1).into());
    default("account", ACCOUNT.into());
    let kinds = manifest.kinds.iter().filter(|(_, kind)| !kind.is_package).map(|(name, _)| name);
    if let Some(kind) = kinds.clone().next().filter(|_| kinds.count() == 1) {
        default("kind", kind.as_str().into());
    }
    default("charging", "prepaid".into());
    default("started_at", "2020-01-01T00:00:00Z".into());
    if resource["charging"] == "prepaid" {
        let mut default = |name: &str, value: Value| {
            resource.entry(name).or_insert(value);
        };
        default("term", json!({ "count": 1, "unit": "month" }));
        default("price", "100.00".into());
    }
    resource.into()
}
