//! Orders: periods that were paid for. Knows what was paid for what; not why.

use crate::micros::Micros;
use crate::timestamp::Timestamp;

/// A period of one resource that was paid for and not refunded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What refunds and people call it by. The members of a bundle that were renewed together share one.
    pub id: String,
    /// The member of the bundle, by place.
    pub member: usize,
    /// When the period begins; for a renewal, the expiry before it. No two orders of a resource begin at one instant.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// What it cost.
    pub paid: Micros,
    /// When.
    pub paid_at: Timestamp,
    /// False for the order that the resource was bought with.
    pub is_renewal: bool,
}
