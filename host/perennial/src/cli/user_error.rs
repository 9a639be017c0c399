//! What a user can mend: everything that ends a command with exit code 2.

use std::path::PathBuf;

use perennial_formats::Problems;
use perennial_store::error::StoreError;

use crate::client::ClientError;
use crate::registry::RegistryError;

/// What was given is wrong: exit code 2.
#[derive(Debug, thiserror::Error)]
pub(super) enum UserError {
    /// A file, with every problem in it.
    #[error("{path} cannot be used:\n{problems}", path = crate::cli::input::shown(path))]
    File {
        /// The file with the problems.
        path: PathBuf,
        /// What is wrong with it.
        problems: Problems,
    },
    /// A file that cannot be read.
    #[error("cannot read {path}: {source}", path = crate::cli::input::shown(path))]
    Unreadable {
        /// The file that cannot be read.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Anything else that the user can mend.
    #[error("{0}")]
    Argument(String),
}

/// Whether an error says that what was given is wrong: exit code 2.
pub(super) fn is_wrong_input(error: &anyhow::Error) -> bool {
    error.is::<UserError>()
        || error.downcast_ref().is_some_and(ClientError::is_wrong_input)
        || error.downcast_ref().is_some_and(RegistryError::is_wrong_input)
        || error.downcast_ref().is_some_and(|error| matches!(error, StoreError::Exists { .. }))
}
