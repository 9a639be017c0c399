//! Events: what happened, as the host keeps it and as outside programs read it. Knows no format.

use crate::approval;
use crate::approval::Lapse;
use crate::attempt::DeclineClass;
use crate::bundle::Stage;
use crate::ledger::Reason;
use crate::micros::Micros;
use crate::plan::Cause;
use crate::plan::Scope;
use crate::term::Term;
use crate::timestamp::Timestamp;

/// Something that happened to an account or one of its resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When; for a stage change, when it was due.
    pub at: Timestamp,
    /// To which resource; `None` when it is about the account as a whole.
    pub resource: Option<String>,
    /// What.
    pub what: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It went from one stage to another.
    StageChanged {
        /// Where it was.
        from: Stage,
        /// Where it is.
        to: Stage,
    },
    /// It was renewed and paid for.
    RenewalSettled {
        /// What this resource's renewal cost.
        cost: Micros,
        /// Its expiry before ...
        expires_before: Timestamp,
        /// ... and now.
        expires_at: Timestamp,
        /// What was paid for ...
        term: Term,
        /// ... and days beyond it.
        extra_days: u32,
        /// Who asked.
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
        /// In words.
        message: String,
        /// Of what kind.
        class: DeclineClass,
        /// When it is tried again; `None` when it is not.
        next_try_at: Option<Timestamp>,
    },
    /// Nobody knows whether it was renewed.
    RenewalInDoubt {
        /// The attempt's id.
        attempt: String,
        /// The provider's code.
        code: String,
    },
    /// A plan is held until somebody approves of it, or is priced anew while it is.
    ApprovalRequested {
        /// The approval's id.
        approval: String,
        /// What was asked for, by name.
        command: String,
        /// Who asked.
        cause: Cause,
        /// The token that asked; `None` for the clock.
        asked_by: Option<String>,
        /// What it costs, with what is to be paid later.
        cost: Micros,
        /// When it lapses.
        lapses_at: Timestamp,
        /// The attempt's id, for a renewal.
        attempt: Option<String>,
    },
    /// Somebody decided on a held plan.
    ApprovalDecided {
        /// The approval's id.
        approval: String,
        /// [`approval::State::Approved`] or [`approval::State::Rejected`].
        decision: approval::State,
        /// The token that decided.
        by: String,
        /// Why, if they said.
        reason: Option<String>,
        /// False when the clock does not ask for the renewal again while the expiry is the same.
        asked_again: bool,
    },
    /// There is nothing left to decide on.
    ApprovalLapsed {
        /// The approval's id.
        approval: String,
        /// Why.
        reason: Lapse,
        /// False when the clock does not ask for the renewal again while the expiry is the same.
        asked_again: bool,
    },
    /// A command was not carried out.
    CommandRefused {
        /// Its name.
        command: String,
        /// The provider's code.
        code: String,
        /// In words.
        message: String,
    },
    /// A setting or attribute has a new value.
    SettingChanged {
        /// Its name.
        setting: String,
        /// Its value; `None` when it has none any more.
        value: Option<String>,
    },
    /// It was given back, wholly or in part.
    Unsubscribed {
        /// What.
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
    /// It is pay-per-use from now on.
    Converted,
    /// The account has more or less money.
    BalanceChanged {
        /// By how much.
        amount: Micros,
        /// What it has now.
        balance: Micros,
        /// Why.
        reason: Reason,
    },
    /// A package is to be paid for later.
    PackageOrdered {
        /// When.
        pay_at: Timestamp,
        /// When it takes effect.
        effective_at: Timestamp,
    },
    /// A package was bought; the resource is the new package.
    PackageBought {
        /// When it takes effect.
        effective_at: Timestamp,
        /// When it ends.
        expires_at: Timestamp,
        /// How much it covers.
        quota: Micros,
        /// What it cost.
        cost: Micros,
        /// The package that it was bought like.
        like: String,
    },
    /// Use was covered by a package.
    PackageUsed {
        /// How much.
        amount: Micros,
        /// What is left.
        left: Micros,
    },
    /// A package's used amount starts again from nothing.
    PackageRefilled {
        /// What is left.
        left: Micros,
    },
    /// A package has little left.
    PackageLow {
        /// How much.
        left: Micros,
    },
    /// A package has nothing left.
    PackageDepleted {
        /// Nothing.
        left: Micros,
    },
    /// Use was covered by no package.
    UsageUncovered {
        /// How much.
        amount: Micros,
        /// Of which resource type.
        resource_type: String,
    },
    /// The owner is told something ahead of time.
    Notice {
        /// Its name in the plugin's manifest.
        notice: String,
    },
    /// The plugin gave no usable answer; the bundle keeps its state.
    PluginFailed {
        /// What went wrong, naming the plugin.
        message: String,
        /// When it is asked again.
        next_try_at: Timestamp,
    },
    /// The clock starts again after an outage.
    HostResumed {
        /// When it stopped.
        down_since: Timestamp,
    },
}
