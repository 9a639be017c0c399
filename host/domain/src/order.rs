//! Orders: periods that were paid for, their kinds and states. Knows each price and period; no rule.

use crate::bundle::Resource;
use crate::index::MemberIndex;
use crate::micros::Micros;
use crate::timestamp::Timestamp;

/// What an order is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderKind {
    /// The resource was bought, or paid ahead for the first time.
    Purchase,
    /// The resource lasts longer.
    Renewal,
    /// It has a dearer specification for the rest of its time.
    Upgrade,
    /// It has a cheaper one.
    Downgrade,
}

impl OrderKind {
    /// Every kind, for parsing and for lists of choices.
    pub const ALL: [OrderKind; 4] =
        [OrderKind::Purchase, OrderKind::Renewal, OrderKind::Upgrade, OrderKind::Downgrade];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            OrderKind::Purchase => "purchase",
            OrderKind::Renewal => "renewal",
            OrderKind::Upgrade => "upgrade",
            OrderKind::Downgrade => "downgrade",
        }
    }

    /// Whether it pays for time: no two such orders of a resource pay for time that begins at one instant.
    pub const fn pays_for_period(self) -> bool {
        matches!(self, OrderKind::Purchase | OrderKind::Renewal)
    }

    /// The number that stands for it in databases. A number is never given to anything else.
    pub const fn code(self) -> i64 {
        match self {
            OrderKind::Purchase => 0,
            OrderKind::Renewal => 1,
            OrderKind::Upgrade => 2,
            OrderKind::Downgrade => 3,
        }
    }

    /// What `code` stands for; `None` for a number that stands for nothing.
    pub const fn from_code(code: i64) -> Option<OrderKind> {
        match code {
            0 => Some(OrderKind::Purchase),
            1 => Some(OrderKind::Renewal),
            2 => Some(OrderKind::Upgrade),
            3 => Some(OrderKind::Downgrade),
            _ => None,
        }
    }
}

crate::field::word_field!(OrderKind);

/// The state of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderState {
    /// Nobody paid it yet.
    AwaitingPayment,
    /// It was paid, and what it is for was done.
    Paid,
    /// Somebody cancelled it, or its resource came to its end.
    Cancelled,
    /// Nobody paid it in time.
    Expired,
}

impl OrderState {
    /// Every state, for parsing and for lists of choices.
    pub const ALL: [OrderState; 4] =
        [OrderState::AwaitingPayment, OrderState::Paid, OrderState::Cancelled, OrderState::Expired];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            OrderState::AwaitingPayment => "awaiting_payment",
            OrderState::Paid => "paid",
            OrderState::Cancelled => "cancelled",
            OrderState::Expired => "expired",
        }
    }

    /// The number that stands for it in databases. A number is never given to anything else.
    pub const fn code(self) -> i64 {
        match self {
            OrderState::AwaitingPayment => 0,
            OrderState::Paid => 1,
            OrderState::Cancelled => 2,
            OrderState::Expired => 3,
        }
    }

    /// What `code` stands for; `None` for a number that stands for nothing.
    pub const fn from_code(code: i64) -> Option<OrderState> {
        match code {
            0 => Some(OrderState::AwaitingPayment),
            1 => Some(OrderState::Paid),
            2 => Some(OrderState::Cancelled),
            3 => Some(OrderState::Expired),
            _ => None,
        }
    }
}

/// A period of one resource that was paid for and not refunded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id, which refunds name. The members of a bundle that were renewed together share one.
    pub id: String,
    /// The member of the bundle.
    pub member: MemberIndex,
    /// The kind of the order.
    pub kind: OrderKind,
    /// When the period begins; for a renewal, the expiry before it; for a change of specification, the instant of the
    /// change or the beginning of a later period. No two purchases and renewals of a resource begin at one instant.
    pub starts_at: Timestamp,
    /// The end of the period.
    pub ends_at: Timestamp,
    /// The amount paid; of a downgrade, what it gave back, as a negative amount.
    pub paid: Micros,
    /// The instant of the payment.
    pub paid_at: Timestamp,
    /// The period that a downgrade gave money back for; `None` for every other kind.
    pub reduces: Option<PaidPeriod>,
    /// What giving it back restores.
    pub undo: Undo,
}

impl Order {
    /// The period that it paid for.
    pub fn period(&self) -> PaidPeriod {
        PaidPeriod { order: self.id.clone(), starts_at: self.starts_at }
    }
}

/// Identifies one paid period of a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PaidPeriod {
    /// The order's id.
    pub order: String,
    /// The instant at which the period begins.
    pub starts_at: Timestamp,
}

/// What an order changed of its resource beside the expiry: the values before. Giving the order back restores them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undo {
    /// The day of the month that periods were counted from; `None` for what does not count periods on, and for renewals
    /// whose day stayed and that were made by a version that did not keep it.
    pub anchor_day: Option<u8>,
    /// The automatic renewals that were allowed, of which this was one; `None` when none was counted.
    pub renewals_left: Option<u32>,
    /// Whether it was the last one allowed, so that auto-renew was turned off.
    pub ended_auto_renew: bool,
}

/// What was paid for an order, less what downgrades among `orders` gave back of it.
pub fn paid_after_downgrades(order: &Order, orders: &[Order]) -> Micros {
    let period = order.period();
    let reduces = |other: &&Order| other.member == order.member && other.reduces.as_ref() == Some(&period);
    order.paid + orders.iter().filter(reduces).map(|other| other.paid).sum::<Micros>()
}

/// The order that a resource was bought with, for one whose history is not known: the last term before its expiry, or
/// what it has lasted if that is less, for the price of one term. `None` for postpaid resources.
///
/// A first period runs from the start itself, also where it ends with its last day and so is some hours longer than a
/// term. Earlier periods are over and paid; nothing can come back for them.
pub fn opening(resource: &Resource, member: MemberIndex, offset_minutes: i16) -> Option<Order> {
    let (ends_at, term, price) = (resource.expires_at?, resource.term?, resource.price?);
    let anchor_day = resource.anchor_day?;
    let counted_back = ends_at.minus(term, anchor_day, offset_minutes);
    let started_at = resource.started_at;
    let is_first = started_at >= counted_back || started_at.is_on_day_of(counted_back, offset_minutes);
    let starts_at = if is_first { started_at } else { counted_back }.min(ends_at - 1);
    Some(Order {
        id: purchase_id(&resource.id),
        member,
        starts_at,
        ends_at,
        paid: price,
        paid_at: resource.started_at.min(starts_at),
        kind: OrderKind::Purchase,
        reduces: None,
        undo: Undo::default(),
    })
}

/// The id of the order that a resource was bought with.
pub fn purchase_id(resource: &str) -> String {
    format!("purchase/{resource}")
}

#[cfg(test)]
mod tests;
