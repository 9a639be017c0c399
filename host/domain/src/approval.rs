//! Approvals: plans that cost more than their account may spend unasked, held until somebody decides on them.
//!
//! Knows what is held, until when, and when there is nothing left to decide on. Does not know who may decide, or where
//! approvals are kept.

use crate::apply;
use crate::attempt::Key;
use crate::bundle::Bundle;
use crate::bundle::OnExpiry;
use crate::micros::Micros;
use crate::plan::Cause;
use crate::plan::Command;
use crate::plan::Operation;
use crate::plan::Plan;
use crate::timeline::Action;
use crate::timeline::Occurrence;
use crate::timestamp::Timestamp;

/// How long an approval waits that no try of the provider limits, in seconds: a week, or until the resource expires.
pub const WAIT_MAX: i64 = 7 * 86_400;

/// Where an approval is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Somebody is to decide.
    Open,
    /// Somebody agreed, and the plan was carried out.
    Approved,
    /// Somebody did not.
    Rejected,
    /// There is nothing left to decide on.
    Lapsed,
}

impl State {
    /// Every state.
    pub const ALL: [State; 4] = [State::Open, State::Approved, State::Rejected, State::Lapsed];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Approved => "approved",
            State::Rejected => "rejected",
            State::Lapsed => "lapsed",
        }
    }
}

/// Why there is nothing left to decide on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lapse {
    /// Nobody decided in time.
    Undecided,
    /// The resource has come to its end.
    Ended,
    /// The resource has another expiry: it was renewed otherwise, or given back in part.
    ExpiryMoved,
    /// The clock asked, and the resource does not renew itself any more.
    AutoRenewOff,
}

impl Lapse {
    /// Every reason.
    pub const ALL: [Lapse; 4] = [Lapse::Undecided, Lapse::Ended, Lapse::ExpiryMoved, Lapse::AutoRenewOff];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Lapse::Undecided => "undecided",
            Lapse::Ended => "ended",
            Lapse::ExpiryMoved => "expiry_moved",
            Lapse::AutoRenewOff => "auto_renew_off",
        }
    }
}

/// A plan that was held, as far as it matters whether it still waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The member that was named, by place.
    pub member: usize,
    /// Who asked.
    pub cause: Cause,
    /// What was asked for: equal for equal commands.
    pub command: String,
    /// The member's expiry then.
    pub expires_before: Option<Timestamp>,
    /// The key of the attempt that it would be; `None` for what is no renewal.
    pub key: Option<Key>,
    /// Where it is.
    pub state: State,
    /// Why it lapsed, if it did.
    pub lapse: Option<Lapse>,
}

impl Held {
    /// Why there is nothing left to decide on, `bundle` being as it is now; `None` while there is.
    pub fn lapse(&self, bundle: &Bundle) -> Option<Lapse> {
        let member = &bundle.members[self.member];
        if self.state != State::Open {
            None
        } else if !member.is_live() {
            Some(Lapse::Ended)
        } else if member.expires_at != self.expires_before {
            Some(Lapse::ExpiryMoved)
        } else if self.cause == Cause::Auto && member.on_expiry != OnExpiry::Renew {
            Some(Lapse::AutoRenewOff)
        } else {
            None
        }
    }

    /// Whether the clock does not ask again for what it asked for here, until the expiry is another.
    pub fn is_final(&self) -> bool {
        let has_answer = match self.state {
            State::Open | State::Approved => false,
            State::Rejected => true,
            State::Lapsed => self.lapse == Some(Lapse::Undecided),
        };
        has_answer && self.cause == Cause::Auto
    }

    /// Whether the clock may ask for a renewal of the resource again before its expiry is another.
    pub fn may_be_asked_again(&self) -> bool {
        match self.lapse {
            Some(Lapse::Ended | Lapse::AutoRenewOff) => false,
            Some(Lapse::Undecided | Lapse::ExpiryMoved) | None => !self.is_final(),
        }
    }
}

/// What is known already of a plan that is to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nobody has been asked yet.
    No,
    /// Somebody has been asked: the one at this place among those held.
    Waits(usize),
    /// Somebody has said no, or nothing in time: nobody is asked again.
    Answered,
}

/// What is known already of an automatic renewal of `member`, whose attempt would have `key`.
///
/// It waits behind whatever renewal of the same period waits, so that nobody has to decide on one period twice.
pub fn known_try(held: &[Held], bundle: &Bundle, member: usize, key: Option<&Key>) -> Known {
    let expires_at = bundle.members[member].expires_at;
    let of_period = |one: &&Held| one.member == member && one.expires_before == expires_at;
    let waits = |one: &Held| {
        let is_renewal = of_period(&one) && one.key.is_some();
        one.state == State::Open && (is_renewal || key.is_some_and(|key| one.key.as_ref() == Some(key)))
    };
    match held.iter().position(waits) {
        Some(place) => Known::Waits(place),
        None if held.iter().filter(of_period).any(Held::is_final) => Known::Answered,
        None => Known::No,
    }
}

/// What is known already of `command` on `member`, whose attempt would have `key`: a person may always ask again, but
/// not twice at once.
pub fn known_command(held: &[Held], member: usize, command: &str, key: Option<&Key>) -> Known {
    let waits = |one: &Held| {
        let is_same = one.member == member && one.command == command;
        one.state == State::Open && (is_same || key.is_some_and(|key| one.key.as_ref() == Some(key)))
    };
    held.iter().position(waits).map_or(Known::No, Known::Waits)
}

/// Who asks for `command`.
pub fn cause(command: &Command) -> Cause {
    match command {
        Command::Renew(renewal) => renewal.cause,
        Command::SetAutoRenew(_)
        | Command::CancelAutoRenew
        | Command::Unsubscribe(_)
        | Command::ConvertOnExpiry
        | Command::CancelConversion
        | Command::BuyAgain(_) => Cause::Command,
    }
}

/// What carrying `plan` out at `at` costs then and later: packages that are ordered now and paid later are decided on now.
pub fn commitment(plan: &Plan, bundle: &Bundle, at: Timestamp) -> Micros {
    let later = |at: Timestamp, operation: &Operation| match operation {
        Operation::Buy(buying) => buying.pay_at.max(at),
        Operation::Extend(_)
        | Operation::SetOnExpiry(_)
        | Operation::SetAutoRenew(_)
        | Operation::EndSubscription(_)
        | Operation::SetAttribute(..) => at,
    };
    let cost = |step: &crate::plan::Step| {
        let member = &bundle.members[step.member];
        apply::step_cost(&step.operation, member, later(at, &step.operation))
    };
    plan.steps.iter().map(cost).sum()
}

/// Whether a plan that costs `commitment` is held in an account whose plans are held above `limit`.
pub fn is_held(limit: Option<Micros>, commitment: Micros) -> bool {
    limit.is_some_and(|limit| commitment > limit)
}

/// When an approval of `plan` for `member` lapses that is asked for at `at`; always later than that.
///
/// The second before the provider's last try that `timeline` has before the expiry: once that has passed, a provider
/// would not renew any more either. Where the member has no try of its own, those of the bundle it follows count. Where
/// there is none, [`WAIT_MAX`] later or at the expiry, whichever comes first. Always before a payment that is put off.
pub fn lapses_at(
    at: Timestamp,
    plan: &Plan,
    member: usize,
    expires_at: Option<Timestamp>,
    timeline: &[Occurrence],
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
        | Operation::SetAttribute(..) => None,
    });
    let waits_until = last_try.map(|last| last - 1).or(whole);
    payments.chain(waits_until).min().unwrap_or(at + WAIT_MAX).max(at + 1)
}

#[cfg(test)]
mod tests;
