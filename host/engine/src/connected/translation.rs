//! Between the protocol of renewals and a connector: what a renewal is called with, and what its answers prove.
//!
//! Knows both as values. Asks nobody.

use perennial_domain::connected::read_back::OrderView;
use perennial_domain::connected::read_back::ReadBack;
use perennial_domain::connected::record::CallIdentity;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connector::CloudOrder;
use perennial_domain::connector::CloudOrderState;
use perennial_domain::connector::CloudResource;
use perennial_domain::connector::Outcome;
use perennial_domain::connector::QueryFailure;
use perennial_domain::connector::QueryFailureReason;
use perennial_domain::connector::on_expiry;
use perennial_domain::order::OrderKind;
use perennial_domain::timestamp::Timestamp;
use sha2::Digest;
use sha2::Sha256;

use crate::connected::ReadFailure;
use crate::connected::Response;

/// How far a cloud's clock may be behind the host's, in seconds: an order made that long before a call may be its.
const CLOCK_SKEW_MAX: i64 = 900;

/// The idempotency token of a call: 64 hexadecimal digits, the same whenever the same call is made again.
pub fn client_token(identity: &CallIdentity) -> String {
    hex::encode(Sha256::digest(identity.to_string()))
}

/// What an outcome proves. `is_shown` says whether a reading will show it.
pub fn response_of(outcome: &Outcome, is_shown: bool) -> Response {
    match outcome {
        Outcome::Applied(_) if !is_shown => Response::Completed,
        // Also what is applied is settled only when it was read back, where that can be.
        Outcome::Applied(_) | Outcome::Submitted(_) => Response::Accepted,
        Outcome::Declined(decline) => {
            Response::Declined { class: decline.class, retry_after: decline.retry_after.map(i64::from) }
        }
        Outcome::InDoubt(_) => Response::Unproven,
    }
}

/// Why a query has no answer.
pub fn read_failure_of(failure: &QueryFailure) -> ReadFailure {
    match failure.reason {
        QueryFailureReason::Throttled => ReadFailure::Throttled(failure.retry_after.map(i64::from)),
        QueryFailureReason::Credentials
        | QueryFailureReason::Permission
        | QueryFailureReason::Provider
        | QueryFailureReason::Refused
        | QueryFailureReason::Unreadable => ReadFailure::Failed,
    }
}

/// What was read of a cloud's orders.
#[derive(Clone, Copy, Debug)]
pub enum OrderList<'a> {
    /// These, all of them.
    Listed(&'a [CloudOrder]),
    /// The list could not be read, or not to its end.
    Unread,
    /// The cloud lists none.
    Unlisted {
        /// For how many seconds it answers the call's token as it did the first time; `None` where it takes none.
        token_seconds: Option<i64>,
    },
}

/// What resources and orders, read at `at`, show of `renewal`.
pub fn read_back_of(
    renewal: &CallRecord,
    resources: &[CloudResource],
    orders: OrderList<'_>,
    at: Timestamp,
) -> ReadBack {
    let expiry = |id: &str| resources.iter().find(|resource| resource.id == id)?.expires_at;
    let on_expiry = |id: &str| on_expiry(resources.iter().find(|resource| resource.id == id)?);
    let shown = renewal.extensions.iter().map(|one| one.resource.as_str());
    let (expiries, on_expiry) = (shown.clone().map(expiry).collect(), shown.map(on_expiry).collect());
    let orders = match orders {
        OrderList::Listed(orders) => order_view(renewal, orders),
        OrderList::Unlisted { token_seconds: Some(token_seconds) } => OrderView::Unlisted { token_seconds },
        OrderList::Unlisted { token_seconds: None } | OrderList::Unread => OrderView::Unknown,
    };
    ReadBack { at, expiries, on_expiry, orders }
}

/// What orders come to: what is open counts before what is done, and that before what was given up.
fn order_view(renewal: &CallRecord, orders: &[CloudOrder]) -> OrderView {
    let named = &renewal.named().resource;
    let since = renewal.called_at.map(|called_at| called_at - CLOCK_SKEW_MAX);
    let is_about = |order: &&CloudOrder| {
        // An order that does not say what is in it may be this one, once there is one.
        let may_be_own = order.resources.is_empty() && since.is_some();
        let is_named = may_be_own || order.resources.contains(named);
        // No kind of the contract is what an unsubscription orders.
        let is_renewal = matches!(order.kind, None | Some(OrderKind::Renewal));
        let is_open = matches!(order.state, CloudOrderState::Unpaid | CloudOrderState::InProgress);
        let is_since = since.is_some_and(|since| order.created_at.is_none_or(|made| made >= since));
        is_named && (is_open || is_renewal && is_since)
    };
    let states = orders.iter().filter(is_about).map(|order| order.state).collect::<Vec<_>>();
    let views = [
        (CloudOrderState::Unpaid, OrderView::Unpaid),
        (CloudOrderState::InProgress, OrderView::Paid),
        (CloudOrderState::Completed, OrderView::Completed),
        (CloudOrderState::Cancelled, OrderView::Cancelled { is_own: false }),
    ];
    let view = views.into_iter().find(|(state, _)| states.contains(state));
    view.map_or(OrderView::Absent, |(_, view)| view)
}

#[cfg(test)]
mod tests;
