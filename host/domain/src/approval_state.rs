//! The states of approvals and the reasons why one expires. Knows words; not what leads from one state to another.

/// The state of an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It waits for a decision.
    Pending,
    /// Somebody agreed, and the plan was carried out.
    Approved,
    /// An approver said no.
    Rejected,
    /// There is nothing left to decide on.
    Expired,
}

impl State {
    /// Every state, for parsing and for lists of choices.
    pub const ALL: [State; 4] = [State::Pending, State::Approved, State::Rejected, State::Expired];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Approved => "approved",
            State::Rejected => "rejected",
            State::Expired => "expired",
        }
    }
}

crate::field::word_field!(State);

/// Why there is nothing left to decide on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExpiryReason {
    /// Nobody decided in time.
    Undecided,
    /// The resource has come to its end.
    Ended,
    /// The resource has another expiry: it was renewed otherwise, or given back in part.
    ExpiryMoved,
    /// The clock asked, and the resource does not renew itself any more.
    AutoRenewOff,
    /// The order that was to be paid does not wait to be paid any more.
    OrderClosed,
}

impl ExpiryReason {
    /// Every reason, for parsing and for lists of choices.
    pub const ALL: [ExpiryReason; 5] = [
        ExpiryReason::Undecided,
        ExpiryReason::Ended,
        ExpiryReason::ExpiryMoved,
        ExpiryReason::AutoRenewOff,
        ExpiryReason::OrderClosed,
    ];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            ExpiryReason::Undecided => "undecided",
            ExpiryReason::Ended => "ended",
            ExpiryReason::ExpiryMoved => "expiry_moved",
            ExpiryReason::AutoRenewOff => "auto_renew_off",
            ExpiryReason::OrderClosed => "order_closed",
        }
    }
}

crate::field::word_field!(ExpiryReason);
