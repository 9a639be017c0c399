//! The resource that a command names, and the plan under construction: what the rules of commands share.

use plugin_sdk::Charging;
use plugin_sdk::MemberIndex;
use plugin_sdk::Operation;
use plugin_sdk::Plan;
use plugin_sdk::PlanRequest;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::SkippedMember;
use plugin_sdk::Stage;
use plugin_sdk::Step;
use plugin_sdk::Term;
use plugin_sdk::Timestamp;

use crate::refusals::Situation;
use crate::rules::Rules;

/// The time that a prepaid resource is paid for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subscription {
    /// Its expiry, which may have passed.
    pub(crate) expires_at: Timestamp,
    /// The day of the month that periods are counted from, 1 to 31.
    pub(crate) anchor_day: u8,
    /// The period it was bought for.
    pub(crate) term: Term,
}

impl Subscription {
    /// That of a resource which is paid ahead and has not ended.
    ///
    /// # Errors
    ///
    /// The refusal of every other.
    pub(crate) fn of(rules: &Rules<'_>, resource: &Resource) -> Result<Subscription, Refusal> {
        let id = &resource.id;
        let pay_per_use = || {
            let message = format!("`{id}` is pay-per-use; only what is paid ahead has periods");
            rules.refusal(Situation::PayPerUse, message)
        };
        match (resource.stage, resource.charging) {
            (Stage::Released, _) => Err(rules.refusal(Situation::Gone, format!("`{id}` was released"))),
            (Stage::Unsubscribed, _) => {
                Err(rules.refusal(Situation::Gone, format!("`{id}` was unsubscribed")))
            }
            (Stage::Converted, _) | (_, Charging::Postpaid) => Err(pay_per_use()),
            (Stage::Active | Stage::Grace | Stage::Retention, Charging::Prepaid) => Ok(Subscription {
                expires_at: resource.expires_at.expect("a prepaid resource expires"),
                anchor_day: resource.anchor_day.expect("a prepaid resource has an anchor"),
                term: resource.term.expect("a prepaid resource was bought for a term"),
            }),
        }
    }
}

/// The resource that a command names, with its request and its rules.
pub(crate) struct Target<'a> {
    pub(crate) rules: &'a Rules<'a>,
    pub(crate) request: &'a PlanRequest,
    pub(crate) resource: &'a Resource,
    pub(crate) subscription: Subscription,
}

impl<'a> Target<'a> {
    /// # Errors
    ///
    /// The refusal of a resource that is gone or pay-per-use.
    pub(crate) fn of(rules: &'a Rules<'a>, request: &'a PlanRequest) -> Result<Target<'a>, Refusal> {
        let resource = &request.bundle[request.member as usize];
        let subscription = Subscription::of(rules, resource)?;
        Ok(Target { rules, request, resource, subscription })
    }

    /// Whether its expiry has passed.
    pub(crate) fn has_expired(&self) -> bool {
        self.resource.stage != Stage::Active || self.subscription.expires_at <= self.request.at
    }

    /// A refusal that begins with the resource's id.
    pub(crate) fn refusal(&self, situation: Situation, message: &str) -> Refusal {
        self.rules.refusal(situation, format!("`{}` {message}", self.resource.id))
    }

    /// Refuses while an order of it waits to be paid.
    pub(crate) fn check_orders(&self) -> Result<(), Refusal> {
        match self.resource.has_unpaid_order {
            true => Err(self.refusal(
                Situation::UnpaidOrder,
                "has an order that waits to be paid; pay or cancel that one first",
            )),
            false => Ok(()),
        }
    }

    /// Refuses once it has expired.
    pub(crate) fn check_not_expired(&self) -> Result<(), Refusal> {
        match self.has_expired() {
            true => Err(self.refusal(Situation::Expired, "has expired; renew it by hand first")),
            false => Ok(()),
        }
    }
}

/// A plan under construction.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    steps: Vec<Step>,
    skipped: Vec<SkippedMember>,
}

impl Draft {
    pub(crate) fn step(&mut self, member: MemberIndex, operation: Operation) {
        self.steps.push(Step { member, operation });
    }

    pub(crate) fn leave(&mut self, member: MemberIndex, reason: Refusal) {
        self.skipped.push(SkippedMember { member, reason });
    }

    pub(crate) fn plan(self) -> Plan {
        Plan { steps: self.steps, skipped: self.skipped, retry_now: None, pay_until: None }
    }
}
