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

use crate::Engine;
use crate::error::EngineError;
use perennial_store::accounts;
use perennial_store::bundles;
use perennial_store::bundles::Schedule;
use perennial_store::ledger;
use perennial_store::orders;

impl Engine {
    /// Takes accounts and bundles in, all or none, as they are at `at`; each bundle comes with its account's id.
    ///
    /// What is due at `at` itself is still to come. Every bundle wakes at once, so that the clock finds out when it really
    /// wakes. One that expired before `at` starts from its expiry: what has happened to it since is caught up on, stages
    /// at the instants at which they were due and money now.
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
            for account in new_accounts {
                let row = accounts::insert(tx, account)?;
                ledger::insert(tx, row, &opening_entry(account, at))?;
            }
            let mut loaded = BTreeMap::new();
            for (account, bundle) in bundles {
                if !loaded.contains_key(account) {
                    let stored = accounts::get(tx, account)?;
                    let stored = stored.ok_or_else(|| EngineError::UnknownAccount(account.to_owned()))?;
                    let provider = &stored.account.provider;
                    let rules = providers.get(provider).ok_or_else(|| EngineError::NoPlugin {
                        account: account.to_owned(),
                        provider: provider.clone(),
                    })?;
                    loaded.insert(account, (stored.row, rules.manifest().utc_offset_minutes));
                }
                let (row, offset_minutes) = loaded[account];
                let rows = bundles::insert(tx, row, bundle, initial_schedule(bundle, at))?;
                for (index, member) in bundle.iter() {
                    if let Some(order) = order::opening(member, index, offset_minutes) {
                        orders::insert(tx, rows[index], &member.id, &order)?;
                    }
                }
            }
            Ok(())
        })
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

fn initial_schedule(bundle: &Bundle, at: Timestamp) -> Schedule {
    let cursor_at = bundle.first_expiry().map_or(at, |expires_at| at.min(expires_at)) - 1;
    Schedule { cursor_at, wake_at: bundle.is_live().then_some(at - 1), failures: 0 }
}
