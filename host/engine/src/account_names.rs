//! The names that everything written about the bundles of one account shares.

use std::sync::Arc;

use crate::batch_entry::BatchAccount;

/// What names an account and its plugin's revision, shared by all that is written about its bundles.
pub(crate) struct AccountNames {
    /// The account's id.
    pub(crate) id: Arc<str>,
    /// The plugin's id and the digest of its revision, if it is loaded.
    pub(crate) revision: Option<Arc<(String, String)>>,
}

impl AccountNames {
    /// The names of an account of a batch.
    pub(crate) fn new(account_in_batch: &BatchAccount) -> AccountNames {
        let revision = account_in_batch
            .rules
            .as_ref()
            .map(|rules| Arc::new((rules.manifest().id.clone(), rules.digest().to_owned())));
        AccountNames { id: Arc::from(account_in_batch.account.id.as_str()), revision }
    }
}
