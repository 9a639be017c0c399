//! What can go wrong while the engine works. A bundle whose plugin fails is not among it: that is written down, and the
//! engine goes on.

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
        /// The account.
        account: String,
        /// Its provider.
        provider: String,
    },
    /// No account is called that.
    #[error("there is no account `{0}`")]
    UnknownAccount(String),
    /// A command would no longer do what was planned; nothing changed.
    #[error("the command would now do something else than was planned: its plan has the hash {found}")]
    PlanChanged {
        /// The hash of what it would do now.
        found: String,
    },
}
