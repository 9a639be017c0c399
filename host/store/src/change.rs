//! What the engine decided, as values that any store can carry out.

use std::collections::BTreeMap;
use std::sync::Arc;

use perennial_domain::account::Account;
use perennial_domain::apply::RefundedPeriod;
use perennial_domain::approval::State;
use perennial_domain::attempt::Attempt;
use perennial_domain::attempt::AttemptId;
use perennial_domain::bundle::Bundle;
use perennial_domain::ledger::Balance;
use perennial_domain::ledger::Entry;
use perennial_domain::micros::Micros;
use perennial_domain::order::Order;
use perennial_domain::order::OrderState;
use perennial_domain::plugin_failure::Breaker;
use perennial_domain::plugin_failure::FailingBundle;
use perennial_domain::policy::chain::RequiredApproval;
use perennial_domain::policy::deferral::Deferral;
use perennial_domain::timestamp::Timestamp;

use crate::approvals::NewApproval;
use crate::approvals::PricedRequest;
use crate::approvals::Resolution;
use crate::bundles::OriginalBundle;
use crate::bundles::Schedule;
use crate::calls::StoredCall;
use crate::client_tokens::StoredOutcome;
use crate::clock::ClockKind;
use crate::keys::AccountKey;
use crate::keys::ApprovalKey;
use crate::keys::DeferredPurchaseKey;
use crate::keys::MemberKeys;
use crate::keys::ResourceKey;
use crate::orders::StoredUnpaidOrder;
use crate::policy_differences::NewPolicyDifference;
use crate::revision_differences::NewRevisionDifference;
use crate::revision_differences::RevisionTrial;

/// One thing that a decision changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Everything up to an instant has been done by a clock of this kind.
    Tick {
        /// The kind of the clock.
        kind: ClockKind,
        /// The instant that was reached.
        at: Timestamp,
    },
    /// Somebody changed how a resource renews by itself, or what that costs.
    SetRenewalAuthor {
        /// The resource's row.
        resource: ResourceKey,
        /// The setting, as events name it.
        setting: String,
        /// The id of their token or key.
        author: String,
    },
    /// The store lives on time of this kind, if nothing has said yet on which it does. Nothing is done by it.
    SetClockKind(ClockKind),
    /// A new account, and the ledger entry that its balance comes from.
    InsertAccount {
        /// The account as it opens.
        account: Account,
        /// Where its balance comes from.
        opening: Entry,
        /// The revision that its bundles are to be scheduled by; `None` without a plugin.
        scheduled_by: Option<String>,
    },
    /// What becomes of an account.
    Account(AccountKey, AccountChange),
    /// The renewals of a bundle that are put off, instead of those that were.
    SetDeferrals {
        /// The account of the bundle.
        account: AccountKey,
        /// The members of the bundle.
        members: MemberKeys,
        /// Those that are put off from now on.
        deferrals: Vec<Deferral>,
    },
    /// Money that moved between an account's books.
    InsertEntry {
        /// The account whose book it is.
        account: AccountKey,
        /// How the money moved.
        entry: Entry,
    },
    /// A new bundle, and what was paid for it.
    InsertBundle {
        /// The account's id.
        account: String,
        /// The bundle to add.
        bundle: Bundle,
        /// What the clock is to know of it.
        schedule: Schedule,
        /// Its members' orders.
        orders: Vec<Order>,
    },
    /// What became of a bundle.
    UpdateBundle {
        /// The bundle before the change.
        original: OriginalBundle,
        /// The bundle after the change.
        bundle: Bundle,
        /// What the clock is to know of it.
        schedule: Schedule,
        /// Since when and why its plugin gives no usable answer; `None` if it does.
        failing: Option<FailingBundle>,
    },
    /// The state of an attempt on a resource. A declined one with the same id is tried again, and one that awaits an
    /// approval goes on; the commit fails if an attempt with its key, of whatever term, is in any other state.
    RecordAttempt {
        /// The resource that the renewal names.
        resource: ResourceKey,
        /// The attempt in its new state.
        attempt: Attempt,
    },
    /// A renewal on a cloud as it is now, and the attempt that it stands for. The commit fails if another one that is under
    /// way, unclear or settled pays for one of its periods.
    RecordCall {
        /// The call in its new state.
        call: Box<StoredCall>,
        /// The instant of the change.
        at: Timestamp,
    },
    /// What becomes of orders.
    Order(OrderChange),
    /// What becomes of packages to be paid later.
    Purchase(PurchaseChange),
    /// How much of a package is used.
    SetUsed {
        /// The package that was used.
        resource: ResourceKey,
        /// How much of it is used.
        used: Micros,
    },
    /// A plan that waits for an approval.
    InsertApproval(Box<NewApproval>),
    /// A pending approval holds another plan, whose attempt has another id if its resource or term is another.
    RepriceApproval {
        /// The approval to change.
        approval: ApprovalKey,
        /// The plan and its new price.
        priced: PricedRequest,
        /// The resource that the plan's renewal names, and the attempt, if it renews.
        attempt: Option<(ResourceKey, AttemptId)>,
        /// The instant of the change.
        at: Timestamp,
    },
    /// Which approvals a pending one waits for, which of them were given, and until when.
    SetRequired {
        /// The approval to change.
        approval: ApprovalKey,
        /// All that it waits for, in order.
        required: Vec<RequiredApproval>,
        /// When it expires.
        expires_at: Timestamp,
    },
    /// What became of an approval. If its attempt still awaits it, the attempt is void.
    CloseApproval {
        /// The approval that ended.
        approval: ApprovalKey,
        /// The state in which it ended.
        state: State,
        /// Who decided, when and why.
        resolution: Resolution,
    },
    /// What became of a command that carried a client token.
    RecordClientToken {
        /// The account whose client sent it.
        account: AccountKey,
        /// The client's token.
        token: String,
        /// The outcome of the command.
        outcome: StoredOutcome,
        /// The instant of the change.
        at: Timestamp,
        /// Until when the token is remembered.
        valid_until: Timestamp,
    },
    /// What a plugin was asked and answered.
    InsertDecision {
        /// The resource that the command named.
        resource: ResourceKey,
        /// The plugin's id, and the digest of its revision.
        revision: Arc<(String, String)>,
        /// The instant of the change.
        at: Timestamp,
        /// The version of the contract that both are written in.
        contract: &'static str,
        /// What it was asked, as [`perennial_formats::decision::packed`] packs it.
        request: Vec<u8>,
        /// What it answered, packed too.
        response: Vec<u8>,
        /// The fuel that it took.
        fuel: u64,
    },
    /// What keeps a revision of a plugin from being asked; `None` where nothing does any more.
    SetBreaker {
        /// The digest of the revision.
        digest: String,
        /// What the breaker is from now on.
        breaker: Option<Breaker>,
    },
    /// What a shadow policy would have done otherwise.
    RecordPolicyDifference(Box<NewPolicyDifference>),
    /// What a shadow revision of a plugin answered otherwise.
    RecordRevisionDifference(Box<NewRevisionDifference>),
    /// How a shadow revision was asked in a batch.
    AddRevisionTrial(Box<RevisionTrial>),
    /// Something happened, and stays in the log of events.
    InsertEvent {
        /// Whose it is; `None` when it is the host's.
        account: Option<AccountKey>,
        /// The instant of the change.
        at: Timestamp,
        /// The resource's id.
        resource: Option<String>,
        /// The event's type.
        kind: &'static str,
        /// Its fields, as JSON.
        body: String,
    },
}

/// One thing that becomes of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderChange {
    /// A period of a resource that was paid for. With another that begins at the same instant and was not refunded, the
    /// commit fails.
    Insert {
        /// The resource that the order pays for.
        resource: ResourceKey,
        /// The resource's id, for errors.
        resource_id: String,
        /// The paid period and its order.
        order: Order,
        /// Whether it was ordered before: a period of this order that waits to be paid becomes this one, if there is one.
        waited: bool,
    },
    /// An order that waits to be paid from now on.
    Place {
        /// The members of its bundle.
        members: MemberKeys,
        /// The order that waits to be paid.
        order: StoredUnpaidOrder,
    },
    /// What still waits of an order of a resource waits no more.
    Close {
        /// A resource of the order.
        resource: ResourceKey,
        /// The order's id.
        order: String,
        /// The state that the order has now.
        state: OrderState,
    },
    /// A command gives paid periods back, and the attempts that paid for them are void.
    Refund {
        /// The members of the bundle.
        members: MemberKeys,
        /// The periods that are given back.
        refunds: Vec<RefundedPeriod>,
        /// The instant of the change.
        at: Timestamp,
    },
}

/// One thing that becomes of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// The balance from now on.
    Balance(Balance),
    /// What the provider's rules are told about it. Its bundles wake at `at`, to be asked about anew.
    Settings {
        /// All of its settings.
        settings: BTreeMap<String, String>,
        /// The instant of the change.
        at: Timestamp,
    },
    /// The cost above which its plans need an approval; `None`: none does.
    ApprovalAbove(Option<Micros>),
    /// What it may spend in a month, for policies to look at; `None`: there is no budget.
    Budget(Option<Micros>),
}

/// One thing that becomes of packages to be paid later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurchaseChange {
    /// A package is to be bought like this one later.
    Defer {
        /// The package that it is bought like.
        resource: ResourceKey,
        /// The instant of the payment.
        pay_at: Timestamp,
        /// When it is to take effect.
        effective_at: Timestamp,
    },
    /// A package that was to be paid is paid later.
    Postpone {
        /// The purchase to put off.
        purchase: DeferredPurchaseKey,
        /// The new instant of the payment.
        pay_at: Timestamp,
    },
    /// A package that was to be paid later is paid, or given up.
    Delete(DeferredPurchaseKey),
}
