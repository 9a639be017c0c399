//! Taking accounts and bundles into the store, with the history that can be told from them.

use std::collections::BTreeMap;
use std::collections::HashMap;

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::ledger::Book;
use perennial_domain::ledger::Entry;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::order;
use perennial_domain::order::Order;
use perennial_domain::timestamp::Timestamp;
use perennial_store::WriteTx;

use crate::Engine;
use crate::error::EngineError;
use crate::rules::Providers;
use perennial_store::accounts;
use perennial_store::bundles;
use perennial_store::bundles::Schedule;
use perennial_store::change::Change;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::error::StoreError;
use perennial_store::keys::AccountKey;
use perennial_store::ledger;
use perennial_store::orders;
use perennial_store::scheduling_revision;

impl<S: EngineStore> Engine<S> {
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
        let bundles = bundles.into_iter().collect::<Vec<_>>();
        let new = new_accounts.iter().map(|account| (account.id.as_str(), account.provider.clone()));
        let mut providers = new.collect::<HashMap<_, _>>();
        let bound = self.bound()?;
        let mut offsets = HashMap::new();
        for (id, _) in &bundles {
            if offsets.contains_key(id) {
                continue;
            }
            let provider = match providers.remove(id) {
                Some(provider) => provider,
                None => {
                    let stored = self.reads().find_account(id)?;
                    stored.ok_or_else(|| EngineError::UnknownAccount((*id).to_owned()))?.account.provider
                }
            };
            offsets.insert(*id, utc_offset(&bound, id, &provider)?);
        }
        let accounts = new_accounts.iter().map(|account| Change::InsertAccount {
            account: account.clone(),
            opening: opening_entry(account, at),
            scheduled_by: bound
                .of_account(&account.id, &account.provider)
                .map(|rules| rules.digest().to_owned()),
        });
        let bundles = bundles.into_iter().map(|(account, bundle)| Change::InsertBundle {
            account: account.to_owned(),
            bundle: bundle.clone(),
            schedule: first_schedule(bundle, at - 1),
            orders: opening_orders(bundle, offsets[account]),
        });
        Ok(self.store.commit(accounts.chain(bundles))?)
    }
}

/// The schedule of a bundle that no clock has looked at, which wakes at `wake_at`.
fn first_schedule(bundle: &Bundle, wake_at: Timestamp) -> Schedule {
    let wake_at = bundle.is_live().then_some(wake_at);
    Schedule { cursor_at: Schedule::NOT_STARTED, wake_at, failures: 0 }
}

/// The orders that a bundle's members were bought with.
fn opening_orders(bundle: &Bundle, offset_minutes: i16) -> Vec<Order> {
    bundle.iter().filter_map(|(index, member)| order::opening(member, index, offset_minutes)).collect()
}

/// How many minutes a provider's days are ahead of UTC; `account` is whose provider it is.
fn utc_offset(providers: &Providers, account: &str, provider: &str) -> Result<i16, EngineError> {
    let rules = providers.of_account(account, provider).ok_or_else(|| EngineError::NoPlugin {
        account: account.to_owned(),
        provider: provider.to_owned(),
    })?;
    Ok(rules.manifest().utc_offset_minutes)
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
        if let Some(rules) = self.providers.of_account(&account.id, &account.provider) {
            scheduling_revision::set(self.tx, row, rules.digest(), None)?;
        }
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
        let rows = bundles::insert(self.tx, row, bundle, first_schedule(bundle, wake_at))?;
        for order in opening_orders(bundle, offset_minutes) {
            orders::insert(self.tx, rows[order.member], &bundle[order.member].id, &order)?;
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
        let found = (stored.row, utc_offset(self.providers, id, &stored.account.provider)?);
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
