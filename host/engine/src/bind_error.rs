//! Why a revision of a plugin is not bound; nothing has changed then.

use perennial_sandbox::PluginError;
use perennial_store::error::StoreError;
use perennial_store::plugin_bindings::BindingSubject;

use crate::error::EngineError;
use crate::error::MissingKinds;

/// Why nothing was bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The engine or the database failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No such revision is kept.
    #[error("no revision {0} is installed; `perennial plugin revisions` lists those that are")]
    UnknownRevision(String),
    /// What is kept cannot be loaded any more.
    #[error("the revision {0} cannot be loaded, and decides nothing; the host's log says why")]
    Unloadable(String),
    /// It is not signed by a key that is trusted.
    #[error(
        "signature: the revision {0} is not signed by a key that is trusted here (`[trust] keys`), so it is not bound; install it again with its signature, or name the key that signed it"
    )]
    Untrusted(String),
    /// Nothing is bound there.
    #[error(
        "no revision of `{}` is bound {} for `{}`; `perennial plugin bindings` lists what is bound, and `perennial plugin bind REVISION --mode {}` binds one",
        .0.provider, .0.mode.name(), .0.accounts, .0.mode.name()
    )]
    NotBound(BindingSubject),
    /// The host itself bound what was to be removed.
    #[error(
        "what is bound for all accounts of `{0}` is what the host loads, and cannot be removed; bind another revision in its place"
    )]
    Loaded(String),
    /// Accounts would have no revision that decides for them.
    #[error(
        "no revision of `{provider}` would decide for `{account}`{}; bind another revision in its place",
        if *others > 0 { format!(" and {others} other accounts") } else { String::new() }
    )]
    Undecided {
        /// The provider's id.
        provider: String,
        /// The first of the accounts.
        account: String,
        /// How many others there are.
        others: usize,
    },
    /// There is nothing to go back to.
    #[error(
        "there is no change to take back for `{}` of `{}`: none was made there, or each was taken back already; `perennial plugin history` lists them",
        .0.accounts, .0.provider
    )]
    NothingBefore(BindingSubject),
    /// It lacks kinds that resources of accounts have for which it would decide.
    #[error(transparent)]
    MissingKinds(#[from] MissingKinds),
    /// Accounts have settings that it does not take.
    #[error(
        "settings: the revision {digest} does not take the settings of accounts that it would decide for: {problems}"
    )]
    Settings {
        /// The beginning of its digest.
        digest: String,
        /// Each account, and what is wrong.
        problems: String,
    },
}

impl From<StoreError> for BindError {
    fn from(error: StoreError) -> BindError {
        BindError::Engine(error.into())
    }
}

impl From<PluginError> for BindError {
    fn from(error: PluginError) -> BindError {
        BindError::Engine(error.into())
    }
}
