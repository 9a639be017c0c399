//! What a reading of a cloud proves about a renewal.
//!
//! Knows expiries and orders as a cloud shows them, and when they are conclusive. Does not know how they were read.

use crate::connected::protocol::OrderReading;
use crate::connected::protocol::Reading;
use crate::connected::protocol::Signal;
use crate::connected::renewal::Extension;
use crate::connected::renewal::Renewal;
use crate::connected::schedule::Schedule;
use crate::timestamp::Timestamp;

/// The orders that a cloud shows for the resources of a renewal: those that are open, and those made since it was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderView {
    /// The cloud does not list orders, or the list cannot be read.
    Unknown,
    /// There is no order.
    Absent,
    /// An order waits to be paid.
    Unpaid,
    /// An order is paid, and the cloud is still working on it.
    Paid,
    /// An order is done. An expiry that has not moved is then one that was read too early.
    Completed,
    /// There are cancelled orders only. `is_own` if the cloud named one of them in its response to the call.
    Cancelled {
        /// Whether it is the order of this call for sure.
        is_own: bool,
    },
}

/// What a cloud showed of the resources of a renewal at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadBack {
    /// When the request for it left this host.
    pub at: Timestamp,
    /// The expiry of each resource, in the order of the renewal's extensions; `None` for one that is not there.
    pub expiries: Vec<Option<Timestamp>>,
    /// What the cloud showed of orders.
    pub orders: OrderView,
}

/// What a reading proves about `renewal`, as the signal that it takes.
pub fn signal_of(renewal: &Renewal, read: &ReadBack, schedule: &Schedule) -> Signal {
    let conclusive_at = schedule.conclusive_at(renewal);
    let is_conclusive = conclusive_at.is_some_and(|conclusive_at| read.at >= conclusive_at);
    match of_expiries(renewal, read) {
        Expiries::Gone => Signal::Read(Reading::Gone),
        Expiries::Elsewhere => Signal::Read(Reading::Elsewhere),
        Expiries::Planned => Signal::Read(Reading::Planned),
        Expiries::Partial if is_conclusive && is_closed(read.orders) => Signal::Read(Reading::PartialForGood),
        Expiries::Partial => Signal::Read(Reading::Partial),
        // What is to be called has no order of its own yet: one that was given up forbids nothing.
        Expiries::Before
            if !renewal.state.is_uncertain() && matches!(read.orders, OrderView::Cancelled { .. }) =>
        {
            Signal::Read(Reading::Before)
        }
        Expiries::Before => of_orders(read.orders, is_conclusive),
    }
}

/// What the expiries of all resources come to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expiries {
    Before,
    Planned,
    Partial,
    Elsewhere,
    Gone,
}

fn of_expiries(renewal: &Renewal, read: &ReadBack) -> Expiries {
    let mut is_moved = Vec::with_capacity(renewal.extensions.len());
    for (index, extension) in renewal.extensions.iter().enumerate() {
        match read.expiries.get(index).copied().flatten() {
            None => return Expiries::Gone,
            Some(expiry) if expiry == extension.expires_planned => is_moved.push(true),
            Some(expiry) if expiry == extension.expires_before => is_moved.push(false),
            Some(_) => return Expiries::Elsewhere,
        }
    }
    match (is_moved.first(), is_moved.iter().all(|moved| *moved), is_moved.iter().any(|moved| *moved)) {
        (_, true, _) => Expiries::Planned,
        (_, _, false) => Expiries::Before,
        (Some(true), false, true) => Expiries::Partial,
        // Something attached moved and the named resource did not: that was somebody else.
        (_, false, true) => Expiries::Elsewhere,
    }
}

/// No expiry has moved: orders decide. One that was cancelled proves something only when no other can come.
fn of_orders(orders: OrderView, is_conclusive: bool) -> Signal {
    match orders {
        OrderView::Unpaid => Signal::FindOrder(OrderReading::Unpaid),
        OrderView::Paid | OrderView::Completed => Signal::FindOrder(OrderReading::Paid),
        OrderView::Cancelled { is_own: true } => Signal::FindOrder(OrderReading::Cancelled),
        OrderView::Cancelled { is_own: false } if is_conclusive => Signal::FindOrder(OrderReading::Cancelled),
        OrderView::Absent if is_conclusive => Signal::Read(Reading::Untouched),
        OrderView::Cancelled { is_own: false } | OrderView::Absent | OrderView::Unknown => {
            Signal::Read(Reading::Before)
        }
    }
}

/// Whether the cloud has finished with all orders that it shows.
const fn is_closed(orders: OrderView) -> bool {
    matches!(orders, OrderView::Absent | OrderView::Completed | OrderView::Cancelled { .. })
}

/// What of a renewal a reading confirms: the resources that have the planned expiry.
pub fn confirmed<'a>(renewal: &'a Renewal, read: &ReadBack) -> Vec<&'a Extension> {
    let shown = renewal.extensions.iter().zip(&read.expiries);
    shown
        .filter(|(extension, expiry)| **expiry == Some(extension.expires_planned))
        .map(|(one, _)| one)
        .collect()
}

#[cfg(test)]
mod tests;
