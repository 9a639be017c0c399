//! What a user can mend: everything that ends a command with exit code 2.

use std::path::PathBuf;

use perennial_formats::Problems;

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
