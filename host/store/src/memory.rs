//! The store in memory: plain structures, no SQL. Simulations play on it, and tests compare SQLite with it.
//!
//! It keeps what the engine reads. Events and decisions, which only people read, it drops, and of ledger entries it keeps what
//! budgets count.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use perennial_domain::account::Mode;
use perennial_domain::attempt::Attempt;
use perennial_domain::bundle::Bundle;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Entry;
use perennial_domain::micros::Micros;
use perennial_domain::order::Order;
use perennial_domain::order::PaidPeriod;
use perennial_domain::plugin_failure::Breaker;
use perennial_domain::plugin_failure::FailingBundle;
use perennial_domain::policy::deferral::Deferral;
use perennial_domain::policy::figures;
use perennial_domain::timestamp::Timestamp;

use crate::accounts::StoredAccount;
use crate::approvals::StoredApproval;
use crate::bundles::Schedule;
use crate::bundles::StoredBundle;
use crate::change::AccountChange;
use crate::change::Change;
use crate::change::OrderChange;
use crate::change::PurchaseChange;
use crate::client_tokens::StoredOutcome;
use crate::engine_store::EngineStore;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::ApprovalKey;
use crate::keys::BundleKey;
use crate::keys::DeferredPurchaseKey;
use crate::keys::MemberKeys;
use crate::keys::ResourceKey;
use crate::keys::RowKey;
use crate::memory::calls::Calls;
use crate::memory::order_books::OrderBooks;
use crate::packages::DeferredPurchase;
use crate::policies::StoredPolicies;

mod approvals;
mod call_reads;
mod calls;
mod load;
mod order_books;
mod reads;
mod split;

/// A store in memory. A commit that fails leaves half of its changes behind: the store is of no use after it.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    accounts: BTreeMap<AccountKey, StoredAccount>,
    account_ids: BTreeMap<String, AccountKey>,
    bundles: HashMap<BundleKey, StoredBundle>,
    /// The bundle of each resource.
    resources: BTreeMap<ResourceKey, BundleKey>,
    resource_ids: HashMap<String, ResourceKey>,
    /// The bundles that wake, by when they do.
    wakes: BTreeSet<(Timestamp, BundleKey)>,
    books: OrderBooks,
    /// The attempts on each resource that are not void.
    attempts: HashMap<ResourceKey, Vec<Attempt>>,
    /// Renewals on clouds.
    calls: Calls,
    /// The packages of each account, in the order in which they were added.
    packages: HashMap<AccountKey, Vec<ResourceKey>>,
    deferred: BTreeMap<DeferredPurchaseKey, DeferredPurchase>,
    approvals: BTreeMap<ApprovalKey, StoredApproval>,
    /// The approvals of each resource, oldest first.
    approvals_of: HashMap<ResourceKey, Vec<ApprovalKey>>,
    /// The pending ones, by when they expire.
    pending: BTreeSet<(Timestamp, ApprovalKey)>,
    /// The renewals that are put off, with their accounts.
    deferrals: BTreeMap<ResourceKey, (AccountKey, Deferral)>,
    /// What accounts that have a budget spent and were given back, oldest first.
    spending: HashMap<AccountKey, Vec<(Timestamp, Micros)>>,
    client_tokens: HashMap<(AccountKey, String), (Timestamp, StoredOutcome)>,
    /// The bundles over which their plugins fail.
    failing: BTreeMap<BundleKey, FailingBundle>,
    /// The breakers of revisions, by their digests.
    breakers: BTreeMap<String, Breaker>,
    /// The policies that held when it was loaded, with their digest.
    policies: (String, StoredPolicies),
}

impl MemoryStore {
    fn stored_bundle(&self, key: BundleKey) -> Result<&StoredBundle, StoreError> {
        self.bundles.get(&key).ok_or_else(|| missing("a bundle", &key))
    }

    fn bundle_mut(&mut self, resource: ResourceKey) -> Result<(&mut StoredBundle, MemberIndex), StoreError> {
        let key = self.bundle_of(resource)?;
        let stored = self.bundles.get_mut(&key).ok_or_else(|| missing("a bundle", &key))?;
        let member = stored.rows.position(resource).ok_or_else(|| missing("a member", &resource))?;
        Ok((stored, member))
    }

    fn bundle_of(&self, resource: ResourceKey) -> Result<BundleKey, StoreError> {
        self.resources.get(&resource).copied().ok_or_else(|| missing("a resource", &resource))
    }

    /// Has every account kept here, as a forecast sees them: what a provider will renew costs what it costs. What a call under way
    /// or in doubt is about is renewed when its time comes, once.
    pub fn manage_accounts(&mut self) {
        self.accounts.values_mut().for_each(|stored| stored.account.mode = Mode::Managed);
        for attempts in self.attempts.values_mut() {
            attempts.retain(|attempt| !attempt.state.is_under_way());
        }
    }

    fn account_mut(&mut self, key: AccountKey) -> Result<&mut StoredAccount, StoreError> {
        self.accounts.get_mut(&key).ok_or_else(|| missing("an account", &key))
    }

    fn schedule(&mut self, key: BundleKey, schedule: Schedule) {
        let Some(stored) = self.bundles.get_mut(&key) else { return };
        if let Some(wake_at) = stored.schedule.wake_at {
            self.wakes.remove(&(wake_at, key));
        }
        stored.schedule = schedule;
        if let Some(wake_at) = schedule.wake_at {
            self.wakes.insert((wake_at, key));
        }
    }

    /// Adds an account that has its key.
    fn insert_account(&mut self, stored: StoredAccount) {
        self.account_ids.insert(stored.account.id.clone(), stored.row);
        self.accounts.insert(stored.row, stored);
    }

    /// Adds a bundle that has its keys.
    fn insert_stored(&mut self, stored: StoredBundle) {
        let key = stored.rows.bundle();
        for (member, row) in stored.rows.iter() {
            self.resources.insert(row, key);
            self.resource_ids.insert(stored.bundle[member].id.clone(), row);
            if stored.bundle[member].package.is_some() {
                self.packages.entry(stored.account).or_default().push(row);
            }
        }
        if let Some(wake_at) = stored.schedule.wake_at {
            self.wakes.insert((wake_at, key));
        }
        self.bundles.insert(key, stored);
    }

    fn insert_bundle(
        &mut self,
        account: &str,
        bundle: Bundle,
        schedule: Schedule,
        orders: Vec<Order>,
    ) -> Result<(), StoreError> {
        let account = *self.account_ids.get(account).ok_or_else(|| missing("an account", &account))?;
        let first = next_number(self.resources.last_key_value());
        let keys = (first..).take(bundle.members.len()).map(ResourceKey::from_number);
        let rows = MemberKeys::new(keys.collect());
        for order in orders {
            self.insert_order(rows[order.member], &bundle[order.member].id, order)?;
        }
        self.insert_stored(StoredBundle { account, rows, bundle, schedule });
        Ok(())
    }

    /// Bundles of an account wake at `at`, but those that wake before and those whose plugin failed.
    fn wake_account(&mut self, account: AccountKey, at: Timestamp) {
        let wakes = self.bundles.values().filter(|stored| stored.account == account);
        let wakes = wakes.filter(|stored| stored.schedule.failures == 0);
        let wakes = wakes.filter(|stored| stored.schedule.wake_at.is_some_and(|wake_at| wake_at >= at));
        for (key, was) in wakes.map(|stored| (stored.rows.bundle(), stored.schedule)).collect::<Vec<_>>() {
            let cursor_at = was.cursor_at.max(at - 1);
            self.schedule(key, Schedule { cursor_at, wake_at: Some(at), ..was });
        }
    }

    /// Has every bundle asked about at `at`, with everything before it done, as when another revision of its plugin decides from
    /// then on; but those that wake before.
    pub fn ask_anew(&mut self, at: Timestamp) {
        let later = |stored: &&StoredBundle| stored.schedule.wake_at.is_some_and(|wake_at| wake_at > at);
        let later = self.bundles.values().filter(later);
        for (key, was) in later.map(|stored| (stored.rows.bundle(), stored.schedule)).collect::<Vec<_>>() {
            let is_failing = was.failures > 0;
            let cursor_at = if is_failing { was.cursor_at } else { was.cursor_at.max(at - 1) };
            self.schedule(key, Schedule { cursor_at, wake_at: Some(at), ..was });
        }
    }

    fn insert_order(&mut self, resource: ResourceKey, id: &str, order: Order) -> Result<(), StoreError> {
        let starts_at = order.starts_at;
        if self.books.insert(resource, order) { Ok(()) } else { Err(paid_twice(id, starts_at)) }
    }

    fn record_attempt(&mut self, resource: ResourceKey, attempt: Attempt) -> Result<(), StoreError> {
        let attempts = self.attempts.entry(resource).or_default();
        let key = &attempt.id.key;
        if attempts.iter().any(|other| other.id.key == *key && !other.state.is_open_to_retry()) {
            return Err(paid_twice(&key.resource, key.expires_before));
        }
        match attempts.iter_mut().find(|other| other.id == attempt.id) {
            None => attempts.push(attempt),
            Some(open) => *open = attempt,
        }
        Ok(())
    }

    fn put_off(&mut self, account: AccountKey, members: &MemberKeys, deferrals: Vec<Deferral>) {
        for (_, resource) in members.iter() {
            self.deferrals.remove(&resource);
        }
        self.deferrals.extend(deferrals.into_iter().map(|one| (members[one.member], (account, one))));
    }

    fn refund_order(&mut self, resource: ResourceKey, period: &PaidPeriod) {
        self.books.refund(resource, period);
        if let Some(attempts) = self.attempts.get_mut(&resource) {
            attempts.retain(|attempt| attempt.id.key.expires_before != period.starts_at);
        }
    }

    /// Adds what an entry counts in a budget, if its account has one.
    fn add_spending(&mut self, account: AccountKey, entry: &Entry) {
        let has_budget = self.accounts.get(&account).is_some_and(|stored| stored.account.budget.is_some());
        let amount = figures::spending(entry);
        if has_budget && amount != Micros::ZERO {
            self.spending.entry(account).or_default().push((entry.at, amount));
        }
    }
}

impl EngineStore for MemoryStore {
    type Reads = MemoryStore;

    fn reads(&self) -> &MemoryStore {
        self
    }

    fn commit(&mut self, changes: impl IntoIterator<Item = Change>) -> Result<(), StoreError> {
        changes.into_iter().try_for_each(|change| self.apply(change))
    }
}

impl MemoryStore {
    fn apply(&mut self, change: Change) -> Result<(), StoreError> {
        match change {
            Change::InsertAccount { account, .. } => {
                let row = AccountKey::from_number(next_number(self.accounts.last_key_value()));
                self.insert_account(StoredAccount { row, account, limit_raise: None });
            }
            Change::Account(account, change) => self.apply_account(account, change)?,
            Change::SetDeferrals { account, members, deferrals } => {
                self.put_off(account, &members, deferrals);
            }
            Change::InsertEntry { account, entry } => self.add_spending(account, &entry),
            Change::InsertBundle { account, bundle, schedule, orders } => {
                self.insert_bundle(&account, bundle, schedule, orders)?;
            }
            Change::UpdateBundle { original, bundle, schedule, failing } => {
                let key = original.rows.bundle();
                self.set_failing(key, failing);
                let stored = self.bundles.get_mut(&key).ok_or_else(|| missing("a bundle", &key))?;
                stored.bundle = bundle;
                self.schedule(key, schedule);
            }
            Change::RecordAttempt { resource, attempt } => self.record_attempt(resource, attempt)?,
            Change::RecordCall { call, at } => self.record_call(*call, at)?,
            Change::Order(change) => self.apply_order(change)?,
            Change::Purchase(change) => self.apply_purchase(change),
            Change::SetUsed { resource, used } => {
                let (stored, member) = self.bundle_mut(resource)?;
                if let Some(package) = &mut stored.bundle[member].package {
                    package.used = used;
                }
            }
            Change::InsertApproval(new) => self.insert_approval(*new)?,
            Change::RepriceApproval { approval, priced, attempt, at } => {
                self.reprice_approval(approval, priced, attempt, at)?;
            }
            Change::SetRequired { approval, required, expires_at } => {
                self.set_required(approval, required, expires_at);
            }
            Change::CloseApproval { approval, state, resolution } => {
                self.close_approval(approval, state, resolution)?;
            }
            Change::RecordClientToken { account, token, outcome, at, .. } => {
                self.client_tokens.insert((account, token), (at, outcome));
            }
            Change::SetBreaker { digest, breaker } => self.set_breaker(digest, breaker),
            Change::Tick { .. }
            | Change::SetClockKind(_)
            | Change::SetRenewalAuthor { .. }
            | Change::InsertDecision { .. }
            | Change::RecordPolicyDifference(_)
            | Change::RecordRevisionDifference(_)
            | Change::AddRevisionTrial(_)
            | Change::InsertEvent { .. } => {}
        }
        Ok(())
    }

    fn set_failing(&mut self, bundle: BundleKey, failing: Option<FailingBundle>) {
        match failing {
            Some(failing) => self.failing.insert(bundle, failing),
            None => self.failing.remove(&bundle),
        };
    }

    fn set_breaker(&mut self, digest: String, breaker: Option<Breaker>) {
        match breaker {
            Some(breaker) => self.breakers.insert(digest, breaker),
            None => self.breakers.remove(&digest),
        };
    }

    fn apply_account(&mut self, key: AccountKey, change: AccountChange) -> Result<(), StoreError> {
        let account = &mut self.account_mut(key)?.account;
        match change {
            AccountChange::Balance(balance) => account.balance = balance,
            AccountChange::Settings { settings, at } => {
                account.settings = settings;
                self.wake_account(key, at);
            }
            AccountChange::ApprovalAbove(limit) => account.approval_above = limit,
            AccountChange::Budget(budget) => account.budget = budget,
        }
        Ok(())
    }

    fn apply_purchase(&mut self, change: PurchaseChange) {
        match change {
            PurchaseChange::Defer { resource, pay_at, effective_at } => {
                let row = DeferredPurchaseKey::from_number(next_number(self.deferred.last_key_value()));
                self.deferred.insert(row, DeferredPurchase { row, resource, pay_at, effective_at });
            }
            PurchaseChange::Postpone { purchase, pay_at } => {
                if let Some(deferred) = self.deferred.get_mut(&purchase) {
                    deferred.pay_at = pay_at;
                }
            }
            PurchaseChange::Delete(purchase) => {
                self.deferred.remove(&purchase);
            }
        }
    }

    fn apply_order(&mut self, change: OrderChange) -> Result<(), StoreError> {
        match change {
            OrderChange::Insert { resource, resource_id, order, waited } => {
                let order = if waited { self.books.settle(resource, order) } else { Some(order) };
                order.map_or(Ok(()), |order| self.insert_order(resource, &resource_id, order))?;
            }
            OrderChange::Place { members, order } => self.books.place(&members, order),
            OrderChange::Close { resource, order, state } => self.books.close(resource, &order, state),
            OrderChange::Refund { members, refunds, .. } => {
                refunds
                    .iter()
                    .for_each(|refunded| self.refund_order(members[refunded.member], &refunded.period));
            }
        }
        Ok(())
    }
}

/// The number after the last key of a map, from 1.
fn next_number<K: RowKey, V>(last: Option<(&K, &V)>) -> i64 {
    last.map_or(1, |(key, _)| key.number() + 1)
}

fn missing(what: &'static str, key: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged { what, found: key.to_string() }
}

fn paid_twice(resource: &str, starts_at: Timestamp) -> StoreError {
    StoreError::PaidTwice { resource: resource.to_owned(), starts_at: starts_at.to_string() }
}
