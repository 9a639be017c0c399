//! Events: the record that the host keeps and outside programs read.
//!
//! The list below is the only one of the types of events: each has its name in every format, how bad it is as a rule, and its
//! fields. Formats write and read what it says, in its order. A new type is added here, in words in
//! `perennial_formats::event_text`, and with a mark in the picture.

use crate::approval_state::ExpiryReason;
use crate::approval_state::State;
use crate::attempt::DeclineClass;
use crate::bundle::Stage;
use crate::event_kinds::event_kinds;
use crate::ledger::Reason;
use crate::micros::Micros;
use crate::order::OrderKind;
use crate::plan::Cause;
use crate::plan::Scope;
use crate::ruling_kind::RulingKind;
use crate::term::Term;
use crate::timestamp::Timestamp;

/// Something that happened to an account or one of its resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The instant at which it happened; for a stage change, the instant at which it was due.
    pub at: Timestamp,
    /// The id of the resource; `None` when it concerns the whole account.
    pub resource: Option<String>,
    /// The type of event, with its fields.
    pub what: EventKind,
}

event_kinds! {
    /// It went from one stage to another.
    StageChanged = "stage_changed", Info {
        /// The stage before.
        from: Stage,
        /// The stage now.
        to: Stage,
    },
    /// It was renewed and paid for.
    RenewalSettled = "renewal_settled", Info {
        /// What this resource's renewal cost.
        cost: Micros,
        /// The expiry before.
        expires_before: Timestamp,
        /// The expiry now.
        expires_at: Timestamp,
        /// The term that was paid for.
        term: Term,
        /// The clock or a command.
        cause: Cause,
        /// The resource that it was renewed along with; `None` for the one that was named.
        primary: Option<String>,
        /// The attempt's id.
        attempt: String,
        /// Paid days beyond the term.
        extra_days: u32,
    },
    /// It was not renewed.
    RenewalDeclined = "renewal_declined", Warning {
        /// The provider's code.
        code: String,
        /// The provider's message.
        message: String,
        /// The class of the decline.
        class: DeclineClass,
        /// The instant of the next try; `None` when there is none.
        next_try_at: Option<Timestamp>,
    },
    /// No reply of the provider proves whether it was renewed.
    RenewalInDoubt = "renewal_in_doubt", Critical {
        /// The attempt's id.
        attempt: String,
        /// The provider's code.
        code: String,
    },
    /// No reply of the provider proves whether a command was carried out.
    CommandInDoubt = "command_in_doubt", Critical {
        /// The word for the command.
        command: String,
        /// What is unclear.
        code: String,
    },
    /// So many renewals of the account wait that they cannot all leave before a deadline.
    SendingLate = "sending_late", Critical {
        /// The deadline that cannot be kept.
        deadline: Timestamp,
        /// How many renewals should leave before it.
        renewals: u32,
        /// When their calls should have begun to leave.
        safe_start: Timestamp,
    },
    /// A connected account's provider does not let this host read it: the key was revoked, or nothing answers.
    ConnectionFailed = "connection_failed", Warning {
        /// What failed, in words.
        problem: String,
    },
    /// It can be read again.
    ConnectionRestored = "connection_restored", Info,
    /// A plan waits for an approval, or is priced again while it waits.
    ApprovalRequested = "approval_requested", Warning {
        /// The approval's id.
        approval: String,
        /// The name of the command.
        command: String,
        /// The clock or a command.
        cause: Cause,
        /// The token that requested it; `None` for the clock.
        requested_by: Option<String>,
        /// The cost of the plan, with payments that are due later.
        cost: Micros,
        /// The instant at which the approval expires.
        expires_at: Timestamp,
        /// The attempt's id, for a renewal.
        attempt: Option<String>,
    },
    /// Somebody decided on a pending approval.
    ApprovalDecided = "approval_decided", Info {
        /// The approval's id.
        approval: String,
        /// [`State::Approved`] or [`State::Rejected`].
        decision: State,
        /// The token that decided.
        decided_by: String,
        /// The reason given; `None` when none was.
        reason: Option<String>,
        /// False when the clock does not request the renewal again while the expiry is the same.
        will_retry: bool,
    },
    /// Somebody gave one of the approvals that a plan waits for; it waits for others.
    ApprovalGiven = "approval_given", Info {
        /// The approval's id.
        approval: String,
        /// The policy that required it.
        policy: String,
        /// The token that gave it.
        given_by: String,
        /// The reason given; `None` when none was.
        reason: Option<String>,
    },
    /// An approval expired: nobody decided in time, or there is nothing left to decide on.
    ApprovalExpired = "approval_expired", Warning {
        /// The approval's id.
        approval: String,
        /// Why the approval expired.
        reason: ExpiryReason,
        /// False when the clock does not request the renewal again while the expiry is the same.
        will_retry: bool,
    },
    /// A policy did not approve of a plan.
    PolicyRuled = "policy_ruled", Warning {
        /// The name of the policy.
        policy: String,
        /// What the policy ruled.
        ruling: RulingKind,
        /// The name of the command; `renew` for the clock.
        command: String,
        /// The clock or a command.
        cause: Cause,
        /// The policy's words, or why it failed.
        reason: String,
        /// Until when the plan is put off; `None` when it is not.
        until: Option<Timestamp>,
        /// Whether the policy is only asked beside the others, so that nothing follows from it.
        shadow: bool,
    },
    /// A policy noted something about a plan.
    PolicyNote = "policy_note", Info {
        /// The name of the policy.
        policy: String,
        /// The text that the policy noted.
        text: String,
        /// Whether the policy is only asked beside the others.
        shadow: bool,
    },
    /// A policy holds from now on, or in another version. It is the host's.
    PolicyInstalled = "policy_installed", Info {
        /// The name of the policy.
        policy: String,
        /// The digest of its script.
        digest: String,
        /// That of the script before; `None` when the policy is new.
        digest_before: Option<String>,
        /// `active` or `shadow`.
        mode: String,
        /// The token that installed it; `cli` for the command line.
        changed_by: String,
    },
    /// A policy holds no longer. It is the host's.
    PolicyRemoved = "policy_removed", Info {
        /// The name of the policy.
        policy: String,
        /// The digest of the script that it had.
        digest_before: String,
        /// The token that removed it; `cli` for the command line.
        changed_by: String,
    },
    /// A calendar of policies has other days, or is gone. It is the host's.
    PolicyCalendarChanged = "policy_calendar_changed", Info {
        /// The name of the calendar.
        calendar: String,
        /// Whether the calendar was removed.
        removed: bool,
        /// The token that changed it; `cli` for the command line.
        changed_by: String,
    },
    /// A revision of a plugin is kept from now on, and can be bound, or is granted something else. It is the host's.
    RevisionInstalled = "revision_installed", Info {
        /// The id of the provider whose rules it has.
        provider: String,
        /// The digest that names it.
        digest: String,
        /// The file that it came from.
        origin: String,
        /// The trusted key that signed it; `None` without a signature.
        signed_by: Option<String>,
        /// What it is granted beyond every plugin, as limits are written; `None` for nothing.
        granted: Option<String>,
        /// The token that installed it; `cli` for the command line.
        changed_by: String,
    },
    /// A revision of a plugin is bound to accounts from now on. It is the host's.
    RevisionBound = "revision_bound", Info {
        /// The id of the provider.
        provider: String,
        /// The account, or the pattern of accounts.
        accounts: String,
        /// `active` or `shadow`.
        mode: String,
        /// The digest of the revision.
        digest: String,
        /// That of the one before; `None` when none was bound.
        digest_before: Option<String>,
        /// The token that bound it; `cli` for the command line, `host` for what the host loads itself.
        changed_by: String,
    },
    /// A revision of a plugin is bound to accounts no longer. It is the host's.
    RevisionUnbound = "revision_unbound", Info {
        /// The id of the provider.
        provider: String,
        /// The account, or the pattern of accounts.
        accounts: String,
        /// `active` or `shadow`.
        mode: String,
        /// The digest of the revision.
        digest_before: String,
        /// The token that removed the binding; `cli` for the command line.
        changed_by: String,
    },
    /// A command was not carried out.
    CommandRefused = "command_refused", Warning {
        /// The name of the command.
        command: String,
        /// The provider's code.
        code: String,
        /// The provider's message.
        message: String,
    },
    /// A setting or attribute has a new value.
    SettingChanged = "setting_changed", Info {
        /// The name of the setting.
        setting: String,
        /// Its value; `None` when it has none any more.
        value: Option<String>,
    },
    /// The resource, or its future periods, were unsubscribed.
    Unsubscribed = "unsubscribed", Info {
        /// The money that came back for this resource.
        refund: Micros,
        /// The oldest order that gave money back or, where none did, the newest one that ended.
        original_order: Option<String>,
        /// All of it or its future periods.
        scope: Scope,
        /// The expiry that is left, for [`Scope::Future`].
        expires_at: Option<Timestamp>,
        /// Every order that was, with its part.
        refunds: Vec<(String, Micros)>,
    },
    /// The resource became pay-per-use.
    Converted = "converted", Info,
    /// An order was made: one that waits to be paid, or one of another kind than a renewal that is paid at once.
    OrderCreated = "order_created", Info {
        /// The order's id.
        order: String,
        /// The kind of the order.
        kind: OrderKind,
        /// What it costs; negative for what a downgrade gives back.
        cost: Micros,
        /// Until when it waits to be paid; `None` when it is paid at once.
        pay_until: Option<Timestamp>,
    },
    /// An order was paid, and what it is for is done.
    OrderPaid = "order_paid", Info {
        /// The order's id.
        order: String,
        /// The kind of the order.
        kind: OrderKind,
        /// What it cost; negative for what a downgrade gave back.
        cost: Micros,
        /// Every order that gave money back, with its part.
        refunds: Vec<(String, Micros)>,
    },
    /// An order that waited was cancelled by somebody, or because its resource came to its end.
    OrderCancelled = "order_cancelled", Info {
        /// The order's id.
        order: String,
        /// The kind of the order.
        kind: OrderKind,
        /// What it would have cost.
        cost: Micros,
    },
    /// Nobody paid an order in time.
    OrderExpired = "order_expired", Warning {
        /// The order's id.
        order: String,
        /// The kind of the order.
        kind: OrderKind,
        /// What it would have cost.
        cost: Micros,
    },
    /// The account has more or less money.
    BalanceChanged = "balance_changed", Info {
        /// The change, negative for money spent.
        amount: Micros,
        /// The balance after the change.
        balance: Micros,
        /// Why the balance changed.
        reason: Reason,
    },
    /// A package was ordered that is paid for later.
    PackageOrdered = "package_ordered", Info {
        /// The instant of the payment.
        pay_at: Timestamp,
        /// The instant at which it takes effect.
        effective_at: Timestamp,
    },
    /// A package was bought; the resource is the new package.
    PackageBought = "package_bought", Info {
        /// The instant at which it takes effect.
        effective_at: Timestamp,
        /// The instant at which it ends.
        expires_at: Timestamp,
        /// The amount that it covers.
        quota: Micros,
        /// The price of the package.
        cost: Micros,
        /// The id of the package whose purchase was repeated.
        like: String,
    },
    /// Use was covered by a package.
    PackageUsed = "package_used", Info {
        /// The amount used.
        amount: Micros,
        /// The amount left.
        left: Micros,
    },
    /// A package's used amount starts again from nothing.
    PackageRefilled = "package_refilled", Info {
        /// The amount left.
        left: Micros,
    },
    /// A package has little left.
    PackageLow = "package_low", Warning {
        /// The amount of the quota that is left.
        left: Micros,
    },
    /// A package has nothing left.
    PackageDepleted = "package_depleted", Warning {
        /// The amount left, which is zero.
        left: Micros,
    },
    /// Use was covered by no package.
    UsageUncovered = "usage_uncovered", Warning {
        /// The amount that no package covers.
        amount: Micros,
        /// The type of the resources that were used.
        resource_type: String,
    },
    /// A notice to the owner ahead of time.
    Notice = "notice", Warning {
        /// Its name in the plugin's manifest.
        notice: String,
    },
    /// The plugin gave no usable answer; the bundle keeps its state.
    PluginFailed = "plugin_failed", Critical {
        /// The error, which names the plugin.
        message: String,
        /// The instant of the next call; `None` when what was asked is not asked again, as a command of a scenario.
        next_try_at: Option<Timestamp>,
    },
    /// The plugin failed over the bundle alone so often that it is asked about it rarely from now on.
    BundleParked = "bundle_parked", Critical {
        /// The digest of the revision.
        revision: String,
        /// What it is parked for; it names the plugin.
        message: String,
    },
    /// A parked bundle is asked about like others again.
    BundleUnparked = "bundle_unparked", Info {
        /// The token that released it; none where the plugin answered.
        changed_by: Option<String>,
    },
    /// The plugin failed over one bundle after the other: its revision is not asked for a while.
    BreakerOpened = "breaker_opened", Critical {
        /// The provider's id.
        provider: String,
        /// The digest of the revision.
        revision: String,
        /// What went wrong last.
        message: String,
        /// The instant at which it is asked about one bundle.
        next_try_at: Timestamp,
    },
    /// A revision that was not asked is asked again.
    BreakerClosed = "breaker_closed", Info {
        /// The digest of the revision.
        revision: String,
        /// The token that released it; none where the plugin answered.
        changed_by: Option<String>,
    },
    /// The clock starts again after an outage.
    HostResumed = "host_resumed", Warning {
        /// The instant at which the clock stopped.
        down_since: Timestamp,
    },
}
