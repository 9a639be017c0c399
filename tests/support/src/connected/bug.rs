//! Ways to break the host on purpose, one at a time.

/// A break of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// The idempotency token is another one whenever the call is made again.
    MovedToken,
    /// What is in doubt is simply called again.
    BlindRetry,
    /// A hold is not given back when nothing was applied.
    HoldKept,
    /// A response that never comes is waited for for ever.
    LostTimeout,
    /// The call leaves before it is written down.
    CallBeforeCommit,
    /// While a renewal is in doubt, one for another term is made.
    SecondTerm,
    /// The idempotency token stays the same after a proven decline.
    TokenOutlivesDecline,
    /// The idempotency token is another one after a reading that showed nothing, and proved nothing.
    TokenCountedUp,
}

impl Bug {
    /// Every way in which the host can be broken.
    pub const ALL: [Bug; 8] = [
        Bug::MovedToken,
        Bug::BlindRetry,
        Bug::HoldKept,
        Bug::LostTimeout,
        Bug::CallBeforeCommit,
        Bug::SecondTerm,
        Bug::TokenOutlivesDecline,
        Bug::TokenCountedUp,
    ];
}
