//! Approvals: a plan that costs more than its account's limit waits until a person approves or rejects it.
//!
//! Knows which plans need an approval, until when, and when an approval becomes obsolete. Does not know who may decide, or where
//! approvals are kept.

use crate::apply;
use crate::attempt::AttemptId;
use crate::attempt::Key;
use crate::bundle::Bundle;
use crate::bundle::OnExpiry;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::index::ApprovalIndex;
use crate::index::MemberIndex;
use crate::micros::Micros;
use crate::plan::Cause;
use crate::plan::Command;
use crate::plan::Operation;
use crate::plan::Plan;
use crate::timeline::Action;
use crate::timeline::Occurrence;
use crate::timestamp::Timestamp;

pub use crate::approval_state::ExpiryReason;
pub use crate::approval_state::State;

/// How long an approval waits that no try of the provider limits, in seconds: a week, or until the resource expires.
pub(crate) const WAIT_MAX: i64 = 7 * 86_400;

/// What has to be there of its resource for a command to be decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// It is prepaid, and has not come to its end.
    Prepaid,
    /// It is there, also as a pay-per-use resource.
    Resource,
    /// Nothing: another one is bought like it, or an order decides, with which its approvals end.
    Nothing,
}

impl Needs {
    /// What `command` needs.
    pub const fn of(command: &Command) -> Needs {
        match command {
            Command::Subscribe(_) => Needs::Resource,
            Command::BuyAgain(_) | Command::PayOrder(_) | Command::CancelOrder(_) => Needs::Nothing,
            Command::Renew(_)
            | Command::SetAutoRenew(_)
            | Command::CancelAutoRenew
            | Command::Unsubscribe(_)
            | Command::ConvertOnExpiry
            | Command::CancelConversion
            | Command::ConvertNow
            | Command::Change(_) => Needs::Prepaid,
        }
    }

    fn are_met(self, resource: &Resource) -> bool {
        match self {
            Needs::Prepaid => resource.is_live(),
            Needs::Resource => !matches!(resource.stage, Stage::Released | Stage::Unsubscribed),
            Needs::Nothing => true,
        }
    }
}

/// The state and command of an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalSummary {
    /// The member that was named.
    pub member: MemberIndex,
    /// Who asked: the clock or a command.
    pub cause: Cause,
    /// What was asked for: equal for equal commands.
    pub command: String,
    /// What the command needs of its resource.
    pub needs: Needs,
    /// The member's expiry then.
    pub expires_before: Option<Timestamp>,
    /// The attempt that it would be; `None` for what is no renewal.
    pub attempt: Option<AttemptId>,
    /// The state of the approval.
    pub state: State,
    /// Why it expired, if it did.
    pub expiry_reason: Option<ExpiryReason>,
}

impl ApprovalSummary {
    /// Whether it waits, and would renew what an attempt with `key` renews, for whatever term.
    fn is_pending_renewal(&self, key: Option<&Key>) -> bool {
        let own = self.attempt.as_ref().map(|attempt| &attempt.key);
        self.state == State::Pending && own.is_some() && own == key
    }

    /// Why the approval is obsolete, given the present `bundle` and whose auto-renew was on before; `None` while it is not, and
    /// once it has ended.
    ///
    /// What is attached may be renewed by the auto-renew of its primary, also where its own is off: there, only that one of the
    /// two is turned off makes an approval of its renewal obsolete.
    pub fn obsolete_reason(
        &self,
        bundle: &Bundle,
        was_renewing: impl Fn(MemberIndex) -> bool,
    ) -> Option<ExpiryReason> {
        let member = &bundle[self.member];
        if self.state != State::Pending {
            None
        } else if !self.needs.are_met(member) {
            Some(ExpiryReason::Ended)
        } else if member.expires_at != self.expires_before {
            Some(ExpiryReason::ExpiryMoved)
        } else if self.cause == Cause::Auto {
            let turned_off = |index| was_renewing(index) && bundle[index].on_expiry != OnExpiry::Renew;
            let is_off = match (member.on_expiry, member.attached_to) {
                (OnExpiry::Renew, _) => false,
                (OnExpiry::Lapse, Some(primary)) => turned_off(self.member) || turned_off(primary),
                (OnExpiry::Lapse, None) | (OnExpiry::Convert | OnExpiry::Release, _) => true,
            };
            is_off.then_some(ExpiryReason::AutoRenewOff)
        } else {
            None
        }
    }

    /// Whether the clock requests no other approval of this renewal until the resource has another expiry.
    pub fn is_final(&self) -> bool {
        let has_answer = match self.state {
            State::Pending | State::Approved => false,
            State::Rejected => true,
            State::Expired => self.expiry_reason == Some(ExpiryReason::Undecided),
        };
        has_answer && self.cause == Cause::Auto
    }

    /// Whether the clock may request the renewal again before the resource has another expiry; nobody repeats a command.
    pub fn will_retry(&self) -> bool {
        if self.cause == Cause::Command {
            return false;
        }
        match self.expiry_reason {
            Some(ExpiryReason::Ended | ExpiryReason::AutoRenewOff | ExpiryReason::OrderClosed) => false,
            Some(ExpiryReason::Undecided | ExpiryReason::ExpiryMoved) | None => !self.is_final(),
        }
    }
}

/// The approval that exists already for a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExistingApproval {
    /// No approval is pending, and none is final.
    None,
    /// One is pending: the index of it.
    Pending(ApprovalIndex),
    /// One was rejected, or nobody decided in time: no other is requested.
    Decided,
}

/// The approval that exists for an automatic renewal of `member`, whose attempt would have `key`.
///
/// It waits behind whatever renewal of the same period waits, of whatever term, so that nobody has to decide on one period
/// twice.
pub fn existing_renewal(
    approvals: &[ApprovalSummary],
    bundle: &Bundle,
    member: MemberIndex,
    key: Option<&Key>,
) -> ExistingApproval {
    let expires_at = bundle[member].expires_at;
    let of_period = |one: &&ApprovalSummary| one.member == member && one.expires_before == expires_at;
    let waits = |one: &ApprovalSummary| {
        let is_renewal = of_period(&one) && one.attempt.is_some();
        one.state == State::Pending && is_renewal || one.is_pending_renewal(key)
    };
    let own = approvals.iter().position(|one| one.cause == Cause::Auto && waits(one));
    match own.or_else(|| approvals.iter().position(waits)) {
        Some(number) => ExistingApproval::Pending(ApprovalIndex::new(number)),
        None if approvals.iter().filter(of_period).any(ApprovalSummary::is_final) => {
            ExistingApproval::Decided
        }
        None => ExistingApproval::None,
    }
}

/// The approval that exists for `command` on `member`: a person may always request another, but not while one is pending.
///
/// It joins no other plan for the same period: what the clock asks for ends with auto-renew, and paying an order is not what
/// renewing without it is.
pub fn existing_command(
    approvals: &[ApprovalSummary],
    member: MemberIndex,
    command: &str,
) -> ExistingApproval {
    let waits = |one: &ApprovalSummary| {
        one.state == State::Pending
            && one.cause == Cause::Command
            && one.member == member
            && one.command == command
    };
    let pending = approvals.iter().position(waits).map(ApprovalIndex::new);
    pending.map_or(ExistingApproval::None, ExistingApproval::Pending)
}

/// What carrying `plan` out at `at` takes from the account then or later without anybody being asked again. An order that
/// waits to be paid takes nothing: its payment is a command of its own.
pub fn commitment(plan: &Plan, bundle: &Bundle, at: Timestamp) -> Micros {
    if plan.pay_until.is_some() { Micros::ZERO } else { whole_cost(plan, bundle, at) }
}

/// What `plan` costs at `at` or later: packages that are ordered now and paid later count, and so do orders that wait.
pub fn whole_cost(plan: &Plan, bundle: &Bundle, at: Timestamp) -> Micros {
    let later = |at: Timestamp, operation: &Operation| match operation {
        Operation::Buy(buying) => buying.pay_at.max(at),
        Operation::Extend(_)
        | Operation::SetOnExpiry(_)
        | Operation::SetAutoRenew(_)
        | Operation::EndSubscription(_)
        | Operation::Convert(_)
        | Operation::ChangeSpecification(_)
        | Operation::Subscribe(_)
        | Operation::SetAttribute(..) => at,
    };
    let cost = |step: &crate::plan::Step| {
        let member = &bundle[step.member];
        apply::step_cost(&step.operation, member, later(at, &step.operation))
    };
    plan.steps.iter().map(cost).sum()
}

/// Whether a plan that costs `commitment` needs an approval in an account with the limit `limit`.
pub fn needs_approval(limit: Option<Micros>, commitment: Micros) -> bool {
    limit.is_some_and(|limit| commitment > limit)
}

/// Whether a change of an account's limit from `before` to `after` lets plans pass that needed an approval.
pub fn is_raise(before: Option<Micros>, after: Option<Micros>) -> bool {
    match (before, after) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(before), Some(after)) => after > before,
    }
}

/// Whether the provider tries `member` at `at` and never again before it expires, as `timeline` has it: a renewal that is asked
/// about only then has no time left in which somebody could approve of it.
pub fn is_last_try(
    at: Timestamp,
    member: MemberIndex,
    expires_at: Option<Timestamp>,
    timeline: &[Occurrence],
) -> bool {
    let tries = timeline.iter().filter(|next| next.action == Action::TryRenewal && next.member == member);
    let in_time = tries.filter(|next| expires_at.is_none_or(|expires_at| next.at < expires_at));
    in_time.map(|next| next.at).max() == Some(at)
}

/// The first instant after `at` at which something expires that `plan` extends; `None` when there is none.
pub fn first_expiry(plan: &Plan, bundle: &Bundle, at: Timestamp) -> Option<Timestamp> {
    let extended = plan.steps.iter().filter(|step| step.operation.as_extend().is_some());
    extended.filter_map(|step| bundle[step.member].expires_at).filter(|expires_at| *expires_at > at).min()
}

/// When an approval of `plan` for `member` expires that is requested at `at`; always later than that.
///
/// The second before the provider's last try that `timeline` has before the expiry: once that has passed, a provider
/// would not renew any more either. Where the member has no try of its own, those of the bundle it follows count. Where
/// there is none, `WAIT_MAX` later or at the expiry, whichever comes first. Always before a payment that is put off. That of
/// the payment of an order expires no later than at `pay_until`, the last instant at which the order can be paid.
pub fn expiry(
    at: Timestamp,
    plan: &Plan,
    member: MemberIndex,
    expires_at: Option<Timestamp>,
    timeline: &[Occurrence],
    pay_until: Option<Timestamp>,
) -> Timestamp {
    let tries = || timeline.iter().filter(|next| next.action == Action::TryRenewal && next.at > at + 1);
    let in_time = |next: &&Occurrence| expires_at.is_none_or(|expires_at| next.at < expires_at);
    let of_member = tries().filter(in_time).filter(|next| next.member == member).map(|next| next.at).max();
    let last_try = of_member.or_else(|| tries().filter(in_time).map(|next| next.at).max());
    let expiry = expires_at.filter(|expires_at| *expires_at > at);
    let whole = [Some(at + WAIT_MAX), expiry].into_iter().flatten().min();
    let payments = plan.steps.iter().filter_map(|step| match &step.operation {
        Operation::Buy(buying) if buying.pay_at > at => Some(buying.pay_at - 1),
        Operation::Buy(_)
        | Operation::Extend(_)
        | Operation::SetOnExpiry(_)
        | Operation::SetAutoRenew(_)
        | Operation::EndSubscription(_)
        | Operation::Convert(_)
        | Operation::ChangeSpecification(_)
        | Operation::Subscribe(_)
        | Operation::SetAttribute(..) => None,
    });
    let waits_until = last_try.map(|last| last - 1).or(whole);
    payments.chain(waits_until).chain(pay_until).min().unwrap_or(at + WAIT_MAX).max(at + 1)
}

#[cfg(test)]
mod tests;
