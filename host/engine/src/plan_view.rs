//! Turns a proposal into the plan that clients see.

use std::collections::BTreeMap;

use perennial_domain::index::MemberIndex;
use perennial_domain::plan::Operation;
use perennial_formats::plan::LeftOutView;
use perennial_formats::plan::PlanRulingView;
use perennial_formats::plan::PlanView;
use perennial_formats::plan::RefusalView;
use perennial_formats::plan::RequiredApprovalView;
use perennial_formats::plan::StepView;
use perennial_formats::plan::TermView;

use crate::proposal::PricedPlan;
use crate::proposal::Proposal;

impl Proposal {
    /// The plan as clients see it.
    pub fn view(&self) -> PlanView {
        let proposal = self;
        let id = |member: MemberIndex| proposal.bundle[member].id.clone();
        let skipped = proposal.plans.iter().flat_map(|priced| &priced.plan.skipped);
        PlanView {
            resource: id(proposal.named),
            account: proposal.account.id.clone(),
            command: proposal.command.name(),
            at: proposal.at.to_string(),
            revision: proposal.revision.clone(),
            steps: proposal.plans.iter().flat_map(|priced| steps(proposal, priced)).collect(),
            skipped: skipped
                .map(|left| LeftOutView {
                    resource: id(left.member),
                    reason: RefusalView::from(&left.reason),
                })
                .collect(),
            refusal: proposal.refusal.as_ref().map(RefusalView::from),
            currency: proposal.account.currency.clone(),
            cost: proposal.cost().to_string(),
            pay_until: proposal.plans.iter().find_map(|priced| text_of(priced.plan.pay_until)),
            refund: proposal.refund().to_string(),
            balance_before: proposal.account.balance.available().to_string(),
            balance_after: proposal.balance_after.available().to_string(),
            needs_approval: proposal.needs_approval(),
            required: proposal.required.iter().map(RequiredApprovalView::from).collect(),
            rulings: proposal.rulings.iter().filter_map(PlanRulingView::of).collect(),
            plan_hash: proposal.hash(),
        }
    }
}

impl Proposal {
    /// The plan of an approval, with the hash that it is approved by.
    pub fn pending_view(&self, plan_hash: String) -> PlanView {
        PlanView { needs_approval: true, plan_hash, ..self.view() }
    }
}

fn steps<'a>(proposal: &'a Proposal, priced: &'a PricedPlan) -> impl Iterator<Item = StepView> + 'a {
    priced.plan.steps.iter().enumerate().map(|(index, step)| {
        let member = &proposal.bundle[step.member];
        let mut view = StepView {
            resource: member.id.clone(),
            operation: operation(&step.operation),
            cost: priced.costs[index].to_string(),
            refund: priced.refunds[index].to_string(),
            expires_before: text_of(member.expires_at),
            expires_at: None,
            term: None,
            extra_days: 0,
            details: BTreeMap::new(),
            attributes: BTreeMap::new(),
        };
        match &step.operation {
            Operation::Extend(extension) => {
                view.expires_at = Some(extension.expires_at.to_string());
                view.term = Some(extension.term.into());
                view.extra_days = extension.extra_days;
            }
            Operation::SetOnExpiry(on_expiry) => {
                view.details.insert("on_expiry", Some(on_expiry.name().to_owned()));
            }
            Operation::SetAutoRenew(auto) => {
                view.term = auto.term.map(TermView::from);
                view.details.insert("renewals", text_of(auto.renewals));
            }
            Operation::EndSubscription(ending) => {
                view.expires_at = text_of(ending.expires_at);
                view.details.insert("scope", Some(ending.scope.name().to_owned()));
            }
            Operation::Buy(buying) => {
                view.expires_at = Some(buying.expires_at.to_string());
                view.details.insert("pay_at", Some(buying.pay_at.to_string()));
                view.details.insert("effective_at", Some(buying.effective_at.to_string()));
            }
            Operation::Convert(_) => {}
            Operation::ChangeSpecification(specification) => {
                view.details.insert("price", Some(specification.price.to_string()));
                view.attributes.clone_from(&specification.attributes);
            }
            Operation::Subscribe(subscription) => {
                view.expires_at = Some(subscription.expires_at.to_string());
                view.term = Some(subscription.term.into());
                view.details.insert("price", Some(subscription.price.to_string()));
            }
            Operation::SetAttribute(name, value) => {
                view.details.insert("name", Some(name.clone()));
                view.details.insert("value", Some(value.clone()));
            }
        }
        view
    })
}

fn operation(operation: &Operation) -> &'static str {
    match operation {
        Operation::Extend(_) => "extend",
        Operation::SetOnExpiry(_) => "set_on_expiry",
        Operation::SetAutoRenew(_) => "set_auto_renew",
        Operation::EndSubscription(_) => "end_subscription",
        Operation::Convert(_) => "convert",
        Operation::Buy(_) => "buy",
        Operation::ChangeSpecification(_) => "change_specification",
        Operation::Subscribe(_) => "subscribe",
        Operation::SetAttribute(..) => "set_attribute",
    }
}

fn text_of(value: Option<impl std::fmt::Display>) -> Option<String> {
    value.map(|value| value.to_string())
}
