//! Orders that wait to be paid. Knows what one is for and until when; who may pay it is a rule's business.

use crate::index::MemberIndex;
use crate::micros::Micros;
use crate::order::OrderKind;
use crate::plan::Command;
use crate::timestamp::Timestamp;

/// An order that waits to be paid: what it is for, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpaidOrder {
    /// The id of the order.
    pub id: String,
    /// The kind of the order.
    pub kind: OrderKind,
    /// The member that the command named.
    pub member: MemberIndex,
    /// What is done once it is paid.
    pub command: Command,
    /// The instant at which the order was made.
    pub created_at: Timestamp,
    /// The last instant at which it can be paid.
    pub pay_until: Timestamp,
    /// The periods that it pays for.
    pub lines: Vec<OrderLine>,
}

impl UnpaidOrder {
    /// The sum of what the lines cost.
    pub fn cost(&self) -> Micros {
        self.lines.iter().map(|line| line.cost).sum()
    }
}

/// A period of one resource in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderLine {
    /// The member that the line pays for.
    pub member: MemberIndex,
    /// The instant at which the period begins.
    pub starts_at: Timestamp,
    /// The instant at which the period ends.
    pub ends_at: Timestamp,
    /// The cost of the line.
    pub cost: Micros,
}
