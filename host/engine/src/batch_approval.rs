//! An approval of a bundle in a batch, and the record of one that is requested. Decides nothing.

use perennial_domain::approval::ApprovalSummary;
use perennial_domain::approval::State;
use perennial_domain::policy::chain::RequiredApproval;
use perennial_domain::timestamp::Timestamp;
use perennial_store::approvals::PricedRequest;
use perennial_store::approvals::Resolution;
use perennial_store::keys::ApprovalKey;

use crate::set_back;

/// An approval of a bundle in the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchApproval {
    /// Its row; `None` for one that is requested now.
    pub row: Option<ApprovalKey>,
    /// Public ID, such as `ecs-1~2`.
    pub id: String,
    /// Its state and command.
    pub summary: ApprovalSummary,
    /// The token that requested it; `None` for the clock.
    pub requested_by: Option<String>,
    /// The instant at which it expires undecided.
    pub expires_at: Timestamp,
    /// The policies that require it; empty of one that was requested before there were policies.
    pub required: Vec<RequiredApproval>,
    /// Whether it waits for others than before from now on.
    pub is_extended: bool,
    /// The record of one that is requested now.
    pub request: Option<Box<ApprovalRequest>>,
    /// The record of one that ends now.
    pub closing: Option<Resolution>,
}

/// The record of an approval that is requested now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRequest {
    /// When it is requested.
    pub requested_at: Timestamp,
    /// The plan and its price.
    pub priced: PricedRequest,
}

impl BatchApproval {
    /// Whether the account's `on_undecided` holds for it.
    pub(crate) fn can_be_undecided(&self) -> bool {
        !set_back::requires(&self.required)
    }

    /// Says how it ends.
    pub(crate) fn close(&mut self, state: State, closing: Resolution) {
        (self.summary.state, self.summary.expiry_reason) = (state, closing.expiry_reason);
        self.closing = Some(closing);
    }
}
