//! What can go wrong while the engine works. A bundle whose plugin fails is not among it: that is written down, and the
//! engine goes on.

use perennial_domain::plugin_failure::Failure;
use perennial_domain::timestamp::Timestamp;
use perennial_sandbox::PluginError;
use perennial_store::error::StoreError;

/// Why the engine stopped.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database failed; nothing of what was under way was written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A command could not be decided, because the plugin gave no usable answer; nothing changed.
    #[error("the command was not decided: {0}")]
    Plugin(#[from] PluginError),
    /// A command came while the bundle could not be brought up to date; nothing changed.
    #[error("the command was not decided, because what was due before it is not done: {0}")]
    Overdue(String),
    /// An account's provider has no plugin.
    #[error(
        "the account `{account}` is with `{provider}`, for which no plugin is loaded; load one with `--plugin FILE`"
    )]
    NoPlugin {
        /// The id of the account.
        account: String,
        /// The provider whose plugin is not loaded.
        provider: String,
    },
    /// No account is called that.
    #[error("there is no account `{0}`")]
    UnknownAccount(String),
    /// Something was asked of an account that its provider keeps, and that is only watched.
    #[error(
        "the account `{0}` is kept by its provider and only watched here, so nothing of it is changed or paid: do it in the \
         provider's console, then `perennial sync`"
    )]
    Watched(String),
    /// A command on an account that its provider keeps is none that this host sends.
    #[error(
        "`{command}` is not sent to the provider of the account `{account}`: do it in the provider's console, then \
         `perennial sync`"
    )]
    NotSent {
        /// The id of the account.
        account: String,
        /// The word for the command.
        command: &'static str,
    },
    /// An account has as many client tokens that may still come again as are remembered; nothing changed.
    #[error(
        "{most} client tokens of the account `{account}` are remembered, and no more may be; nothing was done: send it again \
         once some of them have run out, or raise `limits.client_tokens_per_account_max`"
    )]
    ClientTokens {
        /// The id of the account.
        account: String,
        /// The most that are remembered.
        most: i64,
    },
    /// The database lives on another clock.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// A plugin lacks kinds that resources have; nothing changed.
    #[error(transparent)]
    MissingKinds(#[from] MissingKinds),
    /// A command would no longer do what was planned; nothing changed.
    #[error("the command would now do something else than was planned: its plan has the hash {found}")]
    PlanChanged {
        /// The hash of what it would do now.
        found: String,
    },
}

impl EngineError {
    /// A command that cannot be decided, because the plugin fails over what was due before it.
    pub(crate) fn overdue(failure: Failure) -> EngineError {
        EngineError::Overdue(failure.message)
    }
}

/// A revision that would be asked about resources whose kinds it does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{revision} would decide about resources that it does not know: {problems}; name a plugin that has all of that, or end \
     those resources first"
)]
pub struct MissingKinds {
    /// What it is called: its file, or its provider and its digest.
    pub revision: String,
    /// Each kind, how many resources have it, and one of them.
    pub problems: String,
}

/// Why a clock cannot go on from where a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// A database of virtual time is not run on real time.
    #[error(
        "the database lives on virtual time, where it is {next}, and real time is {now}: serve it with `--virtual-clock`, \
         or name another database with `--db`"
    )]
    VirtualDatabase {
        /// The instant at which its clock stands.
        next: Timestamp,
        /// What the system's clock says.
        now: Timestamp,
    },
    /// A database of real time is not served on virtual time.
    #[error(
        "the database lives on real time, where everything until {ticked_at} is done, and `--virtual-clock` says {now}: \
         leave that out, or name another database with `--db`"
    )]
    RealDatabase {
        /// Its last tick.
        ticked_at: Timestamp,
        /// What the virtual clock was to say.
        now: Timestamp,
    },
    /// A database that no clock has ticked on, with commands that were carried out by the system's.
    #[error(
        "commands were carried out on the database at the system's time, before any clock ticked, and `--virtual-clock` says \
         {requested}: leave that out, or name another database with `--db`"
    )]
    RealCommands {
        /// What the virtual clock was to say.
        requested: Timestamp,
    },
    /// A virtual clock does not go back.
    #[error(
        "the database has passed {requested}: it is {next} there; go on from that with `--virtual-clock` and no instant, \
         or name another database with `--db`"
    )]
    Passed {
        /// What the virtual clock was to say.
        requested: Timestamp,
        /// The instant at which it stands.
        next: Timestamp,
    },
}
