//! What events say of payments and attempts, for those who count them. Knows no format.

use crate::event::EventKind;
use crate::micros::Micros;
use crate::timestamp::Timestamp;

/// A payment for a period of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodPayment {
    /// The amount paid for the period.
    pub cost: Micros,
    /// The end of what is paid for now.
    pub expires_at: Timestamp,
    /// False for a purchase.
    pub is_renewal: bool,
}

impl EventKind {
    /// The payment that the event reports, if it reports one.
    pub const fn payment(&self) -> Option<PeriodPayment> {
        if let EventKind::RenewalSettled { cost, expires_at, .. } = self {
            Some(PeriodPayment { cost: *cost, expires_at: *expires_at, is_renewal: true })
        } else if let EventKind::PackageBought { cost, expires_at, .. } = self {
            Some(PeriodPayment { cost: *cost, expires_at: *expires_at, is_renewal: false })
        } else {
            None
        }
    }

    /// The result of an attempt, if this event ends one: `settled`, `in_doubt` or the class of a decline.
    ///
    /// A resource that was renewed along with another has no attempt of its own.
    pub const fn attempt_result(&self) -> Option<&'static str> {
        if let EventKind::RenewalSettled { primary: None, .. } = self {
            Some("settled")
        } else if let EventKind::RenewalDeclined { class, .. } = self {
            Some(class.name())
        } else if let EventKind::RenewalInDoubt { .. } = self {
            Some("in_doubt")
        } else {
            None
        }
    }
}
