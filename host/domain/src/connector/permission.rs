//! Which requests leave the host: decided by what the request is, not by what a plugin says that it is.

use std::collections::BTreeSet;

use crate::connector::Capabilities;
use crate::connector::UnsignedRequest;

/// Why a request does not leave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPermitted {
    /// It is none of the reads.
    #[error("`{method} {path}` is none of the calls that the plugin names as reads, so it is not sent")]
    NoRead {
        /// The HTTP method.
        method: String,
        /// The path, still encoded.
        path: String,
    },
    /// It is a read that nobody granted.
    #[error("the read `{0}` is not granted; grant it with `perennial account grant`")]
    NotGranted(String),
}

/// Whether the request of a query may leave: it has to be a read, and one that was granted.
///
/// # Errors
///
/// [`NotPermitted`] with the reason.
pub fn check_query(
    capabilities: &Capabilities,
    grants: &BTreeSet<String>,
    request: &UnsignedRequest,
) -> Result<(), NotPermitted> {
    match capabilities.read_of(request) {
        None => Err(NotPermitted::NoRead { method: request.method.clone(), path: request.path.clone() }),
        Some(read) if grants.contains(&read.name) => Ok(()),
        Some(read) => Err(NotPermitted::NotGranted(read.name.clone())),
    }
}
