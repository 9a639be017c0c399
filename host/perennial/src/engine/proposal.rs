//! What a command would do, priced, before anything is done: for people who look before they leap.
//!
//! Knows plans, prices and what makes two proposals the same one. Asks nothing and writes nothing.

use perennial_domain::account::Account;
use perennial_domain::bundle::Bundle;
use perennial_domain::carry;
use perennial_domain::ledger::Balance;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Command;
use perennial_domain::plan::Operation;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::plan::Step;
use perennial_domain::timestamp::Timestamp;
use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

use crate::formats;

/// A plan and its prices, on the bundle that it was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedPlan {
    /// The member that it was asked for, by place.
    pub named: usize,
    /// What would be done.
    pub plan: Plan,
    /// What each step costs, in the order of the steps.
    pub costs: Vec<Micros>,
    /// What each step gives back, likewise.
    pub refunds: Vec<Micros>,
}

impl PricedPlan {
    /// Prices `plan` at `at`.
    pub fn new(named: usize, plan: &Plan, bundle: &Bundle, at: Timestamp) -> PricedPlan {
        let cost = |step: &Step| carry::step_cost(&step.operation, &bundle.members[step.member], at);
        PricedPlan {
            named,
            plan: plan.clone(),
            costs: plan.steps.iter().map(cost).collect(),
            refunds: plan.steps.iter().map(|step| refund(&step.operation)).collect(),
        }
    }
}

fn refund(operation: &Operation) -> Micros {
    match operation {
        Operation::EndSubscription(ending) => ending.refunds.iter().map(|refund| refund.amount).sum(),
        Operation::Extend(_)
        | Operation::SetOnExpiry(_)
        | Operation::SetAutoRenew(_)
        | Operation::Buy(_)
        | Operation::SetAttribute(..) => Micros::ZERO,
    }
}

/// What a command would do to a bundle, and what that costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// When it was asked for.
    pub at: Timestamp,
    /// What was asked for.
    pub command: Command,
    /// The account before it.
    pub account: Account,
    /// The bundle before it.
    pub bundle: Bundle,
    /// The member that it names, by place.
    pub named: usize,
    /// The digest of the plugin that answered.
    pub revision: String,
    /// The command's plan and, behind it, that of a renewal that is tried at once; empty when the rules refuse.
    pub plans: Vec<PricedPlan>,
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

    /// What it gives back.
    pub fn refund(&self) -> Micros {
        self.plans.iter().flat_map(|priced| priced.refunds.iter().copied()).sum()
    }

    /// Equal for proposals that would do the same to the same: the members' expiries and prices, the balance, the
    /// plugin's revision, the steps and what they cost. When it was asked for does not count.
    pub fn hash(&self) -> String {
        let refusal = self.refusal.as_ref().map(|refusal| refusal.code.as_str());
        self.hash_with(json!(self.account.balance.available().to_string()), refusal)
    }

    /// The same, but the balance does not count, nor whether it suffices: for one command among many, each of which
    /// changes the balance for the next. `None` when the rules refuse, so that there is no plan.
    pub fn hash_without_balance(&self) -> Option<String> {
        (!self.plans.is_empty()).then(|| self.hash_with(Value::Null, None))
    }

    fn hash_with(&self, balance: Value, refusal: Option<&str>) -> String {
        let members = self.bundle.members.iter().map(|member| {
            json!([member.id, member.stage.name(), shown(member.expires_at), shown(member.price)])
        });
        let plans = self.plans.iter().map(|priced| self.plan_value(priced));
        let whole = json!({
            "account": self.account.id,
            "balance": balance,
            "command": formats::decision::command(&self.command),
            "members": members.collect::<Vec<_>>(),
            "named": self.named,
            "plans": plans.collect::<Vec<_>>(),
            "refusal": refusal,
            "revision": self.revision,
        });
        let digest = Sha256::digest(whole.to_string());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A plan without the present: what is bought at once is bought at once whenever that is.
    fn plan_value(&self, priced: &PricedPlan) -> Value {
        let mut plan = priced.plan.clone();
        for step in &mut plan.steps {
            match &mut step.operation {
                Operation::Buy(buying) if buying.pay_at == self.at => {
                    let epoch = Timestamp::from_second(0);
                    if buying.effective_at == self.at {
                        (buying.effective_at, buying.expires_at) = (epoch, epoch);
                    }
                    buying.pay_at = epoch;
                }
                Operation::Buy(_)
                | Operation::Extend(_)
                | Operation::SetOnExpiry(_)
                | Operation::SetAutoRenew(_)
                | Operation::EndSubscription(_)
                | Operation::SetAttribute(..) => {}
            }
        }
        let costs = priced.costs.iter().map(Micros::to_string).collect::<Vec<_>>();
        json!({ "plan": formats::decision::answer(&Ok(plan)), "costs": costs })
    }
}

fn shown(value: Option<impl std::fmt::Display>) -> Option<String> {
    value.map(|value| value.to_string())
}
