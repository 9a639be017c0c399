//! Events: the record that the host keeps and outside programs read. Knows their types and names, and no format.

use crate::approval;
use crate::approval::ExpiryReason;
use crate::attempt::DeclineClass;
use crate::bundle::Stage;
use crate::ledger::Reason;
use crate::micros::Micros;
use crate::order::OrderKind;
use crate::plan::Cause;
use crate::plan::Scope;
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

/// A type of event, with its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It went from one stage to another.
    StageChanged {
        /// The stage before.
        from: Stage,
        /// The stage now.
        to: Stage,
    },
    /// It was renewed and paid for.
    RenewalSettled {
        /// What this resource's renewal cost.
        cost: Micros,
        /// The expiry before.
        expires_before: Timestamp,
        /// The expiry now.
        expires_at: Timestamp,
        /// The term that was paid for.
        term: Term,
        /// Paid days beyond the term.
        extra_days: u32,
        /// The clock or a command.
        cause: Cause,
        /// The resource that it was renewed along with; `None` for the one that was named.
        primary: Option<String>,
        /// The attempt's id.
        attempt: String,
    },
    /// It was not renewed.
    RenewalDeclined {
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
    RenewalInDoubt {
        /// The attempt's id.
        attempt: String,
        /// The provider's code.
        code: String,
    },
    /// A plan waits for an approval, or is priced again while it waits.
    ApprovalRequested {
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
    ApprovalDecided {
        /// The approval's id.
        approval: String,
        /// [`approval::State::Approved`] or [`approval::State::Rejected`].
        decision: approval::State,
        /// The token that decided.
        decided_by: String,
        /// The reason given; `None` when none was.
        reason: Option<String>,
        /// False when the clock does not request the renewal again while the expiry is the same.
        will_retry: bool,
    },
    /// An approval expired: nobody decided in time, or there is nothing left to decide on.
    ApprovalExpired {
        /// The approval's id.
        approval: String,
        /// The reason.
        reason: ExpiryReason,
        /// False when the clock does not request the renewal again while the expiry is the same.
        will_retry: bool,
    },
    /// A command was not carried out.
    CommandRefused {
        /// Its name.
        command: String,
        /// The provider's code.
        code: String,
        /// The provider's message.
        message: String,
    },
    /// A setting or attribute has a new value.
    SettingChanged {
        /// Its name.
        setting: String,
        /// Its value; `None` when it has none any more.
        value: Option<String>,
    },
    /// The resource, or its future periods, were unsubscribed.
    Unsubscribed {
        /// All of it or its future periods.
        scope: Scope,
        /// The expiry that is left, for [`Scope::Future`].
        expires_at: Option<Timestamp>,
        /// The money that came back for this resource.
        refund: Micros,
        /// The oldest order that gave money back or, where none did, the newest one that ended.
        original_order: Option<String>,
        /// Every order that was, with its part.
        refunds: Vec<(String, Micros)>,
    },
    /// The resource became pay-per-use.
    Converted,
    /// An order was made: one that waits to be paid, or one of another kind than a renewal that is paid at once.
    OrderCreated {
        /// The order's id.
        order: String,
        /// What it is for.
        kind: OrderKind,
        /// What it costs; negative for what a downgrade gives back.
        cost: Micros,
        /// Until when it waits to be paid; `None` when it is paid at once.
        pay_until: Option<Timestamp>,
    },
    /// An order was paid, and what it is for is done.
    OrderPaid {
        /// The order's id.
        order: String,
        /// What it is for.
        kind: OrderKind,
        /// What it cost; negative for what a downgrade gave back.
        cost: Micros,
        /// Every order that gave money back, with its part.
        refunds: Vec<(String, Micros)>,
    },
    /// An order that waited was cancelled by somebody, or because its resource came to its end.
    OrderCancelled {
        /// The order's id.
        order: String,
        /// What it was for.
        kind: OrderKind,
        /// What it would have cost.
        cost: Micros,
    },
    /// Nobody paid an order in time.
    OrderExpired {
        /// The order's id.
        order: String,
        /// What it was for.
        kind: OrderKind,
        /// What it would have cost.
        cost: Micros,
    },
    /// The account has more or less money.
    BalanceChanged {
        /// The change, negative for money spent.
        amount: Micros,
        /// The balance after the change.
        balance: Micros,
        /// The reason.
        reason: Reason,
    },
    /// A package was ordered that is paid for later.
    PackageOrdered {
        /// The instant of the payment.
        pay_at: Timestamp,
        /// The instant at which it takes effect.
        effective_at: Timestamp,
    },
    /// A package was bought; the resource is the new package.
    PackageBought {
        /// The instant at which it takes effect.
        effective_at: Timestamp,
        /// The instant at which it ends.
        expires_at: Timestamp,
        /// The amount that it covers.
        quota: Micros,
        /// Its price.
        cost: Micros,
        /// The id of the package whose purchase was repeated.
        like: String,
    },
    /// Use was covered by a package.
    PackageUsed {
        /// The amount.
        amount: Micros,
        /// The amount left.
        left: Micros,
    },
    /// A package's used amount starts again from nothing.
    PackageRefilled {
        /// The amount left.
        left: Micros,
    },
    /// A package has little left.
    PackageLow {
        /// The amount.
        left: Micros,
    },
    /// A package has nothing left.
    PackageDepleted {
        /// The amount left, which is zero.
        left: Micros,
    },
    /// Use was covered by no package.
    UsageUncovered {
        /// The amount.
        amount: Micros,
        /// The type of the resources that were used.
        resource_type: String,
    },
    /// A notice to the owner ahead of time.
    Notice {
        /// Its name in the plugin's manifest.
        notice: String,
    },
    /// The plugin gave no usable answer; the bundle keeps its state.
    PluginFailed {
        /// The error, which names the plugin.
        message: String,
        /// The instant of the next call.
        next_try_at: Timestamp,
    },
    /// The clock starts again after an outage.
    HostResumed {
        /// The instant at which the clock stopped.
        down_since: Timestamp,
    },
}

impl EventKind {
    /// The names of all types of event, in the order of the enumeration.
    pub const TYPES: [&str; 26] = [
        "stage_changed",
        "renewal_settled",
        "renewal_declined",
        "renewal_in_doubt",
        "approval_requested",
        "approval_decided",
        "approval_expired",
        "command_refused",
        "setting_changed",
        "unsubscribed",
        "converted",
        "order_created",
        "order_paid",
        "order_cancelled",
        "order_expired",
        "balance_changed",
        "package_ordered",
        "package_bought",
        "package_used",
        "package_refilled",
        "package_low",
        "package_depleted",
        "usage_uncovered",
        "notice",
        "plugin_failed",
        "host_resumed",
    ];

    /// The name of this type of event in every format.
    pub const fn name(&self) -> &'static str {
        match self {
            EventKind::StageChanged { .. } => "stage_changed",
            EventKind::RenewalSettled { .. } => "renewal_settled",
            EventKind::RenewalDeclined { .. } => "renewal_declined",
            EventKind::RenewalInDoubt { .. } => "renewal_in_doubt",
            EventKind::ApprovalRequested { .. } => "approval_requested",
            EventKind::ApprovalDecided { .. } => "approval_decided",
            EventKind::ApprovalExpired { .. } => "approval_expired",
            EventKind::CommandRefused { .. } => "command_refused",
            EventKind::SettingChanged { .. } => "setting_changed",
            EventKind::Unsubscribed { .. } => "unsubscribed",
            EventKind::Converted => "converted",
            EventKind::OrderCreated { .. } => "order_created",
            EventKind::OrderPaid { .. } => "order_paid",
            EventKind::OrderCancelled { .. } => "order_cancelled",
            EventKind::OrderExpired { .. } => "order_expired",
            EventKind::BalanceChanged { .. } => "balance_changed",
            EventKind::PackageOrdered { .. } => "package_ordered",
            EventKind::PackageBought { .. } => "package_bought",
            EventKind::PackageUsed { .. } => "package_used",
            EventKind::PackageRefilled { .. } => "package_refilled",
            EventKind::PackageLow { .. } => "package_low",
            EventKind::PackageDepleted { .. } => "package_depleted",
            EventKind::UsageUncovered { .. } => "usage_uncovered",
            EventKind::Notice { .. } => "notice",
            EventKind::PluginFailed { .. } => "plugin_failed",
            EventKind::HostResumed { .. } => "host_resumed",
        }
    }

    /// The result of an attempt, if this event ends one: `settled`, `in_doubt` or the class of a decline.
    ///
    /// A resource that was renewed along with another has no attempt of its own.
    pub const fn attempt_result(&self) -> Option<&'static str> {
        if let EventKind::RenewalSettled { primary: None, .. } = self {
            Some("settled")
        } else if let EventKind::RenewalDeclined { class, .. } = self {
            Some(class.name())
        } else if let EventKind::RenewalInDoubt { .. } = self {
            Some("in_doubt")
        } else {
            None
        }
    }
}
