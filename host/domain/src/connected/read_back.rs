//! What a reading of a cloud proves about a renewal.
//!
//! Knows expiries and orders as a cloud shows them, and when they are conclusive. Does not know how they were read.

use crate::bundle::OnExpiry;
use crate::connected::protocol::OrderReading;
use crate::connected::protocol::Reading;
use crate::connected::protocol::Signal;
use crate::connected::protocol::State;
use crate::connected::record::CallRecord;
use crate::connected::record::Extension;
use crate::connected::record::Slot;
use crate::connected::schedule::Schedule;
use crate::connector::Change;
use crate::plan::Scope;
use crate::timestamp::Timestamp;

/// The orders that a cloud shows for the resources of a renewal: those that are open, and those made since it was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderView {
    /// The cloud lists no orders and does not know the call by a token, or its list cannot be read.
    Unknown,
    /// The cloud lists no orders. It answers the call's token as it did the first time.
    Unlisted {
        /// For how many seconds it does, at least, after it has seen the token.
        token_seconds: i64,
    },
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
    /// The expiry of each resource, in the order of the call's extensions; `None` for one that is not there.
    pub expiries: Vec<Option<Timestamp>>,
    /// What is set to happen when each expires; `None` for one that is not there, or of which the cloud does not say it.
    pub on_expiry: Vec<Option<OnExpiry>>,
    /// What the cloud showed of orders.
    pub orders: OrderView,
}

/// What a reading proves about a call, as the signal that it takes.
pub fn signal_of(record: &CallRecord, read: &ReadBack, schedule: &Schedule) -> Signal {
    let conclusive_at = schedule.conclusive_at(record);
    let is_conclusive = conclusive_at.is_some_and(|conclusive_at| read.at >= conclusive_at);
    // What is set to happen on expiry takes no order.
    let orders = if record.slot() == Slot::OnExpiry { OrderView::Absent } else { read.orders };
    match shown(record, read) {
        Shown::Gone => Signal::Read(Reading::Gone),
        Shown::Elsewhere => Signal::Read(Reading::Elsewhere),
        // Settings go back and forth, and readings lag behind: what is shown may be how it was before somebody changed it.
        Shown::Planned
            if record.slot() == Slot::OnExpiry && record.state == State::InDoubt && !is_conclusive =>
        {
            Signal::Read(Reading::Before)
        }
        Shown::Planned => Signal::Read(Reading::Planned),
        Shown::Partial if is_conclusive && is_closed(orders) => Signal::Read(Reading::PartialForGood),
        Shown::Partial => Signal::Read(Reading::Partial),
        Shown::Unsaid => Signal::Read(Reading::Before),
        // Instances and disks are read from different services, and one may lag behind the other.
        Shown::AttachedOnly if record.state.is_uncertain() && !is_conclusive => Signal::Read(Reading::Before),
        Shown::AttachedOnly => Signal::Read(Reading::Elsewhere),
        // What is to be called has no order of its own yet: one that was given up forbids nothing.
        Shown::Before if !record.state.is_uncertain() && matches!(orders, OrderView::Cancelled { .. }) => {
            Signal::Read(Reading::Before)
        }
        Shown::Before => {
            if let OrderView::Unlisted { token_seconds } = orders {
                let is_known = schedule.is_token_known(record, token_seconds, read.at);
                return of_token(record, is_known && read.at < record.deadline, is_conclusive);
            }
            of_orders(orders, is_conclusive)
        }
    }
}

/// No expiry has moved, and no order can say why: whether the same call may leave once more depends on whether the cloud still
/// knows the token, and takes the call.
fn of_token(record: &CallRecord, may_leave_again: bool, is_conclusive: bool) -> Signal {
    let is_to_leave = record.state == State::Reserved || record.state == State::InDoubt && is_conclusive;
    if is_to_leave && record.token_since.is_some() && !may_leave_again {
        return Signal::Escalate;
    }
    Signal::Read(if is_conclusive { Reading::Unmoved } else { Reading::Before })
}

/// What a reading shows of all resources of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Before,
    Planned,
    Partial,
    /// Something attached was renewed, and the named resource was not.
    AttachedOnly,
    Elsewhere,
    Gone,
    /// The cloud does not say what was asked for.
    Unsaid,
}

/// What a reading shows of one resource.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ShownOne {
    Before,
    Planned,
    Elsewhere,
    Gone,
    Unsaid,
}

fn shown(record: &CallRecord, read: &ReadBack) -> Shown {
    let all = (0..record.extensions.len()).map(|index| shown_one(record, index, read)).collect::<Vec<_>>();
    for (found, whole) in [
        (ShownOne::Gone, Shown::Gone),
        (ShownOne::Elsewhere, Shown::Elsewhere),
        (ShownOne::Unsaid, Shown::Unsaid),
    ] {
        if all.contains(&found) {
            return whole;
        }
    }
    let is_planned = |one: &ShownOne| *one == ShownOne::Planned;
    match (is_planned(&all[0]), all.iter().all(is_planned), all.iter().any(is_planned)) {
        (_, true, _) => Shown::Planned,
        (_, _, false) => Shown::Before,
        (true, false, true) => Shown::Partial,
        // What is switched or given back comes to all of them in any order.
        (false, _, true) if record.slot() == Slot::Period => Shown::AttachedOnly,
        (false, _, true) => Shown::Before,
    }
}

fn shown_one(record: &CallRecord, index: usize, read: &ReadBack) -> ShownOne {
    let extension = &record.extensions[index];
    let expiry = read.expiries.get(index).copied().flatten();
    let on_expiry = read.on_expiry.get(index).copied().flatten();
    match (&record.change, expiry) {
        (Change::Unsubscribe(Scope::All), None) => ShownOne::Planned,
        (_, None) => ShownOne::Gone,
        (
            Change::SetAutoRenew(_)
            | Change::CancelAutoRenew
            | Change::ConvertOnExpiry
            | Change::CancelConversion,
            Some(_),
        ) => match on_expiry {
            None => ShownOne::Unsaid,
            Some(on_expiry) if is_switched(record, on_expiry) => ShownOne::Planned,
            Some(_) => ShownOne::Before,
        },
        (Change::Unsubscribe(Scope::All), Some(expiry)) => of_expiry(extension, expiry, None),
        (
            Change::Renew(_)
            | Change::Unsubscribe(Scope::Future)
            | Change::PayOrder(_)
            | Change::CancelOrder(_),
            Some(expiry),
        ) => {
            // An expiry that goes back is a reading from before an earlier renewal, or was given back: a person finds out which
            // where it stays so. It leads to no call.
            let is_old = record.slot() == Slot::Period && expiry < extension.expires_before;
            if is_old && matches!(record.state, State::InDoubt | State::Submitted) {
                return ShownOne::Unsaid;
            }
            of_expiry(extension, expiry, Some(extension.expires_planned))
        }
    }
}

fn of_expiry(extension: &Extension, expiry: Timestamp, planned: Option<Timestamp>) -> ShownOne {
    if Some(expiry) == planned {
        ShownOne::Planned
    } else if expiry == extension.expires_before {
        ShownOne::Before
    } else {
        ShownOne::Elsewhere
    }
}

/// Whether what is set to happen on expiry is what was asked for. Before the call it never is: to ask for it once more does no
/// harm, and for how long and how often something renews itself is not shown.
fn is_switched(record: &CallRecord, on_expiry: OnExpiry) -> bool {
    let is_target = match record.change {
        Change::SetAutoRenew(_) => on_expiry == OnExpiry::Renew,
        Change::CancelAutoRenew => is_off(record, on_expiry, OnExpiry::Renew),
        Change::ConvertOnExpiry => on_expiry == OnExpiry::Convert,
        Change::CancelConversion => is_off(record, on_expiry, OnExpiry::Convert),
        Change::Renew(_) | Change::Unsubscribe(_) | Change::PayOrder(_) | Change::CancelOrder(_) => false,
    };
    is_target && record.state != State::Reserved
}

/// Whether `wish` is switched off. In doubt, another wish than that is no evidence: it may be what there was before, with the
/// call never carried out, and what was switched off here would then not be what the cloud does.
fn is_off(record: &CallRecord, on_expiry: OnExpiry, wish: OnExpiry) -> bool {
    on_expiry == OnExpiry::Lapse || record.state != State::InDoubt && on_expiry != wish
}

/// No expiry has moved: orders decide. One that was cancelled proves something only when no other can come.
fn of_orders(orders: OrderView, is_conclusive: bool) -> Signal {
    match orders {
        OrderView::Unpaid => Signal::FindOrder(OrderReading::Unpaid),
        OrderView::Paid | OrderView::Completed => Signal::FindOrder(OrderReading::Paid),
        OrderView::Cancelled { is_own: true } => Signal::FindOrder(OrderReading::Cancelled),
        OrderView::Cancelled { is_own: false } if is_conclusive => Signal::FindOrder(OrderReading::Cancelled),
        OrderView::Absent if is_conclusive => Signal::Read(Reading::Untouched),
        OrderView::Cancelled { is_own: false }
        | OrderView::Absent
        | OrderView::Unlisted { .. }
        | OrderView::Unknown => Signal::Read(Reading::Before),
    }
}

/// Whether the cloud has finished with all orders that it shows.
const fn is_closed(orders: OrderView) -> bool {
    matches!(orders, OrderView::Absent | OrderView::Completed | OrderView::Cancelled { .. })
}

/// What of a call a reading confirms: the resources that it shows as planned.
pub fn confirmed<'a>(record: &'a CallRecord, read: &ReadBack) -> Vec<&'a Extension> {
    let places = 0..record.extensions.len();
    let is_planned = |index: &usize| shown_one(record, *index, read) == ShownOne::Planned;
    places.filter(is_planned).map(|index| &record.extensions[index]).collect()
}

#[cfg(test)]
mod tests;
