//! What a plugin is asked about bundles, and what it answers to a request for a plan. Asks nobody.

use perennial_domain::bundle::Bundle;
use perennial_domain::index::AccountIndex;
use perennial_domain::index::MemberIndex;
use perennial_domain::order::Order;
use perennial_domain::plan::Command;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;
use perennial_domain::timestamp::Timestamp;
use perennial_domain::usage::Consumption;

/// A bundle whose future is asked for.
#[derive(Clone, Copy, Debug)]
pub struct TimelineRequest<'a> {
    /// Only what comes strictly after this instant is asked for.
    pub after: Timestamp,
    /// The bundle's account.
    pub account: AccountIndex,
    /// The bundle whose timeline is asked for.
    pub bundle: &'a Bundle,
}

/// A command whose plan is asked for.
#[derive(Clone, Copy, Debug)]
pub struct PlanRequest<'a> {
    /// When it is asked.
    pub at: Timestamp,
    /// The bundle's account.
    pub account: AccountIndex,
    /// What is asked for.
    pub command: &'a Command,
    /// The member that the command names.
    pub member: MemberIndex,
    /// The bundle to plan for.
    pub bundle: &'a Bundle,
    /// What was paid for its members; empty but for `unsubscribe`.
    pub orders: &'a [Order],
}

/// What a plugin answers to a request for a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanAnswer {
    /// What the command would do, or why the provider refuses it.
    pub plan: Result<Plan, Refusal>,
    /// The fuel that it took: its part of what the call took in which it was asked, in equal parts, rounded up. 0 where no
    /// sandbox ran.
    pub fuel: u64,
}

impl TimelineRequest<'_> {
    /// How many items it has, by which calls are limited.
    pub(super) fn items(&self) -> usize {
        self.bundle.members.len()
    }
}

impl PlanRequest<'_> {
    /// How many items it has, by which calls are limited.
    pub(super) fn items(&self) -> usize {
        self.bundle.members.len() + self.orders.len()
    }
}

/// How many items a use has, by which calls are limited.
pub(super) fn items_of_consumption((_, consumption): &(AccountIndex, &Consumption)) -> usize {
    1 + consumption.packages.len()
}
