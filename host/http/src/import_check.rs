//! What an import of accounts and resources is checked against: plugins, and records that exist.
//!
//! A large inventory takes a second to read and check, so that is done on a reader's thread, and not on the one that writes.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use perennial_domain::manifest::Manifest;
use perennial_engine::rules::Providers;
use perennial_formats::body_limits::BodyLimits;
use perennial_formats::inventory;
use perennial_formats::inventory::Document;
use perennial_formats::inventory::ImportOptions;
use perennial_formats::inventory::Source;
use perennial_service::admin_tokens::Caller;
use perennial_service::lookup;
use perennial_store::ReadTx;
use perennial_store::accounts;
use perennial_store::bundles;
use perennial_store::imports;
use perennial_store::keys::AccountKey;
use perennial_store::keys::ResourceKey;

use crate::problem::Problem;
use crate::state::AppState;

/// The settings of an account.
type Settings = BTreeMap<String, String>;

/// An inventory that was read and checked, and what there was to check it against.
pub(crate) struct CheckedInventory {
    text: Arc<str>,
    caller: Caller,
    providers: Providers,
    limits: BodyLimits,
    newest: (AccountKey, ResourceKey),
    /// What is wrong with it is the response to the import.
    document: Result<Document, Problem>,
}

impl CheckedInventory {
    /// Reads `text` for `caller`, on a reader's thread.
    ///
    /// # Errors
    ///
    /// [`Problem`] when the database cannot be read.
    pub(crate) async fn read(
        app: &AppState,
        caller: Caller,
        text: &str,
    ) -> Result<CheckedInventory, Problem> {
        let (text, providers) = (Arc::<str>::from(text), app.providers().clone());
        let limits = app.limits().body_limits();
        // A few at a time, as with all large bodies: others wait to read, too, and each takes ten times its size in memory.
        let permit = Arc::clone(app.body_permits()).acquire_owned().await;
        app.read(move |db| {
            let _permit = permit;
            let document = read(db, &caller, &providers, (&text, limits));
            Ok(CheckedInventory { text, caller, providers, limits, newest: imports::newest(db)?, document })
        })
        .await
    }

    /// What it says, for a database that may have gone on: if something was imported meanwhile, it is checked anew.
    ///
    /// # Errors
    ///
    /// [`Problem`] with everything that is wrong with it.
    pub(crate) fn document(self, db: &ReadTx) -> Result<Document, Problem> {
        if imports::newest(db)? == self.newest {
            return self.document;
        }
        read(db, &self.caller, &self.providers, (&self.text, self.limits))
    }
}

fn read(
    db: &ReadTx,
    caller: &Caller,
    providers: &Providers,
    (text, limits): (&str, BodyLimits),
) -> Result<Document, Problem> {
    let providers = &providers.as_bound(db)?;
    let records = VisibleRecords::new(db, caller, providers);
    let check = |provider: &str, settings: &Settings| providers.settings_problems(provider, settings);
    let source = Source::Body(text, limits);
    Ok(inventory::read_from(source, ImportOptions::default(), &providers.manifests(), &check, &records)?)
}

/// The existing accounts and resources that the caller can access. IDs of resources are unique among all of them, so one that
/// the caller cannot access must be refused like one that it can; but only the first is, lest an import of guesses tells
/// which ids there are.
pub(crate) struct VisibleRecords<'a> {
    db: &'a ReadTx,
    caller: &'a Caller,
    providers: &'a Providers,
    has_told: Cell<bool>,
}

impl<'a> VisibleRecords<'a> {
    /// What `caller` can access; `providers` are as they are bound.
    pub(crate) fn new(db: &'a ReadTx, caller: &'a Caller, providers: &'a Providers) -> VisibleRecords<'a> {
        VisibleRecords { db, caller, providers, has_told: Cell::new(false) }
    }
}

impl inventory::ExistingRecords for VisibleRecords<'_> {
    fn provider_of(&self, account: &str) -> Option<String> {
        let resource =
            accounts::get(self.db, account).ok().flatten().filter(|_| self.caller.can_access(account));
        resource.map(|stored| stored.account.provider)
    }

    fn manifest_of(&self, account: &str, provider: &str) -> Option<&Manifest> {
        self.providers.manifest_apart(account, provider)
    }

    fn check_settings(
        &self,
        account: &str,
        provider: &str,
        settings: &Settings,
    ) -> Option<Result<Vec<String>, String>> {
        self.providers.settings_problems_apart(account, provider, settings)
    }

    fn has_resource(&self, resource: &str) -> bool {
        if !bundles::exists(self.db, resource).unwrap_or(false) {
            return false;
        }
        self.can_show_resource(resource) || !self.has_told.replace(true)
    }

    fn account_of(&self, resource: &str) -> Option<String> {
        let resolved = lookup::resolve_resource(self.db, self.caller, resource).ok()?;
        Some(resolved.account.account.id)
    }

    fn can_show_resource(&self, resource: &str) -> bool {
        lookup::resolve_resource(self.db, self.caller, resource).is_ok()
    }
}
