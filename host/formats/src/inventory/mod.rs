//! Inventories: the accounts and resources that `import` and `simulate` read.
//!
//! Knows the file and whether it makes sense as a whole: accounts here, resources in `resource`, what is attached to
//! what in `attachment`. Does not know any provider's rules: the manifests and the settings check are arguments.

mod account;
mod attachment;
mod resource;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::manifest::Manifest;

use super::Problems;
use super::diagnostics::Diagnostics;
use super::diagnostics::Path;
use super::json_cursor::JsonCursor;
use super::json_tree;
use account::Accounts;

pub use write::write;

/// What an inventory file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// In the order of their ids.
    pub accounts: Vec<Account>,
    /// In the order of their accounts and, within one, of their primaries' ids.
    pub bundles: Vec<ImportedBundle>,
}

/// A bundle of an inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedBundle {
    /// The id of the account it belongs to; in the inventory, or known before.
    pub account: String,
    /// The primary and whatever is attached to it.
    pub bundle: Bundle,
}

/// What exists already where an inventory is imported into.
pub trait ExistingRecords {
    /// The provider of an account that exists; asked at most once for each account that the file names.
    fn provider_of(&self, account: &str) -> Option<String>;

    /// Whether a resource of this id exists, in whichever account.
    fn has_resource(&self, resource: &str) -> bool;

    /// Whether an error message may reveal to the importer that a resource of this id exists.
    fn can_show_resource(&self, resource: &str) -> bool {
        self.has_resource(resource)
    }
}

/// Nothing exists yet.
#[derive(Clone, Copy, Debug)]
pub struct NoRecords;

impl ExistingRecords for NoRecords {
    fn provider_of(&self, _account: &str) -> Option<String> {
        None
    }

    fn has_resource(&self, _resource: &str) -> bool {
        false
    }
}

/// Checks an account's settings: every problem in words, or why the provider's plugin could not say.
///
/// Takes the provider's id and the settings. Asked once for every different pair.
pub type CheckSettings<'c> = dyn Fn(&str, &BTreeMap<String, String>) -> Result<Vec<String>, String> + 'c;

/// Reads an inventory; `manifests` are those of the loaded plugins, by provider id.
///
/// # Errors
///
/// Every problem of the file, each with its path.
pub fn read(
    text: &str,
    manifests: &BTreeMap<String, &Manifest>,
    check_settings: &CheckSettings<'_>,
    existing: &dyn ExistingRecords,
) -> Result<Inventory, Problems> {
    let problems = Diagnostics::default();
    let root = json_tree::parse(text, &problems)?;
    let inventory = read_root(
        JsonCursor { node: &root, path: Path::Root, diagnostics: &problems },
        manifests,
        check_settings,
        existing,
    );
    problems.finish(inventory)
}

/// Reads one account, such as an inventory has in its list.
pub fn account<'n>(
    cursor: JsonCursor<'n, '_>,
    manifests: &BTreeMap<String, &Manifest>,
    check_settings: &CheckSettings<'_>,
    existing: &dyn ExistingRecords,
) -> Option<Account> {
    let mut accounts = Accounts::new(manifests, check_settings, existing);
    accounts.read(0, cursor)?;
    accounts.finish().pop()
}

fn read_root(
    root: JsonCursor<'_, '_>,
    manifests: &BTreeMap<String, &Manifest>,
    check_settings: &CheckSettings<'_>,
    existing: &dyn ExistingRecords,
) -> Option<Inventory> {
    let fields = root.object(&["accounts", "resources"])?;
    if fields.get("accounts").is_none() && fields.get("resources").is_none() {
        root.report("an inventory has `accounts`, `resources` or both; this one has neither");
        return None;
    }
    let mut accounts = Accounts::new(manifests, check_settings, existing);
    if let Some(list) = fields.get("accounts") {
        list.list(|index, cursor| accounts.read(index, cursor));
    }
    let resources = match fields.get("resources") {
        Some(list) => list.list(|index, cursor| resource::read(index, cursor, &mut accounts))?,
        None => Vec::new(),
    };
    let parents = attachment::check(&resources, existing, root.diagnostics);
    if !root.diagnostics.is_empty() {
        return None;
    }
    Some(Inventory { accounts: accounts.finish(), bundles: attachment::bundles(resources, &parents) })
}
