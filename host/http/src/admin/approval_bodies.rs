//! Decisions on approvals as clients send them.

use perennial_formats::body::JsonCursor;
use utoipa::ToSchema;

use crate::input::Body;

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
