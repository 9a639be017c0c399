//! What the engine needs of a store: what is due, loading, looking up, and committing what was decided.
//!
//! Two stores stand behind it: [`Store`](crate::Store), which is SQLite, and [`MemoryStore`](crate::memory::MemoryStore),
//! which plays a simulation. A reader's connection, [`ReadTx`](crate::ReadTx), has the reading half. Everything that the
//! engine decides is a list of [`Change`]s, which is committed whole or not at all.

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

use crate::accounts::StoredAccount;
use crate::approvals::StoredApproval;
use crate::bundles::StoredBundle;
use crate::calls::StoredCall;
use crate::change::Change;
use crate::client_tokens::StoredOutcome;
use crate::error::StoreError;
use crate::keys::AccountKey;
use crate::keys::BundleKey;
use crate::keys::MemberKeys;
use crate::keys::ResourceKey;
use crate::orders::StoredUnpaidOrder;
use crate::packages::DeferredPurchase;
use crate::plugin_bindings::StoredBinding;
use crate::plugin_revisions::RevisionParts;
use crate::policies::StoredPolicies;

/// What the engine reads. Each method fails with [`StoreError`] when the store cannot be read or is damaged.
///
/// The engine calls [`EngineReads::due`] once for each batch, then what it needs to know of the bundles in it, and commits
/// before it calls `due` again. Commands, imports and forecasts call the rest, between two batches. What a method returns
/// includes everything that was committed before.
///
/// ```
/// use perennial_domain::timestamp::Timestamp;
/// use perennial_store::engine_store::EngineReads;
/// use perennial_store::error::StoreError;
/// use perennial_store::memory::MemoryStore;
///
/// /// How long the clock may sleep at `now`, in seconds; `None` when nothing ever wakes.
/// fn idle_seconds(db: &impl EngineReads, now: Timestamp) -> Result<Option<i64>, StoreError> {
///     Ok(db.next_wake()?.map(|wake| (wake - now).max(0)))
/// }
///
/// let empty = MemoryStore::default();
/// assert_eq!(idle_seconds(&empty, Timestamp::from_second(0))?, None);
/// # Ok::<(), StoreError>(())
/// ```
pub trait EngineReads {
    /// The bundles whose wake has come by `until`, earliest first and then in the order they were added, at most `limit`.
    fn due(&self, until: Timestamp, limit: u32) -> Result<Vec<StoredBundle>, StoreError>;

    /// When the next bundle wakes; `None` when none ever does.
    fn next_wake(&self) -> Result<Option<Timestamp>, StoreError>;

    /// The bundle that the resource called `id` belongs to, and its index there; `None` if there is none.
    fn find_bundle(&self, id: &str) -> Result<Option<(StoredBundle, MemberIndex)>, StoreError>;

    /// The bundle that a resource belongs to, and its index there.
    fn bundle(&self, resource: ResourceKey) -> Result<(StoredBundle, MemberIndex), StoreError>;

    /// Whether a resource is called `id`.
    fn has_resource(&self, id: &str) -> Result<bool, StoreError>;

    /// Every account, by id.
    fn accounts(&self) -> Result<Vec<StoredAccount>, StoreError>;

    /// The account with this key.
    fn account(&self, account: AccountKey) -> Result<StoredAccount, StoreError>;

    /// The account called `id`, if there is one.
    fn find_account(&self, id: &str) -> Result<Option<StoredAccount>, StoreError>;

    /// The paid orders of a bundle's members that were not refunded, oldest first.
    fn orders(&self, members: &MemberKeys) -> Result<Vec<Order>, StoreError>;

    /// The orders of a bundle's members that wait to be paid.
    fn unpaid_orders(&self, members: &MemberKeys) -> Result<Vec<StoredUnpaidOrder>, StoreError>;

    /// Where the order `id` of a resource is; `None` when the resource has no such order.
    fn order_state(&self, resource: ResourceKey, id: &str) -> Result<Option<OrderState>, StoreError>;

    /// Whether an order of a resource was cancelled, expired or given back.
    fn has_closed_orders(&self, resource: ResourceKey) -> Result<bool, StoreError>;

    /// The next instant by `until` after which an order can no longer be paid, and a resource of it.
    fn next_order_deadline(&self, until: Timestamp) -> Result<Option<(Timestamp, ResourceKey)>, StoreError>;

    /// An account's packages for `resource_type` that are active and were bought by `at`, oldest purchase first.
    fn offers(
        &self,
        account: AccountKey,
        resource_type: &str,
        at: Timestamp,
    ) -> Result<Vec<(ResourceKey, Offer)>, StoreError>;

    /// The next package to be paid later, if its time comes by `until`.
    fn next_deferred_purchase(&self, until: Timestamp) -> Result<Option<DeferredPurchase>, StoreError>;

    /// The approval called `id`, if there is one.
    fn find_approval(&self, id: &str) -> Result<Option<StoredApproval>, StoreError>;

    /// The person behind an admin token or a key of a provider's own API, by its id: equal for equal people.
    fn person_of(&self, id: &str) -> Result<String, StoreError>;

    /// The ids of the tokens and keys that last changed how the members of a resource's bundle renew by themselves. Nobody did in a
    /// store in which nobody decides.
    fn renewal_authors(&self, _resource: ResourceKey) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    /// Whether `id` is that of a key of a provider's own API, and not of an admin token.
    fn is_provider_key(&self, id: &str) -> Result<bool, StoreError>;

    /// Every approval of a resource, oldest first.
    fn approvals(&self, resource: ResourceKey) -> Result<Vec<StoredApproval>, StoreError>;

    /// The accounts that have pending approvals, in ascending order.
    fn accounts_with_pending_approvals(&self) -> Result<Vec<AccountKey>, StoreError>;

    /// When the next pending approval expires, if that is by `until`.
    fn next_approval_expiry(&self, until: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    /// The pending approvals that expire at `at`, oldest first, at most `limit`.
    fn expiring_approvals(&self, at: Timestamp, limit: u32) -> Result<Vec<StoredApproval>, StoreError>;

    /// The accounts of calls about which something is to be done by `until`, in ascending order.
    fn accounts_with_due_calls(&self, until: Timestamp) -> Result<Vec<AccountKey>, StoreError>;

    /// The calls of an account about which something is to be done by `until`: at most `limit` that are queried or tried again,
    /// then at most `limit` that are to be paid for, both by their deadlines.
    fn due_calls_of(
        &self,
        account: AccountKey,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<StoredCall>, StoreError>;

    /// How many renewals of an account that are reserved have each deadline, the earliest first.
    fn backlog(&self, account: AccountKey) -> Result<Vec<(Timestamp, u64)>, StoreError>;

    /// Who renews what an account has that its provider keeps; `None` for one that this host keeps itself, and in a store
    /// that knows no connections.
    fn driver(&self, account: AccountKey) -> Result<Option<Driver>, StoreError>;

    /// When something is to be done about a call next; `None` when nothing ever is.
    fn next_call_act(&self) -> Result<Option<Timestamp>, StoreError>;

    /// The call for a slot of a resource's expiry; `None` if it was never tried.
    fn find_call(
        &self,
        resource: ResourceKey,
        expires_before: Timestamp,
        slot: Slot,
    ) -> Result<Option<StoredCall>, StoreError>;

    /// The newest call about what happens when a resource expires, whatever its expiry was then.
    fn newest_setting(&self, resource: ResourceKey) -> Result<Option<StoredCall>, StoreError>;

    /// The calls that were under way when the host ended.
    fn interrupted_calls(&self) -> Result<Vec<StoredCall>, StoreError>;

    /// The calls that were sent at `since` or later, oldest first.
    fn calls_sent_since(&self, since: Timestamp) -> Result<Vec<StoredCall>, StoreError>;

    /// The call that is under way, unclear or settled and pays for this period, whichever resource it names.
    fn paying_call(&self, period: &Key) -> Result<Option<StoredCall>, StoreError>;

    /// The accounts that have renewals put off, in ascending order.
    fn accounts_with_deferrals(&self) -> Result<Vec<AccountKey>, StoreError>;

    /// Which renewals of a bundle's members are put off.
    fn deferrals(&self, members: &MemberKeys) -> Result<Vec<Deferral>, StoreError>;

    /// The digest of the policies that hold, which is another one whenever any of them changes; empty while none was ever
    /// installed.
    fn policy_set_digest(&self) -> Result<String, StoreError>;

    /// The policies that hold.
    fn policies(&self) -> Result<StoredPolicies, StoreError>;

    /// The digest of the bindings of plugins' revisions, which is another one whenever any of them changes; empty while nothing
    /// was ever bound, and in a store that is played in, whose rules are those that it was given.
    fn plugin_binding_digest(&self) -> Result<String, StoreError>;

    /// Which revisions of plugins are bound to which accounts.
    fn plugin_bindings(&self) -> Result<Vec<StoredBinding>, StoreError>;

    /// What the revision with this digest is granted beyond every plugin, as limits are written; `None` for nothing.
    fn revision_granted(&self, digest: &str) -> Result<Option<String>, StoreError>;

    /// What is known of a bundle over which its plugin fails; `None` where it does not.
    fn failing_bundle(&self, bundle: BundleKey) -> Result<Option<FailingBundle>, StoreError>;

    /// What keeps revisions of plugins from being asked, by their digests.
    fn breakers(&self) -> Result<Vec<(String, Breaker)>, StoreError>;

    /// What the revision with this digest is made of; `None` if it is not kept.
    fn revision_parts(&self, digest: &str) -> Result<Option<RevisionParts>, StoreError>;

    /// What an account that has a budget has spent from `since` on, as budgets count it.
    fn spent_since(&self, account: AccountKey, since: Timestamp) -> Result<Micros, StoreError>;

    /// What became of the command that an account sent under `token` at `since` or later.
    fn client_token(
        &self,
        account: AccountKey,
        token: &str,
        since: Timestamp,
    ) -> Result<Option<StoredOutcome>, StoreError>;

    /// How many client tokens of an account are remembered.
    fn client_tokens(&self, account: AccountKey) -> Result<i64, StoreError>;
}

/// A store that an engine works on.
///
/// ```
/// use perennial_domain::timestamp::Timestamp;
/// use perennial_store::change::Change;
/// use perennial_store::clock::ClockKind;
/// use perennial_store::engine_store::EngineReads;
/// use perennial_store::engine_store::EngineStore;
/// use perennial_store::error::StoreError;
/// use perennial_store::memory::MemoryStore;
///
/// /// Reads one batch, and commits what comes of it: here, only that the clock was there.
/// fn tick(store: &mut impl EngineStore, until: Timestamp) -> Result<usize, StoreError> {
///     let due = store.reads().due(until, 256)?;
///     store.commit([Change::Tick { kind: ClockKind::Virtual, at: until }])?;
///     Ok(due.len())
/// }
///
/// assert_eq!(tick(&mut MemoryStore::default(), Timestamp::from_second(0))?, 0);
/// # Ok::<(), StoreError>(())
/// ```
pub trait EngineStore {
    /// The type through which the engine reads.
    type Reads: EngineReads;

    /// What is committed, and what the transaction under way has written. Called before each read.
    fn reads(&self) -> &Self::Reads;

    /// Carries `changes` out in their order: all of them, or none. Called once for each batch of the clock, for each command,
    /// and for whatever else the engine decides, with everything that was decided together.
    ///
    /// # Errors
    ///
    /// [`StoreError::PaidTwice`] when a period would be paid for twice; other variants when the store cannot be written.
    fn commit(&mut self, changes: impl IntoIterator<Item = Change>) -> Result<(), StoreError>;
}
