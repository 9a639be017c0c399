//! `/v1/plans`, and what a command would do, as clients see it: every step of the cascade with its price, and what is left
//! out and why.

use std::collections::BTreeMap;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use perennial_domain::approval::State as ApprovalState;
use perennial_domain::plan::Operation;
use perennial_domain::plan::Refusal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::approvals;
use crate::api::approvals::ApprovalView;
use crate::api::auth::Caller;
use crate::api::host::Host;
use crate::api::input::Query;
use crate::api::page;
use crate::api::page::Page;
use crate::api::problem::Problem;
use crate::api::shapes::TermView;
use crate::api::shapes::shown;
use crate::engine::proposal::PricedPlan;
use crate::engine::proposal::Proposal;

/// Lists the plans that wait to be carried out: those of the approvals that are open, or in the `state` that is asked for.
#[utoipa::path(get, path = "/v1/plans", tag = "plans",
    params(
        ("account" = Option<String>, Query, description = "Only of this account."),
        ("resource" = Option<String>, Query, description = "Only of this resource."),
        ("state" = Option<String>, Query, description = "Those of approvals in this state; `open` if left out."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "How many on a page; 100 if left out."),
    ),
    responses((status = 200, body = Page<ApprovalView>)))]
pub(super) async fn list(
    State(host): State<Host>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Json<Page<ApprovalView>>, Problem> {
    let asked = page::Asked::read(&mut query);
    let mut filter = approvals::filter(&caller, &mut query);
    query.finish()?;
    filter.state = filter.state.or(Some(ApprovalState::Open));
    approvals::page_of(&host, filter, asked).await
}

/// A provider's no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Refusal)]
pub(crate) struct RefusalView {
    /// The provider's own code.
    code: String,
    /// In words.
    message: String,
}

impl From<&Refusal> for RefusalView {
    fn from(refusal: &Refusal) -> RefusalView {
        RefusalView { code: refusal.code.clone(), message: refusal.message.clone() }
    }
}

/// One operation on one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Step)]
pub(crate) struct StepView {
    /// The resource.
    resource: String,
    /// `extend`, `set_on_expiry`, `set_auto_renew`, `end_subscription`, `buy` or `set_attribute`.
    operation: &'static str,
    /// What it costs, a decimal.
    cost: String,
    /// What it gives back, a decimal.
    refund: String,
    /// When the resource expires before it.
    expires_before: Option<String>,
    /// When it, or what is bought, expires after it; null when that stays.
    expires_at: Option<String>,
    /// What is paid for, or how it renews itself from now on.
    term: Option<TermView>,
    /// Days beyond the term, paid for as a thirtieth of a month each.
    extra_days: u32,
    /// What else the operation says: `on_expiry`, `renewals`, `scope`, `pay_at`, `effective_at`, `name`, `value`.
    details: BTreeMap<&'static str, Option<String>>,
}

/// A resource that is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LeftOut)]
pub(crate) struct LeftOutView {
    /// The resource.
    resource: String,
    /// Why.
    reason: RefusalView,
}

/// What a command would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Plan)]
pub(crate) struct PlanView {
    /// The resource that the command names.
    resource: String,
    /// Its account.
    account: String,
    /// The command.
    command: &'static str,
    /// When it was asked.
    at: String,
    /// The digest of the plugin that answered.
    revision: String,
    /// In the order in which they would be carried out.
    steps: Vec<StepView>,
    /// What the command leaves alone.
    skipped: Vec<LeftOutView>,
    /// Why it would not be carried out; null when it would be.
    refusal: Option<RefusalView>,
    /// The account's currency.
    currency: String,
    /// What all steps cost, a decimal.
    cost: String,
    /// What all steps give back, a decimal.
    refund: String,
    /// What the account has before it, a decimal.
    balance_before: String,
    /// What it would have after it, a decimal; the same as before when it is refused.
    balance_after: String,
    /// Whether somebody has to approve of it before it is carried out.
    needs_approval: bool,
    /// Carry out with this, and it is only carried out if nothing of the above has changed.
    plan_hash: String,
}

impl From<&Proposal> for PlanView {
    fn from(proposal: &Proposal) -> PlanView {
        let id = |member: usize| proposal.bundle.members[member].id.clone();
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
            refund: proposal.refund().to_string(),
            balance_before: proposal.account.balance.available().to_string(),
            balance_after: proposal.balance_after.available().to_string(),
            needs_approval: proposal.needs_approval(),
            plan_hash: proposal.hash(),
        }
    }
}

impl PlanView {
    /// A plan that was held, with the hash that it is approved of by.
    pub(super) fn held(proposal: &Proposal, plan_hash: String) -> PlanView {
        PlanView { needs_approval: true, plan_hash, ..PlanView::from(proposal) }
    }
}

fn steps<'a>(proposal: &'a Proposal, priced: &'a PricedPlan) -> impl Iterator<Item = StepView> + 'a {
    priced.plan.steps.iter().enumerate().map(|(place, step)| {
        let member = &proposal.bundle.members[step.member];
        let mut view = StepView {
            resource: member.id.clone(),
            operation: operation(&step.operation),
            cost: priced.costs[place].to_string(),
            refund: priced.refunds[place].to_string(),
            expires_before: shown(member.expires_at),
            expires_at: None,
            term: None,
            extra_days: 0,
            details: BTreeMap::new(),
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
                view.details.insert("renewals", shown(auto.renewals));
            }
            Operation::EndSubscription(ending) => {
                view.expires_at = shown(ending.expires_at);
                view.details.insert("scope", Some(ending.scope.name().to_owned()));
            }
            Operation::Buy(buying) => {
                view.expires_at = Some(buying.expires_at.to_string());
                view.details.insert("pay_at", Some(buying.pay_at.to_string()));
                view.details.insert("effective_at", Some(buying.effective_at.to_string()));
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
        Operation::Buy(_) => "buy",
        Operation::SetAttribute(..) => "set_attribute",
    }
}
