//! The check of the plan that a plugin makes, before anything is priced: for its command, its bundle, its orders and the present.
//! Knows what makes no sense for any provider.

use crate::answer_limits;
use crate::answer_limits::NewAttributes;
use crate::answer_limits::SKIPPED_PER_MEMBER_MAX;
use crate::answer_limits::STEPS_PER_MEMBER_MAX;
use crate::bundle::Bundle;
use crate::bundle::Charging;
use crate::bundle::Resource;
use crate::bundle::Stage;
use crate::index::MemberIndex;
use crate::index::OrderIndex;
use crate::micros::Micros;
use crate::order;
use crate::order::Order;
use crate::order::OrderKind;
use crate::plan::Adjustment;
use crate::plan::Cancellation;
use crate::plan::Cause;
use crate::plan::Command;
use crate::plan::Operation;
use crate::plan::Plan;
use crate::plan::PurchaseDetails;
use crate::plan::Refund;
use crate::plan::Scope;
use crate::plan::Specification;
use crate::plan::Step;
use crate::plan::Subscription;
use crate::timestamp::Timestamp;

/// Why a plan makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A step or omission names a member that is not there.
    #[error("the plan for `{resource}` names member {member} of {members}")]
    OutsideBundle {
        /// The resource that the command names.
        resource: String,
        /// The member that was named.
        member: MemberIndex,
        /// The number of members of the bundle.
        members: usize,
    },
    /// The plan says more than a plan may.
    #[error("the plan for `{resource}` says too much: {why}")]
    TooLarge {
        /// The resource that the command names.
        resource: String,
        /// What is too large, in words.
        why: String,
    },
    /// A step does not fit the member it names.
    #[error("the plan for `{resource}` does not fit `{member}`: {why}")]
    Unfit {
        /// The resource that the command names.
        resource: String,
        /// The id of the member.
        member: String,
        /// What is wrong with the step, in words.
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
    let places = plan.steps.iter().map(|step| step.member).chain(plan.skipped.iter().map(|left| left.member));
    if let Some(member) = places.chain(plan.retry_now).find(|member| bundle.get(*member).is_none()) {
        return Err(PlanError::OutsideBundle { resource: resource(), member, members: bundle.members.len() });
    }
    if let Some(why) = excess(plan, bundle) {
        return Err(PlanError::TooLarge { resource: resource(), why });
    }
    for (place, step) in plan.steps.iter().enumerate() {
        let member = &bundle[step.member];
        let why = if plan.steps[..place].iter().any(|earlier| contradict(earlier, step)) {
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
    let why = plan.pay_until.and_then(|pay_until| waiting_misfit(plan, command, pay_until, at));
    match why {
        Some(why) => Err(PlanError::Unfit {
            resource: resource(),
            member: resource(),
            why: format!("its order {why}"),
        }),
        None => Ok(()),
    }
}

/// What a plan, whose members are those of the bundle, has too much of, if there is something.
fn excess(plan: &Plan, bundle: &Bundle) -> Option<String> {
    let members = bundle.members.len();
    let steps = answer_limits::count_problem("steps", plan.steps.len(), STEPS_PER_MEMBER_MAX * members);
    let skipped = || {
        let most = SKIPPED_PER_MEMBER_MAX * members;
        answer_limits::count_problem("members that are left out", plan.skipped.len(), most)
    };
    let reasons = || plan.skipped.iter().find_map(|skipped| answer_limits::refusal_problem(&skipped.reason));
    let attributes = || {
        let mut new = (0..members).map(|_| NewAttributes::default()).collect::<Vec<_>>();
        plan.steps.iter().find_map(|step| match &step.operation {
            Operation::SetAttribute(name, value) => {
                new[step.member.get()].add(&bundle[step.member].attributes, name, value)
            }
            Operation::Extend(_)
            | Operation::SetOnExpiry(_)
            | Operation::SetAutoRenew(_)
            | Operation::EndSubscription(_)
            | Operation::Buy(_)
            | Operation::Convert(_)
            | Operation::ChangeSpecification(_)
            | Operation::Subscribe(_) => None,
        })
    };
    steps.or_else(skipped).or_else(reasons).or_else(attributes)
}

/// Why an order for this plan cannot wait to be paid, if it cannot.
fn waiting_misfit(plan: &Plan, command: &Command, pay_until: Timestamp, at: Timestamp) -> Option<String> {
    let may_wait = match command {
        Command::Renew(renewal) => renewal.cause == Cause::Command,
        Command::Change(_) | Command::Subscribe(_) => true,
        Command::SetAutoRenew(_)
        | Command::CancelAutoRenew
        | Command::Unsubscribe(_)
        | Command::ConvertOnExpiry
        | Command::CancelConversion
        | Command::ConvertNow
        | Command::BuyAgain(_)
        | Command::PayOrder(_)
        | Command::CancelOrder(_) => false,
    };
    if !may_wait {
        Some(format!("waits to be paid, and nobody pays for `{}` later", command.name()))
    } else if pay_until <= at {
        Some(format!("would have had to be paid by {pay_until}"))
    } else if plan.retry_now.is_some() {
        Some("waits to be paid, and a renewal is to be tried at once".to_owned())
    } else {
        None
    }
}

/// Whether two steps of one plan cannot both be meant: a member is extended once, nothing else is done with one that is
/// ended whole, and a plan buys one package, because a purchase is given one id.
fn contradict(one: &Step, other: &Step) -> bool {
    match (&one.operation, &other.operation) {
        (Operation::Buy(_), Operation::Buy(_)) => true,
        // What becomes prepaid may be told something with it, and so may what only gives periods back.
        (Operation::Subscribe(_), Operation::SetAttribute(..))
        | (Operation::SetAttribute(..), Operation::Subscribe(_)) => false,
        (Operation::EndSubscription(ending), Operation::SetAttribute(..))
        | (Operation::SetAttribute(..), Operation::EndSubscription(ending))
            if ending.scope == Scope::Future =>
        {
            false
        }
        (Operation::Extend(_), Operation::Extend(_))
        | (
            Operation::EndSubscription(_)
            | Operation::Convert(_)
            | Operation::ChangeSpecification(_)
            | Operation::Subscribe(_),
            _,
        )
        | (
            _,
            Operation::EndSubscription(_)
            | Operation::Convert(_)
            | Operation::ChangeSpecification(_)
            | Operation::Subscribe(_),
        ) => one.member == other.member,
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
        Operation::Convert(_) => matches!(command, Command::ConvertNow),
        Operation::Buy(_) => matches!(command, Command::BuyAgain(_)),
        Operation::ChangeSpecification(_) => matches!(command, Command::Change(_)),
        Operation::Subscribe(_) => matches!(command, Command::Subscribe(_)),
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
        Operation::Convert(_) if !member.is_live() => {
            Some("it becomes pay-per-use although it is that already, or at its end".to_owned())
        }
        Operation::Convert(refunds) => refunds_misfit(refunds, index, orders),
        Operation::ChangeSpecification(specification) => {
            specification_misfit(specification, member, index, orders, at)
        }
        Operation::Subscribe(subscription) => subscription_misfit(subscription, member, at),
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
    // What is postpaid has no periods to give back, but may be released together with what it is attached to.
    let is_released = member.attached_to.is_some() && cancellation.scope == Scope::All;
    let may_end =
        member.is_live() || is_released && member.charging == Charging::Postpaid && !member.stage.is_final();
    if !may_end {
        return Some("it is unsubscribed although it is postpaid or at its end".to_owned());
    }
    if let Some(why) = refunds_misfit(&cancellation.refunds, index, orders) {
        return Some(why);
    }
    match (cancellation.scope, cancellation.expires_at, member.expires_at) {
        (Scope::All, None, _) => None,
        (Scope::Future, Some(left), Some(expires_at)) if left < expires_at => {
            let own = |order: &Order| order.member == index && order.kind != OrderKind::Downgrade;
            let periods = orders.iter().enumerate().filter(|(_, order)| own(order));
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

/// Why these refunds of a member's orders make no sense. What a downgrade gave back before comes back no second time.
fn refunds_misfit(refunds: &[Refund], index: MemberIndex, orders: &[Order]) -> Option<String> {
    for (number, refund) in refunds.iter().enumerate() {
        if refunds[..number].iter().any(|earlier| earlier.order == refund.order) {
            return Some(format!("order {} is refunded twice", refund.order));
        }
        let Some(order) = own_order(refund.order, index, orders) else {
            return Some(format!("order {} is not one of its orders", refund.order));
        };
        let left = order::paid_after_downgrades(order, orders);
        if refund.amount < Micros::ZERO || refund.amount > left {
            return Some(format!(
                "{} would be refunded of the {left} paid for `{}`",
                refund.amount, order.id
            ));
        }
        if refund.fee < Micros::ZERO || refund.fee > left - refund.amount {
            let rest = left - refund.amount;
            return Some(format!(
                "a fee of {} would be kept of the {rest} left of `{}`",
                refund.fee, order.id
            ));
        }
    }
    None
}

/// The order at this place among `orders`, if it is the member's and paid for a period.
fn own_order(order: OrderIndex, member: MemberIndex, orders: &[Order]) -> Option<&Order> {
    orders.get(order.get()).filter(|order| order.member == member && order.kind != OrderKind::Downgrade)
}

fn specification_misfit(
    specification: &Specification,
    member: &Resource,
    index: MemberIndex,
    orders: &[Order],
    at: Timestamp,
) -> Option<String> {
    if !member.is_live() {
        return Some("its specification changes although it is postpaid or at its end".to_owned());
    }
    let adjustments = &specification.adjustments;
    let is_more = |micros: Micros| micros > Micros::ZERO;
    let costs = adjustments.iter().any(|one| is_more(one.amount));
    if specification.price < Micros::ZERO || costs && adjustments.iter().any(|one| is_more(-one.amount)) {
        return Some("its price is negative, or the change costs money and gives some back".to_owned());
    }
    for (number, adjustment) in adjustments.iter().enumerate() {
        // Several orders may give money back for one period: what it was bought for, and an upgrade of it.
        let overlaps = |other: &Adjustment| {
            let is_same = costs || other.order == adjustment.order;
            is_same && other.starts_at < adjustment.ends_at && adjustment.starts_at < other.ends_at
        };
        let is_period = at <= adjustment.starts_at && adjustment.starts_at < adjustment.ends_at;
        if !is_period || adjustments[..number].iter().any(overlaps) {
            return Some(format!(
                "the period from {} to {} overlaps another one, or is in the past",
                adjustment.starts_at, adjustment.ends_at
            ));
        }
        if let Some(why) = adjustment_misfit(adjustment, index, orders) {
            return Some(why);
        }
    }
    None
}

/// Why no order pays for what an adjustment gives back, or none is what it names.
fn adjustment_misfit(adjustment: &Adjustment, index: MemberIndex, orders: &[Order]) -> Option<String> {
    let given_back = -adjustment.amount;
    let Some(order_index) = adjustment.order else {
        return (given_back > Micros::ZERO).then(|| format!("{given_back} would come back from no order"));
    };
    let Some(order) = own_order(order_index, index, orders) else {
        return Some(format!("order {order_index} is not one of its orders"));
    };
    let left = order::paid_after_downgrades(order, orders);
    (given_back > left).then(|| format!("{given_back} would come back of the {left} paid for `{}`", order.id))
}

fn subscription_misfit(subscription: &Subscription, member: &Resource, at: Timestamp) -> Option<String> {
    let is_gone = matches!(member.stage, Stage::Released | Stage::Unsubscribed);
    if member.charging == Charging::Prepaid || is_gone {
        return Some("it is paid ahead although it is prepaid or at its end".to_owned());
    }
    let is_day = (1..=31).contains(&subscription.anchor_day);
    let is_in_order = is_day && subscription.expires_at > at && subscription.price >= Micros::ZERO;
    (!is_in_order).then(|| "it is paid ahead for a period, a day or a price that is none".to_owned())
}
