//! Who drives a connected account, how much of its inventory a sync reads, and how far it has come.

use crate::timestamp::Timestamp;

/// Who renews what a connected account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// Nobody here: this host looks, forecasts and warns.
    Watch,
    /// The provider's own auto-renew, which this host sets and watches; this host renews what the provider has not by its last
    /// try.
    Provider,
    /// The clock of this host.
    Host,
}

impl Driver {
    /// Every driver, for parsing and for lists of choices.
    pub const ALL: [Driver; 3] = [Driver::Watch, Driver::Provider, Driver::Host];

    /// Whether this host sends changes to the provider.
    pub const fn sends(self) -> bool {
        match self {
            Driver::Watch => false,
            Driver::Provider | Driver::Host => true,
        }
    }

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Driver::Watch => "watch",
            Driver::Provider => "provider",
            Driver::Host => "host",
        }
    }
}

/// How much of an inventory a sync reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncScope {
    /// Everything that the account has: what is not listed is looked for, and may be gone.
    Full,
    /// What can have changed since another sync, as far as that can be found: what is not found proves nothing.
    Incremental {
        /// What was ordered since then; `None` where the provider does not say that.
        changes_since: Option<Timestamp>,
        /// What expires at this instant or earlier.
        expires_until: Timestamp,
    },
}

impl SyncScope {
    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            SyncScope::Full => "full",
            SyncScope::Incremental { .. } => "incremental",
        }
    }
}

/// How far a reading of an inventory has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncState {
    /// Page after page is read.
    Listing,
    /// What was known and not listed is asked for by its ids.
    Checking,
    /// Prices are asked for.
    Quoting,
    /// It was read, compared and taken over.
    Done,
    /// So much is missing that it is not believed; nothing was taken over.
    Suspicious,
}

impl SyncState {
    /// Every state, for parsing and for lists of choices.
    pub const ALL: [SyncState; 5] =
        [SyncState::Listing, SyncState::Checking, SyncState::Quoting, SyncState::Done, SyncState::Suspicious];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            SyncState::Listing => "listing",
            SyncState::Checking => "checking",
            SyncState::Quoting => "quoting",
            SyncState::Done => "done",
            SyncState::Suspicious => "suspicious",
        }
    }

    /// Whether nothing follows it: the next step begins another reading.
    pub const fn is_end(self) -> bool {
        match self {
            SyncState::Listing | SyncState::Checking | SyncState::Quoting => false,
            SyncState::Done | SyncState::Suspicious => true,
        }
    }
}
