//! Writes an inventory. Knows the file format and makes no decision.

use std::fmt::Write;

use perennial_domain::account::Account;

use super::ImportedBundle;
use super::Inventory;
use crate::json_value;
use crate::json_value::JsonValue;
use crate::resource;

/// The inventory as a file that [`read`](super::read) reads, one account or resource per line.
///
/// Money that is held is written as available, and a package as bought when it starts: the file has no word for either.
pub fn write(inventory: &Inventory) -> String {
    let accounts = inventory.accounts.iter().map(account);
    let resources = inventory.bundles.iter().flat_map(resources);
    format!("{{\"accounts\": [{}],\n\"resources\": [{}]}}\n", lines(accounts), lines(resources))
}

fn lines<'a>(values: impl Iterator<Item = JsonValue<'a>>) -> String {
    let mut lines = String::new();
    for (index, value) in values.enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(lines, "{comma}\n{value}").expect("a string takes any text");
    }
    lines
}

fn account(account: &Account) -> JsonValue<'_> {
    json_value::object([
        ("id", (&account.id).into()),
        ("provider", (&account.provider).into()),
        ("mode", account.mode.name().into()),
        ("currency", (&account.currency).into()),
        ("balance", (account.balance.available() + account.balance.held()).into()),
        ("settings", (&account.settings).into()),
        ("approval_above", account.approval_above.into()),
        ("budget", account.budget.into()),
    ])
}

fn resources(imported: &ImportedBundle) -> impl Iterator<Item = JsonValue<'_>> {
    let bundle = &imported.bundle;
    bundle.members.iter().map(|member| {
        let attached_to = member.attached_to.map(|index| bundle[index].id.as_str());
        let mut fields = resource::fields(member, attached_to.into());
        fields.push(("account", (&imported.account).into()));
        JsonValue::Object(fields)
    })
}
