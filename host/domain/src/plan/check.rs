//! The check of the plan that a plugin makes, before anything is priced. Knows what makes no sense for any provider.

use crate::bundle::Bundle;
use crate::bundle::Resource;
use crate::index::MemberIndex;
use crate::micros::Micros;
use crate::order::Order;
use crate::plan::Cancellation;
use crate::plan::Command;
use crate::plan::Operation;
use crate::plan::Plan;
use crate::plan::PurchaseDetails;
use crate::plan::Scope;
use crate::plan::Step;
use crate::timestamp::Timestamp;

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
