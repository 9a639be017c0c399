//! What happens next by itself: wakes of bundles, payments that were put off, and the deadlines of approvals and orders.
//! Knows when, and not what becomes of it.

use perennial_domain::timestamp::Timestamp;
use perennial_store::approvals;
use perennial_store::bundles;
use perennial_store::error::StoreError;
use perennial_store::orders;
use perennial_store::packages;
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

impl Engine {
    /// When something next happens by itself; `None` when nothing ever does.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the database cannot be read.
    pub fn next_wake(&self) -> Result<Option<Timestamp>, EngineError> {
        let wake = bundles::next_wake(self.db())?;
        let payment = packages::next_deferred(self.db(), Timestamp::MAX)?.map(|purchase| purchase.pay_at);
        let expiry = approvals::next_expiry(self.db(), Timestamp::MAX)?;
        let deadline = orders::next_deadline(self.db(), Timestamp::MAX)?.map(|(pay_until, _)| pay_until);
        Ok([wake, payment, expiry, deadline].into_iter().flatten().min())
    }

    /// The next thing that is due by `until` and is no bundle's wake; of those at one instant, the payment comes first.
    pub(crate) fn next_due(&self, until: Timestamp) -> Result<Option<Due>, StoreError> {
        let payment = packages::next_deferred(self.db(), until)?.map(Due::Payment);
        let expiry = approvals::next_expiry(self.db(), until)?.map(Due::ApprovalExpiry);
        let deadline = orders::next_deadline(self.db(), until)?.map(|(at, _)| Due::OrderDeadline(at));
        Ok([payment, expiry, deadline].into_iter().flatten().min_by_key(|due| due.at()))
    }
}
