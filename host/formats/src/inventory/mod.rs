//! Inventories: the accounts and resources that `import` and `simulate` read.
//!
//! Knows the file and whether it makes sense as a whole: accounts in `account`, resources in `resource`, what is attached
//! to what in `attachment`; `csv_tables` has what only tables have. Does not know any provider's rules: the manifests and the settings check are arguments.

mod account;
mod attachment;
mod csv_quotes;
mod csv_tables;
mod location;
mod resource;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::inventory_diff::GivenFields;
use perennial_domain::manifest::Manifest;

use super::Problems;
use super::body_limits;
use super::body_limits::BodyLimits;
use super::diagnostics::Diagnostics;
use super::diagnostics::Path;
use super::json_cursor::JsonCursor;
use super::json_tree;
use super::json_tree::Node;
use account::Accounts;

pub use resource::default_value;
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

/// What exists already where an inventory is imported into. Called while the inventory is read, before anything is written.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use perennial_formats::inventory::ExistingRecords;
///
/// /// The accounts that another system of ours knows, with their providers. It has no resources.
/// struct Contracts(BTreeMap<String, String>);
///
/// impl ExistingRecords for Contracts {
///     fn provider_of(&self, account: &str) -> Option<String> {
///         self.0.get(account).cloned()
///     }
///
///     fn has_resource(&self, _resource: &str) -> bool {
///         false
///     }
/// }
///
/// let contracts = Contracts(BTreeMap::from([("acme".to_owned(), "huawei".to_owned())]));
/// assert_eq!(contracts.provider_of("acme").as_deref(), Some("huawei"));
/// assert!(!contracts.can_show_resource("ecs-1"), "what does not exist needs no secrecy");
/// ```
pub trait ExistingRecords {
    /// The provider of an account that exists; asked at most once for each account that the file names.
    fn provider_of(&self, account: &str) -> Option<String>;

    /// Whether a resource of this id exists, in whichever account.
    fn has_resource(&self, resource: &str) -> bool;

    /// The manifest of the revision that decides for an account of this provider, where that is another one than decides for the
    /// provider's other accounts. The account may be one of the file.
    fn manifest_of(&self, _account: &str, _provider: &str) -> Option<&Manifest> {
        None
    }

    /// What that revision says of settings; `None` where it decides for other accounts, too. As [`CheckSettings`].
    fn check_settings(
        &self,
        _account: &str,
        _provider: &str,
        _settings: &BTreeMap<String, String>,
    ) -> Option<Result<Vec<String>, String>> {
        None
    }

    /// The account of a resource that exists, if the importer may know; asked only when the file is a newer inventory.
    fn account_of(&self, _resource: &str) -> Option<String> {
        None
    }

    /// Whether an error message may reveal to the importer that a resource of this id exists.
    fn can_show_resource(&self, resource: &str) -> bool {
        self.has_resource(resource)
    }
}

/// The records of a database in which nothing exists yet.
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

/// The format and the text of an inventory.
#[derive(Clone, Copy, Debug)]
pub enum Source<'t> {
    /// In a JSON file.
    Json(&'t str),
    /// In the body of a request: JSON, in which [`ImportOptions`] may stand beside the lists, and no value of which holds
    /// more than the limits say.
    Body(&'t str, BodyLimits),
    /// In tables, of which each has a head: see FORMATS.md.
    Csv {
        /// A resource a line.
        resources: &'t str,
        /// An account a line.
        accounts: Option<&'t str>,
    },
}

/// How an inventory is to be imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Only say what would come of it.
    pub dry_run: bool,
    /// Also what is released or loses a stage at once.
    pub accept_expired: bool,
    /// The inventory is a newer one: what exists may be named again, and is changed.
    pub update: bool,
}

/// An inventory, and what else its file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The accounts and resources of the document.
    pub inventory: Inventory,
    /// Which plain fields are given, by resource; of an update only.
    pub given: BTreeMap<String, GivenFields>,
    /// How it is to be imported.
    pub options: ImportOptions,
}

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
    let options = ImportOptions::default();
    let document = read_from(Source::Json(text), options, manifests, check_settings, existing)?;
    Ok(document.inventory)
}

/// Reads an inventory from wherever it stands. Those options hold that are set in `options` or in the source.
///
/// # Errors
///
/// Every problem, each with its path and, of a file, the line and the id of the account or resource.
pub fn read_from(
    source: Source<'_>,
    options: ImportOptions,
    manifests: &BTreeMap<String, &Manifest>,
    check_settings: &CheckSettings<'_>,
    existing: &dyn ExistingRecords,
) -> Result<Document, Problems> {
    let problems = Diagnostics::default();
    let read = |root: &Node<'_>, problems: &Diagnostics| {
        let cursor = JsonCursor { node: root, path: Path::Root, diagnostics: problems };
        let accounts = |update| Accounts::new(manifests, check_settings, existing, update);
        read_root(cursor, matches!(source, Source::Body(..)), options, accounts, existing)
    };
    match source {
        Source::Body(text, limits) => {
            let root = json_tree::parse(text, &problems)?;
            body_limits::check(&root, Path::Root, limits, &problems);
            let document = read(&root, &problems);
            problems.finish(document)
        }
        Source::Json(text) => {
            let root = json_tree::parse(text, &problems)?;
            let document = read(&root, &problems);
            problems.finish(document).map_err(|problems| location::in_json(problems, &root, text))
        }
        Source::Csv { resources, accounts } => {
            let tables = csv_tables::read(resources, accounts)?;
            let document = read(&tables.root, &problems);
            problems.finish(document).map_err(|problems| location::in_tables(problems, &tables))
        }
    }
}

/// The inventory in tables as a JSON file would have it: for a host, which takes JSON.
///
/// # Errors
///
/// Every line that has too many or too few fields, and every column that is unknown or there twice.
pub fn json_of_tables(resources: &str, accounts: Option<&str>) -> Result<serde_json::Value, Problems> {
    Ok(csv_tables::read(resources, accounts)?.root.to_value())
}

/// Reads one account, such as an inventory has in its list.
pub fn account<'n>(
    cursor: JsonCursor<'n, '_>,
    manifests: &BTreeMap<String, &Manifest>,
    check_settings: &CheckSettings<'_>,
    existing: &dyn ExistingRecords,
) -> Option<Account> {
    let mut accounts = Accounts::new(manifests, check_settings, existing, false);
    accounts.read(0, cursor)?;
    accounts.finish().pop()
}

fn read_root<'c, 'n>(
    root: JsonCursor<'n, '_>,
    is_body: bool,
    options: ImportOptions,
    accounts: impl FnOnce(bool) -> Accounts<'c, 'n>,
    existing: &dyn ExistingRecords,
) -> Option<Document> {
    let fields = match is_body {
        true => root.object(&["accounts", "resources", "dry_run", "accept_expired", "update"])?,
        false => root.object(&["accounts", "resources"])?,
    };
    let flag =
        |name, preset: bool| fields.optional(name, |cursor| cursor.flag()).or(false).map(|set| set || preset);
    let dry_run = flag("dry_run", options.dry_run);
    let accept_expired = flag("accept_expired", options.accept_expired);
    let update = flag("update", options.update);
    if fields.get("accounts").is_none() && fields.get("resources").is_none() {
        root.report("an inventory has `accounts`, `resources` or both; this one has neither");
        return None;
    }
    let mut accounts = accounts(update.unwrap_or_default());
    if let Some(list) = fields.get("accounts") {
        list.list(|index, cursor| accounts.read(index, cursor));
    }
    let resources = match fields.get("resources") {
        Some(list) => list.list(|index, cursor| resource::read(index, cursor, &mut accounts))?,
        None => Vec::new(),
    };
    let options = ImportOptions { dry_run: dry_run?, accept_expired: accept_expired?, update: update? };
    let parents = attachment::check(&resources, existing, options.update, root.diagnostics);
    if !root.diagnostics.is_empty() {
        return None;
    }
    let given = |draft: &resource::Draft<'_, '_>| Some((draft.id?.to_owned(), draft.given));
    let given = resources.iter().filter(|_| options.update).filter_map(given).collect();
    let bundles = attachment::bundles(resources, &parents);
    Some(Document { inventory: Inventory { accounts: accounts.finish(), bundles }, given, options })
}
