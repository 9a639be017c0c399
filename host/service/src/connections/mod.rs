//! Connected accounts: how their providers are called, and how their inventories are read.
//!
//! [`caller`] signs and sends; [`sync`] reads an inventory step by step, and [`reading`] keeps it; [`dispatcher`] sends calls
//! that are due, as `cloud` words them and with what `replies` makes of the answers; [`refresher`] reads inventories again;
//! [`account`] finds what that takes, [`secret_source`] secrets. A plugin only translates, and
//! [`perennial_domain::connector`] decides what may leave.

pub mod account;
pub mod caller;
mod cloud;
pub mod dispatcher;
mod quota;
mod quoting;
pub mod reading;
pub mod refresher;
mod replies;
pub mod secret_source;
mod staged;
pub mod sync;

use std::path::PathBuf;

/// How providers are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Whether an account's endpoint may be a private address, any port and plain HTTP.
    pub allow_private: bool,
    /// Whether a secret may be what a command writes: who may connect an account could then run any.
    pub allow_commands: bool,
    /// Whether calls are sent as fast as they can be: the providers' quotas are not kept. For providers that are this program.
    pub is_unmetered: bool,
    /// How long after everything that an account has was read it is read again, in seconds.
    pub full_sync_seconds: u32,
    /// How long after a sync what can have changed since is read, in seconds; 0 for never.
    pub incremental_sync_seconds: u32,
    /// A PEM file of root certificates to trust, beside those that browsers trust.
    pub certificates: Option<PathBuf>,
}

impl Connections {
    /// Without configuration: the providers' own hosts and public endpoints only.
    pub const DEFAULT: Connections = Connections {
        allow_private: false,
        allow_commands: false,
        is_unmetered: false,
        full_sync_seconds: 6 * 3_600,
        incremental_sync_seconds: 900,
        certificates: None,
    };
}
