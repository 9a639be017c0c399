//! Which revision of a plugin decides for an account, which is asked beside it, and why. Loads nothing and changes nothing.

use std::sync::Arc;

use perennial_domain::revision::ALL_ACCOUNTS;
use perennial_domain::revision::BindingOrigin;
use perennial_store::ReadTx;
use perennial_store::error::StoreError;
use perennial_store::plugin_bindings::StoredBinding;
use perennial_store::plugin_revisions;

use crate::kept_revisions::BUNDLED;
use crate::rules::Rules;

/// Why a revision decides for an account, or is asked beside the one that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidingReason {
    /// The host brings it, and it is part of the program.
    Bundled,
    /// The host brings it, from a file of the configuration or of `--plugin`.
    Loaded,
    /// It is bound to all accounts of the provider.
    AllAccounts,
    /// It is bound to a pattern of accounts.
    Pattern,
    /// It is bound to this account alone.
    Account,
}

impl DecidingReason {
    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            DecidingReason::Bundled => "bundled",
            DecidingReason::Loaded => "loaded",
            DecidingReason::AllAccounts => "all_accounts",
            DecidingReason::Pattern => "pattern",
            DecidingReason::Account => "account",
        }
    }
}

/// A revision that decides for an account, or is asked beside the one that does.
#[derive(Clone, Copy)]
pub struct DecidingRevision<'p> {
    /// The digest that names it.
    pub digest: &'p str,
    /// Its rules; `None` where it cannot be loaded, so that nothing is decided.
    pub rules: Option<&'p Arc<dyn Rules>>,
    /// What is bound, if anything ever was in the database.
    pub binding: Option<&'p StoredBinding>,
}

impl DecidingRevision<'_> {
    /// Why it is this one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub fn reason(&self, db: &ReadTx) -> Result<DecidingReason, StoreError> {
        let operators = self.binding.filter(|binding| binding.origin == BindingOrigin::Operator);
        let Some(binding) = operators else {
            let kept = plugin_revisions::get(db, self.digest)?;
            let is_bundled = kept.is_some_and(|kept| kept.origin == BUNDLED);
            return Ok(if is_bundled { DecidingReason::Bundled } else { DecidingReason::Loaded });
        };
        Ok(match binding.subject.accounts.as_str() {
            ALL_ACCOUNTS => DecidingReason::AllAccounts,
            accounts if accounts.contains('*') => DecidingReason::Pattern,
            _ => DecidingReason::Account,
        })
    }
}
