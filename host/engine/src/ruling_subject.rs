//! A plan before and after the policies: what is ruled on, and what the rulings come to. Asks nobody.

use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::policy::chain::Postponement;
use perennial_domain::policy::chain::RequiredApproval;
use perennial_domain::policy::chain::Verdict;
use perennial_domain::timestamp::Timestamp;

use crate::batch_entry::EntryIndex;

/// A plan that is to meet the money, unless a policy has something against it.
pub(crate) struct Subject {
    /// The bundle of the plan.
    pub(crate) entry: EntryIndex,
    /// The member that was named.
    pub(crate) member: MemberIndex,
    /// The command that was asked for.
    pub(crate) command: Command,
    /// What the rules would do.
    pub(crate) plan: Plan,
    /// The policies whose approvals were given.
    pub(crate) approved: Vec<String>,
}

/// What policies ruled on a plan, with the plan as they amended it.
#[derive(Clone, Debug)]
pub(crate) struct PlanRuling {
    /// What is asked for, with the amendments.
    pub(crate) command: Command,
    /// What the rules would do for that.
    pub(crate) plan: Plan,
    /// What the rulings come to.
    pub(crate) verdict: Verdict,
    /// What is recorded of them, in order.
    pub(crate) events: Vec<EventKind>,
}

impl PlanRuling {
    /// The approvals that it waits for; none when it waits for none.
    pub(crate) fn required(&self) -> &[RequiredApproval] {
        if let Verdict::RequireApproval { approvals, .. } = &self.verdict { approvals } else { &[] }
    }

    /// What somebody is told when a policy denies it.
    pub(crate) fn denial(&self) -> Option<Refusal> {
        if let Verdict::Deny { .. } = &self.verdict { self.verdict.refusal() } else { None }
    }

    /// Why it is not done at present though every approval is given, if `grants` says so, or none is required.
    pub(crate) fn refusal(&self, grants: bool) -> Option<Refusal> {
        let postponement = self.verdict.postponement().filter(|_| grants);
        postponement.map(Postponement::refusal).or_else(|| self.verdict.refusal())
    }

    /// When the approvals end that it waits for, if a policy says.
    pub(crate) fn approval_expires_at(&self) -> Option<Timestamp> {
        if let Verdict::RequireApproval { expires_at, .. } = &self.verdict { *expires_at } else { None }
    }
}
