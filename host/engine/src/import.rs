//! Taking accounts and bundles into the store, with the history that can be told from them.

use std::collections::BTreeMap;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::ledger::Book;
use perennial_domain::ledger::Entry;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::order;
use perennial_domain::timestamp::Timestamp;
use perennial_store::WriteTx;

use crate::Engine;
use crate::error::EngineError;
use crate::rules::Providers;
use perennial_store::accounts;
use perennial_store::bundles;
use perennial_store::bundles::Schedule;
use perennial_store::error::StoreError;
use perennial_store::keys::AccountKey;
use perennial_store::ledger;
use perennial_store::orders;

impl Engine {
    /// Takes accounts and bundles in, all or none, as they are at `at`; each bundle comes with its account's id.
    ///
    /// What is due at `at` itself is still to come. Every bundle wakes at once, so that the clock finds out when it really
    /// wakes. One that expired before `at` starts from its expiry: what has happened to it since is caught up on, stages
    /// at the instants at which they were due and money now; and if it renews itself, a missed try is made first.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when an account is not known or has no plugin, or the database fails; nothing is taken in then.
    pub fn import<'a>(
        &mut self,
        at: Timestamp,
        new_accounts: &[Account],
        bundles: impl IntoIterator<Item = (&'a str, &'a Bundle)>,
    ) -> Result<(), EngineError> {
        let providers = &self.providers;
        self.store.write(|tx| {
            let mut importer = Importer::new(tx, providers);
            for account in new_accounts {
                importer.insert_account(account, at)?;
            }
            for (account, bundle) in bundles {
                importer.insert_bundle(account, bundle, at - 1)?;
            }
            Ok(())
        })
    }
}

/// What an import writes with, within one transaction.
pub(crate) struct Importer<'a> {
    pub(crate) tx: &'a WriteTx,
    pub(crate) providers: &'a Providers,
    /// By id: the row, and the provider's days in minutes ahead of UTC.
    accounts: BTreeMap<String, (AccountKey, i16)>,
}

impl<'a> Importer<'a> {
    /// Nothing is written yet.
    pub(crate) fn new(tx: &'a WriteTx, providers: &'a Providers) -> Importer<'a> {
        Importer { tx, providers, accounts: BTreeMap::new() }
    }

    /// Adds an account whose balance comes from an entry at `at`.
    pub(crate) fn insert_account(&self, account: &Account, at: Timestamp) -> Result<(), StoreError> {
        let row = accounts::insert(self.tx, account)?;
        ledger::insert(self.tx, row, &opening_entry(account, at))
    }

    /// Adds a bundle that wakes at `wake_at`, and the orders that its members were bought with.
    pub(crate) fn insert_bundle(
        &mut self,
        account: &str,
        bundle: &Bundle,
        wake_at: Timestamp,
    ) -> Result<(), EngineError> {
        let (row, offset_minutes) = self.account(account)?;
        let wake_at = bundle.is_live().then_some(wake_at);
        let schedule = Schedule { cursor_at: Schedule::NOT_STARTED, wake_at, failures: 0 };
        let rows = bundles::insert(self.tx, row, bundle, schedule)?;
        for (index, member) in bundle.iter() {
            if let Some(order) = order::opening(member, index, offset_minutes) {
                orders::insert(self.tx, rows[index], &member.id, &order)?;
            }
        }
        Ok(())
    }

    /// The row of an account, and how many minutes its provider's days are ahead of UTC.
    pub(crate) fn account(&mut self, id: &str) -> Result<(AccountKey, i16), EngineError> {
        if let Some(found) = self.accounts.get(id) {
            return Ok(*found);
        }
        let stored = accounts::get(self.tx, id)?;
        let stored = stored.ok_or_else(|| EngineError::UnknownAccount(id.to_owned()))?;
        let provider = &stored.account.provider;
        let rules = self
            .providers
            .get(provider)
            .ok_or_else(|| EngineError::NoPlugin { account: id.to_owned(), provider: provider.clone() })?;
        let found = (stored.row, rules.manifest().utc_offset_minutes);
        self.accounts.insert(id.to_owned(), found);
        Ok(found)
    }
}

/// The entry that an imported account's balance comes from. A debt is an entry the other way.
fn opening_entry(account: &Account, at: Timestamp) -> Entry {
    let balance = account.balance.available();
    let (from, to) =
        if balance < Micros::ZERO { (Book::Cash, Book::Funding) } else { (Book::Funding, Book::Cash) };
    let amount = if balance < Micros::ZERO { -balance } else { balance };
    Entry { at, from, to, amount, reason: Reason::Opening, resource: None, reference: None }
}
