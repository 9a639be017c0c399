//! What the engine reads of SQLite: each method is a function of the module of its table.

use perennial_domain::attempt::Key;
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

use crate::accounts;
use crate::accounts::StoredAccount;
use crate::approvals;
use crate::approvals::StoredApproval;
use crate::bundles;
use crate::bundles::StoredBundle;
use crate::calls;
use crate::calls::StoredCall;
use crate::client_tokens;
use crate::client_tokens::StoredOutcome;
use crate::connections;
use crate::deferrals;
use crate::engine_store::EngineReads;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::BundleKey;
use crate::keys::MemberKeys;
use crate::keys::ResourceKey;
use crate::ledger;
use crate::orders;
use crate::orders::StoredUnpaidOrder;
use crate::packages;
use crate::packages::DeferredPurchase;
use crate::people;
use crate::plugin_bindings;
use crate::plugin_bindings::StoredBinding;
use crate::plugin_breakers;
use crate::plugin_failures;
use crate::plugin_revisions;
use crate::plugin_revisions::RevisionParts;
use crate::policies;
use crate::policies::StoredPolicies;
use crate::provider_keys;
use crate::tx::ReadTx;

impl EngineReads for ReadTx {
    fn due(&self, until: Timestamp, limit: u32) -> Result<Vec<StoredBundle>, StoreError> {
        bundles::due(self, until, limit)
    }

    fn next_wake(&self) -> Result<Option<Timestamp>, StoreError> {
        bundles::next_wake(self)
    }

    fn find_bundle(&self, id: &str) -> Result<Option<(StoredBundle, MemberIndex)>, StoreError> {
        bundles::find_by_resource(self, id)
    }

    fn bundle(&self, resource: ResourceKey) -> Result<(StoredBundle, MemberIndex), StoreError> {
        bundles::find_by_resource_row(self, resource)
    }

    fn has_resource(&self, id: &str) -> Result<bool, StoreError> {
        bundles::exists(self, id)
    }

    fn accounts(&self) -> Result<Vec<StoredAccount>, StoreError> {
        accounts::list(self)
    }

    fn account(&self, account: AccountKey) -> Result<StoredAccount, StoreError> {
        accounts::get_by_row(self, account)
    }

    fn find_account(&self, id: &str) -> Result<Option<StoredAccount>, StoreError> {
        accounts::get(self, id)
    }

    fn orders(&self, members: &MemberKeys) -> Result<Vec<Order>, StoreError> {
        orders::list(self, members)
    }

    fn unpaid_orders(&self, members: &MemberKeys) -> Result<Vec<StoredUnpaidOrder>, StoreError> {
        orders::unpaid(self, members)
    }

    fn order_state(&self, resource: ResourceKey, id: &str) -> Result<Option<OrderState>, StoreError> {
        orders::state(self, resource, id)
    }

    fn has_closed_orders(&self, resource: ResourceKey) -> Result<bool, StoreError> {
        orders::has_closed(self, resource)
    }

    fn next_order_deadline(&self, until: Timestamp) -> Result<Option<(Timestamp, ResourceKey)>, StoreError> {
        orders::next_deadline(self, until)
    }

    fn offers(
        &self,
        account: AccountKey,
        resource_type: &str,
        at: Timestamp,
    ) -> Result<Vec<(ResourceKey, Offer)>, StoreError> {
        packages::list_offers(self, account, resource_type, at)
    }

    fn next_deferred_purchase(&self, until: Timestamp) -> Result<Option<DeferredPurchase>, StoreError> {
        packages::next_deferred(self, until)
    }

    fn find_approval(&self, id: &str) -> Result<Option<StoredApproval>, StoreError> {
        approvals::get(self, id)
    }

    fn person_of(&self, id: &str) -> Result<String, StoreError> {
        people::person_of(self, id)
    }

    fn renewal_authors(&self, resource: ResourceKey) -> Result<Vec<String>, StoreError> {
        people::renewal_authors(self, resource)
    }

    fn is_provider_key(&self, id: &str) -> Result<bool, StoreError> {
        Ok(provider_keys::get(self, id)?.is_some())
    }

    fn approvals(&self, resource: ResourceKey) -> Result<Vec<StoredApproval>, StoreError> {
        approvals::list_for_resource(self, resource)
    }

    fn accounts_with_pending_approvals(&self) -> Result<Vec<AccountKey>, StoreError> {
        approvals::accounts_with_pending(self)
    }

    fn next_approval_expiry(&self, until: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        approvals::next_expiry(self, until)
    }

    fn expiring_approvals(&self, at: Timestamp, limit: u32) -> Result<Vec<StoredApproval>, StoreError> {
        approvals::expiring(self, at, limit)
    }

    fn accounts_with_due_calls(&self, until: Timestamp) -> Result<Vec<AccountKey>, StoreError> {
        calls::due_accounts(self, until)
    }

    fn due_calls_of(
        &self,
        account: AccountKey,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<StoredCall>, StoreError> {
        calls::due_of_account(self, account, until, limit)
    }

    fn backlog(&self, account: AccountKey) -> Result<Vec<(Timestamp, u64)>, StoreError> {
        calls::backlog(self, account)
    }

    fn driver(&self, account: AccountKey) -> Result<Option<Driver>, StoreError> {
        connections::driver(self, account)
    }

    fn next_call_act(&self) -> Result<Option<Timestamp>, StoreError> {
        calls::next_act(self)
    }

    fn find_call(
        &self,
        resource: ResourceKey,
        expires_before: Timestamp,
        slot: Slot,
    ) -> Result<Option<StoredCall>, StoreError> {
        calls::find(self, resource, expires_before, slot)
    }

    fn newest_setting(&self, resource: ResourceKey) -> Result<Option<StoredCall>, StoreError> {
        calls::newest_setting(self, resource)
    }

    fn interrupted_calls(&self) -> Result<Vec<StoredCall>, StoreError> {
        calls::interrupted(self)
    }

    fn calls_sent_since(&self, since: Timestamp) -> Result<Vec<StoredCall>, StoreError> {
        calls::sent_since(self, since)
    }

    fn paying_call(&self, period: &Key) -> Result<Option<StoredCall>, StoreError> {
        calls::paying(self, period)
    }

    fn accounts_with_deferrals(&self) -> Result<Vec<AccountKey>, StoreError> {
        deferrals::accounts(self)
    }

    fn deferrals(&self, members: &MemberKeys) -> Result<Vec<Deferral>, StoreError> {
        deferrals::list(self, members)
    }

    fn policy_set_digest(&self) -> Result<String, StoreError> {
        policies::set_digest(self)
    }

    fn policies(&self) -> Result<StoredPolicies, StoreError> {
        policies::all(self)
    }

    fn plugin_binding_digest(&self) -> Result<String, StoreError> {
        plugin_bindings::set_digest(self)
    }

    fn plugin_bindings(&self) -> Result<Vec<StoredBinding>, StoreError> {
        plugin_bindings::list(self)
    }

    fn revision_granted(&self, digest: &str) -> Result<Option<String>, StoreError> {
        plugin_revisions::granted(self, digest)
    }

    fn failing_bundle(&self, bundle: BundleKey) -> Result<Option<FailingBundle>, StoreError> {
        plugin_failures::get(self, bundle)
    }

    fn breakers(&self) -> Result<Vec<(String, Breaker)>, StoreError> {
        plugin_breakers::list(self)
    }

    fn revision_parts(&self, digest: &str) -> Result<Option<RevisionParts>, StoreError> {
        plugin_revisions::parts(self, digest)
    }

    fn spent_since(&self, account: AccountKey, since: Timestamp) -> Result<Micros, StoreError> {
        ledger::spent_since(self, account, since)
    }

    fn client_token(
        &self,
        account: AccountKey,
        token: &str,
        since: Timestamp,
    ) -> Result<Option<StoredOutcome>, StoreError> {
        client_tokens::get(self, account, token, since)
    }

    fn client_tokens(&self, account: AccountKey) -> Result<i64, StoreError> {
        client_tokens::count(self, account)
    }
}
