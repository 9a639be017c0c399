//! Commands, and the plans that plugins make for them before anything is changed or paid.

use std::collections::BTreeMap;

use crate::bundle::Bundle;
use crate::bundle::OnExpiry;
use crate::bundle::Resource;
use crate::index::MemberIndex;
use crate::index::OrderIndex;
use crate::micros::Micros;
use crate::order::Order;
use crate::term::Term;
use crate::timestamp::Timestamp;

/// A provider rule says no. An ordinary answer, not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The provider's own code, such as `CBC.99003610`.
    pub code: String,
    /// In words.
    pub message: String,
}

/// What is asked of a resource, by a person or by the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Extend it.
    Renew(Renewal),
    /// Turn auto-renew on, or change it.
    SetAutoRenew(AutoRenewal),
    /// Turn auto-renew off.
    CancelAutoRenew,
    /// Give it back, or only what has not begun.
    Unsubscribe(Scope),
    /// Let it go on as pay-per-use once it expires.
    ConvertOnExpiry,
    /// Take that back.
    CancelConversion,
    /// Buy a package like this one.
    BuyAgain(Purchase),
}

impl Command {
    /// The word for it in every format.
    pub const fn name(&self) -> &'static str {
        match self {
            Command::Renew(_) => "renew",
            Command::SetAutoRenew(_) => "set_auto_renew",
            Command::CancelAutoRenew => "cancel_auto_renew",
            Command::Unsubscribe(_) => "unsubscribe",
            Command::ConvertOnExpiry => "convert_on_expiry",
            Command::CancelConversion => "cancel_conversion",
            Command::BuyAgain(_) => "buy_again",
        }
    }
}

/// Who asked for a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The clock, because auto-renew is on.
    Auto,
    /// A person or program.
    Command,
}

impl Cause {
    /// `auto` or `command`.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::Auto => "auto",
            Cause::Command => "command",
        }
    }
}

/// How to extend a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// For how long; `None` is the term that an automatic renewal has.
    pub term: Option<Term>,
    /// Who asks.
    pub cause: Cause,
    /// The provider's own, such as `relatedRenewFlag`.
    pub options: BTreeMap<String, String>,
}

/// How a resource renews itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoRenewal {
    /// For how long each time; `None` is the term it was bought for.
    pub term: Option<Term>,
    /// How often; `None` is without limit.
    pub renewals: Option<u32>,
}

/// What an unsubscription gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The resource and whatever was paid for.
    All,
    /// Only periods that have not begun.
    Future,
}

impl Scope {
    /// Both scopes.
    pub const ALL: [Scope; 2] = [Scope::All, Scope::Future];

    /// `all` or `future`.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::All => "all",
            Scope::Future => "future",
        }
    }
}

/// When a package is bought again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// When it is paid; `None` is now.
    pub pay_at: Option<Timestamp>,
    /// When it takes effect; `None` is as soon as it is paid.
    pub effective_at: Option<Timestamp>,
}

/// What a command would do: what is priced, reserved for, and carried out, whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In the order they are carried out.
    pub steps: Vec<Step>,
    /// Members that the command leaves alone.
    pub skipped: Vec<SkippedMember>,
    /// A member whose renewal is tried at once, after the steps.
    pub retry_now: Option<MemberIndex>,
}

/// One provider operation on one member of the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The member.
    pub member: MemberIndex,
    /// What is done with it.
    pub operation: Operation,
}

/// A member that a command does not change, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedMember {
    /// The member.
    pub member: MemberIndex,
    /// The reason, as the plugin gives it.
    pub reason: Refusal,
}

/// A change of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It lasts longer, and is paid for.
    Extend(Extension),
    /// What is set to happen when it expires changes.
    SetOnExpiry(OnExpiry),
    /// It renews itself from now on.
    SetAutoRenew(AutoRenewal),
    /// It is given back, wholly or in part.
    EndSubscription(Cancellation),
    /// A new package with its specification.
    Buy(PurchaseDetails),
    /// An attribute gets a new value.
    SetAttribute(String, String),
}

impl Operation {
    /// The extension, if the operation is one.
    pub(crate) const fn as_extend(&self) -> Option<&Extension> {
        if let Operation::Extend(extension) = self { Some(extension) } else { None }
    }
}

/// One member's extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension {
    /// After the present expiry.
    pub expires_at: Timestamp,
    /// What is paid for ...
    pub term: Term,
    /// ... and days beyond it, at a thirtieth of a month each.
    pub extra_days: u32,
    /// The day that periods are counted from henceforth, 1 to 31; `None` leaves it.
    pub anchor_day: Option<u8>,
}

/// One member's unsubscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    /// What is given back.
    pub scope: Scope,
    /// For [`Scope::Future`]: the expiry that is left.
    pub expires_at: Option<Timestamp>,
    /// Every order that this ends.
    pub refunds: Vec<Refund>,
}

/// Money that goes back for one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The order, among those that come with the request.
    pub order: OrderIndex,
    /// From zero to what was paid.
    pub amount: Micros,
}

/// One package's purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurchaseDetails {
    /// When it is paid.
    pub pay_at: Timestamp,
    /// When it takes effect; not before it is paid.
    pub effective_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The day of the month that its periods are counted from, 1 to 31.
    pub anchor_day: u8,
}

/// Why a plan makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A step or omission names a member that is not there.
    #[error("the plan for `{resource}` names member {member} of {members}")]
    OutsideBundle {
        /// The resource that the command names.
        resource: String,
        /// What was named.
        member: MemberIndex,
        /// How many there are.
        members: usize,
    },
    /// A step does not fit the member it names.
    #[error("the plan for `{resource}` does not fit `{member}`: {why}")]
    Unfit {
        /// The resource that the command names.
        resource: String,
        /// The member.
        member: String,
        /// In words.
        why: String,
    },
}

/// Checks what a plugin would do about `command` on member `named` at instant `at`.
///
/// # Errors
///
/// The first thing that makes no sense.
pub fn check(
    plan: &Plan,
    command: &Command,
    bundle: &Bundle,
    named: MemberIndex,
    orders: &[Order],
    at: Timestamp,
) -> Result<(), PlanError> {
    let resource = || bundle[named].id.clone();
    let members =
        plan.steps.iter().map(|step| step.member).chain(plan.skipped.iter().map(|left| left.member));
    if let Some(member) = members.chain(plan.retry_now).find(|member| bundle.get(*member).is_none()) {
        return Err(PlanError::OutsideBundle { resource: resource(), member, members: bundle.members.len() });
    }
    for (number, step) in plan.steps.iter().enumerate() {
        let member = &bundle[step.member];
        let why = if plan.steps[..number].iter().any(|earlier| contradict(earlier, step)) {
            Some("two steps contradict each other".to_owned())
        } else if !answers(&step.operation, command) {
            Some(format!("its step does not answer `{}`", command.name()))
        } else {
            misfit(&step.operation, member, step.member, orders, at)
        };
        if let Some(why) = why {
            return Err(PlanError::Unfit { resource: resource(), member: member.id.clone(), why });
        }
    }
    Ok(())
}

/// Whether two steps of one plan cannot both be meant: a member is extended once, nothing else is done with one that is
/// ended, and a plan buys one package, because a purchase is given one id.
fn contradict(one: &Step, other: &Step) -> bool {
    match (&one.operation, &other.operation) {
        (Operation::Buy(_), Operation::Buy(_)) => true,
        (Operation::Extend(_), Operation::Extend(_))
        | (Operation::EndSubscription(_), _)
        | (_, Operation::EndSubscription(_)) => one.member == other.member,
        (
            Operation::Extend(_)
            | Operation::SetOnExpiry(_)
            | Operation::SetAutoRenew(_)
            | Operation::Buy(_)
            | Operation::SetAttribute(..),
            _,
        ) => false,
    }
}

/// Whether an operation can be part of the answer to a command: what moves money or an expiry has a command of its own.
fn answers(operation: &Operation, command: &Command) -> bool {
    match operation {
        Operation::Extend(_) => matches!(command, Command::Renew(_)),
        Operation::EndSubscription(_) => matches!(command, Command::Unsubscribe(_)),
        Operation::Buy(_) => matches!(command, Command::BuyAgain(_)),
        Operation::SetOnExpiry(_) | Operation::SetAutoRenew(_) | Operation::SetAttribute(..) => true,
    }
}

/// Why an operation does not fit a member, if it does not.
fn misfit(
    operation: &Operation,
    member: &Resource,
    index: MemberIndex,
    orders: &[Order],
    at: Timestamp,
) -> Option<String> {
    match operation {
        Operation::Extend(extension) => match member.expires_at {
            _ if !member.is_live() => Some("it is extended although it is postpaid or at its end".to_owned()),
            Some(expires_at) if extension.expires_at > expires_at => None,
            Some(expires_at) => {
                Some(format!("its expiry would move from {expires_at} back to {}", extension.expires_at))
            }
            None => Some("it is extended although it never expires".to_owned()),
        },
        Operation::SetOnExpiry(_) | Operation::SetAutoRenew(_) => {
            (!member.is_live()).then(|| "its expiry is set although it is postpaid or at its end".to_owned())
        }
        Operation::EndSubscription(cancellation) => cancellation_misfit(cancellation, member, index, orders),
        Operation::Buy(_) if member.package.is_none() => {
            Some("it is bought again although it is no package".to_owned())
        }
        Operation::Buy(details) => purchase_misfit(details, at),
        Operation::SetAttribute(..) => None,
    }
}

fn purchase_misfit(details: &PurchaseDetails, at: Timestamp) -> Option<String> {
    let is_in_order = at <= details.pay_at
        && details.pay_at <= details.effective_at
        && details.effective_at < details.expires_at;
    if !is_in_order {
        return Some(
            "it is paid in the past, or takes effect before it is paid, or ends before it begins".to_owned(),
        );
    }
    let is_day = (1..=31).contains(&details.anchor_day);
    (!is_day).then(|| format!("its periods would be counted from day {} of the month", details.anchor_day))
}

fn cancellation_misfit(
    cancellation: &Cancellation,
    member: &Resource,
    index: MemberIndex,
    orders: &[Order],
) -> Option<String> {
    if !member.is_live() {
        return Some("it is unsubscribed although it is postpaid or at its end".to_owned());
    }
    for (number, refund) in cancellation.refunds.iter().enumerate() {
        if cancellation.refunds[..number].iter().any(|earlier| earlier.order == refund.order) {
            return Some(format!("order {} is refunded twice", refund.order));
        }
        let Some(order) = orders.get(refund.order.get()).filter(|order| order.member == index) else {
            return Some(format!("order {} is not one of its orders", refund.order));
        };
        if refund.amount < Micros::ZERO || refund.amount > order.paid {
            return Some(format!(
                "{} would be refunded of the {} paid for `{}`",
                refund.amount, order.paid, order.id
            ));
        }
    }
    match (cancellation.scope, cancellation.expires_at, member.expires_at) {
        (Scope::All, None, _) => None,
        (Scope::Future, Some(left), Some(expires_at)) if left < expires_at => {
            let periods = orders.iter().enumerate().filter(|(_, order)| order.member == index);
            let is_ended =
                |number: usize| cancellation.refunds.iter().any(|refund| refund.order.get() == number);
            let mut wrong = periods.filter(|(number, order)| is_ended(*number) != (order.starts_at >= left));
            wrong.next().map(|(_, order)| {
                format!("its expiry would be {left}, which does not fit what becomes of `{}`", order.id)
            })
        }
        (Scope::All | Scope::Future, _, _) => {
            Some("the expiry that is left does not fit the scope".to_owned())
        }
    }
}

#[cfg(test)]
mod tests;
