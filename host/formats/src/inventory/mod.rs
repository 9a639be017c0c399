//! Inventories: the accounts and resources that `import` and `simulate` begin with.
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
use super::problems::Collector;
use super::problems::Path;
use super::spot::Spot;
use super::tree;
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
pub trait Known {
    /// The provider of an account that exists; asked at most once for each account that the file names.
    fn provider_of(&self, account: &str) -> Option<String>;

    /// Whether a resource of this id exists, in whichever account.
    fn has_resource(&self, resource: &str) -> bool;

    /// Whether whoever imports may know that there is a resource of this id, and so what is wrong with naming it.
    fn shows_resource(&self, resource: &str) -> bool {
        self.has_resource(resource)
    }
}

/// Nothing exists yet.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Known for Nothing {
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
    known: &dyn Known,
) -> Result<Inventory, Problems> {
    let problems = Collector::default();
    let root = tree::parse(text, &problems)?;
    let inventory = read_root(
        Spot { node: &root, path: Path::Root, problems: &problems },
        manifests,
        check_settings,
        known,
    );
    problems.finish(inventory)
}

/// Reads one account, such as an inventory has in its list.
pub fn account<'n>(
    spot: Spot<'n, '_>,
    manifests: &BTreeMap<String, &Manifest>,
    check_settings: &CheckSettings<'_>,
    known: &dyn Known,
) -> Option<Account> {
    let mut accounts = Accounts::new(manifests, check_settings, known);
    accounts.read(0, spot)?;
    accounts.finish().pop()
}

fn read_root(
    root: Spot<'_, '_>,
    manifests: &BTreeMap<String, &Manifest>,
    check_settings: &CheckSettings<'_>,
    known: &dyn Known,
) -> Option<Inventory> {
    let fields = root.object(&["accounts", "resources"])?;
    if fields.get("accounts").is_none() && fields.get("resources").is_none() {
        root.wrong("an inventory has `accounts`, `resources` or both; this one has neither");
        return None;
    }
    let mut accounts = Accounts::new(manifests, check_settings, known);
    if let Some(list) = fields.get("accounts") {
        list.list(|place, spot| accounts.read(place, spot));
    }
    let resources = match fields.get("resources") {
        Some(list) => list.list(|place, spot| resource::read(place, spot, &mut accounts))?,
        None => Vec::new(),
    };
    let parents = attachment::check(&resources, known, root.problems);
    if !root.problems.is_empty() {
        return None;
    }
    Some(Inventory { accounts: accounts.finish(), bundles: attachment::bundles(resources, &parents) })
}
