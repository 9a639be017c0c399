//! What the steps of a plan cost and give back, before anything is done.

use crate::account::Mode;
use crate::attempt::AttemptId;
use crate::attempt::Key;
use crate::bundle::Bundle;
use crate::bundle::Resource;
use crate::index::MemberIndex;
use crate::micros::Micros;
use crate::plan::Extension;
use crate::plan::Operation;
use crate::plan::Plan;
use crate::plan::Step;
use crate::timestamp::Timestamp;

/// What a step costs at `at`: an extension, a dearer specification, or a purchase whose time has come.
pub fn step_cost(operation: &Operation, member: &Resource, at: Timestamp) -> Micros {
    match operation {
        Operation::Extend(extension) => extension_cost(extension, member),
        Operation::Buy(details) if details.pay_at <= at => member.price.unwrap_or_default(),
        Operation::ChangeSpecification(specification) => specification.cost().max(Micros::ZERO),
        Operation::Subscribe(subscription) => subscription.cost(),
        Operation::Buy(_)
        | Operation::SetOnExpiry(_)
        | Operation::SetAutoRenew(_)
        | Operation::EndSubscription(_)
        | Operation::Convert(_)
        | Operation::SetAttribute(..) => Micros::ZERO,
    }
}

/// What a step gives back.
pub fn step_refund(operation: &Operation) -> Micros {
    match operation {
        Operation::EndSubscription(cancellation) => {
            cancellation.refunds.iter().map(|refund| refund.amount).sum()
        }
        Operation::Convert(refunds) => refunds.iter().map(|refund| refund.amount).sum(),
        Operation::ChangeSpecification(specification) => (-specification.cost()).max(Micros::ZERO),
        Operation::Extend(_)
        | Operation::SetOnExpiry(_)
        | Operation::SetAutoRenew(_)
        | Operation::Buy(_)
        | Operation::Subscribe(_)
        | Operation::SetAttribute(..) => Micros::ZERO,
    }
}

/// What a plan costs at `at`.
pub fn cost(plan: &Plan, bundle: &Bundle, at: Timestamp) -> Micros {
    plan.steps.iter().map(|step| step_cost(&step.operation, &bundle[step.member], at)).sum()
}

/// Whether nobody knows what `plan` costs: a cloud keeps the account, and quoted no price of anything that is extended. On an
/// account that this host keeps, what has no price is free.
pub fn is_unquoted<'a>(plan: &Plan, mode: Mode, member: impl Fn(MemberIndex) -> &'a Resource) -> bool {
    let mut extended = plan.steps.iter().filter(|step| step.operation.as_extend().is_some()).peekable();
    let is_unpriced = |step: &Step| member(step.member).price.is_none() || member(step.member).term.is_none();
    mode == Mode::Connected && extended.peek().is_some() && extended.all(is_unpriced)
}

/// What a plan costs at `at`, less what it gives back; negative when more comes back than is paid.
pub fn net_cost(plan: &Plan, bundle: &Bundle, at: Timestamp) -> Micros {
    let refund = plan.steps.iter().map(|step| step_refund(&step.operation)).sum::<Micros>();
    cost(plan, bundle, at) - refund
}

/// What extending one member costs: its price, pro rata by months.
pub(crate) fn extension_cost(extension: &Extension, member: &Resource) -> Micros {
    match (member.price, member.term) {
        (Some(price), Some(term)) => extension.term.price(price, term, extension.extra_days),
        (None, _) | (_, None) => Micros::ZERO,
    }
}

/// The id of the attempt that a plan's extensions are: that of the member named or, if the plan leaves that one
/// alone, of the first one extended. `None` when nothing is extended.
pub fn attempt_id(plan: &Plan, bundle: &Bundle, named: MemberIndex) -> Option<AttemptId> {
    let extensions = plan.steps.iter().filter_map(|step| Some((step.member, step.operation.as_extend()?)));
    let (member, extension) = extensions.min_by_key(|(member, _)| *member != named)?;
    let resource = &bundle[member];
    let key = Key { resource: resource.id.clone(), expires_before: resource.expires_at? };
    Some(AttemptId { key, term: extension.term })
}
