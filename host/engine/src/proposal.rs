//! What a command would do, priced, before anything is done: for people who look before they leap.
//!
//! Knows plans, prices and what makes two proposals the same one. Asks nothing and writes nothing.

use perennial_domain::account::Account;
use perennial_domain::apply;
use perennial_domain::bundle::Bundle;
use perennial_domain::event::EventKind;
use perennial_domain::index::MemberIndex;
use perennial_domain::ledger::Balance;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Command;
use perennial_domain::plan::Operation;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::plan::Step;
use perennial_domain::policy::chain::RequiredApproval;
use perennial_domain::timestamp::Timestamp;
use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

use perennial_formats as formats;

/// A plan and its prices, on the bundle that it was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedPlan {
    /// The member that it was asked for.
    pub named: MemberIndex,
    /// The plan that would be carried out.
    pub plan: Plan,
    /// What each step costs, in the order of the steps.
    pub costs: Vec<Micros>,
    /// What each step gives back, in the order of the steps.
    pub refunds: Vec<Micros>,
}

impl PricedPlan {
    /// Prices `plan` at `at`.
    pub fn new(named: MemberIndex, plan: &Plan, bundle: &Bundle, at: Timestamp) -> PricedPlan {
        let cost = |step: &Step| apply::step_cost(&step.operation, &bundle[step.member], at);
        PricedPlan {
            named,
            plan: plan.clone(),
            costs: plan.steps.iter().map(cost).collect(),
            refunds: plan.steps.iter().map(|step| apply::step_refund(&step.operation)).collect(),
        }
    }
}

/// What a command would do to a bundle, and what that costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// When it was asked for.
    pub at: Timestamp,
    /// The command that was asked for.
    pub command: Command,
    /// The account before it.
    pub account: Account,
    /// The bundle before it.
    pub bundle: Bundle,
    /// The member that it names.
    pub named: MemberIndex,
    /// The digest of the plugin that answered.
    pub revision: String,
    /// The command's plan and, behind it, that of a renewal that is tried at once; empty when the rules refuse.
    pub plans: Vec<PricedPlan>,
    /// The approvals that it would wait for.
    pub required: Vec<RequiredApproval>,
    /// What policies ruled on it, in order: events of [`EventKind::PolicyRuled`].
    pub rulings: Vec<EventKind>,
    /// Why it would not be carried out, if so.
    pub refusal: Option<Refusal>,
    /// What the account would have then.
    pub balance_after: Balance,
}

impl Proposal {
    /// What it costs, without what it gives back.
    pub fn cost(&self) -> Micros {
        self.plans.iter().flat_map(|priced| priced.costs.iter().copied()).sum()
    }

    /// The amount that the plans give back.
    pub fn refund(&self) -> Micros {
        self.plans.iter().flat_map(|priced| priced.refunds.iter().copied()).sum()
    }

    /// Whether somebody has to approve of the command before it is carried out.
    pub fn needs_approval(&self) -> bool {
        !self.required.is_empty()
    }

    /// Equal for proposals that would do the same to the same: the members' expiries and prices, the balance, the
    /// plugin's revision, the steps and what they cost. When it was asked for does not count.
    pub fn hash(&self) -> String {
        let refusal = self.refusal.as_ref().map(|refusal| &refusal.code);
        self.digest(json!({ "balance": self.account.balance.available().to_string(), "refusal": refusal }))
    }

    /// The same, whatever the account has: paying in does not change what somebody approves of.
    pub fn hash_without_balance(&self) -> String {
        self.digest(json!({}))
    }

    fn digest(&self, mut whole: Value) -> String {
        let members = self.bundle.members.iter().map(|member| {
            json!([member.id, member.stage.name(), to_text(member.expires_at), to_text(member.price)])
        });
        let plans = self.plans.iter().map(|priced| self.plan_value(priced));
        whole["account"] = json!(self.account.id);
        whole["command"] = json!(formats::decision::command(&self.command));
        whole["members"] = members.collect();
        whole["named"] = json!(self.named.get());
        whole["plans"] = plans.collect();
        whole["revision"] = json!(self.revision);
        hex::encode(Sha256::digest(whole.to_string()))
    }

    /// A plan without the present: what begins at once begins at once whenever that is, and what is renewed late may be
    /// renewed from then on.
    fn plan_value(&self, priced: &PricedPlan) -> Value {
        let mut plan = priced.plan.clone();
        let epoch = Timestamp::from_second(0);
        for step in &mut plan.steps {
            let is_late = self.bundle[step.member].expires_at.is_some_and(|at| at <= self.at);
            match &mut step.operation {
                Operation::Extend(extension) if is_late => {
                    (extension.expires_at, extension.anchor_day) = (epoch, None);
                }
                Operation::Buy(buying) if buying.pay_at == self.at => {
                    if buying.effective_at == self.at {
                        (buying.effective_at, buying.expires_at) = (epoch, epoch);
                        buying.anchor_day = 0;
                    }
                    buying.pay_at = epoch;
                }
                Operation::Subscribe(subscription) => {
                    (subscription.expires_at, subscription.anchor_day) = (epoch, 0);
                }
                Operation::ChangeSpecification(specification) => {
                    let adjustments = specification.adjustments.iter_mut();
                    for adjustment in adjustments.filter(|one| one.starts_at == self.at) {
                        adjustment.starts_at = epoch;
                    }
                }
                Operation::Buy(_)
                | Operation::Extend(_)
                | Operation::SetOnExpiry(_)
                | Operation::SetAutoRenew(_)
                | Operation::EndSubscription(_)
                | Operation::Convert(_)
                | Operation::SetAttribute(..) => {}
            }
        }
        let costs = priced.costs.iter().map(Micros::to_string).collect::<Vec<_>>();
        json!({ "plan": formats::decision::answer(&Ok(plan)), "costs": costs })
    }
}

fn to_text(value: Option<impl std::fmt::Display>) -> Option<String> {
    value.map(|value| value.to_string())
}
