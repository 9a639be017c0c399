//! What a policy did that did not approve, in the words of the event `policy_ruled`. Knows words; not what follows from it.

/// What a policy did that did not approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulingKind {
    /// The policy denied the plan.
    Denied,
    /// The policy requires an approval.
    ApprovalRequired,
    /// It put the plan off.
    Deferred,
    /// The policy changed the plan.
    Amended,
    /// It gave no ruling that could be followed.
    Failed,
}

impl RulingKind {
    /// Every kind, for parsing and for lists of choices.
    pub const ALL: [RulingKind; 5] = [
        RulingKind::Denied,
        RulingKind::ApprovalRequired,
        RulingKind::Deferred,
        RulingKind::Amended,
        RulingKind::Failed,
    ];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            RulingKind::Denied => "denied",
            RulingKind::ApprovalRequired => "approval_required",
            RulingKind::Deferred => "deferred",
            RulingKind::Amended => "amended",
            RulingKind::Failed => "failed",
        }
    }
}

crate::field::word_field!(RulingKind);
