//! Loading what a database holds into memory, from one snapshot of it, while the clock goes on.

use std::collections::BTreeSet;

use crate::accounts;
use crate::approvals;
use crate::attempts;
use crate::bundles;
use crate::bundles::StoredBundle;
use crate::calls;
use crate::client_tokens;
use crate::client_tokens::StoredToken;
use crate::deferrals;
use crate::error::StoreError;
use crate::ledger;
use crate::memory::MemoryStore;
use crate::orders;
use crate::packages;
use crate::plugin_breakers;
use crate::plugin_failures;
use crate::policies;
use crate::tx::ReadTx;

impl MemoryStore {
    /// What `db` holds of these accounts, by id; of every account if `None`. Everything keeps its key.
    ///
    /// The caller holds the snapshot: see [`ReadTx::snapshot`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read or is damaged.
    pub fn load(db: &ReadTx, accounts: Option<&BTreeSet<String>>) -> Result<MemoryStore, StoreError> {
        let held = (policies::set_digest(db)?, policies::all(db)?);
        let breakers = plugin_breakers::list(db)?.into_iter().collect();
        let mut memory = MemoryStore { policies: held, breakers, ..MemoryStore::default() };
        for stored in accounts::list(db)? {
            if accounts.is_none_or(|accounts| accounts.contains(&stored.account.id)) {
                memory.insert_account(stored);
            }
        }
        let keys = memory.accounts.values().map(|stored| (stored.row, stored.account.budget.is_some()));
        for (account, has_budget) in keys.collect::<Vec<_>>() {
            // Entries only count in budgets.
            for entry in if has_budget { ledger::list(db, account)? } else { Vec::new() } {
                memory.add_spending(account, &entry);
            }
            for stored in bundles::list_for_account(db, account)? {
                memory.load_history(db, &stored)?;
                memory.insert_stored(stored);
            }
            for call in calls::of_account(db, account)? {
                memory.calls.record(call)?;
            }
        }
        for stored in approvals::all(db)? {
            if memory.resources.contains_key(&stored.resource) {
                memory.insert_stored_approval(stored);
            }
        }
        for purchase in packages::deferred(db)? {
            if memory.resources.contains_key(&purchase.resource) {
                memory.deferred.insert(purchase.row, purchase);
            }
        }
        for StoredToken { account, token, used_at, outcome } in client_tokens::all(db)? {
            if memory.accounts.contains_key(&account) {
                memory.client_tokens.insert((account, token), (used_at, outcome));
            }
        }
        Ok(memory)
    }

    fn load_history(&mut self, db: &ReadTx, stored: &StoredBundle) -> Result<(), StoreError> {
        for deferral in deferrals::list(db, &stored.rows)? {
            self.deferrals.insert(stored.rows[deferral.member], (stored.account, deferral));
        }
        if stored.schedule.failures > 0 {
            let key = stored.rows.bundle();
            self.failing.extend(plugin_failures::get(db, key)?.map(|failing| (key, failing)));
        }
        for order in orders::list(db, &stored.rows)? {
            self.books.insert(stored.rows[order.member], order);
        }
        if stored.bundle.members.iter().any(|member| member.has_unpaid_order) {
            for order in orders::unpaid(db, &stored.rows)? {
                self.books.place(&stored.rows, order);
            }
        }
        for (member, row) in stored.rows.iter() {
            for (id, state) in orders::closed(db, row)? {
                self.books.add_closed(row, id, state);
            }
            let attempts = attempts::list(db, row, &stored.bundle[member].id)?;
            if !attempts.is_empty() {
                self.attempts.insert(row, attempts);
            }
        }
        Ok(())
    }
}
