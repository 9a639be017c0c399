//! Decisions on approvals as clients send them, and what an approval waits for as they see it.

use perennial_domain::policy::chain::RequiredApproval;
use perennial_formats::body::JsonCursor;
use serde::Serialize;
use utoipa::ToSchema;

use crate::input::Body;

/// A policy that requires an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RequiredApproval)]
pub(crate) struct RequiredApprovalView {
    /// Its name; `approval_above` for the limit of the account, and for what is held once for another reason.
    policy: String,
    /// The policy's reason, for people; of `approval_above`, empty above the limit, or why a plan of any price is held: the database was set back.
    reason: String,
    /// The label that the approver's token has; null is any approver.
    by: Option<String>,
    /// The ID of the token that gave it, while the plan waits for others.
    given_by: Option<String>,
}

impl From<&RequiredApproval> for RequiredApprovalView {
    fn from(required: &RequiredApproval) -> RequiredApprovalView {
        RequiredApprovalView {
            policy: required.policy.clone(),
            reason: required.reason.clone(),
            by: required.by.clone(),
            given_by: required.given_by.clone(),
        }
    }
}

/// An approval of a pending plan.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Approve {
    /// The reason; left out, that of `X-Reason`.
    #[schema(min_length = 1)]
    pub(super) reason: Option<String>,
    /// The hash of the plan to approve; the approval fails if the plan has another one.
    #[schema(min_length = 1)]
    pub(super) plan_hash: Option<String>,
}

impl Body for Approve {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<Approve> {
        let fields = cursor.object(&["reason", "plan_hash"])?;
        let text = |name| {
            fields.optional(name, |cursor: JsonCursor<'_, '_>| cursor.name().map(str::to_owned)).option()
        };
        let (reason, plan_hash) = (text("reason"), text("plan_hash"));
        Some(Approve { reason: reason?, plan_hash: plan_hash? })
    }
}

/// A rejection of a pending plan.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reject {
    /// The reason; left out, that of `X-Reason`.
    #[schema(min_length = 1)]
    pub(super) reason: Option<String>,
}

impl Body for Reject {
    fn read(cursor: JsonCursor<'_, '_>) -> Option<Reject> {
        let fields = cursor.object(&["reason"])?;
        Some(Reject {
            reason: fields.optional("reason", |cursor| cursor.name().map(str::to_owned)).option()?,
        })
    }
}
