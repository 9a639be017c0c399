//! SQLite behind the engine's interface: each change is a function of the module of its table. What is read is in
//! `sqlite_reads.rs`.

use std::collections::HashMap;

use perennial_domain::account::Account;
use perennial_domain::attempt::Attempt;
use perennial_domain::attempt::AttemptId;
use perennial_domain::attempt::State;
use perennial_domain::bundle::Bundle;
use perennial_domain::ledger::Entry;
use perennial_domain::order::Order;
use perennial_domain::timestamp::Timestamp;

use crate::Store;
use crate::accounts;
use crate::approvals;
use crate::approvals::NewApproval;
use crate::approvals::PricedRequest;
use crate::attempts;
use crate::bundles;
use crate::bundles::Schedule;
use crate::calls;
use crate::change::AccountChange;
use crate::change::Change;
use crate::change::OrderChange;
use crate::change::PurchaseChange;
use crate::client_tokens;
use crate::clock;
use crate::decisions;
use crate::deferrals;
use crate::engine_store::EngineStore;
use crate::error::StoreError;
use crate::events;
use crate::keys::AccountKey;
use crate::keys::ApprovalKey;
use crate::keys::AttemptKey;
use crate::keys::ResourceKey;
use crate::keys::RevisionKey;
use crate::ledger;
use crate::orders;
use crate::packages;
use crate::people;
use crate::plugin_breakers;
use crate::plugin_failures;
use crate::policy_differences;
use crate::required_approvals;
use crate::revision_differences;
use crate::scheduling_revision;
use crate::tx::ReadTx;
use crate::tx::WriteTx;

impl EngineStore for Store {
    type Reads = ReadTx;

    fn reads(&self) -> &ReadTx {
        self.db()
    }

    fn commit(&mut self, changes: impl IntoIterator<Item = Change>) -> Result<(), StoreError> {
        self.write(|tx| commit(tx, changes))
    }
}

/// Carries `changes` out in their order, in the caller's transaction, which must not be committed if this fails.
///
/// # Errors
///
/// [`StoreError::PaidTwice`] when a period would be paid for twice; other variants when the database cannot be written.
fn commit(db: &WriteTx, changes: impl IntoIterator<Item = Change>) -> Result<(), StoreError> {
    let mut writer = Committer::new(db)?;
    changes.into_iter().try_for_each(|change| writer.apply(change))
}

/// The statements that nearly every bundle takes, found once.
struct Committer<'c> {
    db: &'c WriteTx,
    bundles: bundles::BundleUpdater<'c>,
    attempts: attempts::AttemptRecorder<'c>,
    orders: orders::OrderInserter<'c>,
    entries: ledger::EntryInserter<'c>,
    events: events::EventInserter<'c>,
    decisions: decisions::DecisionInserter<'c>,
    /// The revisions that decided, by digest.
    revisions: HashMap<String, RevisionKey>,
    /// The accounts that bundles were added to, by id.
    accounts: HashMap<String, AccountKey>,
}

impl<'c> Committer<'c> {
    fn new(db: &'c WriteTx) -> Result<Committer<'c>, StoreError> {
        Ok(Committer {
            db,
            bundles: bundles::BundleUpdater::new(db)?,
            attempts: attempts::AttemptRecorder::new(db)?,
            orders: orders::OrderInserter::new(db)?,
            entries: ledger::EntryInserter::new(db)?,
            events: events::EventInserter::new(db)?,
            decisions: decisions::DecisionInserter::new(db)?,
            revisions: HashMap::new(),
            accounts: HashMap::new(),
        })
    }

    fn apply(&mut self, change: Change) -> Result<(), StoreError> {
        let db = self.db;
        match change {
            Change::Tick { kind, at } => clock::set_ticked_at(db, kind, at),
            Change::SetClockKind(kind) => clock::set_kind(db, kind),
            Change::SetRenewalAuthor { resource, setting, author } => {
                people::set_renewal_author(db, resource, &setting, &author)
            }
            Change::InsertAccount { account, opening, scheduled_by } => {
                self.insert_account(&account, &opening, scheduled_by.as_deref())
            }
            Change::Account(account, change) => self.apply_account(account, change),
            Change::SetDeferrals { account, members, deferrals } => {
                deferrals::replace(db, account, &members, &deferrals)
            }
            Change::InsertEntry { account, entry } => self.entries.insert(account, &entry),
            Change::InsertBundle { account, bundle, schedule, orders } => {
                self.insert_bundle(account, &bundle, schedule, &orders)
            }
            Change::UpdateBundle { original, bundle, schedule, failing } => {
                self.bundles.update(&original, &bundle, schedule)?;
                if failing.is_some() || original.schedule.failures > 0 {
                    plugin_failures::set(db, original.rows.bundle(), failing.as_ref())?;
                }
                Ok(())
            }
            Change::RecordAttempt { resource, attempt } => self.attempts.record(resource, &attempt),
            Change::RecordCall { call, at } => calls::record(db, &call, at),
            Change::Order(change) => self.apply_order(change),
            Change::Purchase(change) => self.apply_purchase(change),
            Change::SetUsed { resource, used } => packages::set_used(db, resource, used),
            Change::InsertApproval(new) => self.insert_approval(*new),
            Change::RepriceApproval { approval, priced, attempt, at } => {
                self.reprice_approval(approval, &priced, attempt, at)
            }
            Change::SetRequired { approval, required, expires_at } => {
                required_approvals::set(db, approval, &required, expires_at)
            }
            Change::CloseApproval { approval, state, resolution } => {
                approvals::close(db, approval, state, &resolution)?;
                attempts::void_awaiting(db, approval, resolution.at)
            }
            Change::RecordClientToken { account, token, outcome, at, valid_until } => {
                client_tokens::upsert(db, account, &token, &outcome, (at, valid_until))
            }
            Change::InsertDecision { resource, revision, at, contract, request, response, fuel } => {
                let revision = self.revision(&revision.0, &revision.1)?;
                self.decisions.insert((at, resource, revision), contract, (&request, &response), fuel)
            }
            Change::SetBreaker { digest, breaker } => plugin_breakers::set(db, &digest, breaker.as_ref()),
            Change::RecordPolicyDifference(new) => policy_differences::record(db, &new),
            Change::RecordRevisionDifference(new) => revision_differences::record(db, &new),
            Change::AddRevisionTrial(trial) => revision_differences::add_trial(db, &trial),
            Change::InsertEvent { account, at, resource, kind, body } => {
                self.events.insert(at, account, resource.as_deref(), kind, &body)
            }
        }
    }
}

impl Committer<'_> {
    fn apply_account(&mut self, account: AccountKey, change: AccountChange) -> Result<(), StoreError> {
        let db = self.db;
        match change {
            AccountChange::Balance(balance) => accounts::set_balance(db, account, balance),
            AccountChange::Settings { settings, at } => {
                accounts::set_settings(db, account, &settings)?;
                bundles::wake_account(db, account, at)
            }
            AccountChange::ApprovalAbove(limit) => accounts::set_approval_above(db, account, limit),
            AccountChange::Budget(budget) => accounts::set_budget(db, account, budget),
        }
    }

    fn apply_purchase(&mut self, change: PurchaseChange) -> Result<(), StoreError> {
        let db = self.db;
        match change {
            PurchaseChange::Defer { resource, pay_at, effective_at } => {
                packages::defer(db, resource, pay_at, effective_at)
            }
            PurchaseChange::Postpone { purchase, pay_at } => {
                packages::postpone_deferred(db, purchase, pay_at)
            }
            PurchaseChange::Delete(purchase) => packages::delete_deferred(db, purchase),
        }
    }

    fn apply_order(&mut self, change: OrderChange) -> Result<(), StoreError> {
        let db = self.db;
        match change {
            OrderChange::Insert { resource, resource_id, order, waited } => {
                if waited && orders::settle(db, resource, &order)? {
                    return Ok(());
                }
                self.orders.insert(resource, &resource_id, &order)
            }
            OrderChange::Place { members, order } => orders::place(db, &members, &order),
            OrderChange::Close { resource, order, state } => orders::close(db, resource, &order, state),
            OrderChange::Refund { members, refunds, at } => {
                let number = orders::next_refund_number(db, &members, at)?;
                for refunded in &refunds {
                    let resource = members[refunded.member];
                    orders::refund(db, resource, refunded, number, at)?;
                    attempts::void(db, resource, refunded.period.starts_at, at)?;
                }
                Ok(())
            }
        }
    }

    fn insert_account(
        &mut self,
        account: &Account,
        opening: &Entry,
        scheduled_by: Option<&str>,
    ) -> Result<(), StoreError> {
        let key = accounts::insert(self.db, account)?;
        if let Some(digest) = scheduled_by {
            scheduling_revision::set(self.db, key, digest, None)?;
        }
        self.entries.insert(key, opening)
    }

    fn insert_bundle(
        &mut self,
        account: String,
        bundle: &Bundle,
        schedule: Schedule,
        orders: &[Order],
    ) -> Result<(), StoreError> {
        let key = match self.accounts.get(&account) {
            Some(key) => *key,
            None => {
                let stored = accounts::get(self.db, &account)?;
                let missing = StoreError::Damaged { what: "an account", found: account.clone() };
                let key = stored.ok_or(missing)?.row;
                self.accounts.insert(account, key);
                key
            }
        };
        let members = bundles::insert(self.db, key, bundle, schedule)?;
        for order in orders {
            self.orders.insert(members[order.member], &bundle[order.member].id, order)?;
        }
        Ok(())
    }

    fn revision(&mut self, plugin: &str, digest: &str) -> Result<RevisionKey, StoreError> {
        if let Some(key) = self.revisions.get(digest) {
            return Ok(*key);
        }
        let key = decisions::find_or_insert_revision(self.db, plugin, digest)?;
        self.revisions.insert(digest.to_owned(), key);
        Ok(key)
    }

    fn insert_approval(&mut self, new: NewApproval) -> Result<(), StoreError> {
        let attempt = self.await_approval(new.attempt.as_ref(), new.requested_at)?;
        let approval = approvals::insert(self.db, &new, attempt)?;
        match new.closing {
            None => Ok(()),
            Some((state, resolution)) => self.apply(Change::CloseApproval { approval, state, resolution }),
        }
    }

    fn reprice_approval(
        &mut self,
        approval: ApprovalKey,
        priced: &PricedRequest,
        attempt: Option<(ResourceKey, AttemptId)>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let before = approvals::attempt(self.db, approval)?;
        let attempt = match (before, attempt) {
            (Some((key, before)), Some((_, now))) if before == now => Some(key),
            (before, attempt) => {
                if before.is_some() {
                    attempts::void_awaiting(self.db, approval, at)?;
                }
                self.await_approval(attempt.as_ref(), at)?
            }
        };
        approvals::reprice(self.db, approval, priced, attempt)
    }

    fn await_approval(
        &mut self,
        attempt: Option<&(ResourceKey, AttemptId)>,
        at: Timestamp,
    ) -> Result<Option<AttemptKey>, StoreError> {
        let Some((resource, id)) = attempt else { return Ok(None) };
        let attempt = Attempt { id: id.clone(), state: State::awaiting_approval(), at };
        self.attempts.record(*resource, &attempt)?;
        attempts::find(self.db, *resource, id).map(Some)
    }
}
