//! A plan as clients receive it and a dry run of a job stores it: priced steps, and skipped members with reasons.

use std::collections::BTreeMap;

use perennial_domain::event::EventKind;
use perennial_domain::plan::Refusal;
use perennial_domain::policy::chain::RequiredApproval;
use perennial_domain::policy::chain::RulingKind;
use perennial_domain::term::Term;
use serde::Serialize;
use utoipa::ToSchema;

/// A length of time that is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Term)]
pub struct TermView {
    /// At least 1.
    pub count: u32,
    /// `day`, `month` or `year`.
    pub unit: &'static str,
}

impl From<Term> for TermView {
    fn from(term: Term) -> TermView {
        TermView { count: term.count.get(), unit: term.unit.name() }
    }
}

/// A provider's no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Refusal)]
pub struct RefusalView {
    /// The provider's own code.
    pub code: String,
    /// The provider's message, for people.
    pub message: String,
}

impl From<&Refusal> for RefusalView {
    fn from(refusal: &Refusal) -> RefusalView {
        RefusalView { code: refusal.code.clone(), message: refusal.message.clone() }
    }
}

/// One operation on one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Step)]
pub struct StepView {
    /// The ID of the resource.
    pub resource: String,
    /// `extend`, `set_on_expiry`, `set_auto_renew`, `end_subscription`, `convert`, `buy`, `change_specification`,
    /// `subscribe` or `set_attribute`.
    pub operation: &'static str,
    /// What it costs, a decimal.
    pub cost: String,
    /// What it gives back, a decimal.
    pub refund: String,
    /// When the resource expires before it.
    pub expires_before: Option<String>,
    /// When it, or what is bought, expires after it; null when that stays.
    pub expires_at: Option<String>,
    /// What is paid for, or how it renews itself from now on.
    pub term: Option<TermView>,
    /// Days beyond the term, paid for as a thirtieth of a month each.
    pub extra_days: u32,
    /// What else the operation says: `on_expiry`, `renewals`, `scope`, `pay_at`, `effective_at`, `price`, `name`,
    /// `value`.
    pub details: BTreeMap<&'static str, Option<String>>,
    /// The attributes that get another value; left out when there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// A resource that is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SkippedMember)]
pub struct LeftOutView {
    /// The ID of the resource.
    pub resource: String,
    /// Why the plan leaves it alone.
    pub reason: RefusalView,
}

/// A policy that requires an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RequiredApproval)]
pub struct RequiredApprovalView {
    /// Its name; `approval_above` for the limit of the account, and for what is held once for another reason.
    pub policy: String,
    /// The policy's reason, for people; of `approval_above`, empty above the limit, or why a plan of any price is held: the database was set back.
    pub reason: String,
    /// The label that the approver's token has; null is any approver.
    pub by: Option<String>,
    /// The ID of the token that gave it, while the plan waits for others.
    pub given_by: Option<String>,
}

impl From<&RequiredApproval> for RequiredApprovalView {
    fn from(required: &RequiredApproval) -> RequiredApprovalView {
        RequiredApprovalView {
            policy: required.policy.clone(),
            reason: required.reason.clone(),
            by: required.by.clone(),
            given_by: required.given_by.clone(),
        }
    }
}

/// What a policy did to a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PlanRuling)]
pub struct PlanRulingView {
    /// The name of the policy.
    pub policy: String,
    /// `amended`, `failed` or `deferred`.
    pub ruling: &'static str,
    /// The policy's reason, for people, or why it failed.
    pub reason: String,
    /// Until when it puts the plan off; null when it does not.
    pub until: Option<String>,
}

impl PlanRulingView {
    /// What `event` says that a policy ruled; `None` of what a plan shows otherwise, as denials and approvals, and of policies
    /// that are asked in shadow.
    pub fn of(event: &EventKind) -> Option<PlanRulingView> {
        let EventKind::PolicyRuled { policy, ruling, reason, until, shadow: false, .. } = event else {
            return None;
        };
        match ruling {
            RulingKind::Amended | RulingKind::Failed | RulingKind::Deferred => Some(PlanRulingView {
                policy: policy.clone(),
                ruling: ruling.name(),
                reason: reason.clone(),
                until: until.map(|until| until.to_string()),
            }),
            RulingKind::Denied | RulingKind::ApprovalRequired => None,
        }
    }
}

/// What a command would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Plan)]
pub struct PlanView {
    /// The resource that the command names.
    pub resource: String,
    /// The ID of its account.
    pub account: String,
    /// The name of the command.
    pub command: &'static str,
    /// When it was asked.
    pub at: String,
    /// The digest of the plugin that answered.
    pub revision: String,
    /// In the order in which they would be carried out.
    pub steps: Vec<StepView>,
    /// What the command leaves alone.
    pub skipped: Vec<LeftOutView>,
    /// Why it would not be carried out; null when it would be.
    pub refusal: Option<RefusalView>,
    /// The account's currency.
    pub currency: String,
    /// What all steps cost, a decimal.
    pub cost: String,
    /// Until when the order for them waits to be paid; left out when they are paid and carried out at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pay_until: Option<String>,
    /// What all steps give back, a decimal.
    pub refund: String,
    /// What the account has before it, a decimal.
    pub balance_before: String,
    /// What it would have after it, a decimal; the same as before when it is refused.
    pub balance_after: String,
    /// Whether somebody has to approve of it before it is carried out.
    pub needs_approval: bool,
    /// The approvals that it would wait for; left out when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<RequiredApprovalView>,
    /// What policies did to it that the rest does not show: that one amended it, failed, or puts it off. In order; left out when
    /// there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rulings: Vec<PlanRulingView>,
    /// Carry out with this, and it is only carried out if nothing of the above has changed.
    pub plan_hash: String,
}
