//! What the engine reads of the store in memory.

use std::collections::BTreeSet;

use perennial_domain::attempt::Key;
use perennial_domain::bundle::Stage;
use perennial_domain::connected::record::Slot;
use perennial_domain::connector::Driver;
use perennial_domain::index::MemberIndex;
use perennial_domain::micros::Micros;
use perennial_domain::order::Order;
use perennial_domain::order::OrderState;
use perennial_domain::plugin_failure::Breaker;
use perennial_domain::plugin_failure::FailingBundle;
use perennial_domain::policy::deferral::Deferral;
use perennial_domain::timestamp::Timestamp;
use perennial_domain::usage::Offer;

use crate::accounts::StoredAccount;
use crate::approvals::StoredApproval;
use crate::bundles::StoredBundle;
use crate::calls::StoredCall;
use crate::client_tokens::StoredOutcome;
use crate::engine_store::EngineReads;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::ApprovalKey;
use crate::keys::BundleKey;
use crate::keys::MemberKeys;
use crate::keys::ResourceKey;
use crate::memory::MemoryStore;
use crate::memory::missing;
use crate::orders::StoredUnpaidOrder;
use crate::packages::DeferredPurchase;
use crate::plugin_bindings::StoredBinding;
use crate::plugin_revisions::RevisionParts;
use crate::policies::StoredPolicies;

impl EngineReads for MemoryStore {
    fn due(&self, until: Timestamp, limit: u32) -> Result<Vec<StoredBundle>, StoreError> {
        let due = self.wakes.iter().take_while(|(wake_at, _)| *wake_at <= until);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        due.take(limit).map(|(_, key)| self.stored_bundle(*key).cloned()).collect()
    }

    fn next_wake(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.wakes.first().map(|(wake_at, _)| *wake_at))
    }

    fn find_bundle(&self, id: &str) -> Result<Option<(StoredBundle, MemberIndex)>, StoreError> {
        self.resource_ids.get(id).map(|key| self.bundle(*key)).transpose()
    }

    fn bundle(&self, resource: ResourceKey) -> Result<(StoredBundle, MemberIndex), StoreError> {
        let stored = self.stored_bundle(self.bundle_of(resource)?)?;
        let member = stored.rows.position(resource).ok_or_else(|| missing("a member", &resource))?;
        Ok((stored.clone(), member))
    }

    fn has_resource(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self.resource_ids.contains_key(id))
    }

    fn accounts(&self) -> Result<Vec<StoredAccount>, StoreError> {
        Ok(self.account_ids.values().map(|key| self.accounts[key].clone()).collect())
    }

    fn account(&self, account: AccountKey) -> Result<StoredAccount, StoreError> {
        self.accounts.get(&account).cloned().ok_or_else(|| missing("an account", &account))
    }

    fn find_account(&self, id: &str) -> Result<Option<StoredAccount>, StoreError> {
        Ok(self.account_ids.get(id).map(|key| self.accounts[key].clone()))
    }

    fn orders(&self, members: &MemberKeys) -> Result<Vec<Order>, StoreError> {
        Ok(self.books.paid(members))
    }

    fn unpaid_orders(&self, members: &MemberKeys) -> Result<Vec<StoredUnpaidOrder>, StoreError> {
        Ok(self.books.unpaid(members))
    }

    fn order_state(&self, resource: ResourceKey, id: &str) -> Result<Option<OrderState>, StoreError> {
        Ok(self.books.state(resource, id))
    }

    fn has_closed_orders(&self, resource: ResourceKey) -> Result<bool, StoreError> {
        Ok(self.books.has_closed(resource))
    }

    fn next_order_deadline(&self, until: Timestamp) -> Result<Option<(Timestamp, ResourceKey)>, StoreError> {
        Ok(self.books.next_deadline(until))
    }

    fn offers(
        &self,
        account: AccountKey,
        resource_type: &str,
        at: Timestamp,
    ) -> Result<Vec<(ResourceKey, Offer)>, StoreError> {
        let mut offers = Vec::new();
        for key in self.packages.get(&account).into_iter().flatten() {
            let (stored, member) = self.bundle(*key)?;
            let resource = &stored.bundle[member];
            let (Some(package), Some(expires_at)) = (&resource.package, resource.expires_at) else {
                continue;
            };
            let is_offered = resource.stage == Stage::Active
                && package.resource_type == resource_type
                && package.bought_at <= at;
            if is_offered {
                let (id, starts_at) = (resource.id.clone(), resource.started_at);
                offers.push((*key, Offer { id, package: package.clone(), starts_at, expires_at }));
            }
        }
        offers.sort_by_key(|(key, offer)| (offer.package.bought_at, *key));
        Ok(offers)
    }

    fn next_deferred_purchase(&self, until: Timestamp) -> Result<Option<DeferredPurchase>, StoreError> {
        let due = self.deferred.values().filter(|purchase| purchase.pay_at <= until);
        Ok(due.min_by_key(|purchase| (purchase.pay_at, purchase.row)).copied())
    }

    fn find_approval(&self, id: &str) -> Result<Option<StoredApproval>, StoreError> {
        Ok(self.approvals.values().find(|stored| stored.id == id).cloned())
    }

    /// It knows no tokens: each is a person.
    fn person_of(&self, id: &str) -> Result<String, StoreError> {
        Ok(id.to_owned())
    }

    fn is_provider_key(&self, _: &str) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn approvals(&self, resource: ResourceKey) -> Result<Vec<StoredApproval>, StoreError> {
        let keys = self.approvals_of.get(&resource).into_iter().flatten();
        Ok(keys.map(|key| self.approvals[key].clone()).collect())
    }

    fn accounts_with_pending_approvals(&self) -> Result<Vec<AccountKey>, StoreError> {
        let accounts = self.pending.iter().map(|(_, key)| self.approvals[key].account);
        Ok(accounts.collect::<BTreeSet<_>>().into_iter().collect())
    }

    fn next_approval_expiry(&self, until: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.pending.first().map(|(expires_at, _)| *expires_at).filter(|expires_at| *expires_at <= until))
    }

    fn expiring_approvals(&self, at: Timestamp, limit: u32) -> Result<Vec<StoredApproval>, StoreError> {
        let earlier = |(expires_at, _): &&(Timestamp, ApprovalKey)| *expires_at < at;
        let expiring =
            self.pending.iter().skip_while(earlier).take_while(|(expires_at, _)| *expires_at == at);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(expiring.take(limit).map(|(_, key)| self.approvals[key].clone()).collect())
    }

    fn accounts_with_due_calls(&self, until: Timestamp) -> Result<Vec<AccountKey>, StoreError> {
        Ok(MemoryStore::accounts_with_due_calls(self, until))
    }

    fn due_calls_of(
        &self,
        account: AccountKey,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<StoredCall>, StoreError> {
        Ok(MemoryStore::due_calls_of(self, account, until, limit))
    }

    fn backlog(&self, account: AccountKey) -> Result<Vec<(Timestamp, u64)>, StoreError> {
        Ok(MemoryStore::backlog(self, account))
    }

    fn driver(&self, _: AccountKey) -> Result<Option<Driver>, StoreError> {
        Ok(None)
    }

    fn next_call_act(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(MemoryStore::next_call_act(self))
    }

    fn find_call(
        &self,
        resource: ResourceKey,
        expires_before: Timestamp,
        slot: Slot,
    ) -> Result<Option<StoredCall>, StoreError> {
        Ok(MemoryStore::find_call(self, resource, expires_before, slot))
    }

    fn newest_setting(&self, resource: ResourceKey) -> Result<Option<StoredCall>, StoreError> {
        Ok(MemoryStore::newest_setting(self, resource))
    }

    fn interrupted_calls(&self) -> Result<Vec<StoredCall>, StoreError> {
        Ok(MemoryStore::interrupted_calls(self))
    }

    fn calls_sent_since(&self, since: Timestamp) -> Result<Vec<StoredCall>, StoreError> {
        Ok(MemoryStore::calls_sent_since(self, since))
    }

    fn paying_call(&self, period: &Key) -> Result<Option<StoredCall>, StoreError> {
        Ok(MemoryStore::paying_call(self, period))
    }

    fn accounts_with_deferrals(&self) -> Result<Vec<AccountKey>, StoreError> {
        let accounts = self.deferrals.values().map(|(account, _)| *account);
        Ok(accounts.collect::<BTreeSet<_>>().into_iter().collect())
    }

    fn policy_set_digest(&self) -> Result<String, StoreError> {
        Ok(self.policies.0.clone())
    }

    fn policies(&self) -> Result<StoredPolicies, StoreError> {
        Ok(self.policies.1.clone())
    }

    fn plugin_binding_digest(&self) -> Result<String, StoreError> {
        Ok(String::new())
    }

    fn plugin_bindings(&self) -> Result<Vec<StoredBinding>, StoreError> {
        Ok(Vec::new())
    }

    fn revision_granted(&self, _: &str) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    fn failing_bundle(&self, bundle: BundleKey) -> Result<Option<FailingBundle>, StoreError> {
        Ok(self.failing.get(&bundle).cloned())
    }

    fn breakers(&self) -> Result<Vec<(String, Breaker)>, StoreError> {
        Ok(self.breakers.clone().into_iter().collect())
    }

    fn revision_parts(&self, _: &str) -> Result<Option<RevisionParts>, StoreError> {
        Ok(None)
    }

    fn deferrals(&self, members: &MemberKeys) -> Result<Vec<Deferral>, StoreError> {
        let deferrals = members.iter().filter_map(|(_, key)| self.deferrals.get(&key));
        Ok(deferrals.map(|(_, deferral)| deferral.clone()).collect())
    }

    fn spent_since(&self, account: AccountKey, since: Timestamp) -> Result<Micros, StoreError> {
        let spending = self.spending.get(&account).into_iter().flatten();
        Ok(spending.filter(|(at, _)| *at >= since).map(|(_, amount)| *amount).sum())
    }

    fn client_token(
        &self,
        account: AccountKey,
        token: &str,
        since: Timestamp,
    ) -> Result<Option<StoredOutcome>, StoreError> {
        let stored = self.client_tokens.get(&(account, token.to_owned()));
        Ok(stored.filter(|(used_at, _)| *used_at >= since).map(|(_, outcome)| outcome.clone()))
    }

    fn client_tokens(&self, account: AccountKey) -> Result<i64, StoreError> {
        let count = self.client_tokens.keys().filter(|(of, _)| *of == account).count();
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }
}
