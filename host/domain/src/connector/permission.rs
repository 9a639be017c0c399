//! Which requests leave the host: decided by what the request is, not by what a plugin says that it is.

use std::collections::BTreeSet;

use crate::connector::Capabilities;
use crate::connector::Driver;
use crate::connector::MutationName;
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
    /// It changes something, and the account is only watched.
    #[error("the account is only watched, so no change is sent; `perennial account drive` has it driven")]
    Watched,
    /// It is a change that the plugin does not translate.
    #[error("the plugin does not name `{0}` among the changes that it translates, so it is not sent")]
    NoChange(&'static str),
}

/// Whether the request of a change may leave: somebody drives the account, and the connector has such a change.
///
/// # Errors
///
/// [`NotPermitted`] with the reason.
pub fn check_change(
    capabilities: &Capabilities,
    driver: Driver,
    mutation: MutationName,
) -> Result<(), NotPermitted> {
    match (driver, capabilities.limit(mutation)) {
        (Driver::Watch, _) => Err(NotPermitted::Watched),
        (Driver::Provider | Driver::Host, None) => Err(NotPermitted::NoChange(mutation.name())),
        (Driver::Provider | Driver::Host, Some(_)) => Ok(()),
    }
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
