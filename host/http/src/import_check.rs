//! What an import of accounts and resources is checked against: plugins, and records that exist.

use std::collections::BTreeMap;

use perennial_domain::manifest::Manifest;
use perennial_engine::rules::Providers;
use perennial_formats::inventory;
use perennial_service::admin_tokens::Caller;
use perennial_service::lookup;
use perennial_store::ReadTx;
use perennial_store::accounts;
use perennial_store::bundles;

/// The manifests of all plugins, by provider.
pub(crate) fn manifests(providers: &Providers) -> BTreeMap<String, &Manifest> {
    providers.iter().map(|(id, rules)| (id.clone(), rules.manifest())).collect()
}

/// The check of settings by the plugin of their provider.
pub(crate) fn check_settings(
    providers: &Providers,
) -> impl Fn(&str, &BTreeMap<String, String>) -> Result<Vec<String>, String> + '_ {
    |provider, settings| match providers.get(provider) {
        Some(rules) => rules.check_settings(settings).map_err(|error| error.to_string()),
        None => Ok(Vec::new()),
    }
}

/// The existing accounts and resources that the caller can access. IDs of resources are unique among all of them.
pub(crate) struct VisibleRecords<'a> {
    pub(crate) db: &'a ReadTx,
    pub(crate) caller: &'a Caller,
}

impl inventory::ExistingRecords for VisibleRecords<'_> {
    fn provider_of(&self, account: &str) -> Option<String> {
        let resource =
            accounts::get(self.db, account).ok().flatten().filter(|_| self.caller.can_access(account));
        resource.map(|stored| stored.account.provider)
    }

    fn has_resource(&self, resource: &str) -> bool {
        bundles::exists(self.db, resource).unwrap_or(false)
    }

    fn account_of(&self, resource: &str) -> Option<String> {
        let resolved = lookup::resolve_resource(self.db, self.caller, resource).ok()?;
        Some(resolved.account.account.id)
    }

    fn can_show_resource(&self, resource: &str) -> bool {
        lookup::resolve_resource(self.db, self.caller, resource).is_ok()
    }
}
