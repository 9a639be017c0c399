//! What a shadow policy would have done otherwise than was done. Knows words; not where differences are kept.

use crate::policy::chain::Verdict;
use crate::ruling_kind::RulingKind;

/// What rulings come to, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The plan meets the money.
    Approved,
    /// The plan is not done.
    Denied,
    /// It waits for an approval.
    ApprovalRequired,
    /// The plan is put off.
    Deferred,
    /// Another plan meets the money.
    Amended,
    /// The script gave no ruling that could be followed. Only a shadow's own ruling is that.
    Failed,
}

impl Effect {
    /// Every effect, for parsing and for lists of choices.
    pub const ALL: [Effect; 6] = [
        Effect::Approved,
        Effect::Denied,
        Effect::ApprovalRequired,
        Effect::Deferred,
        Effect::Amended,
        Effect::Failed,
    ];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Effect::Approved => "approved",
            Effect::Denied => "denied",
            Effect::ApprovalRequired => "approval_required",
            Effect::Deferred => "deferred",
            Effect::Amended => "amended",
            Effect::Failed => "failed",
        }
    }

    /// What a ruling that was recorded is.
    pub const fn of_ruling(kind: RulingKind) -> Effect {
        match kind {
            RulingKind::Denied => Effect::Denied,
            RulingKind::ApprovalRequired => Effect::ApprovalRequired,
            RulingKind::Deferred => Effect::Deferred,
            RulingKind::Amended => Effect::Amended,
            RulingKind::Failed => Effect::Failed,
        }
    }

    /// What was followed: `verdict`, on a plan that was amended or not.
    pub const fn of_verdict(verdict: &Verdict, is_amended: bool) -> Effect {
        match verdict {
            Verdict::Approve if is_amended => Effect::Amended,
            Verdict::Approve => Effect::Approved,
            Verdict::Deny { .. } => Effect::Denied,
            Verdict::RequireApproval { .. } => Effect::ApprovalRequired,
            Verdict::Defer(_) => Effect::Deferred,
        }
    }
}
