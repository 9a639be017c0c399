//! Orders: periods that were paid for. Knows each price and period, and no reason for the payment.

use crate::bundle::Resource;
use crate::index::MemberIndex;
use crate::micros::Micros;
use crate::timestamp::Timestamp;

/// A period of one resource that was paid for and not refunded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id, which refunds name. The members of a bundle that were renewed together share one.
    pub id: String,
    /// The member of the bundle.
    pub member: MemberIndex,
    /// When the period begins; for a renewal, the expiry before it. No two orders of a resource begin at one instant.
    pub starts_at: Timestamp,
    /// The end of the period.
    pub ends_at: Timestamp,
    /// The amount paid.
    pub paid: Micros,
    /// The instant of the payment.
    pub paid_at: Timestamp,
    /// False for the order that the resource was bought with.
    pub is_renewal: bool,
}

/// The order that a resource was bought with, for one whose history is not known: the last term before its expiry,
/// or what it has lasted if that is less, for the price of one term. `None` for postpaid resources.
///
/// Earlier periods are over and paid; nothing can come back for them.
pub fn opening(resource: &Resource, member: MemberIndex, offset_minutes: i16) -> Option<Order> {
    let (ends_at, term, price) = (resource.expires_at?, resource.term?, resource.price?);
    let anchor_day = resource.anchor_day?;
    let starts_at = ends_at.minus(term, anchor_day, offset_minutes).max(resource.started_at).min(ends_at - 1);
    Some(Order {
        id: purchase_id(&resource.id),
        member,
        starts_at,
        ends_at,
        paid: price,
        paid_at: resource.started_at.min(starts_at),
        is_renewal: false,
    })
}

/// The id of the order that a resource was bought with.
pub fn purchase_id(resource: &str) -> String {
    format!("purchase/{resource}")
}

#[cfg(test)]
mod tests;
