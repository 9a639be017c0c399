//! The approvals that the host itself requires of a plan, whatever the operator's policies rule: above the account's limit, of
//! what somebody asks for who changed a policy that is asked about it, and of a policy that a plan waits for already.

use perennial_domain::approval::ApprovalSummary;
use perennial_domain::approval::State;
use perennial_domain::index::MemberIndex;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::policy::chain::RequiredApproval;
use perennial_domain::policy::chain::Verdict;

use crate::batch::Batch;
use crate::batch_approval::BatchApproval;
use crate::batch_entry::EntryIndex;
use crate::set_back;
use crate::set_back::BUILT_IN;
use crate::set_back::MAY_BE_PAID;

/// The words with which the person who changed a policy is sent to somebody else.
const OWN_CHANGE: &str = "whoever asks has changed this policy or its calendar: somebody else approves of it, or confirms the change";

impl Batch {
    /// The approvals of `plan` that the host requires and that were not given.
    pub(crate) fn host_approvals(
        &self,
        (index, member): (EntryIndex, MemberIndex),
        command: &Command,
        plan: &Plan,
        approved: &[String],
    ) -> Vec<RequiredApproval> {
        let kept = self.kept_requirements(index, member, command);
        let reason = if self.may_be_paid(index, plan) { MAY_BE_PAID } else { "" };
        let built_in = self.needs_approval(index, plan).then_some((BUILT_IN, reason));
        let own_changes = self.own_changes(index, command).into_iter().map(|policy| (policy, OWN_CHANGE));
        let own_changes = own_changes.filter(|(policy, _)| !kept.iter().any(|one| one.policy == *policy));
        let approval = |(policy, reason): (&str, &str)| RequiredApproval {
            policy: policy.to_owned(),
            reason: reason.to_owned(),
            by: None,
            given_by: None,
            version: None,
        };
        let required = built_in.into_iter().chain(own_changes).map(approval).chain(kept.iter().cloned());
        required.filter(|one| !approved.contains(&one.policy)).collect()
    }

    /// What a pending approval of the same request takes of policies that are not asked about the plan any more, although nobody
    /// has changed them since: nobody takes a requirement from a plan by changing the resource's tags.
    fn kept_requirements(
        &self,
        index: EntryIndex,
        member: MemberIndex,
        command: &Command,
    ) -> Vec<RequiredApproval> {
        let item = self.entry(index);
        let is_pending = |one: &&BatchApproval| {
            let summary = &one.summary;
            summary.state == State::Pending && summary.member == member && summary.cause == command.cause()
        };
        let mut pending = item.approvals.iter().filter(is_pending).peekable();
        let (Some(policies), Some(_)) = (&self.policies, pending.peek()) else { return Vec::new() };
        let is_same = |one: &&BatchApproval| match command.cause() {
            Cause::Auto => one.summary.expires_before == item.walk.bundle[member].expires_at,
            Cause::Command => one.summary.command == self.request_text(index, command),
        };
        let account = &self.account(item.account).account;
        let asked = policies.matching(account, &item.walk.bundle, command.name()).active;
        let is_asked =
            |one: &RequiredApproval| asked.iter().any(|asked| policies.policy(*asked).name == one.policy);
        let required = pending.filter(is_same).flat_map(|one| &one.required);
        let kept = required.filter(|one| policies.still_holds(one) && !is_asked(one));
        kept.map(|one| RequiredApproval { given_by: None, ..one.clone() }).collect()
    }

    /// Whether what `plan` pays for may be paid already, by a renewal that the database lost when it was set back: the bundle
    /// was due in the lost time, or an approval was requested for that reason, for the present period of a member.
    pub(crate) fn may_be_paid(&self, index: EntryIndex, plan: &Plan) -> bool {
        let item = self.entry(index);
        let is_of_plan = |member| plan.steps.iter().any(|step| step.member == member);
        let is_of_period = |approval: &BatchApproval| {
            let ApprovalSummary { member, cause, expires_before, .. } = approval.summary;
            is_of_plan(member)
                && cause == Cause::Auto
                && item.walk.bundle[member].expires_at == expires_before
        };
        let mut approvals = item.approvals.iter();
        item.needs_review
            || approvals.any(|approval| set_back::requires(&approval.required) && is_of_period(approval))
    }

    /// The policies that are asked about `command`, or were, and that the person who asks for it changed.
    fn own_changes(&self, index: EntryIndex, command: &Command) -> Vec<&str> {
        // The try of an automatic renewal that a command leads to at once is of the person who gave it, too.
        let (Some(policies), Some(person)) = (&self.policies, &self.requester) else { return Vec::new() };
        let item = self.entry(index);
        policies.changed_by(person, &self.account(item.account).account, &item.walk.bundle, command.name())
    }
}

/// What `verdict` is together with the approvals that the host requires. A policy that requires one itself needs no other.
pub(crate) fn with_host_approvals(own: Vec<RequiredApproval>, verdict: Verdict) -> Verdict {
    if own.is_empty() {
        return verdict;
    }
    match verdict {
        Verdict::Deny { .. } => verdict,
        Verdict::Approve => Verdict::RequireApproval { approvals: own, expires_at: None, postponement: None },
        Verdict::Defer(postponement) => {
            Verdict::RequireApproval { approvals: own, expires_at: None, postponement: Some(postponement) }
        }
        Verdict::RequireApproval { approvals, expires_at, postponement } => {
            let is_other = |one: &RequiredApproval| !approvals.iter().any(|other| other.policy == one.policy);
            let own = own.into_iter().filter(is_other).collect::<Vec<_>>();
            let approvals = own.into_iter().chain(approvals).collect();
            Verdict::RequireApproval { approvals, expires_at, postponement }
        }
    }
}
