//! What happens next by itself: wakes of bundles, payments that were put off, and the deadlines of approvals and orders.
//! Knows when, and not what becomes of it.

use perennial_domain::timestamp::Timestamp;
use perennial_store::bundles::StoredBundle;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;
use perennial_store::error::StoreError;
use perennial_store::packages::DeferredPurchase;

use crate::Engine;
use crate::error::EngineError;

/// What is due beside the wakes of bundles.
#[derive(Clone, Copy)]
pub(crate) enum Due {
    /// A package that was ordered is paid.
    Payment(DeferredPurchase),
    /// Approvals expire at this instant.
    ApprovalExpiry(Timestamp),
    /// Orders can last be paid at this instant.
    OrderDeadline(Timestamp),
}

impl Due {
    /// The instant at which it is due.
    pub(crate) fn at(self) -> Timestamp {
        match self {
            Due::Payment(payment) => payment.pay_at,
            Due::ApprovalExpiry(at) | Due::OrderDeadline(at) => at,
        }
    }
}

impl<S: EngineStore> Engine<S> {
    /// When something next happens by itself; `None` when nothing ever does.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database cannot be read.
    pub fn next_wake(&self) -> Result<Option<Timestamp>, EngineError> {
        let wake = self.reads().next_wake()?;
        let payment = self.reads().next_deferred_purchase(Timestamp::MAX)?.map(|purchase| purchase.pay_at);
        let expiry = self.reads().next_approval_expiry(Timestamp::MAX)?;
        let deadline = self.reads().next_order_deadline(Timestamp::MAX)?.map(|(pay_until, _)| pay_until);
        Ok([wake, payment, expiry, deadline].into_iter().flatten().min())
    }

    /// The next thing that is due by `until` and is no bundle's wake; of those at one instant, the payment comes first.
    pub(crate) fn next_due(&self, until: Timestamp) -> Result<Option<Due>, StoreError> {
        let payment = self.reads().next_deferred_purchase(until)?.map(Due::Payment);
        let expiry = self.reads().next_approval_expiry(until)?.map(Due::ApprovalExpiry);
        let deadline = self.reads().next_order_deadline(until)?.map(|(at, _)| Due::OrderDeadline(at));
        Ok([payment, expiry, deadline].into_iter().flatten().min_by_key(|due| due.at()))
    }
}

/// The instant of a bundle that is decided on when it wakes.
pub(super) fn wake_instant(stored: &StoredBundle) -> Timestamp {
    stored.schedule.wake_at.expect("a bundle that is due has a wake")
}
